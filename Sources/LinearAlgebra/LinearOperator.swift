import Kernels

/// A linear map x ↦ A·x from vectors of `columns` elements to vectors of `rows`, given by what it does.
///
/// Solvers ask for no more than this; ``Matrix`` and ``SparseMatrix`` conform, ``ClosureOperator`` wraps one's own code, and
/// operators are scaled, added, composed and transposed as values. ``adjointDefect(seed:)`` checks a conformance.
public protocol LinearOperator<Scalar>: Sendable {
    associatedtype Scalar: KernelScalar

    /// The length of A·x.
    var rows: Int { get }
    /// The length of x.
    var columns: Int { get }

    /// y ← A·x. The old content of `y` does not matter.
    ///
    /// - Precondition: `x` has ``columns`` elements, `y` has ``rows``.
    func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>)

    /// x ← Aᵀ·y. The old content of `x` does not matter.
    ///
    /// - Precondition: `y` has ``rows`` elements, `x` has ``columns``.
    func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>)
}

extension LinearOperator {
    /// A·x as a new array.
    ///
    /// - Precondition: `x` has ``columns`` elements.
    public func apply(_ x: [Scalar]) -> [Scalar] {
        requireCount(x.count, columns, "argument of a \(rows)×\(columns) operator")
        var y: [Scalar] = zeroVector(rows)
        var span = y.mutableSpan
        apply(x.span, into: &span)
        return y
    }

    /// Aᵀ·y as a new array.
    ///
    /// - Precondition: `y` has ``rows`` elements.
    public func applyAdjoint(_ y: [Scalar]) -> [Scalar] {
        requireCount(y.count, rows, "argument of the adjoint of a \(rows)×\(columns) operator")
        var x: [Scalar] = zeroVector(columns)
        var span = x.mutableSpan
        applyAdjoint(y.span, into: &span)
        return x
    }

    /// The operator as a matrix, one application to each unit vector.
    public func dense() -> Matrix<Scalar> {
        var unit: [Scalar] = zeroVector(columns)
        var transposed = Matrix<Scalar>.zeros(rows: columns, columns: rows)
        for j in 0..<columns {
            unit[j] = 1
            var row = transposed.mutableRow(j)
            apply(unit.span, into: &row)
            unit[j] = 0
        }
        return transposed.transposed()
    }

    /// How far `apply` and `applyAdjoint` are from being adjoint to each other, on one random pair of vectors:
    ///
    /// |⟨A·x, y⟩ − ⟨x, Aᵀ·y⟩| / (‖A·x‖·‖y‖ + ‖x‖·‖Aᵀ·y‖).
    ///
    /// For a right pair it is a small multiple of eps; a wrong sign or a forgotten factor gives about 1/√n. It is 0 if
    /// both products vanish, and NaN if one has a NaN.
    ///
    /// - Parameter seed: chooses x and y, whose elements lie in −1 ..< 1. The same seed gives the same bits.
    public func adjointDefect(seed: UInt64 = 0) -> Scalar {
        var state = seed
        func random() -> Scalar {
            // SplitMix64: any seed is good, and 53 bits of each number are used.
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return Scalar(Double((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1)
        }
        let x = (0..<columns).map { _ in random() }
        let y = (0..<rows).map { _ in random() }
        let ax = apply(x), aty = applyAdjoint(y)
        let difference = (Scalar.dot(ax.span, y.span) - Scalar.dot(x.span, aty.span)).magnitude
        let scale = euclideanNorm(ax.span) * euclideanNorm(y.span) + euclideanNorm(x.span) * euclideanNorm(aty.span)
        return scale == 0 ? difference : difference / scale
    }
}

extension Matrix: LinearOperator {
    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        multiply(self, x, into: &y)
    }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        multiply(self, y, transpose: true, into: &x)
    }

    /// The matrix itself.
    public func dense() -> Matrix { self }
}

extension SparseMatrix: LinearOperator {
    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        multiply(x, into: &y)
    }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        multiplyTransposed(y, into: &x)
    }
}
