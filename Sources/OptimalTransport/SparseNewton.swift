import Kernels
import LinearAlgebra
import RealModule

/// Newton's step for the semi-dual Ψ(v) = Σ a ln u(v) + Σ b ln v, u(v) = a/(Kv), on a plan of which only entries that matter are kept.
///
///     (diag(c) − Pᵀ diag(1/r) P) y = b − c,   v ← v eʸ
///
/// with c = Pᵀ1. With relaxed marginals the diagonal has ε b e^(−g/ρ₂)/ρ₂ more, which makes the matrix definite, and Pᵀ diag(1/r) P the factor
/// ρ₁/(ρ₁ + ε); b is then what the potentials ask for. r and the diagonal are the sums of the kept entries, so that the matrix is that of a transport problem (semidefinite,
/// with the constants as its kernel). Entries are kept as they were made; the change of u and v since goes into factors.
///
/// Source: Tang et al. 2024 (Sinkhorn-Newton-Sparse); here in v alone, as a pass makes the rows exact anyway.
struct SparseNewton<Scalar: KernelScalar>: Sendable, Codable {
    private let plan: SparseMatrix<Scalar>
    private let transposed: SparseMatrix<Scalar>
    private let rowShifts: [Scalar], rowScales: [Scalar], columnShifts: [Scalar], columnScales: [Scalar]
    /// Steps since the entries were made.
    private(set) var age = 0

    /// - Parameter dropped: the part of the mass that the entries left out hold at most.
    init(_ problem: TransportProblem<Scalar>, _ scaling: GibbsScaling<Scalar>, dropped: Double) {
        let pairs = Double(problem.geometry.rows) * Double(problem.geometry.columns)
        plan = GibbsPlan(geometry: problem.geometry, scaling: scaling).sparse(above: Scalar(dropped * problem.mass / pairs))
        transposed = plan.transposed()
        (rowShifts, rowScales) = (scaling.rowShifts, scaling.rowScales)
        (columnShifts, columnScales) = (scaling.columnShifts, scaling.columnScales)
    }

    /// The part of all pairs that is kept.
    var density: Double { Double(plan.entryCount) / (Double(plan.rows) * Double(plan.columns)) }

    /// y for the residual b − c; `nil` where the entries are no longer those that matter.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func direction(
        _ scaling: GibbsScaling<Scalar>, residual: [Double], extra: [Scalar], damping: Scalar, isSingular: Bool, tolerance: Double
    ) -> [Double]? {
        guard let row = Self.change(scaling.rowShifts, scaling.rowScales, since: rowShifts, rowScales),
              let column = Self.change(scaling.columnShifts, scaling.columnScales, since: columnShifts, columnScales) else { return nil }
        age += 1
        let n = plan.rows, m = plan.columns
        var forward = [Scalar](repeating: 0, count: n), back = [Scalar](repeating: 0, count: m)
        // r and c of the kept entries.
        let keptRows = Self.product(plan, row, column, &forward), keptColumns = Self.product(transposed, column, row, &back)
        let inverse = keptRows.map { $0 > 0 ? damping / $0 : 0 }, diagonal = zip(keptColumns, extra).map { $0 + $1 }
        return semiDualDirection(diagonal: diagonal, residual: residual, isSingular: isSingular, tolerance: tolerance) { y, result in
            var scaled = column
            for j in scaled.indices { scaled[j] *= y[j] }
            var image = Self.product(plan, row, scaled, &forward)
            for i in image.indices { image[i] *= inverse[i] * row[i] }
            result = Self.product(transposed, column, image, &back)
        }
    }

    /// diag(left) A diag(right) 1.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func product(_ a: SparseMatrix<Scalar>, _ left: [Scalar], _ right: [Scalar], _ work: inout [Scalar]) -> [Scalar] {
        var span = work.mutableSpan
        a.multiply(right.span, into: &span)
        var result = work
        for i in result.indices { result[i] *= left[i] }
        return result
    }

    /// New scales by old ones; `nil` where one changed by more than e³.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func change(_ shifts: [Scalar], _ scales: [Scalar], since oldShifts: [Scalar], _ oldScales: [Scalar]) -> [Scalar]? {
        var factors = [Scalar](repeating: 0, count: shifts.count)
        for i in shifts.indices where oldScales[i] > 0 {
            let factor = Scalar(Double.exp2(Double(shifts[i] - oldShifts[i]))) * (scales[i] / oldScales[i])
            guard factor > 0.05, factor < 20 else { return nil }
            factors[i] = factor
        }
        return factors
    }
}

/// y with (diagonal − Pᵀ diag(1/r) P) y = residual, by conjugate gradients with the diagonal as preconditioner, until the residual has fallen by
/// `tolerance`; `nil` where that gives no direction.
///
/// - Parameters:
///   - isSingular: whether the constants are the kernel of the matrix, as of a balanced problem.
///   - product: writes Pᵀ diag(1/r) P y.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func semiDualDirection<Scalar: KernelScalar>(
    diagonal: [Scalar], residual: [Double], isSingular: Bool = true, tolerance: Double, product apply: (_ y: [Scalar], _ result: inout [Scalar]) -> Void
) -> [Double]? {
    func dot(_ x: [Scalar], _ y: [Scalar]) -> Double { Double(Scalar.dot(x.span, y.span)) }
    func norm(_ x: [Scalar]) -> Double { Double(Scalar.nrm2(x.span)) }
    let inverse = diagonal.map { $0 > 0 ? 1 / $0 : 0 }
    // What the constants, the kernel of the matrix, hold of the residual is out of reach.
    var r = residual.map { Scalar($0) }
    if isSingular { center(&r, diagonal) }
    let target = tolerance * norm(r)
    var y = [Scalar](repeating: 0, count: r.count), q = y, z = r.indices.map { inverse[$0] * r[$0] }
    var p = z, product = dot(r, z), steps = 0
    while product > 0, product.isFinite, norm(r) > target, steps < 300 {
        apply(p, &q)
        for j in q.indices { q[j] = diagonal[j] * p[j] - q[j] }
        let curvature = dot(p, q)
        guard curvature > 0, curvature.isFinite else {
            // To rounding, p joins parts of the plan that nothing else does: a step of size 1 along it.
            let largest = Scalar.maxAbs(p.span)
            if steps == 0, largest > 0 { for j in y.indices { y[j] = p[j] / largest } }
            break
        }
        let alpha = Scalar(product / curvature)
        for j in y.indices {
            y[j] += alpha * p[j]
            r[j] -= alpha * q[j]
            z[j] = inverse[j] * r[j]
        }
        let before = product
        product = dot(r, z)
        let beta = Scalar(product / before)
        for j in p.indices { p[j] = z[j] + beta * p[j] }
        steps += 1
    }
    if isSingular { center(&y, inverse.map { $0 > 0 ? 1 : 0 }) }
    guard y.allSatisfy({ $0.isFinite }), norm(y) > 0 else { return nil }
    return y.map { Double($0) }
}

/// Takes out of x the multiple of the weights that makes its sum 0.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func center<Scalar: KernelScalar>(_ x: inout [Scalar], _ weights: [Scalar]) {
    var sum = 0.0, total = 0.0
    for j in x.indices {
        sum += Double(x[j])
        total += Double(weights[j])
    }
    guard total > 0 else { return }
    for j in x.indices { x[j] -= Scalar(sum / total * Double(weights[j])) }
}
