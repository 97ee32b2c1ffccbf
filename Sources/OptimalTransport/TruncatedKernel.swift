import Kernels
import LinearAlgebra
import RealModule
import Synchronization

/// The Gibbs kernel of squared distances between tiles of points, of which only pairs of tiles are kept that can matter for given potentials.
struct TruncatedKernel<Scalar: KernelScalar>: Sendable {
    let source: PointTiles<Scalar>, target: PointTiles<Scalar>
    let epsilon: Scalar
    /// Kept target tiles of source tile I: `targets[offsets[I]..<offsets[I + 1]]`.
    private var offsets = [0]
    private var targets: [Int32] = []
    /// Kept pairs of points by all.
    private(set) var keptShare = 0.0
    /// The largest potentials of tiles, in units of ε, for which the choice was made.
    private let sourceMaxima: [Double], targetMaxima: [Double]

    private var scale: Scalar { Scalar(1.4426950408889634 / Double(epsilon)) }

    /// Keeps pairs of tiles of which an entry of P/(a b) can exceed e^(−cut), and for each tile the one that is nearest to that.
    ///
    /// - Parameter f, g: potentials.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(_ source: PointTiles<Scalar>, _ target: PointTiles<Scalar>, epsilon: Scalar, _ f: [Double], _ g: [Double], cut: Double) {
        (self.source, self.target, self.epsilon) = (source, target, epsilon)
        let rows = Self.maxima(source, f, epsilon), columns = Self.maxima(target, g, epsilon)
        (sourceMaxima, targetMaxima) = (rows, columns)
        var nearest = [(exponent: Double, tile: Int)](repeating: (-.infinity, -1), count: target.count)
        var kept: [[Int32]] = []
        for i in 0..<source.count {
            var list: [Int32] = [], best = (exponent: -Double.infinity, tile: -1)
            if rows[i] > -.infinity {
                for j in 0..<target.count where columns[j] > -.infinity {
                    let exponent = rows[i] + columns[j] - source.leastDistance(i, target, j) / Double(epsilon)
                    if exponent > -cut { list.append(Int32(j)) }
                    if exponent > best.exponent { best = (exponent, j) }
                    if exponent > nearest[j].exponent { nearest[j] = (exponent, i) }
                }
                if list.isEmpty, best.tile >= 0 { list = [Int32(best.tile)] }
            }
            kept.append(list)
        }
        for j in 0..<target.count where nearest[j].tile >= 0 {
            let place = kept[nearest[j].tile].firstIndex { $0 >= j } ?? kept[nearest[j].tile].count
            if place == kept[nearest[j].tile].count || kept[nearest[j].tile][place] != j { kept[nearest[j].tile].insert(Int32(j), at: place) }
        }
        var pairs = 0.0
        for i in 0..<source.count {
            for j in kept[i] { pairs += Double(source.range(i).count) * Double(target.range(Int(j)).count) }
            targets += kept[i]
            offsets.append(targets.count)
        }
        keptShare = pairs / (Double(source.points.rows) * Double(target.points.rows))
    }

    /// The largest potential of each tile's points with mass, by ε.
    private static func maxima(_ tiles: PointTiles<Scalar>, _ potentials: [Double], _ epsilon: Scalar) -> [Double] {
        (0..<tiles.count).map { tile in
            var largest = -Double.infinity
            for i in tiles.range(tile) where tiles.weights[i] > 0 { largest = max(largest, potentials[i]) }
            return largest / Double(epsilon)
        }
    }

    /// By how much, in units of ε, the largest potential of a tile has risen since the pairs were chosen, sources and targets together.
    func rise(_ f: [Double], _ g: [Double]) -> Double {
        let rows = zip(Self.maxima(source, f, epsilon), sourceMaxima).reduce(0) { $1.1 > -.infinity ? max($0, $1.0 - $1.1) : $0 }
        let columns = zip(Self.maxima(target, g, epsilon), targetMaxima).reduce(0) { $1.1 > -.infinity ? max($0, $1.0 - $1.1) : $0 }
        return rows + columns
    }

    /// A bound for the mass of a b exp((f + g − C)/ε) in the pairs that are left out.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func omittedMass(_ f: [Double], _ g: [Double]) -> Double {
        let rows = Self.maxima(source, f, epsilon), columns = Self.maxima(target, g, epsilon)
        var sum = 0.0
        for i in 0..<source.count where rows[i] > -.infinity {
            var next = offsets[i]
            for j in 0..<target.count {
                if next < offsets[i + 1], targets[next] == j {
                    next += 1
                } else if columns[j] > -.infinity {
                    let exponent = rows[i] + columns[j] - source.leastDistance(i, target, j) / Double(epsilon)
                    sum += source.masses[i] * target.masses[j] * Double.exp(max(exponent, -100))
                }
            }
        }
        return sum
    }

    /// As ``Geometry/gibbsPass(scale:rowShifts:columnShifts:columnScales:rule:weights:offsets:rowSums:rowScales:columnTotals:)`` over the kept pairs. Tiles of
    /// rows are shared among threads; the bits depend on their number.
    func pass(
        rowShifts: inout [Scalar], columnShifts: [Scalar], columnScales: [Scalar], rule: ScalingRule<Scalar>, weights: [Scalar],
        rowSums: inout [Scalar], rowScales: inout [Scalar], columnTotals: inout [Double]
    ) {
        let parts = max(1, min(Threads.count, source.count)), results = Mutex([Part?](repeating: nil, count: parts)), wantsColumns = !columnTotals.isEmpty
        let (f, u) = (rowShifts, rowScales)
        concurrentPerform(iterations: parts) { part in
            // Equal numbers of kept tiles for each.
            let tiles = bound(part, parts)..<bound(part + 1, parts)
            let result = run(tiles, f, u, columnShifts, columnScales, rule, weights, wantsColumns)
            results.withLock { $0[part] = result }
        }
        for j in columnTotals.indices { columnTotals[j] = 0 }
        for part in results.withLock({ $0 }) {
            guard let part else { continue }
            rowShifts.replaceSubrange(part.rows, with: part.rowShifts)
            rowSums.replaceSubrange(part.rows, with: part.rowSums)
            rowScales.replaceSubrange(part.rows, with: part.rowScales)
            for j in columnTotals.indices { columnTotals[j] += part.totals[j] }
        }
    }

    private struct Part: Sendable {
        let rows: Range<Int>
        let rowShifts: [Scalar], rowSums: [Scalar], rowScales: [Scalar], totals: [Double]
    }

    /// The first tile of a part.
    private func bound(_ part: Int, _ parts: Int) -> Int {
        part == parts ? source.count : offsets.firstIndex { $0 >= targets.count * part / parts }!
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func run(
        _ tiles: Range<Int>, _ rowShifts: [Scalar], _ rowScales: [Scalar], _ columnShifts: [Scalar], _ columnScales: [Scalar],
        _ rule: ScalingRule<Scalar>, _ weights: [Scalar], _ wantsColumns: Bool
    ) -> Part {
        let rows = source.starts[tiles.lowerBound]..<source.starts[tiles.upperBound], d = source.dimension, m = target.points.rows
        var f = Array(rowShifts[rows]), sums = [Scalar](repeating: 0, count: rows.count), u = Array(rowScales[rows])
        var all = [Double](repeating: 0, count: wantsColumns ? m : 0)
        var coordinates = [Scalar](repeating: 0, count: d * m), shifts = [Scalar](repeating: 0, count: m), scales = shifts
        var totals = [Double](repeating: 0, count: wantsColumns ? m : 0)
        let none: [Scalar] = []
        for tile in tiles {
            let count = gather(tile, columnShifts, columnScales, &coordinates, &shifts, &scales)
            let range = source.range(tile), local = range.lowerBound - rows.lowerBound..<range.upperBound - rows.lowerBound
            for k in 0..<(wantsColumns ? count : 0) { totals[k] = 0 }
            Self.pass(
                source.coordinates.span.extracting(d * range.lowerBound..<d * range.upperBound), coordinates.span.extracting(0..<d * count), d, scale,
                shifts.span.extracting(0..<count), scales.span.extracting(0..<count), rule, weights.span.extracting(range), none.span, local, &f, &sums,
                &u, &totals, wantsColumns ? count : 0)
            guard wantsColumns else { continue }
            var k = 0
            for j in targets[offsets[tile]..<offsets[tile + 1]] {
                for column in target.range(Int(j)) {
                    all[column] += totals[k]
                    k += 1
                }
            }
        }
        return Part(rows: rows, rowShifts: f, rowSums: sums, rowScales: u, totals: all)
    }

    private static func pass(
        _ x: Span<Scalar>, _ y: Span<Scalar>, _ dimension: Int, _ scale: Scalar, _ columnShifts: Span<Scalar>, _ columnScales: Span<Scalar>,
        _ rule: ScalingRule<Scalar>, _ weights: Span<Scalar>, _ offsets: Span<Scalar>, _ rows: Range<Int>, _ rowShifts: inout [Scalar],
        _ rowSums: inout [Scalar], _ rowScales: inout [Scalar], _ totals: inout [Double], _ wanted: Int
    ) {
        var f = rowShifts.mutableSpan, s = rowSums.mutableSpan, u = rowScales.mutableSpan, t = totals.mutableSpan
        var shifts = f._mutatingExtracting(rows), sums = s._mutatingExtracting(rows), scales = u._mutatingExtracting(rows)
        var columns = t._mutatingExtracting(0..<wanted)
        Scalar.gibbsPass(
            rows: rows.count, columns: columnShifts.count, cost: .squared, dimension: dimension, x: x, y: y, scale: scale, rowShifts: &shifts,
            columnShifts: columnShifts, columnScales: columnScales, rule: rule, weights: weights, offsets: offsets, rowSums: &sums,
            rowScales: &scales, columnTotals: &columns)
    }

    /// Puts the kept columns of a source tile side by side.
    ///
    /// - Returns: how many there are.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func gather(
        _ tile: Int, _ columnShifts: [Scalar], _ columnScales: [Scalar], _ coordinates: inout [Scalar], _ shifts: inout [Scalar], _ scales: inout [Scalar]
    ) -> Int {
        let kept = targets[offsets[tile]..<offsets[tile + 1]], d = target.dimension
        let count = kept.reduce(0) { $0 + target.range(Int($1)).count }
        var lines = coordinates.mutableSpan, f = shifts.mutableSpan, v = scales.mutableSpan
        let from = target.coordinates.span, h = columnShifts.span, w = columnScales.span
        var place = 0
        for j in kept {
            let range = target.range(Int(j)), width = range.count
            for k in 0..<d {
                let first = d * range.lowerBound + k * width
                var line = lines._mutatingExtracting(k * count + place..<k * count + place + width)
                copy(from.extracting(first..<first + width), &line)
            }
            var part = f._mutatingExtracting(place..<place + width)
            copy(h.extracting(range), &part)
            var other = v._mutatingExtracting(place..<place + width)
            copy(w.extracting(range), &other)
            place += width
        }
        return count
    }

    /// The entries of P above a threshold, in the tree's order.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func forEachEntry(_ scaling: GibbsScaling<Scalar>, above threshold: Scalar, _ body: (_ row: Int, _ column: Int, _ value: Scalar) -> Void) {
        let d = source.dimension
        for tile in 0..<source.count {
            for j in targets[offsets[tile]..<offsets[tile + 1]] {
                for row in source.range(tile) where scaling.rowScales[row] > 0 {
                    for column in target.range(Int(j)) where scaling.columnScales[column] > 0 {
                        var distance: Scalar = 0
                        for k in 0..<d { distance += (source.points[row, k] - target.points[column, k]) * (source.points[row, k] - target.points[column, k]) }
                        let exponent = Double(scaling.rowShifts[row] + scaling.columnShifts[column]) - Double(scale * distance)
                        let value = Scalar(Double.exp2(exponent)) * scaling.rowScales[row] * scaling.columnScales[column]
                        if value > threshold { body(row, column, value) }
                    }
                }
            }
        }
    }
}
