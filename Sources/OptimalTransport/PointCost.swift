/// The cost of moving a unit of mass from x to y.
public enum PointCost: String, Sendable, Hashable, Codable, CaseIterable {
    /// ‖x − y‖². GeomLoss halves it, and so doubles the meaning of ε.
    case squaredEuclidean
    /// ‖x − y‖.
    case euclidean
    /// 1 − x·y / (‖x‖ ‖y‖); 1 where a point is zero, which SciPy makes NaN.
    case cosine
    /// −x·y. It may be negative, which transport does not mind.
    case dot
}
