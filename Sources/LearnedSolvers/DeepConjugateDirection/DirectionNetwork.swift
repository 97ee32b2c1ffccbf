import Autodiff
import Kernels
import NeuralNetworks

/// The network of the Deep Conjugate Direction method: from a unit residual on a grid to a direction in which to search, f(r) ≈ α·A⁻¹·r.
///
/// Convolutions with three taps an axis and zeros around, between two resolutions with skips; all are rectified but the first. There is
/// no layer that knows the size of the grid, so that one network serves grids of any even extents.
///
///     F = Conv(r);  la = Conv(F);  lb = Conv(la);  (la = Conv(lb) + la; lb = Conv(la)) …
///     a = halved(lb);  (b = Conv(a); a = Conv(b) + a) …
///     u = doubled(a) + lb;  (v = Conv(u); u = Conv(v) + u) …;  q = Dense(u)
///
/// | blocks | parameters in 2-D | in 3-D |
/// |---|---|---|
/// | ``Depth/shallow``: 2, 3, 2 | 32 657 | 97 457 |
/// | ``Depth/deep``: 3, 5, 3 | 51 217 | 152 881 |
///
/// Source: Kaneda et al. 2023, arXiv 2205.10763, §5, where the two depths were trained for 64³ and 128³.
public struct DirectionNetwork<Scalar: KernelScalar>: Module {
    /// How many pairs of convolutions there are before, on and after the coarse grid.
    public enum Depth: String, Sendable, Hashable, CaseIterable, Codable {
        case shallow, deep

        var pairs: (fine: Int, coarse: Int, last: Int) { self == .shallow ? (2, 3, 2) : (3, 5, 3) }
    }

    public let dimensions: Int
    public let depth: Depth
    private let first: GridConvolution<Scalar>
    private let inner: GridConvolution<Scalar>
    private let last: Dense<Scalar>

    /// - Parameters:
    ///   - dimensions: 2 or 3.
    ///   - filters: channels of every convolution. Default: 16 (paper, §5).
    public init(dimensions: Int, depth: Depth = .shallow, filters: Int = 16) {
        self.dimensions = dimensions
        self.depth = depth
        first = GridConvolution(1, filters, dimensions: dimensions, isRectified: false)
        inner = GridConvolution(filters, filters, dimensions: dimensions, isRectified: true)
        last = Dense(filters, 1)
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("first", first)
        for (stage, pairs) in [("fine", depth.pairs.fine), ("coarse", depth.pairs.coarse), ("last", depth.pairs.last)] {
            for i in 0..<2 * pairs { declaration.add("\(stage)\(i)", inner) }
        }
        declaration.add("direction", last)
    }

    /// - Parameter x: shape [residuals, rows, columns, 1] or [residuals, planes, rows, columns, 1], of even extents.
    /// - Returns: the directions, of the same shape.
    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        func convolve(_ x: Tensor<Scalar>, _ name: String, adding residual: Tensor<Scalar>? = nil) -> Tensor<Scalar> {
            let part = pass.part(name)
            return if let residual { inner(x, adding: residual, part) } else { inner(x, part) }
        }
        var la = convolve(first(x, pass.part("first")), "fine0")
        var lb = convolve(la, "fine1")
        for i in 1..<depth.pairs.fine {
            la = convolve(lb, "fine\(2 * i)", adding: la)
            lb = convolve(la, "fine\(2 * i + 1)")
        }
        var a = halvedGrid(lb)
        for i in 0..<depth.pairs.coarse {
            a = convolve(convolve(a, "coarse\(2 * i)"), "coarse\(2 * i + 1)", adding: a)
        }
        var u = doubledGrid(a) + lb
        for i in 0..<depth.pairs.last {
            u = convolve(convolve(u, "last\(2 * i)"), "last\(2 * i + 1)", adding: u)
        }
        return last(u, pass.part("direction"))
    }
}
