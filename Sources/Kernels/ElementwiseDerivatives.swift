import CKernels

// Witnesses of KernelScalar: one call of C each.

extension Float {
    private typealias Operand = UnsafePointer<Float>?
    private typealias Result = UnsafeMutablePointer<Float>?

    public static func apply(_ function: ElementwiseFunction, _ x: Span<Float>, into y: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe kernel(function)(count, x, y) }
    }

    public static func apply(_ function: ElementwiseFunction, _ x: inout MutableSpan<Float>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe kernel(function)(count, $0, $0) }
    }

    public static func pullback(
        _ function: ElementwiseFunction, _ g: Span<Float>, saved: Span<Float>, into out: inout MutableSpan<Float>
    ) {
        requireEqualCounts(g.count, saved.count)
        requireEqualCounts(g.count, out.count)
        unsafe withPointers(g, saved, &out) { unsafe pullbackKernel(function)($0, $1, $2, $3) }
    }

    public static func pullback(_ function: ElementwiseFunction, _ g: inout MutableSpan<Float>, saved: Span<Float>) {
        requireEqualCounts(g.count, saved.count)
        unsafe withPointers(saved, &g) { saved, count, g, _ in unsafe pullbackKernel(function)(count, g, saved, g) }
    }

    public static func pullbackTangent(
        _ function: ElementwiseFunction, _ g: Span<Float>, saved: Span<Float>, _ dg: Span<Float>, savedTangent: Span<Float>,
        into out: inout MutableSpan<Float>
    ) {
        requireEqualCounts(g.count, saved.count)
        requireEqualCounts(g.count, dg.count)
        requireEqualCounts(g.count, savedTangent.count)
        requireEqualCounts(g.count, out.count)
        unsafe withPointers(g, saved) { g, saved in
            unsafe withPointers(dg, savedTangent, &out) { count, dg, savedTangent, out in
                unsafe pullbackTangentKernel(function)(count, g, saved, dg, savedTangent, out)
            }
        }
    }

    private static func kernel(_ function: ElementwiseFunction) -> @convention(c) (Int, Operand, Result) -> Void {
        switch function {
        case .exp: unsafe dsc_vector_exp_f32
        case .log: unsafe dsc_vector_log_f32
        case .tanh: unsafe dsc_vector_tanh_f32
        case .logistic: unsafe dsc_vector_logistic_f32
        case .erf: unsafe dsc_vector_erf_f32
        case .sqrt: unsafe dsc_vector_sqrt_f32
        case .reciprocal: unsafe dsc_vector_reciprocal_f32
        case .sin: unsafe dsc_vector_sin_f32
        case .cos: unsafe dsc_vector_cos_f32
        case .relu: unsafe dsc_vector_relu_f32
        case .gelu: unsafe dsc_vector_gelu_f32
        case .silu: unsafe dsc_vector_silu_f32
        case .softplus: unsafe dsc_vector_softplus_f32
        case .abs: unsafe dsc_vector_abs_f32
        case .square: unsafe dsc_vector_square_f32
        }
    }

    private static func pullbackKernel(_ function: ElementwiseFunction) -> @convention(c) (Int, Operand, Operand, Result) -> Void {
        switch function {
        case .exp: unsafe dsc_tensor_exp_pullback_f32
        case .log: unsafe dsc_tensor_log_pullback_f32
        case .tanh: unsafe dsc_tensor_tanh_pullback_f32
        case .logistic: unsafe dsc_tensor_logistic_pullback_f32
        case .erf: unsafe dsc_tensor_erf_pullback_f32
        case .sqrt: unsafe dsc_tensor_sqrt_pullback_f32
        case .reciprocal: unsafe dsc_tensor_reciprocal_pullback_f32
        case .sin: unsafe dsc_tensor_sin_pullback_f32
        case .cos: unsafe dsc_tensor_cos_pullback_f32
        case .relu: unsafe dsc_tensor_relu_pullback_f32
        case .gelu: unsafe dsc_tensor_gelu_pullback_f32
        case .silu: unsafe dsc_tensor_silu_pullback_f32
        case .softplus: unsafe dsc_tensor_softplus_pullback_f32
        case .abs: unsafe dsc_tensor_abs_pullback_f32
        case .square: unsafe dsc_tensor_square_pullback_f32
        }
    }

    private static func pullbackTangentKernel(
        _ function: ElementwiseFunction
    ) -> @convention(c) (Int, Operand, Operand, Operand, Operand, Result) -> Void {
        switch function {
        case .exp: unsafe dsc_tensor_exp_pullback_tangent_f32
        case .log: unsafe dsc_tensor_log_pullback_tangent_f32
        case .tanh: unsafe dsc_tensor_tanh_pullback_tangent_f32
        case .logistic: unsafe dsc_tensor_logistic_pullback_tangent_f32
        case .erf: unsafe dsc_tensor_erf_pullback_tangent_f32
        case .sqrt: unsafe dsc_tensor_sqrt_pullback_tangent_f32
        case .reciprocal: unsafe dsc_tensor_reciprocal_pullback_tangent_f32
        case .sin: unsafe dsc_tensor_sin_pullback_tangent_f32
        case .cos: unsafe dsc_tensor_cos_pullback_tangent_f32
        case .relu: unsafe dsc_tensor_relu_pullback_tangent_f32
        case .gelu: unsafe dsc_tensor_gelu_pullback_tangent_f32
        case .silu: unsafe dsc_tensor_silu_pullback_tangent_f32
        case .softplus: unsafe dsc_tensor_softplus_pullback_tangent_f32
        case .abs: unsafe dsc_tensor_abs_pullback_tangent_f32
        case .square: unsafe dsc_tensor_square_pullback_tangent_f32
        }
    }
}

extension Double {
    private typealias Operand = UnsafePointer<Double>?
    private typealias Result = UnsafeMutablePointer<Double>?

    public static func apply(_ function: ElementwiseFunction, _ x: Span<Double>, into y: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe kernel(function)(count, x, y) }
    }

    public static func apply(_ function: ElementwiseFunction, _ x: inout MutableSpan<Double>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe kernel(function)(count, $0, $0) }
    }

    public static func pullback(
        _ function: ElementwiseFunction, _ g: Span<Double>, saved: Span<Double>, into out: inout MutableSpan<Double>
    ) {
        requireEqualCounts(g.count, saved.count)
        requireEqualCounts(g.count, out.count)
        unsafe withPointers(g, saved, &out) { unsafe pullbackKernel(function)($0, $1, $2, $3) }
    }

    public static func pullback(_ function: ElementwiseFunction, _ g: inout MutableSpan<Double>, saved: Span<Double>) {
        requireEqualCounts(g.count, saved.count)
        unsafe withPointers(saved, &g) { saved, count, g, _ in unsafe pullbackKernel(function)(count, g, saved, g) }
    }

    public static func pullbackTangent(
        _ function: ElementwiseFunction, _ g: Span<Double>, saved: Span<Double>, _ dg: Span<Double>, savedTangent: Span<Double>,
        into out: inout MutableSpan<Double>
    ) {
        requireEqualCounts(g.count, saved.count)
        requireEqualCounts(g.count, dg.count)
        requireEqualCounts(g.count, savedTangent.count)
        requireEqualCounts(g.count, out.count)
        unsafe withPointers(g, saved) { g, saved in
            unsafe withPointers(dg, savedTangent, &out) { count, dg, savedTangent, out in
                unsafe pullbackTangentKernel(function)(count, g, saved, dg, savedTangent, out)
            }
        }
    }

    private static func kernel(_ function: ElementwiseFunction) -> @convention(c) (Int, Operand, Result) -> Void {
        switch function {
        case .exp: unsafe dsc_vector_exp_f64
        case .log: unsafe dsc_vector_log_f64
        case .tanh: unsafe dsc_vector_tanh_f64
        case .logistic: unsafe dsc_vector_logistic_f64
        case .erf: unsafe dsc_vector_erf_f64
        case .sqrt: unsafe dsc_vector_sqrt_f64
        case .reciprocal: unsafe dsc_vector_reciprocal_f64
        case .sin: unsafe dsc_vector_sin_f64
        case .cos: unsafe dsc_vector_cos_f64
        case .relu: unsafe dsc_vector_relu_f64
        case .gelu: unsafe dsc_vector_gelu_f64
        case .silu: unsafe dsc_vector_silu_f64
        case .softplus: unsafe dsc_vector_softplus_f64
        case .abs: unsafe dsc_vector_abs_f64
        case .square: unsafe dsc_vector_square_f64
        }
    }

    private static func pullbackKernel(_ function: ElementwiseFunction) -> @convention(c) (Int, Operand, Operand, Result) -> Void {
        switch function {
        case .exp: unsafe dsc_tensor_exp_pullback_f64
        case .log: unsafe dsc_tensor_log_pullback_f64
        case .tanh: unsafe dsc_tensor_tanh_pullback_f64
        case .logistic: unsafe dsc_tensor_logistic_pullback_f64
        case .erf: unsafe dsc_tensor_erf_pullback_f64
        case .sqrt: unsafe dsc_tensor_sqrt_pullback_f64
        case .reciprocal: unsafe dsc_tensor_reciprocal_pullback_f64
        case .sin: unsafe dsc_tensor_sin_pullback_f64
        case .cos: unsafe dsc_tensor_cos_pullback_f64
        case .relu: unsafe dsc_tensor_relu_pullback_f64
        case .gelu: unsafe dsc_tensor_gelu_pullback_f64
        case .silu: unsafe dsc_tensor_silu_pullback_f64
        case .softplus: unsafe dsc_tensor_softplus_pullback_f64
        case .abs: unsafe dsc_tensor_abs_pullback_f64
        case .square: unsafe dsc_tensor_square_pullback_f64
        }
    }

    private static func pullbackTangentKernel(
        _ function: ElementwiseFunction
    ) -> @convention(c) (Int, Operand, Operand, Operand, Operand, Result) -> Void {
        switch function {
        case .exp: unsafe dsc_tensor_exp_pullback_tangent_f64
        case .log: unsafe dsc_tensor_log_pullback_tangent_f64
        case .tanh: unsafe dsc_tensor_tanh_pullback_tangent_f64
        case .logistic: unsafe dsc_tensor_logistic_pullback_tangent_f64
        case .erf: unsafe dsc_tensor_erf_pullback_tangent_f64
        case .sqrt: unsafe dsc_tensor_sqrt_pullback_tangent_f64
        case .reciprocal: unsafe dsc_tensor_reciprocal_pullback_tangent_f64
        case .sin: unsafe dsc_tensor_sin_pullback_tangent_f64
        case .cos: unsafe dsc_tensor_cos_pullback_tangent_f64
        case .relu: unsafe dsc_tensor_relu_pullback_tangent_f64
        case .gelu: unsafe dsc_tensor_gelu_pullback_tangent_f64
        case .silu: unsafe dsc_tensor_silu_pullback_tangent_f64
        case .softplus: unsafe dsc_tensor_softplus_pullback_tangent_f64
        case .abs: unsafe dsc_tensor_abs_pullback_tangent_f64
        case .square: unsafe dsc_tensor_square_pullback_tangent_f64
        }
    }
}
