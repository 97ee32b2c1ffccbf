import Foundation
import Kernels
import LinearAlgebra
import LinearSolvers
import Objectives
import Testing

@Suite struct StateTests {
    /// A saved and resumed run passes through the bits of one that was not.
    @Test func resumes() throws {
        let spd = definite(30, 1), general = unsymmetric(30, 2), tall = Matrix(rows: 40, columns: 30, elements: normals(1200, 3)), b = normals(30, 4)
        let m = try JacobiPreconditioner(diagonal: spd.diagonal)
        try check(ConjugateGradient<Double>(), LinearSystem(spd, b, preconditioner: m))
        try check(FlexibleConjugateGradient<Double>(memory: 2), LinearSystem(spd, b, preconditioner: m))
        try check(MINRES<Double>(), LinearSystem(spd, b, preconditioner: m))
        try check(GMRES<Double>(restart: 4), LinearSystem(general, b, preconditioner: m))
        try check(ChebyshevIteration<Double>(eigenvalues: 0.9...6), LinearSystem(spd, b))
        try check(LSQR<Double>(damping: 0.1), LinearSystem(tall, normals(40, 5)))
        try check(LSMR<Double>(damping: 0.1), LinearSystem(tall, normals(40, 5)))
        let a = PoissonOperator<Double>(Grid(rows: 6, columns: 5))
        let sor = SuccessiveOverRelaxation<Double>(relaxation: 1.4), short = SuccessiveOverRelaxation<Double>(relaxation: 1.4, iterationLimit: 5)
        var state = short.makeState(a, b)
        _ = short.solve(a, b, resuming: &state)
        var decoded = try JSONDecoder().decode(SuccessiveOverRelaxation<Double>.State.self, from: JSONEncoder().encode(state))
        let resumed = sor.solve(a, b, resuming: &decoded), whole = sor.solve(a, b)
        #expect(resumed.iterate == whole.iterate && resumed.iterations == whole.iterations)
    }

    private func check<Solver: LinearSolver<Double>>(_ solver: Solver, _ system: LinearSystem<Double>) throws {
        let start = normals(system.matrix.columns, 9)
        var whole = solver.makeState(system, from: start), state = whole
        for _ in 0..<3 { _ = solver.step(&state, system) }
        var decoded = try JSONDecoder().decode(Solver.State.self, from: JSONEncoder().encode(state))
        let resumed = solver.solve(system, resuming: &decoded), uninterrupted = solver.solve(system, resuming: &whole)
        #expect(resumed.iterate == uninterrupted.iterate && resumed.iterations == uninterrupted.iterations && resumed.iterations > 3, "\(Solver.self)")
    }

    /// However long a run is, its products go from and to the same few buffers: nothing is allocated on the way.
    @Test func buffersAreReused() throws {
        let a = Watched(base: definite(60, 1)), b = normals(60, 2), tight = ResidualTolerance.absolute(0)
        func watch<Solver: LinearSolver<Double>>(_ solver: Solver, buffers: Int) where Solver.Scalar == Double {
            let a = Watched(base: a.base), m = Watched(base: Matrix<Double>(rows: 60, columns: 60) { $0 == $1 ? 0.5 : 0 })
            let takesPreconditioner = !(Solver.self == LSQR<Double>.self || Solver.self == LSMR<Double>.self)
            let system = LinearSystem(a, b, preconditioner: takesPreconditioner ? m : nil)
            var state = solver.makeState(system), steps = 0
            while steps < 25, solver.step(&state, system) == nil { steps += 1 }
            #expect(a.log.products >= 25 && a.log.inputs.count <= buffers && a.log.outputs.count <= buffers,
                    "\(Solver.self): \(a.log.inputs.count) inputs and \(a.log.outputs.count) outputs of \(a.log.products) products")
            #expect(m.log.inputs.count <= buffers && m.log.outputs.count <= buffers)
        }
        watch(ConjugateGradient<Double>(tolerance: tight), buffers: 1)
        watch(FlexibleConjugateGradient<Double>(memory: 2, tolerance: tight), buffers: 3)
        watch(MINRES<Double>(tolerance: tight), buffers: 3)
        watch(GMRES<Double>(restart: 30, tolerance: tight), buffers: 30)
        watch(ChebyshevIteration<Double>(eigenvalues: 1...6, tolerance: tight), buffers: 1)
        watch(LSQR<Double>(stopping: .init(a: 0, b: 0, condition: 1e300)), buffers: 3)
        watch(LSMR<Double>(stopping: .init(a: 0, b: 0, condition: 1e300)), buffers: 3)
    }

    @Test func misuseNamesItsNumbers() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ConjugateGradient<Double>().solve(Matrix<Double>.zeros(rows: 2, columns: 3), [1, 2])
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("conjugate gradients with a 2×3 operator; expected a square one"))
    }
}
