import Kernels
import RealModule

/// The order at which a Taylor remainder vanishes, fitted to remainders at steps h, h/2, h/4, …
///
/// If a derivative is right, what the Taylor polynomial leaves of f(x + h d) shrinks like hᵖ with p one above the polynomial's
/// degree. If it is wrong, p is lower. The slope of log remainder against log step is p. It is fitted over a window of
/// successive steps just above the level where rounding takes over, where the lowest order speaks loudest.
public struct TaylorFit: Sendable, Hashable, Codable {
    /// What a right derivative gives.
    public let expectedSlope: Double
    /// The fitted slope; `nil` if ``isExact``, or if too few remainders stand above rounding.
    public let slope: Double?
    /// The steps, descending by factors of two.
    public let steps: [Double]
    /// The remainders' absolute values, one for each step.
    public let remainders: [Double]
    /// The level of rounding at each step: remainders below it say nothing.
    public let noise: [Double]
    /// The indices of the steps that the slope is fitted to; empty without a slope.
    public let window: Range<Int>
    /// Whether every remainder is rounding: the Taylor polynomial is the function, as for a gradient of a linear function.
    public let isExact: Bool

    /// Whether the slope is at least the expected one less 0.4 (a wrong derivative lowers it by 1), or the polynomial is exact. A
    /// higher slope passes: at a symmetric point the next order vanishes too.
    public var passed: Bool { isExact || (slope.map { $0 >= expectedSlope - 0.4 } ?? false) }

    /// The finding as a sentence.
    public var message: String {
        if isExact { return "the Taylor polynomial is exact to rounding" }
        guard let slope else {
            return "no slope: fewer than \(Self.windowLength) successive remainders are finite and above rounding"
        }
        let range = "steps \(steps[window.upperBound - 1]) to \(steps[window.lowerBound])"
        return "slope \(slope) over \(range); expected \(expectedSlope)"
    }

    /// Steps in a window: a factor of 16 in h.
    private static let windowLength = 5

    /// - `remainder`: f(x + h d) less the polynomial, and the largest magnitude that entered the difference.
    init(expectedSlope: Double, epsilon: Double, remainder: (_ step: Double) -> (remainder: Double, scale: Double)) {
        self.expectedSlope = expectedSlope
        // From 4 down to where a first-order error of relative size 1 meets rounding.
        let steps = (0..<Int(3 - Double.log2(epsilon))).map { Double.exp2(2 - Double($0)) }
        let samples = steps.map(remainder)
        let remainders = samples.map { abs($0.remainder) }
        // At the smallest steps every remainder is rounding, unless the derivative is wrong; then it is about δ·ε, no higher than rounding.
        // It shows rounding inside f that the magnitudes do not.
        let measured = remainders.suffix(6).max()!
        let noise = samples.map { 8 * max(epsilon * $0.scale, measured) }
        self.steps = steps
        self.remainders = remainders
        self.noise = noise
        isExact = zip(remainders, noise).allSatisfy { $0 <= $1 }

        // The last run of finite remainders above rounding that is long enough, taken at its small end.
        func isUsable(_ i: Int) -> Bool { remainders[i].isFinite && remainders[i] > noise[i] }
        var end = steps.count
        while end >= Self.windowLength, !(end - Self.windowLength..<end).allSatisfy(isUsable) { end -= 1 }
        guard end >= Self.windowLength, !isExact else {
            window = 0..<0
            slope = nil
            return
        }
        window = end - Self.windowLength..<end
        slope = Self.slope(window.map { (Double.log2(steps[$0]), Double.log2(remainders[$0])) })
    }

    /// The slope of the least-squares line.
    private static func slope(_ points: [(x: Double, y: Double)]) -> Double {
        let n = Double(points.count)
        let meanX = points.reduce(0) { $0 + $1.x } / n, meanY = points.reduce(0) { $0 + $1.y } / n
        let covariance = points.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) }
        return covariance / points.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
    }
}
