import CKernels

// Witnesses of KernelScalar: one call of C each.

/// Requires that a span of `count` elements is a matrix, row after row.
private func requireMatrix(_ name: StaticString, _ rows: Int, _ columns: Int, _ count: Int) {
    require(rows >= 0 && columns >= 0, "\(name) has \(rows) rows of \(columns); expected no negative size")
    require(count == rows * columns, "\(name) has \(count) elements; expected \(rows * columns) for \(rows) rows of \(columns)")
}

private func requireCount(_ name: StaticString, _ count: Int, _ expected: Int) {
    require(count == expected, "\(name) has \(count) elements; expected \(expected)")
}

private func requireLabels(_ labels: Span<Int32>, _ rows: Int, _ columns: Int) {
    requireCount("labels", labels.count, rows)
    for i in labels.indices {
        require(labels[i] >= 0 && labels[i] < columns, "label \(i) is \(labels[i]); expected one of 0 ..< \(columns)")
    }
}

extension Float {
    public static func addRow(
        rows: Int, columns: Int, _ x: Span<Float>, _ row: Span<Float>, into y: inout MutableSpan<Float>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireCount("row", row.count, columns)
        requireMatrix("y", rows, columns, y.count)
        unsafe withPointers(x, row) { xPointer, row in
            unsafe withPointers(&y) { unsafe dsc_tensor_add_row_f32(rows, columns, x.count, xPointer, row, $0) }
        }
    }

    public static func addRow(rows: Int, columns: Int, _ x: inout MutableSpan<Float>, _ row: Span<Float>) {
        requireMatrix("x", rows, columns, x.count)
        requireCount("row", row.count, columns)
        unsafe withPointers(row, &x) { row, _, x, count in unsafe dsc_tensor_add_row_f32(rows, columns, count, x, row, x) }
    }

    public static func multiplyRow(
        rows: Int, columns: Int, _ x: Span<Float>, _ row: Span<Float>, into y: inout MutableSpan<Float>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireCount("row", row.count, columns)
        requireMatrix("y", rows, columns, y.count)
        unsafe withPointers(x, row) { xPointer, row in
            unsafe withPointers(&y) { unsafe dsc_tensor_multiply_row_f32(rows, columns, x.count, xPointer, row, $0) }
        }
    }

    public static func rowSums(
        rows: Int, columns: Int, of x: Span<Float>, into z: inout MutableSpan<Float>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireCount("z", z.count, rows)
        unsafe withPointers(x, &z) { x, count, z, _ in unsafe dsc_tensor_row_sums_f32(rows, columns, count, x, z) }
    }

    public static func columnSums(
        rows: Int, columns: Int, of x: Span<Float>, into z: inout MutableSpan<Float>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireCount("z", z.count, columns)
        unsafe withPointers(x, &z) { x, count, z, _ in unsafe dsc_tensor_column_sums_f32(rows, columns, count, x, z) }
    }

    public static func rowMaximum(
        rows: Int, columns: Int, of x: Span<Float>, into z: inout MutableSpan<Float>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireCount("z", z.count, rows)
        unsafe withPointers(x, &z) { x, count, z, _ in unsafe dsc_tensor_row_maximum_f32(rows, columns, count, x, z) }
    }

    public static func softmaxPullback(
        rows: Int, columns: Int, _ g: Span<Float>, softmax y: Span<Float>, into out: inout MutableSpan<Float>
    ) {
        requireMatrix("g", rows, columns, g.count)
        requireMatrix("y", rows, columns, y.count)
        requireMatrix("out", rows, columns, out.count)
        unsafe withPointers(y, g, &out) { unsafe dsc_tensor_softmax_pullback_f32(rows, columns, $0, $1, $2, $3) }
    }

    public static func logSoftmax(
        rows: Int, columns: Int, of x: Span<Float>, into y: inout MutableSpan<Float>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireMatrix("y", rows, columns, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_tensor_log_softmax_f32(rows, columns, count, x, y) }
    }

    public static func logSoftmaxPullback(
        rows: Int, columns: Int, _ g: Span<Float>, logSoftmax y: Span<Float>, into out: inout MutableSpan<Float>
    ) {
        requireMatrix("g", rows, columns, g.count)
        requireMatrix("y", rows, columns, y.count)
        requireMatrix("out", rows, columns, out.count)
        unsafe withPointers(y, g, &out) { unsafe dsc_tensor_log_softmax_pullback_f32(rows, columns, $0, $1, $2, $3) }
    }

    public static func crossEntropy(
        rows: Int, columns: Int, of x: Span<Float>, labels: Span<Int32>, into z: inout MutableSpan<Float>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireLabels(labels, rows, columns)
        requireCount("z", z.count, rows)
        unsafe withPointers(x, labels) { xPointer, labels in
            unsafe withPointers(&z) { unsafe dsc_tensor_cross_entropy_f32(rows, columns, x.count, xPointer, labels, $0) }
        }
    }

    public static func crossEntropyPullback(
        rows: Int, columns: Int, _ g: Span<Float>, of x: Span<Float>, labels: Span<Int32>, into out: inout MutableSpan<Float>
    ) {
        requireCount("g", g.count, rows)
        requireMatrix("x", rows, columns, x.count)
        requireLabels(labels, rows, columns)
        requireMatrix("out", rows, columns, out.count)
        unsafe withPointers(x, labels, g) { xPointer, labels, g in
            unsafe withPointers(&out) {
                unsafe dsc_tensor_cross_entropy_pullback_f32(rows, columns, x.count, xPointer, labels, g, $0)
            }
        }
    }

    public static func normalizeRows(
        rows: Int, columns: Int, of x: Span<Float>, epsilon: Float, into y: inout MutableSpan<Float>,
        means: inout MutableSpan<Float>, inverseDeviations: inout MutableSpan<Float>
    ) {
        requireMatrix("x", rows, columns, x.count)
        require(epsilon >= 0, "epsilon is \(epsilon); expected no negative number")
        requireMatrix("y", rows, columns, y.count)
        requireCount("means", means.count, rows)
        requireCount("inverseDeviations", inverseDeviations.count, rows)
        unsafe withPointers(x, &y) { x, count, y, _ in
            unsafe withPointers(&means) { means in
                unsafe withPointers(&inverseDeviations) {
                    unsafe dsc_tensor_normalize_rows_f32(rows, columns, count, x, epsilon, y, means, $0)
                }
            }
        }
    }

    public static func normalizeRowsPullback(
        rows: Int, columns: Int, _ g: Span<Float>, normalized y: Span<Float>, inverseDeviations: Span<Float>,
        into out: inout MutableSpan<Float>
    ) {
        requireMatrix("g", rows, columns, g.count)
        requireMatrix("y", rows, columns, y.count)
        requireCount("inverseDeviations", inverseDeviations.count, rows)
        requireMatrix("out", rows, columns, out.count)
        unsafe withPointers(g, y, inverseDeviations) { gPointer, y, inverseDeviations in
            unsafe withPointers(&out) {
                unsafe dsc_tensor_normalize_rows_pullback_f32(rows, columns, g.count, gPointer, y, inverseDeviations, $0)
            }
        }
    }

    public static func layerNorm(
        rows: Int, columns: Int, of x: Span<Float>, epsilon: Float, scale: Span<Float>, shift: Span<Float>, into y: inout MutableSpan<Float>,
        means: inout MutableSpan<Float>, rests: inout MutableSpan<Float>, inverseDeviations: inout MutableSpan<Float>
    ) {
        requireMatrix("x", rows, columns, x.count)
        require(epsilon >= 0, "epsilon is \(epsilon); expected no negative number")
        requireCount("scale", scale.count, columns)
        requireCount("shift", shift.count, columns)
        requireMatrix("y", rows, columns, y.count)
        requireCount("means", means.count, rows)
        requireCount("rests", rests.count, rows)
        requireCount("inverseDeviations", inverseDeviations.count, rows)
        unsafe withPointers(x, scale, shift) { xPointer, scale, shift in
            unsafe withPointers(&means, &rests, &inverseDeviations) { means, rests, inverses in
                unsafe withPointers(&y) {
                    unsafe dsc_tensor_layer_norm_f32(rows, columns, x.count, xPointer, epsilon, scale, shift, $0, means, rests, inverses)
                }
            }
        }
    }

    public static func layerNormPullback(
        rows: Int, columns: Int, _ g: Span<Float>, of x: Span<Float>, means: Span<Float>, rests: Span<Float>, inverseDeviations: Span<Float>,
        scale: Span<Float>, into xCotangent: inout MutableSpan<Float>, scale scaleCotangent: inout MutableSpan<Float>,
        shift shiftCotangent: inout MutableSpan<Float>
    ) {
        requireMatrix("g", rows, columns, g.count)
        requireMatrix("x", rows, columns, x.count)
        requireCount("means", means.count, rows)
        requireCount("rests", rests.count, rows)
        requireCount("inverseDeviations", inverseDeviations.count, rows)
        requireCount("scale", scale.count, columns)
        requireMatrix("x's cotangent", rows, columns, xCotangent.count)
        requireCount("scale's cotangent", scaleCotangent.count, columns)
        requireCount("shift's cotangent", shiftCotangent.count, columns)
        unsafe withPointers(means, rests, inverseDeviations) { means, rests, inverses in
            unsafe withPointers(g, x, scale) { gPointer, x, scale in
                unsafe withPointers(&xCotangent, &scaleCotangent, &shiftCotangent) {
                    unsafe dsc_tensor_layer_norm_pullback_f32(
                        rows, columns, g.count, gPointer, x, means, rests, inverses, scale, $0, $1, $2)
                }
            }
        }
    }
}

extension Double {
    public static func addRow(
        rows: Int, columns: Int, _ x: Span<Double>, _ row: Span<Double>, into y: inout MutableSpan<Double>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireCount("row", row.count, columns)
        requireMatrix("y", rows, columns, y.count)
        unsafe withPointers(x, row) { xPointer, row in
            unsafe withPointers(&y) { unsafe dsc_tensor_add_row_f64(rows, columns, x.count, xPointer, row, $0) }
        }
    }

    public static func addRow(rows: Int, columns: Int, _ x: inout MutableSpan<Double>, _ row: Span<Double>) {
        requireMatrix("x", rows, columns, x.count)
        requireCount("row", row.count, columns)
        unsafe withPointers(row, &x) { row, _, x, count in unsafe dsc_tensor_add_row_f64(rows, columns, count, x, row, x) }
    }

    public static func multiplyRow(
        rows: Int, columns: Int, _ x: Span<Double>, _ row: Span<Double>, into y: inout MutableSpan<Double>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireCount("row", row.count, columns)
        requireMatrix("y", rows, columns, y.count)
        unsafe withPointers(x, row) { xPointer, row in
            unsafe withPointers(&y) { unsafe dsc_tensor_multiply_row_f64(rows, columns, x.count, xPointer, row, $0) }
        }
    }

    public static func rowSums(
        rows: Int, columns: Int, of x: Span<Double>, into z: inout MutableSpan<Double>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireCount("z", z.count, rows)
        unsafe withPointers(x, &z) { x, count, z, _ in unsafe dsc_tensor_row_sums_f64(rows, columns, count, x, z) }
    }

    public static func columnSums(
        rows: Int, columns: Int, of x: Span<Double>, into z: inout MutableSpan<Double>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireCount("z", z.count, columns)
        unsafe withPointers(x, &z) { x, count, z, _ in unsafe dsc_tensor_column_sums_f64(rows, columns, count, x, z) }
    }

    public static func rowMaximum(
        rows: Int, columns: Int, of x: Span<Double>, into z: inout MutableSpan<Double>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireCount("z", z.count, rows)
        unsafe withPointers(x, &z) { x, count, z, _ in unsafe dsc_tensor_row_maximum_f64(rows, columns, count, x, z) }
    }

    public static func softmaxPullback(
        rows: Int, columns: Int, _ g: Span<Double>, softmax y: Span<Double>, into out: inout MutableSpan<Double>
    ) {
        requireMatrix("g", rows, columns, g.count)
        requireMatrix("y", rows, columns, y.count)
        requireMatrix("out", rows, columns, out.count)
        unsafe withPointers(y, g, &out) { unsafe dsc_tensor_softmax_pullback_f64(rows, columns, $0, $1, $2, $3) }
    }

    public static func logSoftmax(
        rows: Int, columns: Int, of x: Span<Double>, into y: inout MutableSpan<Double>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireMatrix("y", rows, columns, y.count)
        unsafe withPointers(x, &y) { x, count, y, _ in unsafe dsc_tensor_log_softmax_f64(rows, columns, count, x, y) }
    }

    public static func logSoftmaxPullback(
        rows: Int, columns: Int, _ g: Span<Double>, logSoftmax y: Span<Double>, into out: inout MutableSpan<Double>
    ) {
        requireMatrix("g", rows, columns, g.count)
        requireMatrix("y", rows, columns, y.count)
        requireMatrix("out", rows, columns, out.count)
        unsafe withPointers(y, g, &out) { unsafe dsc_tensor_log_softmax_pullback_f64(rows, columns, $0, $1, $2, $3) }
    }

    public static func crossEntropy(
        rows: Int, columns: Int, of x: Span<Double>, labels: Span<Int32>, into z: inout MutableSpan<Double>
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireLabels(labels, rows, columns)
        requireCount("z", z.count, rows)
        unsafe withPointers(x, labels) { xPointer, labels in
            unsafe withPointers(&z) { unsafe dsc_tensor_cross_entropy_f64(rows, columns, x.count, xPointer, labels, $0) }
        }
    }

    public static func crossEntropyPullback(
        rows: Int, columns: Int, _ g: Span<Double>, of x: Span<Double>, labels: Span<Int32>, into out: inout MutableSpan<Double>
    ) {
        requireCount("g", g.count, rows)
        requireMatrix("x", rows, columns, x.count)
        requireLabels(labels, rows, columns)
        requireMatrix("out", rows, columns, out.count)
        unsafe withPointers(x, labels, g) { xPointer, labels, g in
            unsafe withPointers(&out) {
                unsafe dsc_tensor_cross_entropy_pullback_f64(rows, columns, x.count, xPointer, labels, g, $0)
            }
        }
    }

    public static func normalizeRows(
        rows: Int, columns: Int, of x: Span<Double>, epsilon: Double, into y: inout MutableSpan<Double>,
        means: inout MutableSpan<Double>, inverseDeviations: inout MutableSpan<Double>
    ) {
        requireMatrix("x", rows, columns, x.count)
        require(epsilon >= 0, "epsilon is \(epsilon); expected no negative number")
        requireMatrix("y", rows, columns, y.count)
        requireCount("means", means.count, rows)
        requireCount("inverseDeviations", inverseDeviations.count, rows)
        unsafe withPointers(x, &y) { x, count, y, _ in
            unsafe withPointers(&means) { means in
                unsafe withPointers(&inverseDeviations) {
                    unsafe dsc_tensor_normalize_rows_f64(rows, columns, count, x, epsilon, y, means, $0)
                }
            }
        }
    }

    public static func normalizeRowsPullback(
        rows: Int, columns: Int, _ g: Span<Double>, normalized y: Span<Double>, inverseDeviations: Span<Double>,
        into out: inout MutableSpan<Double>
    ) {
        requireMatrix("g", rows, columns, g.count)
        requireMatrix("y", rows, columns, y.count)
        requireCount("inverseDeviations", inverseDeviations.count, rows)
        requireMatrix("out", rows, columns, out.count)
        unsafe withPointers(g, y, inverseDeviations) { gPointer, y, inverseDeviations in
            unsafe withPointers(&out) {
                unsafe dsc_tensor_normalize_rows_pullback_f64(rows, columns, g.count, gPointer, y, inverseDeviations, $0)
            }
        }
    }

    public static func layerNorm(
        rows: Int, columns: Int, of x: Span<Double>, epsilon: Double, scale: Span<Double>, shift: Span<Double>, into y: inout MutableSpan<Double>,
        means: inout MutableSpan<Double>, rests: inout MutableSpan<Double>, inverseDeviations: inout MutableSpan<Double>
    ) {
        requireMatrix("x", rows, columns, x.count)
        require(epsilon >= 0, "epsilon is \(epsilon); expected no negative number")
        requireCount("scale", scale.count, columns)
        requireCount("shift", shift.count, columns)
        requireMatrix("y", rows, columns, y.count)
        requireCount("means", means.count, rows)
        requireCount("rests", rests.count, rows)
        requireCount("inverseDeviations", inverseDeviations.count, rows)
        unsafe withPointers(x, scale, shift) { xPointer, scale, shift in
            unsafe withPointers(&means, &rests, &inverseDeviations) { means, rests, inverses in
                unsafe withPointers(&y) {
                    unsafe dsc_tensor_layer_norm_f64(rows, columns, x.count, xPointer, epsilon, scale, shift, $0, means, rests, inverses)
                }
            }
        }
    }

    public static func layerNormPullback(
        rows: Int, columns: Int, _ g: Span<Double>, of x: Span<Double>, means: Span<Double>, rests: Span<Double>, inverseDeviations: Span<Double>,
        scale: Span<Double>, into xCotangent: inout MutableSpan<Double>, scale scaleCotangent: inout MutableSpan<Double>,
        shift shiftCotangent: inout MutableSpan<Double>
    ) {
        requireMatrix("g", rows, columns, g.count)
        requireMatrix("x", rows, columns, x.count)
        requireCount("means", means.count, rows)
        requireCount("rests", rests.count, rows)
        requireCount("inverseDeviations", inverseDeviations.count, rows)
        requireCount("scale", scale.count, columns)
        requireMatrix("x's cotangent", rows, columns, xCotangent.count)
        requireCount("scale's cotangent", scaleCotangent.count, columns)
        requireCount("shift's cotangent", shiftCotangent.count, columns)
        unsafe withPointers(means, rests, inverseDeviations) { means, rests, inverses in
            unsafe withPointers(g, x, scale) { gPointer, x, scale in
                unsafe withPointers(&xCotangent, &scaleCotangent, &shiftCotangent) {
                    unsafe dsc_tensor_layer_norm_pullback_f64(
                        rows, columns, g.count, gPointer, x, means, rests, inverses, scale, $0, $1, $2)
                }
            }
        }
    }
}
