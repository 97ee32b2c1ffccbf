import Kernels
import LinearAlgebra

// Factorisations and solves. They throw what data can cause, before anything is recorded. In a derivative, whose operands can
// have overflowed, the same errors give NaN.

/// L of A = L Lᵀ for a symmetric positive definite A, lower triangular with a positive diagonal.
///
/// A function of (A + Aᵀ)/2, so its gradient is symmetric: JAX's convention. Differs from `LinearAlgebra.Cholesky`, which reads the
/// lower triangle alone. Derivatives are products and triangular solves with L: L̇ = L Φ(L⁻¹ Ȧ L⁻ᵀ), where Φ takes the lower triangle and half
/// of the diagonal (Murray 2016, arXiv:1602.07527).
///
/// - Precondition: A is a square matrix.
/// - Throws: `LinearAlgebraError.notPositiveDefinite`, `.nonFinite`. No jitter is added.
/// - Complexity: n³/3 operations; 3 to 4 times as many in a derivative.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func cholesky<Scalar: KernelScalar>(_ a: Tensor<Scalar>) throws(LinearAlgebraError) -> Tensor<Scalar> {
    a.requireSquare("cholesky")
    let symmetric = a.symmetricPart()
    let factor = try Cholesky(symmetric.matrix)
    return record(CholeskyFactor(), [symmetric]) { _ in Tensor(factor.lower) }
}

/// ln det A of a symmetric positive definite A, shape []: 2 Σ ln Lᵢᵢ. It does not overflow.
///
/// With L at hand already, that formula costs O(n).
///
/// - Precondition: A is a square matrix.
/// - Throws: as ``cholesky(_:)``.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func logDeterminant<Scalar: KernelScalar>(_ a: Tensor<Scalar>) throws(LinearAlgebraError) -> Tensor<Scalar> {
    2 * (try cholesky(a)).diagonal().log().sum()
}

/// A⁻¹ B for a symmetric positive definite A, by its Cholesky factor. Derivatives use the same factor.
///
/// A function of (A + Aᵀ)/2, as ``cholesky(_:)``.
///
/// - Parameter b: a matrix with as many rows as A, or a vector.
/// - Precondition: A is a square matrix.
/// - Throws: `LinearAlgebraError.notPositiveDefinite`, `.nonFinite`, `.overflow`.
/// - Complexity: n³/3 operations, and 2 n² for each column of B, in the value and again in a derivative.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func solvePositiveDefinite<Scalar: KernelScalar>(
    _ a: Tensor<Scalar>, _ b: Tensor<Scalar>
) throws(LinearAlgebraError) -> Tensor<Scalar> {
    a.requireSquare("solvePositiveDefinite")
    let symmetric = a.symmetricPart(), columns = rightSides(b, rows: a.shape[0], "solvePositiveDefinite")
    let factor = try Cholesky(symmetric.matrix)
    let solution = try factor.solve(columns.matrix)
    return record(PositiveDefiniteSolution(factor: factor), [symmetric, columns]) { _ in Tensor(solution) }.reshaped(b.shape)
}

/// op(T)⁻¹ B for a triangular T, where op transposes if asked to.
///
/// - Parameters:
///   - t: only `triangle` is read, and has a derivative.
///   - b: a matrix with as many rows as T, or a vector.
/// - Precondition: T is a square matrix.
/// - Throws: `LinearAlgebraError.singular` if a diagonal element is exactly zero, `.nonFinite`, `.overflow`.
/// - Complexity: n² operations for each column of B, three times as many in a derivative.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func solveTriangular<Scalar: KernelScalar>(
    _ t: Tensor<Scalar>, _ b: Tensor<Scalar>, triangle: Triangle = .lower, transpose: Bool = false
) throws(LinearAlgebraError) -> Tensor<Scalar> {
    t.requireSquare("solveTriangular")
    let columns = rightSides(b, rows: t.shape[0], "solveTriangular")
    let solution = try LinearAlgebra.solveTriangular(t.matrix, columns.matrix, triangle: triangle, transpose: transpose)
    return record(TriangularSolution(triangle: triangle, transpose: transpose), [t, columns]) { _ in Tensor(solution) }.reshaped(b.shape)
}

/// λ and V of A = V diag(λ) Vᵀ for a symmetric A: eigenvalues, rising, and orthonormal eigenvectors in columns.
///
/// A function of (A + Aᵀ)/2, as ``cholesky(_:)``. With Q = Vᵀ Ȧ V the derivatives are λ̇ = diag Q and V̇ = V (F ∘ Q), Fᵢⱼ = 1/(λⱼ − λᵢ) for i ≠ j.
/// So eigenvectors of close eigenvalues have large derivatives, with as much relative error. Where λᵢ = λⱼ exactly Fᵢⱼ counts as 0: functions
/// of the eigenvalues that treat equal ones alike, such as their sum or norm, keep their right gradient, and the eigenvectors, which have no
/// derivative there, lose the terms between the two. PyTorch and JAX give NaN for both.
/// The sign of an eigenvector is LAPACK's choice and can change between neighbouring matrices.
///
/// - Precondition: A is a square matrix.
/// - Throws: `LinearAlgebraError.nonFinite`, `.noConvergence`, `.overflow`.
/// - Complexity: O(n³), by divide and conquer; three or four matrix products in a derivative.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func symmetricEigen<Scalar: KernelScalar>(
    _ a: Tensor<Scalar>
) throws(LinearAlgebraError) -> (values: Tensor<Scalar>, vectors: Tensor<Scalar>) {
    a.requireSquare("symmetricEigen")
    let symmetric = a.symmetricPart()
    let packed = EigenPair<Scalar>.packed(try SymmetricEigen(symmetric.matrix))
    return EigenPair<Scalar>.unpacked(record(EigenPair(), [symmetric]) { _ in packed })
}

/// B as a matrix of right-hand sides in columns.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func rightSides<Scalar: KernelScalar>(_ b: Tensor<Scalar>, rows: Int, _ operation: String) -> Tensor<Scalar> {
    require((b.rank == 1 || b.rank == 2) && b.shape[0] == rows,
            "\(operation): right-hand side of shape \(b.shape); expected a vector or matrix with \(rows) rows")
    return b.rank == 1 ? b.expanded(atAxis: 1) : b
}

private func notANumber<Scalar: KernelScalar>(_ shape: [Int]) -> Tensor<Scalar> { Tensor(shape: shape, repeating: .nan) }

/// L of a symmetric A.
struct CholeskyFactor<Scalar: KernelScalar>: DifferentiableOperation {
    var derivativesRead: DerivativeOperands { .output }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        (try? Cholesky(x[0].matrix)).map { Tensor($0.lower) } ?? notANumber(x[0].shape)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output l: Tensor<Scalar>) -> Tensor<Scalar>? {
        let solve = TriangularSolution<Scalar>(triangle: .lower, transpose: false)
        // Ȧ is symmetric, so one transposition turns L⁻¹ Ȧ into what is left to solve.
        let inner = apply(solve, to: [l, apply(solve, to: [l, dx[0]!]).transposed()])
        return matmul(l, lowerHalf(inner))
    }

    // Ā = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output l: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let solve = TriangularSolution<Scalar>(triangle: .lower, transpose: true)
        let left = apply(solve, to: [l, lowerHalf(matmul(l, g, transposeA: true))])
        return [apply(solve, to: [l, left.transposed()]).transposed()]
    }

    /// Φ.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func lowerHalf(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
        apply(TriangularPart(triangle: .lower, diagonalScale: 0.5), to: [x])
    }
}

/// A⁻¹ B, of inputs A and B, by a factor of A.
struct PositiveDefiniteSolution<Scalar: KernelScalar>: DifferentiableOperation {
    let factor: Cholesky<Scalar>

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        (try? factor.solve(x[1].matrix)).map { Tensor($0) } ?? notANumber(x[1].shape)
    }

    // Ẋ = A⁻¹ (Ḃ − Ȧ X)
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        guard let a = dx[0] else { return apply(self, to: [x[0], dx[1]!]) }
        let change = matmul(a, y)
        return apply(self, to: [x[0], dx[1].map { $0 - change } ?? -change])
    }

    // B̄ = A⁻¹ X̄, Ā = −B̄ Xᵀ
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let b = apply(self, to: [x[0], g])
        return [wanted.contains(0) ? -matmul(b, y, transposeB: true) : nil, b]
    }
}

/// op(T)⁻¹ B, of inputs T and B.
struct TriangularSolution<Scalar: KernelScalar>: DifferentiableOperation {
    let triangle: Triangle, transpose: Bool

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let solution = try? LinearAlgebra.solveTriangular(x[0].matrix, x[1].matrix, triangle: triangle, transpose: transpose)
        return solution.map { Tensor($0) } ?? notANumber(x[1].shape)
    }

    // Ẋ = op(T)⁻¹ (Ḃ − op(Ṫ) X)
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        guard let t = dx[0] else { return apply(self, to: [x[0], dx[1]!]) }
        let change = matmul(t.triangularPart(triangle), y, transposeA: transpose)
        return apply(self, to: [x[0], dx[1].map { $0 - change } ?? -change])
    }

    // B̄ = op(T)⁻ᵀ X̄; T̄ is the triangle of −B̄ Xᵀ, or of its transpose.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let b = apply(TriangularSolution(triangle: triangle, transpose: !transpose), to: [x[0], g])
        guard wanted.contains(0) else { return [nil, b] }
        let product = transpose ? matmul(y, b, transposeB: true) : matmul(b, y, transposeB: true)
        return [-product.triangularPart(triangle), b]
    }
}

/// Eigenvalues in the first row, eigenvectors in the columns of the other n.
struct EigenPair<Scalar: KernelScalar>: DifferentiableOperation {
    var derivativesRead: DerivativeOperands { .output }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    static func packed(_ eigen: SymmetricEigen<Scalar>) -> Tensor<Scalar> {
        Tensor([eigen.values.count + 1, eigen.values.count], eigen.values + eigen.vectors.elements)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    static func unpacked(_ x: Tensor<Scalar>) -> (values: Tensor<Scalar>, vectors: Tensor<Scalar>) {
        (x.at(0), x.slice(0, 1..<x.shape[0]))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        (try? SymmetricEigen(x[0].matrix)).map(Self.packed) ?? notANumber([x[0].shape[0] + 1, x[0].shape[0]])
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        let (values, vectors) = Self.unpacked(y)
        let inner = matmul(vectors, matmul(dx[0]!, vectors), transposeA: true)
        return concatenated([inner.diagonal().expanded(atAxis: 0), matmul(vectors, inverseGaps(values) * inner)])
    }

    // Ā = V (diag λ̄ + F ∘ (Vᵀ V̄)) Vᵀ
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let (values, vectors) = Self.unpacked(y), (valueCotangent, vectorCotangent) = Self.unpacked(g)
        let inner = inverseGaps(values) * matmul(vectors, vectorCotangent, transposeA: true)
        return [matmul(vectors * valueCotangent + matmul(vectors, inner), vectors, transposeB: true)]
    }

    /// F: 1/(λⱼ − λᵢ), and 0 where both are equal.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func inverseGaps(_ values: Tensor<Scalar>) -> Tensor<Scalar> {
        let n = values.count
        let equal = Tensor([n, n], equalities(values.span))
        return (1 - equal) / (values - values.expanded(atAxis: 1) + equal)
    }
}

/// 1 where elements i and j are equal, 0 elsewhere.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func equalities<Scalar: KernelScalar>(_ x: Span<Scalar>) -> [Scalar] {
    uninitializedArray(count: x.count * x.count) { out in
        for i in x.indices {
            for j in x.indices { out[i * x.count + j] = x[i] == x[j] ? 1 : 0 }
        }
    }
}
