import Kernels

/// The books of an online run: losses of the plays and of a comparator, and what theorems bound regret by.
public struct RegretAccount: Codable, Sendable, Hashable {
    public private(set) var rounds = 0
    /// Σ f_t(x_t).
    public private(set) var loss = 0.0
    /// Σ f_t(u_t).
    public private(set) var comparatorLoss = 0.0
    /// Σ ‖u_t − u_{t−1}‖.
    public private(set) var pathLength = 0.0
    /// Σ ‖g_t − g_{t−1}‖² with g₀ = 0.
    public private(set) var gradientVariation = 0.0
    private var comparator: [Double] = []
    private var gradient: [Double] = []

    public init() {}

    /// Σ f_t(x_t) − Σ f_t(u_t): static regret for one u, dynamic for a path.
    public var regret: Double { loss - comparatorLoss }

    /// Enters a round: the losses of the play and of the comparator, the comparator, and the gradient at the play.
    public mutating func record(loss: Double, comparatorLoss: Double, comparator: [Double], gradient: [Double]) {
        require(gradient.count == comparator.count, "gradient of \(gradient.count) and comparator of \(comparator.count) elements; expected equal counts")
        self.loss += loss
        self.comparatorLoss += comparatorLoss
        if rounds > 0 { pathLength += distance(comparator, self.comparator) }
        let change = rounds > 0 ? difference(gradient, self.gradient) : gradient
        gradientVariation += product(change, change)
        self.comparator = comparator
        self.gradient = gradient
        rounds += 1
    }
}
