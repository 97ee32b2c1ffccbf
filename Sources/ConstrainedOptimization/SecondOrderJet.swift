import Kernels
import RealModule

/// A number with its gradient and Hessian in n variables: forward differentiation of second order, exact to rounding.
///
/// For functions of a few variables that are written as formulas; an operation costs O(n²). Larger problems give their derivatives themselves.
///
/// ```swift
/// let x = SecondOrderJet.variables([1.0, 2])
/// let y = .sin(x[0]) * x[1]  // y.value, y.gradient, y.hessian(i, j)
/// ```
public struct SecondOrderJet<Scalar: KernelScalar & Real>: Sendable {
    public let value: Scalar
    /// Empty for a constant.
    public let gradient: [Scalar]
    /// The lower triangle, row by row; empty for a constant, and where second derivatives are not wanted.
    let triangle: [Scalar]

    /// A constant.
    public init(_ value: Scalar) { self.init(value: value, gradient: [], triangle: []) }

    init(value: Scalar, gradient: [Scalar], triangle: [Scalar]) { (self.value, self.gradient, self.triangle) = (value, gradient, triangle) }

    /// The variables xᵢ at a point: values xᵢ, gradients eᵢ.
    public static func variables(_ x: [Scalar]) -> [SecondOrderJet] { variables(x, hessians: true) }

    static func variables(_ x: [Scalar], hessians: Bool) -> [SecondOrderJet] {
        let n = x.count
        return x.indices.map { i in
            var gradient = [Scalar](repeating: 0, count: n)
            gradient[i] = 1
            return SecondOrderJet(value: x[i], gradient: gradient, triangle: hessians ? [Scalar](repeating: 0, count: n * (n + 1) / 2) : [])
        }
    }

    /// ∂²/∂xᵢ∂xⱼ; 0 for a constant.
    public func hessian(_ i: Int, _ j: Int) -> Scalar {
        guard !triangle.isEmpty else { return 0 }
        let (row, column) = (max(i, j), min(i, j))
        return triangle[row * (row + 1) / 2 + column]
    }

    /// φ(u) from φ, φ′ and φ″ at the value.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func chained(_ value: Scalar, _ first: Scalar, _ second: Scalar) -> SecondOrderJet {
        var triangle = triangle, k = 0
        for i in gradient.indices where !triangle.isEmpty {
            let factor = second * gradient[i]
            for j in 0...i {
                triangle[k] = first * triangle[k] + factor * gradient[j]
                k += 1
            }
        }
        return SecondOrderJet(value: value, gradient: gradient.map { first * $0 }, triangle: triangle)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func + (a: SecondOrderJet, b: SecondOrderJet) -> SecondOrderJet {
        if b.gradient.isEmpty { return SecondOrderJet(value: a.value + b.value, gradient: a.gradient, triangle: a.triangle) }
        if a.gradient.isEmpty { return SecondOrderJet(value: a.value + b.value, gradient: b.gradient, triangle: b.triangle) }
        return SecondOrderJet(
            value: a.value + b.value, gradient: zip(a.gradient, b.gradient).map { $0 + $1 }, triangle: zip(a.triangle, b.triangle).map { $0 + $1 })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func * (a: SecondOrderJet, b: SecondOrderJet) -> SecondOrderJet {
        if b.gradient.isEmpty { return a.chained(a.value * b.value, b.value, 0) }
        if a.gradient.isEmpty { return b.chained(a.value * b.value, a.value, 0) }
        var gradient = a.gradient, triangle = a.triangle, k = 0
        for i in gradient.indices {
            for j in 0..<(triangle.isEmpty ? 0 : i + 1) {
                triangle[k] = b.value * a.triangle[k] + a.value * b.triangle[k] + a.gradient[i] * b.gradient[j] + a.gradient[j] * b.gradient[i]
                k += 1
            }
            gradient[i] = b.value * a.gradient[i] + a.value * b.gradient[i]
        }
        return SecondOrderJet(value: a.value * b.value, gradient: gradient, triangle: triangle)
    }

    public static prefix func - (a: SecondOrderJet) -> SecondOrderJet { a.chained(-a.value, -1, 0) }
    public static func - (a: SecondOrderJet, b: SecondOrderJet) -> SecondOrderJet { a + -b }

    /// uᵏ for a whole k ≥ 0.
    public static func pow(_ u: SecondOrderJet, _ k: Int) -> SecondOrderJet {
        require(k >= 0, "exponent is \(k); expected no negative number")
        let x = u.value
        return u.chained(
            Scalar.pow(x, k), k == 0 ? 0 : Scalar(k) * Scalar.pow(x, k - 1), k < 2 ? 0 : Scalar(k * (k - 1)) * Scalar.pow(x, k - 2))
    }

    public static func sin(_ u: SecondOrderJet) -> SecondOrderJet { u.chained(.sin(u.value), .cos(u.value), -.sin(u.value)) }
    public static func cos(_ u: SecondOrderJet) -> SecondOrderJet { u.chained(.cos(u.value), -.sin(u.value), -.cos(u.value)) }
    public static func exp(_ u: SecondOrderJet) -> SecondOrderJet { u.chained(.exp(u.value), .exp(u.value), .exp(u.value)) }
    /// The natural logarithm.
    public static func log(_ u: SecondOrderJet) -> SecondOrderJet {
        u.chained(.log(u.value), 1 / u.value, -1 / (u.value * u.value))
    }
}

extension SecondOrderJet: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    public init(integerLiteral value: Int) { self.init(Scalar(value)) }
    public init(floatLiteral value: Double) { self.init(Scalar(value)) }
}
