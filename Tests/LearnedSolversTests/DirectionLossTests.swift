import Autodiff
import LearnedSolvers
import LinearAlgebra
import LinearSolvers
import Testing

@Suite struct DirectionLossTests {
    private let a = laplacian(6, 7)
    private let r = Tensor<Double>(shape: [3, 42], elements: normal(126, seed: 1))
    private let q = Tensor<Double>(shape: [3, 42], elements: normal(126, seed: 2))

    /// Check 6: the loss two ways, scale, Aᵀ-exactness, and its gradient.
    @Test func formulaAndGradient() throws {
        let loss = DirectionLoss(a)
        var sum = 0.0
        for k in 0..<3 {
            let qk = Array(q.elements[k * 42..<(k + 1) * 42]), rk = Array(r.elements[k * 42..<(k + 1) * 42]), image = a.apply(qk)
            let alpha = Double.dot(qk.span, rk.span) / Double.dot(qk.span, image.span)
            // ‖r‖² − 2 α rᵀA q + α² ‖A q‖².
            sum += Double.dot(rk.span, rk.span) - 2 * alpha * Double.dot(rk.span, image.span) + alpha * alpha * Double.dot(image.span, image.span)
        }
        let value = loss(q, r).scalar
        #expect(abs(value - sum / 3) < 1e-13 * value)
        #expect(abs(loss(3 * q, r).scalar - value) < 1e-14 * value)
        #expect(abs(loss(-1 * q, r).scalar - value) < 1e-14 * value)
        let inverse = try ExactInverse(a)
        let exact = Tensor<Double>(shape: [3, 42], elements: (0..<3).flatMap { inverse.apply(Array(r.elements[$0 * 42..<($0 + 1) * 42])) })
        #expect(loss(exact, r).scalar < 1e-24)

        let slope = gradient(of: { loss($0, r) })(q)
        for k in 0..<3 {
            let part = k * 42..<(k + 1) * 42, slopes = Array(slope.elements[part]), qk = Array(q.elements[part])
            #expect(abs(Double.dot(slopes.span, qk.span)) < 1e-13 * norm(slopes) * norm(qk))
        }
        let direction = normal(126, seed: 3), h = 1e-5
        func moved(_ t: Double) -> Double {
            loss(Tensor(shape: [3, 42], elements: zip(q.elements, direction).map { $0 + t * $1 }), r).scalar
        }
        let central = (moved(h) - moved(-h)) / (2 * h), analytic = Double.dot(slope.span, direction.span)
        #expect(abs(central - analytic) < 1e-6 * abs(analytic))
    }

    /// Check 7.
    @Test func isTheFirstResidual() {
        let unit = r.elements[0..<42].map { $0 / norm(Array(r.elements[0..<42])) }
        let direction = Array(q.elements[0..<42])
        let solution = DeepConjugateDirection(model: ConstantDirection(value: direction), iterationLimit: 1).solve(a, unit, recordsResiduals: true)
        let loss = DirectionLoss(a)(Tensor(shape: [1, 42], elements: direction), Tensor(shape: [1, 42], elements: unit)).scalar
        #expect(abs(solution.residualNorms[1] * solution.residualNorms[1] - loss) < 1e-14)
    }

    @Test func noStepWithoutEnergy() {
        let zero = Tensor<Double>.zeros([3, 42]), loss = DirectionLoss(a)
        let (value, slope) = valueAndGradient(of: { loss($0, r) })(zero)
        #expect(abs(value.scalar - Double.dot(r.span, r.span) / 3) < 1e-12 && slope.elements.allSatisfy { $0 == 0 })
    }
}
