import Kernels
import LinearAlgebra

extension Tensor {
    /// The lower or the upper triangle of a matrix, diagonal included; 0 elsewhere.
    ///
    /// - Precondition: two axes.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func triangularPart(_ triangle: Triangle) -> Tensor {
        require(rank == 2, "triangularPart of shape \(shape); expected two axes")
        return apply(TriangularPart(triangle: triangle, diagonalScale: 1), to: [self])
    }

    /// The diagonal of a matrix: min(rows, columns) elements.
    ///
    /// - Precondition: two axes.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func diagonal() -> Tensor {
        require(rank == 2, "diagonal of shape \(shape); expected two axes")
        return flattened().gathered((0..<Swift.min(extents[0], extents[1])).map { $0 * (extents[1] + 1) })
    }

    /// (A + Aᵀ)/2; A itself, to the bit, where it is symmetric.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func symmetricPart() -> Tensor { 0.5 * (self + transposed()) }

    func requireSquare(_ operation: String) {
        require(rank == 2 && extents[0] == extents[1], "\(operation) of shape \(shape); expected a square matrix")
    }
}

/// The sum of a square matrix's diagonal, shape [].
///
/// - Precondition: two axes of equal extent.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func trace<Scalar: KernelScalar>(_ a: Tensor<Scalar>) -> Tensor<Scalar> {
    a.requireSquare("trace")
    return a.diagonal().sum()
}

/// One triangle of a matrix, its diagonal scaled. The operation is its own adjoint.
struct TriangularPart<Scalar: KernelScalar>: DifferentiableOperation {
    let triangle: Triangle, diagonalScale: Scalar

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        return Tensor(a.extents, uninitializedArray(count: a.count) {
            keepTriangle(triangle, diagonalScale, a.span, rows: a.shape[0], columns: a.shape[1], &$0)
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { apply(self, to: [dx[0]!]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(self, to: [g])]
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func keepTriangle<Scalar: KernelScalar>(
    _ triangle: Triangle, _ diagonalScale: Scalar, _ x: Span<Scalar>, rows: Int, columns: Int, _ y: inout MutableSpan<Scalar>
) {
    for i in 0..<rows {
        for j in 0..<columns {
            let place = i * columns + j
            y[place] = i == j ? diagonalScale * x[place] : (j < i) == (triangle == .lower) ? x[place] : 0
        }
    }
}
