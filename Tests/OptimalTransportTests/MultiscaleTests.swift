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
        #expect(transport.status == .converged, "\(transport.reason)")
        #expect(abs(transport.dualValue - dense.dualValue) < 1e-4 * dense.dualValue * 0.1)
        #expect(abs(transport.transportCost - dense.transportCost) < 1e-4 * dense.transportCost)
        #expect(transport.marginalError <= 1e-6 && found.omittedMass < 1e-7 && found.valueError == epsilon * found.omittedMass)
        #expect(part > 0.002 || d > 2 || found.skippedShare > 0.3, "\(found.skippedShare)")
        let probe = uniform(m, 1, seed: 5).elements, image = transport.plan.apply(probe), expected = dense.plan.apply(probe)
        let far = zip(image, expected).map { abs($0 - $1) }.max()!
        #expect(far < 1e-6)
    }

    /// The bound holds: the potentials give the skipped pairs no more mass than is said, whatever the tiles.
    @Test(arguments: [1, 8, 64, 1000]) func omittedMassIsABound(_ tileSize: Int) throws {
        let x = uniform(400, 2, seed: 6), y = uniform(300, 2, seed: 7), problem = try TransportProblem(Geometry(from: x, to: y))
        let epsilon = 0.002, found = try MultiscaleSinkhorn(epsilon: epsilon, tolerance: 1e-3, tileSize: tileSize).solve(problem), transport = found.transport
        #expect(transport.status == .converged, "\(transport.reason)")
        let f = transport.sourcePotential, g = transport.targetPotential, kept = transport.plan.dense()
        var skipped = 0.0, worst = 0.0
        for i in 0..<400 {
            for j in 0..<300 {
                let entry = Double.exp((f[i] + g[j] - problem.geometry[i, j]) / epsilon) / 120_000
                if kept[i, j] == 0 { skipped += entry } else { worst = max(worst, abs(entry - kept[i, j])) }
            }
        }
        #expect(skipped <= found.omittedMass * (1 + 1e-9) + 1e-200 && worst < 1e-12, "\(skipped) \(found.omittedMass) \(worst)")
        #expect(tileSize == 1000 ? found.skippedShare == 0 && found.omittedMass == 0 : found.skippedShare > 0.1 && found.omittedMass > 0)
        // The error that is reported has the skipped mass in it.
        let ones = [Double](repeating: 1, count: 300), sent = transport.plan.apply(ones), received = transport.plan.applyAdjoint([Double](repeating: 1, count: 400))
        let error = zip(sent, problem.sourceWeights).reduce(0) { $0 + abs($1.0 - $1.1) } + zip(received, problem.targetWeights).reduce(0) { $0 + abs($1.0 - $1.1) }
        #expect(abs(error + 2 * found.omittedMass - transport.marginalError) < 1e-12)
    }

    /// Potentials of the means are a good start for those of the points: at the last ε the first pass has most of the mass in its place.
    @Test func childrenBeginWell() throws {
        let x = uniform(6000, 2, seed: 22), y = uniform(6000, 2, seed: 23).map { $0 + 3 }, problem = try TransportProblem(Geometry(from: x, to: y))
        let errors = try MultiscaleSinkhorn(epsilon: 0.01, tolerance: 1e-2).solve(problem).transport.marginalErrors
        #expect(errors[0] < 0.4 && errors.count < 25, "\(errors)")
    }

    /// Products, entries and values of the plan agree with each other.
    @Test func plan() throws {
        let problem = try TransportProblem(Geometry(from: uniform(200, 3, seed: 8), to: uniform(150, 3, seed: 9)), from: weights(200, seed: 10), to: weights(150, seed: 11))
        let transport = try MultiscaleSinkhorn(epsilon: 0.01, tileSize: 16).solve(problem).transport, plan = transport.plan, dense = plan.dense()
        let y = uniform(150, 2, seed: 12), z = uniform(200, 1, seed: 13).elements
        #expect((plan.multiplied(by: y) - dense * y).maxNorm < 1e-14)
        #expect(zip(plan.applyAdjoint(z), dense.applyAdjoint(z)).allSatisfy { abs($0 - $1) < 1e-14 })
        #expect((plan.sparse(above: 0).dense() - dense).maxNorm < 1e-14)
        let cost = dense.multipliedElementwise(by: problem.geometry.costMatrix()).elements.reduce(0, +)
        #expect(abs(transport.transportCost - cost) < 1e-12 && abs(transport.dualityGap) < 1e-4)
    }

    @Test func weightsOfZeroAndFewPoints() throws {
        var a = weights(300, seed: 14), b = weights(280, seed: 15)
        for i in 0..<300 where i % 7 == 0 { a[i] = 0 }
        for j in 0..<100 { b[j] = 0 }
        let scale = a.reduce(0, +) / b.reduce(0, +)
        // The first hundred targets without mass stand apart, so that whole tiles have none.
        let y = Matrix<Double>(rows: 280, columns: 2) { i, k in Double(i < 100 ? 5 : 0) + uniform(280, 2, seed: 16)[i, k] }
        let problem = try TransportProblem(Geometry(from: uniform(300, 2, seed: 17), to: y), from: a, to: b.map { $0 * scale })
        let found = try MultiscaleSinkhorn(epsilon: 0.01, tolerance: 1e-6, tileSize: 16).solve(problem).transport, dense = try Sinkhorn(epsilon: 0.01).solve(problem).get()
        #expect(found.status == .converged && abs(found.dualValue - dense.dualValue) < 1e-6 * dense.dualValue)
        #expect(found.sourcePotential.allSatisfy { $0.isFinite } && found.targetPotential.allSatisfy { $0.isFinite })
        for (n, m) in [(1, 1), (1, 5), (7, 2)] {
            let small = try TransportProblem(Geometry(from: uniform(n, 2, seed: 18), to: uniform(m, 2, seed: 19)))
            let one = try MultiscaleSinkhorn(epsilon: 0.1, tolerance: 1e-8).solve(small).transport, other = try Sinkhorn(epsilon: 0.1, tolerance: 1e-10).solve(small).get()
            #expect(one.status == .converged && abs(one.dualValue - other.dualValue) < 1e-8, "\(n)×\(m): \(one.reason)")
        }
        let same = try TransportProblem(Geometry(from: Matrix<Double>(rows: 200, columns: 2, repeating: 1), to: Matrix(rows: 100, columns: 2, repeating: 1)))
        let nowhere = try MultiscaleSinkhorn(epsilon: 0.1).solve(same).transport
        #expect(nowhere.status == .converged && abs(nowhere.transportCost) < 1e-12)
    }

    @Test func endsAreSaid() throws {
        let problem = try TransportProblem(Geometry(from: uniform(500, 2, seed: 20), to: uniform(500, 2, seed: 21)))
        let limited = try MultiscaleSinkhorn(epsilon: 0.001, tolerance: 1e-9, iterationLimit: 1).solve(problem).transport
        #expect(limited.status == .iterationLimit && limited.iterations == 1 && limited.marginalError > 1e-9)
        #expect(throws: TransportError.self) { try MultiscaleSinkhorn(epsilon: 1e-17).solve(problem) }
        let x = uniform(500, 2, seed: 20).map { Float($0) }, y = uniform(500, 2, seed: 21).map { Float($0) }
        let single = try MultiscaleSinkhorn<Float>(epsilon: 0.005).solve(TransportProblem(Geometry(from: x, to: y))).transport
        let double = try Sinkhorn(epsilon: 0.005).solve(problem).get()
        #expect(single.status == .converged && abs(Double(single.dualValue) - double.dualValue) < 1e-4 * double.dualValue, "\(single.reason)")
    }
}
