import Foundation
import Kernels
import LinearAlgebra
import MatrixRecovery
import Objectives
import Randomness
import RealModule
import Testing

@Suite struct SubgradientMethodTests {
    /// V Vᵀ of rank r, m standard normal measurements, a share of them with errors N(0, 10²), and normal noise on all.
    struct Instance {
        let problem: Sensing, target: Matrix<Double>

        init(d: Int, r: Int, m: Int, outliers: Double = 0, noise: Double = 0, seed: UInt64) throws {
            let v = try orthonormal(d, r, seed: seed)
            target = multiply(v, v, transposeB: true)
            let measure = GaussianMeasurements<Double>(rows: d, columns: d, count: m, deviation: 1, seed: seed)
            var y = measure.apply(target), random = RandomStream(seed: seed, stream: 30)
            for i in random.sample(Int(outliers * Double(m)), of: m) { y[i] += (random.normal(count: 1, mean: 0, standardDeviation: 10) as [Double])[0] }
            let dense: [Double] = random.normal(count: m, mean: 0, standardDeviation: 1)
            problem = try Sensing(measure, measurements: zip(y, dense).map { $0 + noise * $1 })
        }

        func error(_ factor: Matrix<Double>) -> Double { (multiply(factor, factor, transposeB: true) - target).frobeniusNorm }

        func solve(rank: Int, scale: Double) throws -> (error: Double, factor: Matrix<Double>) {
            let solution = SubgradientMethod<Double>(steps: .normalized(scale: scale)).solve(problem, from: try problem.signSpectralStart(rank: rank, scale: scale))
            #expect(solution.status == .converged, "\(solution.reason)")
            let factor = Matrix(rows: problem.rows, columns: rank, elements: solution.iterate)
            return (error(factor), factor)
        }
    }

    private func median(_ x: [Double]) -> Double { x.sorted()[x.count / 2] }

    /// Check 1: the step is along the sub-gradient.
    @Test func subgradientAgainstDifferences() throws {
        let instance = try Instance(d: 6, r: 2, m: 50, outliers: 0.1, seed: 1), start = normalMatrix(6, 3, seed: 2).elements
        let solver = SubgradientMethod<Double>(steps: .constant(0.01))
        var state = solver.makeState(instance.problem, from: start)
        _ = solver.step(&state, instance.problem)
        for i in start.indices {
            var up = start, down = start
            up[i] += 1e-7
            down[i] -= 1e-7
            let slope = (solver.makeState(instance.problem, from: up).value - solver.makeState(instance.problem, from: down).value) / 2e-7
            #expect(abs((start[i] - state.iterate[i]) / 0.01 - slope) < 1e-6, "\(i)")
        }
    }

    /// The normalised step is η 2 D U/‖D‖, and the start is α² C₊ with the signs of the measurements in C.
    @Test func stepAndStartAsDefined() throws {
        let instance = try Instance(d: 6, r: 2, m: 80, outliers: 0.2, seed: 14), measure = instance.problem.measure
        let u = normalMatrix(6, 3, 0.3, seed: 15)
        let solver = SubgradientMethod<Double>(steps: .normalized(initial: 0.05, decay: 0.9))
        var state = solver.makeState(instance.problem, from: u.elements), d = u * u.transposed()
        _ = solver.step(&state, instance.problem)
        _ = measure.absoluteDeviation(of: d, from: instance.problem.measurements, pulled: &d)
        let m = 0.5 * (d + d.transposed()), expected = u - (2 * 0.05 / m.frobeniusNorm) * (m * u)
        #expect((state.factor - expected).maxNorm < 1e-14)

        let c = measure.adjoint(instance.problem.measurements.map { ($0 > 0 ? 1 : -1) / 80 }), eigen = try SymmetricEigen(0.5 * (c + c.transposed()))
        let positive = multiply(eigen.vectors * .diagonal(eigen.values.map { max(0, $0) }), eigen.vectors, transposeB: true)
        let start = Matrix(rows: 6, columns: 6, elements: try instance.problem.signSpectralStart(rank: 6, scale: 0.01))
        #expect((multiply(start, start, transposeB: true) - 1e-4 * positive).maxNorm < 1e-16)
    }

    /// Check 2: the mean sub-gradient is φ Δ/‖Δ‖ with the φ of each noise law.
    @Test func meanOfTheSubgradient() throws {
        let d = 10, x = multiply(normalMatrix(d, 2, 0.2, seed: 3), normalMatrix(d, 2, 0.2, seed: 3), transposeB: true), norm = x.frobeniusNorm
        let count = 40_000, parts = 4
        let root = (2 / Double.pi).squareRoot()
        let laws: [(name: String, share: Double, deviation: Double, phi: Double)] = [
            ("none", 0, 0, root), ("outliers", 0.3, 10, root * (0.7 + 0.3 * norm / (norm * norm + 100).squareRoot())),
            ("Gaussian", 1, 0.5, root * norm / (norm * norm + 0.25).squareRoot()),
        ]
        for law in laws {
            var sum = Matrix<Double>.zeros(rows: d, columns: d)
            for part in 0..<parts {
                let measure = GaussianMeasurements<Double>(rows: d, columns: d, count: count, deviation: 1, seed: UInt64(40 + part))
                var random = RandomStream(seed: UInt64(part), stream: 31)
                let kinds: [Double] = random.uniform(count: count), sizes: [Double] = random.normal(count: count)
                let y = (0..<count).map { kinds[$0] < law.share ? law.deviation * sizes[$0] : 0 }
                var part = x
                _ = measure.absoluteDeviation(of: x, from: y, pulled: &part)
                sum.add(part, scale: 1 / Double(parts))
            }
            let phi = Double.dot(sum.span, x.span) / norm
            // A mean of 160 000 numbers of deviation at most 1.
            #expect(abs(phi - law.phi) < 4 / 400, "\(law.name): \(phi) \(law.phi)")
            let rest = (sum - (phi / norm) * x).frobeniusNorm
            #expect(rest < 1.3 * 10 / 400, "\(law.name): \(rest)")
        }
    }

    /// Check 3: the constant of Sign-RIP falls as √(d r/m).
    @Test func signIsometryConstant() throws {
        let d = 20, r = 3
        let constants = try [300, 600, 1200, 2400].map { m in
            let instance = try Instance(d: d, r: r, m: m, outliers: 0.1, seed: 4)
            var largest = 0.0
            for draw in 0..<40 {
                let u = normalMatrix(d, r, 0.3, seed: UInt64(200 + draw)), z = multiply(u, u, transposeB: true)
                var pulled = z
                _ = instance.problem.measure.absoluteDeviation(of: z, from: instance.problem.measurements, pulled: &pulled)
                let delta = z - instance.target, norm = delta.frobeniusNorm
                let rest = pulled - (Double.dot(pulled.span, delta.span) / (norm * norm)) * delta
                let symmetric = 0.5 * (rest + rest.transposed())
                let values = try SVD<Double>.singularValues(of: symmetric).prefix(6)
                largest = max(largest, values.reduce(0) { $0 + $1 * $1 }.squareRoot())
            }
            return largest
        }
        let exponent = slope([300, 600, 1200, 2400], constants)
        #expect(abs(exponent + 0.5) < 0.1, "\(constants)")
    }

    /// Check 4: with the right rank the error goes down with the steps, to their floor, whatever the start.
    @Test(arguments: [1e-1, 1e-3, 1e-6]) func rightRank(_ scale: Double) throws {
        let errors = try (0..<5).map { try Instance(d: 20, r: 3, m: 600, outliers: 0.3, seed: UInt64(50 + $0)).solve(rank: 3, scale: scale).error }
        #expect(median(errors) < 1e-5, "\(errors)")
    }

    /// Check 5: with every direction free the error is small, and smaller for a smaller start.
    @Test func fullRank() throws {
        let errors = try [1e-1, 1e-3, 1e-6].map { scale in
            median(try (0..<5).map { try Instance(d: 20, r: 3, m: 600, outliers: 0.1, seed: UInt64(60 + $0)).solve(rank: 20, scale: scale).error })
        }
        #expect(errors[0] < 1e-2 && errors[1] < errors[0] / 2 && errors[2] < errors[1] / 1.5, "\(errors)")
    }

    /// Check 6: measurements and start scaled, basis turned.
    @Test func invariances() throws {
        let instance = try Instance(d: 10, r: 2, m: 300, outliers: 0.1, seed: 7)
        let solver = SubgradientMethod<Double>(steps: .normalized(initial: 0.1, decay: 0.99))
        let start = normalMatrix(10, 4, 0.1, seed: 8), o = try orthonormal(4, 4, seed: 9), c = 4.0
        let scaled = try Sensing(instance.problem.measure, measurements: instance.problem.measurements.map { c * $0 })
        var a = solver.makeState(instance.problem, from: start.elements), b = solver.makeState(instance.problem, from: (start * o).elements)
        var s = solver.makeState(scaled, from: (c.squareRoot() * start).elements)
        for _ in 0..<100 {
            _ = solver.step(&a, instance.problem)
            _ = solver.step(&b, instance.problem)
            _ = solver.step(&s, scaled)
        }
        #expect((a.factor * o - b.factor).maxNorm < 1e-11)
        #expect((c.squareRoot() * a.factor - s.factor).maxNorm < 1e-11)
        // The order of the measurements.
        let gaussian = instance.problem.measure as! GaussianMeasurements<Double>
        let reversed = try Sensing(
            GaussianMeasurements(rows: 10, columns: 10, matrix: Matrix(rows: 300, columns: 100) { gaussian.matrix[299 - $0, $1] }),
            measurements: instance.problem.measurements.reversed())
        var r = solver.makeState(reversed, from: start.elements)
        for _ in 0..<100 { _ = solver.step(&r, reversed) }
        #expect((a.factor - r.factor).maxNorm < 1e-11)
    }

    /// Check 7: the loss in the mean, with a diagonal start, is a recursion for each entry.
    @Test func idealLossIsScalar() {
        let lambda = [1.0, 0.5, 0, 0]
        let problem = Sensing(WholeMatrixMeasurements(rows: 4, columns: 4), of: .diagonal(lambda))
        let solver = SubgradientMethod<Double>(steps: .geometric(initial: 0.05, decay: 0.99))
        var u = [Double](repeating: 0.01, count: 4), eta = 0.05
        var state = solver.makeState(problem, from: Matrix.diagonal(u).elements)
        for _ in 0..<300 {
            _ = solver.step(&state, problem)
            let norm = zip(u, lambda).reduce(0) { $0 + ($1.0 * $1.0 - $1.1) * ($1.0 * $1.0 - $1.1) }.squareRoot()
            for i in 0..<4 { u[i] -= 2 * eta * (u[i] * u[i] - lambda[i]) * u[i] / norm }
            eta *= 0.99
        }
        #expect((state.factor - .diagonal(u)).maxNorm < 1e-13)
    }

    /// Check 8: the surplus stays small, the signal does not.
    @Test func surplusStaysSmall() throws {
        for scale in [1e-3, 1e-6] {
            let s = try SVD<Double>.singularValues(of: Instance(d: 20, r: 3, m: 1200, seed: 10).solve(rank: 20, scale: scale).factor)
            #expect(s[3] < 10 * scale.squareRoot() && abs(s[2] - 1) < 0.02, "\(s)")
        }
    }

    /// Check 9: at a solution the iterate does not move.
    @Test func zeroResidualStays() throws {
        let v = try orthonormal(6, 2, seed: 11)
        let problem = Sensing(WholeMatrixMeasurements(rows: 6, columns: 6), of: multiply(v, v, transposeB: true))
        let solution = SubgradientMethod<Double>(steps: .normalized(scale: 1e-3)).solve(problem, from: v.elements)
        #expect(solution.status == .converged && solution.iterate == v.elements)
    }

    @Test func limitsResumptionAndFailures() throws {
        let instance = try Instance(d: 8, r: 2, m: 200, outliers: 0.1, seed: 12), problem = instance.problem
        let start = try problem.signSpectralStart(rank: 4, scale: 1e-3)
        for rule: SubgradientMethod<Double>.StepRule in [.normalized(scale: 1e-3), .geometric(initial: 0.1, decay: 0.99), .constant(0.01)] {
            let solver = SubgradientMethod<Double>(steps: rule)
            #expect(solver.solve(problem, from: start, stopping: .iterations(1)).status == .iterationLimit)
            let whole = solver.solve(problem, from: start, stopping: .iterations(60))
            var run = solver.makeRun(problem, from: start)
            _ = solver.solve(problem, resuming: &run, stopping: .iterations(25))
            run = try JSONDecoder().decode(type(of: run), from: JSONEncoder().encode(run))
            #expect(solver.solve(problem, resuming: &run, stopping: .iterations(60)).iterate == whole.iterate)
        }
        // Outliers that decide the value do not hide that the matrix was found.
        var spoilt = problem.measurements
        for i in stride(from: 0, to: 200, by: 20) { spoilt[i] += 1e6 }
        let found = SubgradientMethod<Double>(steps: .normalized(scale: 1e-3)).solve(try Sensing(problem.measure, measurements: spoilt), from: start)
        let foundError = instance.error(Matrix(rows: 8, columns: 4, elements: found.iterate))
        #expect(found.status == .converged && foundError < 0.02, "\(foundError) \(found.reason)")
        // A decay that leaves the signal no time to grow is said.
        let frozen = SubgradientMethod<Double>(steps: .normalized(initial: 0.1, decay: 0.8)).solve(problem, from: try problem.signSpectralStart(rank: 4, scale: 1e-6))
        #expect(frozen.status == .stagnated && frozen.reason.contains("decay is too fast"), "\(frozen.reason)")
        #expect(SubgradientMethod<Double>(steps: .constant(0.1)).solve(problem, from: [Double](repeating: .nan, count: 16)).status == .nonFinite)
    }

    @Test func singlePrecision() {
        let target = Matrix<Float>.diagonal([1, 0.5, 0, 0, 0, 0])
        let problem = MatrixSensing<Float>(GaussianMeasurements(rows: 6, columns: 6, count: 200, deviation: 1, seed: 13), of: target)
        do {
            let solution = SubgradientMethod<Float>(steps: .normalized(scale: 1e-2), tolerance: 1e-4).solve(
                problem, from: try problem.signSpectralStart(rank: 3, scale: 1e-2))
            let u = Matrix(rows: 6, columns: 3, elements: solution.iterate)
            let error = (multiply(u, u, transposeB: true) - target).frobeniusNorm
            #expect(solution.status == .converged && error < 0.02, "\(error)")
        } catch {
            Issue.record("\(error)")
        }
    }
}
