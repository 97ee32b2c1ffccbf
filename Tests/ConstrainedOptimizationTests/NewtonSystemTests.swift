import ConstrainedOptimization
import Kernels
import LinearAlgebra
import Objectives
import Randomness
import Testing

@Suite struct NewtonSystemTests {
    /// Check 5: Ψ is a bound of ‖Γ⁻¹‖, and the constant 20 is generous.
    @Test func inverseBoundHolds() throws {
        var largest = 0.0
        for seed in 0..<2000 as Range<UInt64> {
            let n = 2 + Int(seed % 5), m = 1 + Int(seed / 5) % (n - 1)
            let system = try randomSystem(variables: n, constraints: m, seed: seed)
            let norm = 1 / (try SymmetricEigen.values(of: system.matrix).map(\.magnitude).min()!)
            largest = max(largest, norm / system.inverseBound)
            #expect(norm <= system.inverseBound)
        }
        #expect(largest < 0.1, "\(largest)")
    }

    @Test func computedBoundIsTheNorm() throws {
        let g = Matrix<Double>.identity(4), j: Matrix<Double> = [[1, 0, 0, 0], [0, 2, 0, 0]]
        let system = try NewtonSystem(hessian: g, jacobian: j, lagrangianGradient: [1, 2, 3, 4], constraintValues: [1, 1], inverseBound: .computed)
        // Eigenvalues 1, 1, (1 ± √5)/2, (1 ± √17)/2.
        #expect(abs(system.inverseBound - 2 / (5.0.squareRoot() - 1)) < 1e-14)
        #expect(system.leastJacobianEigenvalue == 1 && system.greatestJacobianEigenvalue == 4 && system.shift == 0)
        #expect(system.rightHandSide == [-1, -2, -3, -4, -1, -1])
    }

    /// Where H has negative curvature on the kernel, B has at least ξ_B there; otherwise H stays as it is, also if it is indefinite elsewhere.
    @Test func shiftMakesTheReducedHessianPositive() throws {
        var shifted = 0
        for seed in 0..<200 as Range<UInt64> {
            let system = try randomSystem(variables: 6, constraints: 2, seed: seed)
            let b = system.matrix.submatrix(rows: 0..<6, columns: 0..<6)
            let kernel = try SVD(system.jacobian, vectors: .full).vTransposed.submatrix(rows: 2..<6, columns: 0..<6)
            let least = try SymmetricEigen.values(of: multiply(kernel * b, kernel, transposeB: true))[0]
            #expect(least >= (system.shift > 0 ? 0.1 : 1e-6) - 1e-9)
            #expect(least >= system.reducedCurvature - 1e-9)
            shifted += system.shift > 0 ? 1 : 0
        }
        #expect(shifted > 50 && shifted < 200)
        // Curvature between the threshold and ξ_B stays, and is measured.
        let flat = try NewtonSystem(
            hessian: .diagonal([-3, 1, 0.02]), jacobian: [[1, 0, 0]], lagrangianGradient: [0, 0, 0], constraintValues: [0])
        #expect(flat.shift == 0 && abs(flat.reducedCurvature - 0.02) < 1e-12)
        let bent = try NewtonSystem(hessian: .diagonal([1, 1, -3]), jacobian: [[1, 0, 0]], lagrangianGradient: [0, 0, 0], constraintValues: [0])
        #expect(abs(bent.shift - (0.1 + 11.0.squareRoot())) < 1e-14)
    }

    /// Check 6: with residuals of κ‖b‖ and unit steps the KKT residual falls by κ near a solution; with κ = K it falls faster and faster.
    @Test func localRateIsTheAccuracyOfTheSystems() throws {
        let hs78 = problem("HS78")
        let solution = AdaSketchNewton<Double>(method: .direct).solve(hs78.problem, from: hs78.start, stopping: .gradientNorm(atMost: 1e-12))
        _ = try solution.get()
        func ratios(_ kappa: (Double) -> Double) throws -> [Double] {
            var random = RandomStream(seed: 4)
            var x = zip(solution.point.x, random.normal(count: 5) as [Double]).map { $0 + 1e-4 * $1 }
            var multipliers = solution.point.multipliers, ratios: [Double] = []
            for _ in 0..<6 {
                let point = KKTPoint(hs78.problem, at: x, multipliers: multipliers), system = try NewtonSystem(hs78.problem, at: point)
                #expect(system.shift == 0)
                let noise: [Double] = random.normal(count: 8), size = kappa(point.residual) * point.residual / norm(noise)
                let z = try LU(system.matrix).solve(zip(system.rightHandSide, noise).map { $0 + size * $1 })
                x = zip(x, z).map { $0 + $1 }
                multipliers = zip(multipliers, z[5...]).map { $0 + $1 }
                let next = KKTPoint(hs78.problem, at: x, multipliers: multipliers).residual
                ratios.append(next / point.residual)
                if next < 1e-10 { break }
            }
            return ratios
        }
        for kappa in [0.5, 0.1, 0.01] {
            let measured = try ratios { _ in kappa }
            for ratio in measured.prefix(3) { #expect(ratio <= 1.05 * kappa && ratio > 0.5 * kappa, "\(kappa): \(measured)") }
        }
        let superlinear = try ratios { min(1, $0) }
        #expect(superlinear.count >= 2 && superlinear[1] < 0.1 * superlinear[0], "\(superlinear)")
    }

    @Test func notANumberIsAnError() {
        #expect(throws: LinearAlgebraError.self) {
            try NewtonSystem(hessian: .diagonal([.nan, 1]), jacobian: [[1, 0]], lagrangianGradient: [0, 0], constraintValues: [0] as [Double])
        }
    }

    /// Every method reaches the bound, where it can, and all find the same direction.
    @Test(arguments: [NewtonSystemMethod.direct, .automatic, .sketch(.row), .sketch(.gaussian), .sketch(.block(size: 4)), .gmres(restart: 10)])
    func methodsAgree(_ method: NewtonSystemMethod) throws {
        let p = problem("HS78"), system = try NewtonSystem(p.problem, at: KKTPoint(p.problem, at: p.start, multipliers: [0, 0, 0]))
        let bound = 1e-9 * norm(system.rightHandSide), direction = try system.solve(by: method, residualBound: bound)
        #expect(direction.residualNorm <= bound && direction.isFactorized == (method == .direct || method == .automatic))
        let exact = try LU(system.matrix).solve(system.rightHandSide)
        #expect(norm(minus(direction.z, exact)) <= bound * system.inverseBound)
        let none = try system.solve(by: method, residualBound: 1e9)
        #expect(none.steps == 0 && !none.isFactorized && none.z.allSatisfy { $0 == 0 })
    }

    /// A well-conditioned system of order 1000 to low accuracy is one for blocks; to the accuracy that the method asks for it is one for the factorisation.
    @Test func automaticChoice() throws {
        let n = 800, m = 200
        var random = RandomStream(seed: 1)
        let jacobian = try QR(Matrix<Double>(rows: n, columns: m, elements: random.normal(count: n * m))).q().transposed()
        let system = try NewtonSystem(
            hessian: .identity(n), jacobian: jacobian, lagrangianGradient: random.normal(count: n), constraintValues: random.normal(count: m))
        let size = norm(system.rightHandSide)
        let rough = try system.solve(by: .automatic, residualBound: 1e-2 * size)
        #expect(!rough.isFactorized && rough.steps > 0 && rough.residualNorm <= 1e-2 * size)
        let fine = try system.solve(by: .automatic, residualBound: system.residualBound(accuracy: 1e-6))
        #expect(fine.isFactorized && fine.steps == 0)
        // One that looks well and is not: the trial ends with the factorisation.
        let bent = try NewtonSystem(
            hessian: .diagonal((0..<n).map { $0 == 0 ? 1e-3 : 1 }), jacobian: jacobian, lagrangianGradient: (0..<n).map { $0 == 0 ? 1000 : 0 },
            constraintValues: [Double](repeating: 0, count: m))
        let switched = try bent.solve(by: .automatic, residualBound: 1e-2 * norm(bent.rightHandSide))
        #expect(switched.residualNorm <= 1e-2 * norm(bent.rightHandSide))
    }
}
