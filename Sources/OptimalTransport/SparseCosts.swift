import Kernels
import LinearAlgebra
import Objectives
import RealModule

/// Costs of some pairs; no mass goes between the others.
struct SparseCosts<Scalar: KernelScalar>: Sendable {
    let costs: SparseMatrix<Scalar>

    /// Cᵢⱼ; infinity where there is no pair.
    func cost(_ i: Int, _ j: Int) -> Scalar {
        let row = costs.columnIndices[costs.rowOffsets[i]..<costs.rowOffsets[i + 1]]
        return row.firstIndex(of: Int32(j)).map { costs.values[$0] } ?? .infinity
    }

    /// 2^(fᵢ + hₖ − scale cᵢₖ) of the entries of some rows.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func kernel(_ rows: Range<Int>, _ f: [Scalar], _ h: [Scalar], scale: Scalar) -> [Scalar] {
        let entries = costs.rowOffsets[rows.lowerBound]..<costs.rowOffsets[rows.upperBound]
        var shifts = [Scalar](repeating: 0, count: entries.count)
        for i in rows {
            for k in costs.rowOffsets[i]..<costs.rowOffsets[i + 1] { shifts[k - entries.lowerBound] = f[i] + h[Int(costs.columnIndices[k])] }
        }
        // One row of all entries: sums of whole shifts are exact.
        let zero: [Scalar] = [0], one: [Scalar] = [1], ones = [Scalar](repeating: 1, count: entries.count)
        var result = ones
        var span = result.mutableSpan
        Scalar.gibbsPlan(
            rows: 1, columns: entries.count, cost: costs.values.span.extracting(entries), scale: scale, rowShifts: zero.span,
            columnShifts: shifts.span, rowScales: one.span, columnScales: ones.span, into: &span)
        return result
    }

    /// As `KernelScalar`'s `gibbsPass`, over the stored entries.
    ///
    /// - Complexity: O(n + m + entries), on one thread.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func gibbsPass(
        scale: Scalar, rowShifts: inout [Scalar], columnShifts: [Scalar], columnScales: [Scalar], rule: ScalingRule<Scalar>,
        weights: [Scalar], offsets: [Scalar], rowSums: inout [Scalar], rowScales: inout [Scalar], columnTotals: inout [Double]
    ) {
        var kernel = kernel(0..<costs.rows, rowShifts, columnShifts, scale: scale)
        let isDivision = switch rule {
        case .divide, .power: true
        case .fixed, .multiply: false
        }
        func sum(_ i: Int) -> Double {
            var sum = 0.0
            for k in costs.rowOffsets[i]..<costs.rowOffsets[i + 1] { sum += Double(kernel[k]) * Double(columnScales[Int(costs.columnIndices[k])]) }
            return sum
        }
        for i in 0..<costs.rows {
            var s = sum(i)
            if isDivision, !GibbsScaling<Scalar>.isWithinReach(s) {
                var most = -Scalar.infinity
                for k in costs.rowOffsets[i]..<costs.rowOffsets[i + 1] where columnScales[Int(costs.columnIndices[k])] > 0 {
                    most = max(most, columnShifts[Int(costs.columnIndices[k])] - scale * costs.values[k])
                }
                if most.isFinite {
                    rowShifts[i] = -most.rounded()
                    let row = self.kernel(i..<i + 1, rowShifts, columnShifts, scale: scale)
                    for k in row.indices { kernel[costs.rowOffsets[i] + k] = row[k] }
                    s = sum(i)
                    // The scale belonged to the old shift.
                    rowScales[i] = Scalar(Double(weights[i]) / s)
                }
            }
            rowSums[i] = Scalar(s)
            switch rule {
            case .fixed: break
            case .divide: rowScales[i] = weights[i] == 0 ? 0 : Scalar(Double(weights[i]) / s)
            case .multiply: rowScales[i] = Scalar(Double(weights[i]) * s)
            case .power(let power):
                let ratio = Double(weights[i]) / (s * Double(rowScales[i])), offset = offsets.isEmpty ? 0 : Double(offsets[i])
                rowScales[i] = weights[i] == 0 ? 0 : Scalar(Double(rowScales[i]) * Double.exp(Double(power) * Double.log(ratio) + offset))
            }
        }
        guard !columnTotals.isEmpty else { return }
        for i in 0..<costs.rows where rowScales[i] != 0 {
            let u = Double(rowScales[i])
            for k in costs.rowOffsets[i]..<costs.rowOffsets[i + 1] { columnTotals[Int(costs.columnIndices[k])] += u * Double(kernel[k]) }
        }
    }

    /// The plan of a scaling, with an entry for each pair.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func plan(_ scaling: GibbsScaling<Scalar>) -> SparseMatrix<Scalar> {
        var values = kernel(0..<costs.rows, scaling.rowShifts, scaling.columnShifts, scale: scaling.scale)
        for i in 0..<costs.rows {
            for k in costs.rowOffsets[i]..<costs.rowOffsets[i + 1] {
                values[k] = scaling.rowScales[i] * values[k] * scaling.columnScales[Int(costs.columnIndices[k])]
            }
        }
        var plan = costs
        plan.values = values
        return plan
    }

    /// maxᵢ (fᵢ − scale cᵢₖ) over rows with uᵢ > 0.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func columnExponents(_ scaling: GibbsScaling<Scalar>) -> [Scalar] {
        var result = [Scalar](repeating: -.infinity, count: costs.columns)
        for i in 0..<costs.rows where scaling.rowScales[i] > 0 {
            for k in costs.rowOffsets[i]..<costs.rowOffsets[i + 1] {
                let j = Int(costs.columnIndices[k])
                result[j] = max(result[j], scaling.rowShifts[i] - scaling.scale * costs.values[k])
            }
        }
        return result
    }

    /// The first point with mass that has no pair with one that has some.
    func loneliest(_ a: [Scalar], _ b: [Scalar]) -> (side: TransportError.Side, index: Int)? {
        var isReached = [Bool](repeating: false, count: b.count)
        for i in a.indices where a[i] > 0 {
            var hasPartner = false
            for k in costs.rowOffsets[i]..<costs.rowOffsets[i + 1] where b[Int(costs.columnIndices[k])] > 0 {
                hasPartner = true
                isReached[Int(costs.columnIndices[k])] = true
            }
            if !hasPartner { return (.source, i) }
        }
        return b.indices.first { b[$0] > 0 && !isReached[$0] }.map { (.target, $0) }
    }

    /// Proves that no plan on these pairs has the marginals a and b, if the sources of largest potential do so: those that hold more than
    /// all their partners may receive (Hall's condition). Where there is no plan, Sinkhorn's potentials grow without end on such sources.
    ///
    /// - Returns: a sentence.
    /// - Complexity: O(n log n + entries).
    func infeasibility(_ a: [Scalar], _ b: [Scalar], potentials f: [Double]) -> String? {
        var isPartner = [Bool](repeating: false, count: b.count), held = 0.0, received = 0.0, count = 0
        let tolerance = (Scalar.ulpOfOne > 1e-10 ? 1e-4 : 1e-9) * a.reduce(0) { $0 + Double($1) }
        for i in a.indices.filter({ a[$0] > 0 }).sorted(by: { f[$0] > f[$1] }) {
            count += 1
            held += Double(a[i])
            for k in costs.rowOffsets[i]..<costs.rowOffsets[i + 1] where !isPartner[Int(costs.columnIndices[k])] {
                isPartner[Int(costs.columnIndices[k])] = true
                received += Double(b[Int(costs.columnIndices[k])])
            }
            if held > received + tolerance {
                return "no plan on these pairs has the marginals: \(count) sources hold \(held), and all their partners together \(received)"
            }
        }
        return nil
    }
}

extension Geometry {
    /// Costs of some pairs: the stored entries, zeros included. No mass goes between pairs that are not stored, which count as infinitely dear.
    ///
    /// ``Sinkhorn`` passes over the entries alone, O(n + m + entries) each, and its plan is a `SparseMatrix` of the same pattern;
    /// ``NetworkSimplex`` and ``ExactTransport`` take the same pairs as arcs. A point with mass that has no partner makes a
    /// ``TransportProblem`` throw; where the pairs as a whole cannot carry the marginals, solvers end as `infeasible`. ``meanCost()`` and
    /// ``maxCost()`` are those of the entries. ``SmoothTransport`` and ``LinearAssignment`` do not take such costs.
    ///
    /// - Throws: ``TransportError/empty(rows:columns:)``, ``TransportError/nonFiniteCost(row:column:)``.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public init(sparseCost costs: SparseMatrix<Scalar>) throws(TransportError) {
        guard costs.rows > 0, costs.columns > 0 else { throw .empty(rows: costs.rows, columns: costs.columns) }
        let values = costs.values
        if let at = firstNonFinite(values.span) {
            throw .nonFiniteCost(row: costs.rowOffsets.lastIndex { $0 <= at }!, column: Int(costs.columnIndices[at]))
        }
        self.init(storage: .sparse(SparseCosts(costs: costs)))
    }
}
