import CKernels

extension Double: KernelScalar {
    public static func dot(_ x: Span<Double>, _ y: Span<Double>) -> Double {
        requireEqualCounts(x.count, y.count)
        return unsafe withPointers(x, y) { unsafe dsc_vector_dot_f64(x.count, $0, $1) }
    }

    public static func sum(_ x: Span<Double>) -> Double {
        unsafe withPointers(x) { unsafe dsc_vector_sum_f64(x.count, $0) }
    }

    public static func nrm2(_ x: Span<Double>) -> Double {
        unsafe withPointers(x) { unsafe dsc_vector_nrm2_f64(x.count, $0) }
    }

    public static func maxAbs(_ x: Span<Double>) -> Double {
        unsafe withPointers(x) { unsafe dsc_vector_max_abs_f64(x.count, $0) }
    }

    public static func axpy(_ a: Double, _ x: Span<Double>, _ y: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_axpy_f64(count, a, x, y) }
    }

    public static func axpby(_ a: Double, _ x: Span<Double>, _ b: Double, _ y: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_axpby_f64(count, a, x, b, y) }
    }

    public static func scale(_ a: Double, _ x: inout MutableSpan<Double>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_scale_f64(count, a, $0) }
    }

    public static func linearCombination(
        _ a: Double, _ x: Span<Double>, _ b: Double, _ y: Span<Double>, _ c: Double, _ z: Span<Double>,
        into w: inout MutableSpan<Double>
    ) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        requireEqualCounts(x.count, w.count)
        unsafe withPointers(x, y, z) { x, y, z in
            unsafe withPointers(&w) { [count = w.count] in
                unsafe dsc_vector_linear_combination_f64(count, a, x, b, y, c, z, $0)
            }
        }
    }

    public static func exp(_ x: Span<Double>, into y: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_exp_f64(count, x, y) }
    }

    public static func exp(_ x: inout MutableSpan<Double>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_exp_f64(count, $0, $0) }
    }

    public static func log(_ x: Span<Double>, into y: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_log_f64(count, x, y) }
    }

    public static func log(_ x: inout MutableSpan<Double>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_log_f64(count, $0, $0) }
    }

    public static func tanh(_ x: Span<Double>, into y: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_tanh_f64(count, x, y) }
    }

    public static func tanh(_ x: inout MutableSpan<Double>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_tanh_f64(count, $0, $0) }
    }

    public static func logistic(_ x: Span<Double>, into y: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_logistic_f64(count, x, y) }
    }

    public static func logistic(_ x: inout MutableSpan<Double>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_logistic_f64(count, $0, $0) }
    }

    public static func erf(_ x: Span<Double>, into y: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_erf_f64(count, x, y) }
    }

    public static func erf(_ x: inout MutableSpan<Double>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_erf_f64(count, $0, $0) }
    }

    public static func sqrt(_ x: Span<Double>, into y: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_sqrt_f64(count, x, y) }
    }

    public static func sqrt(_ x: inout MutableSpan<Double>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_sqrt_f64(count, $0, $0) }
    }

    public static func reciprocal(_ x: Span<Double>, into y: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_vector_reciprocal_f64(count, x, y) }
    }

    public static func reciprocal(_ x: inout MutableSpan<Double>) {
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_reciprocal_f64(count, $0, $0) }
    }

    public static func softmax(
        rows: Int, columns: Int, of x: Span<Double>, stride xStride: Int, into y: inout MutableSpan<Double>, stride yStride: Int
    ) {
        requireRows("x", rows, columns, xStride, x.count)
        requireRows("y", rows, columns, yStride, y.count)
        unsafe withPointers(x, &y) { x, xCount, y, yCount in
            unsafe dsc_vector_softmax_f64(rows, columns, xCount, x, xStride, yCount, y, yStride)
        }
    }

    public static func softmax(rows: Int, columns: Int, of x: inout MutableSpan<Double>, stride: Int) {
        requireRows("x", rows, columns, stride, x.count)
        let count = x.count
        unsafe withPointers(&x) { unsafe dsc_vector_softmax_f64(rows, columns, count, $0, stride, count, $0, stride) }
    }

    public static func logSumExp(rows: Int, columns: Int, of x: Span<Double>, stride: Int, into z: inout MutableSpan<Double>) {
        requireRows("x", rows, columns, stride, x.count)
        require(z.count == rows, "z has \(z.count) elements; expected \(rows), one for each row")
        unsafe withPointers(x, &z) { x, count, z, _ in unsafe dsc_vector_log_sum_exp_f64(rows, columns, count, x, stride, z) }
    }
}
