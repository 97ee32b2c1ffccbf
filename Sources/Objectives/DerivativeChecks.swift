import Kernels
import Randomness
import RealModule

/// What ``checkGradient(of:at:direction:seed:)`` finds.
public struct GradientCheck: Sendable, Hashable, Codable {
    /// The remainders |f(x + h d) − f(x) − h gᵀd|, of slope 2 if g is the gradient.
    public let taylor: TaylorFit
    /// Whether `value` and `valueAndGradient` give the same value at x, to 16 roundings.
    public let valuesAgree: Bool

    public var passed: Bool { taylor.passed && valuesAgree }

    public var message: String {
        "gradient: " + taylor.message + (valuesAgree ? "" : "; value and valueAndGradient differ in the value")
    }
}

/// What ``checkHessian(of:at:direction:seed:)`` finds.
public struct HessianCheck: Sendable, Hashable, Codable {
    /// The remainders |f(x + h d) − f(x) − h gᵀd − h²/2 dᵀHd|, of slope 3 if H is the Hessian.
    public let taylor: TaylorFit
    /// The remainders ‖g(x + h d) − g(x) − h Hd‖, of slope 2 if H is the derivative of g. It sees every component of Hd, and smaller errors:
    /// rounding hides a third-order remainder early.
    public let gradientTaylor: TaylorFit
    /// |uᵀHd − dᵀHu| / (‖Hd‖ + ‖Hu‖) for unit vectors u and d.
    public let asymmetry: Double
    /// ‖H(2d − 3u) − 2Hd + 3Hu‖ / (‖Hd‖ + ‖Hu‖).
    public let nonlinearity: Double
    /// The level of rounding that asymmetry and nonlinearity may reach.
    public let tolerance: Double

    /// Whether all four findings are right. ``taylor`` may also stay without a slope, when too little of its remainders stands above rounding.
    public var passed: Bool {
        gradientTaylor.passed && (taylor.passed || taylor.slope == nil) && asymmetry <= tolerance && nonlinearity <= tolerance
    }

    public var message: String {
        "Hessian by values: \(taylor.message); by gradients: \(gradientTaylor.message); asymmetry \(asymmetry), nonlinearity \(nonlinearity), tolerance \(tolerance)"
    }
}

/// Checks a gradient by its Taylor remainder along a line through `x`.
///
/// It costs 1 gradient and about 55 values for `Double`, 26 for `Float`. The function should be smooth within a distance of 4 of `x`;
/// where it is NaN or infinite at a step, the step is left out. A gradient that is wrong in any component fails for almost every
/// direction. An error that is lost in rounding, below about √ε of the curvature, cannot be seen.
///
/// - `direction`: Any length but 0; scaled to 1. A normal vector drawn from `seed` if `nil`.
public func checkGradient<Scalar: KernelScalar>(
    of objective: any Objective<Scalar>, at x: [Scalar], direction: [Scalar]? = nil, seed: UInt64 = 0
) -> GradientCheck {
    let line = Line(objective, at: x, direction: direction, seed: seed)
    let taylor = TaylorFit(expectedSlope: 2, epsilon: Double(Scalar.ulpOfOne)) { step in
        let value = line.value(step), linear = step * line.slope
        return (value - line.value0 - linear, abs(value) + line.scale + abs(linear))
    }
    let plain = Double(objective.value(at: x.span))
    let rounding = 16 * Double(Scalar.ulpOfOne) * (abs(plain) + abs(line.value0))
    return GradientCheck(taylor: taylor, valuesAgree: abs(plain - line.value0) <= rounding)
}

/// Checks products with the Hessian: by the Taylor remainders of value and gradient along a line through `x`, by symmetry and by linearity.
///
/// The gradient must be right for this check to pass; ``checkGradient(of:at:direction:seed:)`` tells. It costs about 55 values and gradients
/// for `Double`, 26 for `Float`, and three products.
///
/// - `direction`: Any length but 0; scaled to 1. A normal vector drawn from `seed` if `nil`.
public func checkHessian<Scalar: KernelScalar>(
    of objective: any TwiceDifferentiableObjective<Scalar>, at x: [Scalar], direction: [Scalar]? = nil, seed: UInt64 = 0
) -> HessianCheck {
    let line = Line(objective, at: x, direction: direction, seed: seed)
    let n = x.count, d = line.direction
    let u: [Scalar] = unitVector(nil, count: n, seed: seed &+ 1)
    var products = [Scalar](repeating: 0, count: 3 * n)
    do {
        let mixed: [Scalar] = zip(d, u).map { 2 * $0 - 3 * $1 }
        let directions = d + u + mixed
        var span = products.mutableSpan
        objective.hessianVectorProducts(at: x.span, directions: directions.span, into: &span)
    }
    let hd = products[..<n].map { Double($0) }, hu = products[n..<2 * n].map { Double($0) }
    let hMixed = products[(2 * n)...].map { Double($0) }
    let curvature = dot(hd, d)
    let taylor = TaylorFit(expectedSlope: 3, epsilon: Double(Scalar.ulpOfOne)) { step in
        let value = line.value(step), linear = step * line.slope, quadratic = step * step / 2 * curvature
        let scale = abs(value) + line.scale + abs(linear) + abs(quadratic)
        return (value - line.value0 - linear - quadratic, scale)
    }
    let gradientTaylor = TaylorFit(expectedSlope: 2, epsilon: Double(Scalar.ulpOfOne)) { step in
        let gradient = line.gradient(step)
        let change: [Double] = (0..<n).map { Double(gradient[$0]) - Double(line.gradient0[$0]) - step * hd[$0] }
        let linear = step + norm(x)
        let scale = norm(gradient) + norm(line.gradient0) + linear * norm(hd)
        return (norm(change), scale)
    }
    let scale = max(norm(hd) + norm(hu), .leastNormalMagnitude)
    let defect: [Double] = (0..<n).map { hMixed[$0] - 2 * hd[$0] + 3 * hu[$0] }
    return HessianCheck(taylor: taylor, gradientTaylor: gradientTaylor, asymmetry: abs(dot(hd, u) - dot(hu, d)) / scale,
                        nonlinearity: norm(defect) / scale,
                        tolerance: 64 * Double(Scalar.ulpOfOne) * Double(n).squareRoot())
}

/// An objective along the line x + h d.
private struct Line<Scalar: KernelScalar> {
    let objective: any Objective<Scalar>
    let x: [Scalar]
    let direction: [Scalar]
    let value0: Double
    let gradient0: [Scalar]
    /// gᵀd.
    let slope: Double
    /// |f(x)| + Σ |gᵢxᵢ|: rounding of the point x + h d moves the value too.
    let scale: Double

    init(_ objective: any Objective<Scalar>, at x: [Scalar], direction: [Scalar]?, seed: UInt64) {
        objective.requireDimension(x.count)
        require(!x.isEmpty, "the objective has dimension 0; expected at least 1")
        self.objective = objective
        self.x = x
        self.direction = unitVector(direction, count: x.count, seed: seed)
        var gradient = [Scalar](repeating: 0, count: x.count)
        do {
            var span = gradient.mutableSpan
            value0 = Double(objective.valueAndGradient(at: x.span, gradient: &span))
        }
        gradient0 = gradient
        slope = dot(gradient, self.direction)
        scale = abs(value0) + dot(gradient.map(abs), x.map(abs))
    }

    func point(_ step: Double) -> [Scalar] { zip(x, direction).map { $0 + Scalar(step) * $1 } }

    func value(_ step: Double) -> Double {
        let point = point(step)
        return Double(objective.value(at: point.span))
    }

    func gradient(_ step: Double) -> [Scalar] {
        let point = point(step)
        var gradient = point
        var span = gradient.mutableSpan
        _ = objective.valueAndGradient(at: point.span, gradient: &span)
        return gradient
    }
}

private func unitVector<Scalar: KernelScalar>(_ given: [Scalar]?, count: Int, seed: UInt64) -> [Scalar] {
    var stream = RandomStream(seed: seed)
    let vector = given ?? stream.normal(count: count)
    require(vector.count == count, "direction has \(vector.count) elements; the point has \(count)")
    let norm = dot(vector, vector).squareRoot()
    require(norm > 0 && norm.isFinite, "direction has length \(norm); expected a positive number")
    return vector.map { Scalar(Double($0) / norm) }
}

/// Σ aᵢ bᵢ in `Double`.
private func dot(_ a: [some KernelScalar], _ b: [some KernelScalar]) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

private func norm(_ a: [some KernelScalar]) -> Double { dot(a, a).squareRoot() }
