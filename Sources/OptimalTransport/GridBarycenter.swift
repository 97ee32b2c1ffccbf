import Kernels
import LinearAlgebra
import Objectives
import RealModule

/// The entropic barycentre of histograms on one grid, such as images: the histogram p that minimises Σₖ λₖ OT_ε(p, aₖ) for ‖x − y‖².
///
/// Iterative Bregman projections with the Gibbs kernel K = exp(−‖x − y‖²/ε), which is a product over the axes, so that applying it to an
/// h×w image takes h w (h + w) multiplications and no h w × h w matrix:
///
///     uₖ = aₖ / (K vₖ),   p = d ∘ Πₖ (K uₖ)^λₖ,   vₖ = p / (K uₖ)
///
/// With d = 1 the result is blurred by about ε; debiased, d ← √(d ∘ p / (K d)) takes the blur back, and equal inputs are their own
/// barycentre (Janati, Cuturi & Gramfort 2020).
///
/// Distances are in units of the longer side, points at the centres of pixels. Differs from POT's `convolutional_barycenter2d`: zeros stay
/// zeros instead of being raised to 10⁻³⁰, and where the kernel underflows between far pixels the run ends as `brokeDown` and says so.
///
/// - Complexity: K h w (h + w) operations an iteration for K histograms.
public struct GridBarycenter<Scalar: KernelScalar>: Sendable {
    public let epsilon: Scalar
    public let isDebiased: Bool
    public let tolerance: Double
    public let iterationLimit: Int

    /// - Parameters:
    ///   - epsilon: ε > 0, in squared lengths of the longer side; 0.002 to 0.01 for images of 16 to 64 pixels.
    ///   - tolerance: for Σₖ λₖ ‖uₖ ∘ K vₖ − aₖ‖₁ and for the last change of p in the 1-norm, as parts of the mass.
    public init(epsilon: Scalar, isDebiased: Bool = true, tolerance: Double = Scalar.ulpOfOne > 1e-10 ? 1e-4 : 1e-6, iterationLimit: Int = 1000) {
        require(epsilon > 0 && epsilon.isFinite, "epsilon is \(epsilon); expected a finite number above 0")
        require(tolerance > 0, "tolerance is \(tolerance); expected a number above 0")
        require(iterationLimit >= 0, "iteration limit is \(iterationLimit); expected no negative number")
        (self.epsilon, self.isDebiased, self.tolerance, self.iterationLimit) = (epsilon, isDebiased, tolerance, iterationLimit)
    }

    /// - Parameters:
    ///   - histograms: aₖ, images of one size and one mass.
    ///   - shares: λₖ ≥ 0 with the sum 1; equal ones if `nil`.
    /// - Precondition: at least one histogram, all of one size; a share for each.
    /// - Throws: ``TransportError`` for weights that are negative or not finite, no mass, and masses that differ.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve(_ histograms: [Matrix<Scalar>], shares: [Scalar]? = nil) throws(TransportError) -> BarycenterSolution<Scalar> {
        require(!histograms.isEmpty, "a barycentre of no histograms; expected at least one")
        let h = histograms[0].rows, w = histograms[0].columns, count = histograms.count
        let shares = shares ?? [Scalar](repeating: 1 / Scalar(count), count: count)
        require(histograms.allSatisfy { $0.rows == h && $0.columns == w }, "histograms of several sizes; expected \(h)×\(w)")
        require(shares.count == count && shares.allSatisfy { $0 >= 0 } && abs(shares.reduce(0, +) - 1) < 1e-4,
                "shares \(shares) of \(count) histograms; expected one each, none negative, with the sum 1")
        let mass = try totalMass(histograms[0].elements, .source)
        for a in histograms.dropFirst() {
            let other = try totalMass(a.elements, .target)
            guard abs(other - mass) <= 1e-4 * mass else { throw .massesDiffer(source: mass, target: other) }
        }
        let unit = 1 / Scalar(max(h, w))
        let kernel = SeparableKernel(costs: [h, w].map { GridAxis(count: $0, spacing: unit).cost }, rate: 1 / epsilon)
        func applied(to image: Matrix<Scalar>) -> Matrix<Scalar> { Matrix(rows: h, columns: w, elements: kernel.applied(to: image.elements)) }
        let ones = Matrix<Scalar>(rows: h, columns: w, repeating: 1)
        var d = ones, p = ones, errors: [Double] = []
        // K vₖ.
        var reached = [Matrix<Scalar>](repeating: applied(to: ones), count: count)
        while true {
            var logarithm = [Double](repeating: 0, count: h * w), error = 0.0
            var images: [Matrix<Scalar>] = []
            for k in 0..<count {
                let a = histograms[k]
                let u = Matrix<Scalar>(rows: h, columns: w, elements: (0..<h * w).map { i in a.elements[i] > 0 ? a.elements[i] / reached[k].elements[i] : 0 })
                let image = applied(to: u)
                guard image.elements.allSatisfy({ $0 > 0 && $0.isFinite }) else {
                    return BarycenterSolution(
                        histogram: p, status: .brokeDown,
                        reason: "the kernel is zero to rounding between some pixels: epsilon \(epsilon) is too small for \(h)×\(w) pixels in this scalar type",
                        marginalErrors: errors)
                }
                images.append(image)
                for i in logarithm.indices { logarithm[i] += Double(shares[k]) * Double.log(Double(image.elements[i])) }
            }
            let before = p
            p = Matrix(rows: h, columns: w, elements: logarithm.indices.map { Scalar(Double(d.elements[$0]) * Double.exp(logarithm[$0])) })
            // What the new vₖ make of the marginals of the aₖ.
            for k in 0..<count {
                let v = Matrix<Scalar>(rows: h, columns: w, elements: (0..<h * w).map { p.elements[$0] / images[k].elements[$0] })
                let old = reached[k], new = applied(to: v)
                for i in 0..<h * w where histograms[k].elements[i] > 0 {
                    error += Double(shares[k]) * abs(Double(histograms[k].elements[i]) * (Double(new.elements[i]) / Double(old.elements[i]) - 1))
                }
                reached[k] = new
            }
            errors.append(error / mass)
            if isDebiased {
                let image = applied(to: d)
                d = Matrix(rows: h, columns: w, elements: (0..<h * w).map { (d.elements[$0] * p.elements[$0] / image.elements[$0]).squareRoot() })
            }
            guard errors.last!.isFinite else {
                return BarycenterSolution(histogram: p, status: .nonFinite, reason: "the marginal error is not finite", marginalErrors: errors)
            }
            // Marginals hold at once where all histograms are equal, while d has not moved yet.
            let change = zip(p.elements, before.elements).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) } / mass
            if max(errors.last!, change) <= tolerance {
                return BarycenterSolution(
                    histogram: p, status: .converged, reason: "the marginal error \(errors.last!) and the last change \(change) are at most \(tolerance)", marginalErrors: errors)
            }
            if errors.count >= iterationLimit {
                return BarycenterSolution(
                    histogram: p, status: .iterationLimit, reason: "all \(iterationLimit) iterations are done; the marginal error is \(errors.last!)", marginalErrors: errors)
            }
        }
    }
}

/// What ``GridBarycenter`` finds.
public struct BarycenterSolution<Scalar: KernelScalar>: Sendable {
    public let histogram: Matrix<Scalar>
    public let status: SolverStatus
    /// Why the solver ended, as a sentence.
    public let reason: String
    /// The marginal error of each iteration.
    public let marginalErrors: [Double]
    public var iterations: Int { marginalErrors.count }
}
