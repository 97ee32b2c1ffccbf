import LinearAlgebra
import Objectives
import Randomness
import Testing

@Suite struct ProtocolTests {
    static let regression: TestProblems.LogisticRegression<Double> = {
        var stream = RandomStream(seed: 5)
        let features = Matrix<Double>(rows: 40, columns: 3, elements: stream.normal(count: 120))
        let noise: [Double] = stream.normal(count: 40)
        let labels = (0..<40).map { features[$0, 0] - 2 * features[$0, 1] + noise[$0] > 0 }
        return TestProblems.LogisticRegression(features: features, labels: labels, ridge: 0.1)
    }()

    @Test func logisticRegressionDerivatives() {
        for seed in 0..<3 as Range<UInt64> {
            let gradient = checkGradient(of: Self.regression, at: [0.3, -0.7, 0.2], seed: seed)
            #expect(gradient.passed, "\(gradient.message)")
            let hessian = checkHessian(of: Self.regression, at: [0.3, -0.7, 0.2], seed: seed)
            #expect(hessian.passed, "\(hessian.message)")
        }
    }

    @Test func logisticRegressionAtZeroAndFarAway() {
        let zero = [0.0, 0, 0], far = [1e6, 1e6, -1e6]
        let atZero = Self.regression.value(at: zero.span)
        #expect(abs(atZero - 0.6931471805599453) < 1e-15)
        #expect(Self.regression.value(at: far.span).isFinite)
        for component in Self.regression.gradient(at: far) { #expect(component.isFinite) }
    }

    @Test func logisticRegressionIsSolved() throws {
        let solution = GradientDescent().solve(Self.regression, from: [0, 0, 0], stopping: .gradientNorm(atMost: 1e-7))
        let x = try solution.get()
        // Strong convexity of λ = 0.1 bounds what any other point can gain: ‖g‖²/(2λ).
        var stream = RandomStream(seed: 6)
        for _ in 0..<200 {
            let step: [Double] = stream.normal(count: 3)
            let other = zip(x, step).map { $0 + 0.1 * $1 }
            let value = Self.regression.value(at: other.span)
            #expect(value >= solution.value - 1e-13)
        }
    }

    @Test func minibatchesAverageToTheWhole() {
        let x = [0.3, -0.7, 0.2], problem = Self.regression
        let whole = problem.gradient(at: x)
        var mean = [0.0, 0, 0], value = 0.0
        for start in stride(from: 0, to: 40, by: 8) {
            var gradient = [Double](repeating: .nan, count: 3)
            let terms = Array(start..<start + 8)
            do {
                var span = gradient.mutableSpan
                value += problem.valueAndGradient(at: x.span, terms: terms.span, gradient: &span) / 5
            }
            for j in 0..<3 { mean[j] += gradient[j] / 5 }
        }
        let expected = problem.value(at: x.span)
        #expect(abs(value - expected) < 1e-14)
        for j in 0..<3 { #expect(abs(mean[j] - whole[j]) < 1e-14) }
        let all = Array(0..<40), repeated = [3, 3], single = [3]
        let allValue = problem.value(at: x.span, terms: all.span)
        #expect(abs(allValue - expected) < 1e-14)
        let twice = problem.value(at: x.span, terms: repeated.span), once = problem.value(at: x.span, terms: single.span)
        #expect(twice == once)
    }

    @Test func countsEachKind() {
        let counted = CountingObjective(Self.regression), copy = counted
        let x = [0.3, -0.7, 0.2], terms = [1, 2, 5]
        _ = counted.value(at: x.span)
        _ = counted.gradient(at: x)
        _ = counted.gradient(at: x)
        _ = counted.value(at: x.span, terms: terms.span)
        var products = [Double](repeating: 0, count: 6)
        do {
            let directions = x + x
            var span = products.mutableSpan
            copy.hessianVectorProducts(at: x.span, directions: directions.span, into: &span)
        }
        #expect(counted.counts == EvaluationCounts(values: 1, gradients: 2, hessianProducts: 2, terms: 3))
        #expect(counted.counts.total == 5)
        counted.reset()
        #expect(copy.counts == EvaluationCounts())
    }

    @Test func productsOfSeveralDirectionsAreTheSingleOnes() {
        let problem = TestProblems.Rosenbrock<Double>(dimension: 3)
        let x = [0.3, -0.7, 0.2], directions = [1, 2, 3, -1, 0.5, 4.0]
        var together = [Double](repeating: .nan, count: 6), alone = [Double](repeating: .nan, count: 3)
        do {
            var span = together.mutableSpan
            problem.hessianVectorProducts(at: x.span, directions: directions.span, into: &span)
        }
        let second = Array(directions[3...])
        do {
            var span = alone.mutableSpan
            problem.hessianVectorProduct(at: x.span, direction: second.span, into: &span)
        }
        #expect(Array(together[3...]) == alone)
    }

    @Test func boundsProjectToTheNearestPoint() {
        let bounds = Bounds<Double>(lower: [-1, 0, -.infinity], upper: [1, 0, 5])
        var x = [3.0, 7, -1e300]
        do {
            var span = x.mutableSpan
            bounds.project(&span)
        }
        #expect(x == [1, 0, -1e300])
        let outside = [0, 0, 5.1], undefined = [.nan, 0, 0.0]
        let results = (bounds.contains(x.span), bounds.contains(outside.span), bounds.contains(undefined.span))
        #expect(results == (true, false, false))
    }

    /// min x + y on the circle x² + y² = 2: the multiplier condition ∇f + Jᵀu = 0 holds at (−1, −1) with u = ½.
    struct Circle: ConstrainedObjective {
        var dimension: Int { 2 }
        var constraintCount: Int { 1 }
        func value(at x: Span<Double>) -> Double { x[0] + x[1] }
        func valueAndGradient(at x: Span<Double>, gradient: inout MutableSpan<Double>) -> Double {
            gradient.update(repeating: 1)
            return x[0] + x[1]
        }
        func constraints(at x: Span<Double>, into values: inout MutableSpan<Double>) { values[0] = x[0] * x[0] + x[1] * x[1] - 2 }
        func jacobianProduct(at x: Span<Double>, direction v: Span<Double>, into product: inout MutableSpan<Double>) {
            product[0] = 2 * (x[0] * v[0] + x[1] * v[1])
        }
        func transposedJacobianProduct(at x: Span<Double>, multipliers u: Span<Double>, into product: inout MutableSpan<Double>) {
            for i in 0..<2 { product[i] = 2 * x[i] * u[0] }
        }
    }

    @Test func constrainedObjectivesAreFreeUnlessBounded() {
        let circle = Circle(), x = [-1.0, -1], multiplier = [0.5]
        var product = [Double](repeating: .nan, count: 2)
        do {
            var span = product.mutableSpan
            circle.transposedJacobianProduct(at: x.span, multipliers: multiplier.span, into: &span)
        }
        #expect(zip(circle.gradient(at: x), product).allSatisfy { $0 + $1 == 0 })
        #expect(circle.bounds == .unbounded(dimension: 2))
    }
}
