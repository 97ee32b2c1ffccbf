// 400 related systems whose relaxation factor is learned from the iterations they take.
import Descent

var systems = ShiftedLaplacians(.high, random: RandomStream(seed: 1))
let bandit = ChebCB(arms: evenlySpaced(1...1.95, count: 20), contexts: ShiftedLaplacians.contexts, random: RandomStream(seed: 2))
var tuner = RelaxationTuner(bandit)
var iterations: [Int] = []
for _ in 0..<400 {
    let system = systems.next()
    iterations.append(tuner.solve(system.matrix, system.rightHandSide, context: system.shift).solution.iterations)
}
print(iterations[..<100].reduce(0, +) / 100, "sweeps a system at first,", iterations[300...].reduce(0, +) / 100, "at last")
