import CKernels

/// The numbers of a step of gradient descent, for ``KernelScalar/sgdStep(_:gradient:parameters:)`` and
/// ``KernelScalar/momentumStep(_:gradient:momentum:parameters:)``.
public struct SGDCoefficients<Scalar: KernelScalar>: Sendable, Hashable {
    public var step: Scalar
    public var l2: Scalar = 0
    public var momentum: Scalar = 0
    /// The weight of the new gradient in the momentum: 1 − dampening.
    public var gain: Scalar = 1
    public var isNesterov = false

    public init(step: Scalar) { self.step = step }
}

/// The numbers of a step with exponential moments, for the steps of ``KernelScalar`` that take them.
public struct MomentCoefficients<Scalar: KernelScalar>: Sendable, Hashable {
    public var step: Scalar
    public var l2: Scalar = 0
    public var decay: Scalar = 0
    /// The weights of the old first moment and of the new term, b and 1 − b.
    public var b1: Scalar, a1: Scalar
    /// The same of the second moment, or of the momentum in ``KernelScalar/lionStep(_:gradient:first:parameters:)``.
    public var b2: Scalar, a2: Scalar
    /// b₁ᵗ and b₂ᵗ.
    public var p1: Scalar, p2: Scalar
    /// 1 / (1 − b₁ᵗ) and 1 / (1 − b₂ᵗ).
    public var c1: Scalar, c2: Scalar
    public var growth: Scalar = 1
    public var power: Scalar = 1
    public var epsilon: Scalar = 0

    /// Moments with rates `b1` and `b2`, after `t1` updates of the first and `t2` of the second.
    ///
    /// Powers and differences are taken in `Double`, where 1 − b keeps its digits, and rounded once; the powers by repeated
    /// squaring, the same on every platform.
    public init(step: Scalar, b1: Double, b2: Double, t1: Int, t2: Int) {
        self.step = step
        (self.b1, a1, self.b2, a2) = (Scalar(b1), Scalar(1 - b1), Scalar(b2), Scalar(1 - b2))
        let first = power(b1, t1), second = power(b2, t2)
        (p1, p2, c1, c2) = (Scalar(first), Scalar(second), Scalar(1 / (1 - first)), Scalar(1 / (1 - second)))
        func power(_ base: Double, _ exponent: Int) -> Double {
            var result = 1.0, square = base, rest = exponent
            while rest > 0 {
                if rest & 1 == 1 { result *= square }
                square *= square
                rest >>= 1
            }
            return result
        }
    }
}

/// Elements of a block, and the least count that is cut into blocks: below it a second thread starts too late to help.
private let blockLength = 1 << 15, leastParallelCount = 1 << 17

private func inBlocks(_ count: Int, _ body: @Sendable (_ start: Int, _ count: Int) -> Void) {
    guard count >= leastParallelCount else { return body(0, count) }
    concurrentPerform(iterations: (count + blockLength - 1) / blockLength) { block in
        body(block * blockLength, min(blockLength, count - block * blockLength))
    }
}

// Pointers to the parts of each block. Blocks are disjoint, so no two calls touch the same element.

private func inBlocks<T>(
    _ g: Span<T>, _ x: inout MutableSpan<T>, _ body: @Sendable (Int, UnsafePointer<T>, UnsafeMutablePointer<T>) -> Void
) {
    let count = x.count
    guard count > 0 else { return }
    unsafe g.withUnsafeBufferPointer { g in
        unsafe x.withUnsafeMutableBufferPointer { x in
            nonisolated(unsafe) let g = g.baseAddress!, x = x.baseAddress!
            inBlocks(count) { start, n in unsafe body(n, g + start, x + start) }
        }
    }
}

private func inBlocks<T>(
    _ g: Span<T>, _ m: inout MutableSpan<T>, _ x: inout MutableSpan<T>,
    _ body: @Sendable (Int, UnsafePointer<T>, UnsafeMutablePointer<T>, UnsafeMutablePointer<T>) -> Void
) {
    let count = x.count
    guard count > 0 else { return }
    unsafe g.withUnsafeBufferPointer { g in
        unsafe m.withUnsafeMutableBufferPointer { m in
            unsafe x.withUnsafeMutableBufferPointer { x in
                nonisolated(unsafe) let g = g.baseAddress!, m = m.baseAddress!, x = x.baseAddress!
                inBlocks(count) { start, n in unsafe body(n, g + start, m + start, x + start) }
            }
        }
    }
}

private func inBlocks<T>(
    _ g: Span<T>, _ m: inout MutableSpan<T>, _ v: inout MutableSpan<T>, _ x: inout MutableSpan<T>,
    _ body: @Sendable (
        _ start: Int, _ count: Int, UnsafePointer<T>, UnsafeMutablePointer<T>, UnsafeMutablePointer<T>, UnsafeMutablePointer<T>
    ) -> Void
) {
    let count = x.count
    guard count > 0 else { return }
    unsafe g.withUnsafeBufferPointer { g in
        unsafe m.withUnsafeMutableBufferPointer { m in
            unsafe v.withUnsafeMutableBufferPointer { v in
                unsafe x.withUnsafeMutableBufferPointer { x in
                    nonisolated(unsafe) let g = g.baseAddress!, m = m.baseAddress!
                    nonisolated(unsafe) let v = v.baseAddress!, x = x.baseAddress!
                    inBlocks(count) { start, n in unsafe body(start, n, g + start, m + start, v + start, x + start) }
                }
            }
        }
    }
}

/// Requires that arrays have as many elements as the parameters.
private func requireCounts(_ parameters: Int, _ counts: Int..., operation: StaticString = #function) {
    for count in counts {
        require(count == parameters, "\(operation): an array of \(count) elements beside \(parameters) parameters; expected equal counts")
    }
}

extension Float {
    public static func sgdStep(_ c: SGDCoefficients<Float>, gradient g: Span<Float>, parameters x: inout MutableSpan<Float>) {
        requireCounts(x.count, g.count)
        unsafe inBlocks(g, &x) { n, g, x in unsafe dsc_optimizer_sgd_f32(n, c.step, c.l2, g, x) }
    }

    public static func momentumStep(
        _ c: SGDCoefficients<Float>, gradient g: Span<Float>, momentum m: inout MutableSpan<Float>,
        parameters x: inout MutableSpan<Float>
    ) {
        requireCounts(x.count, g.count, m.count)
        unsafe inBlocks(g, &m, &x) { n, g, m, x in
            unsafe dsc_optimizer_momentum_f32(n, c.step, c.l2, c.momentum, c.gain, c.isNesterov ? 1 : 0, g, m, x)
        }
    }

    public static func adamStep(
        _ c: MomentCoefficients<Float>, gradient g: Span<Float>, first m: inout MutableSpan<Float>,
        second v: inout MutableSpan<Float>, parameters x: inout MutableSpan<Float>
    ) {
        requireCounts(x.count, g.count, m.count, v.count)
        unsafe inBlocks(g, &m, &v, &x) { _, n, g, m, v, x in
            unsafe dsc_optimizer_adam_f32(
                n, c.step, c.l2, c.decay, c.b1, c.a1, c.b2, c.a2, c.c1, c.c2, c.epsilon, g, m, v, x)
        }
    }

    public static func rmsPropStep(
        _ c: MomentCoefficients<Float>, gradient g: Span<Float>, second v: inout MutableSpan<Float>,
        parameters x: inout MutableSpan<Float>
    ) {
        requireCounts(x.count, g.count, v.count)
        unsafe inBlocks(g, &v, &x) { n, g, v, x in
            unsafe dsc_optimizer_rmsprop_f32(n, c.step, c.l2, c.b2, c.a2, c.epsilon, g, v, x)
        }
    }

    public static func lionStep(
        _ c: MomentCoefficients<Float>, gradient g: Span<Float>, first m: inout MutableSpan<Float>,
        parameters x: inout MutableSpan<Float>
    ) {
        requireCounts(x.count, g.count, m.count)
        unsafe inBlocks(g, &m, &x) { n, g, m, x in
            unsafe dsc_optimizer_lion_f32(n, c.step, c.decay, c.b1, c.a1, c.b2, c.a2, g, m, x)
        }
    }

    public static func exAdamStep(
        _ c: MomentCoefficients<Float>, gradient g: Span<Float>, first m: inout MutableSpan<Float>,
        second v: inout MutableSpan<Float>, parameters x: inout MutableSpan<Float>
    ) {
        requireCounts(x.count, g.count, m.count, v.count)
        unsafe inBlocks(g, &m, &v, &x) { _, n, g, m, v, x in
            unsafe dsc_optimizer_exadam_f32(
                n, c.step, c.decay, c.b1, c.a1, c.b2, c.a2, c.p1, c.p2, c.c1, c.c2, c.growth, c.epsilon, g, m, v, x)
        }
    }

    public static func adaHessianStep(
        _ c: MomentCoefficients<Float>, gradient g: Span<Float>, hessianDiagonal d: Span<Float>, first m: inout MutableSpan<Float>,
        second v: inout MutableSpan<Float>, parameters x: inout MutableSpan<Float>
    ) {
        requireCounts(x.count, g.count, m.count, v.count)
        if d.count > 0 { requireCounts(x.count, d.count) }
        unsafe d.withUnsafeBufferPointer { d in
            nonisolated(unsafe) let d = unsafe d
            unsafe inBlocks(g, &m, &v, &x) { start, n, g, m, v, x in
                let part = unsafe d.isEmpty ? d : UnsafeBufferPointer(rebasing: d[start..<start + n])
                unsafe dsc_optimizer_adahessian_f32(
                    n, c.step, c.decay, c.b1, c.a1, c.b2, c.a2, c.c1, c.c2, c.power, c.epsilon, g, part.count, part.baseAddress,
                    m, v, x)
            }
        }
    }
}

extension Double {
    public static func sgdStep(_ c: SGDCoefficients<Double>, gradient g: Span<Double>, parameters x: inout MutableSpan<Double>) {
        requireCounts(x.count, g.count)
        unsafe inBlocks(g, &x) { n, g, x in unsafe dsc_optimizer_sgd_f64(n, c.step, c.l2, g, x) }
    }

    public static func momentumStep(
        _ c: SGDCoefficients<Double>, gradient g: Span<Double>, momentum m: inout MutableSpan<Double>,
        parameters x: inout MutableSpan<Double>
    ) {
        requireCounts(x.count, g.count, m.count)
        unsafe inBlocks(g, &m, &x) { n, g, m, x in
            unsafe dsc_optimizer_momentum_f64(n, c.step, c.l2, c.momentum, c.gain, c.isNesterov ? 1 : 0, g, m, x)
        }
    }

    public static func adamStep(
        _ c: MomentCoefficients<Double>, gradient g: Span<Double>, first m: inout MutableSpan<Double>,
        second v: inout MutableSpan<Double>, parameters x: inout MutableSpan<Double>
    ) {
        requireCounts(x.count, g.count, m.count, v.count)
        unsafe inBlocks(g, &m, &v, &x) { _, n, g, m, v, x in
            unsafe dsc_optimizer_adam_f64(
                n, c.step, c.l2, c.decay, c.b1, c.a1, c.b2, c.a2, c.c1, c.c2, c.epsilon, g, m, v, x)
        }
    }

    public static func rmsPropStep(
        _ c: MomentCoefficients<Double>, gradient g: Span<Double>, second v: inout MutableSpan<Double>,
        parameters x: inout MutableSpan<Double>
    ) {
        requireCounts(x.count, g.count, v.count)
        unsafe inBlocks(g, &v, &x) { n, g, v, x in
            unsafe dsc_optimizer_rmsprop_f64(n, c.step, c.l2, c.b2, c.a2, c.epsilon, g, v, x)
        }
    }

    public static func lionStep(
        _ c: MomentCoefficients<Double>, gradient g: Span<Double>, first m: inout MutableSpan<Double>,
        parameters x: inout MutableSpan<Double>
    ) {
        requireCounts(x.count, g.count, m.count)
        unsafe inBlocks(g, &m, &x) { n, g, m, x in
            unsafe dsc_optimizer_lion_f64(n, c.step, c.decay, c.b1, c.a1, c.b2, c.a2, g, m, x)
        }
    }

    public static func exAdamStep(
        _ c: MomentCoefficients<Double>, gradient g: Span<Double>, first m: inout MutableSpan<Double>,
        second v: inout MutableSpan<Double>, parameters x: inout MutableSpan<Double>
    ) {
        requireCounts(x.count, g.count, m.count, v.count)
        unsafe inBlocks(g, &m, &v, &x) { _, n, g, m, v, x in
            unsafe dsc_optimizer_exadam_f64(
                n, c.step, c.decay, c.b1, c.a1, c.b2, c.a2, c.p1, c.p2, c.c1, c.c2, c.growth, c.epsilon, g, m, v, x)
        }
    }

    public static func adaHessianStep(
        _ c: MomentCoefficients<Double>, gradient g: Span<Double>, hessianDiagonal d: Span<Double>, first m: inout MutableSpan<Double>,
        second v: inout MutableSpan<Double>, parameters x: inout MutableSpan<Double>
    ) {
        requireCounts(x.count, g.count, m.count, v.count)
        if d.count > 0 { requireCounts(x.count, d.count) }
        unsafe d.withUnsafeBufferPointer { d in
            nonisolated(unsafe) let d = unsafe d
            unsafe inBlocks(g, &m, &v, &x) { start, n, g, m, v, x in
                let part = unsafe d.isEmpty ? d : UnsafeBufferPointer(rebasing: d[start..<start + n])
                unsafe dsc_optimizer_adahessian_f64(
                    n, c.step, c.decay, c.b1, c.a1, c.b2, c.a2, c.c1, c.c2, c.power, c.epsilon, g, part.count, part.baseAddress,
                    m, v, x)
            }
        }
    }
}
