import Autodiff
import Testing

@Suite struct TransformationTests {
    @Test func gradientOfSquares() {
        let (value, gradient) = valueAndGradient(of: { (x: Tensor<Double>) in (x * x).sum() })(Tensor([1.0, 2, 3]))
        #expect(value.scalar == 14)
        #expect(gradient.elements == [2, 4, 6])
    }
}
