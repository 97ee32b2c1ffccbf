import Kernels
import LinearAlgebra
import RealModule

/// The convex function K of ``LionK``, with its gradient and conjugate.
///
/// | K | K(m) | ∂K(m) | constraint or penalty (1/λ) K*(λx) |
/// |---|---|---|---|
/// | ``l1`` | ‖m‖₁ | sign m | ‖x‖∞ ≤ 1/λ |
/// | ``lp(_:)`` | ‖m‖ₚ | sign(m) \|m\|ᵖ⁻¹ / ‖m‖ₚᵖ⁻¹ | ‖x‖_q ≤ 1/λ, 1/p + 1/q = 1 |
/// | ``soft(_:)`` | Σ max(\|mᵢ\| − e, 0) | sign(mᵢ) where \|mᵢ\| > e | e ‖x‖₁, ‖x‖∞ ≤ 1/λ |
/// | ``topK(_:)`` | sum of the k largest \|mᵢ\| | sign on those, else 0 | ‖x‖₁ ≤ k/λ, ‖x‖∞ ≤ 1/λ |
/// | ``huber(_:)`` | m²/2e to e, \|m\| − e/2 beyond | clip(m, ±e)/e | (e λ/2) ‖x‖², ‖x‖∞ ≤ 1/λ |
/// | ``smooth(_:)`` | Σ √(m² + e²) − e | m / √(m² + e²) | (e/λ) Σ (1 − √(1 − λ²xᵢ²)), ‖x‖∞ ≤ 1/λ |
/// | ``groups(_:)`` | Σ ‖m_G‖₂ | m_G / ‖m_G‖₂ | max ‖x_G‖₂ ≤ 1/λ |
/// | ``spectral(_:)`` | Σ nuclear norms of M_G | U Vᵀ of M_G = U Σ Vᵀ | max ‖X_G‖₂ ≤ 1/λ (largest singular value) |
/// | ``quadratic`` | ½ ‖m‖² | m | (λ/2) ‖x‖² |
///
/// Where K has a kink, at 0 and between equal magnitudes, the gradient given is one of the subgradients: 0 at m = 0, and of equal
/// magnitudes ``topK(_:)`` takes those of lower index first.
public enum LionPotential: Sendable, Hashable, Codable {
    case l1
    /// p > 1.
    case lp(Double)
    /// e ≥ 0.
    case soft(Double)
    /// k ≥ 1.
    case topK(Int)
    /// e > 0.
    case huber(Double)
    /// e > 0.
    case smooth(Double)
    /// One group for each block of the layout.
    case groups(ParameterLayout)
    /// Each block as a matrix of its last dimension against all others; a vector is one row. One SVD a block and step.
    case spectral(ParameterLayout)
    case quadratic

    /// Requires parameters within their ranges.
    func check() {
        switch self {
        case .lp(let p): require(p > 1 && p.isFinite, "p is \(p); expected a finite number above 1")
        case .soft(let e): _ = checkedNonnegative(e, "threshold")
        case .topK(let k): require(k >= 1, "k is \(k); expected at least 1")
        case .huber(let e), .smooth(let e): require(e > 0 && e.isFinite, "e is \(e); expected a finite number above 0")
        default: break
        }
    }

    /// K(m).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func value<Scalar: KernelScalar>(at m: [Scalar]) -> Double {
        switch self {
        case .l1: return m.reduce(0) { $0 + abs(Double($1)) }
        case .lp(let p): return norm(m, p)
        case .soft(let e): return m.reduce(0) { $0 + max(abs(Double($1)) - e, 0) }
        case .topK(let k): return m.map { abs(Double($0)) }.sorted(by: >).prefix(k).reduce(0, +)
        case .huber(let e):
            return m.reduce(0) { let a = abs(Double($1)); return $0 + (a <= e ? a * a / (2 * e) : a - e / 2) }
        case .smooth(let e): return m.reduce(0) { $0 + ((Double($1) * Double($1) + e * e).squareRoot() - e) }
        case .groups(let layout):
            layout.requireCount(m.count)
            return layout.blocks.reduce(0) { $0 + norm(m[$1.range], 2) }
        case .spectral(let layout):
            layout.requireCount(m.count)
            return layout.blocks.reduce(0) { $0 + singularValues(m, $1).reduce(0, +) }
        case .quadratic: return m.reduce(0) { $0 + 0.5 * Double($1) * Double($1) }
        }
    }

    /// ∂K(m), written over `m`.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func replaceByGradient<Scalar: KernelScalar>(_ m: inout [Scalar]) {
        switch self {
        case .l1: for i in m.indices { m[i] = sign(of: m[i]) }
        case .lp(let p):
            let size = norm(m, p)
            for i in m.indices { m[i] = size == 0 ? 0 : Scalar(signed(pow(abs(Double(m[i])) / size, p - 1), m[i])) }
        case .soft(let e): for i in m.indices { m[i] = abs(Double(m[i])) > e ? sign(of: m[i]) : 0 }
        case .topK(let k):
            let order = m.indices.sorted { (abs(m[$0]), $1) > (abs(m[$1]), $0) }
            for (rank, i) in order.enumerated() { m[i] = rank < k ? sign(of: m[i]) : 0 }
        case .huber(let e): for i in m.indices { m[i] = Scalar(min(max(Double(m[i]), -e), e) / e) }
        case .smooth(let e): for i in m.indices { m[i] = Scalar(Double(m[i]) / (Double(m[i]) * Double(m[i]) + e * e).squareRoot()) }
        case .groups(let layout):
            layout.requireCount(m.count)
            for block in layout.blocks {
                let size = norm(m[block.range], 2)
                for i in block.range { m[i] = size == 0 ? 0 : Scalar(Double(m[i]) / size) }
            }
        case .spectral(let layout):
            layout.requireCount(m.count)
            for block in layout.blocks where block.count > 0 {
                // What is not finite has no directions, and stays NaN.
                guard let svd = try? SVD(matrix(m, block)) else {
                    for i in block.range { m[i] = .nan }
                    continue
                }
                let rank = svd.singularValues.count { $0 > Scalar.ulpOfOne * svd.singularValues[0] }
                for i in 0..<svd.u.rows {
                    for j in 0..<svd.vTransposed.columns {
                        var sum: Scalar = 0
                        for k in 0..<rank { sum += svd.u[i, k] * svd.vTransposed[k, j] }
                        m[block.offset + i * svd.vTransposed.columns + j] = sum
                    }
                }
            }
        case .quadratic: break
        }
    }

    /// K*(u) = sup ⟨u, m⟩ − K(m), where |u| may exceed the domain's bound by `slack` of it before the value is +∞.
    ///
    /// Rounding takes points on the bound across it; the default slack is 4 ulp of the scalar.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func conjugate<Scalar: KernelScalar>(at u: [Scalar], slack: Double = 4 * Double(Scalar.ulpOfOne)) -> Double {
        let bound = 1 + slack
        func inBox(_ value: Double) -> Double { u.allSatisfy { abs(Double($0)) <= bound } ? value : .infinity }
        switch self {
        case .l1: return inBox(0)
        case .lp(let p): return norm(u, p / (p - 1)) <= bound * (1 + Double(u.count) * slack) ? 0 : .infinity
        case .soft(let e): return inBox(e * u.reduce(0) { $0 + abs(Double($1)) })
        case .topK(let k): return inBox(u.reduce(0) { $0 + abs(Double($1)) } <= Double(k) * bound ? 0 : .infinity)
        case .huber(let e): return inBox(u.reduce(0) { $0 + 0.5 * e * Double($1) * Double($1) })
        case .smooth(let e): return inBox(u.reduce(0) { $0 + e * (1 - max(0, 1 - Double($1) * Double($1)).squareRoot()) })
        case .groups(let layout):
            layout.requireCount(u.count)
            return layout.blocks.allSatisfy { norm(u[$0.range], 2) <= bound * (1 + Double($0.count) * slack) } ? 0 : .infinity
        case .spectral(let layout):
            layout.requireCount(u.count)
            return layout.blocks.allSatisfy { (singularValues(u, $0).first ?? 0) <= bound * (1 + Double($0.count) * slack) } ? 0 : .infinity
        case .quadratic: return u.reduce(0) { $0 + 0.5 * Double($1) * Double($1) }
        }
    }

    /// The distance of u from the domain of K* in the domain's own measure, 0 inside: by what its gauge exceeds 1.
    public func excess<Scalar: KernelScalar>(at u: [Scalar]) -> Double {
        let largest = u.reduce(0) { max($0, abs(Double($1))) }
        switch self {
        case .l1, .soft, .huber, .smooth: return max(0, largest - 1)
        case .lp(let p): return max(0, norm(u, p / (p - 1)) - 1)
        case .topK(let k): return max(0, largest - 1, u.reduce(0) { $0 + abs(Double($1)) } / Double(k) - 1)
        case .groups(let layout): return max(0, (layout.blocks.map { norm(u[$0.range], 2) }.max() ?? 0) - 1)
        case .spectral(let layout): return max(0, (layout.blocks.map { singularValues(u, $0).first ?? 0 }.max() ?? 0) - 1)
        case .quadratic: return 0
        }
    }
}

/// ‖x‖ₚ without overflow.
private func norm<Scalar: KernelScalar, C: Collection<Scalar>>(_ x: C, _ p: Double) -> Double {
    let largest = x.reduce(0) { max($0, abs(Double($1))) }
    guard largest > 0, largest.isFinite else { return largest }
    return largest * pow(x.reduce(0) { $0 + pow(abs(Double($1)) / largest, p) }, 1 / p)
}

private func pow(_ x: Double, _ p: Double) -> Double { p == 2 ? x * x : p == 1 ? x : x == 0 ? 0 : Double.pow(x, p) }

private func signed<Scalar: KernelScalar>(_ magnitude: Double, _ m: Scalar) -> Double { m < 0 ? -magnitude : magnitude }

/// A block as a matrix with its last dimension as columns.
private func matrix<Scalar: KernelScalar>(_ x: [Scalar], _ block: ParameterBlock) -> Matrix<Scalar> {
    let columns = block.shape.last ?? 1
    return Matrix(rows: block.count / columns, columns: columns, elements: Array(x[block.range]))
}

/// Descending; NaN for what is not finite.
private func singularValues<Scalar: KernelScalar>(_ x: [Scalar], _ block: ParameterBlock) -> [Double] {
    guard block.count > 0 else { return [] }
    return (try? SVD(matrix(x, block)))?.singularValues.map { Double($0) } ?? [.nan]
}
