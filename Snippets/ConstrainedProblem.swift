// A problem with an equality constraint, written as formulas: the point of a circle that is nearest to (2, 1).
import Descent

let problem = FormulaProblem<Double>(dimension: 2, constraintCount: 1) { x in
    .pow(x[0] - 2, 2) + .pow(x[1] - 1, 2)
} constraints: { x in
    [x[0] * x[0] + x[1] * x[1] - 1]
}
let check = checkConstraints(of: problem, at: [0.4, 1.3])
print("derivatives right:", check.passed)

// Directions by blocks of rows; `.automatic` takes a factorisation for so small a system.
let solution = AdaSketchNewton<Double>(method: .sketch(.block(size: 8))).solve(problem, from: [0, 1])
print(solution.status, solution.iterations, try solution.get())
print("f", solution.point.value, "‖c‖", solution.point.constraintViolation, "λ", solution.point.multipliers)

// What cannot be met is said, with the violation that was reached.
let apart = FormulaProblem<Double>(dimension: 2, constraintCount: 2) { x in x[0] } constraints: { x in [x[0] + x[1] - 1, x[0] + x[1] - 3] }
let failed = AdaSketchNewton<Double>().solve(apart, from: [0, 0])
print(failed.status, failed.reason)
