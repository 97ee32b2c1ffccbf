import CKernels

// Witnesses of KernelScalar: one call of C for each part of the rows, whose column sums are then added up in Double.

/// How a pass over a Gibbs kernel makes the scale u of a row from its sum s and its weight w.
public enum ScalingRule<Scalar: KernelScalar>: Sendable, Hashable {
    /// u stays.
    case fixed
    /// u = w / s.
    case divide
    /// u ← u exp(p ln(w / (s u)) + offset): an over-relaxed or damped division; 0 where w is.
    case power(Scalar)
    /// u = w s.
    case multiply

    fileprivate var code: Int32 {
        switch self {
        case .fixed: Int32(DSC_TRANSPORT_FIXED)
        case .divide: Int32(DSC_TRANSPORT_DIVIDE)
        case .power: Int32(DSC_TRANSPORT_POWER)
        case .multiply: Int32(DSC_TRANSPORT_MULTIPLY)
        }
    }

    fileprivate var exponent: Scalar {
        if case .power(let exponent) = self { exponent } else { 1 }
    }
}

/// A cost between two points that a pass takes from their coordinates.
public enum PairCost: Int32, Sendable, Hashable {
    /// ‖x − y‖².
    case squared = 1
    /// ‖x − y‖.
    case euclidean
    /// −x·y.
    case dot
}

/// Rows of a part: few enough that a `Float` holds its column sums, and that each thread gets some.
private func partRows(_ rows: Int, _ workers: Int) -> Int { min(128, ((rows + workers - 1) / workers + 3) / 4 * 4) }

/// Requires what all passes have in common.
private func requirePass(
    _ rows: Int, _ columns: Int, rowCounts: [Int], columnCounts: [Int], offsets: Int, totals: Int, entries: (count: Int, expected: Int)
) {
    require(rows >= 0 && columns >= 0, "a pass over \(rows)×\(columns) pairs; expected no negative size")
    for count in rowCounts { require(count == rows, "\(count) elements for \(rows) rows; expected equally many") }
    for count in columnCounts { require(count == columns, "\(count) elements for \(columns) columns; expected equally many") }
    require(offsets == 0 || offsets == rows, "\(offsets) offsets for \(rows) rows; expected as many, or none")
    require(totals == 0 || totals == columns, "\(totals) column totals for \(columns) columns; expected as many, or none")
    require(entries.count == entries.expected, "\(entries.count) entries for \(rows)×\(columns) pairs; expected \(entries.expected)")
}

/// Buffers of a part: room for a block of rows of the kernel, and for column sums.
@unsafe private struct PartBuffers<Scalar> {
    let work: UnsafeMutablePointer<Scalar>, workCount: Int
    let sums: UnsafeMutablePointer<Scalar>, sumCount: Int
}

/// Calls `body` for each part of the rows with its first row and their number, and adds its column sums to `totals`.
@inline(__always)
private func forEachPart<Scalar: KernelScalar>(
    _ rows: Int, _ columns: Int, _ type: Scalar.Type, _ totals: UnsafeMutableBufferPointer<Double>,
    _ body: @Sendable (_ first: Int, _ count: Int, _ buffers: PartBuffers<Scalar>) -> Void
) {
    guard rows > 0 else { return }
    let summed = totals.count
    // A thread for less than 2¹⁴ pairs costs more than it saves.
    let workers = Threads.isInsideParallelRegion ? 1 : max(1, min(Threads.count, rows / 4, rows * columns >> 14))
    let height = partRows(rows, workers), parts = (rows + height - 1) / height
    let workCount = 8 * (columns + 64)
    // The first worker adds to the totals themselves, the others to their own, which are added in order.
    var others = [Double](repeating: 0, count: (workers - 1) * summed)
    unsafe others.withUnsafeMutableBufferPointer { others in
        nonisolated(unsafe) let own = unsafe others, shared = unsafe totals
        concurrentPerform(iterations: workers) { worker in
            unsafe withUnsafeTemporaryAllocation(of: Scalar.self, capacity: workCount + max(1, summed)) { memory in
                let sums = unsafe memory.baseAddress! + workCount
                let buffers = unsafe PartBuffers(work: memory.baseAddress!, workCount: workCount, sums: sums, sumCount: summed)
                let target = unsafe worker == 0 ? shared.baseAddress : own.baseAddress! + (worker - 1) * summed
                for part in worker * parts / workers..<(worker + 1) * parts / workers {
                    unsafe sums.update(repeating: 0, count: summed)
                    unsafe body(part * height, min(height, rows - part * height), buffers)
                    for k in 0..<summed { unsafe target![k] += Double(sums[k]) }
                }
            }
        }
        for worker in 1..<max(1, workers) {
            for k in 0..<summed { unsafe totals[k] += others[(worker - 1) * summed + k] }
        }
    }
}

extension Float {
    public static func gibbsPass(
        rows: Int, columns: Int, cost: Span<Float>, scale: Float, rowShifts f: inout MutableSpan<Float>, columnShifts h: Span<Float>,
        columnScales v: Span<Float>, rule: ScalingRule<Float>, weights w: Span<Float>, offsets: Span<Float>,
        rowSums s: inout MutableSpan<Float>, rowScales u: inout MutableSpan<Float>, columnTotals: inout MutableSpan<Double>
    ) {
        requirePass(rows, columns, rowCounts: [f.count, w.count, s.count, u.count], columnCounts: [h.count, v.count],
                    offsets: offsets.count, totals: columnTotals.count, entries: (cost.count, rows * columns))
        let shifted = offsets.count > 0
        unsafe withPointers(cost, h, v) { cost, h, v in
            unsafe withPointers(w, offsets) { w, offsets in
                unsafe withPointers(&f, &s, &u) { f, s, u in
                    nonisolated(unsafe) let (cost, h, v, w, offsets) = unsafe (cost, h, v, w, offsets), (f, s, u) = unsafe (f, s, u)
                    unsafe columnTotals.withUnsafeMutableBufferPointer { totals in
                        unsafe forEachPart(rows, columns, Float.self, totals) { i, count, part in
                            unsafe dsc_transport_gibbs_f32(
                                count, columns, count * columns, columns == 0 ? cost : cost! + i * columns, scale, f! + i, h, v, rule.code,
                                rule.exponent, w! + i, shifted ? count : 0, shifted ? offsets! + i : nil, s! + i, u! + i,
                                part.workCount, part.work, part.sumCount, part.sums)
                        }
                    }
                }
            }
        }
    }

    public static func gibbsPass(
        rows: Int, columns: Int, cost: PairCost, dimension: Int, x: Span<Float>, y: Span<Float>, scale: Float,
        rowShifts f: inout MutableSpan<Float>, columnShifts h: Span<Float>, columnScales v: Span<Float>, rule: ScalingRule<Float>,
        weights w: Span<Float>, offsets: Span<Float>, rowSums s: inout MutableSpan<Float>, rowScales u: inout MutableSpan<Float>,
        columnTotals: inout MutableSpan<Double>
    ) {
        requirePass(rows, columns, rowCounts: [f.count, w.count, s.count, u.count], columnCounts: [h.count, v.count],
                    offsets: offsets.count, totals: columnTotals.count, entries: (x.count + y.count, (rows + columns) * dimension))
        let shifted = offsets.count > 0, (xCount, yCount) = (x.count, y.count)
        unsafe withPointers(h, v) { h, v in
            unsafe withPointers(w, offsets) { w, offsets in
                unsafe withPointers(x, y) { x, y in
                    unsafe withPointers(&f, &s, &u) { f, s, u in
                        nonisolated(unsafe) let (x, y, h, v, w, offsets) = unsafe (x, y, h, v, w, offsets), (f, s, u) = unsafe (f, s, u)
                        unsafe columnTotals.withUnsafeMutableBufferPointer { totals in
                            unsafe forEachPart(rows, columns, Float.self, totals) { i, count, part in
                                unsafe dsc_transport_points_f32(
                                    count, columns, cost.rawValue, dimension, rows, max(0, xCount - i), xCount == 0 ? x : x! + i, yCount, y, scale,
                                    f! + i, h, v, rule.code, rule.exponent, w! + i, shifted ? count : 0, shifted ? offsets! + i : nil,
                                    s! + i, u! + i, part.workCount, part.work, part.sumCount, part.sums)
                            }
                        }
                    }
                }
            }
        }
    }

    public static func kernelPass(
        rows: Int, columns: Int, kernel: Span<Float>, columnScales v: Span<Float>, rule: ScalingRule<Float>, weights w: Span<Float>,
        offsets: Span<Float>, rowSums s: inout MutableSpan<Float>, rowScales u: inout MutableSpan<Float>,
        columnTotals: inout MutableSpan<Double>
    ) {
        requirePass(rows, columns, rowCounts: [w.count, s.count, u.count], columnCounts: [v.count], offsets: offsets.count,
                    totals: columnTotals.count, entries: (kernel.count, rows * columns))
        let shifted = offsets.count > 0
        unsafe withPointers(kernel, v) { kernel, v in
            unsafe withPointers(w, offsets) { w, offsets in
                unsafe withPointers(&s, &u) { s, u in
                    nonisolated(unsafe) let (kernel, v, w, offsets) = unsafe (kernel, v, w, offsets), (s, u) = unsafe (s, u)
                    unsafe columnTotals.withUnsafeMutableBufferPointer { totals in
                        unsafe forEachPart(rows, columns, Float.self, totals) { i, count, part in
                            unsafe dsc_transport_kernel_f32(
                                count, columns, count * columns, columns == 0 ? kernel : kernel! + i * columns, v, rule.code, rule.exponent,
                                w! + i, shifted ? count : 0, shifted ? offsets! + i : nil, s! + i, u! + i, 0, nil, part.sumCount, part.sums)
                        }
                    }
                }
            }
        }
    }

    public static func gibbsPlan(
        rows: Int, columns: Int, cost: Span<Float>, scale: Float, rowShifts f: Span<Float>, columnShifts h: Span<Float>,
        rowScales u: Span<Float>, columnScales v: Span<Float>, into plan: inout MutableSpan<Float>
    ) {
        requirePass(rows, columns, rowCounts: [f.count, u.count], columnCounts: [h.count, v.count], offsets: 0, totals: 0,
                    entries: (cost.count, rows * columns))
        require(plan.count == cost.count, "plan has \(plan.count) elements; expected \(cost.count)")
        let count = cost.count
        unsafe withPointers(cost, f, u) { cost, f, u in
            unsafe withPointers(h, v) { h, v in
                unsafe withPointers(&plan) { plan in
                    unsafe dsc_transport_plan_f32(rows, columns, count, cost, scale, f, h, u, v, plan)
                }
            }
        }
    }

    public static func gibbsColumnMaximum(
        rows: Int, columns: Int, cost: Span<Float>, scale: Float, rowShifts f: Span<Float>, rowScales u: Span<Float>,
        into maximum: inout MutableSpan<Float>
    ) {
        requirePass(rows, columns, rowCounts: [f.count, u.count], columnCounts: [maximum.count], offsets: 0, totals: 0,
                    entries: (cost.count, rows * columns))
        let count = cost.count
        unsafe withPointers(cost, f, u) { cost, f, u in
            unsafe withPointers(&maximum) { maximum in
                unsafe dsc_transport_column_max_f32(rows, columns, count, cost, scale, f, u, maximum)
            }
        }
    }

    public static func sumOfExponentials(_ x: Span<Float>) -> Double {
        unsafe withPointers(x) { [count = x.count] in unsafe dsc_transport_exp2_sum_f32(count, $0) }
    }
}

extension Double {
    public static func gibbsPass(
        rows: Int, columns: Int, cost: Span<Double>, scale: Double, rowShifts f: inout MutableSpan<Double>, columnShifts h: Span<Double>,
        columnScales v: Span<Double>, rule: ScalingRule<Double>, weights w: Span<Double>, offsets: Span<Double>,
        rowSums s: inout MutableSpan<Double>, rowScales u: inout MutableSpan<Double>, columnTotals: inout MutableSpan<Double>
    ) {
        requirePass(rows, columns, rowCounts: [f.count, w.count, s.count, u.count], columnCounts: [h.count, v.count],
                    offsets: offsets.count, totals: columnTotals.count, entries: (cost.count, rows * columns))
        let shifted = offsets.count > 0
        unsafe withPointers(cost, h, v) { cost, h, v in
            unsafe withPointers(w, offsets) { w, offsets in
                unsafe withPointers(&f, &s, &u) { f, s, u in
                    nonisolated(unsafe) let (cost, h, v, w, offsets) = unsafe (cost, h, v, w, offsets), (f, s, u) = unsafe (f, s, u)
                    unsafe columnTotals.withUnsafeMutableBufferPointer { totals in
                        unsafe forEachPart(rows, columns, Double.self, totals) { i, count, part in
                            unsafe dsc_transport_gibbs_f64(
                                count, columns, count * columns, columns == 0 ? cost : cost! + i * columns, scale, f! + i, h, v, rule.code,
                                rule.exponent, w! + i, shifted ? count : 0, shifted ? offsets! + i : nil, s! + i, u! + i,
                                part.workCount, part.work, part.sumCount, part.sums)
                        }
                    }
                }
            }
        }
    }

    public static func gibbsPass(
        rows: Int, columns: Int, cost: PairCost, dimension: Int, x: Span<Double>, y: Span<Double>, scale: Double,
        rowShifts f: inout MutableSpan<Double>, columnShifts h: Span<Double>, columnScales v: Span<Double>, rule: ScalingRule<Double>,
        weights w: Span<Double>, offsets: Span<Double>, rowSums s: inout MutableSpan<Double>, rowScales u: inout MutableSpan<Double>,
        columnTotals: inout MutableSpan<Double>
    ) {
        requirePass(rows, columns, rowCounts: [f.count, w.count, s.count, u.count], columnCounts: [h.count, v.count],
                    offsets: offsets.count, totals: columnTotals.count, entries: (x.count + y.count, (rows + columns) * dimension))
        let shifted = offsets.count > 0, (xCount, yCount) = (x.count, y.count)
        unsafe withPointers(h, v) { h, v in
            unsafe withPointers(w, offsets) { w, offsets in
                unsafe withPointers(x, y) { x, y in
                    unsafe withPointers(&f, &s, &u) { f, s, u in
                        nonisolated(unsafe) let (x, y, h, v, w, offsets) = unsafe (x, y, h, v, w, offsets), (f, s, u) = unsafe (f, s, u)
                        unsafe columnTotals.withUnsafeMutableBufferPointer { totals in
                            unsafe forEachPart(rows, columns, Double.self, totals) { i, count, part in
                                unsafe dsc_transport_points_f64(
                                    count, columns, cost.rawValue, dimension, rows, max(0, xCount - i), xCount == 0 ? x : x! + i, yCount, y, scale,
                                    f! + i, h, v, rule.code, rule.exponent, w! + i, shifted ? count : 0, shifted ? offsets! + i : nil,
                                    s! + i, u! + i, part.workCount, part.work, part.sumCount, part.sums)
                            }
                        }
                    }
                }
            }
        }
    }

    public static func kernelPass(
        rows: Int, columns: Int, kernel: Span<Double>, columnScales v: Span<Double>, rule: ScalingRule<Double>, weights w: Span<Double>,
        offsets: Span<Double>, rowSums s: inout MutableSpan<Double>, rowScales u: inout MutableSpan<Double>,
        columnTotals: inout MutableSpan<Double>
    ) {
        requirePass(rows, columns, rowCounts: [w.count, s.count, u.count], columnCounts: [v.count], offsets: offsets.count,
                    totals: columnTotals.count, entries: (kernel.count, rows * columns))
        let shifted = offsets.count > 0
        unsafe withPointers(kernel, v) { kernel, v in
            unsafe withPointers(w, offsets) { w, offsets in
                unsafe withPointers(&s, &u) { s, u in
                    nonisolated(unsafe) let (kernel, v, w, offsets) = unsafe (kernel, v, w, offsets), (s, u) = unsafe (s, u)
                    unsafe columnTotals.withUnsafeMutableBufferPointer { totals in
                        unsafe forEachPart(rows, columns, Double.self, totals) { i, count, part in
                            unsafe dsc_transport_kernel_f64(
                                count, columns, count * columns, columns == 0 ? kernel : kernel! + i * columns, v, rule.code, rule.exponent,
                                w! + i, shifted ? count : 0, shifted ? offsets! + i : nil, s! + i, u! + i, 0, nil, part.sumCount, part.sums)
                        }
                    }
                }
            }
        }
    }

    public static func gibbsPlan(
        rows: Int, columns: Int, cost: Span<Double>, scale: Double, rowShifts f: Span<Double>, columnShifts h: Span<Double>,
        rowScales u: Span<Double>, columnScales v: Span<Double>, into plan: inout MutableSpan<Double>
    ) {
        requirePass(rows, columns, rowCounts: [f.count, u.count], columnCounts: [h.count, v.count], offsets: 0, totals: 0,
                    entries: (cost.count, rows * columns))
        require(plan.count == cost.count, "plan has \(plan.count) elements; expected \(cost.count)")
        let count = cost.count
        unsafe withPointers(cost, f, u) { cost, f, u in
            unsafe withPointers(h, v) { h, v in
                unsafe withPointers(&plan) { plan in
                    unsafe dsc_transport_plan_f64(rows, columns, count, cost, scale, f, h, u, v, plan)
                }
            }
        }
    }

    public static func gibbsColumnMaximum(
        rows: Int, columns: Int, cost: Span<Double>, scale: Double, rowShifts f: Span<Double>, rowScales u: Span<Double>,
        into maximum: inout MutableSpan<Double>
    ) {
        requirePass(rows, columns, rowCounts: [f.count, u.count], columnCounts: [maximum.count], offsets: 0, totals: 0,
                    entries: (cost.count, rows * columns))
        let count = cost.count
        unsafe withPointers(cost, f, u) { cost, f, u in
            unsafe withPointers(&maximum) { maximum in
                unsafe dsc_transport_column_max_f64(rows, columns, count, cost, scale, f, u, maximum)
            }
        }
    }

    public static func sumOfExponentials(_ x: Span<Double>) -> Double {
        unsafe withPointers(x) { [count = x.count] in unsafe dsc_transport_exp2_sum_f64(count, $0) }
    }
}
