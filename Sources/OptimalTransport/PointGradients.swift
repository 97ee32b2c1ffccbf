import Kernels
import LinearAlgebra

extension GibbsPlan {
    /// Σⱼ Wᵢⱼ ∇ₓ c(xᵢ, yⱼ) and Σᵢ Wᵢⱼ ∇ᵧ c(xᵢ, yⱼ) for W = P, or Wᵢⱼ = Pᵢⱼ (λᵢ + λ′ⱼ) with factors: the derivative of what depends on the
    /// points through their costs alone.
    ///
    /// At a point that is its partner's equal the distance has no derivative; 0 is taken. So it is at points of length 0 for the cosine.
    ///
    /// - Precondition: the geometry is one of points.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func pointGradients(factors: (source: [Scalar], target: [Scalar])? = nil) -> (source: Matrix<Scalar>, target: Matrix<Scalar>) {
        guard case .points(let clouds) = geometry.storage else {
            require(false, "gradients by points of a cost matrix; expected a geometry of points")
            return (.zeros(rows: 0, columns: 0), .zeros(rows: 0, columns: 0))
        }
        let n = rows, m = columns, d = clouds.dimension
        let (x, y) = clouds.prepared
        var images = Matrix<Scalar>.zeros(rows: n, columns: d), back = Matrix<Scalar>.zeros(rows: m, columns: d)
        var rowSums = [Scalar](repeating: 0, count: n), columnSums = [Scalar](repeating: 0, count: m)
        var tile = [Scalar](repeating: 0, count: geometry.tileRows * m), distances = clouds.cost == .euclidean ? tile : []
        forEachTile { range, plan, _ in
            let count = range.count * m
            for k in 0..<count { tile[k] = plan[k] }
            if let factors {
                for i in range { for j in 0..<m { tile[(i - range.lowerBound) * m + j] *= factors.source[i] + factors.target[j] } }
            }
            if clouds.cost == .euclidean {
                var whole = distances.mutableSpan
                var part = whole._mutatingExtracting(0..<count)
                geometry.costs(ofRows: range, into: &part)
                for k in 0..<count { tile[k] = part[k] > 0 ? tile[k] / part[k] : 0 }
            }
            for i in range {
                for j in 0..<m {
                    let weight = tile[(i - range.lowerBound) * m + j]
                    rowSums[i] += weight
                    columnSums[j] += weight
                }
            }
            let view = MatrixView(tile.span, rows: range.count, columns: m, rowStride: m)
            var elements = images.mutableSpan
            var part = elements._mutatingExtracting(range.lowerBound * d..<range.upperBound * d)
            multiply(view, y.view, into: &part, rowStride: d)
            multiply(view, x.view.submatrix(rows: range, columns: 0..<d), transposeA: true, beta: 1, into: &back)
        }
        Self.finish(&images, rowSums, x, clouds.source, clouds.cost)
        Self.finish(&back, columnSums, y, clouds.target, clouds.cost)
        return (images, back)
    }

    /// From Σⱼ Wᵢⱼ yⱼ and Σⱼ Wᵢⱼ to the gradient at each prepared point x.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func finish(_ images: inout Matrix<Scalar>, _ sums: [Scalar], _ x: Matrix<Scalar>, _ original: Matrix<Scalar>, _ cost: PointCost) {
        for i in 0..<x.rows {
            switch cost {
            case .squaredEuclidean: for k in 0..<x.columns { images[i, k] = 2 * (sums[i] * x[i, k] - images[i, k]) }
            case .euclidean: for k in 0..<x.columns { images[i, k] = sums[i] * x[i, k] - images[i, k] }
            case .dot: for k in 0..<x.columns { images[i, k] = -images[i, k] }
            case .cosine:
                let along = Scalar.dot(images.row(i), x.row(i)), length = Scalar.nrm2(original.row(i))
                for k in 0..<x.columns { images[i, k] = length > 0 ? (along * x[i, k] - images[i, k]) / length : 0 }
            }
        }
    }

    /// λ and λ′ with ∂ℓ/∂Cᵢⱼ = (λᵢ + λ′ⱼ) Pᵢⱼ for a loss ℓ of the potentials with ∂ℓ/∂f = z and ∂ℓ/∂g = z′: by the implicit function
    /// theorem, from
    ///
    ///     diag(r) λ + P λ′ = z,   Pᵀ λ + diag(c) λ′ = z′
    ///
    /// whose Schur complement conjugate gradients solve, one pass over the costs a step. What of the loss depends on the constant that f and g
    /// may exchange is left out.
    ///
    /// - Returns: `nil` if that did not succeed.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func implicitFactors(source z: [Scalar], target w: [Scalar], tolerance: Double) -> (source: [Scalar], target: [Scalar])? {
        let ones = [Scalar](repeating: 1, count: columns), r = apply(ones), c = applyAdjoint([Scalar](repeating: 1, count: rows))
        let scaled = z.indices.map { r[$0] > 0 ? z[$0] / r[$0] : 0 }
        let pulled = applyAdjoint(scaled)
        let residual = w.indices.map { c[$0] > 0 ? Double(w[$0]) - Double(pulled[$0]) : 0 }
        guard residual.contains(where: { $0 != 0 }) else { return (scaled, [Scalar](repeating: 0, count: columns)) }
        guard let target = semiDualDirection(diagonal: c, residual: residual, tolerance: tolerance, product: { y, result in
            var image = apply(y)
            for i in image.indices { image[i] = r[i] > 0 ? image[i] / r[i] : 0 }
            result = applyAdjoint(image)
        }) else { return nil }
        let second = target.map { Scalar($0) }, image = apply(second)
        return (z.indices.map { r[$0] > 0 ? (z[$0] - image[$0]) / r[$0] : 0 }, second)
    }
}
