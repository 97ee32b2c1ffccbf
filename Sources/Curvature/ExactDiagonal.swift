import Kernels
import LinearAlgebra

/// The diagonal of an operator, by one product for each unit vector: for small problems, and to check estimates by.
///
/// - Precondition: the operator is square.
/// - Throws: ``CurvatureError/nonFinite(product:)``.
/// - Complexity: n products; memory for two vectors, where `dense()` takes n².
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func exactDiagonal<Scalar: KernelScalar>(of a: any LinearOperator<Scalar>) throws(CurvatureError) -> [Scalar] {
    requireSquare(a)
    var unit = [Scalar](repeating: 0, count: a.columns), diagonal = unit
    for i in diagonal.indices {
        unit[i] = 1
        diagonal[i] = try product(a, unit, i)[i]
        unit[i] = 0
    }
    return diagonal
}
