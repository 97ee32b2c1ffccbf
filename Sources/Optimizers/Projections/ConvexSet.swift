import Kernels
import LinearAlgebra
import Objectives

/// A closed convex set that one can project on.
public protocol ConvexSet<Scalar>: Sendable {
    associatedtype Scalar: KernelScalar

    /// Moves `x` to the nearest point of the set in the Euclidean norm.
    func project(_ x: inout MutableSpan<Scalar>)
}

extension ConvexSet {
    /// The nearest point of the set.
    public func projection(of x: [Scalar]) -> [Scalar] {
        var result = x
        var span = result.mutableSpan
        project(&span)
        return result
    }
}

extension Bounds: ConvexSet {}

/// {x : xᵢ ≥ 0, Σ xᵢ = `sum`}.
public struct Simplex<Scalar: KernelScalar>: ConvexSet {
    public let sum: Scalar

    public init(sum: Scalar = 1) {
        require(sum > 0 && sum.isFinite, "sum is \(sum); expected a finite number above 0")
        self.sum = sum
    }

    /// max(xᵢ − τ, 0), with τ found by sorting: O(n log n).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func project(_ x: inout MutableSpan<Scalar>) {
        let threshold = simplexThreshold(copy(of: x.span), sum: sum)
        for i in x.indices { x[i] = max(x[i] - threshold, 0) }
    }
}

/// τ with Σ max(xᵢ − τ, 0) = `sum`; running sums in `Double`.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func simplexThreshold<Scalar: KernelScalar>(_ x: [Scalar], sum: Scalar) -> Scalar {
    require(!x.isEmpty, "no elements; expected at least one on a simplex")
    var total = 0.0, threshold = 0.0
    for (i, value) in x.sorted(by: >).enumerated() {
        total += Double(value)
        let candidate = (total - Double(sum)) / Double(i + 1)
        if Double(value) <= candidate { break }
        threshold = candidate
    }
    return Scalar(threshold)
}

/// {x : Σ |xᵢ| ≤ `radius`}.
public struct L1Ball<Scalar: KernelScalar>: ConvexSet {
    public let radius: Scalar

    public init(radius: Scalar) { self.radius = checkedRadius(radius) }

    /// Through the simplex of the magnitudes: O(n log n).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func project(_ x: inout MutableSpan<Scalar>) {
        var magnitudes = copy(of: x.span), sum = 0.0
        for i in magnitudes.indices {
            magnitudes[i] = abs(magnitudes[i])
            sum += Double(magnitudes[i])
        }
        guard sum > Double(radius) else { return }
        let threshold = radius > 0 ? simplexThreshold(magnitudes, sum: radius) : .infinity
        for i in x.indices {
            let magnitude = max(magnitudes[i] - threshold, 0)
            x[i] = x[i] < 0 ? -magnitude : magnitude
        }
    }
}

/// {x : ‖x − centre‖₂ ≤ `radius`}.
public struct L2Ball<Scalar: KernelScalar>: ConvexSet {
    public let radius: Scalar
    /// The origin if `nil`.
    public let center: [Scalar]?

    public init(radius: Scalar, center: [Scalar]? = nil) {
        self.radius = checkedRadius(radius)
        self.center = center
    }

    public func project(_ x: inout MutableSpan<Scalar>) {
        if let center { Scalar.axpy(-1, center.span, &x) }
        let norm = Scalar.nrm2(x.span)
        if norm > radius { Scalar.scale(radius / norm, &x) }
        if let center { Scalar.axpy(1, center.span, &x) }
    }
}

/// {x : maxᵢ |xᵢ| ≤ `radius`}.
public struct LInfinityBall<Scalar: KernelScalar>: ConvexSet {
    public let radius: Scalar

    public init(radius: Scalar) { self.radius = checkedRadius(radius) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func project(_ x: inout MutableSpan<Scalar>) {
        for i in x.indices { x[i] = clamped(x[i], to: radius) }
    }
}

/// {x : aᵀx ≤ b}.
public struct Halfspace<Scalar: KernelScalar>: ConvexSet {
    public let normal: [Scalar]
    public let offset: Scalar

    /// - Precondition: `normal` is finite and not 0.
    public init(normal: [Scalar], offset: Scalar) {
        let norm = Scalar.nrm2(normal.span)
        require(norm > 0 && norm.isFinite, "the normal has length \(norm); expected a finite number above 0")
        self.normal = normal
        self.offset = offset
    }

    public func project(_ x: inout MutableSpan<Scalar>) {
        let excess = Scalar.dot(normal.span, x.span) - offset
        if excess > 0 { Scalar.axpy(-excess / Scalar.dot(normal.span, normal.span), normal.span, &x) }
    }
}

/// {x : A x = b} for A of full row rank.
public struct AffineSubspace<Scalar: KernelScalar>: ConvexSet {
    private let matrix: Matrix<Scalar>
    private let right: [Scalar]
    private let inverse: Matrix<Scalar>

    /// - Throws: ``LinearAlgebraError/singular(pivot:)`` if rows of A depend on each other; what the SVD of A throws.
    public init(_ matrix: Matrix<Scalar>, equals right: [Scalar]) throws(LinearAlgebraError) {
        require(matrix.rows == right.count, "\(matrix.rows) equations with \(right.count) right sides; expected equal counts")
        let svd = try SVD(matrix), rank = svd.rank()
        if rank < matrix.rows { throw .singular(pivot: rank) }
        inverse = try svd.pseudoInverse()
        self.matrix = matrix
        self.right = right
    }

    /// x − A⁺ (A x − b).
    public func project(_ x: inout MutableSpan<Scalar>) {
        var residual = matrix * copy(of: x.span)
        for i in residual.indices { residual[i] -= right[i] }
        let correction = inverse * residual
        Scalar.axpy(-1, correction.span, &x)
    }
}

func checkedRadius<Scalar: KernelScalar>(_ radius: Scalar) -> Scalar {
    require(radius >= 0 && radius.isFinite, "radius is \(radius); expected a finite number, at least 0")
    return radius
}
