import Kernels
import LinearAlgebra
import Objectives
import RealModule

/// A small constrained problem written as formulas, with derivatives by ``SecondOrderJet``.
///
/// ```swift
/// let problem = FormulaProblem<Double>(dimension: 2, constraintCount: 1) { x in
///     .pow(x[0] - 2, 2) + .pow(x[1] - 1, 2)
/// } constraints: { x in [x[0] * x[0] + x[1] * x[1] - 1] }
/// ```
///
/// Each evaluation costs O(n²) for each operation of the formula: meant for tens of variables.
public struct FormulaProblem<Scalar: KernelScalar & Real>: TwiceDifferentiableConstrainedObjective, Sendable {
    public typealias Jet = SecondOrderJet<Scalar>
    public let dimension: Int
    public let constraintCount: Int
    private let objective: @Sendable ([Jet]) -> Jet
    private let constraints: @Sendable ([Jet]) -> [Jet]

    /// - `constraints`: gives ``constraintCount`` values, which are to be 0.
    public init(
        dimension: Int, constraintCount: Int, objective: @escaping @Sendable ([Jet]) -> Jet, constraints: @escaping @Sendable ([Jet]) -> [Jet]
    ) {
        require(dimension >= 0 && constraintCount >= 0,
                "\(dimension) variables and \(constraintCount) constraints; expected no negative numbers")
        (self.dimension, self.constraintCount, self.objective, self.constraints) = (dimension, constraintCount, objective, constraints)
    }

    public func value(at x: Span<Scalar>) -> Scalar {
        requireDimension(x.count)
        return objective(constants(x)).value
    }

    public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
        requireDimension(x.count)
        requireDimension(gradient.count, "gradient")
        let f = objective(variables(x, hessians: false))
        for i in 0..<dimension { gradient[i] = f.gradient.isEmpty ? 0 : f.gradient[i] }
        return f.value
    }

    public func constraints(at x: Span<Scalar>, into values: inout MutableSpan<Scalar>) {
        requireDimension(x.count)
        let c = checked(constants(x))
        for i in c.indices { values[i] = c[i].value }
    }

    public func jacobian(at x: Span<Scalar>) -> Matrix<Scalar> {
        requireDimension(x.count)
        let c = checked(variables(x, hessians: false))
        return Matrix(rows: constraintCount, columns: dimension) { i, j in c[i].gradient.isEmpty ? 0 : c[i].gradient[j] }
    }

    public func lagrangianHessian(at x: Span<Scalar>, multipliers: Span<Scalar>) -> Matrix<Scalar> {
        requireDimension(x.count)
        let variables = variables(x, hessians: true), weights = (0..<constraintCount).map { multipliers[$0] }
        let lagrangian = zip(weights, checked(variables)).reduce(objective(variables)) { $0 + Jet($1.0) * $1.1 }
        return Matrix(rows: dimension, columns: dimension) { i, j in lagrangian.hessian(i, j) }
    }

    public func jacobianProduct(at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>) {
        multiply(jacobian(at: x), v, into: &product)
    }

    public func transposedJacobianProduct(at x: Span<Scalar>, multipliers u: Span<Scalar>, into product: inout MutableSpan<Scalar>) {
        multiply(jacobian(at: x), u, transpose: true, into: &product)
    }

    public func lagrangianHessianProduct(
        at x: Span<Scalar>, multipliers: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
    ) {
        multiply(lagrangianHessian(at: x, multipliers: multipliers), v, into: &product)
    }

    private func checked(_ x: [Jet]) -> [Jet] {
        let c = constraints(x)
        require(c.count == constraintCount, "the formula gives \(c.count) constraints; expected \(constraintCount)")
        return c
    }

    private func variables(_ x: Span<Scalar>, hessians: Bool) -> [Jet] { Jet.variables(x.indices.map { x[$0] }, hessians: hessians) }
    private func constants(_ x: Span<Scalar>) -> [Jet] { x.indices.map { Jet(x[$0]) } }
}
