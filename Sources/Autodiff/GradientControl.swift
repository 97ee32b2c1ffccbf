import Kernels

extension Tensor {
    /// The same numbers as a constant: no derivative of any order passes.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func stoppingGradient() -> Tensor { constant }

    /// f(x) whose derivative is that of x: the straight-through estimator, for rounding, signs and other steps.
    ///
    /// ```swift
    /// let bits = weights.straightThrough { $0.map { $0 >= 0 ? 1 : -1 } }
    /// ```
    ///
    /// - Parameter f: from elements to as many elements, called once.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func straightThrough(_ f: ([Scalar]) -> [Scalar]) -> Tensor {
        record(StraightThrough(), [self]) { inputs in
            let result = f(inputs[0].elements)
            require(result.count == count, "straightThrough gave \(result.count) elements for \(count); expected as many")
            return Tensor(shape, result)
        }
    }
}

extension Tensor {
    /// f of each element, without a derivative: a step, a table, a rounding.
    ///
    /// A transformation that has to differentiate it ends with a message. Where a derivative is to be made up, there is
    /// ``straightThrough(_:)``; where there is to be none, `x.stoppingGradient().map(f)`.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func map(_ f: (Scalar) -> Scalar) -> Tensor {
        record(Map(), [self]) { inputs in Tensor(shape, inputs[0].elements.map(f)) }
    }
}

private struct Map<Scalar: KernelScalar>: DifferentiableOperation, CustomStringConvertible {
    var description: String { "Tensor.map" }

    // Not called: the value is what the caller's closure makes of it.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> { x[0] }
}

private struct StraightThrough<Scalar: KernelScalar>: DifferentiableOperation {
    var derivativesRead: DerivativeOperands { [] }

    // Not called: the value is what the caller's closure makes of it.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> { x[0] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { dx[0] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [g]
    }
}

/// f(x₀, x₁, …), of which only the arguments are kept for the derivative: it runs f again. Memory for time: one more
/// evaluation of f, and nothing of what it computes in between is held.
///
/// f must depend on its arguments alone and give the same each time; a tensor under differentiation that it captures ends the
/// process with a message. Derivatives of any order pass.
///
/// - Complexity: f once in the value, once more in each derivative.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func checkpoint<Scalar: KernelScalar>(
    _ inputs: [Tensor<Scalar>], _ f: @escaping @Sendable ([Tensor<Scalar>]) -> Tensor<Scalar>
) -> Tensor<Scalar> {
    apply(Checkpoint(f: f), to: inputs)
}

private struct Checkpoint<Scalar: KernelScalar>: FusedOperation {
    let f: @Sendable ([Tensor<Scalar>]) -> Tensor<Scalar>

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> { f(x) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func definition(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> { f(x) }
}
