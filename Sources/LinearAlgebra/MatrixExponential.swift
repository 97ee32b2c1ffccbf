import Kernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#endif

extension Matrix {
    /// exp(A) = Σ Aᵏ/k!, by scaling and squaring with the Padé approximant of degree 13 (Higham 2005).
    ///
    /// Both scalars are computed in double precision. The backward error of the approximant is below the unit roundoff
    /// of `Double`; the squarings may lose digits when ‖A‖₁ is large and A is far from normal, as in every method of this kind.
    /// Differs from SciPy: one degree for all norms, and no sparing of squarings for powers that are smaller than the norm says.
    ///
    /// - Precondition: the matrix is square.
    /// - Throws: ``LinearAlgebraError/nonFinite(row:column:)``; ``LinearAlgebraError/overflow(operation:)`` when an element of
    ///   the result, or of an intermediate power, is too large.
    /// - Complexity: O(n³·(1 + log ‖A‖₁)).
    public func exponential() throws(LinearAlgebraError) -> Matrix {
        requireSquare(rows, columns, "exponential")
        try requireFinite()
        return try padeExponential(map { Double($0) }).map { Scalar($0) }.checkedResult("exponential")
    }
}

/// The coefficients of the numerator of the [13/13] Padé approximant of eˣ, times a factor that makes them integers:
/// bₖ = (26 − k)! / (k!·(13 − k)!). All are exact in `Double`.
private let pade13: [Double] = [
    64_764_752_532_480_000, 32_382_376_266_240_000, 7_771_770_303_897_600, 1_187_353_796_428_800, 129_060_195_264_000,
    10_559_470_521_600, 670_442_572_800, 33_522_128_640, 1_323_241_920, 40_840_800, 960_960, 16_380, 182, 1,
]

/// The largest ‖A‖₁ at which the approximant's backward error is below 2⁻⁵³ (Higham 2005, table 2.3).
private let pade13Radius = 5.371920351148152

private func padeExponential(_ matrix: Matrix<Double>) throws(LinearAlgebraError) -> Matrix<Double> {
    let n = matrix.rows
    let norm = matrix.oneNorm()
    guard norm.isFinite else { throw .overflow(operation: "exponential") }
    let squarings = norm > pade13Radius ? Int(log2(norm / pade13Radius).rounded(.up)) : 0
    let a = Double(sign: .plus, exponent: -squarings, significand: 1) * matrix
    let a2 = a * a, a4 = a2 * a2, a6 = a4 * a2
    let identity = Matrix<Double>.identity(n)

    /// b₆₊ₖA⁶ + b₄₊ₖA⁴ + b₂₊ₖA² + bₖ'I over the coefficients given.
    func combination(_ c6: Double, _ c4: Double, _ c2: Double, _ c0: Double) -> Matrix<Double> {
        var sum = c6 * a6
        sum.add(a4, scale: c4)
        sum.add(a2, scale: c2)
        sum.add(identity, scale: c0)
        return sum
    }
    let b = pade13
    // Odd and even part of the numerator; the denominator is their difference.
    let odd = a * (a6 * combination(b[13], b[11], b[9], 0) + combination(b[7], b[5], b[3], b[1]))
    let even = a6 * combination(b[12], b[10], b[8], 0) + combination(b[6], b[4], b[2], b[0])
    var result = try LU(even - odd).solve(even + odd)
    for _ in 0..<squarings {
        result = try (result * result).checkedResult("exponential")
    }
    return result
}
