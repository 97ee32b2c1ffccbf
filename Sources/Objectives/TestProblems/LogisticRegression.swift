import Kernels
import LinearAlgebra
import RealModule

extension TestProblems {
    /// Mean logistic loss over the rows aᵢ of a matrix with a ridge term: (1/N) Σ log(1 + exp(−yᵢ aᵢᵀx)) + (λ/2)‖x‖², yᵢ = ±1.
    ///
    /// Strongly convex for λ > 0. Term i of the finite sum is the loss of row i plus the ridge term. There is no closed form of the minimum.
    public struct LogisticRegression<Scalar: KernelScalar & Real>: TwiceDifferentiableObjective, FiniteSumObjective, Sendable {
        public let features: Matrix<Scalar>
        /// λ.
        public let ridge: Scalar
        /// ±1.
        private let signs: [Scalar]

        /// - `labels`: `true` for y = 1, `false` for y = −1.
        /// - Precondition: at least one row, as many labels as rows, and `ridge` not negative.
        public init(features: Matrix<Scalar>, labels: [Bool], ridge: Scalar) {
            require(features.rows > 0 && labels.count == features.rows,
                    "\(labels.count) labels for \(features.rows) rows; expected equal counts of at least 1")
            require(ridge >= 0, "ridge is \(ridge); expected no negative number")
            self.features = features
            self.ridge = ridge
            signs = labels.map { $0 ? 1 : -1 }
        }

        public var dimension: Int { features.columns }
        public var termCount: Int { features.rows }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            var sum: Scalar = 0
            for i in 0..<termCount { sum += loss(margin(i, x)) }
            return sum / Scalar(termCount) + ridge / 2 * Scalar.dot(x, x)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>, terms: Span<Int>) -> Scalar {
            requireDimension(x.count)
            requireTerms(terms)
            var sum: Scalar = 0
            for k in terms.indices { sum += loss(margin(terms[k], x)) }
            return sum / Scalar(terms.count) + ridge / 2 * Scalar.dot(x, x)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(x.count)
            requireDimension(gradient.count, "gradient")
            for j in x.indices { gradient[j] = ridge * x[j] }
            var sum: Scalar = 0
            for i in 0..<termCount { sum += accumulate(i, x, weight: 1 / Scalar(termCount), &gradient) }
            return sum / Scalar(termCount) + ridge / 2 * Scalar.dot(x, x)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(
            at x: Span<Scalar>, terms: Span<Int>, gradient: inout MutableSpan<Scalar>
        ) -> Scalar {
            requireDimension(x.count)
            requireDimension(gradient.count, "gradient")
            requireTerms(terms)
            for j in x.indices { gradient[j] = ridge * x[j] }
            var sum: Scalar = 0
            for k in terms.indices { sum += accumulate(terms[k], x, weight: 1 / Scalar(terms.count), &gradient) }
            return sum / Scalar(terms.count) + ridge / 2 * Scalar.dot(x, x)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func hessianVectorProduct(
            at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
        ) {
            requireDimension(x.count)
            requireDimension(v.count, "direction")
            requireDimension(product.count, "product")
            for j in v.indices { product[j] = ridge * v[j] }
            for i in 0..<termCount {
                let row = features.elements.span.extracting(range(i))
                let p = probability(margin(i, x))
                let factor = p * (1 - p) * Scalar.dot(row, v) / Scalar(termCount)
                for j in row.indices { product[j] += factor * row[j] }
            }
        }

        /// Adds the gradient of row i's loss times `weight`, and returns the loss.
        private func accumulate(
            _ i: Int, _ x: Span<Scalar>, weight: Scalar, _ gradient: inout MutableSpan<Scalar>
        ) -> Scalar {
            let row = features.elements.span.extracting(range(i)), margin = margin(i, x)
            let factor = -weight * signs[i] * probability(-margin)
            for j in row.indices { gradient[j] += factor * row[j] }
            return loss(margin)
        }

        /// Where row i lies in the elements of the matrix.
        private func range(_ i: Int) -> Range<Int> { i * dimension..<(i + 1) * dimension }

        private func margin(_ i: Int, _ x: Span<Scalar>) -> Scalar {
            signs[i] * Scalar.dot(features.elements.span.extracting(range(i)), x)
        }

        /// log(1 + exp(−m)) without overflow.
        private func loss(_ margin: Scalar) -> Scalar { max(-margin, 0) + .log(onePlus: .exp(-abs(margin))) }

        /// 1/(1 + exp(−m)) without overflow.
        private func probability(_ margin: Scalar) -> Scalar {
            let e = Scalar.exp(-abs(margin))
            return margin >= 0 ? 1 / (1 + e) : e / (1 + e)
        }
    }
}
