import Kernels
import LinearAlgebra
import RealModule

/// The 5-point (or in three dimensions 7-point) operator −`scale`·h²Δ + `shift`, without a matrix:
///
///     (A·x)ᵢⱼ = scale·(4 xᵢⱼ − xᵢ₋₁ⱼ − xᵢ₊₁ⱼ − xᵢⱼ₋₁ − xᵢⱼ₊₁) + shift·xᵢⱼ
///
/// A neighbour beyond a Dirichlet side is 0; one beyond a Neumann side equals the point itself, which keeps the operator symmetric. With spacing h
/// −Δ + c is `scale` 1/h², `shift` c; I − κ Δt/2 Δ, a step of Crank–Nicolson, is `scale` κ Δt/(2 h²), `shift` 1. Positive definite for a scale > 0 and a
/// shift ≥ 0, unless the shift is 0 and all sides are Neumann: then constants are its null space.
///
/// One application reads x and writes A·x once, and gives xᵀA·x with it.
public struct PoissonOperator<Scalar: KernelScalar>: EnergyOperator {
    public let grid: Grid
    public let sides: GridSides
    public let scale: Scalar
    public let shift: Scalar
    let stencil: StencilGrid<Scalar>

    public var rows: Int { grid.count }
    public var columns: Int { grid.count }

    /// - Parameters:
    ///   - sides: Default: zero values all around.
    ///   - scale: finite; of the differences.
    ///   - shift: finite; added to the diagonal.
    public init(_ grid: Grid, sides: GridSides = .dirichlet, scale: Scalar = 1, shift: Scalar = 0) {
        require(scale.isFinite && shift.isFinite, "scale is \(scale), shift is \(shift); expected finite numbers")
        (self.grid, self.sides, self.scale, self.shift) = (grid, sides, scale, shift)
        stencil = Self.stencil(grid, sides, scale, shift)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func stencil(_ grid: Grid, _ sides: GridSides, _ scale: Scalar, _ shift: Scalar) -> StencilGrid<Scalar> {
        GridAxis.stencil(zip(grid.sizes, sides.ends(grid)).map { GridAxis(count: $0, ends: $1, scale: scale) }, shift: shift)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) { _ = Scalar.stencilApply(stencil, x, into: &y) }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) { apply(y, into: &x) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func applyMeasuring(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) -> Scalar {
        Scalar.stencilApply(stencil, x, into: &y)
    }

    /// The operator as a matrix in compressed rows.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func sparse() -> SparseMatrix<Scalar> {
        let sizes = grid.sizes, diagonal = diagonal
        var offsets = [0], indices: [Int32] = [], values: [Scalar] = []
        offsets.reserveCapacity(grid.count + 1)
        indices.reserveCapacity(grid.count * (2 * sizes.count + 1))
        values.reserveCapacity(grid.count * (2 * sizes.count + 1))
        let planes = sizes.count == 3 ? sizes[0] : 1, rows = grid.rows, columns = grid.columns
        func append(_ j: Int, _ value: Scalar) {
            indices.append(Int32(j))
            values.append(value)
        }
        for p in 0..<planes {
            for r in 0..<rows {
                for c in 0..<columns {
                    let i = (p * rows + r) * columns + c
                    if p > 0 { append(i - rows * columns, -scale) }
                    if r > 0 { append(i - columns, -scale) }
                    if c > 0 { append(i - 1, -scale) }
                    append(i, diagonal[i])
                    if c + 1 < columns { append(i + 1, -scale) }
                    if r + 1 < rows { append(i + columns, -scale) }
                    if p + 1 < planes { append(i + rows * columns, -scale) }
                    offsets.append(indices.count)
                }
            }
        }
        return try! SparseMatrix(rows: grid.count, columns: grid.count, rowOffsets: offsets, columnIndices: indices, values: values)
    }
}

extension PoissonOperator: RelaxableOperator {
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func diagonalElements() -> [Scalar] {
        let axes = zip(grid.sizes, sides.ends(grid)).map { GridAxis(count: $0, ends: $1, scale: scale).diagonal }
        let planes = axes.count == 3 ? axes[0] : [0], rows = axes[axes.count - 2], columns = axes[axes.count - 1]
        var result: [Scalar] = []
        result.reserveCapacity(grid.count)
        for p in planes { for r in rows { for c in columns { result.append(c + (r + p) + shift) } } }
        return result
    }

    /// The diagonal, a copy.
    public var diagonal: [Scalar] { diagonalElements() }

    public var workCount: Int { 3 * grid.columns }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func relax(
        _ x: inout MutableSpan<Scalar>, _ b: Span<Scalar>, relaxation: Scalar, order: RelaxationOrder, sequence: Span<Int32>, measuring: Bool,
        work: inout MutableSpan<Scalar>
    ) -> Scalar {
        requireSweep(x.count, b.count, relaxation, work.count)
        switch order {
        case .forward: return Scalar.stencilRelax(stencil, relaxation, .forward, measuring: measuring, work: &work, b, &x)
        case .backward: return Scalar.stencilRelax(stencil, relaxation, .backward, measuring: measuring, work: &work, b, &x)
        case .symmetric:
            _ = Scalar.stencilRelax(stencil, relaxation, .forward, measuring: false, work: &work, b, &x)
            return Scalar.stencilRelax(stencil, relaxation, .backward, measuring: measuring, work: &work, b, &x)
        case .redBlack: return Scalar.stencilRelax(stencil, relaxation, .redBlack, measuring: measuring, work: &work, b, &x)
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solveTriangle(
        _ b: Span<Scalar>, into x: inout MutableSpan<Scalar>, relaxation: Scalar, upper: Bool, work: inout MutableSpan<Scalar>
    ) {
        requireSweep(x.count, b.count, relaxation, work.count)
        Scalar.stencilSolveTriangle(stencil, relaxation, upper: upper, work: &work, b, into: &x)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func eisenstat(
        _ p: Span<Scalar>, _ t: Span<Scalar>, into w: inout MutableSpan<Scalar>, image q: inout MutableSpan<Scalar>, relaxation: Scalar,
        work: inout MutableSpan<Scalar>
    ) {
        requireSweep(w.count, p.count, relaxation, work.count)
        Scalar.stencilEisenstat(stencil, relaxation, work: &work, p, t, into: &w, image: &q)
    }
}

extension PoissonOperator where Scalar: Real {
    /// The smallest and the largest eigenvalue, in closed form, for a scale of at least 0.
    public var eigenvalueRange: ClosedRange<Scalar> {
        let axes = zip(grid.sizes, sides.ends(grid)).map { GridAxis<Scalar>.eigenvalues(count: $0, ends: $1) }
        let low = axes.reduce(Scalar(0)) { $0 + $1.first! }, high = axes.reduce(Scalar(0)) { $0 + $1.last! }
        return shift + scale * low...shift + scale * high
    }

    /// ρ(I − D⁻¹A), which ``SuccessiveOverRelaxation/optimalRelaxation(jacobiRadius:)`` asks for, with zero values all around and a scale > 0:
    /// scale·Σ 2 cos(π/(n + 1)) over the axes, divided by the diagonal.
    ///
    /// - Precondition: Dirichlet sides.
    public var jacobiRadius: Scalar {
        require(sides.ends(grid).allSatisfy { $0 == .dirichlet }, "the Jacobi radius of a grid with Neumann sides; expected Dirichlet sides")
        let sum = grid.sizes.reduce(Scalar(0)) { $0 + 2 * Scalar.cos(.pi / Scalar($1 + 1)) }
        return scale * sum / (scale * Scalar(2 * grid.dimension) + shift)
    }
}
