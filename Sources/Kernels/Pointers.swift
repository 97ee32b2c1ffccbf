// From borrowed spans to the pointers that C takes. Empty spans may give nil; a kernel with count 0 touches nothing.
//
// The Span overloads that clang's bounds attributes could give (`SafeInteropWrappers`) are not used: Swift 6.3.1 crashes
// on them in optimised builds of a module with more than one file.

@inline(__always)
func withPointers<A, Result>(_ a: Span<A>, _ body: (UnsafePointer<A>?) -> Result) -> Result {
    unsafe a.withUnsafeBufferPointer { a in unsafe body(a.baseAddress) }
}

@inline(__always)
func withPointers<A, Result>(_ a: inout MutableSpan<A>, _ body: (UnsafeMutablePointer<A>?) -> Result) -> Result {
    unsafe a.withUnsafeMutableBufferPointer { a in unsafe body(a.baseAddress) }
}

@inline(__always)
func withPointers<A, B, Result>(
    _ a: Span<A>, _ b: Span<B>, _ body: (UnsafePointer<A>?, UnsafePointer<B>?) -> Result
) -> Result {
    unsafe a.withUnsafeBufferPointer { a in
        unsafe b.withUnsafeBufferPointer { b in unsafe body(a.baseAddress, b.baseAddress) }
    }
}

@inline(__always)
func withPointers<A, B, C, Result>(
    _ a: Span<A>, _ b: Span<B>, _ c: Span<C>,
    _ body: (UnsafePointer<A>?, UnsafePointer<B>?, UnsafePointer<C>?) -> Result
) -> Result {
    unsafe withPointers(a, b) { a, b in
        unsafe c.withUnsafeBufferPointer { c in unsafe body(a, b, c.baseAddress) }
    }
}

/// An operand and a result with their counts.
@inline(__always)
func withPointers<A, B, Result>(
    _ a: Span<A>, _ b: inout MutableSpan<B>,
    _ body: (UnsafePointer<A>?, Int, UnsafeMutablePointer<B>?, Int) -> Result
) -> Result {
    unsafe a.withUnsafeBufferPointer { a in
        unsafe b.withUnsafeMutableBufferPointer { b in unsafe body(a.baseAddress, a.count, b.baseAddress, b.count) }
    }
}

/// Two operands and a result of equal counts, the count first.
@inline(__always)
func withPointers<A, B, C, Result>(
    _ a: Span<A>, _ b: Span<B>, _ c: inout MutableSpan<C>,
    _ body: (Int, UnsafePointer<A>?, UnsafePointer<B>?, UnsafeMutablePointer<C>?) -> Result
) -> Result {
    unsafe withPointers(a, b) { pointerToA, b in
        unsafe c.withUnsafeMutableBufferPointer { c in unsafe body(a.count, pointerToA, b, c.baseAddress) }
    }
}

/// A parameter array, two operands and a result, with the counts of the last three.
@inline(__always)
func withPointers<P, A, B, C, Result>(
    _ p: Span<P>, _ a: Span<A>, _ b: Span<B>, _ c: inout MutableSpan<C>,
    _ body: (UnsafePointer<P>?, UnsafePointer<A>?, Int, UnsafePointer<B>?, Int, UnsafeMutablePointer<C>?, Int) -> Result
) -> Result {
    unsafe withPointers(p, a) { p, pointerToA in
        unsafe withPointers(b, &c) { b, bCount, c, cCount in unsafe body(p, pointerToA, a.count, b, bCount, c, cCount) }
    }
}

/// Two results.
@inline(__always)
func withPointers<A, B, Result>(
    _ a: inout MutableSpan<A>, _ b: inout MutableSpan<B>, _ body: (UnsafeMutablePointer<A>?, UnsafeMutablePointer<B>?) -> Result
) -> Result {
    unsafe a.withUnsafeMutableBufferPointer { a in
        unsafe b.withUnsafeMutableBufferPointer { b in unsafe body(a.baseAddress, b.baseAddress) }
    }
}

/// Three results.
@inline(__always)
func withPointers<A, B, C, Result>(
    _ a: inout MutableSpan<A>, _ b: inout MutableSpan<B>, _ c: inout MutableSpan<C>,
    _ body: (UnsafeMutablePointer<A>?, UnsafeMutablePointer<B>?, UnsafeMutablePointer<C>?) -> Result
) -> Result {
    unsafe withPointers(&a, &b) { a, b in
        unsafe c.withUnsafeMutableBufferPointer { c in unsafe body(a, b, c.baseAddress) }
    }
}
