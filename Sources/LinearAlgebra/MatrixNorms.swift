import Kernels

// Norms. With a NaN in the matrix every norm is NaN (differs from LAPACK's older `lange`, which may skip it).

extension Matrix {
    /// √(Σ aᵢⱼ²), without overflow or underflow on the way; relative error ≤ n·eps for n elements.
    public var frobeniusNorm: Scalar { euclideanNorm(span) }

    /// The largest column sum of |aᵢⱼ|: the norm that the 1-norm of vectors induces.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public func oneNorm() -> Scalar {
        var sums = [Scalar](repeating: 0, count: columns)
        for i in 0..<rows {
            let row = row(i)
            for j in 0..<columns { sums[j] += row[j].magnitude }
        }
        return largest(sums.span)
    }

    /// The largest row sum of |aᵢⱼ|: the norm that the maximum norm of vectors induces.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public func infinityNorm() -> Scalar {
        var sums = [Scalar](repeating: 0, count: rows)
        for i in 0..<rows {
            let row = row(i)
            for j in 0..<columns { sums[i] += row[j].magnitude }
        }
        return largest(sums.span)
    }

    /// The largest |aᵢⱼ|; 0 for an empty matrix.
    public var maxNorm: Scalar { largest(span) }

    /// The sum of the diagonal.
    ///
    /// - Precondition: the matrix is square.
    public var trace: Scalar {
        requireSquare(rows, columns, "trace")
        return diagonal.reduce(0, +)
    }

    /// Whether max|aᵢⱼ − bᵢⱼ| ≤ max(`absoluteTolerance`, `relativeTolerance`·max(‖A‖, ‖B‖)), in the largest-element norm.
    ///
    /// The relation is symmetric and scale-invariant (with no absolute tolerance), but not transitive. A NaN on either
    /// side gives `false`; equal infinities are equal. Differs from NumPy's `allclose`: the scale is that of the
    /// whole matrices, not of each element.
    ///
    /// - Precondition: equal shapes; tolerances are not negative.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public func isApproximatelyEqual(
        to other: Matrix, relativeTolerance: Scalar = Scalar.ulpOfOne.squareRoot(), absoluteTolerance: Scalar = 0
    ) -> Bool {
        requireSameShape(other)
        require(relativeTolerance >= 0 && absoluteTolerance >= 0,
                     "tolerances are \(relativeTolerance) and \(absoluteTolerance); expected none below 0")
        if storage == other.storage { return true }
        let bound = max(absoluteTolerance, relativeTolerance * max(maxNorm, other.maxNorm))
        guard bound.isFinite else { return false }
        let a = span, b = other.span
        for i in 0..<a.count where !((a[i] - b[i]).magnitude <= bound) { return false }
        return true
    }
}

/// max|xᵢ|; NaN if there is one, 0 for no elements.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func largest<Scalar: KernelScalar>(_ x: Span<Scalar>) -> Scalar {
    var result: Scalar = 0
    for i in 0..<x.count {
        let value = x[i].magnitude
        if !(value <= result) { result = value }
        if result.isNaN { return result }
    }
    return result
}

/// √(Σ xᵢ²). A pass finds the scale, a power of two, so that no square overflows and the largest one does not underflow.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func euclideanNorm<Scalar: KernelScalar>(_ x: Span<Scalar>) -> Scalar {
    let top = largest(x)
    guard top.isFinite, top > 0 else { return top }
    let half = top.exponent / 2
    // Two factors: one power of two of the exponent's full range may not be representable.
    let first = Scalar(sign: .plus, exponent: -half, significand: 1)
    let second = Scalar(sign: .plus, exponent: half - top.exponent, significand: 1)
    var sum: Scalar = 0
    var block: Scalar = 0
    for i in 0..<x.count {
        let value = x[i] * first * second
        block += value * value
        // Sums of blocks keep the rounding error near 256 eps instead of n eps.
        if i & 255 == 255 {
            sum += block
            block = 0
        }
    }
    return (sum + block).squareRoot() / second / first
}
