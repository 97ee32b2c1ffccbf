import LinearAlgebra
import LinearSolvers
import Testing

@Suite struct LeastSquaresTests {
    private let sharp = LeastSquaresStopping(a: 1e-13, b: 1e-13, condition: 1e12)

    /// Tall, wide and square, with ridge and without, against LAPACK.
    @Test func agreeWithLAPACK() throws {
        for (m, n) in [(30, 12), (12, 12), (12, 30), (5, 1), (1, 4)] {
            let a = Matrix(rows: m, columns: n, elements: normals(m * n, UInt64(m + n))), b = normals(m, 7)
            for damping in [0, 0.5] {
                // (A; λI) x = (b; 0).
                let stacked = Matrix<Double>(rows: m + n, columns: n) { i, j in i < m ? a[i, j] : (i - m == j ? damping : 0) }
                let column = Matrix(rows: m, columns: 1, elements: b), padded = b + [Double](repeating: 0, count: n)
                let exact = damping == 0 ? try leastSquares(a, column).solution.elements : try QR(stacked).solve(padded)
                for (name, solution) in [("lsqr", LSQR(damping: damping, stopping: sharp).solve(a, b)), ("lsmr", LSMR(damping: damping, stopping: sharp).solve(a, b))] {
                    let error = distance(solution.iterate, exact) / norm(exact)
                    #expect(solution.status == .converged && error < 1e-9, "\(name) \(m)×\(n), damping \(damping): \(error), \(solution.reason)")
                    let residual = trueResidual(a, solution.iterate, b)
                    #expect(abs(residual - solution.residualNorm) < 1e-6 * norm(b), "\(name): \(residual), said \(solution.residualNorm)")
                }
            }
        }
    }

    /// The damping acts on x − x₀.
    @Test func dampingFromAStart() throws {
        let a = Matrix(rows: 20, columns: 6, elements: normals(120, 1)), b = normals(20, 2), start = normals(6, 3)
        let r = zip(b, a.apply(start)).map { $0 - $1 }
        let stacked = Matrix<Double>(rows: 26, columns: 6) { i, j in i < 20 ? a[i, j] : (i - 20 == j ? 0.7 : 0) }
        let correction = try QR(stacked).solve(r + [Double](repeating: 0, count: 6))
        let exact = zip(start, correction).map { $0 + $1 }
        for solution in [LSQR(damping: 0.7, stopping: sharp).solve(a, b, from: start), LSMR(damping: 0.7, stopping: sharp).solve(a, b, from: start)] {
            #expect(distance(solution.iterate, exact) < 1e-10)
        }
    }

    /// LSQR is conjugate gradients on the normal equations, LSMR is MINRES on them: after k steps, and ‖Aᵀr‖ never rises with the latter.
    @Test func normalEquations() {
        let a = Matrix(rows: 25, columns: 10, elements: normals(250, 4)), b = normals(25, 5)
        let normal = a.adjoint.composed(with: a), right = a.applyAdjoint(b)
        var last = Double.infinity
        for k in 1...7 {
            let none = LeastSquaresStopping(a: 0, b: 0, condition: 1e300)
            let lsqr = LSQR(stopping: none, iterationLimit: k).solve(a, b), lsmr = LSMR(stopping: none, iterationLimit: k).solve(a, b)
            let cg = ConjugateGradient<Double>(tolerance: .absolute(0), iterationLimit: k).solve(normal, right)
            let minres = MINRES<Double>(tolerance: .absolute(0), iterationLimit: k).solve(normal, right)
            #expect(distance(lsqr.iterate, cg.iterate) < 1e-8 * norm(cg.iterate))
            #expect(distance(lsmr.iterate, minres.iterate) < 1e-8 * norm(minres.iterate))
            let gradient = norm(a.applyAdjoint(zip(b, a.apply(lsmr.iterate)).map { $0 - $1 }))
            #expect(gradient <= last)
            last = gradient
        }
    }

    @Test func illConditioned() {
        let a = Matrix<Double>(rows: 20, columns: 8) { i, j in i == j ? 1 / Double(sign: .plus, exponent: 5 * j, significand: 1) : 0 }
        let b = [Double](repeating: 1, count: 20)
        for solution in [LSQR(stopping: .init(a: 1e-15, b: 1e-15, condition: 1e4)).solve(a, b), LSMR(stopping: .init(a: 1e-15, b: 1e-15, condition: 1e4)).solve(a, b)] {
            #expect(solution.status == .singular && solution.reason.contains("condition"))
        }
    }
}
