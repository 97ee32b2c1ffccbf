import CKernels

extension Float: KernelScalar {
    public static func dot(_ x: Span<Float>, _ y: Span<Float>) -> Float {
        requireEqualCounts(x.count, y.count)
        return unsafe withPointers(x, y) { unsafe dsc_vector_dot_f32(x.count, $0, $1) }
    }

    public static func sum(_ x: Span<Float>) -> Float {
        unsafe withPointers(x) { unsafe dsc_vector_sum_f32(x.count, $0) }
    }

    public static func nrm2(_ x: Span<Float>) -> Float {
        unsafe withPointers(x) { unsafe dsc_vector_nrm2_f32(x.count, $0) }
    }

    public static func maxAbs(_ x: Span<Float>) -> Float {
        unsafe withPointers(x) { unsafe dsc_vector_max_abs_f32(x.count, $0) }
    }

    public static func axpy(_ a: Float, _ x: Span<Float>, _ y: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_axpy_f32(count, a, x, y) }
    }

    public static func axpby(_ a: Float, _ x: Span<Float>, _ b: Float, _ y: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_axpby_f32(count, a, x, b, y) }
    }

    public static func scale(_ a: Float, _ x: inout MutableSpan<Float>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_scale_f32(count, a, $0) }
    }

    public static func linearCombination(
        _ a: Float, _ x: Span<Float>, _ b: Float, _ y: Span<Float>, _ c: Float, _ z: Span<Float>,
        into w: inout MutableSpan<Float>
    ) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        requireEqualCounts(x.count, w.count)
        unsafe withPointers(x, y, z) { x, y, z in
            unsafe withPointers(&w) { [count = w.count] in
                unsafe dsc_vector_linear_combination_f32(count, a, x, b, y, c, z, $0)
            }
        }
    }

    public static func exp(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_exp_f32(count, x, y) }
    }

    public static func exp(_ x: inout MutableSpan<Float>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_exp_f32(count, $0, $0) }
    }

    public static func log(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_log_f32(count, x, y) }
    }

    public static func log(_ x: inout MutableSpan<Float>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_log_f32(count, $0, $0) }
    }

    public static func tanh(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_tanh_f32(count, x, y) }
    }

    public static func tanh(_ x: inout MutableSpan<Float>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_tanh_f32(count, $0, $0) }
    }

    public static func logistic(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_logistic_f32(count, x, y) }
    }

    public static func logistic(_ x: inout MutableSpan<Float>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_logistic_f32(count, $0, $0) }
    }

    public static func erf(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_erf_f32(count, x, y) }
    }

    public static func erf(_ x: inout MutableSpan<Float>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_erf_f32(count, $0, $0) }
    }

    public static func sqrt(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_sqrt_f32(count, x, y) }
    }

    public static func sqrt(_ x: inout MutableSpan<Float>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_sqrt_f32(count, $0, $0) }
    }

    public static func reciprocal(_ x: Span<Float>, into y: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_reciprocal_f32(count, x, y) }
    }

    public static func reciprocal(_ x: inout MutableSpan<Float>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_reciprocal_f32(count, $0, $0) }
    }

    public static func softmax(
        rows: Int, columns: Int, of x: Span<Float>, stride xStride: Int, into y: inout MutableSpan<Float>, stride yStride: Int
    ) {
        requireRows("x", rows, columns, xStride, x.count)
        requireRows("y", rows, columns, yStride, y.count)
        unsafe withPointers(x, &y) { x, xCount, y, yCount in
            unsafe dsc_vector_softmax_f32(rows, columns, xCount, x, xStride, yCount, y, yStride)
        }
    }

    public static func softmax(rows: Int, columns: Int, of x: inout MutableSpan<Float>, stride: Int) {
        requireRows("x", rows, columns, stride, x.count)
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_softmax_f32(rows, columns, count, $0, stride, count, $0, stride) }
    }

    public static func logSumExp(rows: Int, columns: Int, of x: Span<Float>, stride: Int, into z: inout MutableSpan<Float>) {
        requireRows("x", rows, columns, stride, x.count)
        require(z.count == rows, "z has \(z.count) elements; expected \(rows), one for each row")
        unsafe withPointers(x, &z) { x, count, z, _ in unsafe dsc_vector_log_sum_exp_f32(rows, columns, count, x, stride, z) }
    }
}
