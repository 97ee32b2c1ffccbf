import LinearAlgebra

/// What ``DeepConjugateDirection`` searches along: a map f from residuals to directions.
///
/// Any map will do: the line search and the conjugation that follow keep the iteration safe. It need be neither linear nor
/// deterministic nor of a certain scale or sign.
public protocol DirectionModel: Sendable {
    /// f(r) for a residual of unit norm.
    ///
    /// - Returns: as many elements as `residual` has.
    func direction(for residual: Span<Double>) -> [Double]
}

/// f(r) = r. With a history of at least 1 the iteration is the conjugate gradient method.
public struct ResidualDirection: DirectionModel {
    public init() {}

    public func direction(for residual: Span<Double>) -> [Double] { residual.indices.map { residual[$0] } }
}

/// f(r) = M⁻¹·r for an operator that applies M⁻¹. Positive definite, it makes the iteration the preconditioned conjugate gradient method;
/// with A⁻¹ the first step ends it.
public struct OperatorDirection: DirectionModel {
    public let inverse: any LinearOperator<Double>

    public init(_ inverse: any LinearOperator<Double>) { self.inverse = inverse }

    public func direction(for residual: Span<Double>) -> [Double] {
        var result = [Double](repeating: 0, count: inverse.rows)
        var span = result.mutableSpan
        inverse.apply(residual, into: &span)
        return result
    }
}
