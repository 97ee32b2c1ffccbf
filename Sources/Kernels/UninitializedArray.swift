/// An array of `count` elements that `body` writes, every one of them; what it leaves out is undefined. Saves the pass that
/// `Array(repeating:count:)` spends on a result that is overwritten.
///
/// - Precondition: `count` is not negative.
@inlinable package func uninitializedArray<Scalar: KernelScalar>(
    count: Int, _ body: (inout MutableSpan<Scalar>) throws -> Void
) rethrows -> [Scalar] {
    require(count >= 0, "count is \(count); expected no negative number")
    return unsafe try [Scalar](unsafeUninitializedCapacity: count) { buffer, initialized in
        var span = unsafe MutableSpan(_unsafeElements: UnsafeMutableBufferPointer(start: buffer.baseAddress, count: count))
        try body(&span)
        initialized = count
    }
}
