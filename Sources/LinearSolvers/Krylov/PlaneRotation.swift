import Kernels

/// The rotation with (c, s; s, −c)·(a, b)ᵀ = (r, 0)ᵀ and r ≥ 0; c = 1 and s = 0 for a = b = 0.
struct PlaneRotation<Scalar: KernelScalar> {
    let c: Scalar, s: Scalar, r: Scalar

    init(_ a: Scalar, _ b: Scalar) {
        r = hypotenuse(a, b)
        (c, s) = r > 0 ? (a / r, b / r) : (1, 0)
    }
}

/// √(a² + b²), without overflow or underflow on the way.
func hypotenuse<Scalar: KernelScalar>(_ a: Scalar, _ b: Scalar) -> Scalar {
    let large = max(a.magnitude, b.magnitude), small = min(a.magnitude, b.magnitude)
    guard large > 0, large.isFinite else { return a.magnitude + b.magnitude }
    let ratio = small / large
    return large * (1 + ratio * ratio).squareRoot()
}

/// The power of two near `size`, such that it and its inverse are finite; 1 for 0, infinity and NaN.
func powerOfTwo<Scalar: KernelScalar>(near size: Scalar) -> Scalar {
    guard size > 0, size.isFinite else { return 1 }
    let largest = Scalar.greatestFiniteMagnitude.exponent - 2
    return Scalar(sign: .plus, exponent: min(max(size.exponent, -largest), largest), significand: 1)
}
