/// Copies a span over another of the same length.
@inlinable @inline(__always) package func copy<Element: BitwiseCopyable>(_ source: Span<Element>, _ target: inout MutableSpan<Element>) {
    require(source.count == target.count, "copy of \(source.count) elements over \(target.count); expected equal counts")
    unsafe source.withUnsafeBytes { from in
        unsafe target.withUnsafeMutableBytes { to in unsafe to.copyMemory(from: from) }
    }
}
