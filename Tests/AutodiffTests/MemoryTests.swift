import Autodiff
import Kernels
import Synchronization
import Testing

/// Counts how many records of an operation are alive: each holds a token.
private final class Token: Sendable {
    static let live = Atomic<Int>(0)

    init() { Token.live.wrappingAdd(1, ordering: .relaxed) }

    deinit { Token.live.wrappingSubtract(1, ordering: .relaxed) }
}

private struct Watched: DifferentiableOperation {
    let token = Token()

    func value(_ x: [Tensor<Double>]) -> Tensor<Double> { x[0].tanh() }

    func jvp(_ x: [Tensor<Double>], _ dx: [Tensor<Double>?], output y: Tensor<Double>) -> Tensor<Double>? {
        dx[0].map { (1 - y.squared()) * $0 }
    }

    func vjp(
        _ x: [Tensor<Double>], output y: Tensor<Double>, cotangent g: Tensor<Double>, wanted: InputSet
    ) -> [Tensor<Double>?] {
        [(1 - y.squared()) * g]
    }
}

@Suite struct MemoryTests {
    /// Nothing that a derivative recorded outlives it, however deep transformations nest.
    @Test func noRecordOutlivesItsDerivative() {
        let f: (Tensor<Double>) -> Tensor<Double> = { x in
            var y = x
            for _ in 0..<10 { y = apply(Watched(), to: [y]) }
            return y.sum()
        }
        let x = Tensor([0.3, -0.2])
        let first = gradient(of: f)(x)
        #expect(Token.live.load(ordering: .relaxed) == 0)
        let second = hessianVectorProduct(of: f)(x, .ones([2]))
        let third = gradient(of: { gradient(of: f)($0).sum() })(x)
        #expect(Token.live.load(ordering: .relaxed) == 0)
        for (a, b) in zip(second.elements, third.elements) { #expect(abs(a - b) <= 1e-14 * abs(a)) }
        do {
            // A pullback keeps what it needs as long as it is kept itself.
            let pullback = vjp(of: f)(x).pullback
            #expect(Token.live.load(ordering: .relaxed) == 10)
            #expect(pullback(Tensor(1)) == first && pullback(Tensor(1)) == first)
        }
        #expect(Token.live.load(ordering: .relaxed) == 0)
    }
}
