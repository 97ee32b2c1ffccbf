import CKernels

// Witnesses of KernelScalar: one call of C each.

/// That the last of the runs ends inside a buffer of `count` elements.
private func requireRuns(_ rows: Int, _ runs: Int, _ length: Int, _ row: Int, _ step: Int, _ count: Int) {
    require(rows >= 0 && runs >= 0 && length >= 0 && row >= 0 && step >= 0,
            "\(rows) rows of \(runs) runs of \(length) at steps \(row) and \(step); expected no negative number")
    guard rows > 0, runs > 0, length > 0 else { return }
    let (across, a) = (rows - 1).multipliedReportingOverflow(by: row), (along, b) = (runs - 1).multipliedReportingOverflow(by: step)
    let (start, c) = across.addingReportingOverflow(along), (end, d) = start.addingReportingOverflow(length)
    require(!(a || b || c || d) && end <= count,
            "\(rows) rows of \(runs) runs of \(length) at steps \(row) and \(step) in \(count) elements; expected them to fit")
}

extension Float {
    public static func copyRuns(
        rows: Int, runs: Int, length: Int, of x: Span<Float>, row xRow: Int, step xStep: Int, into y: inout MutableSpan<Float>,
        row yRow: Int, step yStep: Int
    ) {
        requireRuns(rows, runs, length, xRow, xStep, x.count)
        requireRuns(rows, runs, length, yRow, yStep, y.count)
        unsafe withPointers(x, &y) { x, xCount, y, yCount in
            unsafe dsc_tensor_copy_runs_f32(rows, runs, length, xCount, x, xRow, xStep, yCount, y, yRow, yStep)
        }
    }

    public static func addRuns(
        rows: Int, runs: Int, length: Int, of x: Span<Float>, row xRow: Int, step xStep: Int, into y: inout MutableSpan<Float>,
        row yRow: Int, step yStep: Int
    ) {
        requireRuns(rows, runs, length, xRow, xStep, x.count)
        requireRuns(rows, runs, length, yRow, yStep, y.count)
        unsafe withPointers(x, &y) { x, xCount, y, yCount in
            unsafe dsc_tensor_add_runs_f32(rows, runs, length, xCount, x, xRow, xStep, yCount, y, yRow, yStep)
        }
    }
}

extension Double {
    public static func copyRuns(
        rows: Int, runs: Int, length: Int, of x: Span<Double>, row xRow: Int, step xStep: Int, into y: inout MutableSpan<Double>,
        row yRow: Int, step yStep: Int
    ) {
        requireRuns(rows, runs, length, xRow, xStep, x.count)
        requireRuns(rows, runs, length, yRow, yStep, y.count)
        unsafe withPointers(x, &y) { x, xCount, y, yCount in
            unsafe dsc_tensor_copy_runs_f64(rows, runs, length, xCount, x, xRow, xStep, yCount, y, yRow, yStep)
        }
    }

    public static func addRuns(
        rows: Int, runs: Int, length: Int, of x: Span<Double>, row xRow: Int, step xStep: Int, into y: inout MutableSpan<Double>,
        row yRow: Int, step yStep: Int
    ) {
        requireRuns(rows, runs, length, xRow, xStep, x.count)
        requireRuns(rows, runs, length, yRow, yStep, y.count)
        unsafe withPointers(x, &y) { x, xCount, y, yCount in
            unsafe dsc_tensor_add_runs_f64(rows, runs, length, xCount, x, xRow, xStep, yCount, y, yRow, yStep)
        }
    }
}
