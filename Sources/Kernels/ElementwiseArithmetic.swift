import CKernels

// Witnesses of KernelScalar: one call of C each.

extension Float {
    public static func multiply(_ x: Span<Float>, _ y: Span<Float>, into z: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_multiply_f32($0, $1, $2, $3) }
    }

    public static func divide(_ x: Span<Float>, _ y: Span<Float>, into z: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_divide_f32($0, $1, $2, $3) }
    }

    public static func add(_ x: Span<Float>, _ y: Span<Float>, into z: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_add_f32($0, $1, $2, $3) }
    }

    public static func subtract(_ x: Span<Float>, _ y: Span<Float>, into z: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_subtract_f32($0, $1, $2, $3) }
    }

    public static func maximum(_ x: Span<Float>, _ y: Span<Float>, into z: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_maximum_f32($0, $1, $2, $3) }
    }

    public static func minimum(_ x: Span<Float>, _ y: Span<Float>, into z: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_minimum_f32($0, $1, $2, $3) }
    }

    public static func multiplyAdd(
        _ x: Span<Float>, _ y: Span<Float>, _ z: Span<Float>, into w: inout MutableSpan<Float>
    ) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        requireEqualCounts(x.count, w.count)
        unsafe withPointers(x, y, z) { x, y, z in
            unsafe withPointers(&w) { [count = w.count] in unsafe dsc_tensor_multiply_add_f32(count, x, y, z, $0) }
        }
    }

    public static func multiplyAccumulate(_ x: Span<Float>, _ y: Span<Float>, into z: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_multiply_add_f32($0, $1, $2, $3, $3) }
    }

    public static func sumOfProducts(
        _ a: Span<Float>, _ b: Span<Float>, _ c: Span<Float>, _ d: Span<Float>, into w: inout MutableSpan<Float>
    ) {
        requireEqualCounts(a.count, b.count)
        requireEqualCounts(a.count, c.count)
        requireEqualCounts(a.count, d.count)
        requireEqualCounts(a.count, w.count)
        unsafe withPointers(a, b) { a, b in
            unsafe withPointers(c, d, &w) { count, c, d, w in unsafe dsc_tensor_sum_of_products_f32(count, a, b, c, d, w) }
        }
    }

    public static func affine(_ a: Float, _ x: Span<Float>, _ b: Float, into y: inout MutableSpan<Float>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_tensor_affine_f32(count, a, x, b, y) }
    }
}

extension Double {
    public static func multiply(_ x: Span<Double>, _ y: Span<Double>, into z: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_multiply_f64($0, $1, $2, $3) }
    }

    public static func divide(_ x: Span<Double>, _ y: Span<Double>, into z: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_divide_f64($0, $1, $2, $3) }
    }

    public static func add(_ x: Span<Double>, _ y: Span<Double>, into z: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_add_f64($0, $1, $2, $3) }
    }

    public static func subtract(_ x: Span<Double>, _ y: Span<Double>, into z: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_subtract_f64($0, $1, $2, $3) }
    }

    public static func maximum(_ x: Span<Double>, _ y: Span<Double>, into z: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_maximum_f64($0, $1, $2, $3) }
    }

    public static func minimum(_ x: Span<Double>, _ y: Span<Double>, into z: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_minimum_f64($0, $1, $2, $3) }
    }

    public static func multiplyAdd(
        _ x: Span<Double>, _ y: Span<Double>, _ z: Span<Double>, into w: inout MutableSpan<Double>
    ) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        requireEqualCounts(x.count, w.count)
        unsafe withPointers(x, y, z) { x, y, z in
            unsafe withPointers(&w) { [count = w.count] in unsafe dsc_tensor_multiply_add_f64(count, x, y, z, $0) }
        }
    }

    public static func multiplyAccumulate(_ x: Span<Double>, _ y: Span<Double>, into z: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        requireEqualCounts(x.count, z.count)
        unsafe withPointers(x, y, &z) { unsafe dsc_tensor_multiply_add_f64($0, $1, $2, $3, $3) }
    }

    public static func sumOfProducts(
        _ a: Span<Double>, _ b: Span<Double>, _ c: Span<Double>, _ d: Span<Double>, into w: inout MutableSpan<Double>
    ) {
        requireEqualCounts(a.count, b.count)
        requireEqualCounts(a.count, c.count)
        requireEqualCounts(a.count, d.count)
        requireEqualCounts(a.count, w.count)
        unsafe withPointers(a, b) { a, b in
            unsafe withPointers(c, d, &w) { count, c, d, w in unsafe dsc_tensor_sum_of_products_f64(count, a, b, c, d, w) }
        }
    }

    public static func affine(_ a: Double, _ x: Span<Double>, _ b: Double, into y: inout MutableSpan<Double>) {
        requireEqualCounts(x.count, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_tensor_affine_f64(count, a, x, b, y) }
    }
}
