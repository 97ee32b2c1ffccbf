import Kernels
import LinearAlgebra
import Randomness
import RealModule
import Sketching
import Testing

private func normal(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix<Double> {
    var random = RandomStream(seed: seed)
    return Matrix(rows: rows, columns: columns, elements: random.normal(count: rows * columns))
}

private func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }

private func difference(_ x: [Double], _ y: [Double]) -> [Double] { zip(x, y).map { $0 - $1 } }

/// A = U diag(logspace(0, −log₁₀ κ)) Vᵀ, a unit solution, and a right-hand side with a residual of the given length outside A's range.
private func problem(
    _ m: Int, _ n: Int, condition: Double, residual: Double, seed: UInt64
) throws -> (a: Matrix<Double>, b: [Double], x: [Double]) {
    let u = try QR(normal(m, n + 1, seed: seed)).q(), v = try QR(normal(n, n, seed: seed + 1)).q()
    let scaled = Matrix<Double>(rows: m, columns: n) { i, j in u[i, j] * Double.pow(condition, -Double(j) / Double(n - 1)) }
    let a = multiply(scaled, v, transposeB: true)
    var x = normal(n, 1, seed: seed + 2).elements
    let length = norm(x)
    x = x.map { $0 / length }
    let b = zip(a.apply(x), u.column(n)).map { $0 + residual * $1 }
    return (a, b, x)
}

/// The Karlson–Waldén estimate with the exact decomposition, by ‖A‖_F: independent of the solver's own.
private func backwardError(_ a: Matrix<Double>, _ b: [Double], _ x: [Double]) throws -> Double {
    let svd = try SVD(a), r = difference(b, a.apply(x)), omega = norm(r) / norm(x)
    let w = svd.vTransposed.apply(a.applyAdjoint(r))
    let damped = zip(w, svd.singularValues).map { $0 / ($1 * $1 + omega * omega).squareRoot() }
    return omega / norm(r) * norm(damped) / norm(svd.singularValues)
}

@Suite struct FOSSILSTests {
    /// As accurate as Householder QR forwards and backwards, for condition numbers from 10 to 10¹² and residuals of both kinds.
    @Test(arguments: [(10.0, 1e-3), (1e8, 1e-3), (1e12, 1e-6), (1e12, 1.0)])
    func isAsAccurateAsQR(_ condition: Double, _ residual: Double) throws {
        let (a, b, x) = try problem(4000, 50, condition: condition, residual: residual, seed: 1)
        let qr = try QR(a).solve(b), result = try FOSSILS(seed: 3).solve(a, b)
        let ours = try backwardError(a, b, result.solution), theirs = try backwardError(a, b, qr)
        #expect(!result.usedQR && result.rank == 50, "\(result.reason)")
        #expect(ours <= max(10 * theirs, 1e-15), "backward \(ours), QR's \(theirs)")
        let forward = norm(difference(result.solution, x)), forwardQR = norm(difference(qr, x))
        #expect(forward <= 10 * forwardQR + 1e-14, "forward \(forward), QR's \(forwardQR)")
        // The solver's own estimate is of the scaled matrix, so of the same order only.
        #expect(result.backwardError! < 1e-14 && result.steps < 100)
    }

    /// The error falls by √(n/d) a step, so the steps follow from the ratio: −log u / −log √(1/12) ≈ 30 in two rounds.
    @Test func stepsFollowFromTheRatio() throws {
        let (a, b, _) = try problem(8000, 40, condition: 1e3, residual: 1e-2, seed: 5)
        let wide = try FOSSILS(sketchRatio: 20).solve(a, b), usual = try FOSSILS().solve(a, b), narrow = try FOSSILS(sketchRatio: 4).solve(a, b)
        #expect(wide.steps < usual.steps && usual.steps < narrow.steps, "\(wide.steps) \(usual.steps) \(narrow.steps)")
        #expect((20...45).contains(usual.steps))
    }

    @Test func everySketchServes() throws {
        let (a, b, _) = try problem(3000, 30, condition: 1e6, residual: 1e-2, seed: 7)
        let qr = try QR(a).solve(b)
        for sketch in [GaussianSketch() as any SketchDistribution, SubsampledHadamard(), SparseSignEmbedding(nonzerosPerColumn: 4)] {
            let result = try FOSSILS(sketch: sketch).solve(a, b)
            #expect(!result.usedQR)
            // Either may be off by κ² u ‖r‖ = 10⁻⁶.
            #expect(norm(difference(result.solution, qr)) < 1e-6 * norm(qr))
        }
    }

    @Test func columnsOfAnyScale() throws {
        let a = normal(2000, 20, seed: 9), b = normal(2000, 1, seed: 10).elements
        let scales = (0..<20).map { Double.pow(10, Double($0 * 10 - 100)) }
        let scaled = Matrix<Double>(rows: 2000, columns: 20) { a[$0, $1] * scales[$1] }
        let plain = try FOSSILS().solve(a, b), other = try FOSSILS().solve(scaled, b)
        #expect(!other.usedQR, "\(other.reason)")
        for j in 0..<20 { #expect(abs(other.solution[j] * scales[j] - plain.solution[j]) < 1e-12) }
    }

    @Test func floatToo() throws {
        let a = normal(3000, 25, seed: 11), b = normal(3000, 1, seed: 12).elements
        let exact = try QR(a).solve(b)
        let result = try FOSSILS().solve(a.map { Float($0) }, b.map { Float($0) })
        #expect(!result.usedQR, "\(result.reason)")
        #expect(norm(difference(result.solution.map { Double($0) }, exact)) < 1e-5 * norm(exact))
    }

    /// Two equal columns: the leading singular vectors alone, the rank reported, and the least residual all the same.
    @Test func deficientRankIsReported() throws {
        let base = normal(2000, 20, seed: 13), b = normal(2000, 1, seed: 14).elements
        let a = Matrix<Double>(rows: 2000, columns: 21) { base[$0, min($1, 19)] }
        let result = try FOSSILS().solve(a, b), full = try QR(base).solve(b)
        #expect(result.rank == 20 && !result.usedQR)
        let residual = norm(difference(b, a.apply(result.solution))), least = norm(difference(b, base.apply(full)))
        #expect(abs(residual - least) < 1e-10 * least)
    }

    @Test func fallsBackToQRAndSaysSo() throws {
        let small = normal(100, 20, seed: 15), b = normal(100, 1, seed: 16).elements
        let result = try FOSSILS().solve(small, b)
        #expect(result.usedQR && result.reason.contains("100 rows are no more than 12 times the 20 columns"))
        #expect(try result.solution == QR(small).solve(b))
        #expect(try FOSSILS().solve(Matrix<Double>.zeros(rows: 5, columns: 0), [1, 2, 3, 4, 5]).solution.isEmpty)
        // A column of zeros has no unique solution: QR says singular.
        let zeros = Matrix<Double>(rows: 500, columns: 3) { $1 == 1 ? 0 : Double(($0 * 7 + $1) % 5) }
        #expect(throws: LinearAlgebraError.singular(pivot: 1)) { try FOSSILS().solve(zeros, [Double](repeating: 1, count: 500)) }
    }

    @Test func exactAndZeroRightHandSides() throws {
        let a = normal(1000, 10, seed: 17), x = normal(10, 1, seed: 18).elements
        let exact = try FOSSILS().solve(a, a.apply(x)), zero = try FOSSILS().solve(a, [Double](repeating: 0, count: 1000))
        #expect(!exact.usedQR && norm(difference(exact.solution, x)) < 1e-13)
        #expect(!zero.usedQR && zero.solution == [Double](repeating: 0, count: 10))
    }

    @Test func badNumbersAreNamed() {
        var a = normal(1000, 4, seed: 19)
        let b = normal(1000, 1, seed: 20).elements
        a[17, 2] = .nan
        #expect(throws: LinearAlgebraError.nonFinite(row: 17, column: 2)) { try FOSSILS().solve(a, b) }
        a[17, 2] = 1
        var c = b
        c[5] = .infinity
        #expect(throws: LinearAlgebraError.nonFinite(row: 5, column: 0)) { try FOSSILS().solve(a, c) }
    }
}
