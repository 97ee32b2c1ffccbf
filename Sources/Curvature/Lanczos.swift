import Kernels
import LinearAlgebra
import Objectives
import Randomness

/// The largest and the smallest eigenvalues of a symmetric operator, with their vectors, by the Lanczos method with thick restarts.
///
///     A V = V T + β v eᵀ,   T s = θ s:   V s is an eigenvector with residual ‖A V s − θ V s‖ = β |s_last|
///
/// All wanted pairs come out of one space and are looked at after every product, so that the run ends with the first one that
/// suffices. When the basis is full it is replaced by the Ritz vectors at the wanted ends, and grows again: memory stays bounded. Every
/// new vector is made orthogonal to all others, so no false copies of eigenvalues appear.
///
/// ```swift
/// let solution = Lanczos<Float>(largest: 2, smallest: 1).solve(HessianOperator(of: loss, at: parameters))
/// ```
///
/// Converged means: each residual is at most `relativeTolerance` · ‖A‖, where ‖A‖ is estimated from below by the products; the eigenvalue is
/// then that close to θ, and far closer (the residual's square over the gap) where it is isolated. An eigenvalue of several
/// vectors may be found with fewer: rounding alone brings in the others.
///
/// Differs from SciPy's `eigsh`: convergence is looked at after each product, not once a restart; the tolerance is relative to
/// ‖A‖, not to the eigenvalue, and both ends are found in one run.
///
/// Source: Wu & Simon 2000, Thick-restart Lanczos method for large symmetric eigenvalue problems, SIAM J. Matrix Anal. Appl. 22(2).
public struct Lanczos<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    public let largest: Int
    public let smallest: Int
    public let relativeTolerance: Double
    public let basisSize: Int
    public let productLimit: Int
    public let seed: UInt64

    /// - Parameters:
    ///   - largest: how many pairs from the top.
    ///   - smallest: how many pairs from the bottom: the most negative ones, not those nearest to 0.
    ///   - relativeTolerance: √ε if `nil`: 1.5e-8 for `Double`, 3.5e-4 for `Float`.
    ///   - basisSize: vectors kept at most, at least two more than the pairs; max(20, 2 (pairs) + 1) if `nil`, as in ARPACK.
    ///   - productLimit: the run ends after so many products.
    ///   - seed: of the start, where none is given, and of new directions in an invariant space.
    public init(
        largest: Int = 1, smallest: Int = 0, relativeTolerance: Double? = nil, basisSize: Int? = nil, productLimit: Int = 10_000,
        seed: UInt64 = 0
    ) {
        require(largest >= 0 && smallest >= 0 && largest + smallest >= 1,
                "\(largest) largest and \(smallest) smallest eigenvalues; expected no negative number, and at least 1 of both")
        let pairs = largest + smallest, basisSize = basisSize ?? max(20, 2 * pairs + 1)
        require(basisSize >= pairs + 2, "basis of \(basisSize) vectors for \(pairs) pairs; expected at least \(pairs + 2)")
        require(productLimit >= 1, "product limit is \(productLimit); expected at least 1")
        let tolerance = relativeTolerance ?? Double(Scalar.ulpOfOne.squareRoot())
        require(tolerance >= 0, "relative tolerance is \(tolerance); expected at least 0")
        self.largest = largest
        self.smallest = smallest
        self.relativeTolerance = tolerance
        self.basisSize = basisSize
        self.productLimit = productLimit
        self.seed = seed
    }

    /// The space so far. A decoded copy goes on to the same bits.
    public struct State: Sendable, Codable {
        fileprivate var basis: KrylovBasis<Scalar>
        public fileprivate(set) var products = 0
        public fileprivate(set) var restarts = 0
        /// The wanted values when the space was last invariant.
        fileprivate var invariantValues: [Double]?
    }

    /// The state before the first product.
    ///
    /// - Parameter start: where the space begins; random if `nil` or zero.
    /// - Precondition: the operator is square, with at least as many rows as pairs are wanted; `start` has as many elements.
    public func makeState(_ a: any LinearOperator<Scalar>, from start: [Scalar]? = nil) -> State {
        requireSquare(a)
        require(a.rows >= largest + smallest, "\(largest + smallest) eigenvalues of an operator of order \(a.rows)")
        require(start.map { $0.count == a.rows } ?? true, "start has \(start?.count ?? 0) elements; expected \(a.rows)")
        return State(basis: KrylovBasis(
            dimension: a.rows, capacity: min(basisSize, a.rows), start: start, stream: RandomStream(seed: seed)))
    }

    /// One product.
    ///
    /// - Returns: `nil` to go on, or why the run must end.
    public func step(_ state: inout State, _ a: any LinearOperator<Scalar>) -> Termination? {
        require(a.rows == state.basis.dimension, "operator of order \(a.rows); the state was made for \(state.basis.dimension)")
        do {
            if state.basis.size == state.basis.capacity { try restart(&state) }
            try state.basis.extend(by: a, productIndex: state.products)
            state.products += 1
            return try convergence(&state)
        } catch {
            return Termination(.nonFinite, "\(error)")
        }
    }

    /// Goes on until the pairs have converged, the products run out, or one is not finite.
    public func solve(_ a: any LinearOperator<Scalar>, from start: [Scalar]? = nil) -> EigenSolution<Scalar> {
        var state = makeState(a, from: start)
        return solve(a, resuming: &state)
    }

    /// Goes on with a state, which can be saved and resumed again afterwards. The limit counts from the very first product.
    public func solve(_ a: any LinearOperator<Scalar>, resuming state: inout State) -> EigenSolution<Scalar> {
        while state.products < productLimit {
            if let end = step(&state, a) { return solution(state, end) }
        }
        return solution(state, Termination(.iterationLimit, "no convergence in \(productLimit) products"))
    }

    /// Places of the wanted Ritz values among `size` rising ones, `extra` more at each wanted end, without repetition.
    private func wanted(of size: Int, extra: Int = 0) -> (bottom: Range<Int>, top: Range<Int>) {
        let bottom = smallest == 0 ? 0 : min(size, smallest + extra)
        let top = largest == 0 ? 0 : min(size - bottom, largest + extra)
        return (0..<bottom, size - top..<size)
    }

    private func convergence(_ state: inout State) throws(CurvatureError) -> Termination? {
        let basis = state.basis, size = basis.size
        guard size >= largest + smallest else { return nil }
        let ritz = try basis.ritz()
        let places = wanted(of: size), indices = Array(places.bottom) + Array(places.top)
        let worst = indices.map { basis.coupling * abs(ritz.vectors[size - 1, $0]) }.max()!
        let bound = relativeTolerance * basis.scale
        guard worst <= bound else { return nil }
        if basis.coupling == 0, size < basis.dimension {
            // An invariant space need not hold all copies of its eigenvalues. A second one, from a new direction, must change nothing.
            let values = indices.map { ritz.values[$0] }
            let isSame = state.invariantValues.map { zip($0, values).allSatisfy { abs($0 - $1) <= max(bound, 1e-12 * basis.scale) } }
            state.invariantValues = values
            guard isSame ?? false else { return nil }
        }
        return Termination(.converged, "the largest residual is \(worst), at most \(bound)")
    }

    private func restart(_ state: inout State) throws(CurvatureError) {
        let size = state.basis.size, pairs = largest + smallest
        let ends = (largest > 0 ? 1 : 0) + (smallest > 0 ? 1 : 0)
        // Half of what the basis has to spare, but room for two new vectors.
        let extra = min((size - pairs) / 2, size - pairs - 2) / ends
        let places = wanted(of: size, extra: max(0, extra))
        state.basis.restart(keeping: Array(places.bottom) + Array(places.top), of: try state.basis.ritz())
        state.restarts += 1
    }

    private func solution(_ state: State, _ termination: Termination) -> EigenSolution<Scalar> {
        let basis = state.basis
        // Nothing is known before the first product, and T was finite whenever one succeeded.
        guard basis.size > 0, let ritz = try? basis.ritz() else {
            return EigenSolution(
                smallest: [], largest: [], status: termination.status, reason: termination.reason, products: state.products,
                restarts: state.restarts)
        }
        let places = wanted(of: basis.size), indices = Array(places.bottom) + places.top.reversed()
        let vectors = basis.combined(Matrix<Double>(rows: basis.size, columns: indices.count) { ritz.vectors[$0, indices[$1]] })
        let pairs = indices.enumerated().map { i, index in
            Eigenpair(value: Scalar(ritz.values[index]), vector: Array(vectors.elements[i * basis.dimension..<(i + 1) * basis.dimension]),
                      residualNorm: Scalar(basis.coupling * abs(ritz.vectors[basis.size - 1, index])))
        }
        return EigenSolution(
            smallest: Array(pairs.prefix(places.bottom.count)), largest: Array(pairs.dropFirst(places.bottom.count)),
            status: termination.status, reason: termination.reason, products: state.products, restarts: state.restarts)
    }
}
