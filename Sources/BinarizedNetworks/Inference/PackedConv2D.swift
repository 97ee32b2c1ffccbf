import Autodiff
import BinaryAlgebra
import Kernels
import LinearAlgebra

/// A trained ``BinaryConv2D`` on bits: patches of the image's signs against packed filters.
///
/// A patch is the row of bits (window row, window column, channel). Beyond the image its bits are 0, which a ±1 product counts as −1, so the
/// filters' signs there are added back: −Σ w + Σ w = 0, as padding should count. Those sums depend on the place alone and are computed
/// once for a size of images. The same bits as the layer it is made of.
public struct PackedConv2D: Sendable {
    private let layer: BinaryConv2D<Float>
    private let weights: PackedBinaryMatrix
    private let scales: [Float], bias: [Float]

    /// Parameters and errors as in ``PackedDense/init(_:parameters:)``.
    public init(_ layer: BinaryConv2D<Float>, parameters: [Float]) throws(BinarizedNetworkError) {
        let count = layer.window.0 * layer.window.1 * layer.inputs * layer.outputs
        require(parameters.count == count + layer.outputs,
                "\(parameters.count) parameters; the layer has \(count + layer.outputs)")
        try layer.ties.requireBinary()
        let latent = try LatentWeights(
            Array(parameters[..<count]), bias: Array(parameters[count...]), outputs: layer.outputs, name: "weight")
        self.layer = layer
        weights = PackedBinaryMatrix(latent.bits)
        (scales, bias) = (latent.scales, latent.bias)
    }

    /// The layer's output for images [n, rows, columns, channels].
    ///
    /// - Precondition: as many channels as the layer has inputs, and windows that fit.
    public func callAsFunction(_ images: Tensor<Float>) -> Tensor<Float> {
        let shape = images.shape
        require(shape.count == 4 && shape[3] == layer.inputs,
                "images of shape \(shape); expected [images, rows, columns, \(layer.inputs)]")
        let places = Places(layer, rows: shape[1], columns: shape[2])
        let channels = layer.inputs, length = layer.window.0 * layer.window.1 * channels
        let signs = BinaryMatrix(signsOf: Matrix(rows: images.count / channels, columns: channels, elements: images.elements))
        let perImage = places.rows * places.columns
        var patches = BinaryMatrix(rows: shape[0] * perImage, columns: length)
        var padding = BinaryMatrix(rows: perImage, columns: length)
        let ones = BinaryMatrix(rows: 1, columns: channels) { _, _ in true }
        for place in 0..<perImage {
            places.forEachElement(of: place) { window, pixel in
                guard let pixel else {
                    padding.replaceBits(ofRow: place, from: window * channels, withRow: 0, of: ones)
                    return
                }
                for image in 0..<shape[0] {
                    patches.replaceBits(ofRow: image * perImage + place, from: window * channels,
                                        withRow: image * shape[1] * shape[2] + pixel, of: signs)
                }
            }
        }
        let sums = xnorProduct(patches, weights), corrections = andProduct(padding, weights, as: .signs).elements
        let outputs = layer.outputs
        var y = [Float](repeating: 0, count: sums.elements.count)
        for i in y.indices {
            let output = i % outputs
            y[i] = scales[output] * Float(sums.elements[i] + corrections[i % corrections.count]) + bias[output]
        }
        return Tensor(shape: [shape[0], places.rows, places.columns, outputs], elements: y)
    }

    /// Where the windows of a convolution lie on an image.
    private struct Places {
        let rows: Int, columns: Int
        private let extent: (Int, Int), window: (Int, Int), stride: (Int, Int), before: (Int, Int)

        init(_ layer: BinaryConv2D<Float>, rows: Int, columns: Int) {
            func axis(_ extent: Int, _ window: Int, _ stride: Int, _ explicit: (Int, Int)?) -> (places: Int, before: Int) {
                if let explicit { return ((extent + explicit.0 + explicit.1 - window) / stride + 1, explicit.0) }
                let places = (extent + stride - 1) / stride
                return (places, max(0, (places - 1) * stride + window - extent) / 2)
            }
            let (vertical, horizontal): ((Int, Int)?, (Int, Int)?) = switch layer.padding {
            case .valid: ((0, 0), (0, 0))
            case .same: (nil, nil)
            case .explicit(let top, let bottom, let left, let right): ((top, bottom), (left, right))
            }
            let (r, c) = (axis(rows, layer.window.0, layer.stride.0, vertical), axis(columns, layer.window.1, layer.stride.1, horizontal))
            (self.rows, self.columns) = (r.places, c.places)
            (extent, window, stride, before) = ((rows, columns), layer.window, layer.stride, (r.before, c.before))
        }

        /// Calls `body` for each element of a window with its number and its pixel, `nil` beyond the image.
        func forEachElement(of place: Int, _ body: (_ window: Int, _ pixel: Int?) -> Void) {
            for p in 0..<window.0 {
                for q in 0..<window.1 {
                    let row = place / columns * stride.0 - before.0 + p, column = place % columns * stride.1 - before.1 + q
                    let isInside = 0..<extent.0 ~= row && 0..<extent.1 ~= column
                    body(p * window.1 + q, isInside ? row * extent.1 + column : nil)
                }
            }
        }
    }
}
