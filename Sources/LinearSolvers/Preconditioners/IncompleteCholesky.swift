import Kernels
import LinearAlgebra

/// The incomplete Cholesky factorisation without fill, IC(0): L has the pattern of A's lower triangle, and L Lᵀ agrees with A on it.
///
/// For M-matrices (Poisson problems are) it exists; for other symmetric positive definite matrices a pivot may fall to 0 or below. Then
/// A + s·diag(A) is factorised instead, with a shift s that the caller names or ``init(shifting:)`` finds.
///
/// Only the lower triangle of A is read. One application is two triangular solves.
///
/// Source: Meijerink & van der Vorst 1977; shift: Manteuffel 1980.
public struct IncompleteCholesky<Scalar: KernelScalar>: LinearOperator {
    /// L: the last entry of each row is on the diagonal.
    public let lower: SparseMatrix<Scalar>
    /// s.
    public let shift: Scalar
    public var rows: Int { lower.rows }
    public var columns: Int { lower.rows }

    /// Factorises A + `shift`·diag(A).
    ///
    /// - Precondition: A is square; the shift is not negative.
    /// - Throws: `LinearAlgebraError.notPositiveDefinite(pivot:)` where a pivot is not positive, `LinearAlgebraError.nonFinite`.
    /// - Complexity: for each entry of L, the entries of two rows.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public init(_ a: SparseMatrix<Scalar>, shift: Scalar = 0) throws(LinearAlgebraError) {
        require(a.rows == a.columns, "incomplete Cholesky factorisation of a \(a.rows)×\(a.columns) matrix; expected a square one")
        require(shift >= 0 && shift.isFinite, "shift is \(shift); expected a finite number of at least 0")
        let n = a.rows
        var offsets = [0], indices: [Int32] = [], values: [Scalar] = []
        offsets.reserveCapacity(n + 1)
        indices.reserveCapacity((a.entryCount + n) / 2)
        values.reserveCapacity((a.entryCount + n) / 2)
        for i in 0..<n {
            let start = indices.count
            var pivot: Scalar?
            for k in a.rowOffsets[i]..<a.rowOffsets[i + 1] {
                let j = Int(a.columnIndices[k])
                guard a.values[k].isFinite else { throw .nonFinite(row: i, column: j) }
                if j == i { pivot = a.values[k] * (1 + shift) }
                guard j < i else { break }
                // Rows i and j of L, merged below column j.
                var sum = a.values[k], p = start, q = offsets[j]
                let last = offsets[j + 1] - 1
                while p < indices.count, q < last {
                    if indices[p] == indices[q] {
                        sum -= values[p] * values[q]
                        p += 1
                        q += 1
                    } else if indices[p] < indices[q] { p += 1 } else { q += 1 }
                }
                indices.append(Int32(j))
                values.append(sum / values[last])
            }
            guard var pivot else { throw .notPositiveDefinite(pivot: i) }
            for p in start..<values.count { pivot -= values[p] * values[p] }
            guard pivot > 0, pivot.isFinite else { throw .notPositiveDefinite(pivot: i) }
            indices.append(Int32(i))
            values.append(pivot.squareRoot())
            offsets.append(indices.count)
        }
        lower = try SparseMatrix(rows: n, columns: n, rowOffsets: offsets, columnIndices: indices, values: values)
        self.shift = shift
    }

    /// Factorises A with the first shift of 0, 1e-3, 2e-3, 4e-3, … up to 1 that works; ``shift`` tells which.
    ///
    /// - Throws: as ``init(_:shift:)``, of the last one.
    public init(shifting a: SparseMatrix<Scalar>) throws(LinearAlgebraError) {
        var shift: Scalar = 0
        while true {
            do {
                try self.init(a, shift: shift)
                return
            } catch {
                guard case .notPositiveDefinite = error, shift < 1 else { throw error }
                shift = shift == 0 ? 1e-3 : 2 * shift
            }
        }
    }

    /// y ← (L Lᵀ)⁻¹ x.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        require(x.count == rows && y.count == rows, "solve of \(rows) unknowns from \(x.count) to \(y.count) elements")
        for i in 0..<rows {
            var sum = x[i]
            let last = lower.rowOffsets[i + 1] - 1
            for k in lower.rowOffsets[i]..<last { sum -= lower.values[k] * y[Int(lower.columnIndices[k])] }
            y[i] = sum / lower.values[last]
        }
        for i in stride(from: rows - 1, through: 0, by: -1) {
            let last = lower.rowOffsets[i + 1] - 1
            let value = y[i] / lower.values[last]
            y[i] = value
            for k in lower.rowOffsets[i]..<last { y[Int(lower.columnIndices[k])] -= lower.values[k] * value }
        }
    }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) { apply(y, into: &x) }
}
