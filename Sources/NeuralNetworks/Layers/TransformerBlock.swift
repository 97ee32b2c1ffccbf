import Autodiff
import Kernels

/// Attention of `heads` heads on sequences [n, length, size]: queries, keys and values by dense layers, softmax(q kᵀ/√d) v in each head, and
/// a dense layer on the heads side by side.
public struct MultiHeadAttention<Scalar: KernelScalar>: Module {
    public let size: Int, heads: Int
    private let query: Dense<Scalar>, key: Dense<Scalar>, value: Dense<Scalar>, output: Dense<Scalar>

    /// - Precondition: `heads` divides `size`.
    public init(_ size: Int, heads: Int, initializer: Initializer = .glorotUniform) {
        require(heads > 0 && size > 0 && size % heads == 0, "\(heads) heads of size \(size); expected a number of heads that divides it")
        self.size = size
        self.heads = heads
        let dense = Dense<Scalar>(size, size, initializer: initializer)
        (query, key, value, output) = (dense, dense, dense, dense)
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("query", query)
        declaration.add("key", key)
        declaration.add("value", value)
        declaration.add("output", output)
    }

    /// Without a mask.
    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> { self(x, mask: nil, pass) }

    /// - Parameter mask: added to the scores [n, heads, length, length], to which it broadcasts.
    public func callAsFunction(_ x: Tensor<Scalar>, mask: AttentionMask<Scalar>?, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        var unrecorded: EncoderStates<Scalar>?
        return self(x, mask: mask, pass, recording: &unrecorded)
    }

    func callAsFunction(
        _ x: Tensor<Scalar>, mask: AttentionMask<Scalar>?, _ pass: ForwardPass<Scalar>, recording states: inout EncoderStates<Scalar>?
    ) -> Tensor<Scalar> {
        require(x.rank == 3, "attention on shape \(x.shape); expected sequences [n, length, size]")
        let (n, length) = (x.shape[0], x.shape[1])
        let (queries, keys, values) = (query(x, pass.part("query")), key(x, pass.part("key")), value(x, pass.part("value")))
        func byHeads(_ x: Tensor<Scalar>) -> Tensor<Scalar> { x.reshaped([n, length, heads, size / heads]).transposed([0, 2, 1, 3]) }
        if states != nil { states?.record(queries: byHeads(queries), keys: byHeads(keys), values: byHeads(values)) }
        return output(attention(queries, keys, values, heads: heads, mask: mask), pass.part("output"))
    }
}

/// Attention and a two-layer perceptron on each place, both with a residual connection and a layer norm.
///
/// With `normalizesFirst` (pre-norm) y = x + attention(norm(x)), z = y + mlp(norm(y)), which trains without warm-up;
/// otherwise y = norm(x + attention(x)), z = norm(y + mlp(y)), as in the original and in BERT.
public struct TransformerBlock<Scalar: KernelScalar>: Module {
    public let normalizesFirst: Bool
    private let attention: MultiHeadAttention<Scalar>
    private let intermediate: Dense<Scalar>, output: Dense<Scalar>
    private let attentionNorm: LayerNorm<Scalar>, outputNorm: LayerNorm<Scalar>
    private let activation: ElementwiseFunction
    private let dropout: Dropout<Scalar>

    public init(
        _ size: Int, heads: Int, hidden: Int, activation: ElementwiseFunction = .gelu, normalizesFirst: Bool = true, dropout: Double = 0,
        epsilon: Scalar = 1e-5, initializer: Initializer = .glorotUniform
    ) {
        self.normalizesFirst = normalizesFirst
        self.activation = activation
        self.dropout = Dropout(dropout)
        attention = MultiHeadAttention(size, heads: heads, initializer: initializer)
        intermediate = Dense(size, hidden, initializer: initializer)
        output = Dense(hidden, size, initializer: initializer)
        attentionNorm = LayerNorm(size, epsilon: epsilon)
        outputNorm = LayerNorm(size, epsilon: epsilon)
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("attention", attention)
        declaration.add("attentionNorm", attentionNorm)
        declaration.add("intermediate", intermediate)
        declaration.add("output", output)
        declaration.add("outputNorm", outputNorm)
    }

    /// Without a mask.
    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> { self(x, mask: nil, pass) }

    /// - Parameter mask: as for ``MultiHeadAttention``.
    public func callAsFunction(_ x: Tensor<Scalar>, mask: AttentionMask<Scalar>?, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        var unrecorded: EncoderStates<Scalar>?
        return self(x, mask: mask, pass, recording: &unrecorded)
    }

    func callAsFunction(
        _ x: Tensor<Scalar>, mask: AttentionMask<Scalar>?, _ pass: ForwardPass<Scalar>, recording states: inout EncoderStates<Scalar>?
    ) -> Tensor<Scalar> {
        func mixed(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
            dropout(attention(x, mask: mask, pass.part("attention"), recording: &states), pass.part("attentionDropout"))
        }
        func perceptron(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
            let hidden = intermediate(x, pass.part("intermediate")).applying(activation)
            return dropout(output(hidden, pass.part("output")), pass.part("outputDropout"))
        }
        let first = pass.part("attentionNorm"), second = pass.part("outputNorm")
        if normalizesFirst {
            let y = x + mixed(attentionNorm(x, first))
            return y + perceptron(outputNorm(y, second))
        }
        let y = attentionNorm(x + mixed(x), first)
        return outputNorm(y + perceptron(y), second)
    }
}
