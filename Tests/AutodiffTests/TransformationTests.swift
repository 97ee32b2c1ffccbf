import Autodiff
import Kernels
import Randomness
import Synchronization
import Testing

private typealias T = Tensor<Double>

/// Σ xᵢ³, with gradient 3 x², Hessian diag 6 x and third derivative 6.
private func cubes(_ x: T) -> T { (x * x * x).sum() }

private func normal(_ shape: Int..., seed: UInt64) -> T {
    var random = RandomStream(seed: seed)
    return T(shape: shape, elements: random.normal(count: shape.reduce(1, *)))
}

private func isClose(_ a: T, _ b: T, _ tolerance: Double = 1e-13) -> Bool {
    a.shape == b.shape && zip(a.elements, b.elements).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}

/// A small network with two layers and a cross entropy, over its weights and biases.
private func networkLoss(_ x: T, _ labels: [Int]) -> ([T]) -> T {
    { p in crossEntropy(affine(affine(x, p[0], p[1]).tanh(), p[2], p[3]), labels: labels) }
}

private let networkInput = normal(6, 5, seed: 1), networkLabels = [0, 1, 2, 2, 1, 0]
private let networkParameters = [normal(5, 4, seed: 2), normal(4, seed: 3), normal(4, 3, seed: 4), normal(3, seed: 5)]

/// The parameters as parts of one vector.
private func parts(_ p: T) -> [T] {
    var start = 0
    return networkParameters.map { parameter in
        defer { start += parameter.count }
        return p.part(from: start, shape: parameter.shape)
    }
}

private func flat(_ tensors: [T]) -> T { T(tensors.flatMap(\.elements)) }

@Suite struct TransformationTests {
    @Test func gradientOfSquares() {
        let (value, gradient) = valueAndGradient(of: { (x: T) in (x * x).sum() })(T([1.0, 2, 3]))
        #expect(value.scalar == 14)
        #expect(gradient.elements == [2, 4, 6])
    }

    /// d/dx (x · d/dy (x y)) = 2 x: the inner derivative must not take the outer one's direction for its own.
    @Test func nestedTransformationsAreNotConfused() {
        let x = T(3), one = T(1)
        let reverse = gradient(of: { (x: T) in x * gradient(of: { y in x * y })(T(2)) })
        #expect(reverse(x).scalar == 6)
        let forward = jvp(of: { (x: T) in x * jvp(of: { (y: T) in x * y })(T(2), one).tangent })
        #expect(forward(x, one).tangent.scalar == 6)
        let mixed = jvp(of: { (x: T) in x * gradient(of: { y in x * y })(T(2)) })
        #expect(mixed(x, one).tangent.scalar == 6)
        let other = gradient(of: { (x: T) in x * jvp(of: { (y: T) in x * y })(T(2), one).tangent })
        #expect(other(x).scalar == 6)
    }

    /// All four ways to a second derivative, and a third derivative on top of a Hessian product.
    @Test func secondAndThirdDerivatives() {
        let x = T([1.0, -2, 0.5]), v = T([0.3, 1, -1])
        let expected = 6 * x * v
        #expect(isClose(jvp(of: gradient(of: cubes))(x, v).tangent, expected))
        #expect(isClose(gradient(of: { (gradient(of: cubes)($0) * v).sum() })(x), expected))
        #expect(isClose(gradient(of: { jvp(of: cubes)($0, v).tangent })(x), expected))
        #expect(isClose(hessianVectorProduct(of: cubes)(x, v), expected))
        let nested = jvp(of: { (x: T) in jvp(of: cubes)(x, v).tangent })(x, v).tangent
        #expect(abs(nested.scalar - (expected * v).sum().scalar) < 1e-13)
        // Σ vᵢ · 6 xᵢ vᵢ has the gradient 6 v².
        let third = gradient(of: { (x: T) in (hessianVectorProduct(of: cubes)(x, v) * v).sum() })(x)
        #expect(isClose(third, 6 * v * v))
        let thirdByOperator = gradient(of: { (x: T) in (hessianOperator(of: cubes)(x)(v) * v).sum() })(x)
        #expect(isClose(thirdByOperator, 6 * v * v))
    }

    /// A Hessian product leaves the gradient unfinished; the result has to be that of the finished one, to the bit.
    @Test func hessianProductsAgree() {
        let loss = networkLoss(networkInput, networkLabels)
        let p = flat(networkParameters), directions = (0..<3).map { normal(p.count, seed: 10 + UInt64($0)) }
        let f: (T) -> T = { loss(parts($0)) }
        let whole = hessian(of: f)(p)
        let products = hessianVectorProducts(of: f)(p, directions)
        for (v, product) in zip(directions, products) {
            #expect(jvp(of: gradient(of: f))(p, v).tangent == hessianVectorProduct(of: f)(p, v))
            #expect(linearize(of: gradient(of: f))(p).derivative(v) == product)
            #expect(isClose(product, hessianVectorProduct(of: f)(p, v)))
            #expect(isClose(matmul(whole, v.reshaped([p.count, 1])).flattened(), product))
            let blocks = hessianVectorProduct(of: loss)(networkParameters, parts(v))
            #expect(zip(blocks, networkParameters).allSatisfy { $0.shape == $1.shape } && isClose(flat(blocks), product))
        }
        #expect(isClose(whole, whole.transposed()))
    }

    /// Products of the gradient that wait are computed where something does read them: a factor that two places share, and a
    /// direction that leaves an argument out.
    @Test func waitingProductsAreComputedWhereTheyAreRead() {
        let a = normal(3, 3, seed: 20), b = normal(3, 3, seed: 21), v = normal(3, 3, seed: 22), w = normal(3, 3, seed: 23)
        let f: ([T]) -> T = { x in
            let y = matmul(x[0], x[1])
            return (matmul(y, y) * y).sum() + (y.tanh() * x[0]).sum()
        }
        let product = hessianVectorProduct(of: f)([a, b], [v, w])
        // Central differences of the gradient.
        let h = 1e-5
        let up = gradient(of: f)([a + h * v, b + h * w]), down = gradient(of: f)([a - h * v, b - h * w])
        for i in 0..<2 { #expect(isClose(product[i], (up[i] - down[i]) / (2 * h), 1e-6)) }
        let alone = hessianVectorProduct(of: { x in f([x, b]) })(a, v)
        #expect(isClose(alone, hessianVectorProduct(of: f)([a, b], [v, .zeros([3, 3])])[0]))
        // Linear in its second argument: that block of the Hessian is 0.
        let linear = hessianVectorProduct(of: { (x: [T]) in (x[0] * x[0] * x[1]).sum() })([a, b], [.zeros([3, 3]), w])
        #expect(linear[0] == 2 * a * w && linear[1] == .zeros([3, 3]))
    }

    @Test func jacobiansOfBothForms() {
        let a = normal(2, 4, seed: 30), x = normal(4, seed: 31)
        // Two results of four arguments: by backward passes; and eight of two: by forward passes.
        let wide = jacobian(of: { (x: T) in matmul(a, x.reshaped([4, 1])).flattened() })(x)
        #expect(isClose(wide, a))
        let tall = jacobian(of: { (y: T) in matmul(y.reshaped([1, 2]), a).flattened() })(T([1.0, 2]))
        #expect(isClose(tall, a.transposed()))
        #expect(hessian(of: cubes)(T([1.0, 2])).elements == [6, 0, 0, 12])
    }

    @Test func argumentsThatDoNotMatterHaveNoDerivative() {
        let unused = gradient(of: { (x: [T]) in x[0].sum() })([T([1.0, 2]), T([1.0, 2, 3])])
        #expect(unused[1] == .zeros([3]))
        let constant = T(5)
        #expect(gradient(of: { _ in constant })(T([1.0])) == .zeros([1]))
        #expect(jvp(of: { (_: T) in constant })(T([1.0]), T([1.0])).tangent.scalar == 0)
        #expect(linearize(of: { (_: T) in constant })(T([1.0])).derivative(T([1.0])).scalar == 0)
        #expect(hessianVectorProduct(of: { (x: T) in x.sum() })(T([1.0]), T([1.0])) == .zeros([1]))
        #expect(hessianOperator(of: { (x: T) in x.sum() })(T([1.0]))(T([1.0])) == .zeros([1]))
    }

    @Test func gradientsThatStopOrPassStraightThrough() {
        let x = T([0.4, -1.2, 2.6])
        #expect(gradient(of: { (x: T) in (x.stoppingGradient() * x).sum() })(x) == x)
        let rounded = { (x: T) in (x.straightThrough { $0.map { $0.rounded() } } * x).sum() }
        // d (round(x) x) = round(x) + x with the straight-through rule.
        #expect(gradient(of: rounded)(x) == T([0.0, -1, 3]) + x)
        #expect(jvp(of: rounded)(x, .ones([3])).tangent.scalar == (T([0.0, -1, 3]) + x).sum().scalar)
        #expect(x.map { $0.rounded() } == T([0, -1, 3]))
        #expect(gradient(of: { (x: T) in (x.stoppingGradient().map { $0.rounded() } * x).sum() })(x) == T([0, -1, 3]))
    }

    /// Checkpointing changes neither values nor derivatives, runs f once more for each derivative, and keeps its arguments only.
    @Test func checkpointsRunAgain() {
        let calls = Calls()
        let x = T([0.3, -0.7])
        let plain: @Sendable (T) -> T = { ($0.tanh() * $0.exp()).sum() }
        let saved: (T) -> T = { x in
            checkpoint([x]) { x in
                calls.count.wrappingAdd(1, ordering: .relaxed)
                return plain(x[0])
            }
        }
        #expect(saved(x) == plain(x) && calls.take() == 1)
        #expect(gradient(of: saved)(x) == gradient(of: plain)(x) && calls.take() == 2)
        #expect(isClose(hessianVectorProduct(of: saved)(x, .ones([2])), hessianVectorProduct(of: plain)(x, .ones([2]))))
    }

    /// f runs once, whatever the number of directions or cotangents.
    @Test func linearMapsRunTheFunctionOnce() {
        let calls = Calls()
        let f: (T) -> T = { x in
            calls.count.wrappingAdd(1, ordering: .relaxed)
            return cubes(x)
        }
        let x = T([1.0, 2])
        _ = hessianVectorProducts(of: f)(x, [.ones([2]), .zeros([2]), .ones([2])])
        #expect(calls.take() == 1)
        let pullback = vjp(of: f)(x).pullback
        _ = (pullback(T(1)), pullback(T(2)))
        #expect(calls.take() == 1)
    }

    @Test func misuseIsNamed() async {
        let vector = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = gradient(of: { (x: Tensor<Double>) in x * x })(Tensor([1.0, 2]))
        }
        #expect(message(of: vector).contains("gradient of a function with a value of shape [2]; expected one element"))
        let tangent = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = hessianVectorProduct(of: { (x: Tensor<Double>) in x.sum() })(Tensor([1.0, 2]), Tensor([1.0]))
        }
        #expect(message(of: tangent).contains("tangent 0 has shape [1]; expected [2], the argument's"))
        let cotangent = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = vjp(of: { (x: Tensor<Double>) in x.sum() })(Tensor([1.0, 2])).pullback(Tensor([1.0]))
        }
        #expect(message(of: cotangent).contains("cotangent has shape [1]; expected [], the value's"))
    }

    @Test func whatHasNoDerivativeSaysSo() async {
        let map = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = gradient(of: { (x: Tensor<Double>) in x.map { $0.rounded() }.sum() })(Tensor([1.0, 2]))
        }
        #expect(message(of: map).contains("Tensor.map has no vjp; reverse mode needs one"))
        let forward = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = jvp(of: { (x: Tensor<Double>) in apply(Sign(), to: [x]) })(Tensor([1.0]), Tensor([1.0]))
        }
        #expect(message(of: forward).contains("Sign() has no jvp; forward mode and second derivatives need one"))
    }
}

/// An operation that states no derivative.
private struct Sign: DifferentiableOperation {
    func value(_ x: [Tensor<Double>]) -> Tensor<Double> { x[0].map { $0 < 0 ? -1 : 1 } }
}

private final class Calls: Sendable {
    let count = Atomic<Int>(0)

    /// The number of calls since the last look.
    func take() -> Int { count.exchange(0, ordering: .relaxed) }
}
