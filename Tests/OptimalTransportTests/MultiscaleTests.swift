import Kernels
import LinearAlgebra
import Objectives
import OptimalTransport
import Randomness
import RealModule
import Testing

private func uniform(_ n: Int, _ d: Int, seed: UInt64) -> Matrix<Double> {
    var random = RandomStream(seed: seed)
    return Matrix(rows: n, columns: d, elements: random.uniform(count: n * d))
}

private func weights(_ n: Int, seed: UInt64) -> [Double] {
    var random = RandomStream(seed: seed)
    let raw: [Double] = random.uniform(count: n).map { $0 + 0.1 }
    let sum = raw.reduce(0, +)
    return raw.map { $0 / sum }
}

@Suite struct MultiscaleTests {
    /// Check 18: values, potentials and plans are those of the passes over all pairs, and the share of skipped pairs is said.
    @Test(arguments: [1, 2, 3], [0.1, 0.01, 0.002]) func equalsTheDenseSolver(_ d: Int, _ part: Double) throws {
        let n = 1500, m = 1200, shift = 0.3
        let y = uniform(m, d, seed: 2).map { $0 * $0 + shift }
        let problem = try TransportProblem(Geometry(from: uniform(n, d, seed: 1), to: y), from: weights(n, seed: 3), to: weights(m, seed: 4))
        let epsilon = part * problem.geometry.meanCost()
        let dense = try Sinkhorn(epsilon: epsilon, tolerance: 1e-6).solve(problem).get()
        let found = try MultiscaleSinkhorn(epsilon: epsilon, tolerance: 1e-6).solve(problem), transport = found.transport
        print(d, part, transport.status, transport.iterations, transport.reason, found.skippedShare, found.omittedMass, transport.seconds, dense.seconds, transport.dualValue - dense.dualValue, transport.transportCost - dense.transportCost)
        #expect(transport.status == .converged, "\(transport.reason)")
        #expect(abs(transport.dualValue - dense.dualValue) < 1e-4 * dense.dualValue * 0.1)
        #expect(abs(transport.transportCost - dense.transportCost) < 1e-4 * dense.transportCost)
        #expect(transport.marginalError <= 1e-6 && found.omittedMass < 1e-7 && found.valueError == epsilon * found.omittedMass)
        #expect(part > 0.002 || d > 2 || found.skippedShare > 0.3, "\(found.skippedShare)")
        let probe = uniform(m, 1, seed: 5).elements, image = transport.plan.apply(probe), expected = dense.plan.apply(probe)
        let far = zip(image, expected).map { abs($0 - $1) }.max()!
        #expect(far < 1e-6)
    }
}
