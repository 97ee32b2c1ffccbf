// One problem, three factorisations, and an error that says what is wrong.
import Descent

let a: Matrix<Double> = [[4, 1, 0], [1, 3, 1], [0, 1, 2]]
let b = [1.0, 2, 3]

let x = try Cholesky(a).solve(b)  // symmetric positive definite: half the work of LU
let same = try LU(a).solve(b)  // any square matrix
let fit = try leastSquares(a, b)  // any shape and rank
print(x, same, fit.solution, "rank \(fit.rank)")

do {
    _ = try Cholesky([[1, 2], [2, 1]] as Matrix<Double>)
} catch {
    print(error)
}
