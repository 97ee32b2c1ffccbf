import Kernels
import LinearAlgebra
import Randomness

extension Synthetic {
    /// Gaussian clusters: example i belongs to class c = i mod k and is N(centreᶜ, σ² I).
    ///
    /// - `centers`: One row for each class.
    /// - `deviation`: σ.
    /// - Precondition: at least one centre, `count` and `deviation` not negative.
    public static func blobs<Scalar: KernelScalar>(
        count: Int, centers: Matrix<Scalar>, deviation: Scalar = 1, seed: UInt64
    ) -> Dataset<Scalar> {
        require(centers.rows > 0, "no centres; expected at least 1")
        require(count >= 0 && deviation >= 0, "count \(count) and deviation \(deviation); expected no negative number")
        var stream = RandomStream(seed: seed)
        let columns = centers.columns
        var elements: [Scalar] = stream.normal(count: count * columns)
        for i in 0..<count {
            for j in 0..<columns {
                elements[i * columns + j] = centers[i % centers.rows, j] + deviation * elements[i * columns + j]
            }
        }
        return Dataset(name: "Gaussian blobs", features: Matrix(rows: count, columns: columns, elements: elements),
                       featureNames: (0..<columns).map { "x\($0)" },
                       target: .classes(labels: (0..<count).map { $0 % centers.rows }, names: (0..<centers.rows).map { "blob \($0)" }))
    }
}
