import Kernels
import LinearAlgebra
import Randomness

/// ζ elements ±1/√ζ in distinct random rows of each column: the sketch to take in practice (Cohen 2016; Nelson and Nguyen 2013).
///
/// Applying it costs ζ additions for each element of A, and A is read once. With the default ζ = 8 and d from 2n to 12n its embedding is
/// measured as good as a Gaussian one, also for matrices with a few rows that matter alone; ζ of 1 or 2 fails for those.
/// Var ‖S x‖² = (2/d)(1 − Σ xᵢ⁴) for ‖x‖ = 1 and any ζ.
///
/// RandBLAS's default is ζ = 4, which is measurably worse on such matrices.
public struct SparseSignEmbedding: SketchDistribution {
    /// ζ. More than there are rows counts as all of them.
    public let nonzerosPerColumn: Int

    /// - Precondition: ζ is at least 1.
    public init(nonzerosPerColumn: Int = 8) {
        require(nonzerosPerColumn >= 1, "\(nonzerosPerColumn) non-zeros a column; expected at least 1")
        self.nonzerosPerColumn = nonzerosPerColumn
    }

    /// One ±1 in each column (Clarkson and Woodruff 2013): the cheapest sketch, which needs d of the order of n².
    ///
    /// SciPy's `clarkson_woodruff_transform`.
    public static let countSketch = SparseSignEmbedding(nonzerosPerColumn: 1)

    public func sample<Scalar: KernelScalar>(
        _ type: Scalar.Type, rows: Int, columns: Int, random: RandomStream
    ) -> any Sketch<Scalar> {
        requireSketch(rows, columns)
        require(rows <= Int(Int32.max), "a sparse sign embedding of \(rows) rows; expected at most \(Int32.max)")
        return SparseSignSample<Scalar>(
            rows: rows, columns: columns, each: min(nonzerosPerColumn, rows), targets: targets(rows: rows, columns: columns, random: random))
    }

    /// The rows of each column's min(ζ, rows) non-zeros, ~row for −1.
    package func targets(rows: Int, columns: Int, random: RandomStream) -> [Int32] {
        let each = min(nonzerosPerColumn, rows)
        var random = random
        var targets: [Int32] = []
        targets.reserveCapacity(columns * each)
        for _ in 0..<columns {
            let first = targets.count
            while targets.count < first + each {
                // The upper half gives the row (by multiplication, biased by less than rows · 2⁻³²), the lowest bit the sign.
                let bits = random.nextUInt64()
                let row = Int32(((bits >> 32) * UInt64(rows)) >> 32)
                if targets[first...].contains(where: { $0 ^ ($0 >> 31) == row }) { continue }
                targets.append(bits & 1 == 0 ? row : ~row)
            }
        }
        return targets
    }
}

private struct SparseSignSample<Scalar: KernelScalar>: Sketch {
    let rows: Int, columns: Int, each: Int
    /// The rows of each column's non-zeros, ~row for −1.
    let targets: [Int32]
    /// The same, sorted for dense matrices.
    let sums: SignedRowSums

    init(rows: Int, columns: Int, each: Int, targets: [Int32]) {
        (self.rows, self.columns, self.each, self.targets) = (rows, columns, each, targets)
        sums = SignedRowSums(targets: targets, each: each, rows: columns, targetRows: rows)
    }

    private var scale: Scalar { 1 / Scalar(each).squareRoot() }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func apply(to a: Matrix<Scalar>) -> Matrix<Scalar> {
        requireRows(a.rows, a.columns)
        // One addition an element into a sketch that lies in the cache: reading A in order is then the faster way.
        if each == 1, rows * a.columns * MemoryLayout<Scalar>.stride <= 1 << 20 {
            var result = Matrix<Scalar>.zeros(rows: rows, columns: a.columns)
            var span = result.mutableSpan
            Scalar.scatterRows(rows: columns, columns: a.columns, of: a.span, targets: targets.span, each: 1, into: &span, rows: rows)
            return result
        }
        let elements = uninitializedArray(count: rows * a.columns) {
            Scalar.sumRows(sums, columns: a.columns, of: a.span, scale: scale, into: &$0)
        }
        return Matrix(rows: rows, columns: a.columns, elements: elements)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func apply(to a: SparseMatrix<Scalar>) -> Matrix<Scalar> {
        requireRows(a.rows, a.columns)
        var result = Matrix<Scalar>.zeros(rows: rows, columns: a.columns)
        for i in 0..<columns {
            for t in targets[i * each..<(i + 1) * each] {
                let factor = t >= 0 ? scale : -scale
                var row = result.mutableRow(Int(t >= 0 ? t : ~t))
                for e in a.rowOffsets[i]..<a.rowOffsets[i + 1] { row[Int(a.columnIndices[e])] += factor * a.values[e] }
            }
        }
        return result
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        requireAdjoint(y.count, x.count)
        for i in 0..<columns {
            var sum: Scalar = 0
            for t in targets[i * each..<(i + 1) * each] { sum += t >= 0 ? y[Int(t)] : -y[Int(~t)] }
            x[i] = scale * sum
        }
    }
}
