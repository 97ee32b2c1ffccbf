import Kernels
import LinearAlgebra
import Randomness

/// An orthonormal basis v₀, v₁, … of a Krylov space of a symmetric operator, grown by the Lanczos recurrence with full
/// reorthogonalisation, and the operator's projection onto it.
///
/// A V = V T + β v_size e_lastᵀ. The recurrence takes out what it knows of A v first; a second pass against all vectors then leaves
/// rounding of the size of one vector, also where β is small.
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
            let norm = Scalar.nrm2(start.span)
            if norm > 0, norm.isFinite {
                var row = vectors.mutableRow(0)
                copy(start.span, &row)
                Scalar.scale(1 / norm, &row)
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
        for i in 0..<j where projection[i, j] != 0 { subtract(Scalar(projection[i, j]), i, from: &w) }
        var diagonal = Double(Scalar.dot(vectors.row(j), w.span))
        subtract(Scalar(diagonal), j, from: &w)
        diagonal += reorthogonalize(&w, against: j + 1)[j]
        projection[j, j] = diagonal
        size += 1

        let norm = Double(Scalar.nrm2(w.span))
        // ‖A vⱼ‖², from its components.
        var square = norm * norm + diagonal * diagonal
        for i in 0..<j { square += projection[i, j] * projection[i, j] }
        scale = max(scale, square.squareRoot())
        // What is left of a vector that lies in the space is rounding, without direction.
        coupling = norm > 16 * Double(Scalar.ulpOfOne) * scale ? norm : 0
        guard size < dimension else {
            coupling = 0
            return
        }
        if coupling > 0 {
            projection[j, j + 1] = coupling
            projection[j + 1, j] = coupling
            var span = w.mutableSpan
            Scalar.scale(Scalar(1 / norm), &span)
            var row = vectors.mutableRow(j + 1)
            copy(w.span, &row)
        } else {
            beginAnew()
        }
    }

    /// Puts a random unit vector, orthogonal to the basis, in the place of v_size.
    private mutating func beginAnew() {
        let size = size
        while true {
            var w: [Scalar] = ProbeDistribution.gaussian.probe(count: dimension, using: &stream)
            let before = Scalar.nrm2(w.span)
            _ = reorthogonalize(&w, against: size)
            _ = reorthogonalize(&w, against: size)
            let norm = Scalar.nrm2(w.span)
            if norm > before * Scalar.ulpOfOne.squareRoot() {
                var row = vectors.mutableRow(size)
                copy(w.span, &row)
                Scalar.scale(1 / norm, &row)
                return
            }
        }
    }

    private func elements(ofRow i: Int) -> [Scalar] {
        let row = vectors.row(i)
        return uninitializedArray(count: dimension) { copy(row, &$0) }
    }

    private func subtract(_ factor: Scalar, _ i: Int, from w: inout [Scalar]) {
        var span = w.mutableSpan
        Scalar.axpy(-factor, vectors.row(i), &span)
    }

    /// Takes out of `w` its components along the first `count` vectors, and returns them. By blocks that stay in the cache, so that the
    /// basis is read twice.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func reorthogonalize(_ w: inout [Scalar], against count: Int) -> [Double] {
        let block = 8192
        var components = [Double](repeating: 0, count: count)
        let elements = vectors.span
        for start in stride(from: 0, to: dimension, by: block) {
            let end = min(start + block, dimension), part = w.span.extracting(start..<end)
            for i in 0..<count {
                components[i] += Double(Scalar.dot(elements.extracting(i * dimension + start..<i * dimension + end), part))
            }
        }
        for start in stride(from: 0, to: dimension, by: block) {
            let end = min(start + block, dimension)
            var span = w.mutableSpan
            var part = span._mutatingExtracting(start..<end)
            for i in 0..<count {
                Scalar.axpy(-Scalar(components[i]), elements.extracting(i * dimension + start..<i * dimension + end), &part)
            }
        }
        return components
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
