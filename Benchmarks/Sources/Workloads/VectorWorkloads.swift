import Descent
import Foundation

/// Work of the vector family that both benchmark programs time.
public enum VectorWorkloads {
    /// y ← f(x) by our kernels.
    public static let kernels: [String: @Sendable (Buffer<Float>, Buffer<Float>) -> Void] = [
        "exp": { x, y in var span = y.elements.mutableSpan; Float.exp(x.elements.span, into: &span) },
        "log": { x, y in var span = y.elements.mutableSpan; Float.log(x.elements.span, into: &span) },
        "tanh": { x, y in var span = y.elements.mutableSpan; Float.tanh(x.elements.span, into: &span) },
        "logistic": { x, y in var span = y.elements.mutableSpan; Float.logistic(x.elements.span, into: &span) },
        "erf": { x, y in var span = y.elements.mutableSpan; Float.erf(x.elements.span, into: &span) },
    ]

    /// The same by a plain Swift loop over the C library's function.
    public static let plainLoops: [String: @Sendable (Buffer<Float>, Buffer<Float>) -> Void] = [
        "exp": { x, y in plainLoop(x.elements, &y.elements) { Foundation.exp($0) } },
        "log": { x, y in plainLoop(x.elements, &y.elements) { Foundation.log($0) } },
        "tanh": { x, y in plainLoop(x.elements, &y.elements) { Foundation.tanh($0) } },
        "logistic": { x, y in plainLoop(x.elements, &y.elements) { 1 / (1 + Foundation.exp(-$0)) } },
        "erf": { x, y in plainLoop(x.elements, &y.elements) { Foundation.erf($0) } },
    ]

    /// Kernels that stream, at `n` elements of Float.
    public static let streams: [String: @Sendable (Int) -> Workload] = [
        "dot": { n in
            let x = [Float](repeating: 1, count: n), y = [Float](repeating: 2, count: n)
            return Workload("dot", work: 8 * Double(n), .bytes) { consume(Float.dot(x.span, y.span)) }
        },
        "axpy": { n in
            let x = [Float](repeating: 1, count: n), y = Buffer([Float](repeating: 2, count: n))
            return Workload("axpy", work: 12 * Double(n), .bytes) {
                var span = y.elements.mutableSpan
                Float.axpy(1e-9, x.span, &span)
            }
        },
    ]
}

/// What a user would write without the kernels; inlined, so that the closure costs nothing.
@inline(__always)
private func plainLoop(_ x: [Float], _ y: inout [Float], _ function: (Float) -> Float) {
    for i in x.indices { y[i] = function(x[i]) }
}
