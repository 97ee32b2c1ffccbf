import Autodiff
import Kernels
import Testing

private let cases: [DifferentiableCase] = {
    var cases = [
        DifferentiableCase(
            "fft", [[2, 5], [2, 5]], { let y = fft(real: $0[0].tanh(), imaginary: $0[1]); return y.real.squared() + y.imaginary * y.real },
            { let y = fft(real: $0[0].tanh(), imaginary: $0[1]); return y.real.squared() + y.imaginary * y.real }),
        DifferentiableCase(
            "fft of real data", [[2, 4]], { let y = fft(real: $0[0].tanh()); return y.real.squared() - 2 * y.imaginary },
            { let y = fft(real: $0[0].tanh()); return y.real.squared() - 2 * y.imaginary }),
        DifferentiableCase(
            "inverse fft", [[6], [6]], { let y = inverseFFT(real: $0[0].squared(), imaginary: $0[1]); return y.real.squared() + y.imaginary * y.real },
            { let y = inverseFFT(real: $0[0].squared(), imaginary: $0[1]); return y.real.squared() + y.imaginary * y.real }),
        DifferentiableCase("clamp", [[9]], { $0[0].squared().clamped(to: 0.2...1.5).exp() }, { $0[0].squared().clamped(to: 0.2...1.5).exp() }),
        DifferentiableCase("dot", [[5], [5]], { dot($0[0], $0[1].tanh()) }, { dot($0[0], $0[1].tanh()) }),
        DifferentiableCase("dot with itself", [[5]], { dot($0[0], $0[0]).squared() }, { dot($0[0], $0[0]).squared() }),
        DifferentiableCase("outer product", [[3], [2]], { outerProduct($0[0], $0[1]).squared() }, { outerProduct($0[0], $0[1]).squared() }),
        DifferentiableCase("norm", [[2, 3]], center: 3, spread: 0.5, { $0[0].norm() }, { $0[0].norm() }),
    ]
    for p in [-1.5, -1, 0.5, 1, 2.5, 3] {
        cases.append(DifferentiableCase(
            "power \(p)", [[7]], center: 3, spread: 0.3, { $0[0].power(p) }, { $0[0].power(Float(p)) }))
    }
    for axis in 0..<3 {
        cases.append(DifferentiableCase(
            "cumulative sum along \(axis)", [[2, 3, 4]], { $0[0].squared().cumulativeSum(alongAxis: axis).tanh() },
            { $0[0].squared().cumulativeSum(alongAxis: axis).tanh() }))
    }
    return cases
}()

@Suite struct VectorOperationTests {
    @Test(arguments: cases) func derivativesInDouble(_ test: DifferentiableCase) { checkDerivatives(test, Double.self) }

    @Test(arguments: cases) func derivativesInFloat(_ test: DifferentiableCase) { checkDerivatives(test, Float.self) }

    @Test(arguments: cases) func forwardIsAdjointToReverse(_ test: DifferentiableCase) { checkAdjoint(test) }

    @Test(arguments: cases) func thirdOrder(_ test: DifferentiableCase) { checkThirdOrder(test) }

    private func checkTransform<Scalar: KernelScalar>(_ n: Int, _ type: Scalar.Type) {
        let real: Tensor<Scalar> = randomTensor([3, n], seed: 1), imaginary: Tensor<Scalar> = randomTensor([3, n], seed: 2)
        // cos and sin of 2π jk/n, as tables that the tensor operations make.
        let angles = Tensor<Double>(shape: [n, n], elements: (0..<n * n).map { 2 * .pi * Double(($0 / n) * ($0 % n) % n) / Double(n) })
        func table(_ x: Tensor<Double>) -> Tensor<Scalar> { Tensor(shape: [n, n], elements: x.elements.map { Scalar($0) }) }
        let (c, s) = (table(angles.cos()), table(angles.sin()))
        let y = fft(real: real, imaginary: imaginary)
        expectClose(y.real, matmul(real, c) + matmul(imaginary, s), roundings: 16 * Scalar(n), "real part, \(n)")
        expectClose(y.imaginary, matmul(imaginary, c) - matmul(real, s), roundings: 16 * Scalar(n), "imaginary part, \(n)")
        let back = inverseFFT(real: y.real, imaginary: y.imaginary)
        expectClose(back.real, real, "there and back, \(n)")
        expectClose(back.imaginary, imaginary, "there and back, \(n)")
    }

    @Test(arguments: [1, 2, 3, 8, 12, 37]) func transformsAgreeWithTheSum(_ n: Int) {
        checkTransform(n, Double.self)
        checkTransform(n, Float.self)
    }

    /// More lengths than plans are kept for.
    @Test func manyLengths() {
        for _ in 0..<2 {
            for n in 1...80 {
                let y = fft(real: Tensor<Double>.ones([n]))
                #expect(abs(y.real[0] - Double(n)) <= 1e-12)
            }
        }
    }

    @Test func edgeValues() {
        let x = Tensor<Double>([-2, 0, 3])
        #expect(x.power(3).elements == [-8, 0, 27] && x.power(0).elements == [1, 1, 1] && x.power(0.5).elements[0].isNaN)
        #expect(gradient(of: { $0.power(0).sum() })(x).elements == [0, 0, 0])
        #expect(gradient(of: { $0.power(1).sum() })(x).elements == [1, 1, 1])
        #expect(gradient(of: { $0.power(2).sum() })(x).elements == [-4, 0, 6])
        #expect(gradient(of: { $0.clamped(to: -2...1).sum() })(x).elements == [1, 1, 0])
        #expect(Tensor<Float>([.nan, 5]).clamped(to: 0...1).elements[0].isNaN)
        #expect(gradient(of: { $0.norm() })(Tensor<Double>.zeros([3])).elements == [0, 0, 0])
        #expect(Tensor<Float>([3e30, 4e30]).norm().scalar == 5e30)
        #expect(Tensor<Double>([1, 2, 3]).cumulativeSum().elements == [1, 3, 6])
        #expect(Tensor<Double>(shape: [2, 2], elements: [1, 2, 3, 4]).cumulativeSum(alongAxis: 0).elements == [1, 2, 4, 6])
        #expect(Tensor<Double>.zeros([2, 0]).cumulativeSum().count == 0)
        #expect(outerProduct(Tensor<Double>([1, 2]), Tensor([3, 4, 5])).elements == [3, 4, 5, 6, 8, 10])
    }

    @Test func misuseIsNamed() async {
        let parts = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = fft(real: Tensor<Float>.zeros([4]), imaginary: .zeros([5]))
        }
        #expect(message(of: parts).contains("fft: real part of shape [4], imaginary part of [5]; expected equal shapes"))
        let vectors = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = dot(Tensor<Float>.zeros([4]), .zeros([3]))
        }
        #expect(message(of: vectors).contains("dot of shapes [4] and [3]; expected vectors of equal length"))
    }
}
