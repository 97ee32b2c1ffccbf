import Kernels
import LinearAlgebra
import Randomness

/// How a step of ``SketchAndProject`` looks at the system.
public enum ProjectionSketch: Sendable, Hashable, Codable {
    /// One row, each equally likely: randomised Kaczmarz.
    case row
    /// One combination of all rows with normal weights.
    case gaussian
    /// One of ⌈N/q⌉ blocks of `size` rows. Which rows are in which is random and fixed; each pass goes through all blocks in a new random order, which
    /// takes two thirds of the passes of independent draws. A Cholesky factorisation of each block's Gram matrix is made beforehand; a block of
    /// dependent rows takes its pseudo-inverse.
    case block(size: Int)
}

/// Sketch and project for a consistent system A z = b: each step draws a sketch S and moves z to the nearest point of {z : Sᵀ A z = Sᵀ b},
///
/// z ← z + Aᵀ S (Sᵀ A Aᵀ S)⁺ Sᵀ (b − A z).
///
/// A step is an orthogonal projection of the error, so ‖z − z*‖ never rises, while the residual may. What a step costs: a row of n elements twice
/// (``ProjectionSketch/row``), the whole matrix once (``ProjectionSketch/gaussian``), q rows (``ProjectionSketch/block(size:)``).
///
/// The expected contraction of the squared error in a step is 1 − σ²_min(A)/‖A‖²_F for rows drawn by their squared norms, and q times as fast at best for
/// blocks: these are methods for systems of good condition, and for low accuracy.
///
/// Source: Strohmer & Vershynin 2009 (rows), Gower & Richtárik 2015 (sketches), Needell & Tropp 2014 (blocks of a random paving).
public struct SketchAndProject<Scalar: KernelScalar>: Sendable {
    public let matrix: Matrix<Scalar>
    public let rightHandSide: [Scalar]
    public let sketch: ProjectionSketch
    /// Of rows: 1/‖aᵢ‖², 0 for a row of zeros, which is skipped.
    private let reciprocalNorms: [Scalar]
    private let blocks: [Block]

    /// What changes during a run.
    public struct State: Codable, Sendable {
        public internal(set) var iterate: [Scalar]
        /// Sketches drawn so far.
        public internal(set) var steps = 0
        var random: RandomStream
        /// The blocks that this pass has still to take, from the end.
        var pending: [Int] = []
    }

    /// - Parameter random: draws the blocks.
    /// - Precondition: an element of `b` for each row; a block has at least one row.
    public init(_ a: Matrix<Scalar>, _ b: [Scalar], sketch: ProjectionSketch, random: RandomStream) {
        require(b.count == a.rows, "right-hand side has \(b.count) elements for \(a.rows) rows; expected equally many")
        (matrix, rightHandSide, self.sketch) = (a, b, sketch)
        switch sketch {
        case .row:
            reciprocalNorms = (0..<a.rows).map { i in
                let square = Scalar.dot(a.row(i), a.row(i))
                return square > 0 ? 1 / square : 0
            }
            blocks = []
        case .gaussian: (reciprocalNorms, blocks) = ([], [])
        case .block(let size):
            require(size >= 1, "blocks of \(size) rows; expected at least 1")
            var random = random
            let order = random.permutation(of: a.rows)
            reciprocalNorms = []
            blocks = stride(from: 0, to: a.rows, by: size).map { Block(a, b, rows: Array(order[$0..<min($0 + size, a.rows)])) }
        }
    }

    public func makeState(from z: [Scalar], random: RandomStream) -> State {
        require(z.count == matrix.columns, "start has \(z.count) elements for \(matrix.columns) unknowns; expected equally many")
        return State(iterate: z, random: random)
    }

    /// The steps that look at every row once on average: N, 1 or ⌈N/q⌉.
    public var stepsPerPass: Int {
        switch sketch {
        case .row: max(1, matrix.rows)
        case .gaussian: 1
        case .block: max(1, blocks.count)
        }
    }

    /// Takes `steps` steps.
    public func advance(_ state: inout State, steps: Int) {
        guard matrix.rows > 0 else { return }
        switch sketch {
        case .row: projectOntoRows(&state, steps)
        case .gaussian: projectOntoCombinations(&state, steps)
        case .block:
            for _ in 0..<steps {
                if state.pending.isEmpty { state.pending = state.random.permutation(of: blocks.count) }
                blocks[state.pending.removeLast()].project(&state.iterate)
            }
        }
        state.steps += steps
    }

    /// A z − b.
    public func residual(of state: State) -> [Scalar] {
        var result = matrix * state.iterate
        var span = result.mutableSpan
        Scalar.axpy(-1, rightHandSide.span, &span)
        return result
    }

    /// Takes steps until ‖A z − b‖₂ ≤ `bound`, which is looked at after every pass, or until the residual is rounding, or `limit` steps are done.
    ///
    /// - Returns: ‖A z − b‖₂.
    @discardableResult
    public func solve(_ state: inout State, residualBound bound: Scalar, limit: Int) -> Scalar {
        let interval = max(stepsPerPass, 8), size = matrix.frobeniusNorm, scale = Scalar.nrm2(rightHandSide.span)
        while true {
            let residual = residual(of: state), norm = Scalar.nrm2(residual.span)
            let rounding = 2 * Scalar.ulpOfOne * (size * Scalar.nrm2(state.iterate.span) + scale)
            // Written so that a NaN ends the loop.
            guard norm > max(bound, rounding), norm.isFinite, state.steps < limit else { return norm }
            advance(&state, steps: min(interval, limit - state.steps))
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func projectOntoRows(_ state: inout State, _ steps: Int) {
        let count = matrix.rows
        for _ in 0..<steps {
            let i = state.random.integer(in: 0..<count)
            let row = matrix.row(i), factor = reciprocalNorms[i]
            var z = state.iterate.mutableSpan
            let gap = rightHandSide[i] - Scalar.dot(row, z.span)
            Scalar.axpy(gap * factor, row, &z)
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func projectOntoCombinations(_ state: inout State, _ steps: Int) {
        var weights = [Scalar](repeating: 0, count: matrix.rows), row = state.iterate
        for _ in 0..<steps {
            var weightsSpan = weights.mutableSpan
            state.random.fillNormal(&weightsSpan)
            var rowSpan = row.mutableSpan
            multiply(matrix, weights.span, transpose: true, into: &rowSpan)
            let square = Scalar.dot(row.span, row.span)
            guard square > 0 else { continue }
            var z = state.iterate.mutableSpan
            let gap = Scalar.dot(weights.span, rightHandSide.span) - Scalar.dot(row.span, z.span)
            Scalar.axpy(gap / square, row.span, &z)
        }
    }

    /// Some rows with what projects onto them.
    private struct Block: Sendable {
        let rows: Matrix<Scalar>
        let rightHandSide: [Scalar]
        let gram: Cholesky<Scalar>?
        /// Where the Gram matrix has no factorisation that is any good.
        let pseudoInverse: Matrix<Scalar>?

        init(_ a: Matrix<Scalar>, _ b: [Scalar], rows indices: [Int]) {
            var elements: [Scalar] = []
            elements.reserveCapacity(indices.count * a.columns)
            for i in indices { elements.append(contentsOf: a.elements[i * a.columns..<(i + 1) * a.columns]) }
            let rows = Matrix(rows: indices.count, columns: a.columns, elements: elements)
            rightHandSide = indices.map { b[$0] }
            var product = Matrix<Scalar>.zeros(rows: indices.count, columns: indices.count)
            symmetricProduct(rows, into: &product)
            let factor = try? Cholesky(product)
            let condition = factor.flatMap { try? $0.reciprocalCondition() } ?? 0
            gram = condition > Scalar.ulpOfOne.squareRoot() ? factor : nil
            pseudoInverse = gram == nil ? try? SVD(rows).pseudoInverse() : nil
            self.rows = rows
        }

        func project(_ z: inout [Scalar]) {
            var gap = rightHandSide
            var gapSpan = gap.mutableSpan
            multiply(rows, z.span, alpha: -1, beta: 1, into: &gapSpan)
            var span = z.mutableSpan
            if let gram, let weights = try? gram.solve(gap) {
                multiply(rows, weights.span, transpose: true, beta: 1, into: &span)
            } else if let pseudoInverse {
                multiply(pseudoInverse, gap.span, beta: 1, into: &span)
            }
        }
    }
}
