import Kernels
import LinearAlgebra

/// The curvature along an optimiser's update Δ, and how it splits over the coordinates.
///
///     v = Δ/‖Δ‖₂,   S = vᵀ∇²f v,   f(x + η v) = f(x) + η ⟨∇f, v⟩ + ½ η² S + O(η³)
///
/// Two updates with the same correlation with the gradient differ, to second order, in S alone: the best step along v is −⟨∇f, v⟩/S and lowers
/// f by ⟨∇f, v⟩²/(2 S). S may have any sign; it lies between the extreme eigenvalues of the Hessian.
///
/// ```swift
/// var update = gradient, span = update.mutableSpan        // what a transformation of `Optimizers` makes of it
/// transformation.update(&span, state: &state, parameters: x.span, context: UpdateContext())
/// let along = try DirectionalSharpness(of: HessianOperator(of: loss, at: x), gradient: gradient, along: update)
/// ```
///
/// Source: Pan & Li 2023, arXiv 2306.00204.
public struct DirectionalSharpness<Scalar: KernelScalar>: Sendable, Hashable {
    /// S.
    public let value: Double
    /// ⟨∇f, v⟩: negative for a descent direction.
    public let slope: Double
    /// −⟨∇f, v⟩/‖∇f‖₂, from −1 to 1: positive for a descent direction, and 0 where the gradient is.
    public let gradientCorrelation: Double
    /// vᵢ (∇²f v)ᵢ: what each coordinate adds to S.
    public let contributions: [Scalar]

    /// - Parameters:
    ///   - hessian: ∇²f at the point; one product.
    ///   - gradient: ∇f at the point.
    ///   - update: what is added to the point; its length does not matter.
    /// - Precondition: equal lengths.
    /// - Throws: ``CurvatureError/zeroDirection``; ``CurvatureError/nonFiniteDirection(index:)``; ``CurvatureError/nonFinite(product:)``.
    public init(
        of hessian: any LinearOperator<Scalar>, gradient: [Scalar], along update: [Scalar]
    ) throws(CurvatureError) {
        requireSquare(hessian)
        require(gradient.count == hessian.rows && update.count == hessian.rows,
                "gradient of \(gradient.count) and update of \(update.count) elements; expected \(hessian.rows)")
        let v = try unitVector(along: update)
        let hv = try product(hessian, v, 0)
        let contributions: [Scalar] = uninitializedArray(count: v.count) { Scalar.multiply(v.span, hv.span, into: &$0) }
        self.contributions = contributions
        value = Double(Scalar.dot(v.span, hv.span))
        slope = Double(Scalar.dot(gradient.span, v.span))
        let norm = Double(Scalar.nrm2(gradient.span))
        gradientCorrelation = norm == 0 ? 0 : -slope / norm
    }

    /// −⟨∇f, v⟩/S, the best step of the quadratic model along v; `nil` where S is not positive and the model has no minimum.
    public var bestStep: Double? { value > 0 ? -slope / value : nil }

    /// ⟨∇f, v⟩²/(2 S), by how much the best step lowers the quadratic model; `nil` where S is not positive.
    public var bestDecrease: Double? { value > 0 ? slope * slope / (2 * value) : nil }

    /// The share of S that the ⌊fraction · n⌋ largest contributions make up; above 1 where the others sum to a negative number.
    ///
    /// - Precondition: the fraction is from 0 to 1.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func share(ofLargest fraction: Double) -> Double {
        require(fraction >= 0 && fraction <= 1, "fraction is \(fraction); expected from 0 to 1")
        let largest = contributions.sorted(by: >).prefix(Int(Double(contributions.count) * fraction))
        return largest.reduce(0) { $0 + Double($1) } / value
    }
}

/// Δ/‖Δ‖₂.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func unitVector<Scalar: KernelScalar>(along update: [Scalar]) throws(CurvatureError) -> [Scalar] {
    let norm = Scalar.nrm2(update.span)
    guard norm.isFinite else {
        if let index = update.firstIndex(where: { !$0.isFinite }) { throw .nonFiniteDirection(index: index) }
        // Finite elements whose norm overflows: by halves.
        return try unitVector(along: update.map { $0 / 2 / Scalar(update.count) })
    }
    guard norm > 0 else { throw .zeroDirection }
    return update.map { $0 / norm }
}
