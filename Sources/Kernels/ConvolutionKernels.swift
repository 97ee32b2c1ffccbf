import CKernels

// Witnesses of KernelScalar: one call of C for each block of lines, or for each pair of taps.

/// Grids with channels innermost, and windows of three taps along each axis: what the convolution kernels work on.
public struct GridConvolutionForm: Sendable, Hashable {
    public let images: Int
    /// One plane is a 2-D grid, whose windows have no taps along planes.
    public let planes: Int, rows: Int, columns: Int
    public let channels: Int, filters: Int
    public let isThreeDimensional: Bool

    /// - Precondition: no extent is negative; one plane in two dimensions.
    public init(images: Int, planes: Int, rows: Int, columns: Int, channels: Int, filters: Int, isThreeDimensional: Bool) {
        require(min(images, planes, rows, columns, channels, filters) >= 0,
                "\(images) grids of \(planes)×\(rows)×\(columns) with \(channels) channels and \(filters) filters; expected no negative number")
        require(isThreeDimensional || planes == 1, "\(planes) planes of a two-dimensional grid; expected 1")
        (self.images, self.planes, self.rows, self.columns) = (images, planes, rows, columns)
        (self.channels, self.filters, self.isThreeDimensional) = (channels, filters, isThreeDimensional)
    }

    /// The elements of the grids, of the results, and of the weights [plane tap, row tap, column tap, channel, filter].
    public var inputCount: Int { images * planes * rows * columns * channels }
    public var resultCount: Int { images * planes * rows * columns * filters }
    public var weightCount: Int { (isThreeDimensional ? 27 : 9) * channels * filters }

    fileprivate var planeTaps: Int { isThreeDimensional ? 3 : 1 }
    fileprivate var lines: Int { planes * rows }

    /// Lines of a block: few enough that each thread gets some, enough that a call is worth it.
    fileprivate var blockLines: Int {
        let work = max(1, columns * weightCount)
        return max(1, min((lines + Threads.count - 1) / max(1, Threads.count), max(1, (1 << 20) / work)))
    }

    /// Calls `body` with the image, first line and number of lines of each block, on up to ``Threads/count`` threads.
    fileprivate func forEachBlock(_ body: @Sendable (_ image: Int, _ first: Int, _ lines: Int) -> Void) {
        let block = blockLines, blocks = (lines + block - 1) / block
        concurrentPerform(iterations: images * blocks) { index in
            let first = index % blocks * block
            body(index / blocks, first, min(block, lines - first))
        }
    }

    fileprivate func requireCounts(_ x: Int, _ w: Int, _ y: Int) {
        require(x == inputCount && w == weightCount && y == resultCount,
                "convolution of \(x) elements with \(w) weights to \(y); expected \(inputCount), \(weightCount) and \(resultCount)")
    }

    fileprivate func requireCounts(_ x: Int, _ w: Int, bias: Int, residual: Int, _ y: Int) {
        requireCounts(x, w, y)
        require(bias == 0 || bias == filters, "a bias of \(bias) elements for \(filters) filters; expected one each, or none")
        require(residual == 0 || residual == resultCount, "\(residual) elements to add to \(resultCount); expected as many, or none")
    }
}

/// What C is called with, shared among threads that write disjoint parts of `result`.
@unsafe private struct ConvolutionOperands<Scalar>: @unchecked Sendable {
    let x: UnsafePointer<Scalar>?, w: UnsafePointer<Scalar>?, bias: UnsafePointer<Scalar>?, residual: UnsafePointer<Scalar>?
    let biasCount: Int, residualCount: Int
    let result: UnsafeMutablePointer<Scalar>
}

extension Float {
    public static func convolve(
        _ form: GridConvolutionForm, _ x: Span<Float>, weights w: Span<Float>, bias: Span<Float>, residual: Span<Float>, rectified: Bool,
        into y: inout MutableSpan<Float>
    ) {
        form.requireCounts(x.count, w.count, bias: bias.count, residual: residual.count, y.count)
        guard y.count > 0 else { return }
        unsafe withPointers(x, w) { x, w in
            unsafe withPointers(bias, residual) { b, r in
                unsafe y.withUnsafeMutableBufferPointer { y in
                    let o = unsafe ConvolutionOperands(
                        x: x, w: w, bias: b, residual: r, biasCount: bias.count, residualCount: residual.count,
                        result: y.baseAddress!)
                    form.forEachBlock { image, first, lines in
                        let places = form.lines * form.columns, start = (image * form.lines + first) * form.columns * form.filters
                        let count = lines * form.columns * form.filters
                        unsafe dsc_convolution_lines_f32(
                            form.planes, form.rows, form.columns, form.channels, form.filters, form.planeTaps, first, lines,
                            places * form.channels, o.x.map { unsafe $0 + image * places * form.channels }, form.weightCount, o.w,
                            o.biasCount, o.bias, o.residualCount == 0 ? 0 : count,
                            o.residualCount == 0 ? nil : unsafe o.residual! + start, rectified ? 1 : 0, count, o.result + start)
                    }
                }
            }
        }
    }

    public static func convolutionWeightGradient(
        _ form: GridConvolutionForm, _ x: Span<Float>, cotangent g: Span<Float>, into w: inout MutableSpan<Float>
    ) {
        form.requireCounts(x.count, w.count, g.count)
        w.update(repeating: 0)
        guard w.count > 0, x.count > 0 else { return }
        unsafe withPointers(x, g) { x, g in
            unsafe w.withUnsafeMutableBufferPointer { w in
                let o = unsafe ConvolutionOperands(
                    x: x, w: g, bias: nil, residual: nil, biasCount: 0, residualCount: 0, result: w.baseAddress!)
                // A pair of taps has weights of its own.
                concurrentPerform(iterations: form.planeTaps * 3) { tap in
                    let places = form.lines * form.columns, part = 3 * form.channels * form.filters
                    for image in 0..<form.images {
                        unsafe dsc_convolution_filters_f32(
                            form.planes, form.rows, form.columns, form.channels, form.filters, tap / 3 - form.planeTaps / 2, tap % 3 - 1,
                            places * form.channels, o.x! + image * places * form.channels, places * form.filters,
                            o.w! + image * places * form.filters, part, o.result + tap * part)
                    }
                }
            }
        }
    }
}

extension Double {
    public static func convolve(
        _ form: GridConvolutionForm, _ x: Span<Double>, weights w: Span<Double>, bias: Span<Double>, residual: Span<Double>, rectified: Bool,
        into y: inout MutableSpan<Double>
    ) {
        form.requireCounts(x.count, w.count, bias: bias.count, residual: residual.count, y.count)
        guard y.count > 0 else { return }
        unsafe withPointers(x, w) { x, w in
            unsafe withPointers(bias, residual) { b, r in
                unsafe y.withUnsafeMutableBufferPointer { y in
                    let o = unsafe ConvolutionOperands(
                        x: x, w: w, bias: b, residual: r, biasCount: bias.count, residualCount: residual.count,
                        result: y.baseAddress!)
                    form.forEachBlock { image, first, lines in
                        let places = form.lines * form.columns, start = (image * form.lines + first) * form.columns * form.filters
                        let count = lines * form.columns * form.filters
                        unsafe dsc_convolution_lines_f64(
                            form.planes, form.rows, form.columns, form.channels, form.filters, form.planeTaps, first, lines,
                            places * form.channels, o.x.map { unsafe $0 + image * places * form.channels }, form.weightCount, o.w,
                            o.biasCount, o.bias, o.residualCount == 0 ? 0 : count,
                            o.residualCount == 0 ? nil : unsafe o.residual! + start, rectified ? 1 : 0, count, o.result + start)
                    }
                }
            }
        }
    }

    public static func convolutionWeightGradient(
        _ form: GridConvolutionForm, _ x: Span<Double>, cotangent g: Span<Double>, into w: inout MutableSpan<Double>
    ) {
        form.requireCounts(x.count, w.count, g.count)
        w.update(repeating: 0)
        guard w.count > 0, x.count > 0 else { return }
        unsafe withPointers(x, g) { x, g in
            unsafe w.withUnsafeMutableBufferPointer { w in
                let o = unsafe ConvolutionOperands(
                    x: x, w: g, bias: nil, residual: nil, biasCount: 0, residualCount: 0, result: w.baseAddress!)
                // A pair of taps has weights of its own.
                concurrentPerform(iterations: form.planeTaps * 3) { tap in
                    let places = form.lines * form.columns, part = 3 * form.channels * form.filters
                    for image in 0..<form.images {
                        unsafe dsc_convolution_filters_f64(
                            form.planes, form.rows, form.columns, form.channels, form.filters, tap / 3 - form.planeTaps / 2, tap % 3 - 1,
                            places * form.channels, o.x! + image * places * form.channels, places * form.filters,
                            o.w! + image * places * form.filters, part, o.result + tap * part)
                    }
                }
            }
        }
    }
}
