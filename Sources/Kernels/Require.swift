/// Ends the process with `message` unless `condition` holds: for misuse that a programmer can see, such as shapes that
/// do not fit.
///
/// Differs from `precondition`, whose message is dropped in optimised builds: this one prints it in every build.
@inlinable
@inline(__always)
public func require(
    _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    if !condition { fatalError(message(), file: file, line: line) }
}

/// Requires that a span of `count` elements holds `rows` rows of `length`, `stride` elements from row to row.
func requireRows(_ name: StaticString, _ rows: Int, _ length: Int, _ stride: Int, _ count: Int) {
    require(rows >= 0 && length >= 0, "\(name) has \(rows) rows of \(length); expected no negative size")
    require(stride >= length || rows <= 1, "\(name) has stride \(stride); expected at least its row length \(length)")
    let needed = rows == 0 ? 0 : (rows - 1) * stride + length
    require(count >= needed, "\(name) has \(count) elements; expected at least \(needed) for \(rows) rows of \(length), stride \(stride)")
}

/// Requires two operands of equal length.
@inline(__always)
func requireEqualCounts(_ x: Int, _ y: Int, _ operation: StaticString = #function) {
    require(x == y, "\(operation): counts \(x) and \(y) differ; expected equal counts")
}
