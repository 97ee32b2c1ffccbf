import Autodiff
import Kernels
import LinearAlgebra
import Randomness
import Synchronization
import _TestSupport

/// A symmetric matrix with elements in [−1, 1).
func randomSymmetric(_ n: Int, seed: UInt64) -> Matrix<Double> {
    var numbers = TestNumbers(seed: seed)
    var h = Matrix<Double>.zeros(rows: n, columns: n)
    for i in 0..<n {
        for j in 0...i {
            h[i, j] = numbers.unit()
            h[j, i] = h[i, j]
        }
    }
    return h
}

/// V diag(λ) Vᵀ with a random orthogonal V.
func symmetric<Scalar: KernelScalar>(spectrum: [Double], seed: UInt64) throws -> Matrix<Scalar> {
    let n = spectrum.count
    var random = RandomStream(seed: seed)
    let v = try QR(Matrix<Double>(rows: n, columns: n, elements: random.normal(count: n * n))).q()
    let a = multiply(Matrix<Double>(rows: n, columns: n) { v[$0, $1] * spectrum[$1] }, v, transposeB: true)
    return Matrix(rows: n, columns: n) { Scalar(a[max($0, $1), min($0, $1)]) }
}

/// An operator that counts its products, and fails with NaN from one of them on.
struct CountingOperator<Base: LinearOperator>: LinearOperator {
    typealias Scalar = Base.Scalar

    final class Count: Sendable {
        let value = Mutex(0)
    }

    let base: Base
    var nonFiniteFrom = Int.max
    private let count = Count()

    init(_ base: Base, nonFiniteFrom: Int = .max) {
        self.base = base
        self.nonFiniteFrom = nonFiniteFrom
    }

    var products: Int { count.value.withLock { $0 } }
    var rows: Int { base.rows }
    var columns: Int { base.columns }

    func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        base.apply(x, into: &y)
        let index = count.value.withLock { value in
            value += 1
            return value - 1
        }
        if index >= nonFiniteFrom { y[y.count - 1] = .nan }
    }

    func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        base.applyAdjoint(y, into: &x)
        count.value.withLock { $0 += 1 }
    }
}

/// A tanh network of 4 inputs, 5 and 4 hidden units and 3 classes on twelve examples: 64 parameters.
func smallNetwork<Scalar: KernelScalar>(_: Scalar.Type) -> (objective: TensorObjective<Scalar>, point: [Scalar]) {
    var random = RandomStream(seed: 4)
    // Drawn in double precision, so that both scalars get the same network.
    func normal(_ count: Int, _ deviation: Double) -> [Scalar] {
        (random.normal(count: count, standardDeviation: deviation) as [Double]).map { Scalar($0) }
    }
    let x = Tensor<Scalar>(shape: [12, 4], elements: normal(48, 1))
    let labels = (0..<12).map { _ in random.integer(in: 0..<3) }
    let shapes = [[4, 5], [5], [5, 4], [4], [4, 3], [3]]
    let count = shapes.reduce(0) { $0 + $1.reduce(1, *) }
    let objective = TensorObjective<Scalar>(dimension: count) { p in
        var start = 0
        let q = shapes.map { shape in
            let size = shape.reduce(1, *)
            defer { start += size }
            return p.part(from: start, shape: shape)
        }
        return crossEntropy(affine(affine(affine(x, q[0], q[1]).tanh(), q[2], q[3]).tanh(), q[4], q[5]), labels: labels)
    }
    return (objective, normal(count, 0.7))
}

func norm(_ x: [Double]) -> Double { Double.nrm2(x.span) }
func difference(_ x: [Double], _ y: [Double]) -> [Double] { zip(x, y).map { $0 - $1 } }
func dot(_ x: [Double], _ y: [Double]) -> Double { Double.dot(x.span, y.span) }
