/// Copies a span over another of the same length.
@specialized(where Element == Float) @specialized(where Element == Double)
package func copy<Element: BitwiseCopyable>(_ source: Span<Element>, _ target: inout MutableSpan<Element>) {
    require(source.count == target.count, "copy of \(source.count) elements over \(target.count); expected equal counts")
    unsafe source.withUnsafeBytes { from in
        unsafe target.withUnsafeMutableBytes { to in unsafe to.copyMemory(from: from) }
    }
}
