import Kernels
import LinearAlgebra
import Randomness

/// ‖b − A x‖² + μ ‖x‖² → min, as the least squares of [A; √μ I] and [b; 0].
struct LeastSquaresSystem<Scalar: KernelScalar>: Sendable {
    /// A vector of the extended rows: those of A, and those of √μ I (none for μ = 0).
    struct Extended: Sendable {
        var top: [Scalar], bottom: [Scalar]

        var norm: Scalar {
            let n = Scalar.nrm2(top.span)
            if bottom.isEmpty { return n }
            let pair = [n, Scalar.nrm2(bottom.span)]
            return Scalar.nrm2(pair.span)
        }

        /// Zeros of the same lengths, in storage of their own.
        func zeros() -> Extended {
            Extended(top: [Scalar](repeating: 0, count: top.count), bottom: [Scalar](repeating: 0, count: bottom.count))
        }

        /// `self` ← self + factor · other.
        mutating func add(_ other: Extended, times factor: Scalar) {
            var span = top.mutableSpan
            Scalar.axpy(factor, other.top.span, &span)
            for k in bottom.indices { bottom[k] += factor * other.bottom[k] }
        }

        /// `self` ← factor · other.
        mutating func set(_ other: Extended, times factor: Scalar) {
            var span = top.mutableSpan
            Scalar.affine(factor, other.top.span, 0, into: &span)
            for k in bottom.indices { bottom[k] = factor * other.bottom[k] }
        }
    }

    let a: any SketchableMatrix<Scalar>
    let root: Scalar
    let right: Extended

    var rows: Int { a.rows }
    var columns: Int { a.columns }

    init(_ a: any SketchableMatrix<Scalar>, _ b: [Scalar], ridge: Scalar) throws(LinearAlgebraError) {
        require(b.count == a.rows, "least squares with \(b.count) right-hand elements for \(a.rows) rows; expected equally many")
        require(ridge >= 0 && ridge.isFinite, "ridge is \(ridge); expected a finite number, at least 0")
        try requireFinite(b.span)
        self.a = a
        root = ridge.squareRoot()
        right = Extended(top: b, bottom: [Scalar](repeating: 0, count: ridge > 0 ? a.columns : 0))
    }

    /// r ← start − [A; √μ I] z, and the pullback [A; √μ I]ᵀ r.
    ///
    /// - Throws: `LinearAlgebraError.nonFinite` for an element of A, `LinearAlgebraError.overflow`.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func pass(_ z: [Scalar], from start: Extended, into r: inout Extended) throws(LinearAlgebraError) -> [Scalar] {
        var g = [Scalar](repeating: 0, count: columns)
        a.residualPullback(z, start.top, into: &r.top, pulled: &g)
        for k in start.bottom.indices {
            let below = start.bottom[k] - root * z[k]
            r.bottom[k] = below
            g[k] += root * below
        }
        if !isFinite(g) {
            try a.requireFiniteElements()
            throw .overflow(operation: "least squares")
        }
        return g
    }

    /// [S A; √μ I].
    ///
    /// - Throws: as a pass.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func sketched(by sketch: any Sketch<Scalar>) throws(LinearAlgebraError) -> Matrix<Scalar> {
        let top = a.sketched(by: sketch)
        if !isFinite(top.elements) {
            try a.requireFiniteElements()
            throw .overflow(operation: "sketch")
        }
        return root > 0 ? extended(top) : top
    }

    /// [M; √μ I].
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func extended(_ matrix: Matrix<Scalar>) -> Matrix<Scalar> {
        let n = columns
        var elements = matrix.elements
        elements.reserveCapacity(elements.count + n * n)
        for j in 0..<n { for k in 0..<n { elements.append(j == k ? root : 0) } }
        return Matrix(rows: matrix.rows + n, columns: n, elements: elements)
    }

    /// The solution by LAPACK: Householder QR, or singular values where R is numerically singular or A is wide.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func solvedDirectly(
        because reason: String, sketchRows: Int = 0, iterations: Int = 0, passes: Int = 0
    ) throws(LinearAlgebraError) -> LeastSquaresEstimate<Scalar> {
        func estimate(_ x: [Scalar], _ method: LeastSquaresEstimate<Scalar>.Method, _ rank: Int, _ name: String) -> LeastSquaresEstimate<Scalar> {
            LeastSquaresEstimate(
                solution: x, method: method, status: .converged, reason: name + ": " + reason, sketchRows: sketchRows, rank: rank,
                iterations: iterations, passes: passes + 1, backwardError: nil, conditionEstimate: nil)
        }
        try a.requireFiniteElements()
        guard columns > 0 else { return estimate([], .householderQR, 0, "nothing to solve") }
        var dense = a.dense(), b = right.top
        if root > 0 {
            dense = extended(dense)
            b += right.bottom
        }
        if dense.rows >= columns {
            let qr = try QR(dense)
            if try reciprocalCondition(ofTriangular: qr.r, triangle: .upper) > 15 * Scalar.ulpOfOne {
                return estimate(try qr.solve(b), .householderQR, columns, "Householder QR")
            }
        }
        let least = try leastSquares(dense, b)
        let name = dense.rows >= columns ? "singular values, since R is numerically singular" : "singular values"
        return estimate(least.solution.elements, .singularValues, least.rank, name)
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func isFinite<Scalar: KernelScalar>(_ x: [Scalar]) -> Bool { Scalar.maxAbs(x.span).isFinite }

/// x + y.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func added<Scalar: KernelScalar>(_ x: [Scalar], _ y: [Scalar]) -> [Scalar] {
    var sum = x
    var span = sum.mutableSpan
    Scalar.axpy(1, y.span, &span)
    return sum
}

extension SketchableMatrix {
    /// The same with arrays.
    fileprivate func residualPullback(_ x: [Scalar], _ b: [Scalar], into r: inout [Scalar], pulled g: inout [Scalar]) {
        var residual = r.mutableSpan, pulled = g.mutableSpan
        residualPullback(x.span, b.span, into: &residual, pulled: &pulled)
    }
}
