import Kernels
import LinearAlgebra
import LinearSolvers
import Randomness
import RealModule

/// How the Newton systems of ``AdaSketchNewton`` are solved.
public enum NewtonSystemMethod: Sendable, Hashable, Codable {
    /// The Bunch–Kaufman factorisation of Γ, with one refinement.
    case direct
    /// Sketch and project, until the accuracy that the outer method asks for.
    case sketch(ProjectionSketch)
    /// GMRES, restarted after so many steps: a deterministic iteration for comparison.
    case gmres(restart: Int)
    /// Blocks of 16 rows where they promise to be faster than the factorisation, which takes over as soon as they do not.
    case automatic
}

/// One Newton system on its way to the accuracy asked for, which may rise on the way.
struct NewtonSystemSolver<Scalar: KernelScalar> {
    let system: NewtonSystem<Scalar>
    let limit: Int
    private(set) var z: [Scalar]
    /// Γ z.
    private(set) var image: [Scalar]
    private(set) var residualNorm: Scalar
    /// Sketches or products.
    private(set) var steps = 0
    private(set) var isExact = false
    private let method: NewtonSystemMethod
    private let random: RandomStream
    private var projection: (method: SketchAndProject<Scalar>, state: SketchAndProject<Scalar>.State)?

    init(_ system: NewtonSystem<Scalar>, method: NewtonSystemMethod, limit: Int, random: inout RandomStream) {
        (self.system, self.limit) = (system, limit)
        z = [Scalar](repeating: 0, count: system.order)
        image = z
        residualNorm = Scalar.nrm2(system.rightHandSide.span)
        let random = random.split()
        (self.method, self.random) = (method, random)
    }

    private mutating func prepare(_ sketch: ProjectionSketch) {
        guard projection == nil else { return }
        let method = SketchAndProject(system.matrix, system.rightHandSide, sketch: sketch, random: random.substream(0))
        projection = (method, method.makeState(from: z, random: random.substream(1)))
    }

    /// Goes on until ‖Γ z − b‖ ≤ `bound`, or as far as the method gets.
    mutating func refine(to bound: Scalar) throws(LinearAlgebraError) {
        guard residualNorm > bound, !isExact else { return }
        switch method {
        case .direct: try factorize()
        case .gmres(let restart):
            guard steps < limit else { return }
            let gmres = GMRES<Scalar>(restart: restart, tolerance: .absolute(Double(bound)), iterationLimit: limit - steps)
            let solution = gmres.solve(system.matrix, system.rightHandSide, from: z)
            steps += solution.iterations
            take(solution.iterate)
        case .sketch(let sketch):
            prepare(sketch)
            projection!.method.solve(&projection!.state, residualBound: bound, limit: limit)
            takeProjection()
        case .automatic:
            if try !projectWhilePromising(to: bound) { try factorize() }
        }
    }

    private mutating func factorize() throws(LinearAlgebraError) {
        let factor = try BunchKaufman(system.matrix)
        var solution = try factor.solve(system.rightHandSide)
        // One refinement: the accuracy asked for is often near rounding.
        take(solution)
        let correction = try factor.solve(zip(system.rightHandSide, image).map { $0 - $1 })
        for i in solution.indices { solution[i] += correction[i] }
        let before = (z, image, residualNorm)
        take(solution)
        if !(residualNorm <= before.2) { (z, image, residualNorm) = before }
        isExact = true
    }

    /// Passes of the sketch, as long as the rate at which they gain promises less work than the factorisation.
    ///
    /// - Returns: whether the bound is met.
    private mutating func projectWhilePromising(to bound: Scalar) throws(LinearAlgebraError) -> Bool {
        let choice = AutomaticChoice(order: system.order)
        guard choice.isPromising(system, Double(bound) / Double(residualNorm)) else { return false }
        prepare(choice.sketch)
        while steps < limit {
            let before = residualNorm
            projection!.method.advance(&projection!.state, steps: projection!.method.stepsPerPass)
            takeProjection()
            if residualNorm <= bound { return true }
            let gain = Double(residualNorm) / Double(before)
            guard gain < 1 else { return false }
            let rest = Double.log(Double(bound) / Double(residualNorm)) / Double.log(gain)
            guard rest < choice.factorizationInPasses else { return false }
        }
        return false
    }

    private mutating func takeProjection() {
        steps = projection!.state.steps
        take(projection!.state.iterate)
    }

    private mutating func take(_ z: [Scalar]) {
        self.z = z
        image = system.image(of: z)
        var residual = image
        var span = residual.mutableSpan
        Scalar.axpy(-1, system.rightHandSide.span, &span)
        residualNorm = Scalar.nrm2(residual.span)
    }
}

/// An inexact solution of a Newton system.
public struct NewtonDirection<Scalar: KernelScalar>: Sendable {
    /// (Δx, Δλ).
    public let z: [Scalar]
    /// ‖Γ z − b‖₂.
    public let residualNorm: Scalar
    /// Sketches, or products of GMRES.
    public let steps: Int
    /// Whether Γ was factorised.
    public let isFactorized: Bool
}

extension NewtonSystem {
    /// The residual at which a direction counts as accurate to δ: δ ‖b‖/(‖Γ‖_F Ψ), which makes ‖z − z*‖ ≤ δ ‖z*‖.
    public func residualBound(accuracy: Scalar) -> Scalar { accuracy * Scalar.nrm2(rightHandSide.span) / (norm * inverseBound) }

    /// Solves the system from z = 0 until ‖Γ z − b‖₂ ≤ `bound`, or as far as the method gets in `limit` sketches or products.
    ///
    /// - Throws: `LinearAlgebraError`, if a factorisation finds Γ singular.
    public func solve(
        by method: NewtonSystemMethod, residualBound bound: Scalar, limit: Int = 100_000, random: RandomStream = RandomStream(seed: 0)
    ) throws(LinearAlgebraError) -> NewtonDirection<Scalar> {
        var random = random
        var solver = NewtonSystemSolver(self, method: method, limit: limit, random: &random)
        try solver.refine(to: bound)
        return NewtonDirection(z: solver.z, residualNorm: solver.residualNorm, steps: solver.steps, isFactorized: solver.isExact)
    }
}

/// Blocks of rows or a factorisation, decided by counts, so that the choice is the same on every machine and in every run.
struct AutomaticChoice {
    let sketch = ProjectionSketch.block(size: 16)
    /// How many passes over the rows take as long as the factorisation; measured 6 to 8 at order 500, 12 to 25 at 1000 and 22 to 28 at 2000, on one thread.
    let factorizationInPasses: Double

    init(order: Int) { factorizationInPasses = Double(order) / 80 }

    /// Whether blocks are worth a trial, which costs the factorisations of the blocks, as long as three passes, and a pass.
    ///
    /// The forecast is that a pass shortens the error by exp(−0.7 N σ²_min/‖Γ‖_F²). σ²_min is at most ξ_J and the mean ‖Γ‖_F²/N, so this is the best that
    /// there can be, and measured to be right for H = I and orthonormal constraints.
    func isPromising<Scalar: KernelScalar>(_ system: NewtonSystem<Scalar>, _ reduction: Double) -> Bool {
        let rate = 0.7 * min(1, Double(system.order) * Double(system.leastJacobianEigenvalue) / Double(system.norm * system.norm))
        return 3 - Double.log(reduction) / rate < factorizationInPasses
    }
}
