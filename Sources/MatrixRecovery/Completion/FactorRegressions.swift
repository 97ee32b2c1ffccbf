import Kernels
import LinearAlgebra
import Randomness
import Sketching
import Synchronization

/// The regressions of one half of a round: each row x of a factor against its observations, with the other factor held.
struct FactorRegressions<Scalar: KernelScalar>: Sendable {
    /// Row i: the observations of row i of the factor.
    let observations: SparseMatrix<Scalar>
    /// The other factor, whose rows make A.
    let basis: Matrix<Scalar>
    let method: InnerRegression
    /// λ, which counts n times for a row of n observations.
    let regularization: Scalar
    /// Chooses the sketch, one for all rows: a row's observations are its first n columns.
    let random: RandomStream

    struct Summary: Sendable {
        var counts = RegressionCounts()
        /// Σ ½ (‖A x − b‖² + λ n ‖x‖²) at the result.
        var value: Scalar = 0
    }

    /// Improves every row of `factor`.
    ///
    /// Rows are shared among threads in blocks that the shape alone decides.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func improve(_ factor: inout Matrix<Scalar>) -> Summary {
        let rows = factor.rows, rank = factor.columns
        let height = max(1, (rows + 127) / 128), blocks = (rows + height - 1) / height
        let largest = (0..<rows).reduce(0) { max($0, observations.rowOffsets[$1 + 1] - observations.rowOffsets[$1]) }
        var targets: [Int32] = []
        if case .sketched = method, largest > sketchRows(rank) {
            targets = SparseSignEmbedding().targets(rows: sketchRows(rank), columns: largest, random: random)
        }
        let summaries = Mutex([Summary](repeating: Summary(), count: blocks))
        var span = factor.mutableSpan
        concurrentBlocks(of: &span, blockLength: height * rank) { [targets] block, part in
            var worker = RegressionWorker(self, largest: largest, targets: targets)
            for i in 0..<part.count / rank {
                var x = part._mutatingExtracting(i * rank..<(i + 1) * rank)
                worker.improve(block * height + i, &x)
            }
            summaries.withLock { $0[block] = worker.summary }
        }
        return summaries.withLock { parts in
            parts.reduce(into: Summary()) {
                $0.counts += $1.counts
                $0.value += $1.value
            }
        }
    }
}

/// d = 4k.
private func sketchRows(_ rank: Int) -> Int { 4 * rank }

/// The buffers of one thread, and the regression in hand.
private struct RegressionWorker<Scalar: KernelScalar> {
    private let problem: FactorRegressions<Scalar>
    private let rank: Int
    private let targets: [Int32]
    private let signs: Int
    private let zeros: [Scalar]
    private let origin: [Scalar]
    /// A, its first `n` rows being in use, and b − A x.
    private var block: [Scalar], residual: [Scalar]
    /// The part of b − A x that is negative ∇, and three directions.
    private var gradient: [Scalar], direction: [Scalar], image: [Scalar], conditioned: [Scalar]
    private var gram: Matrix<Scalar>
    private var sketch: [Scalar], sketchedResidual: [Scalar], sketchWork: [Scalar]
    /// The regression in hand: its observations, λ n and ½ (‖r‖² + λ n ‖x‖²).
    private var range = 0..<0
    private var damping: Scalar = 0, value: Scalar = 0
    var summary = FactorRegressions<Scalar>.Summary()

    init(_ problem: FactorRegressions<Scalar>, largest: Int, targets: [Int32]) {
        func zeros(_ count: Int) -> [Scalar] { [Scalar](repeating: 0, count: count) }
        let k = problem.basis.columns, d = targets.isEmpty ? 0 : sketchRows(k)
        (self.problem, rank, self.targets, signs) = (problem, k, targets, largest == 0 ? 0 : targets.count / largest)
        (self.zeros, origin) = (zeros(max(largest, d * k)), zeros(k))
        (block, residual) = (zeros(largest * k), zeros(largest))
        (gradient, direction, image, conditioned) = (zeros(k), zeros(k), zeros(k), zeros(k))
        gram = .zeros(rows: k, columns: k)
        (sketch, sketchedResidual, sketchWork) = (zeros(d * k), zeros(d), zeros(d))
    }

    private var count: Int { range.count }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func improve(_ row: Int, _ x: inout MutableSpan<Scalar>) {
        let problem = problem
        range = problem.observations.rowOffsets[row]..<problem.observations.rowOffsets[row + 1]
        damping = problem.regularization * Scalar(count)
        guard count > 0 else {
            for j in 0..<rank { x[j] = 0 }
            summary.counts.singular += 1
            return
        }
        let isDetermined = count >= rank || damping > 0
        if problem.method == .exact, isDetermined, rank <= RegressionChoice.fusedRank, solveByNormalEquations(&x) {
            summary.counts.exact += 1
            summary.value += value
            return
        }
        gather(problem.basis, problem.observations.columnIndices, range, into: &block)
        evaluate(x.span)
        switch problem.method {
        case _ where !isDetermined:
            solveByLeastLength(&x)
        case .exact, .automatic:
            summary.counts.exact += 1
            solveExactly(&x)
        case .conjugateGradients(let steps, let accuracy):
            summary.counts.iterative += 1
            if !conjugateGradients(&x, steps: steps, accuracy: accuracy, preconditioned: false) { reject(&x) }
        case .sketched(let steps, let accuracy):
            if count <= sketchRows(rank) {
                summary.counts.exact += 1
                solveExactly(&x)
            } else {
                summary.counts.iterative += 1
                if !sketchAndSolve(&x) || !conjugateGradients(&x, steps: steps, accuracy: accuracy, preconditioned: true) { reject(&x) }
            }
        }
        summary.value += value
    }

    private mutating func reject(_ x: inout MutableSpan<Scalar>) {
        summary.counts.rejected += 1
        evaluate(x.span)
        solveExactly(&x)
    }

    /// r, −∇ = Aᵀ r − λ n x and the value at x.
    private mutating func evaluate(_ x: Span<Scalar>) {
        pullback(rows: count, block, x, problem.observations.values, range, into: &residual, &gradient)
        summary.counts.operations += 2 * count * rank
        let norm = Scalar.nrm2(residual.span.extracting(0..<count))
        value = norm * norm / 2
        if damping > 0 {
            axpy(-damping, x, &gradient)
            value += damping * Scalar.dot(x, x) / 2
        }
    }

    /// x ← x + (AᵀA + λ n)⁻¹ (Aᵀ r − λ n x), which is one step of refinement for a row that is nearly right.
    private mutating func solveExactly(_ x: inout MutableSpan<Scalar>) {
        let start = value
        gramMatrix(of: block, rows: count, into: &gram)
        finishGram(rows: count, scale: 1)
        summary.counts.operations += rank * rank * rank / 6 + rank * rank
        guard factorizePositiveDefinite(&gram) else { return solveByLeastLength(&x) }
        refine(&x)
        // The difference of nearly equal numbers says nothing: look again.
        if !(value > 1e-3 * start) { evaluate(x.span) }
    }

    /// x ← (AᵀA + λ n)⁻¹ Aᵀ b, with A never made; refined where the residual is small, which ‖b‖² − xᵀAᵀb does not tell.
    ///
    /// - Returns: false, with x as it was, if the matrix is singular.
    private mutating func solveByNormalEquations(_ x: inout MutableSpan<Scalar>) -> Bool {
        gatherGram(problem.basis, problem.observations, range, into: &gram, &gradient)
        finishGram(rows: count, scale: 1)
        summary.counts.operations += count * rank + rank * rank * rank / 6 + rank * rank
        guard factorizePositiveDefinite(&gram) else { return false }
        let norm = Scalar.nrm2(problem.observations.values.span.extracting(range))
        assign(gradient, &conditioned)
        solve(gram, &conditioned)
        copy(conditioned.span, &x)
        value = (norm * norm - Scalar.dot(gradient.span, conditioned.span)) / 2
        if !(value > 1e-3 * norm * norm) {
            gather(problem.basis, problem.observations.columnIndices, range, into: &block)
            evaluate(x.span)
            refine(&x)
        }
        return true
    }

    /// x ← x + (AᵀA + λ n)⁻¹ (−∇) by the factor in hand.
    private mutating func refine(_ x: inout MutableSpan<Scalar>) {
        assign(gradient, &conditioned)
        solve(gram, &conditioned)
        Scalar.axpy(1, conditioned.span, &x)
        value -= Scalar.dot(gradient.span, conditioned.span) / 2
    }

    /// Of all minimisers the shortest, x = A⁺ b.
    private mutating func solveByLeastLength(_ x: inout MutableSpan<Scalar>) {
        summary.counts.singular += 1
        let values = problem.observations.values
        let a = Matrix(rows: count, columns: rank, elements: Array(block[..<(count * rank)]))
        guard let inverse = try? SVD(a).pseudoInverse() else {
            // NaN shows in the value, which ends the run.
            return evaluate(x.span)
        }
        multiply(inverse, values.span.extracting(range), into: &x)
        evaluate(x.span)
    }

    /// Scales the Gram matrix of so many rows, adds λ n, and counts.
    private mutating func finishGram(rows: Int, scale factor: Scalar) {
        summary.counts.operations += rows * rank * (rank + 1) / 2
        if factor != 1 { scale(factor, &gram) }
        if damping > 0 { for j in 0..<rank { gram[j, j] += damping } }
    }

    /// x ← x + argmin ‖S(r − A d)‖² + …, and the Cholesky factor of (SA)ᵀ(SA) + λ n as the preconditioner.
    ///
    /// Cholesky of the Gram matrix and not QR, as it costs a quarter: a factor that is too ill-conditioned for it goes to the exact solver.
    ///
    /// - Returns: false if the sketch lost rank.
    private mutating func sketchAndSolve(_ x: inout MutableSpan<Scalar>) -> Bool {
        let d = sketchRows(rank)
        scatter(rows: count, columns: rank, block, targets, each: signs, zeros, into: &sketch)
        scatter(rows: count, columns: 1, residual, targets, each: signs, zeros, into: &sketchedResidual)
        summary.counts.operations += signs * count * (rank + 1)
        gramMatrix(of: sketch, rows: d, into: &gram)
        finishGram(rows: d, scale: 1 / Scalar(signs))
        summary.counts.operations += rank * rank * rank / 6 + rank * rank + 2 * d * rank
        guard factorizePositiveDefinite(&gram) else { return false }
        pullback(rows: d, sketch, origin, sketchedResidual, 0..<d, into: &sketchWork, &conditioned)
        scale(1 / Scalar(signs), &conditioned)
        if damping > 0 { axpy(-damping, x.span, &conditioned) }
        solve(gram, &conditioned)
        Scalar.axpy(1, conditioned.span, &x)
        let before = value
        evaluate(x.span)
        if value > before { // A sketch that made it worse: its solution is dropped, the factor may still precondition.
            Scalar.axpy(-1, conditioned.span, &x)
            evaluate(x.span)
        }
        return value.isFinite
    }

    /// Conjugate gradients on the normal equations, each product with AᵀA in one pass over A.
    ///
    /// - Returns: whether the energy has fallen as far as `accuracy` asks.
    private mutating func conjugateGradients(
        _ x: inout MutableSpan<Scalar>, steps: Int, accuracy: Double?, preconditioned: Bool
    ) -> Bool {
        let n = count, k = rank
        applyPreconditioner(preconditioned)
        assign(conditioned, &direction)
        var energy = Scalar.dot(gradient.span, conditioned.span)
        let start = value, goal = accuracy.map { Scalar($0 * $0) * energy }
        for _ in 0..<steps {
            if energy == 0 || goal.map({ energy <= $0 }) == true { break }
            // −AᵀA p, negative as the kernel takes 0 − A p.
            pullback(rows: n, block, direction, zeros, 0..<n, into: &residual, &image)
            if damping > 0 { axpy(-damping, direction, &image) }
            summary.counts.operations += 2 * n * k + 5 * k
            summary.counts.steps += 1
            let curvature = -Scalar.dot(direction.span, image.span)
            guard curvature > 0 else { return energy.isFinite && goal == nil }
            let step = energy / curvature
            Scalar.axpy(step, direction.span, &x)
            axpy(step, image, &gradient)
            value -= step * energy / 2
            applyPreconditioner(preconditioned)
            let next = Scalar.dot(gradient.span, conditioned.span)
            axpby(1, conditioned, next / energy, &direction)
            energy = next
        }
        guard energy.isFinite, goal.map({ energy <= $0 }) ?? true else { return false }
        if !(value > 1e-3 * start) { evaluate(x.span) }
        return true
    }

    /// conditioned ← P⁻¹ g.
    private mutating func applyPreconditioner(_ isPreconditioned: Bool) {
        assign(gradient, &conditioned)
        guard isPreconditioned else { return }
        solve(gram, &conditioned)
        summary.counts.operations += rank * rank
    }
}

// Kernels on the worker's buffers: spans of two of them cannot be held at the same time, arguments can.

/// The rows of `basis` that `indices[range]` names, from the front of `block` on.
@inline(__always)
private func gather<Scalar: KernelScalar>(_ basis: Matrix<Scalar>, _ indices: [Int32], _ range: Range<Int>, into block: inout [Scalar]) {
    var span = block.mutableSpan
    var rows = span._mutatingExtracting(0..<range.count * basis.columns)
    Scalar.gatherRows(columns: basis.columns, of: basis.span, targets: indices.span.extracting(range), into: &rows)
}

/// C ← AᵀA, of which the lower triangle counts, and g ← Aᵀ b of these observations.
@inline(__always)
private func gatherGram<Scalar: KernelScalar>(
    _ basis: Matrix<Scalar>, _ observations: SparseMatrix<Scalar>, _ range: Range<Int>, into c: inout Matrix<Scalar>, _ g: inout [Scalar]
) {
    var c = c.mutableSpan, g = g.mutableSpan
    c.update(repeating: 0)
    g.update(repeating: 0)
    Scalar.gatherGram(
        columns: basis.columns, of: basis.span, targets: observations.columnIndices.span.extracting(range),
        observations.values.span.extracting(range), into: &c, pulled: &g)
}

/// r ← b[range] − A x and g ← Aᵀ r, with A the first rows of `a` and r the front of `residual`.
@inline(__always)
private func pullback<Scalar: KernelScalar>(
    rows: Int, _ a: [Scalar], _ x: Span<Scalar>, _ b: [Scalar], _ range: Range<Int>, into residual: inout [Scalar], _ g: inout [Scalar]
) {
    var r = residual.mutableSpan, g = g.mutableSpan
    var part = r._mutatingExtracting(0..<rows)
    Scalar.residualPullback(rows: rows, columns: x.count, of: a.span.extracting(0..<rows * x.count), x, b.span.extracting(range), into: &part,
                            pulled: &g)
}

@inline(__always)
private func pullback<Scalar: KernelScalar>(
    rows: Int, _ a: [Scalar], _ x: [Scalar], _ b: [Scalar], _ range: Range<Int>, into residual: inout [Scalar], _ g: inout [Scalar]
) {
    pullback(rows: rows, a, x.span, b, range, into: &residual, &g)
}

/// The lower triangle of AᵀA, with A the first rows of `a`.
@inline(__always)
private func gramMatrix<Scalar: KernelScalar>(of a: [Scalar], rows: Int, into c: inout Matrix<Scalar>) {
    lowerGram(MatrixView(a.span.extracting(0..<rows * c.columns), rows: rows, columns: c.columns, rowStride: c.columns), into: &c)
}

/// y ← Σ ± rows of x, from zero.
@inline(__always)
private func scatter<Scalar: KernelScalar>(
    rows: Int, columns: Int, _ x: [Scalar], _ targets: [Int32], each: Int, _ zeros: [Scalar], into y: inout [Scalar]
) {
    var span = y.mutableSpan
    copy(zeros.span.extracting(0..<span.count), &span)
    Scalar.scatterRows(rows: rows, columns: columns, of: x.span.extracting(0..<rows * columns), targets: targets.span.extracting(0..<rows * each),
                       each: each, into: &span, rows: span.count / columns)
}

/// x ← (L Lᵀ)⁻¹ x.
@inline(__always)
private func solve<Scalar: KernelScalar>(_ lower: Matrix<Scalar>, _ x: inout [Scalar]) {
    var span = x.mutableSpan
    solveLowerTriangle(lower, transpose: false, &span)
    solveLowerTriangle(lower, transpose: true, &span)
}

/// A ← a A.
@inline(__always)
private func scale<Scalar: KernelScalar>(_ a: Scalar, _ matrix: inout Matrix<Scalar>) {
    var span = matrix.mutableSpan
    Scalar.scale(a, &span)
}
