import LinearAlgebra
import Randomness
import RealModule

func normal(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix<Double> {
    var random = RandomStream(seed: seed)
    return Matrix(rows: rows, columns: columns, elements: random.normal(count: rows * columns))
}

func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }

func difference(_ x: [Double], _ y: [Double]) -> [Double] { zip(x, y).map { $0 - $1 } }

/// A = U diag(logspace(0, −log₁₀ κ)) Vᵀ, a unit solution, and a right-hand side with a residual of the given length outside A's range.
struct LeastSquaresProblem {
    let a: Matrix<Double>, b: [Double], x: [Double]

    init(_ m: Int, _ n: Int, condition: Double, residual: Double, seed: UInt64) throws {
        let u = try QR(normal(m, n + 1, seed: seed)).q(), v = try QR(normal(n, n, seed: seed + 1)).q()
        let scaled = Matrix<Double>(rows: m, columns: n) { i, j in u[i, j] * Double.pow(condition, -Double(j) / Double(max(1, n - 1))) }
        a = multiply(scaled, v, transposeB: true)
        let direction = normal(n, 1, seed: seed + 2).elements, length = norm(direction)
        x = direction.map { $0 / length }
        b = zip(a.apply(x), u.column(n)).map { $0 + residual * $1 }
    }

    /// The Karlson–Waldén estimate with the exact decomposition, by ‖A‖_F: independent of the solvers' own.
    func backwardError(_ x: [Double]) throws -> Double {
        let svd = try SVD(a), r = difference(b, a.apply(x)), omega = norm(r) / norm(x)
        let w = svd.vTransposed.apply(a.applyAdjoint(r))
        let damped = zip(w, svd.singularValues).map { $0 / ($1 * $1 + omega * omega).squareRoot() }
        return omega / norm(r) * norm(damped) / norm(svd.singularValues)
    }

    /// ‖A (x − x*)‖ for the given solution.
    func imageError(_ other: [Double]) -> Double { norm(a.apply(difference(other, x))) }
}

