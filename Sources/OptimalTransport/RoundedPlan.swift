import Kernels
import LinearAlgebra

/// A plan that has the marginals a and b to rounding, made of one that nearly has them:
///
///     P′ = diag(r) P diag(c) + (a − F1) (b − Fᵀ1)ᵀ / ‖a − F1‖₁,   F = diag(r) P diag(c),   r = min(a/P1, 1),   c = min(b/(diag(r)P)ᵀ1, 1)
///
/// P′ ≥ 0, and ‖P′ − P‖₁ ≤ 2 (‖P1 − a‖₁ + ‖Pᵀ1 − b‖₁), so that its cost is at most that much times the largest |C| above P's: an upper
/// bound of the exact cost, as any plan of the polytope has. The correction is kept as its two factors.
///
/// Source: Altschuler, Weed & Rigollet 2017, algorithm 2.
public struct RoundedPlan<Scalar: KernelScalar>: TransportPlan {
    /// F.
    let scaled: any TransportPlan<Scalar>
    /// What is missing in the rows, and in the columns as a part of all that is missing.
    let rowRest: [Scalar], columnRest: [Scalar]
    /// ⟨P′, C⟩.
    public let transportCost: Scalar

    public var rows: Int { rowRest.count }
    public var columns: Int { columnRest.count }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        scaled.apply(x, into: &y)
        Scalar.axpy(Scalar.dot(columnRest.span, x), rowRest.span, &y)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        scaled.applyAdjoint(y, into: &x)
        Scalar.axpy(Scalar.dot(rowRest.span, y), columnRest.span, &x)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func dense() -> Matrix<Scalar> {
        var result = (scaled as? GibbsPlan<Scalar>)?.dense() ?? (scaled as? SparseMatrix<Scalar>)?.dense() ?? scaled.dense()
        result.addOuterProduct(rowRest.span, columnRest.span)
        return result
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func multiplied(by y: Matrix<Scalar>) -> Matrix<Scalar> {
        var result = scaled.multiplied(by: y)
        let image = y.applyAdjoint(columnRest)
        result.addOuterProduct(rowRest.span, image.span)
        return result
    }

    public func sparse(above threshold: Scalar) -> SparseMatrix<Scalar> { SparseMatrix(dense()).sparse(above: threshold) }
}

extension TransportSolution {
    /// The plan, corrected so that it has the marginals to rounding; see ``RoundedPlan``.
    ///
    /// - Precondition: both marginals are exact, and the costs are those of all pairs; the plan is one of ``Sinkhorn`` or ``SmoothTransport``.
    /// - Complexity: four passes over the plan.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func rounded() -> RoundedPlan<Scalar> {
        requireExactMarginals(problem)
        let a = problem.sourceWeights, b = problem.targetWeights, geometry = problem.geometry
        if case .sparse = geometry.storage { require(false, "the correction joins all pairs; expected a cost for each") }
        let ones = [Scalar](repeating: 1, count: b.count)
        let sent = plan.apply(ones)
        let r = a.indices.map { sent[$0] > a[$0] ? a[$0] / sent[$0] : 1 }
        let received = plan.applyAdjoint(r)
        let c = b.indices.map { received[$0] > b[$0] ? b[$0] / received[$0] : 1 }
        let scaled = plan.scaled(rows: r, columns: c)
        let kept = scaled.apply(ones), reached = scaled.applyAdjoint([Scalar](repeating: 1, count: a.count))
        let rowRest = a.indices.map { max(0, a[$0] - kept[$0]) }, rest = b.indices.map { max(0, b[$0] - reached[$0]) }
        // The one that the columns hold: rows then get what they miss, whatever rounding made of the two sums.
        let total = rest.reduce(0.0) { $0 + Double($1) }
        let columnRest = rest.map { total > 0 ? Scalar(Double($0) / total) : 0 }
        let cost = scaled.cost(in: geometry) + geometry.cost(ofProduct: rowRest, columnRest)
        return RoundedPlan(scaled: scaled, rowRest: rowRest, columnRest: columnRest, transportCost: Scalar(cost))
    }
}

extension TransportPlan {
    /// diag(r) P diag(c).
    fileprivate func scaled(rows r: [Scalar], columns c: [Scalar]) -> any TransportPlan<Scalar> {
        if let plan = self as? GibbsPlan<Scalar> {
            var scaling = plan.scaling
            for i in r.indices { scaling.rowScales[i] *= r[i] }
            for j in c.indices { scaling.columnScales[j] *= c[j] }
            return GibbsPlan(geometry: plan.geometry, scaling: scaling)
        }
        guard var plan = self as? SparseMatrix<Scalar> else {
            require(false, "a plan of another kind; expected one of Sinkhorn or SmoothTransport")
            fatalError()
        }
        var values = plan.values
        for i in r.indices {
            for k in plan.rowOffsets[i]..<plan.rowOffsets[i + 1] { values[k] *= r[i] * c[Int(plan.columnIndices[k])] }
        }
        plan.values = values
        return plan
    }

    /// ⟨P, C⟩.
    fileprivate func cost(in geometry: Geometry<Scalar>) -> Double {
        if let plan = self as? GibbsPlan<Scalar> { return plan.cost() }
        guard let plan = self as? SparseMatrix<Scalar> else { return .nan }
        var sum = 0.0
        for i in 0..<plan.rows {
            for k in plan.rowOffsets[i]..<plan.rowOffsets[i + 1] { sum += Double(plan.values[k]) * Double(geometry[i, Int(plan.columnIndices[k])]) }
        }
        return sum
    }
}

extension GibbsPlan {
    /// ⟨P, C⟩: of the reduced costs, and the terms by the marginals.
    fileprivate func cost() -> Double {
        let terms = geometry.terms
        let sent = apply([Scalar](repeating: 1, count: columns)), received = applyAdjoint([Scalar](repeating: 1, count: rows))
        var cost = reducedCost() + Double(terms.constant) * sent.reduce(0.0) { $0 + Double($1) }
        if let rows = terms.rows { for i in rows.indices { cost += Double(sent[i]) * Double(rows[i]) } }
        if let columns = terms.columns { for j in columns.indices { cost += Double(received[j]) * Double(columns[j]) } }
        return cost
    }
}

extension Geometry {
    /// xᵀ C y.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    fileprivate func cost(ofProduct x: [Scalar], _ y: [Scalar]) -> Double {
        var sum = 0.0
        if case .grid(let grid) = storage {
            // An axis sees what x and y are along it.
            var inner = (rows, columns)
            for axis in grid.axes {
                let (n, m) = (axis.cost.rows, axis.cost.columns)
                inner = (inner.0 / n, inner.1 / m)
                var along = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: m))
                for i in x.indices { along.0[i / inner.0 % n] += Double(x[i]) }
                for j in y.indices { along.1[j / inner.1 % m] += Double(y[j]) }
                for i in 0..<n { for j in 0..<m { sum += along.0[i] * Double(axis.cost[i, j]) * along.1[j] } }
            }
            return sum
        }
        forEachTile { range, tile in
            for i in range where x[i] > 0 {
                let first = (i - range.lowerBound) * columns
                sum += Double(x[i]) * Double(Scalar.dot(tile.extracting(first..<first + columns), y.span))
            }
        }
        return sum
    }
}
