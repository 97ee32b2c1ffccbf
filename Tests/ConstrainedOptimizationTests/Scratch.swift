import ConstrainedOptimization
import Objectives
import Testing
import LinearAlgebra
import Randomness

@Test func scratchTimes() throws {
    let clock = ContinuousClock()
    for order in [500, 700, 1000, 1400, 2000] {
        let m = order / 5, n = order - m
        var random = RandomStream(seed: 1)
        let g = Matrix<Double>(rows: n, columns: m, elements: random.normal(count: n * m))
        let j = try QR(g).q().transposed()
        let low = Matrix<Double>(rows: n, columns: 20, elements: random.normal(count: n * 20))
        var h = multiply(low, low, transposeB: true)
        h = (0.3 / Double(n)) * h + Matrix.identity(n)
        let system = try NewtonSystem(hessian: h, jacobian: j, lagrangianGradient: random.normal(count: n), constraintValues: random.normal(count: m))
        let bound = 1e-6 / (system.norm * system.inverseBound) * Double.nrm2(system.rightHandSide.span)
        print(order, "psi", system.inverseBound, "norm", system.norm, "relative bound", bound / Double.nrm2(system.rightHandSide.span))
        var best = 1e9
        for _ in 0..<5 {
            let t = clock.measure { _ = try? LU(system.matrix).solve(system.rightHandSide) }
            best = min(best, Double(t.components.attoseconds) * 1e-18 + Double(t.components.seconds))
        }
        print("  LU", best)
        for q in [8, 16, 32] {
            var setup = 1e9, total = 1e9, pass = 1e9, passes = 0, r = 0.0
            for _ in 0..<3 {
                var method: SketchAndProject<Double>?
                let t = clock.measure { method = SketchAndProject(system.matrix, system.rightHandSide, sketch: .block(size: q), random: RandomStream(seed: 3)) }
                var state = method!.makeState(from: [Double](repeating: 0, count: order), random: RandomStream(seed: 4))
                let t2 = clock.measure { r = method!.solve(&state, residualBound: bound, limit: 20 * method!.stepsPerPass * 20) }
                passes = state.steps / method!.stepsPerPass
                let a = Double(t.components.attoseconds) * 1e-18, b = Double(t2.components.attoseconds) * 1e-18 + Double(t2.components.seconds)
                setup = min(setup, a); total = min(total, a + b); pass = min(pass, b / Double(max(1, passes)))
            }
            print("  q", q, "setup/LU", setup / best, "pass/LU", pass / best, "total/LU", total / best, "passes", passes, "reached", r <= bound)
        }
    }
}
