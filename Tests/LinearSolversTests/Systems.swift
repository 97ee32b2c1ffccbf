import Kernels
import LinearAlgebra
import LinearSolvers
import Randomness

func normals(_ count: Int, _ seed: UInt64) -> [Double] {
    var stream = RandomStream(seed: seed)
    return stream.normal(count: count)
}

/// G Gᵀ/n + I, symmetric positive definite.
func definite(_ n: Int, _ seed: UInt64) -> Matrix<Double> {
    let g = Matrix(rows: n, columns: n, elements: normals(n * n, seed))
    return Matrix(rows: n, columns: n) { i, j in
        (0..<n).reduce(0.0) { $0 + g[i, $1] * g[j, $1] } / Double(n) + (i == j ? 1 : 0)
    }
}

/// Symmetric with eigenvalues of both signs, none near 0.
func indefinite(_ n: Int, _ seed: UInt64) -> Matrix<Double> {
    let spd = definite(n, seed)
    // S B S has the inertia of B = diag(±1).
    return Matrix(rows: n, columns: n) { i, j in
        (0..<n).reduce(0.0) { $0 + spd[i, $1] * ($1 % 3 == 0 ? -1 : 1) * spd[j, $1] }
    }
}

/// A positive definite symmetric part, and a skew one.
func unsymmetric(_ n: Int, _ seed: UInt64) -> Matrix<Double> {
    let spd = definite(n, seed), g = Matrix(rows: n, columns: n, elements: normals(n * n, seed + 1))
    return Matrix(rows: n, columns: n) { i, j in spd[i, j] + 0.3 * (g[i, j] - g[j, i]) }
}

func distance(_ x: [Double], _ y: [Double]) -> Double {
    zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
}

func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }

func trueResidual(_ a: any LinearOperator<Double>, _ x: [Double], _ b: [Double]) -> Double { distance(a.apply(x), b) }

/// Logs where the vectors of each product lie, to see that a loop uses the same buffers all along.
final class AddressLog: @unchecked Sendable {
    var inputs: Set<Int> = [], outputs: Set<Int> = [], products = 0
}

struct Watched<Base: LinearOperator>: LinearOperator {
    typealias Scalar = Base.Scalar
    let base: Base
    let log = AddressLog()
    var rows: Int { base.rows }
    var columns: Int { base.columns }

    func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        note(x, &y)
        base.apply(x, into: &y)
    }

    func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        note(y, &x)
        base.applyAdjoint(y, into: &x)
    }

    private func note(_ x: Span<Scalar>, _ y: inout MutableSpan<Scalar>) {
        log.products += 1
        log.inputs.insert(unsafe x.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) })
        log.outputs.insert(unsafe y.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) })
    }
}

/// NaN from product `bad` on.
struct Spoiled: LinearOperator {
    let base: Matrix<Double>
    let bad: Int
    let log = AddressLog()
    var rows: Int { base.rows }
    var columns: Int { base.columns }

    func apply(_ x: Span<Double>, into y: inout MutableSpan<Double>) {
        base.apply(x, into: &y)
        log.products += 1
        if log.products >= bad { y[0] = .nan }
    }

    func applyAdjoint(_ y: Span<Double>, into x: inout MutableSpan<Double>) {
        base.applyAdjoint(y, into: &x)
        log.products += 1
        if log.products >= bad { x[0] = .nan }
    }
}
