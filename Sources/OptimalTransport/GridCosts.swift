import ComplexModule
import Kernels
import LinearAlgebra

/// The costs of a grid: for each axis, less its least one. C is the sum over the axes and ``constant``.
struct GridCosts<Scalar: KernelScalar>: Sendable {
    let axes: [GridAxis<Scalar>]
    /// Of each axis, none negative.
    let reduced: [Matrix<Scalar>]
    /// What was taken off.
    let constant: Scalar
    /// The same in `Double`, in which kernels are multiplied.
    let wide: [Matrix<Double>]
    let convolution: GridConvolution?

    var rows: Int { axes.reduce(1) { $0 * $1.cost.rows } }
    var columns: Int { axes.reduce(1) { $0 * $1.cost.columns } }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(_ axes: [GridAxis<Scalar>]) {
        self.axes = axes
        let least = axes.map { $0.cost.elements.min()! }
        reduced = axes.indices.map { k in axes[k].cost.map { $0 - least[k] } }
        constant = least.reduce(0, +)
        wide = reduced.map { $0.map { Double($0) } }
        convolution = axes.allSatisfy(\.isPeriodic) ? GridConvolution(sizes: axes.map { $0.cost.rows }) : nil
    }

    /// The sum over the axes of a number that each has.
    func sum(_ number: (Matrix<Scalar>) -> Double) -> Double { axes.reduce(0.0) { $0 + number($1.cost) } }

    /// Cᵢⱼ.
    func cost(_ i: Int, _ j: Int) -> Scalar {
        var (i, j) = (i, j), sum: Scalar = 0
        for axis in axes.reversed() {
            sum += axis.cost[i % axis.cost.rows, j % axis.cost.columns]
            (i, j) = (i / axis.cost.rows, j / axis.cost.columns)
        }
        return sum
    }

    /// The costs of source points to all targets, less ``constant`` if reduced.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func costs(ofRows range: Range<Int>, reduced isReduced: Bool, into tile: inout MutableSpan<Scalar>) {
        let last = axes.count - 1, lastCosts = reduced[last], width = lastCosts.columns, m = columns
        for i in range {
            // The places on the axes, the last one running fastest.
            var places = [Int](repeating: 0, count: axes.count), left = i
            for k in axes.indices.reversed() { (left, places[k]) = left.quotientAndRemainder(dividingBy: reduced[k].rows) }
            // Costs of all but the last axis.
            var heads = [isReduced ? 0 : constant]
            for k in 0..<last {
                let row = Array(reduced[k].elements[places[k] * reduced[k].columns..<(places[k] + 1) * reduced[k].columns])
                heads = heads.flatMap { head in row.map { head + $0 } }
            }
            for (k, head) in heads.enumerated() {
                let first = (i - range.lowerBound) * m + k * width
                var part = tile._mutatingExtracting(first..<first + width)
                Scalar.affine(1, lastCosts.row(places[last]), head, into: &part)
            }
        }
    }
}

/// Circular convolution over one or two axes by the Fourier transform.
struct GridConvolution: Sendable {
    private let sizes: [Int]
    private let transform: RealFourierTransform<Double>
    private let axisTransforms: [RealFourierTransform<Double>]

    /// `nil` where products of matrices are as fast or there is no transform.
    init?(sizes: [Int]) {
        guard sizes.count <= 2, sizes.reduce(0, +) >= Self.leastSize else { return nil }
        self.sizes = sizes
        transform = sizes.count == 1 ? RealFourierTransform(length: sizes[0]) : RealFourierTransform(rows: sizes[0], columns: sizes[1])
        axisTransforms = sizes.map { RealFourierTransform(length: $0) }
    }

    /// Points of all axes together.
    static var leastSize: Int { 256 }

    /// K x, or Kᵀ x, for the kernel whose factors have these first rows, the costs of steps from 0; `nil` where rounding could change an element by more than the
    /// part `tolerance` of it.
    func applied(_ kernel: SeparableKernel<Double>, to x: [Double], transposed: Bool, tolerance: Double) -> [Double]? {
        let spectra = axisTransforms.indices.map { axisTransforms[$0].forward(kernel.factors[$0].elements) }
        var spectrum = transform.forward(x)
        let width = spectra[spectra.count - 1].count, height = sizes.count == 2 ? sizes[0] : 1
        for i in 0..<height {
            // The spectrum of real numbers is stored up to its middle.
            let first = sizes.count == 1 ? Complex(1) : i < spectra[0].count ? spectra[0][i] : spectra[0][height - i].conjugate
            for k in 0..<width {
                let factor = first * spectra[spectra.count - 1][k]
                spectrum[i * width + k] = spectrum[i * width + k] * (transposed ? factor : factor.conjugate)
            }
        }
        let result = transform.inverse(spectrum)
        // Rounding is that of the whole at each element alike.
        let norm = kernel.factors.indices.reduce(Double.nrm2(x.span)) { norm, k in
            let row = kernel.factors[k].elements
            return norm * Double.nrm2(row.span)
        }
        let error = 2 * Double.ulpOfOne * Double(Int.bitWidth - x.count.leadingZeroBitCount) * norm
        return result.allSatisfy { $0 * tolerance >= error } ? result : nil
    }
}
