import Kernels
import LinearAlgebra
import Randomness

/// An orthonormal basis v₀, v₁, … of a Krylov space of a symmetric operator, grown by the Lanczos recurrence with full
/// reorthogonalisation, and the operator's projection onto it.
///
/// A V = V T + β v_size e_lastᵀ. What the recurrence knows of A v is taken out first, and what is found of the basis in the rest then.
struct KrylovBasis<Scalar: KernelScalar>: Sendable, Codable {
    /// `capacity` + 1 rows; the first `size` + 1 are v₀ … v_size.
    private(set) var vectors: Matrix<Scalar>
    /// T in its leading block of order `size`; the couplings to v_size beside it.
    private(set) var projection: Matrix<Double>
    private(set) var size = 0
    /// β: 0 where the space is invariant and v_size a new random vector, or where it is the whole space.
    private(set) var coupling = 0.0
    /// The largest ‖A vⱼ‖ so far: a lower bound of ‖A‖, and close to it after a few steps.
    private(set) var scale = 0.0
    private var stream: RandomStream

    var dimension: Int { vectors.columns }
    var capacity: Int { vectors.rows - 1 }

    /// - Parameter start: v₀ before it is normalised; random if `nil` or zero.
    init(dimension: Int, capacity: Int, start: [Scalar]?, stream: RandomStream) {
        vectors = .zeros(rows: capacity + 1, columns: dimension)
        projection = .zeros(rows: capacity + 1, columns: capacity + 1)
        self.stream = stream
        guard dimension > 0 else { return }
        if let start {
            let norm = Double(Scalar.nrm2(start.span))
            if norm > 0, norm.isFinite {
                place(start, norm, inRow: 0)
                return
            }
        }
        beginAnew()
    }

    /// One product: v_size joins the basis, and the next vector is made.
    ///
    /// - Precondition: `size` < `capacity` and `size` < `dimension`.
    mutating func extend(by a: any LinearOperator<Scalar>, productIndex: Int) throws(CurvatureError) {
        let j = size
        var w = try product(a, elements(ofRow: j), productIndex)
        var components = (0..<j).map { projection[$0, j] } + [Double(Scalar.dot(vectors.row(j), w.span))]
        let norm = remove(&components, from: &w)
        projection[j, j] = components[j]
        size += 1

        // ‖A vⱼ‖.
        scale = max(scale, Double.nrm2((components + [norm]).span))
        // What is left of a vector that lies in the space is rounding, without direction.
        coupling = size < dimension && norm > 16 * Double(Scalar.ulpOfOne) * scale ? norm : 0
        if coupling > 0 {
            projection[j, j + 1] = coupling
            projection[j + 1, j] = coupling
            place(w, norm, inRow: j + 1)
        } else if size < dimension {
            beginAnew()
        }
    }

    /// Puts a random unit vector, orthogonal to the basis, in the place of v_size.
    private mutating func beginAnew() {
        while true {
            var w: [Scalar] = ProbeDistribution.gaussian.probe(count: dimension, using: &stream)
            var components = [Double](repeating: 0, count: size)
            let norm = remove(&components, from: &w)
            if norm > Double(Scalar.ulpOfOne.squareRoot()) * Double(dimension).squareRoot() { return place(w, norm, inRow: size) }
        }
    }

    private func elements(ofRow i: Int) -> [Scalar] {
        let row = vectors.row(i)
        return uninitializedArray(count: dimension) { copy(row, &$0) }
    }

    private mutating func place(_ w: [Scalar], _ norm: Double, inRow i: Int) {
        var row = vectors.mutableRow(i)
        Scalar.affine(1 / Scalar(norm), w.span, 0, into: &row)
    }

    /// Takes out of `w` the given components along the first vectors, and what more of these it finds, which it adds to them. Returns the
    /// norm of the rest, which is orthogonal to them but for a few units of rounding of its own size.
    ///
    /// Each sweep goes by blocks that stay in the cache, so that the basis is read once for both what is taken out and what is left.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func remove(_ components: inout [Double], from w: inout [Scalar]) -> Double {
        let block = 4096, tolerance = 64 * Double(Scalar.ulpOfOne)
        let elements = vectors.span
        var pending = components
        // A rest that is rounding alone never becomes orthogonal: a few sweeps show that.
        for sweep in 1... {
            var left = [Double](repeating: 0, count: pending.count), norms: [Double] = []
            for start in stride(from: 0, to: dimension, by: block) {
                let end = min(start + block, dimension)
                var span = w.mutableSpan
                var part = span._mutatingExtracting(start..<end)
                for i in pending.indices where pending[i] != 0 {
                    Scalar.axpy(-Scalar(pending[i]), elements.extracting(i * dimension + start..<i * dimension + end), &part)
                }
                for i in left.indices {
                    left[i] += Double(Scalar.dot(elements.extracting(i * dimension + start..<i * dimension + end), part.span))
                }
                norms.append(Double(Scalar.nrm2(part.span)))
            }
            let norm = Double.nrm2(norms.span)
            if sweep == 4 || Double.maxAbs(left.span) <= tolerance * norm { return norm }
            pending = left
            for i in left.indices { components[i] += left[i] }
        }
        fatalError("the fourth sweep returns")
    }

    /// The eigendecomposition of T: the Ritz values, rising, and their coordinates in the basis as columns.
    func ritz() throws(CurvatureError) -> SymmetricEigen<Double> {
        let t = projection.submatrix(rows: 0..<size, columns: 0..<size)
        return try factorizing { try SymmetricEigen(t) }
    }

    /// V·S as rows, for columns S of coordinates.
    func combined(_ coordinates: Matrix<Double>) -> Matrix<Scalar> {
        var result = Matrix<Scalar>.zeros(rows: coordinates.columns, columns: dimension)
        let s = coordinates.map { Scalar($0) }
        multiply(s.view, vectors.view.submatrix(rows: 0..<size, columns: 0..<dimension), transposeA: true, into: &result)
        return result
    }

    /// A thick restart: the basis becomes the Ritz vectors of the given indices, followed by v_size as it is.
    mutating func restart(keeping indices: [Int], of ritz: SymmetricEigen<Double>) {
        let kept = indices.count
        let coordinates = Matrix<Double>(rows: size, columns: kept) { ritz.vectors[$0, indices[$1]] }
        let couplings = indices.map { coupling * ritz.vectors[size - 1, $0] }
        let s = coordinates.map { Scalar($0) }
        // Column block by column block, so that no second basis is needed.
        for start in stride(from: 0, to: dimension, by: 4096) {
            let end = min(start + 4096, dimension)
            var part = Matrix<Scalar>.zeros(rows: kept, columns: end - start)
            multiply(s.view, vectors.view.submatrix(rows: 0..<size, columns: start..<end), transposeA: true, into: &part)
            for i in 0..<kept {
                var row = vectors.mutableRow(i)
                var target = row._mutatingExtracting(start..<end)
                copy(part.row(i), &target)
            }
        }
        let next = elements(ofRow: size)
        var row = vectors.mutableRow(kept)
        copy(next.span, &row)
        projection = .zeros(rows: capacity + 1, columns: capacity + 1)
        for (i, index) in indices.enumerated() {
            projection[i, i] = ritz.values[index]
            projection[i, kept] = couplings[i]
            projection[kept, i] = couplings[i]
        }
        size = kept
    }
}
