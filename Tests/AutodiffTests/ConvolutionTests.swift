import Autodiff
import Kernels
import Randomness
import Testing

private let cases: [DifferentiableCase] = [
    DifferentiableCase("convolution", [[2, 4, 5, 2], [3, 2, 2, 3]], { conv2D($0[0], $0[1]).squared() }, { conv2D($0[0], $0[1]).squared() }),
    DifferentiableCase(
        "convolution, same, strides", [[2, 5, 4, 2], [3, 2, 2, 2]],
        { conv2D($0[0].tanh(), $0[1], stride: (2, 3), padding: .same).squared() },
        { conv2D($0[0].tanh(), $0[1], stride: (2, 3), padding: .same).squared() }),
    DifferentiableCase(
        "convolution, explicit padding", [[1, 3, 4, 1], [2, 3, 1, 2]],
        { conv2D($0[0], $0[1], stride: (1, 2), padding: .explicit(top: 2, bottom: 0, left: 3, right: 1)).tanh() },
        { conv2D($0[0], $0[1], stride: (1, 2), padding: .explicit(top: 2, bottom: 0, left: 3, right: 1)).tanh() }),
    DifferentiableCase("convolution, 1×1", [[2, 3, 2, 3], [1, 1, 3, 2]], { conv2D($0[0], $0[1]).squared() }, { conv2D($0[0], $0[1]).squared() }),
    DifferentiableCase(
        "transposed convolution", [[2, 2, 3, 2], [3, 2, 3, 2]],
        { transposedConv2D($0[0], $0[1], stride: (2, 1)).squared() }, { transposedConv2D($0[0], $0[1], stride: (2, 1)).squared() }),
    DifferentiableCase(
        "grid convolution", [[2, 3, 5, 2], [3, 3, 2, 3]], { gridConvolution($0[0].tanh(), $0[1]).squared() },
        { gridConvolution($0[0].tanh(), $0[1]).squared() }),
    DifferentiableCase(
        "grid convolution, rectified", [[1, 2, 3, 4, 2], [3, 3, 3, 2, 3], [3], [1, 2, 3, 4, 3]],
        { gridConvolution($0[0], $0[1], bias: $0[2], rectified: true, residual: $0[3]).squared() },
        { gridConvolution($0[0], $0[1], bias: $0[2], rectified: true, residual: $0[3]).squared() }),
    DifferentiableCase("halved grid", [[2, 4, 6, 3]], { halvedGrid($0[0].squared()).tanh() }, { halvedGrid($0[0].squared()).tanh() }),
    DifferentiableCase("doubled grid", [[2, 2, 1, 3, 2]], { doubledGrid($0[0].squared()).tanh() }, { doubledGrid($0[0].squared()).tanh() }),
    DifferentiableCase(
        "max pooling", [[2, 4, 5, 2]], { maxPool2D($0[0].squared(), window: (2, 3), stride: (2, 1)).exp() },
        { maxPool2D($0[0].squared(), window: (2, 3), stride: (2, 1)).exp() }),
    DifferentiableCase(
        "average pooling", [[2, 5, 4, 2]], { averagePool2D($0[0].squared(), window: (3, 2), stride: (2, 1)).tanh() },
        { averagePool2D($0[0].squared(), window: (3, 2), stride: (2, 1)).tanh() }),
]

/// Shapes, strides and padding, with what the padding comes to on each side.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    let images: [Int], filters: [Int], stride: (Int, Int), padding: WindowPadding
    let before: (Int, Int), after: (Int, Int)

    var testDescription: String { "\(images) by \(filters), stride \(stride), padding \(padding)" }

    static let all: [ConvolutionCase] = [
        .init(images: [2, 5, 6, 3], filters: [3, 2, 3, 4], stride: (1, 1), padding: .valid, before: (0, 0), after: (0, 0)),
        .init(images: [2, 7, 6, 3], filters: [3, 2, 3, 4], stride: (2, 3), padding: .valid, before: (0, 0), after: (0, 0)),
        // ⌈7/2⌉ = 4 places need 3·2 + 3 = 9 rows, ⌈6/1⌉ need 5 + 4 = 9 columns.
        .init(images: [1, 7, 6, 2], filters: [3, 4, 2, 2], stride: (2, 1), padding: .same, before: (1, 1), after: (1, 2)),
        // Windows smaller than the stride need no padding.
        .init(images: [1, 7, 6, 2], filters: [1, 2, 2, 2], stride: (3, 3), padding: .same, before: (0, 0), after: (0, 0)),
        .init(images: [1, 3, 2, 1], filters: [2, 3, 1, 3], stride: (1, 2), padding: .explicit(top: 4, bottom: 1, left: 0, right: 5), before: (4, 0), after: (1, 5)),
        .init(images: [3, 4, 5, 6], filters: [1, 1, 6, 2], stride: (1, 1), padding: .same, before: (0, 0), after: (0, 0)),
        .init(images: [3, 4, 5, 6], filters: [1, 1, 6, 2], stride: (2, 2), padding: .valid, before: (0, 0), after: (0, 0)),
        // Several blocks of patches in the work space.
        .init(images: [3, 41, 37, 8], filters: [5, 5, 8, 3], stride: (1, 1), padding: .explicit(top: 2, bottom: 2, left: 2, right: 2), before: (2, 2), after: (2, 2)),
        .init(images: [1, 1, 1, 1], filters: [1, 1, 1, 1], stride: (1, 1), padding: .valid, before: (0, 0), after: (0, 0)),
        .init(images: [0, 3, 3, 2], filters: [2, 2, 2, 1], stride: (1, 1), padding: .valid, before: (0, 0), after: (0, 0)),
        .init(images: [2, 3, 3, 0], filters: [2, 2, 0, 2], stride: (1, 1), padding: .valid, before: (0, 0), after: (0, 0)),
        .init(images: [2, 3, 3, 2], filters: [1, 1, 2, 0], stride: (1, 1), padding: .valid, before: (0, 0), after: (0, 0)),
    ]

    /// Visits every product of the convolution: the places of its element of the result, of the image and of the filter.
    func forEachProduct(_ body: (_ result: Int, _ image: Int, _ filter: Int) -> Void) {
        let (rows, columns) = (resultShape[1], resultShape[2])
        for b in 0..<images[0] {
            for i in 0..<rows {
                for j in 0..<columns {
                    for f in 0..<filters[3] {
                        for p in 0..<filters[0] {
                            for q in 0..<filters[1] {
                                for c in 0..<images[3] {
                                    let row = i * stride.0 + p - before.0, column = j * stride.1 + q - before.1
                                    guard row >= 0, row < images[1], column >= 0, column < images[2] else { continue }
                                    body(((b * rows + i) * columns + j) * filters[3] + f,
                                         ((b * images[1] + row) * images[2] + column) * images[3] + c,
                                         ((p * filters[1] + q) * images[3] + c) * filters[3] + f)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    var resultShape: [Int] {
        [images[0], (images[1] + before.0 + after.0 - filters[0]) / stride.0 + 1,
         (images[2] + before.1 + after.1 - filters[1]) / stride.1 + 1, filters[3]]
    }
}

func randomTensor<Scalar: KernelScalar>(_ shape: [Int], seed: UInt64) -> Tensor<Scalar> {
    var random = RandomStream(seed: seed)
    return Tensor(shape: shape, elements: random.normal(count: shape.reduce(1, *)))
}

/// Whether elements agree to `roundings` roundings of the greatest of them.
func expectClose<Scalar: KernelScalar>(
    _ a: Tensor<Scalar>, _ b: Tensor<Scalar>, roundings: Scalar = 64, _ name: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(a.shape == b.shape, "\(name)", sourceLocation: sourceLocation)
    let scale = b.elements.reduce(0) { max($0, abs($1)) }, defect = zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
    #expect(defect <= roundings * Scalar.ulpOfOne * scale, "\(name): \(defect) beside \(scale)", sourceLocation: sourceLocation)
}

@Suite struct ConvolutionTests {
    @Test(arguments: cases) func derivativesInDouble(_ test: DifferentiableCase) { checkDerivatives(test, Double.self) }

    @Test(arguments: cases) func derivativesInFloat(_ test: DifferentiableCase) { checkDerivatives(test, Float.self) }

    @Test(arguments: cases) func forwardIsAdjointToReverse(_ test: DifferentiableCase) { checkAdjoint(test) }

    @Test(arguments: cases) func thirdOrder(_ test: DifferentiableCase) { checkThirdOrder(test) }

    private func check<Scalar: KernelScalar>(_ test: ConvolutionCase, _ type: Scalar.Type) {
        let x: Tensor<Scalar> = randomTensor(test.images, seed: 1), w: Tensor<Scalar> = randomTensor(test.filters, seed: 2)
        let g: Tensor<Scalar> = randomTensor(test.resultShape, seed: 3)
        let (xs, ws, gs) = (x.elements, w.elements, g.elements)
        var y = [Double](repeating: 0, count: g.count), dx = [Double](repeating: 0, count: x.count), dw = [Double](repeating: 0, count: w.count)
        test.forEachProduct { r, i, f in
            y[r] += Double(xs[i]) * Double(ws[f])
            dx[i] += Double(gs[r]) * Double(ws[f])
            dw[f] += Double(gs[r]) * Double(xs[i])
        }
        let (result, pullback) = vjp(of: { conv2D($0[0], $0[1], stride: test.stride, padding: test.padding) })([x, w])
        let gradients = pullback(g)
        func tensor(_ shape: [Int], _ elements: [Double]) -> Tensor<Scalar> { Tensor(shape: shape, elements: elements.map { Scalar($0) }) }
        expectClose(result, tensor(test.resultShape, y), "result")
        expectClose(gradients[0], tensor(test.images, dx), "gradient in the images")
        expectClose(gradients[1], tensor(test.filters, dw), "gradient in the filters")
        guard g.count > 0 else { return }
        let size = (rows: test.images[1], columns: test.images[2])
        expectClose(transposedConv2D(g, w, stride: test.stride, padding: test.padding, size: size), tensor(test.images, dx), "transposed")
    }

    @Test(arguments: ConvolutionCase.all) func agreesWithLoops(_ test: ConvolutionCase) {
        check(test, Double.self)
        check(test, Float.self)
    }

    @Test func threadsGiveTheSameBits() {
        let x: Tensor<Float> = randomTensor([5, 40, 30, 8], seed: 4), w: Tensor<Float> = randomTensor([3, 3, 8, 8], seed: 5)
        let before = Threads.count
        defer { Threads.count = before }
        let results = [1, 2].map { threads in
            Threads.count = threads
            let (y, pullback) = vjp(of: { conv2D($0, w, padding: .same) })(x)
            return (y, pullback(y))
        }
        #expect(results[0].0 == results[1].0 && results[0].1 == results[1].1)
    }

    @Test func defaultSizesOfTransposedConvolution() {
        let x: Tensor<Double> = .ones([1, 3, 4, 2]), w: Tensor<Double> = .ones([3, 2, 5, 2])
        #expect(transposedConv2D(x, w, stride: (2, 3)).shape == [1, 7, 11, 5])
        #expect(transposedConv2D(x, w, stride: (2, 3), padding: .same).shape == [1, 6, 12, 5])
        #expect(transposedConv2D(x, w, stride: (2, 1), padding: .explicit(top: 1, bottom: 1, left: 0, right: 1)).shape == [1, 5, 4, 5])
    }

    /// One pass against the operations it joins; a grid of three planes against the sum over planes of windows in one.
    @Test func gridConvolutionJoinsOperations() {
        var random = RandomStream(seed: 8)
        func numbers(_ shape: [Int]) -> Tensor<Double> { Tensor(shape: shape, elements: random.normal(count: shape.reduce(1, *))) }
        let x = numbers([2, 6, 19, 3]), w = numbers([3, 3, 3, 5]), b = numbers([5]), r = numbers([2, 6, 19, 5])
        let joined = gridConvolution(x, w, bias: b, rectified: true, residual: r)
        let apart = (conv2D(x, w, padding: .same) + b).relu() + r
        let close = zip(joined.elements, apart.elements).allSatisfy { abs($0 - $1) <= 1e-13 }
        #expect(joined.shape == apart.shape && close)
        let grid = numbers([1, 3, 4, 5, 2]), filters = numbers([3, 3, 3, 2, 3])
        let result = gridConvolution(grid, filters)
        for plane in 0..<3 {
            var sum = Tensor<Double>.zeros([1, 4, 5, 3])
            for s in max(0, plane - 1)...min(2, plane + 1) {
                let slice = Tensor(shape: [1, 4, 5, 2], elements: Array(grid.elements[s * 40..<(s + 1) * 40]))
                let tap = s - plane + 1
                sum = sum + conv2D(slice, Tensor(shape: [3, 3, 2, 3], elements: Array(filters.elements[tap * 54..<(tap + 1) * 54])), padding: .same)
            }
            let right = zip(sum.elements, result.elements[plane * 60..<(plane + 1) * 60]).allSatisfy { abs($0 - $1) <= 1e-13 }
            #expect(right, "plane \(plane)")
        }
    }

    @Test func gridsAreHalvedAndDoubled() {
        var random = RandomStream(seed: 9)
        let x = Tensor<Double>(shape: [2, 4, 6, 3], elements: random.normal(count: 144))
        let halved = halvedGrid(x), mean = averagePool2D(x, window: (2, 2))
        let close = zip(halved.elements, mean.elements).allSatisfy { abs($0 - $1) <= 1e-15 }
        #expect(halved.shape == [2, 2, 3, 3] && close)
        let solid = Tensor<Double>(shape: [1, 2, 2, 4, 2], elements: (0..<32).map(Double.init))
        #expect(halvedGrid(solid).elements == [13, 14, 17, 18] && halvedGrid(solid).shape == [1, 1, 1, 2, 2])
        let doubled = doubledGrid(solid)
        #expect(doubled.shape == [1, 4, 4, 8, 2] && halvedGrid(doubled) == solid && doubled[0, 1, 2, 5, 1] == solid[0, 0, 1, 2, 1])
    }

    @Test func pooling() {
        let x = Tensor<Double>(shape: [1, 3, 4, 2], elements: (0..<24).map { Double(($0 * 7) % 24) })
        let greatest = maxPool2D(x, window: (2, 2)), mean = averagePool2D(x, window: (3, 2), stride: (1, 1))
        #expect(greatest.shape == [1, 1, 2, 2] && mean.shape == [1, 1, 3, 2])
        for j in 0..<2 {
            for c in 0..<2 {
                let window = [x[0, 0, 2 * j, c], x[0, 0, 2 * j + 1, c], x[0, 1, 2 * j, c], x[0, 1, 2 * j + 1, c]]
                #expect(greatest[0, 0, j, c] == window.max())
            }
        }
        for j in 0..<3 {
            for c in 0..<2 {
                let sum = (0..<3).reduce(0.0) { $0 + x[0, $1, j, c] + x[0, $1, j + 1, c] }
                #expect(abs(mean[0, 0, j, c] - sum / 6) <= 1e-14 * sum)
            }
        }
    }

    @Test func firstOfEqualElementsTakesTheDerivative() {
        let x = Tensor<Float>(shape: [1, 2, 2, 1], elements: [1, 3, 3, 3])
        #expect(gradient(of: { maxPool2D($0, window: (2, 2)).sum() })(x).elements == [0, 1, 0, 0])
        let withNaN = Tensor<Float>(shape: [1, 2, 2, 1], elements: [.infinity, 3, .nan, 3])
        #expect(maxPool2D(withNaN, window: (2, 2)).scalar.isNaN)
    }

    @Test func misuseIsNamed() async {
        let channels = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = conv2D(Tensor<Float>.zeros([1, 4, 4, 3]), .zeros([3, 3, 2, 5]))
        }
        #expect(message(of: channels).contains("images of shape [1, 4, 4, 3] have 3 channels, filters of shape [3, 3, 2, 5] have 2"))
        let window = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = maxPool2D(Tensor<Float>.zeros([1, 4, 4, 3]), window: (5, 2))
        }
        #expect(message(of: window).contains("maxPool2D: window of 5 rows on 4"))
        let size = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = transposedConv2D(Tensor<Float>.zeros([1, 4, 4, 3]), .zeros([3, 3, 2, 3]), stride: (2, 2), size: (12, 9))
        }
        #expect(message(of: size).contains("to 12×9: those convolve to 5×4; expected 4×4"))
        let stride = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = conv2D(Tensor<Float>.zeros([1, 4, 4, 3]), .zeros([3, 3, 3, 3]), stride: (1, 0))
        }
        #expect(message(of: stride).contains("conv2D: stride is 0 for columns; expected at least 1"))
    }
}

func message(of result: ExitTest.Result?) -> String {
    result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
}
