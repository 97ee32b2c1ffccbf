import Autodiff
import Kernels

/// What an encoder computes on the way to its output: what a distillation compares, and what an analysis looks at.
public struct EncoderStates<Scalar: KernelScalar>: Sendable {
    /// After the embeddings' norm and after each block: one more than there are blocks, each of shape [n, length, size].
    public private(set) var hidden: [Tensor<Scalar>] = []
    /// Of each block, before the scores: shape [n, heads, length, size / heads].
    public private(set) var queries: [Tensor<Scalar>] = [], keys: [Tensor<Scalar>] = [], values: [Tensor<Scalar>] = []

    public init() {}

    /// The output of the last block.
    ///
    /// - Precondition: an encoder has recorded its states.
    public var output: Tensor<Scalar> { hidden[hidden.count - 1] }

    public mutating func record(hidden state: Tensor<Scalar>) { hidden.append(state) }

    public mutating func record(queries: Tensor<Scalar>, keys: Tensor<Scalar>, values: Tensor<Scalar>) {
        self.queries.append(queries)
        self.keys.append(keys)
        self.values.append(values)
    }
}

/// A module from token sequences to one vector a token, [n, length, size], that can show its states.
public protocol SequenceEncoder<Scalar>: Module where Input == TokenBatch {
    var configuration: TransformerEncoder<Scalar>.Configuration { get }

    /// The output with all that led to it.
    func states(_ batch: TokenBatch, _ pass: ForwardPass<Scalar>) -> EncoderStates<Scalar>
}
