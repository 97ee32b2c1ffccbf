import Curvature
import Foundation
import Kernels
import LinearAlgebra
import Randomness
import Testing

@Suite struct HutchinsonTests {
    /// Means and variances over 10⁵ probes against their formulas: AdaHessian, checks 2 and 3. A variance of m samples of kurtosis
    /// below 15 has a relative deviation below 1.2 %: 5 % are four of them.
    @Test(arguments: ProbeDistribution.allCases) func momentsOfTheDiagonal(_ distribution: ProbeDistribution) throws {
        let n = 10, count = 100_000, h = randomSymmetric(n, seed: 3)
        let method = HutchinsonDiagonal<Double>(probes: count, distribution: distribution, seed: 1)
        let estimate = try method.estimate(h), errors = try #require(estimate.standardErrors)
        #expect(estimate.products == count)
        for i in 0..<n {
            let row = dot(h.elements(row: i), h.elements(row: i))
            let variance = row + (distribution == .rademacher ? -1 : 1) * h[i, i] * h[i, i]
            #expect(abs(estimate.values[i] - h[i, i]) < 4.5 * (variance / Double(count)).squareRoot())
            let measured = errors[i] * errors[i] * Double(count)
            #expect(abs(measured - variance) < 0.05 * variance, "\(i): \(measured), \(variance)")
            if distribution == .rademacher {
                // What AdaHessian's average of squares tends to: the row's norm, not the diagonal.
                #expect(abs(measured + estimate.values[i] * estimate.values[i] - row) < 0.02 * row)
            }
        }
    }

    @Test(arguments: ProbeDistribution.allCases) func momentsOfTheTrace(_ distribution: ProbeDistribution) throws {
        let n = 10, count = 100_000, h = randomSymmetric(n, seed: 3)
        let estimate = try HutchinsonTrace<Double>(probes: count, distribution: distribution, seed: 2).estimate(h)
        let squares = dot(h.elements, h.elements), own = h.diagonal.reduce(0) { $0 + $1 * $1 }
        let variance = 2 * (distribution == .rademacher ? squares - own : squares)
        let error = try #require(estimate.standardError)
        #expect(abs(estimate.value - h.trace) < 4.5 * (variance / Double(count)).squareRoot())
        #expect(abs(error * error * Double(count) - variance) < 0.05 * variance)
        #expect(estimate.products == count)
    }

    /// AdaHessian, checks 1 and 5: for signs |z ∘ H z| = |H z| to the bit, and a diagonal matrix is found exactly.
    @Test func signsDoNotRound() throws {
        let h = randomSymmetric(9, seed: 4), d = Matrix<Double>.diagonal([3, -0.5, 20, 1e-3])
        var stream = RandomStream(seed: 7)
        let z: [Double] = stream.rademacher(count: 9), hz = h.apply(z)
        let one = try HutchinsonDiagonal<Double>(probes: 1, seed: 7).estimate(h).values
        #expect(one.map(\.magnitude) == hz.map(\.magnitude))
        #expect(one == zip(z, hz).map { $0 * $1 })
        let normal = try HutchinsonDiagonal<Double>(probes: 1, distribution: .gaussian, seed: 7).estimate(h).values
        #expect(normal.map(\.magnitude) != hz.map(\.magnitude))
        let exact = try HutchinsonDiagonal<Double>(probes: 2).estimate(d)
        #expect(exact.values == d.diagonal)
        #expect(try HutchinsonTrace<Double>(probes: 1).estimate(d).value == d.trace)
    }

    @Test func exactDiagonals() throws {
        let h = randomSymmetric(7, seed: 5)
        let counted = CountingOperator(h), diagonal = try exactDiagonal(of: counted)
        #expect(diagonal == h.diagonal && counted.products == 7)
        #expect(try exactDiagonal(of: Matrix<Float>.zeros(rows: 0, columns: 0)).isEmpty)
        let (f, x) = smallNetwork(Double.self)
        let hessian = HessianOperator(of: f, at: x), found = try exactDiagonal(of: hessian), dense = hessian.dense().diagonal
        #expect(norm(difference(found, dense)) == 0)
    }

    @Test func oneProbeHasNoErrorAndNoneHasNoValue() throws {
        let h = randomSymmetric(3, seed: 1)
        let one = try HutchinsonTrace<Double>(probes: 1).estimate(h), diagonal = try HutchinsonDiagonal<Double>(probes: 1).estimate(h)
        #expect(one.standardError == nil && diagonal.standardErrors == nil)
        let none = HutchinsonDiagonal<Double>(probes: 5).makeState(like: h).estimate
        #expect(none.values == [0, 0, 0] && none.products == 0)
        #expect(HutchinsonTrace<Double>(probes: 5).makeState().estimate.value == 0)
    }

    @Test func resumesToTheSameBits() throws {
        let h = randomSymmetric(150, seed: 8)
        let method = HutchinsonDiagonal<Double>(probes: 9, distribution: .gaussian, seed: 3)
        var state = method.makeState(like: h)
        for _ in 0..<4 { try method.step(&state, h) }
        var restored = try JSONDecoder().decode(HutchinsonDiagonal<Double>.State.self, from: JSONEncoder().encode(state))
        for _ in 0..<5 { try method.step(&restored, h) }
        let same = try restored.estimate == method.estimate(h)
        #expect(same)
        let trace = HutchinsonTrace<Double>(probes: 6, seed: 3)
        var first = trace.makeState()
        for _ in 0..<2 { try trace.step(&first, h) }
        var second = try JSONDecoder().decode(HutchinsonTrace<Double>.State.self, from: JSONEncoder().encode(first))
        for _ in 0..<4 { try trace.step(&second, h) }
        #expect(try second.estimate == trace.estimate(h))
    }

    @Test func nonFiniteProductsAreErrorsAndLeaveTheState() throws {
        let h = CountingOperator(randomSymmetric(4, seed: 2), nonFiniteFrom: 2)
        let method = HutchinsonDiagonal<Double>(probes: 5)
        var state = method.makeState(like: h)
        for _ in 0..<2 { try method.step(&state, h) }
        let before = state
        #expect(throws: CurvatureError.nonFinite(product: 2)) { try method.step(&state, h) }
        #expect(state == before)
        #expect(throws: CurvatureError.nonFinite(product: 0)) { try HutchinsonTrace<Double>(probes: 5).estimate(h) }
        #expect(throws: CurvatureError.nonFinite(product: 0)) { try exactDiagonal(of: h) }
    }

    /// zᵀH z is quadratic in the matrix' scale and nothing else; no square overflows.
    @Test(arguments: [1e-150, 1, 1e150]) func scales(_ c: Double) throws {
        let h = randomSymmetric(6, seed: 9), scaled = c * h
        let a = try HutchinsonTrace<Double>(probes: 4).estimate(h), b = try HutchinsonTrace<Double>(probes: 4).estimate(scaled)
        #expect(abs(b.value - c * a.value) <= 1e-13 * c)
        let zero = try HutchinsonDiagonal<Float>(probes: 3).estimate(Matrix<Float>.zeros(rows: 5, columns: 5))
        #expect(zero.values == [0, 0, 0, 0, 0] && zero.standardErrors == [0, 0, 0, 0, 0])
    }

    @Test func misuseIsRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = try HutchinsonTrace<Double>(probes: 1).estimate(Matrix<Double>.zeros(rows: 2, columns: 3))
        }
        #expect(message(of: result).contains("curvature of a 2×3 operator; expected a square one"))
    }
}

extension Matrix where Scalar == Double {
    func elements(row i: Int) -> [Double] { Array(elements[i * columns..<(i + 1) * columns]) }
}
