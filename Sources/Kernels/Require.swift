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
