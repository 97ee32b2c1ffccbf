import Kernels

// Elementwise arithmetic of two operands that broadcast by NumPy's rule.

extension Tensor {
    /// a + b, elementwise; operands broadcast.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func + (a: Tensor, b: Tensor) -> Tensor {
        arePlainOfOneShape(a, b) ? Sum().elementwise(a.extents, a.span, b.span) : apply(Sum(), to: [a, b])
    }

    /// a − b, elementwise; operands broadcast.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func - (a: Tensor, b: Tensor) -> Tensor {
        arePlainOfOneShape(a, b) ? Difference().elementwise(a.extents, a.span, b.span) : apply(Difference(), to: [a, b])
    }

    /// a ∘ b, elementwise; operands broadcast. Matrix products are ``matmul(_:_:transposeA:transposeB:)``.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func * (a: Tensor, b: Tensor) -> Tensor {
        arePlainOfOneShape(a, b) ? Product().elementwise(a.extents, a.span, b.span) : apply(Product(), to: [a, b])
    }

    /// a / b, elementwise; operands broadcast.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func / (a: Tensor, b: Tensor) -> Tensor {
        arePlainOfOneShape(a, b) ? Quotient().elementwise(a.extents, a.span, b.span) : apply(Quotient(), to: [a, b])
    }

    /// x + c.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func + (x: Tensor, c: Scalar) -> Tensor { apply(Affine(scale: 1, shift: c), to: [x]) }

    /// c + x.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func + (c: Scalar, x: Tensor) -> Tensor { apply(Affine(scale: 1, shift: c), to: [x]) }

    /// x − c.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func - (x: Tensor, c: Scalar) -> Tensor { apply(Affine(scale: 1, shift: -c), to: [x]) }

    /// c − x.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func - (c: Scalar, x: Tensor) -> Tensor { apply(Affine(scale: -1, shift: c), to: [x]) }

    /// c x.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func * (c: Scalar, x: Tensor) -> Tensor { apply(Affine(scale: c, shift: 0), to: [x]) }

    /// c x.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func * (x: Tensor, c: Scalar) -> Tensor { apply(Affine(scale: c, shift: 0), to: [x]) }

    /// x / c.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func / (x: Tensor, c: Scalar) -> Tensor { apply(ScalarQuotient(divisor: c), to: [x]) }

    /// c / x.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func / (c: Scalar, x: Tensor) -> Tensor { Tensor(c) / x }

    /// −x.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static prefix func - (x: Tensor) -> Tensor { apply(Affine(scale: -1, shift: 0), to: [x]) }
}

/// max(a, b), elementwise; operands broadcast. NaN in either gives NaN. Where both are equal each takes half of the derivative.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func maximum<Scalar: KernelScalar>(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Tensor<Scalar> {
    apply(Extremum(sign: 1), to: [a, b])
}

/// min(a, b), elementwise; operands broadcast. NaN in either gives NaN. Where both are equal each takes half of the derivative.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func minimum<Scalar: KernelScalar>(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Tensor<Scalar> {
    apply(Extremum(sign: -1), to: [a, b])
}

/// a∘b + c∘d in one pass, for operands of one shape.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func sumOfProducts<Scalar: KernelScalar>(
    _ a: Tensor<Scalar>, _ b: Tensor<Scalar>, _ c: Tensor<Scalar>, _ d: Tensor<Scalar>
) -> Tensor<Scalar> {
    if a.extents == b.extents, a.extents == c.extents, a.extents == d.extents { return apply(SumOfProducts(), to: [a, b, c, d]) }
    return a * b + c * d
}

/// Whether the operands go straight to the kernel, without an array to hold them.
@inline(__always)
private func arePlainOfOneShape<Scalar: KernelScalar>(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Bool {
    a.isPlain && b.isPlain && a.extents == b.extents
}

struct Sum<Scalar: KernelScalar>: DifferentiableOperation {
    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func elementwise(_ extents: Extents, _ a: Span<Scalar>, _ b: Span<Scalar>) -> Tensor<Scalar> {
        Tensor(extents, uninitializedArray(count: a.count) { Scalar.add(a, b, into: &$0) })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let inputs = x.span
        if inputs[0].extents == inputs[1].extents { return elementwise(inputs[0].extents, inputs[0].span, inputs[1].span) }
        return broadcast(x[0], x[1], "+", BinaryKernel(
            both: { a, b, y in Scalar.add(a, b, into: &y) }, left: { a, b, y in Scalar.affine(1, b, a, into: &y) },
            right: { a, b, y in Scalar.affine(1, a, b, into: &y) },
            row: { rows, columns, a, b, y in Scalar.addRow(rows: rows, columns: columns, a, b, into: &y) }))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        guard let a = dx[0] else { return dx[1]!.broadcast(to: y.shape) }
        guard let b = dx[1] else { return a.broadcast(to: y.shape) }
        return a + b
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [wanted.contains(0) ? g.sum(to: x[0].extents) : nil, wanted.contains(1) ? g.sum(to: x[1].extents) : nil]
    }
}

struct Difference<Scalar: KernelScalar>: DifferentiableOperation {
    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func elementwise(_ extents: Extents, _ a: Span<Scalar>, _ b: Span<Scalar>) -> Tensor<Scalar> {
        Tensor(extents, uninitializedArray(count: a.count) { Scalar.subtract(a, b, into: &$0) })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let inputs = x.span
        if inputs[0].extents == inputs[1].extents { return elementwise(inputs[0].extents, inputs[0].span, inputs[1].span) }
        return broadcast(x[0], x[1], "-", BinaryKernel(
            both: { a, b, y in Scalar.subtract(a, b, into: &y) }, left: { a, b, y in Scalar.affine(-1, b, a, into: &y) },
            right: { a, b, y in Scalar.affine(1, a, -b, into: &y) }))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        guard let a = dx[0] else { return (-dx[1]!).broadcast(to: y.shape) }
        guard let b = dx[1] else { return a.broadcast(to: y.shape) }
        return a - b
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [wanted.contains(0) ? g.sum(to: x[0].extents) : nil, wanted.contains(1) ? -g.sum(to: x[1].extents) : nil]
    }
}

struct Product<Scalar: KernelScalar>: DifferentiableOperation {
    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func elementwise(_ extents: Extents, _ a: Span<Scalar>, _ b: Span<Scalar>) -> Tensor<Scalar> {
        Tensor(extents, uninitializedArray(count: a.count) { Scalar.multiply(a, b, into: &$0) })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let inputs = x.span
        if inputs[0].extents == inputs[1].extents { return elementwise(inputs[0].extents, inputs[0].span, inputs[1].span) }
        return broadcast(x[0], x[1], "*", BinaryKernel(
            both: { a, b, y in Scalar.multiply(a, b, into: &y) }, left: { a, b, y in Scalar.affine(a, b, 0, into: &y) },
            right: { a, b, y in Scalar.affine(b, a, 0, into: &y) },
            row: { rows, columns, a, b, y in Scalar.multiplyRow(rows: rows, columns: columns, a, b, into: &y) }))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        guard let a = dx[0] else { return x[0] * dx[1]! }
        guard let b = dx[1] else { return a * x[1] }
        return sumOfProducts(a, x[1], x[0], b)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [wanted.contains(0) ? (g * x[1]).sum(to: x[0].extents) : nil, wanted.contains(1) ? (g * x[0]).sum(to: x[1].extents) : nil]
    }
}

struct Quotient<Scalar: KernelScalar>: DifferentiableOperation {
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func elementwise(_ extents: Extents, _ a: Span<Scalar>, _ b: Span<Scalar>) -> Tensor<Scalar> {
        Tensor(extents, uninitializedArray(count: a.count) { Scalar.divide(a, b, into: &$0) })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let inputs = x.span
        if inputs[0].extents == inputs[1].extents { return elementwise(inputs[0].extents, inputs[0].span, inputs[1].span) }
        return broadcast(x[0], x[1], "/", BinaryKernel(
            both: { a, b, y in Scalar.divide(a, b, into: &y) },
            left: { a, b, y in divide(a, b, into: &y) },
            right: { a, b, y in divide(a, b, into: &y) }))
    }

    // ẏ = (ȧ − y ḃ) / b
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        guard let b = dx[1] else { return dx[0]! / x[1] }
        guard let a = dx[0] else { return -(y * b) / x[1] }
        return (a - y * b) / x[1]
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let a = g / x[1]
        return [wanted.contains(0) ? a.sum(to: x[0].extents) : nil, wanted.contains(1) ? -(a * y).sum(to: x[1].extents) : nil]
    }
}

/// scale · x + shift.
struct Affine<Scalar: KernelScalar>: DifferentiableOperation {
    let scale: Scalar, shift: Scalar

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        return Tensor(a.extents, uninitializedArray(count: a.count) { Scalar.affine(scale, a.span, shift, into: &$0) })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { scaled(dx[0]!) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [scaled(g)]
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func scaled(_ x: Tensor<Scalar>) -> Tensor<Scalar> { scale == 1 ? x : apply(Affine(scale: scale, shift: 0), to: [x]) }
}

/// x / divisor, rounded once.
struct ScalarQuotient<Scalar: KernelScalar>: DifferentiableOperation {
    let divisor: Scalar

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        return Tensor(a.extents, uninitializedArray(count: a.count) { divide(a.span, divisor, into: &$0) })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { dx[0]! / divisor }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [g / divisor]
    }
}

/// The greater (sign 1) or the smaller (sign −1) of two.
struct Extremum<Scalar: KernelScalar>: DifferentiableOperation {
    let sign: Scalar

    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let sign = sign
        return broadcast(x[0], x[1], sign > 0 ? "maximum" : "minimum", BinaryKernel(
            both: { a, b, y in if sign > 0 { Scalar.maximum(a, b, into: &y) } else { Scalar.minimum(a, b, into: &y) } },
            left: { a, b, y in extremum(sign, b, a, into: &y) },
            right: { a, b, y in extremum(sign, a, b, into: &y) }))
    }

    /// 1 where the first operand is the extremum, ½ where both are, 0 elsewhere.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func share(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let sign = sign
        return broadcast(x[0].constant, x[1].constant, "maximum", BinaryKernel(
            both: { a, b, y in weights(sign, a, b, into: &y) },
            left: { a, b, y in weights(sign, filled(b.count, a).span, b, into: &y) },
            right: { a, b, y in weights(sign, a, filled(a.count, b).span, into: &y) }))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        let first = share(x)
        guard let a = dx[0] else { return (1 - first) * dx[1]! }
        guard let b = dx[1] else { return first * a }
        return first * a + (1 - first) * b
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let first = share(x)
        return [wanted.contains(0) ? (first * g).sum(to: x[0].extents) : nil,
                wanted.contains(1) ? ((1 - first) * g).sum(to: x[1].extents) : nil]
    }
}

/// a∘b + c∘d, operands of one shape.
struct SumOfProducts<Scalar: KernelScalar>: DifferentiableOperation {
    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0], b = x[1], c = x[2], d = x[3]
        return Tensor(a.extents, uninitializedArray(count: a.count) {
            Scalar.sumOfProducts(a.span, b.span, c.span, d.span, into: &$0)
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        var terms: [(Tensor<Scalar>, Tensor<Scalar>)] = []
        for i in 0..<4 { if let tangent = dx[i] { terms.append((tangent, x[i ^ 1])) } }
        var total: Tensor<Scalar>?
        while let (a, b) = terms.popLast() {
            let part: Tensor<Scalar>
            if let (c, d) = terms.popLast() { part = sumOfProducts(a, b, c, d) } else { part = a * b }
            total = total.map { $0 + part } ?? part
        }
        return total
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        (0..<4).map { wanted.contains($0) ? g * x[$0 ^ 1] : nil }
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func divide<Scalar: KernelScalar>(_ x: Span<Scalar>, _ divisor: Scalar, into y: inout MutableSpan<Scalar>) {
    for i in x.indices { y[i] = x[i] / divisor }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func divide<Scalar: KernelScalar>(_ dividend: Scalar, _ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
    for i in x.indices { y[i] = dividend / x[i] }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func extremum<Scalar: KernelScalar>(_ sign: Scalar, _ x: Span<Scalar>, _ c: Scalar, into y: inout MutableSpan<Scalar>) {
    for i in x.indices { y[i] = x[i].isNaN || sign * x[i] > sign * c ? x[i] : c }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func weights<Scalar: KernelScalar>(_ sign: Scalar, _ a: Span<Scalar>, _ b: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
    for i in a.indices { y[i] = a[i] == b[i] ? 0.5 : sign * a[i] > sign * b[i] ? 1 : 0 }
}
