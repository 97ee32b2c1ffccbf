// From borrowed spans to the pointers that C takes. Empty spans may give nil; a kernel with count 0 touches nothing.
//
// The Span overloads that clang's bounds attributes could give (`SafeInteropWrappers`) are not used: Swift 6.3.1 crashes
// on them in optimised builds of a module with more than one file.

@inline(__always)
func withPointers<A, B, Result>(
    _ a: Span<A>, _ b: Span<B>, _ body: (UnsafePointer<A>?, UnsafePointer<B>?) -> Result
) -> Result {
    unsafe a.withUnsafeBufferPointer { a in
        unsafe b.withUnsafeBufferPointer { b in unsafe body(a.baseAddress, b.baseAddress) }
    }
}
