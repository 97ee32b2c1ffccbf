import Kernels
import LinearAlgebra
import Objectives

/// How an upper bound Ψ of ‖Γ⁻¹‖₂ is got, on which the accuracy of inexact Newton directions rests.
public enum InverseBound: Sendable, Hashable, Codable {
    /// 20 max(‖B‖_F², 1) / (min(ξ_J, 1) min(ξ_B, 1)), from the least eigenvalues of JJᵀ and of the reduced Hessian: the paper's. Often thousands of times too
    /// large, so that the accuracy asked for is near rounding.
    case analytic
    /// The norm itself, from the eigenvalues of Γ. Costs more than a factorisation, but saves single-row sketches a part of their steps.
    case computed
}

/// The Newton system of the first-order conditions at a point: Γ z = b with
///
/// Γ = [[B, Jᵀ], [J, 0]], z = (Δx, Δλ), b = −(∇ₓL, c), B = H + t I,
///
/// where H is the Hessian of the Lagrangian. The shift t is 0 if H is positive definite on the kernel of J, and otherwise ξ_B + ‖H‖_F,
/// which makes B so. Γ is symmetric, indefinite, and regular if J has full rank.
///
/// Cost: QR of Jᵀ, the product ZᵀHZ with a basis Z of the kernel and its Cholesky factorisation, O(n³) in all. Its eigenvalues are computed only where
/// the factorisation leaves it open whether they lie above the threshold.
public struct NewtonSystem<Scalar: KernelScalar>: Sendable {
    /// n and m.
    public let variables: Int, constraints: Int
    /// Γ, of order n + m.
    public let matrix: Matrix<Scalar>
    /// b.
    public let rightHandSide: [Scalar]
    /// J.
    public let jacobian: Matrix<Scalar>
    /// t.
    public let shift: Scalar
    /// The least eigenvalue of J Jᵀ, the square of the least singular value of J; ∞ without constraints.
    public let leastJacobianEigenvalue: Scalar
    /// The largest eigenvalue of J Jᵀ.
    public let greatestJacobianEigenvalue: Scalar
    /// A lower bound of the least eigenvalue of ZᵀBZ.
    public let reducedCurvature: Scalar
    /// Ψ, an upper bound of ‖Γ⁻¹‖₂. Infinite if J has no full rank.
    public let inverseBound: Scalar
    /// Υ = max(‖J‖_F, ‖H‖_F, 1).
    public let derivativeBound: Scalar
    /// ‖Γ‖_F.
    public let norm: Scalar

    /// - Parameters:
    ///   - minimumCurvature: ξ_B, the curvature that a shift guarantees on the kernel of J.
    ///   - curvatureThreshold: The least eigenvalue of ZᵀHZ below which H is shifted.
    ///   - inverseBound: How ``inverseBound`` is got.
    /// - Throws: `LinearAlgebraError`, above all for a derivative that is not finite.
    public init(
        _ problem: any TwiceDifferentiableConstrainedObjective<Scalar>, at point: KKTPoint<Scalar>, minimumCurvature: Scalar = 0.1,
        curvatureThreshold: Scalar = 1e-6, inverseBound: InverseBound = .analytic
    ) throws(LinearAlgebraError) {
        let jacobian = problem.jacobian(at: point.x.span)
        let hessian = problem.lagrangianHessian(at: point.x.span, multipliers: point.multipliers.span)
        try self.init(
            hessian: hessian, jacobian: jacobian, lagrangianGradient: point.lagrangianGradient, constraintValues: point.constraints,
            minimumCurvature: minimumCurvature, curvatureThreshold: curvatureThreshold, inverseBound: inverseBound)
    }

    /// The system of given matrices.
    public init(
        hessian: Matrix<Scalar>, jacobian: Matrix<Scalar>, lagrangianGradient: [Scalar], constraintValues: [Scalar],
        minimumCurvature: Scalar = 0.1, curvatureThreshold: Scalar = 1e-6, inverseBound: InverseBound = .analytic
    ) throws(LinearAlgebraError) {
        let n = hessian.rows, m = jacobian.rows
        require(hessian.columns == n && jacobian.columns == n && lagrangianGradient.count == n && constraintValues.count == m && m <= n,
                "Hessian \(hessian.rows)×\(hessian.columns), Jacobian \(m)×\(jacobian.columns), \(lagrangianGradient.count) gradient elements and "
                    + "\(constraintValues.count) constraint values; expected n×n, m×n, n and m with m ≤ n")
        try hessian.requireFinite()
        try jacobian.requireFinite()
        try requireFinite(lagrangianGradient.span)
        try requireFinite(constraintValues.span)
        (variables, constraints, self.jacobian) = (n, m, jacobian)
        var least = Scalar.infinity, greatest: Scalar = 0
        if m > 0 {
            let eigenvalues = try SymmetricEigen.values(of: multiply(jacobian, jacobian, transposeB: true))
            (least, greatest) = (max(eigenvalues[0], 0), eigenvalues[m - 1])
        }
        let hessianNorm = hessian.frobeniusNorm
        let curvature = try Self.reducedCurvature(hessian, jacobian, minimumCurvature: minimumCurvature, threshold: curvatureThreshold)
        shift = curvature == nil ? minimumCurvature + hessianNorm : 0
        reducedCurvature = curvature ?? minimumCurvature
        (leastJacobianEigenvalue, greatestJacobianEigenvalue) = (least, greatest)
        matrix = kktMatrix(hessian, jacobian, shift: shift)
        rightHandSide = lagrangianGradient.map { -$0 } + constraintValues.map { -$0 }
        norm = matrix.frobeniusNorm
        derivativeBound = max(jacobian.frobeniusNorm, hessianNorm, 1)
        let b = shift == 0 ? hessianNorm : matrix.submatrix(rows: 0..<n, columns: 0..<n).frobeniusNorm
        let analytic = 20 * max(b * b, 1) / (min(least, 1) * min(reducedCurvature, 1))
        switch inverseBound {
        case .analytic: self.inverseBound = analytic
        case .computed: self.inverseBound = min(analytic, 1 / (try SymmetricEigen.values(of: matrix).map(\.magnitude).min() ?? 1))
        }
    }

    /// A lower bound of the least eigenvalue of ZᵀHZ; `nil` if it lies below the threshold.
    private static func reducedCurvature(
        _ hessian: Matrix<Scalar>, _ jacobian: Matrix<Scalar>, minimumCurvature: Scalar, threshold: Scalar
    ) throws(LinearAlgebraError) -> Scalar? {
        let n = hessian.rows, m = jacobian.rows
        guard m < n else { return .infinity }
        var reduced = hessian
        if m > 0 {
            // Z is the last n − m columns of Q, so ZᵀHZ is the last block of QᵀHQ.
            let qr = try QR(jacobian.transposed())
            let left = try qr.multiplyQ(hessian, transpose: true).submatrix(rows: m..<n, columns: 0..<n)
            reduced = try qr.multiplyQ(left.transposed(), transpose: true).submatrix(rows: m..<n, columns: 0..<(n - m))
        }
        // Cholesky of ZᵀHZ − ξ I exists if and only if every eigenvalue is above ξ.
        var shifted = reduced
        for i in 0..<n - m { shifted[i, i] -= minimumCurvature }
        do throws(LinearAlgebraError) {
            _ = try Cholesky(shifted)
            return minimumCurvature
        } catch .notPositiveDefinite {
            let least = try SymmetricEigen.values(of: reduced)[0]
            return least >= threshold ? min(least, minimumCurvature) : nil
        }
    }

    /// n + m.
    public var order: Int { variables + constraints }

    /// The slope of the exact augmented Lagrangian along z, from w = Γ z and no further derivative:
    /// ∇ₓLᵀΔx + cᵀΔλ + η₁ cᵀw_λ + η₂ ∇ₓLᵀ(w_x − tΔx).
    public func slope(along z: [Scalar], image w: [Scalar], penalties: Penalties<Scalar>) -> Scalar {
        let n = variables
        func part(_ a: [Scalar], _ range: Range<Int>) -> Scalar { Scalar.dot(a.span.extracting(range), rightHandSide.span.extracting(range)) }
        let x = 0..<n, multipliers = n..<order
        return -part(z, x) - part(z, multipliers) - penalties.feasibility * part(w, multipliers)
            - penalties.stationarity * (part(w, x) - shift * part(z, x))
    }

    /// The accuracy for which the inexact direction is a descent direction by theory: (½ − β) η₂ / ((1 + η₁ + η₂) Υ² Ψ²).
    public func descentAccuracy(_ penalties: Penalties<Scalar>, armijo: Scalar) -> Scalar {
        let scale = derivativeBound * inverseBound
        return (0.5 - armijo) * penalties.stationarity / (1 + penalties.feasibility + penalties.stationarity) / scale / scale
    }

    /// Γ z.
    public func image(of z: [Scalar]) -> [Scalar] { matrix * z }
}

/// [[H + t I, Jᵀ], [J, 0]].
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func kktMatrix<Scalar: KernelScalar>(_ hessian: Matrix<Scalar>, _ jacobian: Matrix<Scalar>, shift: Scalar) -> Matrix<Scalar> {
    let n = hessian.rows, m = jacobian.rows, transposed = jacobian.transposed()
    var elements: [Scalar] = []
    elements.reserveCapacity((n + m) * (n + m))
    for i in 0..<n {
        elements.append(contentsOf: hessian.elements[i * n..<(i + 1) * n])
        elements[elements.count - n + i] += shift
        elements.append(contentsOf: transposed.elements[i * m..<(i + 1) * m])
    }
    for i in 0..<m {
        elements.append(contentsOf: jacobian.elements[i * n..<(i + 1) * n])
        elements.append(contentsOf: repeatElement(0, count: m))
    }
    return Matrix(rows: n + m, columns: n + m, elements: elements)
}
