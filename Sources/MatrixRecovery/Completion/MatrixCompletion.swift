import Kernels
import LinearAlgebra
import Randomness
import Synchronization

/// The problem of a matrix of which some entries are known: find U and V with (U Vᵀ)ᵢⱼ = Mᵢⱼ for (i, j) in Ω.
///
/// The entries are kept twice, by rows and by columns, as both are gone through: 12 to 24 bytes an entry.
public struct MatrixCompletion<Scalar: KernelScalar>: Sendable {
    /// The observed entries. One that is 0 is observed like any other.
    public let byRows: SparseMatrix<Scalar>
    /// The transpose.
    public let byColumns: SparseMatrix<Scalar>
    /// ‖P_Ω(M)‖_F.
    public let norm: Scalar

    public var rows: Int { byRows.rows }
    public var columns: Int { byRows.columns }
    /// |Ω|.
    public var count: Int { byRows.entryCount }

    /// - Precondition: sizes are positive and at most 2³¹ − 1.
    /// - Throws: ``ObservationError``.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public init(rows: Int, columns: Int, observations: [SparseMatrix<Scalar>.Triplet]) throws(ObservationError) {
        for o in observations {
            guard o.row >= 0, o.row < rows, o.column >= 0, o.column < columns else {
                throw .outOfRange(row: o.row, column: o.column, rows: rows, columns: columns)
            }
            guard o.value.isFinite else { throw .nonFinite(row: o.row, column: o.column) }
        }
        let entries: SparseMatrix<Scalar>
        do {
            entries = try SparseMatrix(rows: rows, columns: columns, triplets: observations)
        } catch {
            fatalError("entries that were looked at: \(error)")
        }
        if entries.entryCount < observations.count {
            var seen: Set<[Int]> = []
            for o in observations where !seen.insert([o.row, o.column]).inserted { throw .duplicate(row: o.row, column: o.column) }
        }
        self.init(entries)
    }

    /// Each stored entry of `observed` is an observation.
    ///
    /// - Precondition: sizes are positive and at most 2³¹ − 1; the entries are finite.
    public init(_ observed: SparseMatrix<Scalar>) {
        require(observed.rows >= 1 && observed.columns >= 1, "a \(observed.rows)×\(observed.columns) matrix to complete; expected positive sizes")
        byRows = observed
        byColumns = observed.transposed()
        let values = observed.values
        norm = Scalar.nrm2(values.span)
        require(norm.isFinite, "the norm of the observations is \(norm); expected a finite one")
    }

    /// k (rows + columns − k): how many numbers a matrix of rank k has to choose, hence how many observations it needs at least.
    /// In practice three to five times as many are wanted.
    public func degreesOfFreedom(rank: Int) -> Int { rank * (rows + columns - rank) }

    /// ‖P_Ω(U Vᵀ − M)‖_F.
    ///
    /// - Precondition: factors of this shape.
    /// - Complexity: O(|Ω| k).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func residualNorm(_ factors: LowRankFactors<Scalar>) -> Scalar {
        let residuals = residuals(factors)
        return Scalar.nrm2(residuals.values.span)
    }

    /// P_Ω(M − U Vᵀ).
    ///
    /// - Precondition: factors of this shape.
    /// - Complexity: O(|Ω| k).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func residuals(_ factors: LowRankFactors<Scalar>) -> SparseMatrix<Scalar> {
        requireShape(factors)
        let entries = byRows, left = factors.left, right = factors.right
        var result = entries
        let blocks = 64, height = (rows + blocks - 1) / blocks
        let parts = Mutex([[Scalar]](repeating: [], count: blocks))
        concurrentPerform(iterations: blocks) { block in
            var part: [Scalar] = []
            for i in min(rows, block * height)..<min(rows, (block + 1) * height) {
                let row = left.row(i)
                for e in entries.rowOffsets[i]..<entries.rowOffsets[i + 1] {
                    part.append(entries.values[e] - Scalar.dot(row, right.row(Int(entries.columnIndices[e]))))
                }
            }
            parts.withLock { $0[block] = part }
        }
        result.values = parts.withLock { $0.flatMap { $0 } }
        return result
    }

    /// A part of the observations: each is given to one of `parts` classes with equal probability, and this is class `index`.
    ///
    /// - Complexity: O(|Ω|).
    public func part(_ index: Int, of parts: Int, seed: UInt64) -> MatrixCompletion {
        require(parts >= 1 && index >= 0 && index < parts, "class \(index) of \(parts)")
        return selecting(seed: seed) { $0.integer(in: 0..<parts) == index }
    }

    /// The observations with a share of them held out, which is chosen at random.
    ///
    /// - Precondition: a share in 0 ... 1.
    public func holdingOut(share: Double, seed: UInt64) -> (training: MatrixCompletion, heldOut: MatrixCompletion) {
        require(share >= 0 && share <= 1, "a share of \(share) held out; expected 0 to 1")
        let bound = UInt64(share * 0x1p53)
        return (selecting(seed: seed) { $0.nextUInt64() >> 11 >= bound }, selecting(seed: seed) { $0.nextUInt64() >> 11 < bound })
    }

    private func selecting(seed: UInt64, _ isChosen: (inout RandomStream) -> Bool) -> MatrixCompletion {
        var random = RandomStream(seed: seed, stream: 3)
        var offsets = [0], indices: [Int32] = [], values: [Scalar] = []
        for i in 0..<rows {
            for e in byRows.rowOffsets[i]..<byRows.rowOffsets[i + 1] where isChosen(&random) {
                indices.append(byRows.columnIndices[e])
                values.append(byRows.values[e])
            }
            offsets.append(indices.count)
        }
        do {
            return MatrixCompletion(try SparseMatrix(
                rows: rows, columns: columns, rowOffsets: offsets, columnIndices: indices, values: values))
        } catch {
            fatalError("a selection of entries: \(error)")
        }
    }

    func requireShape(_ factors: LowRankFactors<Scalar>) {
        require(factors.rows == rows && factors.columns == columns,
                "factors of a \(factors.rows)×\(factors.columns) matrix for one of \(rows)×\(columns)")
    }
}
