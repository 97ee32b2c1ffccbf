import ConstrainedOptimization
import Datasets
import Kernels
import LinearAlgebra
import Objectives
import Randomness
import Testing

@Suite struct PoissonControlTests {
    @Test(arguments: [(3, 9.644442052), (8, 74.09302232), (16, 301.800365)]) func optimumIsTheKnownOne(_ size: Int, _ minimum: Double) throws {
        let problem = PoissonControl<Double>(size: size)
        let check = checkConstraints(of: problem, at: [Double](repeating: 0.3, count: problem.dimension))
        #expect(check.passed, "\(check.message)")
        let ones = [Double](repeating: 1, count: problem.dimension)
        let solution = AdaSketchNewton<Double>(method: .direct).solve(
            problem, from: ones, multipliers: [Double](repeating: 1, count: problem.constraintCount))
        _ = try solution.get()
        #expect(solution.iterations == 1 && abs(solution.point.value - minimum) <= 1e-8 * minimum, "\(solution.point.value)")
        #expect(solution.point.constraintViolation < 1e-9)
    }
}

@Suite struct ConstrainedLogisticRegressionTests {
    static func problem(seed: UInt64, rows: Int = 10, radius: Double? = 1) throws -> ConstrainedLogisticRegression<Double> {
        let data = try Dataset<Double>.breastCancer()
        let features = Standardization(fittedTo: data.features).apply(to: data.features)
        var random = RandomStream(seed: seed)
        let linear = Matrix<Double>(rows: rows, columns: features.columns, elements: random.normal(count: rows * features.columns))
        return ConstrainedLogisticRegression(
            features: SparseMatrix(features), labels: data.labels!.map { $0 == 1 }, linear: linear, linearValues: random.normal(count: rows), radius: radius)
    }

    @Test func derivativesAndLossAgreeWithTheUnconstrainedProblem() throws {
        let problem = try Self.problem(seed: 1)
        var random = RandomStream(seed: 2)
        let x: [Double] = random.normal(count: 30), u: [Double] = random.normal(count: 11)
        let check = checkConstraints(of: problem, at: x)
        #expect(check.passed, "\(check.message)")
        let data = try Dataset<Double>.breastCancer()
        let plain = TestProblems.LogisticRegression(features: problem.features.dense(), labels: data.labels!.map { $0 == 1 }, ridge: 0)
        let values = (problem.value(at: x.span), plain.value(at: x.span))
        #expect(abs(values.0 - values.1) <= 1e-13 * values.1)
        // Hessian as a matrix against its products.
        let v: [Double] = random.normal(count: 30), dense = problem.lagrangianHessian(at: x.span, multipliers: u.span)
        var product = v
        var span = product.mutableSpan
        problem.lagrangianHessianProduct(at: x.span, multipliers: u.span, direction: v.span, into: &span)
        #expect(norm(minus(dense * v, product)) <= 1e-12 * norm(product))
    }

    /// Ten random rows and the unit sphere, as in the paper, whatever solves the systems.
    @Test(arguments: [NewtonSystemMethod.direct, .sketch(.block(size: 16)), .gmres(restart: 50)]) func isSolved(_ method: NewtonSystemMethod) throws {
        let problem = try Self.problem(seed: 3), ones = [Double](repeating: 1, count: 30)
        let solution = AdaSketchNewton<Double>(method: method, curvatureThreshold: 1e-2).solve(
            problem, from: ones, multipliers: [Double](repeating: 1, count: 11))
        let x = try solution.get()
        #expect(abs(norm(x) - 1) < 1e-4 && norm(minus(problem.linear * x, problem.linearValues)) < 1e-4)
        // No feasible point near by is better: along random tangents, pulled back to the constraints by the sphere's curvature.
        #expect(solution.point.stationarity < 1e-4)
    }

    /// Hyperplanes that do not meet the sphere.
    @Test func infeasibleData() throws {
        let problem = ConstrainedLogisticRegression<Double>(
            features: SparseMatrix([[1, 2], [-1, 1]] as Matrix<Double>), labels: [true, false], linear: [[1, 0]], linearValues: [3])
        let solution = AdaSketchNewton<Double>().solve(problem, from: [1, 1], stopping: .gradientNorm(atMost: 1e-4) || .iterations(300))
        #expect(solution.status != .converged && solution.point.constraintViolation > 0.5, "\(solution.status) \(solution.point.x)")
        #expect(solution.point.residual.isFinite)
    }
}
