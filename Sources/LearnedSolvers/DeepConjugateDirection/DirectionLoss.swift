import Autodiff
import Kernels
import LinearAlgebra
import NeuralNetworks

/// How far a direction q is from solving A·x = r by one step along it:
///
///     ℓ(q) = ‖r − α A q‖²,   α = qᵀr / qᵀA q,   averaged over a batch.
///
/// α is the step of an exact line search in the norm of A, so that ℓ is the squared residual after the first iteration from x = 0. It
/// does not change when q is scaled, and is 0 for q = A⁻¹ r. With s = qᵀA q and e = r − α A q,
///
///     ∂ℓ/∂q = −2 (eᵀA q) (r/s − 2 (qᵀr) A q/s²) − 2 α A e.
///
/// Where s is not positive (q = 0 or in the null space) no step is made: ℓ = ‖r‖², with gradient 0.
///
/// Differs from the best scalar in the 2-norm, eᵀA q = 0, which would be another objective. There is a first derivative in q only, no
/// second one.
///
/// Source: Kaneda et al. 2023, arXiv 2205.10763, §5.
public struct DirectionLoss<Scalar: KernelScalar>: Sendable {
    public let system: any LinearOperator<Scalar>

    /// - Parameter system: A, symmetric and positive semi-definite.
    public init(_ system: any LinearOperator<Scalar>) {
        require(system.rows == system.columns, "direction loss of a \(system.rows)×\(system.columns) operator; expected a square one")
        self.system = system
    }

    /// The mean loss over a batch.
    ///
    /// - Parameters:
    ///   - directions: q; the first axis counts the batch, the others have as many elements as A has rows.
    ///   - residuals: r, of the same shape. No derivative is taken in them.
    public func callAsFunction(_ directions: Tensor<Scalar>, _ residuals: Tensor<Scalar>) -> Tensor<Scalar> {
        require(directions.shape == residuals.shape, "directions of shape \(directions.shape) for residuals of shape \(residuals.shape); expected equal ones")
        let batch = directions.shape.first ?? 0
        require(batch > 0 && directions.count == batch * system.rows,
                "directions of shape \(directions.shape) for \(system.rows) unknowns; expected [batch, …] with as many elements each")
        return apply(DirectionLossOperation(system: system, residuals: residuals), to: [directions])
    }

    /// The loss as that of a training whose targets are the residuals themselves.
    public var trainingLoss: Loss<Scalar, Tensor<Scalar>> { Loss { output, target in self(output, target) } }
}

private struct DirectionLossOperation<Scalar: KernelScalar>: DifferentiableOperation {
    let system: any LinearOperator<Scalar>
    let residuals: Tensor<Scalar>

    var derivativesRead: DerivativeOperands { .inputs }

    private struct Step {
        var image: [Scalar], rest: [Scalar], alpha: Double, square: Double, product: Double
    }

    /// A q, e, α, s and qᵀr of one example.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func step(_ q: Span<Scalar>, _ r: Span<Scalar>) -> Step {
        let n = system.rows
        let image: [Scalar] = uninitializedArray(count: n) { system.apply(q, into: &$0) }
        let square = Double(Scalar.dot(q, image.span)), product = Double(Scalar.dot(q, r))
        let alpha = square > 0 ? product / square : 0
        let rest: [Scalar] = uninitializedArray(count: n) { out in
            Scalar.linearCombination(1, r, Scalar(-alpha), image.span, 0, r, into: &out)
        }
        return Step(image: image, rest: rest, alpha: alpha, square: square, product: product)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let q = x[0], n = system.rows
        var sum = 0.0
        for start in stride(from: 0, to: q.count, by: n) {
            let rest = step(q.span.extracting(start..<start + n), residuals.span.extracting(start..<start + n)).rest
            sum += Double(Scalar.dot(rest.span, rest.span))
        }
        return Tensor(Scalar(sum / Double(q.shape[0])))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let q = x[0], n = system.rows, weight = Double(g.scalar) / Double(q.shape[0])
        let elements: [Scalar] = uninitializedArray(count: q.count) { out in
            for start in stride(from: 0, to: q.count, by: n) {
                let r = residuals.span.extracting(start..<start + n)
                let step = step(q.span.extracting(start..<start + n), r)
                var slope = out._mutatingExtracting(start..<start + n)
                system.apply(step.rest.span, into: &slope)
                guard step.square > 0 else {
                    slope.update(repeating: 0)
                    continue
                }
                let along = -2 * weight * Double(Scalar.dot(step.rest.span, step.image.span))
                Scalar.scale(Scalar(-2 * weight * step.alpha), &slope)
                Scalar.axpy(Scalar(along / step.square), r, &slope)
                Scalar.axpy(Scalar(-2 * along * step.product / (step.square * step.square)), step.image.span, &slope)
            }
        }
        return [Tensor(shape: q.shape, elements: elements)]
    }
}
