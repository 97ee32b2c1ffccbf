import Kernels
import LinearAlgebra
import Randomness
import TransportMaps

func rows(_ lists: [[Double]]) -> Matrix<Double> { Matrix(rows: lists) }
func distance(_ a: Matrix<Double>, _ b: Matrix<Double>) -> Double { (a - b).frobeniusNorm }
func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }

func columnMean(_ x: Matrix<Double>) -> [Double] { (0..<x.columns).map { mean(x.column($0)) } }

func covariance(_ x: Matrix<Double>) -> Matrix<Double> {
    let m = columnMean(x)
    let centred = Matrix<Double>(rows: x.rows, columns: x.columns) { x[$0, $1] - m[$1] }
    return (1 / Double(x.rows - 1)) * centred.gram()
}

/// A bridge of `components` random Gaussians in `dimension` dimensions.
func randomBridge(components k: Int, dimension d: Int, noise: Double, seed: UInt64) -> SchrodingerBridge<Double> {
    var random = RandomStream(seed: seed)
    let scales = (random.uniform(count: k * d) as [Double]).map { 0.3 + 1.2 * $0 }
    return SchrodingerBridge(
        noise: noise, logWeights: random.normal(count: k, standardDeviation: 0.5), centers: Matrix(rows: k, columns: d, elements: random.normal(count: k * d)),
        scales: Matrix(rows: k, columns: d, elements: scales))
}

/// A positive definite matrix.
func randomCovariance(_ d: Int, seed: UInt64) -> Matrix<Double> {
    var random = RandomStream(seed: seed, stream: 9)
    let g = Matrix<Double>(rows: d, columns: d, elements: random.normal(count: d * d))
    return g.gram() + 0.2 * Matrix.identity(d)
}

/// Samples of N(mean, covariance).
func gaussian(_ count: Int, mean: [Double], covariance: Matrix<Double>, random: inout RandomStream) throws -> Matrix<Double> {
    let z = Matrix<Double>(rows: count, columns: mean.count, elements: random.normal(count: count * mean.count))
    let x = multiply(z, try Cholesky(covariance).lower, transposeB: true)
    return Matrix(rows: count, columns: mean.count) { x[$0, $1] + mean[$1] }
}
