import Kernels
import RealModule

/// The two factors of a plan P = diag(U) K diag(V) with the Gibbs kernel K = exp(−C/ε), as U = u·2ᶠ and V = v·2ʰ with whole numbers f
/// and h: exponents of the pass are then exact however small ε is, and u and v stay near 1.
///
/// U holds the weights: U = a·exp(potential/ε).
struct GibbsScaling<Scalar: KernelScalar>: Sendable, Codable {
    private(set) var epsilon: Scalar
    var rowShifts: [Scalar]
    var columnShifts: [Scalar]
    var rowScales: [Scalar]
    var columnScales: [Scalar]

    /// The factor of costs in the exponents of 2.
    var scale: Scalar { Scalar(1.4426950408889634 / Double(epsilon)) }

    /// Potentials of zero: U = a, V = b.
    init(epsilon: Scalar, _ a: [Scalar], _ b: [Scalar]) {
        self.epsilon = epsilon
        rowShifts = [Scalar](repeating: 0, count: a.count)
        columnShifts = [Scalar](repeating: 0, count: b.count)
        (rowScales, columnScales) = (a, b)
        absorb()
        silence(columns: b)
    }

    /// Given potentials.
    init(epsilon: Scalar, _ a: [Scalar], _ b: [Scalar], potentials f: [Double], _ g: [Double]) {
        self.init(epsilon: epsilon, a, b)
        Self.set(&rowShifts, &rowScales, a, f, epsilon)
        Self.set(&columnShifts, &columnScales, b, g, epsilon)
        silence(columns: b)
    }

    /// A shift below all exponents, for points without mass: with another the kernel could overflow there, and infinity times no mass is NaN.
    static var bottom: Scalar { Scalar.ulpOfOne > 1e-10 ? -0x1p23 : -0x1p52 }

    mutating func silence(columns b: [Scalar]) { Self.silence(&columnShifts, b) }

    static func silence(_ shifts: inout [Scalar], _ weights: [Scalar]) { for i in shifts.indices where weights[i] == 0 { shifts[i] = bottom } }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func set(_ shifts: inout [Scalar], _ scales: inout [Scalar], _ weights: [Scalar], _ potentials: [Double], _ epsilon: Scalar) {
        let factor = 1.4426950408889634 / Double(epsilon)
        for i in shifts.indices {
            let exponent = potentials[i] * factor, whole = exponent.rounded()
            shifts[i] = Scalar(whole)
            scales[i] = Scalar(Double(weights[i]) * Double.exp2(exponent - whole))
        }
        absorb(&shifts, &scales)
    }

    /// Moves powers of two from the scales to the shifts, which changes no bit of the plan. Scales are then in [1, 2), or 0.
    mutating func absorb() {
        Self.absorb(&rowShifts, &rowScales)
        Self.absorb(&columnShifts, &columnScales)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func absorb(_ shifts: inout [Scalar], _ scales: inout [Scalar]) {
        for i in shifts.indices where scales[i] > 0 && scales[i].isFinite {
            shifts[i] += Scalar(scales[i].exponent)
            scales[i] = scales[i].significand
        }
    }

    /// Whether a scale is so far from 1 that the sums could leave the range in which they are exact.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func needsAbsorption(_ scales: [Scalar]) -> Bool {
        let least: Scalar = 1 / 65536
        // Without an early end, which would keep the loop from vectors.
        var count: Int32 = 0
        for scale in scales { count &+= (scale < least && scale > 0) || scale > 65536 ? 1 : 0 }
        return count > 0
    }

    /// Whether a sum of the kernel is so far from what is too large or too small for the type that all that matters of it is exact.
    static func isWithinReach(_ sum: Double) -> Bool {
        let reach = Scalar.ulpOfOne > 1e-10 ? 0x1p40 : 0x1p300
        return sum > 1 / reach && sum < reach
    }

    mutating func absorbIfNeeded() {
        if needsAbsorption(rowScales) || needsAbsorption(columnScales) { absorb() }
    }

    /// u ← u ratio^power e^offset, 0 where the ratio is, with all logarithms and exponentials at once.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    static func relax(_ u: inout [Scalar], by ratios: [Scalar], power: Scalar, offsets: [Scalar]) {
        var factors = ratios
        var span = factors.mutableSpan
        Scalar.log(&span)
        Scalar.scale(power, &span)
        if !offsets.isEmpty { Scalar.axpy(1, offsets.span, &span) }
        Scalar.exp(&span)
        for i in u.indices { u[i] = ratios[i] == 0 ? 0 : u[i] * factors[i] }
    }

    /// f + s and g − s.
    ///
    /// - Returns: the factor by which u has grown.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func shift(by s: Double) -> Double {
        let exponent = s * 1.4426950408889634 / Double(epsilon), whole = exponent.rounded(), factor = Double.exp2(exponent - whole)
        for i in rowShifts.indices { rowShifts[i] += Scalar(whole) }
        for j in columnShifts.indices { columnShifts[j] -= Scalar(whole) }
        for i in rowScales.indices { rowScales[i] *= Scalar(factor) }
        for j in columnScales.indices { columnScales[j] /= Scalar(factor) }
        return Double(Scalar(factor))
    }

    /// The same potentials with another ε.
    mutating func setEpsilon(_ new: Scalar, _ a: [Scalar], _ b: [Scalar]) {
        let f = rowPotentials(a), g = columnPotentials(b)
        self = GibbsScaling(epsilon: new, a, b, potentials: f, g)
    }

    /// ε ln(U/a); 0 where a is.
    func rowPotentials(_ a: [Scalar]) -> [Double] { Self.potentials(rowShifts, rowScales, a, epsilon) }

    /// ε ln(V/b); 0 where b is.
    func columnPotentials(_ b: [Scalar]) -> [Double] { Self.potentials(columnShifts, columnScales, b, epsilon) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func potentials(_ shifts: [Scalar], _ scales: [Scalar], _ weights: [Scalar], _ epsilon: Scalar) -> [Double] {
        shifts.indices.map { i in
            guard weights[i] > 0 else { return 0 }
            return Double(epsilon) * (0.6931471805599453 * Double(shifts[i]) + Double.log(Double(scales[i]) / Double(weights[i])))
        }
    }
}
