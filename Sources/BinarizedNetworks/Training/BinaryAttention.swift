import Autodiff
import Kernels
import RealModule

/// How attention weights become binary. Queries, keys and values are signs in every case.
///
/// With A = sign(Q) sign(K)ᵀ/√d + mask the mixed values are B sign(V), where
///
///     biAttention        B = bool(A)                  in {0, 1}
///     signSoftmax        B = sign(softmax(A))         all ones: softmax is positive, so nothing of A is left
///     signSoftmaxShift   B = sign(softmax(A) − τ)     in {−1, +1}
public enum BinaryAttention: String, Sendable, Hashable, Codable, CaseIterable {
    /// BiBERT's (§3.2). Of random signs about half the weights are 1, so that they carry almost one bit each.
    case biAttention
    /// What binarising a full-precision network as it stands gives.
    case signSoftmax
    /// The paper's fully binarised baseline. τ = e^(−1/2)/length, the limit of the median of softmax for independent N(0, 1) scores: the
    /// paper shows that the entropy is greatest with the median as threshold.
    case signSoftmaxShift

    /// B, of shape [n, heads, length, length].
    ///
    /// - Parameters:
    ///   - queries: shape [n, heads, length, d], latent, before their sign; `keys` likewise.
    ///   - mask: added to the scores; see ``paddingMask(_:count:)``.
    ///   - dropout: acts on the scores, before the binariser.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func weights<Scalar: KernelScalar>(
        queries: Tensor<Scalar>, keys: Tensor<Scalar>, mask: Tensor<Scalar>? = nil, ties: TieRule = .paper,
        dropout: (Tensor<Scalar>) -> Tensor<Scalar> = { $0 }
    ) -> Tensor<Scalar> {
        let width = Scalar(queries.shape[queries.rank - 1])
        let product = matmul(queries.signBinarized(ties: ties), keys.signBinarized(ties: ties), transposeB: true)
        let scaled = product / width.squareRoot()
        let scores = dropout(mask.map { scaled + $0 } ?? scaled)
        switch self {
        case .biAttention: return scores.boolBinarized(ties: ties)
        case .signSoftmax: return scores.softmax().signBinarized(ties: ties)
        case .signSoftmaxShift:
            let threshold = Self.medianOfSoftmax(length: keys.shape[keys.rank - 2])
            return (scores.softmax() - Scalar(threshold)).signBinarized(ties: ties)
        }
    }

    /// e^(−1/2)/length.
    public static func medianOfSoftmax(length: Int) -> Double { Double.exp(-0.5) / Double(length) }

    /// 0 for tokens that are present and −10000 for padding, shape [n, 1, 1, length]: what is added to scores. `nil` where none is padded.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func paddingMask<Scalar: KernelScalar>(_ isPresent: [Bool], count: Int) -> Tensor<Scalar>? {
        guard isPresent.contains(false) else { return nil }
        return Tensor(shape: [count, 1, 1, isPresent.count / count], elements: isPresent.map { $0 ? 0 : -10000 })
    }
}
