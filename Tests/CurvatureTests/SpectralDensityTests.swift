import Curvature
import Foundation
import Kernels
import LinearAlgebra
import Randomness
import Testing

@Suite struct SpectralDensityTests {
    /// Gauss quadrature: with m steps the moments up to 2 m − 1 are those that the probe sees.
    @Test func momentsAreThoseOfTheProbe() throws {
        let a = randomSymmetric(40, seed: 3), m = 5
        let density = try StochasticLanczosQuadrature<Double>(probes: 1, steps: m, seed: 6).estimate(a)
        var stream = RandomStream(seed: 6)
        let z: [Double] = stream.normal(count: 40)
        var power = z
        for j in 0..<2 * m {
            let exact = dot(z, power) / dot(z, z), scale = density.mean { Foundation.pow(abs($0), Double(j)) }
            #expect(abs(density.mean { Foundation.pow($0, Double(j)) } - exact) < 1e-12 * scale)
            power = a * power
        }
        let beyond = density.mean { Foundation.pow($0, Double(2 * m)) }
        #expect(abs(beyond - dot(z, power) / dot(z, z)) > 1e-6 * beyond)
    }

    /// All steps, many probes: the nodes are the eigenvalues, the weights their shares.
    @Test func nodesAreTheEigenvaluesInTheEnd() throws {
        let spectrum = [-3.0, -1, 0, 0, 0, 2, 7, 7]
        let a: Matrix<Double> = try symmetric(spectrum: spectrum, seed: 5)
        let density = try StochasticLanczosQuadrature<Double>(probes: 3000, steps: 90).estimate(a)
        #expect(abs(density.weights.reduce(0, +) - 1) < 1e-12)
        #expect(density.nodes == density.nodes.sorted())
        let apart = density.nodes.map { node in spectrum.map { abs($0 - node) }.min()! }.max()!
        #expect(apart < 1e-10)
        for value in Set(spectrum) {
            let share = density.cumulative(at: value + 0.1) - density.cumulative(at: value - 0.1)
            // Shares of squared normal elements: deviation at most √(2/3000)/8·√multiplicity, five of them.
            let expected = Double(spectrum.count { $0 == value }) / 8
            #expect(abs(share - expected) < 5 * (2 * expected / 8 / 3000).squareRoot())
        }
    }

    @Test func theSmoothedDensityIntegratesToOne() throws {
        let a = randomSymmetric(50, seed: 8)
        let density = try StochasticLanczosQuadrature<Double>(probes: 4, steps: 20).estimate(a)
        let sum = stride(from: -12, to: 12, by: 0.01).reduce(0) { $0 + 0.01 * density.density(at: $1, width: 0.3) }
        #expect(abs(sum - 1) < 1e-9)
        // Wigner's semicircle for elements of variance ⅓: radius 2 √(50/3) = 8.2, and half of the mass on each side of 0.
        #expect(abs(density.cumulative(at: 0) - 0.5) < 0.15 && density.nodes.last! < 9.5)
    }

    @Test func edges() throws {
        let one = try StochasticLanczosQuadrature<Float>(probes: 2).estimate(Matrix<Float>.diagonal([3]))
        #expect(one.nodes.allSatisfy { abs($0 - 3) < 1e-6 } && abs(one.weights.reduce(0, +) - 1) < 1e-6)
        let zero = try StochasticLanczosQuadrature<Double>(probes: 2).estimate(Matrix<Double>.zeros(rows: 9, columns: 9))
        #expect(zero.nodes == [0, 0])
        let broken = CountingOperator(randomSymmetric(6, seed: 1), nonFiniteFrom: 4)
        #expect(throws: CurvatureError.nonFinite(product: 4)) { try StochasticLanczosQuadrature<Double>(probes: 2, steps: 3).estimate(broken) }
        let same = try JSONDecoder().decode(SpectralDensity.self, from: JSONEncoder().encode(zero)) == zero
        #expect(same)
    }
}
