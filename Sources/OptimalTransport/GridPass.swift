import Kernels
import LinearAlgebra
import RealModule

/// Numbers x·2ᵉ that may be far beyond the range of a floating-point number, none negative where they are sums of a kernel.
struct ScaledSums {
    var values: [Double]
    var exponents: [Double]

    /// x·2ᵉ⁺ˢ.
    func value(_ i: Int, shiftedBy s: Double) -> Double {
        var exponent = exponents[i] + s
        if abs(exponent) <= 1000 { return values[i] * powerOfTwo(exponent) }
        // Two factors, each of which is a number.
        exponent = max(-2000, min(2000, exponent))
        let half = (exponent / 2).rounded(.down)
        return values[i] * powerOfTwo(half) * powerOfTwo(exponent - half)
    }
}

/// 2ᵏ for whole k; 0 below the normal numbers.
private func powerOfTwo(_ k: Double) -> Double { k < -1022 ? 0 : Double(bitPattern: UInt64(Int(k) + 1023) << 52) }

extension GridCosts {
    /// As `KernelScalar`'s `gibbsPass`, for the reduced costs.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func gibbsPass(
        scale: Scalar, rowShifts: inout [Scalar], columnShifts: [Scalar], columnScales: [Scalar], rule: ScalingRule<Scalar>,
        weights: [Scalar], offsets: [Scalar], rowSums: inout [Scalar], rowScales: inout [Scalar], columnTotals: inout [Double]
    ) {
        let sums = sums(columnShifts, columnScales, scale: scale, transposed: false)
        let isDivision = switch rule {
        case .divide, .power: true
        case .fixed, .multiply: false
        }
        for i in rowSums.indices {
            var s = sums.value(i, shiftedBy: Double(rowShifts[i]))
            if isDivision, !GibbsScaling<Scalar>.isWithinReach(s), sums.values[i] > 0 {
                rowShifts[i] = Scalar(-(sums.exponents[i] + Double(sums.values[i].exponent)))
                s = sums.values[i].significand
                // The scale belonged to the old shift.
                rowScales[i] = Scalar(Double(weights[i]) / s)
            }
            rowSums[i] = Scalar(s)
        }
        switch rule {
        case .fixed: break
        case .divide: for i in rowScales.indices { rowScales[i] = weights[i] / rowSums[i] }
        case .multiply: for i in rowScales.indices { rowScales[i] = weights[i] * rowSums[i] }
        case .power(let power):
            let ratios = rowScales.indices.map { weights[$0] > 0 ? weights[$0] / (rowSums[$0] * rowScales[$0]) : 0 }
            GibbsScaling.relax(&rowScales, by: ratios, power: power, offsets: offsets)
        }
        guard !columnTotals.isEmpty else { return }
        let totals = self.sums(rowShifts, rowScales, scale: scale, transposed: true)
        for j in columnTotals.indices { columnTotals[j] = totals.value(j, shiftedBy: Double(columnShifts[j])) }
    }

    /// Σₖ 2^(−scale cᵢₖ) vₖ 2^hₖ over the targets, or over the sources if transposed.
    func sums(_ h: [Scalar], _ v: [Scalar], scale: Scalar, transposed: Bool) -> ScaledSums {
        guard v.contains(where: { $0 < 0 }) else { return positiveSums(h, v, scale: scale, transposed: transposed) }
        // Of each sign by itself, so that all sums have small relative errors.
        var result = positiveSums(h, v.map { max($0, 0) }, scale: scale, transposed: transposed)
        let other = positiveSums(h, v.map { max(-$0, 0) }, scale: scale, transposed: transposed)
        for i in result.values.indices {
            let top = max(result.exponents[i], other.exponents[i])
            result.values[i] = result.value(i, shiftedBy: -top) - other.value(i, shiftedBy: -top)
            result.exponents[i] = top
        }
        return result
    }

    private func positiveSums(_ h: [Scalar], _ v: [Scalar], scale: Scalar, transposed: Bool) -> ScaledSums {
        if let (x, top) = factors(h, v), let y = products(of: x, scale: scale, transposed: transposed) {
            return ScaledSums(values: y, exponents: [Double](repeating: top, count: y.count))
        }
        return logarithmicSums(h, v, scale: scale, transposed: transposed)
    }

    /// v 2^(h − top) with a largest element near 1; `nil` if all v are 0.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func factors(_ h: [Scalar], _ v: [Scalar]) -> (x: [Double], top: Double)? {
        var top = -Double.infinity
        for k in h.indices where v[k] > 0 { top = max(top, Double(h[k]) + Double(v[k].exponent)) }
        guard top.isFinite else { return nil }
        // Twice the exponent's size at most, as v is below 2^(top − h + 1).
        return (h.indices.map { v[$0] > 0 ? Double(v[$0]) * powerOfTwo(min(1000, Double(h[$0]) - top)) : 0 }, top)
    }

    /// The kernel's products by matrices or transforms; `nil` where a result is so small that what was dropped could matter.
    private func products(of x: [Double], scale: Scalar, transposed: Bool) -> [Double]? {
        let rate = Double(scale) * 0.6931471805599453
        if let convolution {
            let steps = SeparableKernel(costs: wide.map { Matrix(rows: 1, columns: $0.columns, elements: Array($0.elements[..<$0.columns])) }, rate: rate)
            let tolerance = Scalar.ulpOfOne > 1e-10 ? 1e-8 : 1e-12
            if let y = convolution.applied(steps, to: x, transposed: transposed, tolerance: tolerance) { return y }
        }
        let y = SeparableKernel(costs: wide, rate: rate).applied(to: x, transposed: transposed)
        return y.allSatisfy { $0 > 0x1p-900 } ? y : nil
    }

    /// The same in the log domain: along each axis in turn a pass over the lines of the grid, whose sums have whole shifts as v has.
    ///
    /// - Parameter weightedAxis: an axis whose kernel is multiplied by its costs.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func logarithmicSums(_ h: [Scalar], _ v: [Scalar], scale: Scalar, transposed: Bool, weightedAxis: Int? = nil) -> ScaledSums {
        let bottom = GibbsScaling<Scalar>.bottom
        var h = h.indices.map { v[$0] > 0 ? h[$0] : bottom }, v = v
        var outer = 1, inner = h.count
        for (axis, cost) in reduced.enumerated() {
            let cost = transposed ? cost.transposed() : cost, n = cost.rows, m = cost.columns
            inner /= m
            let lines = outer * inner, perBlock = 32, (shifts, scales, step, isWeighted) = (h, v, inner, axis == weightedAxis)
            // Of each line its shifts, then its sums.
            var results = [Scalar](repeating: 0, count: lines * 2 * n)
            var span = results.mutableSpan
            concurrentBlocks(of: &span, blockLength: perBlock * 2 * n) { block, part in
                Self.sumLines(
                    block * perBlock..<min(lines, (block + 1) * perBlock), cost, scale, shifts, scales, step: step, isWeighted: isWeighted,
                    into: &part)
            }
            h = [Scalar](repeating: 0, count: lines * n)
            v = h
            for line in 0..<lines {
                let first = line / inner * n * inner + line % inner
                for i in 0..<n {
                    h[first + i * inner] = results[line * 2 * n + i]
                    v[first + i * inner] = results[(line * 2 + 1) * n + i]
                }
            }
            outer *= n
        }
        return ScaledSums(values: v.map { Double($0) }, exponents: h.map { Double($0) })
    }

    /// The sums along some lines, with their shifts before them.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func sumLines(
        _ lines: Range<Int>, _ cost: Matrix<Scalar>, _ scale: Scalar, _ h: [Scalar], _ v: [Scalar], step: Int, isWeighted: Bool,
        into results: inout MutableSpan<Scalar>
    ) {
        let n = cost.rows, m = cost.columns, ones = [Scalar](repeating: 1, count: n)
        var shifts = [Scalar](repeating: 0, count: m), scales = shifts
        // Shifts change from line to line as evenly as potentials do: a good guess saves passing over rows again.
        var f = [Scalar](repeating: 0, count: n), last = f, s = f, unused = f, none: [Double] = []
        let noOffsets: [Scalar] = []
        var tile = [Scalar](repeating: 0, count: isWeighted ? n * m : 0)
        for line in lines {
            let first = line / step * m * step + line % step
            for k in 0..<m { (shifts[k], scales[k]) = (h[first + k * step], v[first + k * step]) }
            var fSpan = f.mutableSpan, sSpan = s.mutableSpan, uSpan = unused.mutableSpan, totals = none.mutableSpan
            Scalar.gibbsPass(
                rows: n, columns: m, cost: cost.span, scale: scale, rowShifts: &fSpan, columnShifts: shifts.span, columnScales: scales.span,
                rule: .divide, weights: ones.span, offsets: noOffsets.span, rowSums: &sSpan,
                rowScales: &uSpan, columnTotals: &totals)
            if isWeighted {
                var tileSpan = tile.mutableSpan
                Scalar.gibbsPlan(
                    rows: n, columns: m, cost: cost.span, scale: scale, rowShifts: fSpan.span, columnShifts: shifts.span, rowScales: ones.span,
                    columnScales: scales.span, into: &tileSpan)
                for i in 0..<n { sSpan[i] = Scalar.dot(tileSpan.span.extracting(i * m..<(i + 1) * m), cost.row(i)) }
            }
            let start = (line - lines.lowerBound) * 2 * n
            for i in 0..<n {
                results[start + i] = sSpan[i] > 0 ? -fSpan[i] : GibbsScaling<Scalar>.bottom
                results[start + n + i] = sSpan[i]
                guard sSpan[i] > 0 else { continue }
                let shift = fSpan[i] - Scalar(sSpan[i].exponent)
                fSpan[i] = line > lines.lowerBound ? 2 * shift - last[i] : shift
                last[i] = shift
            }
        }
    }

    /// ⟨P, reduced costs⟩: an axis at a time, with the costs in its factor of the kernel.
    func reducedCost(_ scaling: GibbsScaling<Scalar>) -> Double {
        let (h, v, scale) = (scaling.columnShifts, scaling.columnScales, scaling.scale)
        let factors = factors(h, v).flatMap { products(of: $0.x, scale: scale, transposed: false) == nil ? nil : $0 }
        var cost = 0.0
        for axis in axes.indices {
            let sums: ScaledSums
            if let factors {
                let kernel = SeparableKernel(costs: wide, rate: Double(scale) * 0.6931471805599453, weightedAxis: axis)
                let y = kernel.applied(to: factors.x)
                sums = ScaledSums(values: y, exponents: [Double](repeating: factors.top, count: y.count))
            } else {
                sums = logarithmicSums(h, v, scale: scale, transposed: false, weightedAxis: axis)
            }
            for i in sums.values.indices { cost += Double(scaling.rowScales[i]) * sums.value(i, shiftedBy: Double(scaling.rowShifts[i])) }
        }
        return cost
    }

    /// The whole exponents of Σᵢ uᵢ 2^(fᵢ − scale cᵢₖ).
    func columnExponents(_ scaling: GibbsScaling<Scalar>) -> [Scalar] {
        let sums = sums(scaling.rowShifts, scaling.rowScales, scale: scaling.scale, transposed: true)
        return sums.values.indices.map { Scalar(sums.exponents[$0] + (sums.values[$0] > 0 ? Double(sums.values[$0].exponent) : 0)) }
    }
}
