import Kernels
import LinearAlgebra

extension SparseMatrix: RelaxableOperator {
    public var workCount: Int { 0 }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func relax(
        _ x: inout MutableSpan<Scalar>, _ b: Span<Scalar>, relaxation: Scalar, order: RelaxationOrder, sequence: Span<Int32>, measuring: Bool,
        work: inout MutableSpan<Scalar>
    ) -> Scalar {
        requireSweep(x.count, b.count, relaxation, work.count)
        require(order != .redBlack || sequence.count == rows, "a sequence of \(sequence.count) unknowns for \(rows); expected that of the order")
        switch order {
        case .forward: for i in 0..<rows { relax(i, &x, b, relaxation) }
        case .backward: for i in stride(from: rows - 1, through: 0, by: -1) { relax(i, &x, b, relaxation) }
        case .symmetric:
            for i in 0..<rows { relax(i, &x, b, relaxation) }
            for i in stride(from: rows - 1, through: 0, by: -1) { relax(i, &x, b, relaxation) }
        case .redBlack: for k in sequence.indices { relax(Int(sequence[k]), &x, b, relaxation) }
        }
        guard measuring else { return 0 }
        var sum: Scalar = 0
        for i in 0..<rows {
            let rest = residual(i, x, b).residual
            sum += rest * rest
        }
        return sum
    }

    public func sequence(_ order: RelaxationOrder) -> [Int32] { order == .redBlack ? coloring() : [] }

    /// bᵢ − (A·x)ᵢ and aᵢᵢ.
    @inline(__always)
    private func residual(_ i: Int, _ x: borrowing MutableSpan<Scalar>, _ b: Span<Scalar>) -> (residual: Scalar, diagonal: Scalar) {
        var sum = b[i], own: Scalar = 0
        for k in rowOffsets[i]..<rowOffsets[i + 1] {
            let j = Int(columnIndices[k])
            sum -= values[k] * x[j]
            if j == i { own = values[k] }
        }
        return (sum, own)
    }

    @inline(__always)
    private func relax(_ i: Int, _ x: inout MutableSpan<Scalar>, _ b: Span<Scalar>, _ omega: Scalar) {
        let (rest, own) = residual(i, x, b)
        x[i] += omega * rest / own
    }

    /// The unknowns colour by colour, each having the first colour that no neighbour before it has. The pattern is taken as symmetric.
    public func coloring() -> [Int32] {
        var colors = [Int](repeating: -1, count: rows), taken: [Int] = [], sizes: [Int] = []
        for i in 0..<rows {
            for k in rowOffsets[i]..<rowOffsets[i + 1] {
                let color = colors[Int(columnIndices[k])]
                if color >= 0 { taken[color] = i }
            }
            let free = taken.firstIndex { $0 != i } ?? taken.count
            if free == taken.count {
                taken.append(-1)
                sizes.append(0)
            }
            colors[i] = free
            sizes[free] += 1
        }
        var next = sizes.indices.map { sizes[..<$0].reduce(0, +) }
        var order = [Int32](repeating: 0, count: rows)
        for i in 0..<rows {
            order[next[colors[i]]] = Int32(i)
            next[colors[i]] += 1
        }
        return order
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solveTriangle(
        _ b: Span<Scalar>, into x: inout MutableSpan<Scalar>, relaxation: Scalar, upper: Bool, work: inout MutableSpan<Scalar>
    ) {
        requireSweep(x.count, b.count, relaxation, work.count)
        if upper {
            for i in stride(from: rows - 1, through: 0, by: -1) {
                var sum = b[i], k = rowOffsets[i + 1] - 1
                while k >= rowOffsets[i], columnIndices[k] > i {
                    sum -= values[k] * x[Int(columnIndices[k])]
                    k -= 1
                }
                x[i] = relaxation * sum / values[k]
            }
        } else {
            for i in 0..<rows {
                var sum = b[i], k = rowOffsets[i]
                while columnIndices[k] < i {
                    sum -= values[k] * x[Int(columnIndices[k])]
                    k += 1
                }
                x[i] = relaxation * sum / values[k]
            }
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func eisenstat(
        _ p: Span<Scalar>, _ t: Span<Scalar>, into w: inout MutableSpan<Scalar>, image q: inout MutableSpan<Scalar>, relaxation: Scalar,
        work: inout MutableSpan<Scalar>
    ) {
        requireSweep(w.count, p.count, relaxation, work.count)
        let first = 1 - 2 / relaxation, second = 1 - 1 / relaxation
        for i in 0..<rows {
            var sum: Scalar = 0, product: Scalar = 0, k = rowOffsets[i]
            while columnIndices[k] < i {
                let j = Int(columnIndices[k])
                sum += values[k] * w[j]
                product += values[k] * t[j]
                k += 1
            }
            let scaled = values[k] * t[i]
            q[i] = p[i] + second * scaled + product
            w[i] = relaxation * (p[i] + first * scaled - sum) / values[k]
        }
    }
}
