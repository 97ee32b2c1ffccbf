import Descent
import Foundation

/// Work of the vector family that both benchmark programs time.
public enum VectorWorkloads {
    /// y ← f(x) by our kernels.
    public static let kernels: [String: @Sendable ([Float], inout [Float]) -> Void] = [
        "exp": { x, y in var span = y.mutableSpan; Float.exp(x.span, into: &span) },
        "log": { x, y in var span = y.mutableSpan; Float.log(x.span, into: &span) },
        "tanh": { x, y in var span = y.mutableSpan; Float.tanh(x.span, into: &span) },
        "logistic": { x, y in var span = y.mutableSpan; Float.logistic(x.span, into: &span) },
        "erf": { x, y in var span = y.mutableSpan; Float.erf(x.span, into: &span) },
    ]

    /// The same by a plain Swift loop over the C library's function.
    public static let plainLoops: [String: @Sendable ([Float], inout [Float]) -> Void] = [
        "exp": { x, y in plainLoop(x, &y) { Foundation.exp($0) } },
        "log": { x, y in plainLoop(x, &y) { Foundation.log($0) } },
        "tanh": { x, y in plainLoop(x, &y) { Foundation.tanh($0) } },
        "logistic": { x, y in plainLoop(x, &y) { 1 / (1 + Foundation.exp(-$0)) } },
        "erf": { x, y in plainLoop(x, &y) { Foundation.erf($0) } },
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
                y.modify { y in
                    var span = y.mutableSpan
                    Float.axpy(1e-9, x.span, &span)
                }
            }
        },
    ]
}

/// What a user would write without the kernels; inlined, so that the closure costs nothing.
@inline(__always)
private func plainLoop(_ x: [Float], _ y: inout [Float], _ function: (Float) -> Float) {
    for i in x.indices { y[i] = function(x[i]) }
}
