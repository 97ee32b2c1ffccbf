import Kernels
import LinearAlgebra
import Randomness
import RealModule

/// A random matrix of rank k with known singular values, U·diag(s)·Vᵀ, where U and V are the Q of normal matrices: incoherent with high
/// probability. What recovery is tried on.
public struct LowRankModel<Scalar: KernelScalar>: Sendable {
    /// U·diag(s) and V.
    public let factors: LowRankFactors<Scalar>
    public let singularValues: [Scalar]

    /// - Precondition: no more singular values than rows or columns, none negative.
    /// - Complexity: O((rows + columns) k²).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public init(rows: Int, columns: Int, singularValues: [Scalar], seed: UInt64 = 0) {
        let k = singularValues.count
        require(k >= 1 && k <= min(rows, columns), "rank \(k) of a \(rows)×\(columns) matrix; expected 1 to \(min(rows, columns))")
        require(singularValues.allSatisfy { $0 >= 0 && $0.isFinite }, "singular values are \(singularValues); expected finite ones of at least 0")
        func basis(_ rows: Int, _ stream: UInt64) -> Matrix<Scalar> {
            var random = RandomStream(seed: seed, stream: stream)
            do {
                return try QR(Matrix(rows: rows, columns: k, elements: random.normal(count: rows * k))).q()
            } catch {
                fatalError("QR of finite numbers: \(error)")
            }
        }
        var left = basis(rows, 0)
        for i in 0..<rows { for j in 0..<k { left[i, j] *= singularValues[j] } }
        (factors, self.singularValues) = (LowRankFactors(left: left, right: basis(columns, 1)), singularValues)
    }

    /// Singular values from 1 down to 1/`condition` in equal steps.
    public init(rows: Int, columns: Int, rank: Int, condition: Scalar = 1, seed: UInt64 = 0) {
        require(condition >= 1, "condition is \(condition); expected at least 1")
        self.init(rows: rows, columns: columns, singularValues: (0..<rank).map { j in
            rank == 1 ? 1 : 1 + (1 / condition - 1) * Scalar(j) / Scalar(rank - 1)
        }, seed: seed)
    }

    /// Each entry with probability `probability`, plus normal noise of deviation `noise`.
    ///
    /// - Precondition: a probability in 0 ... 1.
    /// - Complexity: O(number of observations · k): the gaps between them are drawn, not each entry.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func observations(probability: Double, noise: Scalar = 0, seed: UInt64 = 0) -> [SparseMatrix<Scalar>.Triplet] {
        require(probability >= 0 && probability <= 1, "probability is \(probability); expected 0 to 1")
        guard probability > 0 else { return [] }
        var random = RandomStream(seed: seed, stream: 2)
        var places: [Int] = []
        var place = -1
        let cells = factors.rows * factors.columns, scale = probability < 1 ? 1 / Double.log(onePlus: -probability) : 0
        while true {
            // A geometric number of entries is skipped: ⌊ln U / ln(1 − p)⌋ with U in (0, 1].
            let uniform = Double((random.nextUInt64() >> 11) + 1) * 0x1p-53
            let gap = probability < 1 ? Double.log(uniform) * scale : 0
            guard gap < Double(cells) else { break }
            place += 1 + Int(gap)
            guard place < cells else { break }
            places.append(place)
        }
        let errors: [Scalar] = noise == 0 ? [] : random.normal(count: places.count, mean: 0, standardDeviation: noise)
        return places.enumerated().map { e, place in
            let (i, j) = place.quotientAndRemainder(dividingBy: factors.columns)
            return .init(row: i, column: j, value: factors[i, j] + (noise == 0 ? 0 : errors[e]))
        }
    }

    /// ‖X − U diag(s) Vᵀ‖_F / ‖s‖, for X = A·Bᵀ, without forming either matrix.
    ///
    /// NaN if X is not finite.
    ///
    /// - Complexity: O((rows + columns) k²).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func relativeError(of other: LowRankFactors<Scalar>) -> Scalar {
        // The factors side by side: [A, −U]·[B, V]ᵀ = R_L R_Rᵀ in orthonormal bases, whose norm does not cancel.
        func joined(_ a: Matrix<Scalar>, _ b: Matrix<Scalar>, _ sign: Scalar) -> Matrix<Scalar> {
            Matrix(rows: a.rows, columns: a.columns + b.columns) { i, j in j < a.columns ? a[i, j] : sign * b[i, j - a.columns] }
        }
        do {
            let l = try QR(joined(other.left, factors.left, -1)).r, r = try QR(joined(other.right, factors.right, 1)).r
            return multiply(l, r, transposeB: true).frobeniusNorm / Scalar.nrm2(singularValues.span)
        } catch {
            return .nan
        }
    }
}
