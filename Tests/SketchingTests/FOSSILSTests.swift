import Kernels
import LinearAlgebra
import Randomness
import RealModule
import Sketching
import Testing

@Suite struct FOSSILSTests {
    /// As accurate as Householder QR forwards and backwards, for condition numbers from 10 to 10¹² and residuals of both kinds.
    @Test(arguments: [(10.0, 1e-3), (1e8, 1e-3), (1e12, 1e-6), (1e12, 1.0)])
    func isAsAccurateAsQR(_ condition: Double, _ residual: Double) throws {
        let problem = try LeastSquaresProblem(4000, 50, condition: condition, residual: residual, seed: 1), (a, b, x) = (problem.a, problem.b, problem.x)
        let qr = try QR(a).solve(b), result = try FOSSILS(sketch: SketchOptions(seed: 3)).solve(a, b)
        let ours = try problem.backwardError(result.solution), theirs = try problem.backwardError(qr)
        #expect(!result.usedDirectMethod && result.rank == 50, "\(result.reason)")
        #expect(ours <= max(10 * theirs, 1e-15), "backward \(ours), QR's \(theirs)")
        let forward = norm(difference(result.solution, x)), forwardQR = norm(difference(qr, x))
        #expect(forward <= 10 * forwardQR + 1e-14, "forward \(forward), QR's \(forwardQR)")
        // The solver's own estimate is of the scaled matrix, so of the same order only.
        #expect((result.backwardError ?? 1) < 1e-14 && result.iterations < 100)
    }

    /// Whatever the rounding of the start: at κ = 10¹² the first round may leave a larger backward error than it found.
    @Test(arguments: [1e-6, 1.0]) func theSecondRoundCorrectsTheFirst(_ residual: Double) throws {
        for seed in 11..<23 as Range<UInt64> {
            let problem = try LeastSquaresProblem(2000, 50, condition: 1e12, residual: residual, seed: seed)
            let result = try FOSSILS(sketch: SketchOptions(seed: 3)).solve(problem.a, problem.b)
            let error = try problem.backwardError(result.solution)
            #expect(!result.usedDirectMethod && error < 1e-15, "seed \(seed): \(result.reason), \(error)")
        }
    }

    /// The error falls by √(n/d) a step, so the steps follow from the ratio: −log u / −log √(1/12) ≈ 30 in two rounds.
    @Test func stepsFollowFromTheRatio() throws {
        let problem = try LeastSquaresProblem(8000, 40, condition: 1e3, residual: 1e-2, seed: 5), (a, b) = (problem.a, problem.b)
        let wide = try FOSSILS(inner: .conjugateGradients, sketch: SketchOptions(ratio: 20)).solve(a, b), usual = try FOSSILS(inner: .conjugateGradients).solve(a, b), narrow = try FOSSILS(inner: .conjugateGradients, sketch: SketchOptions(ratio: 4)).solve(a, b)
        #expect(wide.iterations < usual.iterations && usual.iterations < narrow.iterations, "\(wide.iterations) \(usual.iterations) \(narrow.iterations)")
        #expect((20...45).contains(usual.iterations))
    }

    @Test func everySketchServes() throws {
        let problem = try LeastSquaresProblem(3000, 30, condition: 1e6, residual: 1e-2, seed: 7), (a, b) = (problem.a, problem.b)
        let qr = try QR(a).solve(b)
        for sketch in [GaussianSketch() as any SketchDistribution, SubsampledHadamard(), SubsampledCosine(), RowSampling.uniform, SparseSignEmbedding(nonzerosPerColumn: 4)] {
            let result = try FOSSILS(inner: .conjugateGradients, sketch: SketchOptions(distribution: sketch)).solve(a, b)
            let direct = result.usedDirectMethod
            #expect(!direct, "\(result.reason)")
            // Either may be off by κ² u ‖r‖ = 10⁻⁶.
            #expect(norm(difference(result.solution, qr)) < 1e-6 * norm(qr))
        }
    }

    @Test func columnsOfAnyScale() throws {
        let a = normal(2000, 20, seed: 9), b = normal(2000, 1, seed: 10).elements
        let scales = (0..<20).map { Double.pow(10, Double($0 * 10 - 100)) }
        let scaled = Matrix<Double>(rows: 2000, columns: 20) { a[$0, $1] * scales[$1] }
        let plain = try FOSSILS().solve(a, b), other = try FOSSILS().solve(scaled, b)
        #expect(!other.usedDirectMethod, "\(other.reason)")
        for j in 0..<20 { #expect(abs(other.solution[j] * scales[j] - plain.solution[j]) < 1e-12) }
    }

    @Test func floatToo() throws {
        let a = normal(3000, 25, seed: 11), b = normal(3000, 1, seed: 12).elements
        let exact = try QR(a).solve(b)
        let result = try FOSSILS().solve(a.map { Float($0) }, b.map { Float($0) })
        #expect(!result.usedDirectMethod, "\(result.reason)")
        #expect(norm(difference(result.solution.map { Double($0) }, exact)) < 1e-5 * norm(exact))
    }

    /// Two equal columns: the leading singular vectors alone, the rank reported, and the least residual all the same.
    @Test func deficientRankIsReported() throws {
        let base = normal(2000, 20, seed: 13), b = normal(2000, 1, seed: 14).elements
        let a = Matrix<Double>(rows: 2000, columns: 21) { base[$0, min($1, 19)] }
        let result = try FOSSILS().solve(a, b), full = try QR(base).solve(b)
        #expect(result.rank == 20 && !result.usedDirectMethod)
        let residual = norm(difference(b, a.apply(result.solution))), least = norm(difference(b, base.apply(full)))
        #expect(abs(residual - least) < 1e-10 * least)
    }

    @Test func fallsBackToQRAndSaysSo() throws {
        let small = normal(100, 20, seed: 15), b = normal(100, 1, seed: 16).elements
        let result = try FOSSILS().solve(small, b)
        #expect(result.usedDirectMethod && result.reason.contains("100 rows are no more than 12 times the 20 columns"))
        #expect(try result.solution == QR(small).solve(b))
        #expect(try FOSSILS().solve(Matrix<Double>.zeros(rows: 5, columns: 0), [1, 2, 3, 4, 5]).solution.isEmpty)
    }

    @Test func exactAndZeroRightHandSides() throws {
        let a = normal(1000, 10, seed: 17), x = normal(10, 1, seed: 18).elements
        let exact = try FOSSILS().solve(a, a.apply(x)), zero = try FOSSILS().solve(a, [Double](repeating: 0, count: 1000))
        #expect(!exact.usedDirectMethod && norm(difference(exact.solution, x)) < 1e-13)
        #expect(!zero.usedDirectMethod && zero.solution == [Double](repeating: 0, count: 10))
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
