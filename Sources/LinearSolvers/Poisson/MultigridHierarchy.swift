import Kernels
import LinearAlgebra

/// The grids of geometric multigrid for a ``PoissonOperator``, and one V-cycle on them as an operator: a preconditioner.
///
/// Each grid has every other point of the one before, along each axis, for any number of points and any sides. Along an axis the operator is the Galerkin
/// one, with the interpolation that makes differences vanish, so that it stays a 5- or 7-point operator; masses are lumped. A grid of at most 40
/// points is solved exactly. Smoothing is by red-black Gauss–Seidel. A symmetric cycle, with as many sweeps before as after and the colours the other way
/// round after, is a preconditioner for conjugate gradients, positive definite if A is; by itself a cycle is better with red before black in all sweeps
/// (in two dimensions, one sweep each: 0.11 of the residual is left, against 0.27).
///
/// That share does not grow with the number of points: 8 to 13 cycles bring the residual to 1e-8 in two dimensions, up to 16 in three. For sizes 2ᵏ − 1
/// between Dirichlet sides the coarse grids are uniform, and the counts the least.
///
/// Source: Brandt 1977; Trottenberg, Oosterlee & Schüller, Multigrid, chapter 2.
public struct MultigridHierarchy<Scalar: KernelScalar>: LinearOperator {
    public let base: PoissonOperator<Scalar>
    public let sweepsBefore: Int
    public let sweepsAfter: Int
    public let isSymmetric: Bool
    private let stencils: [StencilGrid<Scalar>]
    private let transfers: [StencilTransfer<Scalar>]
    private let coarsest: Matrix<Scalar>
    private let pool: WorkspacePool<Workspace>

    public var rows: Int { base.rows }
    public var columns: Int { base.columns }
    /// The number of grids.
    public var levels: Int { stencils.count }

    /// For each grid: solution and right-hand side (none on the finest), residual (none on the coarsest), and room for lines.
    private struct Workspace: Sendable {
        var solutions: [[Scalar]], rights: [[Scalar]], residuals: [[Scalar]], lines: [[Scalar]]
    }

    /// - Parameters:
    ///   - sweepsBefore: of the smoother, on the way down.
    ///   - sweepsAfter: on the way up.
    ///   - isSymmetric: whether the sweeps after go through the colours the other way round.
    /// - Throws: `LinearAlgebraError.notPositiveDefinite(pivot:)` if the diagonal of a grid, or the coarsest operator, is not positive.
    public init(_ a: PoissonOperator<Scalar>, sweepsBefore: Int = 1, sweepsAfter: Int = 1, isSymmetric: Bool = true) throws(LinearAlgebraError) {
        require(sweepsBefore >= 0 && sweepsAfter >= 0 && sweepsBefore + sweepsAfter > 0,
                "\(sweepsBefore) sweeps before and \(sweepsAfter) after; expected no negative number, and at least 1 of both")
        var axes = zip(a.grid.sizes, a.sides.ends(a.grid)).map { GridAxis(count: $0, ends: $1, scale: a.scale) }
        var stencils = [a.stencil], transfers: [StencilTransfer<Scalar>] = []
        while stencils.last!.count > 40 {
            transfers.append(GridAxis.transfer(axes))
            axes = axes.map(\.coarsened)
            stencils.append(GridAxis.stencil(axes, shift: a.shift))
        }
        let smallest = a.diagonal.min()!
        guard smallest > 0 else { throw .notPositiveDefinite(pivot: a.diagonal.firstIndex(of: smallest) ?? 0) }
        coarsest = try pseudoinverse(stencils.last!)
        (base, self.sweepsBefore, self.sweepsAfter, self.isSymmetric) = (a, sweepsBefore, sweepsAfter, isSymmetric)
        (self.stencils, self.transfers) = (stencils, transfers)
        let counts = stencils.map(\.count), widths = stencils.map { 3 * $0.columns }
        pool = WorkspacePool {
            func zeros(_ counts: [Int]) -> [[Scalar]] { counts.map { [Scalar](repeating: 0, count: $0) } }
            let coarse = zeros([0] + counts.dropFirst())
            return Workspace(solutions: coarse, rights: coarse, residuals: zeros(counts.dropLast() + [0]), lines: zeros(widths))
        }
    }

    /// y ← one cycle from 0 for A·y = x.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        for i in 0..<y.count { y[i] = 0 }
        _ = cycle(&y, x)
    }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        require(isSymmetric && sweepsBefore == sweepsAfter,
                "the adjoint of a cycle that is not symmetric (\(sweepsBefore) sweeps before, \(sweepsAfter) after); expected a symmetric one")
        apply(y, into: &x)
    }

    /// One V-cycle on x for A·x = b.
    ///
    /// - Returns: ‖b − A·x‖² of the new x, from the last sweep; 0 if there is none after the correction.
    @discardableResult
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func cycle(_ x: inout MutableSpan<Scalar>, _ b: Span<Scalar>) -> Scalar {
        require(x.count == rows && b.count == rows, "a cycle over \(x.count) elements with \(b.count) on the right; expected \(rows)")
        var workspace = pool.take()
        let square = cycle(0, &x, b, &workspace, measuring: true)
        pool.giveBack(workspace)
        return square
    }

    /// By inner products: too small for BLAS to be worth its call.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func solveCoarsest(_ x: inout MutableSpan<Scalar>, _ b: Span<Scalar>) {
        for i in 0..<coarsest.rows { x[i] = Scalar.dot(coarsest.row(i), b) }
    }

    /// x ← an approximate solution by full multigrid: the coarsest grid's solution is carried up, with one cycle on each grid.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func fullMultigrid(_ b: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        require(x.count == rows && b.count == rows, "full multigrid over \(x.count) elements with \(b.count) on the right; expected \(rows)")
        var workspace = pool.take()
        full(0, &x, b, &workspace)
        pool.giveBack(workspace)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func cycle(_ level: Int, _ x: inout MutableSpan<Scalar>, _ b: Span<Scalar>, _ workspace: inout Workspace, measuring: Bool) -> Scalar {
        guard level < transfers.count else {
            solveCoarsest(&x, b)
            return 0
        }
        // Taken out, so that these buffers and the workspace can be used at once; nothing is copied.
        var residual: [Scalar] = [], lines = residual, solution = residual, right = residual
        swap(&residual, &workspace.residuals[level])
        swap(&lines, &workspace.lines[level])
        swap(&solution, &workspace.solutions[level + 1])
        swap(&right, &workspace.rights[level + 1])
        var r = residual.mutableSpan, work = lines.mutableSpan, coarse = solution.mutableSpan, coarseRight = right.mutableSpan
        let stencil = stencils[level]
        for _ in 0..<sweepsBefore { _ = Scalar.stencilRelax(stencil, 1, .redBlack, measuring: false, work: &work, b, &x) }
        _ = Scalar.stencilResidual(stencil, x.span, b, into: &r)
        Scalar.stencilRestrict(transfers[level], r.span, work: &work, into: &coarseRight)
        for i in 0..<coarse.count { coarse[i] = 0 }
        _ = cycle(level + 1, &coarse, coarseRight.span, &workspace, measuring: false)
        Scalar.stencilProlong(transfers[level], coarse.span, work: &work, into: &x)
        var square: Scalar = 0
        for sweep in 0..<sweepsAfter {
            square = Scalar.stencilRelax(stencil, 1, isSymmetric ? .blackRed : .redBlack, measuring: measuring && sweep == sweepsAfter - 1, work: &work, b, &x)
        }
        swap(&residual, &workspace.residuals[level])
        swap(&lines, &workspace.lines[level])
        swap(&solution, &workspace.solutions[level + 1])
        swap(&right, &workspace.rights[level + 1])
        return square
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func full(_ level: Int, _ x: inout MutableSpan<Scalar>, _ b: Span<Scalar>, _ workspace: inout Workspace) {
        guard level < transfers.count else { return solveCoarsest(&x, b) }
        var lines: [Scalar] = [], solution = lines, right = lines
        swap(&lines, &workspace.lines[level])
        swap(&solution, &workspace.solutions[level + 1])
        swap(&right, &workspace.rights[level + 1])
        var work = lines.mutableSpan, coarse = solution.mutableSpan, coarseRight = right.mutableSpan
        Scalar.stencilRestrict(transfers[level], b, work: &work, into: &coarseRight)
        full(level + 1, &coarse, coarseRight.span, &workspace)
        for i in 0..<x.count { x[i] = 0 }
        Scalar.stencilProlong(transfers[level], coarse.span, work: &work, into: &x)
        swap(&lines, &workspace.lines[level])
        swap(&solution, &workspace.solutions[level + 1])
        swap(&right, &workspace.rights[level + 1])
        _ = cycle(level, &x, b, &workspace, measuring: false)
    }
}

/// The inverse on what the operator reaches: eigenvalues below rounding have none.
private func pseudoinverse<Scalar: KernelScalar>(_ stencil: StencilGrid<Scalar>) throws(LinearAlgebraError) -> Matrix<Scalar> {
    let n = stencil.count
    var dense = Matrix<Scalar>.zeros(rows: n, columns: n), unit = [Scalar](repeating: 0, count: n)
    for i in 0..<n {
        unit[i] = 1
        var row = dense.mutableRow(i)
        _ = Scalar.stencilApply(stencil, unit.span, into: &row)
        unit[i] = 0
    }
    let eigen = try SymmetricEigen(dense), largest = max(eigen.values.first!.magnitude, eigen.values.last!.magnitude)
    let smallest = Scalar(n) * Scalar.ulpOfOne * largest
    guard eigen.values.first! >= -smallest else { throw .notPositiveDefinite(pivot: 0) }
    return Matrix(rows: n, columns: n) { i, j in
        var sum: Scalar = 0
        for k in 0..<n where eigen.values[k] > smallest { sum += eigen.vectors[i, k] * eigen.vectors[j, k] / eigen.values[k] }
        return sum
    }
}
