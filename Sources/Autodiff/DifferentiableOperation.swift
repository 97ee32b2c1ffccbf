import Kernels

/// A function of tensors with its derivatives: what the built-in operations are made of, and how to add one's own.
///
/// State the value on plain data, and both derivatives in terms of tensor operations: those are differentiable in turn, so
/// derivatives of any order follow. `apply(_:to:)` runs an operation.
///
/// ```swift
/// struct Cube: DifferentiableOperation {                       // y = x³
///     func value(_ x: [Tensor<Double>]) -> Tensor<Double> { x[0] * x[0] * x[0] }
///     func jvp(_ x: [Tensor<Double>], _ dx: [Tensor<Double>?], output y: Tensor<Double>) -> Tensor<Double>? {
///         dx[0].map { 3 * x[0] * x[0] * $0 }
///     }
///     func vjp(_ x: [Tensor<Double>], output y: Tensor<Double>, cotangent g: Tensor<Double>, wanted: InputSet) -> [Tensor<Double>?] {
///         [3 * x[0] * x[0] * g]
///     }
/// }
/// ```
public protocol DifferentiableOperation<Scalar>: Sendable {
    associatedtype Scalar: KernelScalar

    /// y = f(x₀, x₁, …). The operands are plain data, and so is the result.
    func value(_ inputs: [Tensor<Scalar>]) -> Tensor<Scalar>

    /// The Jacobian–vector product ẏ = Σᵢ (∂f/∂xᵢ) ẋᵢ; a missing tangent counts as 0.
    ///
    /// Default: there is none, and forward mode ends with a message that names the operation.
    ///
    /// - Returns: the tangent, of the output's shape; `nil` for 0.
    func jvp(_ inputs: [Tensor<Scalar>], _ tangents: [Tensor<Scalar>?], output: Tensor<Scalar>) -> Tensor<Scalar>?

    /// The vector–Jacobian products x̄ᵢ = (∂f/∂xᵢ)ᵀ ȳ.
    ///
    /// Default: there are none, and reverse mode ends with a message that names the operation.
    ///
    /// - Parameter wanted: the inputs whose product will be used; others may be left `nil`.
    /// - Returns: one for each input, of its shape; `nil` for 0.
    func vjp(
        _ inputs: [Tensor<Scalar>], output: Tensor<Scalar>, cotangent: Tensor<Scalar>, wanted: InputSet
    ) -> [Tensor<Scalar>?]

    /// What ``jvp(_:_:output:)`` and ``vjp(_:output:cotangent:wanted:)`` read, and what therefore is kept until then. Of the rest
    /// only the shapes can be asked for. Default: inputs and output.
    var derivativesRead: DerivativeOperands { get }
}

extension DifferentiableOperation {
    public var derivativesRead: DerivativeOperands { [.inputs, .output] }

    public func jvp(_ inputs: [Tensor<Scalar>], _ tangents: [Tensor<Scalar>?], output: Tensor<Scalar>) -> Tensor<Scalar>? {
        require(false, "\(self) has no jvp; forward mode and second derivatives need one")
        return nil
    }

    public func vjp(
        _ inputs: [Tensor<Scalar>], output: Tensor<Scalar>, cotangent: Tensor<Scalar>, wanted: InputSet
    ) -> [Tensor<Scalar>?] {
        require(false, "\(self) has no vjp; reverse mode needs one")
        return []
    }
}

/// The values that an operation's derivatives read.
public struct DerivativeOperands: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let inputs = DerivativeOperands(rawValue: 1)
    public static let output = DerivativeOperands(rawValue: 2)
}

/// A set of an operation's inputs, by number.
public struct InputSet: Sendable, Hashable {
    private var bits: UInt64 = 0

    init() {}

    /// Whether input `index` is in the set. Inputs from the 65th on always are.
    public func contains(_ index: Int) -> Bool { index >= 64 || bits >> UInt64(index) & 1 != 0 }

    mutating func insert(_ index: Int) { if index < 64 { bits |= 1 << UInt64(index) } }
}

/// y = f(x₀, x₁, …) by `operation`, differentiable in every transformation that the operands take part in.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func apply<Scalar: KernelScalar>(
    _ operation: any DifferentiableOperation<Scalar>, to inputs: __owned [Tensor<Scalar>]
) -> Tensor<Scalar> {
    record(operation, inputs) { inputs in
        let value = operation.value(inputs)
        require(value.trace == nil, "\(type(of: operation)).value uses a tensor that is being differentiated and is no input of it")
        return value
    }
}

/// The result of `value` on plain data as that of `operation`, with its part in the transformations of the operands.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func record<Scalar: KernelScalar>(
    _ operation: any DifferentiableOperation<Scalar>, _ inputs: __owned [Tensor<Scalar>],
    value: ([Tensor<Scalar>]) -> Tensor<Scalar>
) -> Tensor<Scalar> {
    var level = 0
    for i in inputs.indices { level = max(level, inputs[i].level) }
    guard level > 0 else { return value(inputs) }
    // What the innermost transformation knows of each operand; the operands as seen from outside it.
    var inputs = inputs
    var tape: Tape<Scalar>?
    var parents = Tape<Scalar>.Parents()
    var tangents: [Tensor<Scalar>?] = []
    var defers = false
    for i in inputs.indices where inputs[i].level == level {
        let trace = inputs[i].trace.take()!
        if let owner = trace.tape {
            if tape == nil { tape = owner }
            parents.set(i, trace.index)
        } else {
            if tangents.isEmpty { tangents = Array(repeating: nil, count: inputs.count) }
            tangents[i] = trace.tangent
        }
        // One that waits is left alone until it is clear that the operation reads it.
        inputs[i].trace = trace.primal == nil ? trace.outer : trace
        if trace.defersResults || trace.primal != nil { defers = true }
    }
    var deferred: Deferred<Scalar>?
    let output = if defers {
        recordDeferring(operation, &inputs, level, &deferred, value: value)
    } else if inputs.allSatisfy(\.isPlain) {
        value(inputs)
    } else {
        record(operation, inputs, value: value)
    }
    let trace: Trace<Scalar>
    if let tape {
        let index = tape.append(operation, consume inputs, parents, output)
        trace = Trace(level: level, tape: tape, index: index, outer: output.trace, primal: deferred)
    } else {
        guard let tangent = operation.jvp(inputs, tangents, output: output) else { return deferred?.value ?? output }
        require(tangent.extents == output.extents,
                "\(type(of: operation)).jvp gave shape \(tangent.shape); expected \(output.shape), the output's")
        trace = Trace(level: level, tangent: tangent, outer: output.trace, primal: deferred)
    }
    return output.traced(trace)
}

/// As `record`, from outside the transformation of `level` that allows results to wait: what does is `deferred`, and the output then has
/// a shape alone. Operands that wait become known if the operation reads them.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func recordDeferring<Scalar: KernelScalar>(
    _ operation: any DifferentiableOperation<Scalar>, _ inputs: inout [Tensor<Scalar>], _ level: Int, _ deferred: inout Deferred<Scalar>?,
    value: ([Tensor<Scalar>]) -> Tensor<Scalar>
) -> Tensor<Scalar> {
    let deferrable = operation as? any DeferrableOperation<Scalar>
    if deferrable != nil { deferred = Deferred(operation, inputs, level: level) }
    let reads = deferrable == nil || operation.derivativesRead.contains(.inputs)
    for i in inputs.indices where inputs[i].trace?.primal != nil {
        inputs[i] = reads ? inputs[i].outside(level) : inputs[i].shapeOnly
    }
    return if let deferrable { Tensor(shapeOnly: deferrable.resultShape(inputs)) } else { record(operation, inputs, value: value) }
}
