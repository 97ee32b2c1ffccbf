import Kernels

// From functions to functions. Each transformation may be applied to the result of another: `gradient(of: gradient(of: f))`.
// Functions do not throw. One whose computation can fail (a factorisation) catches the error and gives what it means: NaN, a penalty.

/// A function of several tensors.
public typealias TensorFunction<Scalar: KernelScalar> = ([Tensor<Scalar>]) -> Tensor<Scalar>

// MARK: Reverse mode

/// x ↦ (f(x), ȳ ↦ (∂f/∂x)ᵀ ȳ): the value and the vector–Jacobian product at x, by reverse mode.
///
/// The pullback may be called several times, with different cotangents; it keeps what f's derivatives read.
/// It costs about twice the arithmetic of f for a chain of matrix products. f depends on its arguments alone; a tensor that it captures
/// is a constant unless an outer transformation varies it.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func vjp<Scalar: KernelScalar>(
    of f: @escaping TensorFunction<Scalar>
) -> ([Tensor<Scalar>]) -> (value: Tensor<Scalar>, pullback: @Sendable (Tensor<Scalar>) -> [Tensor<Scalar>]) {
    { x in
        let recording = Recording(f, at: x)
        return (recording.value, { recording.pullback($0) })
    }
}

/// x ↦ (f(x), ȳ ↦ (∂f/∂x)ᵀ ȳ), as `vjp(of:)`, for one argument.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func vjp<Scalar: KernelScalar>(
    of f: @escaping (Tensor<Scalar>) -> Tensor<Scalar>
) -> (Tensor<Scalar>) -> (value: Tensor<Scalar>, pullback: @Sendable (Tensor<Scalar>) -> Tensor<Scalar>) {
    { x in
        let recording = Recording({ x in f(x[0]) }, at: [x])
        return (recording.value, { recording.pullback($0)[0] })
    }
}

/// x ↦ (f(x), ∇f(x)) for a scalar f of several tensors; one gradient for each, of its shape.
///
/// Memory is freed while the derivative is taken: the peak is what f's derivatives read, and the gradients.
///
/// - Precondition: f(x) has one element.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func valueAndGradient<Scalar: KernelScalar>(
    of f: @escaping TensorFunction<Scalar>
) -> ([Tensor<Scalar>]) -> (value: Tensor<Scalar>, gradient: [Tensor<Scalar>]) {
    { x in Recording<Scalar>.valueAndGradient(f, at: x) }
}

/// x ↦ (f(x), ∇f(x)) for a scalar f.
///
/// ```swift
/// let (value, gradient) = valueAndGradient { x in (x * x).sum() }(Tensor([1.0, 2]))
/// ```
///
/// - Precondition: f(x) has one element.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func valueAndGradient<Scalar: KernelScalar>(
    of f: @escaping (Tensor<Scalar>) -> Tensor<Scalar>
) -> (Tensor<Scalar>) -> (value: Tensor<Scalar>, gradient: Tensor<Scalar>) {
    { x in
        let (value, gradient) = Recording<Scalar>.valueAndGradient({ x in f(x[0]) }, at: [x])
        return (value, gradient[0])
    }
}

/// x ↦ ∇f(x) for a scalar f of several tensors.
///
/// - Precondition: f(x) has one element.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func gradient<Scalar: KernelScalar>(
    of f: @escaping TensorFunction<Scalar>
) -> ([Tensor<Scalar>]) -> [Tensor<Scalar>] {
    { x in Recording<Scalar>.valueAndGradient(f, at: x).gradient }
}

/// x ↦ ∇f(x) for a scalar f.
///
/// - Precondition: f(x) has one element.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func gradient<Scalar: KernelScalar>(
    of f: @escaping (Tensor<Scalar>) -> Tensor<Scalar>
) -> (Tensor<Scalar>) -> Tensor<Scalar> {
    { x in
        Recording<Scalar>.valueAndGradient({ x in f(x[0]) }, at: [x]).gradient[0]
    }
}

// MARK: Forward mode

/// (x, ẋ) ↦ (f(x), (∂f/∂x) ẋ): the value and the Jacobian–vector product in one pass, by forward mode. Nothing is kept.
///
/// - Precondition: one tangent for each argument, of its shape.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func jvp<Scalar: KernelScalar>(
    of f: @escaping TensorFunction<Scalar>
) -> ([Tensor<Scalar>], [Tensor<Scalar>]) -> (value: Tensor<Scalar>, tangent: Tensor<Scalar>) {
    { x, tangents in
        requireTangents(tangents, x)
        let level = newLevel()
        let inputs = x.indices.map { x[$0].traced(Trace(level: level, tangent: tangents[$0], outer: x[$0].trace)) }
        let y = f(inputs)
        guard let tangent = y.link(at: level)?.tangent else { return (y.outside(level), .zeros(y.shape)) }
        return (y.outside(level), tangent)
    }
}

/// (x, ẋ) ↦ (f(x), (∂f/∂x) ẋ), for one argument.
///
/// - Precondition: the tangent has the argument's shape.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func jvp<Scalar: KernelScalar>(
    of f: @escaping (Tensor<Scalar>) -> Tensor<Scalar>
) -> (Tensor<Scalar>, Tensor<Scalar>) -> (value: Tensor<Scalar>, tangent: Tensor<Scalar>) {
    let f: TensorFunction<Scalar> = { x in f(x[0]) }
    let product = jvp(of: f)
    return { x, tangent in product([x], [tangent]) }
}

/// x ↦ (f(x), ẋ ↦ (∂f/∂x) ẋ): the derivative as a linear map that may be applied to many directions.
///
/// f runs once; each direction then costs only the products that depend on it. Keeps what f's derivatives read.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func linearize<Scalar: KernelScalar>(
    of f: @escaping TensorFunction<Scalar>
) -> ([Tensor<Scalar>]) -> (value: Tensor<Scalar>, derivative: @Sendable ([Tensor<Scalar>]) -> Tensor<Scalar>) {
    { x in
        let recording = Recording(f, at: x)
        let derivative = recording.pushforward
        return (recording.value, derivative)
    }
}

/// x ↦ (f(x), ẋ ↦ (∂f/∂x) ẋ), for one argument.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func linearize<Scalar: KernelScalar>(
    of f: @escaping (Tensor<Scalar>) -> Tensor<Scalar>
) -> (Tensor<Scalar>) -> (value: Tensor<Scalar>, derivative: @Sendable (Tensor<Scalar>) -> Tensor<Scalar>) {
    { x in
        let recording = Recording({ x in f(x[0]) }, at: [x])
        let derivative = recording.pushforward
        return (recording.value, { derivative([$0]) })
    }
}

// MARK: Second order

/// (x, v) ↦ ∇²f(x) v for a scalar f of several tensors: forward mode over reverse mode, at about twice the arithmetic of a gradient.
/// One result for each argument, of its shape.
///
/// The gradient itself is not finished: the products that only it would need are left out.
///
/// - Precondition: f(x) has one element; one direction for each argument, of its shape.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func hessianVectorProduct<Scalar: KernelScalar>(
    of f: @escaping TensorFunction<Scalar>
) -> ([Tensor<Scalar>], [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    { x, directions in
        requireTangents(directions, x)
        let level = newLevel()
        let inputs = x.indices.map { x[$0].traced(Trace(level: level, tangent: directions[$0], outer: x[$0].trace)) }
        return Recording.valueAndGradient(f, at: inputs, deferring: level).gradient.map { gradient in
            guard let product = gradient.link(at: level)?.tangent else { return .zeros(gradient.shape) }
            return product
        }
    }
}

/// (x, v) ↦ ∇²f(x) v, for one argument.
///
/// - Precondition: f(x) has one element, and v has the shape of x.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func hessianVectorProduct<Scalar: KernelScalar>(
    of f: @escaping (Tensor<Scalar>) -> Tensor<Scalar>
) -> (Tensor<Scalar>, Tensor<Scalar>) -> Tensor<Scalar> {
    let f: TensorFunction<Scalar> = { x in f(x[0]) }
    let product = hessianVectorProduct(of: f)
    return { x, v in product([x], [v])[0] }
}

/// x ↦ (v ↦ ∇²f(x) v) for a scalar f: the Hessian at x as a linear map. The gradient is linearised once, and not finished, as in
/// `hessianVectorProduct(of:)`.
///
/// Each direction after that costs about one and a half gradients' arithmetic. Keeps what the gradient's derivatives read.
///
/// - Precondition: f(x) has one element, and each direction has the shape of x.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func hessianOperator<Scalar: KernelScalar>(
    of f: @escaping (Tensor<Scalar>) -> Tensor<Scalar>
) -> (Tensor<Scalar>) -> @Sendable (Tensor<Scalar>) -> Tensor<Scalar> {
    { x in
        let recording = Recording({ x in
            Recording.valueAndGradient({ f($0[0]) }, at: x, deferring: x[0].trace?.level).gradient[0]
        }, at: [x])
        let derivative = recording.pushforward
        return { derivative([$0]) }
    }
}

/// (x, [v₀, v₁, …]) ↦ [∇²f(x) v₀, ∇²f(x) v₁, …] for a scalar f, by ``hessianOperator(of:)``.
///
/// The directions go one by one through operands that stay in the cache: measured faster than stacking them, which makes every intermediate
/// result as many times larger.
///
/// - Precondition: f(x) has one element, and each direction has the shape of x.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func hessianVectorProducts<Scalar: KernelScalar>(
    of f: @escaping (Tensor<Scalar>) -> Tensor<Scalar>
) -> (Tensor<Scalar>, [Tensor<Scalar>]) -> [Tensor<Scalar>] {
    { x, directions in directions.map(hessianOperator(of: f)(x)) }
}

/// x ↦ ∂f/∂x, of shape f(x).shape + x.shape: by one forward pass for each element of x, or one backward pass for each
/// of f(x) where there are fewer of those.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func jacobian<Scalar: KernelScalar>(
    of f: @escaping (Tensor<Scalar>) -> Tensor<Scalar>
) -> (Tensor<Scalar>) -> Tensor<Scalar> {
    { x in
        let recording = Recording({ x in f(x[0]) }, at: [x])
        let y = recording.value
        if y.count < x.count {
            let rows = (0..<y.count).map { recording.pullback(unit($0, y.shape))[0] }
            return (rows.isEmpty ? .zeros([0] + x.shape) : stacked(rows)).reshaped(y.shape + x.shape)
        }
        let derivative = recording.pushforward
        let columns = (0..<x.count).map { derivative([unit($0, x.shape)]).reshaped([y.count]) }
        guard !columns.isEmpty else { return .zeros(y.shape + x.shape) }
        return stacked(columns).transposed().reshaped(y.shape + x.shape)
    }
}

/// x ↦ ∇²f(x), of shape x.shape + x.shape, for a scalar f: x.count products, for small x.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func hessian<Scalar: KernelScalar>(
    of f: @escaping (Tensor<Scalar>) -> Tensor<Scalar>
) -> (Tensor<Scalar>) -> Tensor<Scalar> {
    jacobian(of: gradient(of: f))
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func unit<Scalar: KernelScalar>(_ index: Int, _ shape: [Int]) -> Tensor<Scalar> {
    var elements: [Scalar] = filled(elementCount(shape), 0)
    elements[index] = 1
    return Tensor(shape, elements)
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func requireTangents<Scalar: KernelScalar>(_ tangents: [Tensor<Scalar>], _ x: [Tensor<Scalar>]) {
    require(tangents.count == x.count, "\(tangents.count) tangents for \(x.count) arguments; expected equal counts")
    for (i, tangent) in tangents.enumerated() {
        require(tangent.extents == x[i].extents, "tangent \(i) has shape \(tangent.shape); expected \(x[i].shape), the argument's")
    }
}

/// A function that has run at a point, with what its derivative needs.
private struct Recording<Scalar: KernelScalar>: Sendable {
    /// The value, seen from inside.
    private let result: Tensor<Scalar>
    private let level: Int
    private let shapes: [[Int]]
    private let entries: [Tape<Scalar>.Entry]
    /// Which result the value is; nil if it does not depend on the arguments.
    private let index: Int?

    init(_ f: TensorFunction<Scalar>, at x: [Tensor<Scalar>]) {
        let tape: Tape<Scalar>
        (tape, result, index) = Self.record(f, at: x)
        level = tape.level
        shapes = x.map(\.shape)
        entries = tape.take()
    }

    private static func record(
        _ f: TensorFunction<Scalar>, at x: [Tensor<Scalar>]
    ) -> (Tape<Scalar>, Tensor<Scalar>, Int?) {
        let tape = Tape<Scalar>()
        let y = f(x.map(tape.input))
        return (tape, y, y.link(at: tape.level)?.index)
    }

    var value: Tensor<Scalar> { result.outside(level) }

    func pullback(_ cotangent: Tensor<Scalar>) -> [Tensor<Scalar>] {
        require(cotangent.extents == result.extents, "cotangent has shape \(cotangent.shape); expected \(result.shape), the value's")
        guard let index else { return shapes.map { .zeros($0) } }
        let products = Autodiff.pullback(cotangent, from: index, through: entries, inputCount: shapes.count)
        return zip(products, shapes).map { $0 ?? .zeros($1) }
    }

    var pushforward: @Sendable ([Tensor<Scalar>]) -> Tensor<Scalar> {
        let (shapes, entries, index, shape) = (shapes, entries, index, result.shape)
        guard let index else {
            return { tangents in
                requireTangents(tangents, shapes.map { Tensor(shapeOnly: $0) })
                return .zeros(shape)
            }
        }
        let last = lastUses(of: entries, upTo: index)
        return { tangents in
            requireTangents(tangents, shapes.map { Tensor(shapeOnly: $0) })
            return Autodiff.pushforward(tangents, to: index, through: entries, lastUses: last) ?? .zeros(shape)
        }
    }

    /// The value and the gradient, with values freed as their derivatives are taken.
    static func valueAndGradient(
        _ f: TensorFunction<Scalar>, at x: [Tensor<Scalar>], deferring level: Int? = nil
    ) -> (value: Tensor<Scalar>, gradient: [Tensor<Scalar>]) {
        let (tape, result, index) = record(f, at: x)
        let value = result.outside(tape.level)
        require(value.count == 1, "gradient of a function with a value of shape \(value.shape); expected one element")
        guard let index else { return (value, x.map { .zeros($0.shape) }) }
        let gradient = Autodiff.pullback(.ones(value.shape), from: index, through: tape.take(), inputCount: x.count, deferring: level)
        return (value, zip(gradient, x).map { $0 ?? .zeros($1.shape) })
    }
}
