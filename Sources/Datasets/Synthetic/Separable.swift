import Kernels
import LinearAlgebra
import Randomness

extension Synthetic {
    /// Two classes that a hyperplane through the origin separates with a margin.
    ///
    /// A unit normal w is drawn uniformly; z ~ N(0, I) gets the class of the sign of wᵀz and is moved away from the plane:
    /// x = z ± `margin` · w. So |wᵀx| ≥ `margin`, and no example lies between.
    ///
    /// - Returns: The data, class 0 on the negative side, and w.
    /// - Precondition: `dimension` ≥ 1, `margin` ≥ 0.
    public static func separable<Scalar: KernelScalar>(
        count: Int, dimension: Int, margin: Scalar, seed: UInt64
    ) -> (data: Dataset<Scalar>, normal: [Scalar]) {
        require(count >= 0 && dimension >= 1 && margin >= 0,
                "count \(count), dimension \(dimension), margin \(margin); expected ≥ 0, ≥ 1, ≥ 0")
        var stream = RandomStream(seed: seed)
        let direction: [Scalar] = stream.normal(count: dimension)
        let norm = Scalar.dot(direction.span, direction.span).squareRoot()
        let normal = direction.map { $0 / norm }
        var elements: [Scalar] = stream.normal(count: count * dimension), labels: [Int] = []
        for i in 0..<count {
            let side = Scalar.dot(elements.span.extracting(i * dimension..<(i + 1) * dimension), normal.span)
            let shift = side < 0 ? -margin : margin
            for j in 0..<dimension { elements[i * dimension + j] += shift * normal[j] }
            labels.append(side < 0 ? 0 : 1)
        }
        let data = Dataset(name: "Separable classes", features: Matrix(rows: count, columns: dimension, elements: elements),
                           featureNames: (0..<dimension).map { "x\($0)" },
                           target: .classes(labels: labels, names: ["negative", "positive"]))
        return (data, normal)
    }
}
