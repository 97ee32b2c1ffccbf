import Kernels
import LinearAlgebra

/// A·x = b, with a preconditioner if there is one.
///
/// A preconditioner is an operator that applies M⁻¹, an approximate inverse of A; what a method asks of it stands with the method.
public struct LinearSystem<Scalar: KernelScalar>: Sendable {
    public let matrix: any LinearOperator<Scalar>
    public let rightHandSide: [Scalar]
    public let preconditioner: (any LinearOperator<Scalar>)?

    /// - Precondition: `b` has as many elements as A has rows; a preconditioner is square with as many columns as A.
    public init(_ a: any LinearOperator<Scalar>, _ b: [Scalar], preconditioner: (any LinearOperator<Scalar>)? = nil) {
        require(b.count == a.rows, "right-hand side has \(b.count) elements for \(a.rows) rows; expected equally many")
        if let m = preconditioner {
            require(m.rows == a.columns && m.columns == a.columns,
                    "preconditioner is \(m.rows)×\(m.columns) for \(a.columns) unknowns; expected \(a.columns)×\(a.columns)")
        }
        (matrix, rightHandSide, self.preconditioner) = (a, b, preconditioner)
    }

    /// Stops unless the matrix is square and `start` fits.
    func requireSquare(_ method: String, _ start: [Scalar]?) {
        require(matrix.rows == matrix.columns, "\(method) with a \(matrix.rows)×\(matrix.columns) operator; expected a square one")
        requireStart(start)
    }

    func requireStart(_ start: [Scalar]?) {
        require(start.map { $0.count == matrix.columns } ?? true,
                "start has \(start?.count ?? 0) elements; expected \(matrix.columns)")
    }

    /// Stops if there is a preconditioner.
    func requireNoPreconditioner(_ method: String) {
        require(preconditioner == nil, "\(method) takes no preconditioner; compose the operator with it instead")
    }

    /// r ← b − A·x.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func residual(of x: [Scalar], into r: inout [Scalar]) {
        apply(matrix, x, into: &r)
        axpby(1, rightHandSide, -1, &r)
    }
}
