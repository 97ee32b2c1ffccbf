/// How often the parts of a problem were evaluated.
public struct EvaluationCounts: Sendable, Hashable, Codable {
    /// Values without a gradient.
    public var values = 0
    /// Values with a gradient.
    public var gradients = 0
    /// Products of a Hessian and a vector, each direction counted.
    public var hessianProducts = 0
    /// Terms of a finite sum in minibatch values and gradients. Not part of ``total``: a term is a fraction of an evaluation.
    public var terms = 0

    public init(values: Int = 0, gradients: Int = 0, hessianProducts: Int = 0, terms: Int = 0) {
        self.values = values
        self.gradients = gradients
        self.hessianProducts = hessianProducts
        self.terms = terms
    }

    /// Evaluations of the whole objective of any kind: values + gradients + Hessian products.
    public var total: Int { values + gradients + hessianProducts }
}
