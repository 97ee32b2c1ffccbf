import Kernels
import LinearAlgebra
import Objectives
import RealModule

extension Geometry {
    /// Potentials of the reduced costs from those of the costs.
    func reduced(_ f: [Double], _ g: [Double]) -> ([Double], [Double]) { moved(f, g, sign: -1) }

    /// Potentials of the costs from those of the reduced costs.
    func restored(_ f: [Double], _ g: [Double]) -> ([Double], [Double]) { moved(f, g, sign: 1) }

    private func moved(_ f: [Double], _ g: [Double], sign: Double) -> ([Double], [Double]) {
        let terms = terms, constant = Double(terms.constant)
        let rows = terms.rows.map { rows in f.indices.map { f[$0] + sign * Double(rows[$0]) } } ?? f
        let columns = terms.columns.map { columns in g.indices.map { g[$0] + sign * Double(columns[$0]) } } ?? g
        return (constant == 0 ? rows : rows.map { $0 + sign * constant }, columns)
    }
}

extension TransportProblem {
    /// The mass that errors are measured by.
    var mass: Double { sourceWeights.reduce(0.0) { $0 + Double($1) } }

    /// The row sums that the potentials ask for: a, or a e^(−f/ρ) where the marginal is relaxed.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func askedRows(_ scaling: GibbsScaling<Scalar>) -> [Double] {
        if sourcePenalty == .exact { return sourceWeights.map { Double($0) } }
        let (f, _) = geometry.restored(scaling.rowPotentials(sourceWeights), [])
        return f.indices.map { Double(sourceWeights[$0]) * sourcePenalty.share(f[$0]) }
    }

    /// The column sums that the potentials ask for.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func askedColumns(_ scaling: GibbsScaling<Scalar>) -> [Double] {
        if targetPenalty == .exact { return targetWeights.map { Double($0) } }
        let (_, g) = geometry.restored([], scaling.columnPotentials(targetWeights))
        return g.indices.map { Double(targetWeights[$0]) * targetPenalty.share(g[$0]) }
    }

    /// ‖P1 − a‖₁, or the distance from what the potentials ask for.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func rowError(_ scaling: GibbsScaling<Scalar>, _ sums: [Scalar]) -> Double {
        let asked = askedRows(scaling)
        var error = 0.0
        for i in sums.indices { error += abs(Double(scaling.rowScales[i]) * Double(sums[i]) - asked[i]) }
        return error
    }

    /// The same of the columns.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func columnError(_ scaling: GibbsScaling<Scalar>, _ totals: [Double]) -> Double {
        let asked = askedColumns(scaling)
        var error = 0.0
        for j in totals.indices { error += abs(Double(scaling.columnScales[j]) * totals[j] - asked[j]) }
        return error
    }

    /// The solution that a scaling stands for: marginals, values and potentials from one more pass.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func entropicSolution(
        _ scaling: GibbsScaling<Scalar>, _ termination: Termination, tolerance: Double, iterations: Int, errors: [Double], seconds: Double
    ) -> TransportSolution<Scalar> {
        let a = sourceWeights, b = targetWeights, epsilon = Double(scaling.epsilon)
        var shifts = scaling.rowShifts, sums = [Scalar](repeating: 0, count: a.count), scales = scaling.rowScales
        var totals = [Double](repeating: 0, count: b.count)
        // Points without mass take no part in sums, but have potentials: sums of their own, with shifts of their own.
        var ownShifts = shifts, ownSums = sums, columnShifts = scaling.columnShifts
        if a.contains(0) {
            var none: [Double] = []
            geometry.gibbsPass(
                scale: scaling.scale, rowShifts: &ownShifts, columnShifts: columnShifts, columnScales: scaling.columnScales, rule: .divide,
                weights: a, offsets: [], rowSums: &ownSums, rowScales: &scales, columnTotals: &none)
            scales = scaling.rowScales
            GibbsScaling<Scalar>.silence(&shifts, a)
        }
        if b.contains(0) {
            let exponents = geometry.columnExponents(scaling)
            for j in b.indices where b[j] == 0 && exponents[j].isFinite { columnShifts[j] = -exponents[j].rounded() }
        }
        geometry.gibbsPass(
            scale: scaling.scale, rowShifts: &shifts, columnShifts: columnShifts, columnScales: scaling.columnScales, rule: .fixed,
            weights: scaling.rowScales, offsets: [], rowSums: &sums, rowScales: &scales, columnTotals: &totals)
        var f = scaling.rowPotentials(a), g = scaling.columnPotentials(b)
        // Where no mass is, the potential is what an update makes of it; 0 for a point without a pair.
        for i in a.indices where a[i] == 0 {
            f[i] = ownSums[i] > 0 ? epsilon * (0.6931471805599453 * Double(ownShifts[i]) - Double.log(Double(ownSums[i]))) : 0
        }
        for j in b.indices where b[j] == 0 {
            g[j] = totals[j] > 0 ? epsilon * (0.6931471805599453 * Double(columnShifts[j]) - Double.log(totals[j])) : 0
        }
        (f, g) = geometry.restored(f, g)
        for i in a.indices where a[i] == 0 { f[i] *= sourcePenalty.damping(scaling.epsilon) }
        for j in b.indices where b[j] == 0 { g[j] *= targetPenalty.damping(scaling.epsilon) }
        var primal = 0.0, dual = 0.0, mass = 0.0, error = 0.0
        for i in a.indices {
            let marginal = Double(scaling.rowScales[i]) * Double(sums[i]), weight = Double(a[i])
            mass += marginal
            error += abs(marginal - weight * sourcePenalty.share(f[i]))
            primal += marginal * f[i]
            if weight > 0 { penalty(sourcePenalty, weight, marginal, f[i], &primal, &dual) }
        }
        for j in b.indices {
            let marginal = Double(scaling.columnScales[j]) * totals[j], weight = Double(b[j])
            error += abs(marginal - weight * targetPenalty.share(g[j]))
            primal += marginal * g[j]
            if weight > 0 { penalty(targetPenalty, weight, marginal, g[j], &primal, &dual) }
        }
        let product = self.mass * b.reduce(0.0) { $0 + Double($1) }
        primal -= epsilon * (mass - product)
        dual -= epsilon * (mass - product)
        let plan = GibbsPlan(geometry: geometry, scaling: scaling)
        // ⟨P, C⟩: of the reduced costs, and the terms by the marginals.
        var cost = plan.reducedCost() + Double(geometry.terms.constant) * mass
        if let rows = geometry.terms.rows { for i in a.indices { cost += Double(scaling.rowScales[i]) * Double(sums[i]) * Double(rows[i]) } }
        if let columns = geometry.terms.columns { for j in b.indices { cost += Double(scaling.columnScales[j]) * totals[j] * Double(columns[j]) } }
        var result: any TransportPlan<Scalar> = plan
        if case .sparse(let sparse) = geometry.storage { result = sparse.plan(scaling) }
        var status = termination.status, reason = termination.reason
        if status == .converged, !(primal.isFinite && dual.isFinite && error.isFinite) {
            (status, reason) = (.nonFinite, "the value is \(primal) and the dual value \(dual) after \(iterations) iterations")
        }
        return TransportSolution(
            problem: self, plan: result, sourcePotential: f.map { Scalar($0) }, targetPotential: g.map { Scalar($0) }, transportCost: Scalar(cost),
            primalValue: Scalar(primal), dualValue: Scalar(dual), marginalError: Scalar(error), status: status, reason: reason,
            iterations: iterations, marginalErrors: errors, seconds: seconds)
    }

    /// Adds what a marginal contributes to the two values beside ⟨P, f + g⟩ and the mass.
    private func penalty(
        _ penalty: MarginalPenalty<Scalar>, _ weight: Double, _ marginal: Double, _ potential: Double, _ primal: inout Double, _ dual: inout Double
    ) {
        switch penalty {
        case .exact: dual += weight * potential
        case .kullbackLeibler(let rho):
            let rho = Double(rho)
            primal += rho * ((marginal > 0 ? marginal * Double.log(marginal / weight) : 0) - marginal + weight)
            dual -= rho * weight * Double.expMinusOne(-potential / rho)
        }
    }
}

extension TransportProblem {
    /// Moves a constant from one potential to the other so that the dual value is largest, which removes the slowest mode of the
    /// unbalanced iteration: f + s and g − s with s = ρ₁ρ₂/(ρ₁ + ρ₂) ln(Σ a e^(−f/ρ₁) / Σ b e^(−g/ρ₂)). The plan stays.
    func recentre(_ state: inout Sinkhorn<Scalar>.State) {
        guard case .kullbackLeibler(let first) = sourcePenalty, case .kullbackLeibler(let second) = targetPenalty else { return }
        let (f, g) = geometry.restored(state.scaling.rowPotentials(sourceWeights), state.scaling.columnPotentials(targetWeights))
        var source = 0.0, target = 0.0
        for i in f.indices where sourceWeights[i] > 0 { source += Double(sourceWeights[i]) * sourcePenalty.share(f[i]) }
        for j in g.indices where targetWeights[j] > 0 { target += Double(targetWeights[j]) * targetPenalty.share(g[j]) }
        guard source > 0, target > 0, source.isFinite, target.isFinite else { return }
        let rho = (Double(first), Double(second))
        let factor = state.scaling.shift(by: rho.0 * rho.1 / (rho.0 + rho.1) * Double.log(source / target))
        for j in state.columnTotals.indices { state.columnTotals[j] *= factor }
    }
}
