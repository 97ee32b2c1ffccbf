import Autodiff
import Kernels

/// A convolutional classifier of small images [n, rows, columns, channels]: 3 × 3 convolutions with an activation, 2 × 2 max pooling after
/// each but the first, and two dense layers.
public struct CNN<Scalar: KernelScalar>: Module {
    private let layers: Sequential<Scalar>

    /// - Parameters:
    ///   - image: rows, columns and channels.
    ///   - filters: for each convolution; at least one.
    ///   - hidden: size of the dense layer before the scores.
    /// - Precondition: rows and columns can be halved as often as there are poolings.
    public init(
        image: (rows: Int, columns: Int, channels: Int), filters: [Int] = [16, 32], hidden: Int = 128, classes: Int,
        activation: ElementwiseFunction = .relu
    ) {
        require(!filters.isEmpty, "a CNN with no convolution; expected at least one")
        var layers: [any Layer<Scalar>] = []
        var (rows, columns, channels) = image
        for (i, count) in filters.enumerated() {
            layers += [Conv2D<Scalar>(channels, count, window: (3, 3), initializer: .before(activation)), Activation<Scalar>(activation)]
            channels = count
            if i > 0 {
                layers.append(MaxPool2D<Scalar>(window: (2, 2)))
                (rows, columns) = (rows / 2, columns / 2)
            }
        }
        require(rows > 0 && columns > 0, "images of \(image.rows) × \(image.columns) vanish after \(filters.count - 1) poolings")
        layers += [
            Flatten<Scalar>(), Dense<Scalar>(rows * columns * channels, hidden, initializer: .before(activation)),
            Activation<Scalar>(activation), Dense<Scalar>(hidden, classes),
        ]
        self.layers = Sequential(layers)
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) { layers.declareParameters(&declaration) }

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> { layers(x, pass) }
}
