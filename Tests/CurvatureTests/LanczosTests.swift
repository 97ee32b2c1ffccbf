import Curvature
import Foundation
import Kernels
import LinearAlgebra
import Objectives
import Randomness
import Testing

@Suite struct LanczosTests {
    private func residual(_ a: Matrix<Double>, _ pair: Eigenpair<Double>) -> Double {
        norm(difference(a * pair.vector, pair.vector.map { pair.value * $0 }))
    }

    /// Against LAPACK, both ends at once, with restarts.
    @Test(arguments: [(1, 0), (0, 1), (3, 0), (2, 2), (5, 3)]) func pairsAreThoseOfLAPACK(_ largest: Int, _ smallest: Int) throws {
        let a = randomSymmetric(120, seed: 7), exact = try SymmetricEigen.values(of: a)
        let solver = Lanczos<Double>(largest: largest, smallest: smallest, relativeTolerance: 1e-10, seed: 3)
        let solution = solver.solve(a), pairs = try solution.get()
        #expect(pairs.largest.count == largest && pairs.smallest.count == smallest)
        #expect(solution.restarts > 0)
        for (i, pair) in pairs.largest.enumerated() { #expect(abs(pair.value - exact[119 - i]) < 1e-12 * exact[119]) }
        for (i, pair) in pairs.smallest.enumerated() { #expect(abs(pair.value - exact[i]) < 1e-12 * exact[119]) }
        for pair in pairs.largest + pairs.smallest {
            #expect(abs(norm(pair.vector) - 1) < 1e-13)
            // What the recurrence says is what the product says.
            #expect(abs(residual(a, pair) - pair.residualNorm) < 1e-13 * exact[119] * 120)
            #expect(pair.residualNorm <= 1e-10 * exact[119] * 1.01)
        }
        let all = pairs.largest + pairs.smallest
        for i in all.indices { for j in 0..<i { #expect(abs(dot(all[i].vector, all[j].vector)) < 1e-12) } }
    }

    /// diag(1 … 9, 20): closed form, and at most as many products as there are eigenvalues.
    @Test func smallDiagonals() throws {
        let a = Matrix<Double>.diagonal([1, 2, 3, 4, 5, 6, 7, 8, 9, 20])
        let solution = Lanczos<Double>(largest: 1, relativeTolerance: 1e-12).solve(a)
        #expect(solution.status == .converged && solution.products <= 10)
        #expect(abs(solution.largest[0].value - 20) < 1e-12)
        #expect(abs(abs(solution.largest[0].vector[9]) - 1) < 1e-12)
        for n in [1, 2] {
            let all = Lanczos<Float>(largest: n).solve(Matrix<Float>.diagonal([5, 3, 2].suffix(n)))
            #expect(all.status == .converged && all.products == n)
            #expect(zip(all.largest.map(\.value), [5, 3, 2].suffix(n)).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    /// An invariant space is not taken for the whole: copies of an eigenvalue are found from a new direction.
    @Test func multipleEigenvalues() throws {
        func values(_ diagonal: [Double], _ count: Int) -> (values: [Double], status: SolverStatus) {
            let solution = Lanczos<Double>(largest: count, relativeTolerance: 1e-10).solve(Matrix<Double>.diagonal(diagonal))
            return (solution.largest.map(\.value), solution.status)
        }
        func expect(_ diagonal: [Double], _ expected: [Double]) {
            let (found, status) = values(diagonal, expected.count)
            #expect(status == .converged && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-9 }, "\(found), \(expected)")
        }
        expect([5, 5, 1, 1], [5, 5])
        expect([Double](repeating: 2, count: 50), [2, 2, 2])
        expect([5, 5] + [Double](repeating: 1, count: 200), [5, 5, 1])
        expect([Double](repeating: 0, count: 30), [0, 0])
        expect([7] + [Double](repeating: 0, count: 300), [7])
    }

    @Test func negativeSpectraAndBothEnds() throws {
        let a: Matrix<Double> = try symmetric(spectrum: (0..<60).map { -10 + 0.1 * Double($0) } + [-50, 4], seed: 3)
        let pairs = try Lanczos<Double>(largest: 1, smallest: 1, relativeTolerance: 1e-9).solve(a).get()
        #expect(abs(pairs.largest[0].value - 4) < 1e-9 && abs(pairs.smallest[0].value + 50) < 1e-9)
    }

    /// The top eigenvalue of a network's Hessian, against its dense form, in both precisions.
    @Test func sharpnessOfANetwork() throws {
        let (f, x) = smallNetwork(Double.self), hessian = HessianOperator(of: f, at: x)
        let dense = hessian.dense(), symmetrized = Matrix<Double>(rows: 64, columns: 64) { (dense[$0, $1] + dense[$1, $0]) / 2 }
        let exact = try SymmetricEigen.values(of: symmetrized)
        #expect(abs(try sharpness(of: hessian, relativeTolerance: 1e-8) - exact[63]) < 1e-10 * exact[63])
        let (g, y) = smallNetwork(Float.self)
        #expect(abs(Double(try sharpness(of: HessianOperator(of: g, at: y))) - exact[63]) < 1e-3 * exact[63])
        let bottom = try Lanczos<Double>(largest: 0, smallest: 1).solve(hessian).get().smallest[0]
        #expect(abs(bottom.value - exact[0]) < 1e-6 * exact[63])
        #expect(exact[0] < 0)
    }

    @Test func limitsAndFailuresHaveAStatus() throws {
        let a = randomSymmetric(40, seed: 5)
        let capped = Lanczos<Double>(largest: 2, productLimit: 1).solve(a)
        #expect(capped.status == .iterationLimit && capped.products == 1 && capped.largest.count == 1)
        #expect(throws: NotConvergedError.self) { try capped.get() }
        let some = Lanczos<Double>(largest: 1, relativeTolerance: 0, productLimit: 30).solve(a)
        #expect(some.status == .iterationLimit && some.largest[0].residualNorm.isFinite)
        // The pairs from before the product that failed.
        let broken = Lanczos<Double>(largest: 1, relativeTolerance: 1e-14).solve(CountingOperator(a, nonFiniteFrom: 8))
        let eight = Lanczos<Double>(largest: 1, relativeTolerance: 1e-14, productLimit: 8).solve(a)
        #expect(broken.status == .nonFinite && broken.products == 8 && broken.reason.contains("product 8"))
        #expect(broken.largest == eight.largest)
        let none = Lanczos<Double>(largest: 1).solve(CountingOperator(a, nonFiniteFrom: 0))
        #expect(none.status == .nonFinite && none.largest.isEmpty)
        #expect(throws: NotConvergedError.self) { try sharpness(of: CountingOperator(a, nonFiniteFrom: 0)) }
    }

    @Test func resumesToTheSameBits() throws {
        let a = randomSymmetric(60, seed: 6), solver = Lanczos<Double>(largest: 2, smallest: 1, relativeTolerance: 1e-11, basisSize: 9, seed: 2)
        let whole = solver.solve(a)
        var state = solver.makeState(a)
        for _ in 0..<25 { _ = solver.step(&state, a) }
        #expect(state.restarts > 0)
        var restored = try JSONDecoder().decode(Lanczos<Double>.State.self, from: JSONEncoder().encode(state))
        let rest = solver.solve(a, resuming: &restored)
        #expect(whole.status == .converged)
        let same = rest.largest == whole.largest && rest.smallest == whole.smallest && rest.products == whole.products
        #expect(same)
    }

    @Test func theStartMatters() throws {
        let a = Matrix<Double>.diagonal([1, 2, 3, 4, 5, 6, 7, 8, 9, 20])
        var top = [Double](repeating: 0, count: 10)
        top[9] = 1
        let from = Lanczos<Double>(largest: 1).solve(a, from: top)
        // One product spans the eigenspace, a second one from a new direction tells that nothing larger lies elsewhere.
        #expect(from.status == .converged && abs(from.largest[0].value - 20) < 1e-12)
        let zero = Lanczos<Double>(largest: 1).solve(a, from: [Double](repeating: 0, count: 10))
        #expect(zero.largest == Lanczos<Double>(largest: 1).solve(a).largest)
    }

    @Test(arguments: [1e-160, 1e-20, 1e20, 1e150]) func scales(_ c: Double) throws {
        let a = randomSymmetric(30, seed: 9)
        let plain = Lanczos<Double>(largest: 2, relativeTolerance: 1e-9).solve(a), scaled = Lanczos<Double>(largest: 2, relativeTolerance: 1e-9).solve(c * a)
        #expect(scaled.status == .converged && scaled.products == plain.products)
        #expect(zip(plain.largest, scaled.largest).allSatisfy { abs($1.value - c * $0.value) < 1e-12 * c })
    }

    /// Memory stays at the basis, whatever the run takes; a small basis takes more products.
    @Test func smallBases() throws {
        let a: Matrix<Double> = try symmetric(spectrum: (0..<200).map { 1 - Double($0) / 200 }, seed: 4)
        let small = Lanczos<Double>(largest: 1, relativeTolerance: 1e-8, basisSize: 4).solve(a)
        let large = Lanczos<Double>(largest: 1, relativeTolerance: 1e-8, basisSize: 60).solve(a)
        #expect(small.status == .converged && large.status == .converged)
        #expect(abs(small.largest[0].value - 1) < 1e-12 && abs(large.largest[0].value - 1) < 1e-12)
        #expect(small.products > large.products)
    }

    @Test func misuseIsRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Lanczos<Double>(largest: 3).solve(Matrix<Double>.identity(2))
        }
        #expect(message(of: result).contains("3 eigenvalues of an operator of order 2"))
    }
}
