import Kernels

// Norms. With a NaN in the matrix every norm is NaN (differs from LAPACK's older `lange`, which may skip it).

extension Matrix {
    /// √(Σ aᵢⱼ²), without overflow or underflow on the way; summed in double precision.
    public var frobeniusNorm: Scalar { euclideanNorm(span) }

    /// The largest column sum of |aᵢⱼ|: the norm that the 1-norm of vectors induces.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public func oneNorm() -> Scalar {
        var sums: [Scalar] = zeroVector(columns)
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
        var result: Scalar = 0
        for i in 0..<rows {
            let row = row(i)
            var s0: Scalar = 0, s1: Scalar = 0, s2: Scalar = 0, s3: Scalar = 0
            let even = columns & ~3
            for j in stride(from: 0, to: even, by: 4) {
                s0 += unsafe row[unchecked: j].magnitude
                s1 += unsafe row[unchecked: j + 1].magnitude
                s2 += unsafe row[unchecked: j + 2].magnitude
                s3 += unsafe row[unchecked: j + 3].magnitude
            }
            for j in even..<columns { s0 += row[j].magnitude }
            let sum = (s0 + s1) + (s2 + s3)
            if sum.isNaN { return sum }
            result = max(result, sum)
        }
        return result
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
    // Four maxima, so that one comparison need not wait for the one before.
    var m0: Scalar = 0, m1: Scalar = 0, m2: Scalar = 0, m3: Scalar = 0
    var hasNaN = false
    let even = x.count & ~3
    for i in stride(from: 0, to: even, by: 4) {
        let a = unsafe x[unchecked: i].magnitude, b = unsafe x[unchecked: i + 1].magnitude
        let c = unsafe x[unchecked: i + 2].magnitude, d = unsafe x[unchecked: i + 3].magnitude
        m0 = a > m0 ? a : m0
        m1 = b > m1 ? b : m1
        m2 = c > m2 ? c : m2
        m3 = d > m3 ? d : m3
        hasNaN = hasNaN || a != a || b != b || c != c || d != d
    }
    for i in even..<x.count {
        let a = x[i].magnitude
        m0 = a > m0 ? a : m0
        hasNaN = hasNaN || a != a
    }
    return hasNaN ? .nan : max(max(m0, m1), max(m2, m3))
}

/// √(Σ xᵢ²), summed in double precision by eight partial sums. A first pass finds the scale, a power of two, with which
/// no square overflows and the largest one does not underflow.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
package func euclideanNorm<Scalar: KernelScalar>(_ x: Span<Scalar>) -> Scalar {
    let top = Double(largest(x))
    guard top.isFinite, top > 0 else { return Scalar(top) }
    // Two factors: one power of two of the exponent's full range may not be representable.
    let exponent = Int(top.exponent)
    let half = exponent.magnitude > 400 ? exponent / 2 : 0
    let rest = exponent.magnitude > 400 ? exponent - half : 0
    let first = Double(sign: .plus, exponent: -half, significand: 1)
    let second = Double(sign: .plus, exponent: -rest, significand: 1)
    var sums = SIMD8<Double>.zero
    let even = x.count & ~7
    for i in stride(from: 0, to: even, by: 8) {
        var v = SIMD8<Double>.zero
        for lane in 0..<8 { v[lane] = unsafe Double(x[unchecked: i + lane]) }
        v = v * first * second
        sums += v * v
    }
    var sum = sums.sum()
    for i in even..<x.count {
        let v = Double(x[i]) * first * second
        sum += v * v
    }
    return Scalar(sum.squareRoot() / second / first)
}
