import ConstrainedOptimization
import Kernels
import LinearAlgebra
import Objectives
import Randomness

func problem(_ name: String) -> ConstrainedTestProblem<Double> {
    ConstrainedTestProblems.all(Double.self).first { $0.name == name }!
}

func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
func norm(_ a: [Double]) -> Double { dot(a, a).squareRoot() }
func minus(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 - $1 } }

/// A random symmetric Hessian, positive definite on the kernel of a random Jacobian or not, as a Newton system.
func randomSystem(variables n: Int, constraints m: Int, seed: UInt64) throws -> NewtonSystem<Double> {
    var random = RandomStream(seed: seed)
    let g = Matrix<Double>(rows: n, columns: n, elements: random.normal(count: n * n))
    return try NewtonSystem(
        hessian: g + g.transposed(), jacobian: Matrix(rows: m, columns: n, elements: random.normal(count: n * m)),
        lagrangianGradient: random.normal(count: n), constraintValues: random.normal(count: m))
}
