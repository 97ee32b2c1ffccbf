import ConstrainedOptimization
import Foundation
import Kernels
import LinearAlgebra
import Randomness
import Testing

@Suite struct SketchAndProjectTests {
    private let sketches: [ProjectionSketch] = [.row, .gaussian, .block(size: 1), .block(size: 4), .block(size: 64)]

    private func consistent(_ n: Int, seed: UInt64) -> (a: Matrix<Double>, z: [Double], b: [Double]) {
        var random = RandomStream(seed: seed)
        let a = Matrix<Double>(rows: n, columns: n, elements: random.normal(count: n * n)), z: [Double] = random.normal(count: n)
        return (a, z, a * z)
    }

    /// Check 3: the mean over all rows of one step's squared error, and the contraction for rows drawn by their squared norms.
    @Test func expectationOfARowStep() throws {
        let n = 8
        let (a, z, b) = consistent(n, seed: 3)
        let start = [Double](repeating: 0, count: n)
        // A system of one row has but one step.
        let errors = (0..<n).map { i -> Double in
            let row = a.submatrix(rows: i..<i + 1, columns: 0..<n)
            let method = SketchAndProject(row, [b[i]], sketch: .row, random: RandomStream(seed: 0))
            var state = method.makeState(from: start, random: RandomStream(seed: 0))
            method.advance(&state, steps: 1)
            let error = minus(state.iterate, z)
            return dot(error, error)
        }
        let rows = (0..<n).map { i in (0..<n).map { a[i, $0] } }
        let uniform = dot(z, z) - rows.reduce(0) { $0 + dot($1, z) * dot($1, z) / dot($1, $1) } / Double(n)
        #expect(abs(errors.reduce(0, +) / Double(n) - uniform) <= 1e-12 * uniform)
        let frobenius = a.frobeniusNorm, least = try SVD<Double>.singularValues(of: a).last!
        let weighted = zip(errors, rows).reduce(0) { $0 + $1.0 * dot($1.1, $1.1) } / (frobenius * frobenius)
        let az = norm(a * z)
        #expect(abs(weighted - (dot(z, z) - az * az / (frobenius * frobenius))) <= 1e-12 * weighted)
        #expect(weighted <= (1 - least * least / (frobenius * frobenius)) * dot(z, z) * (1 + 1e-12))

        // The rows are drawn equally often: 4000 first steps, each count within 5 standard deviations.
        let method = SketchAndProject(a, b, sketch: .row, random: RandomStream(seed: 0))
        var counts = [Int](repeating: 0, count: n)
        for seed in 0..<4000 as Range<UInt64> {
            var state = method.makeState(from: start, random: RandomStream(seed: seed))
            method.advance(&state, steps: 1)
            let error = minus(state.iterate, z), square = dot(error, error)
            counts[errors.firstIndex { abs($0 - square) <= 1e-10 * square }!] += 1
        }
        for count in counts { #expect(abs(Double(count) - 500) < 5 * (4000.0 / 8 * 7 / 8).squareRoot()) }
    }

    /// Check 4: the error never rises; the residual does.
    @Test func stepsAreProjections() {
        let (a, z, b) = consistent(24, seed: 5)
        for sketch in sketches {
            let method = SketchAndProject(a, b, sketch: sketch, random: RandomStream(seed: 1))
            var state = method.makeState(from: [Double](repeating: 0, count: 24), random: RandomStream(seed: 2))
            var error = norm(z), residual = norm(b), growth = 0.0
            for _ in 0..<300 {
                method.advance(&state, steps: 1)
                let next = norm(minus(state.iterate, z)), nextResidual = norm(method.residual(of: state))
                #expect(next <= error + 1e-12 * norm(z), "\(sketch)")
                if residual > 1e-8 { growth = max(growth, nextResidual / residual) }
                (error, residual) = (next, nextResidual)
            }
            #expect(state.steps == 300)
            if sketch == .row { #expect(growth > 1) }
            #expect(error < 0.9 * norm(z))
        }
    }

    @Test func oneBlockOfAllRowsSolves() throws {
        let (a, z, b) = consistent(16, seed: 7)
        let method = SketchAndProject(a, b, sketch: .block(size: 16), random: RandomStream(seed: 1))
        var state = method.makeState(from: [Double](repeating: 0, count: 16), random: RandomStream(seed: 2))
        method.advance(&state, steps: 1)
        let error = norm(minus(state.iterate, z)), condition = try SVD(a).conditionNumber
        #expect(error <= 16 * Double.ulpOfOne * condition * condition * norm(z))
    }

    /// A block step is the projection onto its rows: against the least-norm correction by LAPACK, for independent and dependent rows.
    @Test(arguments: [false, true]) func blockStepIsTheLeastNormCorrection(_ dependent: Bool) throws {
        var random = RandomStream(seed: 11)
        var a = Matrix<Double>(rows: 4, columns: 9, elements: random.normal(count: 36))
        if dependent { for j in 0..<9 { a[3, j] = 2 * a[0, j] - a[1, j] } }
        let z: [Double] = random.normal(count: 9), start: [Double] = random.normal(count: 9), b = a * z
        let method = SketchAndProject(a, b, sketch: .block(size: 4), random: random)
        var state = method.makeState(from: start, random: random)
        method.advance(&state, steps: 1)
        let correction = try leastSquares(a, minus(b, a * start)).solution.elements
        let error = norm(minus(minus(state.iterate, start), correction))
        #expect(error <= 1e-12 * norm(correction))
    }

    @Test func zeroRowsAndEmptySystems() {
        var a = Matrix<Double>.identity(3)
        a[1, 1] = 0
        for sketch in sketches {
            let method = SketchAndProject(a, [1, 0, 2], sketch: sketch, random: RandomStream(seed: 1))
            var state = method.makeState(from: [0, 5, 0], random: RandomStream(seed: 2))
            let residual = method.solve(&state, residualBound: 1e-9, limit: 10_000)
            #expect(residual <= 1e-9, "\(sketch)")
            #expect(abs(state.iterate[1] - 5) < 1e-9)
            let empty = SketchAndProject(Matrix<Double>.zeros(rows: 0, columns: 0), [], sketch: sketch, random: RandomStream(seed: 1))
            var nothing = empty.makeState(from: [], random: RandomStream(seed: 2))
            #expect(empty.solve(&nothing, residualBound: 0, limit: 10) == 0)
        }
    }

    @Test func endsAtTheLimitAndForNaN() {
        let (a, _, b) = consistent(24, seed: 5)
        for sketch in sketches.prefix(4) {
            let method = SketchAndProject(a, b, sketch: sketch, random: RandomStream(seed: 1))
            var state = method.makeState(from: [Double](repeating: 0, count: 24), random: RandomStream(seed: 2))
            method.solve(&state, residualBound: 0, limit: 37)
            #expect(state.steps == 37)
            let bad = SketchAndProject(a, [.nan] + b.dropFirst(), sketch: sketch, random: RandomStream(seed: 1))
            var lost = bad.makeState(from: [Double](repeating: 0, count: 24), random: RandomStream(seed: 2))
            #expect(bad.solve(&lost, residualBound: 1e-3, limit: 1000).isNaN)
        }
    }

    @Test func resumesToTheSameBits() throws {
        let (a, _, b) = consistent(24, seed: 5)
        for sketch in sketches {
            let method = SketchAndProject(a, b, sketch: sketch, random: RandomStream(seed: 1))
            var whole = method.makeState(from: [Double](repeating: 0, count: 24), random: RandomStream(seed: 2)), half = whole
            method.advance(&whole, steps: 30)
            method.advance(&half, steps: 13)
            half = try JSONDecoder().decode(SketchAndProject<Double>.State.self, from: JSONEncoder().encode(half))
            method.advance(&half, steps: 17)
            #expect(half.iterate == whole.iterate && half.steps == 30, "\(sketch)")
        }
    }
}
