import Kernels

/// What a smooth dual adds to the transport cost, with its strength γ: Σⱼ Ω(tⱼ) over the columns tⱼ of the plan.
public enum TransportRegularizer: Sendable, Hashable, Codable {
    /// Ω(t) = (γ/2) ‖t‖². Plans are sparse, and sparser for smaller γ.
    case quadratic
    /// Ω(t) = (γ/2) ‖t‖² with at most k entries of t other than 0 (Liu, Puigcerver & Blondel 2023). k of the number of sources or more is
    /// ``quadratic``, k = 1 unregularised up to (γ/2) ‖b‖².
    case sparsityConstrained(atMost: Int)
    /// Ω(t) = γ Σᵢ tᵢ log tᵢ: what ``Sinkhorn`` solves with ε = γ, here by its smooth dual. Plans are dense.
    case entropic
}

/// Which dual is maximised.
public enum TransportFormulation: String, Sendable, Hashable, Codable, CaseIterable {
    /// Over α and β. One iteration is the cheapest; both marginals hold at the end only.
    case dual
    /// Over α alone, with the best β for it in closed form: fewer iterations, and each column of the plan has its mass at any time.
    case semiDual
}
