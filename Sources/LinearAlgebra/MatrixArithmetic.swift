import Kernels

// Elementwise arithmetic. Shapes must agree: there is no broadcasting (differs from NumPy).

extension Matrix {
    /// The elementwise sum.
    ///
    /// - Precondition: equal shapes.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public static func + (a: Matrix, b: Matrix) -> Matrix {
        var result = a
        result.add(b)
        return result
    }

    /// The elementwise difference.
    ///
    /// - Precondition: equal shapes.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public static func - (a: Matrix, b: Matrix) -> Matrix {
        var result = a
        result.add(b, scale: -1)
        return result
    }

    /// Every element with its sign changed.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public static prefix func - (a: Matrix) -> Matrix { -1 * a }

    /// Every element times `factor`.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public static func * (factor: Scalar, a: Matrix) -> Matrix {
        var result = a
        result.scaleInPlace(by: factor)
        return result
    }

    /// Adds `scale`·`other`, element by element.
    ///
    /// - Precondition: equal shapes.
    public mutating func add(_ other: Matrix, scale: Scalar = 1) {
        requireSameShape(other)
        var span = storage.mutableSpan
        accumulate(other.span, scale: scale, into: &span)
    }

    /// The elementwise product.
    ///
    /// - Precondition: equal shapes.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public func multipliedElementwise(by other: Matrix) -> Matrix {
        requireSameShape(other)
        var result = self
        var span = result.storage.mutableSpan
        let factors = other.span
        for i in 0..<span.count { span[i] *= factors[i] }
        return result
    }

    /// Multiplies every element; a factor of 0 overwrites NaN too, as `beta` = 0 does in BLAS.
    mutating func scaleInPlace(by factor: Scalar) {
        var span = storage.mutableSpan
        scale(&span, by: factor)
    }

    func requireSameShape(_ other: Matrix) {
        require(rows == other.rows && columns == other.columns,
                "shapes \(rows)×\(columns) and \(other.rows)×\(other.columns) differ; expected equal shapes")
    }
}

/// y ← y + scale·x, with equal counts.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func accumulate<Scalar: KernelScalar>(_ x: Span<Scalar>, scale: Scalar, into y: inout MutableSpan<Scalar>) {
    for i in 0..<y.count { y[i] += scale * x[i] }
}

/// y ← factor·y; a factor of 0 overwrites NaN too.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func scale<Scalar: KernelScalar>(_ y: inout MutableSpan<Scalar>, by factor: Scalar) {
    if factor == 0 {
        for i in 0..<y.count { y[i] = 0 }
    } else {
        for i in 0..<y.count { y[i] *= factor }
    }
}
