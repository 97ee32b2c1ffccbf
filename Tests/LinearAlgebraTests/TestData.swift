import Kernels
import LinearAlgebra

/// The scalar types that every generic test body runs for.
enum Precision: String, CaseIterable, Sendable {
    case single, double

    var type: any KernelScalar.Type { self == .single ? Float.self : Double.self }
}

/// A small reproducible source of test data (SplitMix64).
struct TestRandom {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// In −1 ..< 1.
    mutating func scalar<S: KernelScalar>(_: S.Type = S.self) -> S { S(Double(next() >> 11) * 0x1p-52 - 1) }

    mutating func vector<S: KernelScalar>(_ count: Int, _: S.Type = S.self) -> [S] { (0..<count).map { _ in scalar() } }

    mutating func matrix<S: KernelScalar>(_ rows: Int, _ columns: Int, _: S.Type = S.self) -> Matrix<S> {
        Matrix(rows: rows, columns: columns, elements: vector(rows * columns))
    }

    /// A symmetric positive definite matrix with condition number about 10.
    mutating func positiveDefinite<S: KernelScalar>(_ size: Int, _: S.Type = S.self) -> Matrix<S> {
        let a: Matrix<S> = matrix(size, size)
        var result = naive(a, a.transposed()).map { S($0) }
        for i in 0..<size {
            result[i, i] += S(size) / 4 + 1
            for j in 0..<i { result[i, j] = result[j, i] }
        }
        return result
    }
}

/// Shapes around the empty, the trivial, block sizes, tall and wide.
let shapes = [(0, 0), (0, 3), (3, 0), (1, 1), (1, 5), (5, 1), (2, 2), (7, 7), (16, 16), (33, 33), (40, 9), (9, 40), (65, 64)]

extension Matrix {
    var double: Matrix<Double> { map { Double($0) } }
}

/// The product by the definition, in double precision.
func naive<S: KernelScalar>(_ a: Matrix<S>, _ b: Matrix<S>) -> Matrix<Double> {
    Matrix<Double>(rows: a.rows, columns: b.columns) { i, j in
        (0..<a.columns).reduce(0) { $0 + Double(a[i, $1]) * Double(b[$1, j]) }
    }
}

func naive<S: KernelScalar>(_ a: Matrix<S>, _ x: [S]) -> [Double] {
    naive(a, Matrix(rows: x.count, columns: 1, elements: x)).elements
}

func eps<S: KernelScalar>(_: S.Type) -> Double { Double(S.ulpOfOne) }

/// The largest |aᵢⱼ − bᵢⱼ|; infinity where one is NaN or the shapes differ.
func distance<A: KernelScalar, B: KernelScalar>(_ a: Matrix<A>, _ b: Matrix<B>) -> Double {
    guard a.rows == b.rows, a.columns == b.columns else { return .infinity }
    return distance(a.elements, b.elements)
}

func distance<A: KernelScalar, B: KernelScalar>(_ a: [A], _ b: [B]) -> Double {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { largest, pair in
        let d = abs(Double(pair.0) - Double(pair.1))
        return d.isNaN ? .infinity : max(largest, d)
    }
}

/// How far the columns of `q` are from orthonormal.
func orthogonalityDefect<S: KernelScalar>(_ q: Matrix<S>) -> Double {
    distance(naive(q.transposed(), q), Matrix<Double>.identity(q.columns))
}

func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
