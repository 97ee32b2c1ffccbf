import Descent
import Workloads

/// A benchmark by name; its data are made when it runs.
struct Entry: Sendable {
    let name: String
    let make: @Sendable () -> Workload

    init(_ name: String, _ make: @escaping @Sendable () -> Workload) {
        self.name = name
        self.make = make
    }
}

enum KernelEntries {
    static let binary: [Entry] = {
        var random = RandomStream(seed: 1)
        func signs(_ rows: Int, _ columns: Int) -> Matrix<Float> {
            Matrix(rows: rows, columns: columns, elements: random.rademacher(count: rows * columns))
        }
        var entries: [Entry] = []
        for (m, n, k) in [(1, 4096, 4096), (128, 768, 768), (1024, 1024, 1024)] {
            let x = signs(m, k), y = signs(n, k)
            let a = BinaryMatrix(signsOf: x), b = BinaryMatrix(signsOf: y), work = 2 * Double(m) * Double(n) * Double(k)
            entries += [
                Entry("binary xnor \(m)×\(n)×\(k)") {
                    let packed = PackedBinaryMatrix(b)
                    return Workload("", work: work, .operations, roofline: .popcount) { consume(xnorProduct(a, packed)) }
                },
                Entry("binary xnor \(m)×\(n)×\(k), scaled") {
                    let packed = PackedBinaryMatrix(b)
                    return Workload("", work: work, .operations, roofline: .popcount) { consume(scaledXnorProduct(a, packed)) }
                },
                Entry("binary xnor \(m)×\(n)×\(k), thresholds to bits") {
                    let words = b.wordsPerRow, offset = [Int32](repeating: Int32(k), count: m)
                    let panels = AlignedArray<UInt64>(repeating: 0, count: BinaryKernels.panelCount(rows: n, words: words)) {
                        BinaryKernels.packPanels(rows: n, words: words, from: b.words.span, stride: words, into: &$0)
                    }
                    let thresholds = [Int32](repeating: 0, count: n), stride = BinaryKernels.words(forColumns: n)
                    var bits = [UInt64](repeating: 0, count: m * stride)
                    return Workload("", work: work, .operations, roofline: .popcount) {
                        var span = bits.mutableSpan
                        panels.withSpan { panels in
                            BinaryKernels.thresholdedProduct(
                                .xor, m: m, n: n, words: words, offset: offset.span, a: a.words.span, stride: words,
                                panels: panels, thresholds: thresholds.span, into: &span, stride: stride)
                        }
                        consume(bits[0])
                    }
                },
                Entry("binary and \(m)×\(n)×\(k)") {
                    let packed = PackedBinaryMatrix(b)
                    return Workload("", work: work, .operations, roofline: .popcount) {
                        consume(andProduct(a, packed, as: .zeroOne))
                    }
                },
                Entry("binary xnor \(m)×\(n)×\(k), rival: sgemm") {
                    let transposed = y.transposed()
                    return Workload("", work: work, .operations, roofline: .gemm32) { consume(x * transposed) }
                },
            ]
        }
        let square = BinaryMatrix(signsOf: signs(4096, 4096)), row = BinaryMatrix(signsOf: signs(1, 4096))
        let bytes = Double(square.words.count * 8)
        entries += [
            Entry("binary xnor of a matrix and a vector, 4096×4096") {
                Workload("", work: 2 * 4096 * 4096, .operations, roofline: .popcount) { consume(xnorProduct(square, vector: row)) }
            },
            Entry("binary transpose 4096×4096") {
                Workload("", work: 2 * bytes, .bytes, roofline: .copyInCache) { consume(square.transposed()) }
            },
            Entry("binary panels 4096×4096") {
                Workload("", work: 2 * bytes, .bytes, roofline: .copyInCache) { consume(PackedBinaryMatrix(square)) }
            },
            Entry("binary row counts 4096×4096") {
                Workload("", work: bytes, .bytes, roofline: .copyInCache) { consume(square.rowCounts()) }
            },
            Entry("binary sign packing 4096×16384") {
                let x = Matrix<Float>(rows: 4096, columns: 16384, elements: [Float](repeating: 1, count: 4096 * 16384))
                return Workload("", work: 4.125 * 4096 * 16384, .bytes, roofline: .copy) { consume(BinaryMatrix(signsOf: x)) }
            },
            Entry("binary sign packing with scale 4096×16384") {
                let x = Matrix<Float>(rows: 4096, columns: 16384, elements: [Float](repeating: 1, count: 4096 * 16384))
                return Workload("", work: 4.125 * 4096 * 16384, .bytes, roofline: .copy) {
                    consume(try? BinaryMatrix.signsAndScales(of: x))
                }
            },
        ]
        return entries
    }()

    static let vector: [Entry] = streams("f32", Float.self) + streams("f64", Double.self)
        + maps("f32", Float.self) + maps("f64", Double.self) + rivals

    private static func streams<T: KernelScalar>(_ type: String, _: T.Type) -> [Entry] {
        let n = (256 << 20) / MemoryLayout<T>.size
        let one = Double(n * MemoryLayout<T>.size)
        func entry(_ name: String, _ arrays: Double, _ roofline: Roofline, _ run: @escaping @Sendable ([T], inout [T]) -> Void) -> Entry {
            Entry("vector \(name) \(type), beyond the cache") {
                let x = [T](repeating: 1, count: n), y = Buffer([T](repeating: 1, count: n))
                return Workload("", work: arrays * one, .bytes, roofline: roofline) { y.modify { run(x, &$0) } }
            }
        }
        return [
            entry("dot", 2, .read) { consume(T.dot($0.span, $1.span)) },
            entry("sum", 1, .read) { x, _ in consume(T.sum(x.span)) },
            entry("nrm2", 1, .read) { x, _ in consume(T.nrm2(x.span)) },
            entry("max |x|", 1, .read) { x, _ in consume(T.maxAbs(x.span)) },
            entry("axpy", 3, .update) { x, y in
                var span = y.mutableSpan
                T.axpy(0x1p-60, x.span, &span)
            },
            entry("axpby", 3, .update) { x, y in
                var span = y.mutableSpan
                T.axpby(0.5, x.span, 0.5, &span)
            },
            entry("scale", 2, .update) { _, y in
                var span = y.mutableSpan
                T.scale(1, &span)
            },
            entry("a x + b y + c z", 2, .copy) { x, y in
                var span = y.mutableSpan
                T.linearCombination(1, x.span, 2, x.span, 3, x.span, into: &span)
            },
        ]
    }

    private static func maps<T: KernelScalar>(_ type: String, _: T.Type) -> [Entry] {
        let n = 1024
        func entry(_ name: String, _ run: @escaping @Sendable ([T], inout [T]) -> Void) -> Entry {
            Entry("vector \(name) \(type), \(n) elements") {
                let x = (0..<n).map { T($0 + 1) / T(n) }, y = Buffer([T](repeating: 0, count: n))
                return Workload("", work: Double(2 * n * MemoryLayout<T>.size), .bytes, roofline: .copyInCache) {
                    y.modify { run(x, &$0) }
                }
            }
        }
        return [
            entry("exp") { var y = $1.mutableSpan; T.exp($0.span, into: &y) },
            entry("log") { var y = $1.mutableSpan; T.log($0.span, into: &y) },
            entry("tanh") { var y = $1.mutableSpan; T.tanh($0.span, into: &y) },
            entry("logistic") { var y = $1.mutableSpan; T.logistic($0.span, into: &y) },
            entry("erf") { var y = $1.mutableSpan; T.erf($0.span, into: &y) },
            entry("sqrt") { var y = $1.mutableSpan; T.sqrt($0.span, into: &y) },
            entry("reciprocal") { var y = $1.mutableSpan; T.reciprocal($0.span, into: &y) },
            entry("soft-max") { x, y in
                var y = y.mutableSpan
                T.softmax(rows: 4, columns: n / 4, of: x.span, stride: n / 4, into: &y, stride: n / 4)
            },
            entry("log-sum-exp") { x, y in
                var all = y.mutableSpan
                var z = all._mutatingExtracting(0..<4)
                T.logSumExp(rows: 4, columns: n / 4, of: x.span, stride: n / 4, into: &z)
            },
        ]
    }

    /// The plain Swift loop over the C library, on the same data.
    private static let rivals: [Entry] = VectorWorkloads.plainLoops.sorted { $0.key < $1.key }.map { name, run in
        let n = 1024
        return Entry("vector \(name) f32, \(n) elements, rival: plain loop over libm") {
            let x = (0..<n).map { Float($0 + 1) / Float(n) }, y = Buffer([Float](repeating: 0, count: n))
            return Workload("", work: Double(8 * n), .bytes, roofline: .copyInCache) { y.modify { run(x, &$0) } }
        }
    }

    /// Steps on 10⁷ parameters, beyond the caches.
    static let optimizer: [Entry] = optimizerSteps("f32", Float.self) + optimizerSteps("f64", Double.self)

    private static func optimizerSteps<T: KernelScalar>(_ type: String, _: T.Type) -> [Entry] {
        let n = 10_000_000
        func entry<O: Optimizer<T>>(_ name: String, streams: Int, _ optimizer: O) -> Entry {
            Entry("optimizer \(name) \(type), \(n) parameters") {
                let x = Buffer([T](repeating: 1, count: n)), g = [T](repeating: 0.5, count: n)
                let state = Box(optimizer.initialState(like: g))
                return Workload("", work: Double(streams * n * MemoryLayout<T>.size), .bytes, roofline: .update) {
                    x.modify { optimizer.step(&$0, gradient: g, state: &state.value) }
                }
            }
        }
        let adaHessian = Entry("optimizer AdaHessian kernel \(type), \(n) parameters") {
            var c = MomentCoefficients<T>(step: 1e-6, b1: 0.9, b2: 0.999, t1: 1, t2: 1)
            c.epsilon = 1e-4
            let g = [T](repeating: 0.5, count: n), d = [T](repeating: 0.25, count: n), m = Buffer(g), v = Buffer(g), x = Buffer(g)
            return Workload("", work: Double(8 * n * MemoryLayout<T>.size), .bytes, roofline: .update) { [c] in
                m.modify { m in
                    v.modify { v in
                        x.modify { x in
                            var first = m.mutableSpan, second = v.mutableSpan, parameters = x.mutableSpan
                            T.adaHessianStep(
                                c, gradient: g.span, hessianDiagonal: d.span, first: &first, second: &second, parameters: &parameters)
                        }
                    }
                }
            }
        }
        return [
            entry("SGD", streams: 3, SGD<T>(learningRate: 1e-6)),
            entry("momentum", streams: 5, SGD<T>(learningRate: 1e-6, momentum: 0.9)),
            entry("Adam", streams: 7, Adam<T>(learningRate: 1e-6)),
            entry("AdamW", streams: 7, AdamW<T>(learningRate: 1e-6)),
            entry("RMSProp", streams: 5, RMSProp<T>(learningRate: 1e-6)),
            entry("Lion", streams: 5, Lion<T>(learningRate: 1e-6)),
            entry("EXAdam", streams: 7, EXAdam<T>(learningRate: 1e-6)),
            adaHessian,
            entry("Adam by its chain, rival", streams: 7, TransformationOptimizer(chain(T.self) {
                ScaleByAdam()
                ScaleByLearningRate(1e-6)
            })),
        ]
    }

    static let tensor: [Entry] = arithmetic("f32", Float.self) + arithmetic("f64", Double.self)
        + derivatives("f32", Float.self) + derivatives("f64", Double.self) + rows("f32", Float.self) + rows("f64", Double.self)

    private static func arithmetic<T: KernelScalar>(_ type: String, _: T.Type) -> [Entry] {
        let n = (128 << 20) / MemoryLayout<T>.size
        func entry(
            _ name: String, _ arrays: Double, _ run: @escaping @Sendable (Span<T>, Span<T>, inout MutableSpan<T>) -> Void
        ) -> Entry {
            Entry("tensor \(name) \(type), beyond the cache") {
                let a = [T](repeating: 1, count: n), b = [T](repeating: 0.5, count: n)
                let y = Buffer([T](repeating: 1, count: n))
                return Workload("", work: arrays * Double(n * MemoryLayout<T>.size), .bytes, roofline: .copy) {
                    y.modify {
                        var span = $0.mutableSpan
                        run(a.span, b.span, &span)
                    }
                }
            }
        }
        return [
            entry("multiply", 3) { T.multiply($0, $1, into: &$2) },
            entry("divide", 3) { T.divide($0, $1, into: &$2) },
            entry("add", 3) { T.add($0, $1, into: &$2) },
            entry("subtract", 3) { T.subtract($0, $1, into: &$2) },
            entry("maximum", 3) { T.maximum($0, $1, into: &$2) },
            entry("minimum", 3) { T.minimum($0, $1, into: &$2) },
            entry("x y + x", 3) { T.multiplyAdd($0, $1, $0, into: &$2) },
            entry("x y + x x", 3) { T.sumOfProducts($0, $1, $0, $0, into: &$2) },
            entry("a x + b", 2) { x, _, y in T.affine(0.5, x, 0.25, into: &y) },
        ]
    }

    /// Values of the functions that have no entry among the maps, and the derivatives of all.
    private static func derivatives<T: KernelScalar>(_ type: String, _: T.Type) -> [Entry] {
        let n = 1024, one = Double(n * MemoryLayout<T>.size)
        func entry(_ name: String, _ arrays: Double, _ run: @escaping @Sendable (Span<T>, inout MutableSpan<T>) -> Void) -> Entry {
            Entry("tensor \(name) \(type), \(n) elements") {
                let x = (0..<n).map { T($0 + 1) / T(n) }, y = Buffer([T](repeating: 0, count: n))
                return Workload("", work: arrays * one, .bytes, roofline: .copyInCache) {
                    y.modify {
                        var span = $0.mutableSpan
                        run(x.span, &span)
                    }
                }
            }
        }
        let values = [ElementwiseFunction.sin, .cos, .relu, .gelu, .silu, .softplus, .abs, .square]
        return values.map { f in entry("\(f)", 2) { T.apply(f, $0, into: &$1) } }
            + ElementwiseFunction.allCases.flatMap { f in
                [
                    entry("pullback of \(f)", 2) { T.pullback(f, $0, saved: $0, into: &$1) },
                    entry("tangent of the pullback of \(f)", 2) {
                        T.pullbackTangent(f, $0, saved: $0, $0, savedTangent: $0, into: &$1)
                    },
                ]
            }
    }

    static let sketch = sketches("f32", Float.self) + sketches("f64", Double.self)

    private static func sketches<T: KernelScalar>(_ type: String, _: T.Type) -> [Entry] {
        let size = Double(MemoryLayout<T>.size)
        func entry(_ name: String, _ count: Int, _ run: @escaping @Sendable (inout MutableSpan<T>) -> Void) -> Entry {
            Entry("sketch \(name) \(type)") {
                let x = Buffer([T](repeating: 0, count: count))
                return Workload("", work: 2 * Double(count) * size, .bytes, roofline: .copy) {
                    x.modify {
                        var span = $0.mutableSpan
                        run(&span)
                    }
                }
            }
        }
        return [
            entry("Hadamard transform, 2²⁰", 1 << 20) { T.hadamard(&$0) },
            entry("Hadamard transform of columns, 131072×64", 131_072 * 64) { T.hadamardRows(rows: 131_072, columns: 64, &$0) },
            Entry("sketch sparse signs, 20000×500 to 2000 \(type)") {
                let a = Matrix(rows: 20_000, columns: 500, elements: [T](repeating: 1, count: 20_000 * 500))
                let s = SparseSignEmbedding().sample(T.self, rows: 2000, columns: a.rows, random: RandomStream(seed: 1))
                return Workload("", work: Double(a.elements.count) * size, .bytes, roofline: .read) { consume(s.apply(to: a)) }
            },
            Entry("sketch CountSketch, 20000×500 to 2000 \(type)") {
                let a = Matrix(rows: 20_000, columns: 500, elements: [T](repeating: 1, count: 20_000 * 500))
                let s = SparseSignEmbedding.countSketch.sample(T.self, rows: 2000, columns: a.rows, random: RandomStream(seed: 1))
                return Workload("", work: Double(a.elements.count) * size, .bytes, roofline: .read) { consume(s.apply(to: a)) }
            },
            Entry("sketch residual and pullback, 20000×500 \(type)") {
                let a = [T](repeating: 1, count: 20_000 * 500), x = [T](repeating: 0, count: 500), b = [T](repeating: 1, count: 20_000)
                let r = Buffer(b), g = Buffer(x)
                return Workload("", work: Double(a.count) * size, .bytes, roofline: .read) {
                    r.modify { r in
                        g.modify { g in
                            var residual = r.mutableSpan, pulled = g.mutableSpan
                            T.residualPullback(rows: 20_000, columns: 500, of: a.span, x.span, b.span, into: &residual, pulled: &pulled)
                        }
                    }
                }
            },
            Entry("sketch sign pullback, 20000×500 \(type)") {
                let a = [T](repeating: 1, count: 20_000 * 500), x = [T](repeating: 0, count: 500), b = [T](repeating: 1, count: 20_000)
                let r = Buffer(b), g = Buffer(x)
                return Workload("", work: Double(a.count) * size, .bytes, roofline: .read) {
                    r.modify { r in
                        g.modify { g in
                            var residual = r.mutableSpan, pulled = g.mutableSpan
                            T.signPullback(rows: 20_000, columns: 500, of: a.span, x.span, b.span, into: &residual, pulled: &pulled)
                        }
                    }
                }
            },
            Entry("sketch gathered rows, 20000×64 \(type)") {
                let x = [T](repeating: 1, count: 20_000 * 64), y = Buffer(x)
                let targets = (0..<20_000).map { Int32($0 * 7919 % 20_000) }
                return Workload("", work: 2 * Double(x.count) * size, .bytes, roofline: .copy) {
                    y.modify {
                        var span = $0.mutableSpan
                        T.gatherRows(columns: 64, of: x.span, targets: targets.span, into: &span)
                    }
                }
            },
            Entry("sketch gathered normal equations, 20000×10 \(type)") {
                let x = [T](repeating: 1, count: 20_000 * 10), b = [T](repeating: 1, count: 20_000)
                let gram = Buffer([T](repeating: 0, count: 100)), g = Buffer([T](repeating: 0, count: 10))
                let targets = (0..<20_000).map { Int32($0 * 7919 % 20_000) }
                return Workload("", work: Double(x.count) * size, .bytes, roofline: .read) {
                    gram.modify { gram in
                        g.modify { g in
                            var gram = gram.mutableSpan, g = g.mutableSpan
                            T.gatherGram(columns: 10, of: x.span, targets: targets.span, b.span, into: &gram, pulled: &g)
                        }
                    }
                }
            },
        ]
    }

    static let transport = transports("f32", Float.self, .exponentials32) + transports("f64", Double.self, .exponentials64)

    /// 500 × 500 pairs: costs that lie in the second-level cache.
    private static func transports<T: KernelScalar>(_ type: String, _: T.Type, _ roofline: Roofline) -> [Entry] {
        let n = 500, ones = [T](repeating: 1, count: n), none: [T] = []
        func entry(_ name: String, _ run: @escaping @Sendable (_ f: inout [T], _ s: inout [T], _ u: inout [T], _ totals: inout [Double]) -> Void) -> Entry {
            Entry("transport \(name) \(type)") {
                let f = Buffer(ones), s = Buffer(ones), u = Buffer(ones), totals = Buffer([Double](repeating: 0, count: n))
                return Workload("", work: Double(n * n), .operations, roofline: roofline) {
                    f.modify { f in s.modify { s in u.modify { u in totals.modify { run(&f, &s, &u, &$0) } } } }
                }
            }
        }
        let cost = (0..<n * n).map { T($0 * 7919 % 4096) / 256 }, points = (0..<3 * n).map { T($0 * 7919 % 4096) / 1024 }
        return [
            entry("pass over costs, 500×500") { f, s, u, totals in
                var fs = f.mutableSpan, ss = s.mutableSpan, us = u.mutableSpan, ts = totals.mutableSpan
                T.gibbsPass(
                    rows: n, columns: n, cost: cost.span, scale: 1, rowShifts: &fs, columnShifts: ones.span, columnScales: ones.span,
                    rule: .divide, weights: ones.span, offsets: none.span, rowSums: &ss, rowScales: &us, columnTotals: &ts)
            },
            entry("pass over points, 500×500 in 3 dimensions") { f, s, u, totals in
                var fs = f.mutableSpan, ss = s.mutableSpan, us = u.mutableSpan, ts = totals.mutableSpan
                T.gibbsPass(
                    rows: n, columns: n, cost: .squared, dimension: 3, x: points.span, y: points.span, scale: 1, rowShifts: &fs,
                    columnShifts: ones.span, columnScales: ones.span, rule: .divide, weights: ones.span, offsets: none.span, rowSums: &ss,
                    rowScales: &us, columnTotals: &ts)
            },
        ]
    }

    static let convolution = convolutions("f32", Float.self, .gemm32) + convolutions("f64", Double.self, .gemm64)

    /// 16 channels on 64 × 64 places.
    private static func convolutions<T: KernelScalar>(_ type: String, _: T.Type, _ roofline: Roofline) -> [Entry] {
        let form = GridConvolutionForm(images: 1, planes: 1, rows: 64, columns: 64, channels: 16, filters: 16, isThreeDimensional: false)
        let work = 18 * Double(64 * 64 * 16 * 16), x = [T](repeating: 0.5, count: form.inputCount)
        return [
            Entry("convolution of a grid, 64×64, 16 channels \(type)") {
                let w = [T](repeating: 0.5, count: form.weightCount), b = [T](repeating: 1, count: 16), y = Buffer(x)
                return Workload("", work: work, .operations, roofline: roofline) {
                    y.modify {
                        var span = $0.mutableSpan
                        T.convolve(form, x.span, weights: w.span, bias: b.span, residual: x.span, rectified: true, into: &span)
                    }
                }
            },
            Entry("convolution weight gradient, 64×64, 16 channels \(type)") {
                let w = Buffer([T](repeating: 0, count: form.weightCount))
                return Workload("", work: work, .operations, roofline: roofline) {
                    w.modify {
                        var span = $0.mutableSpan
                        T.convolutionWeightGradient(form, x.span, cotangent: x.span, into: &span)
                    }
                }
            },
        ]
    }

    static let matrix = products("f32", Float.self, .gemm32) + products("f64", Double.self, .gemm64)

    /// A dense layer of 512 by 512 on a batch of 256, its gradient in the weights and that in its inputs.
    private static func products<T: KernelScalar>(_ type: String, _: T.Type, _ roofline: Roofline) -> [Entry] {
        [("256×512×512", MatrixProductForm(rows: 256, columns: 512, inner: 512)),
         ("512×512×256, transposed left", MatrixProductForm(rows: 512, columns: 512, inner: 256, transposeA: true)),
         ("256×512×512, transposed right", MatrixProductForm(rows: 256, columns: 512, inner: 512, transposeB: true))].flatMap { name, form in
            let work = 2 * Double(form.rows * form.columns * form.inner)
            let a = [T](repeating: 0.5, count: form.countA), b = [T](repeating: 0.25, count: form.countB), none: [T] = []
            return [
                Entry("product of matrices \(name) \(type)") {
                    let c = Buffer([T](repeating: 0, count: form.count))
                    return Workload("", work: work, .operations, roofline: roofline) {
                        c.modify {
                            var span = $0.mutableSpan
                            T.multiply(form, alpha: 1, a.span, b.span, beta: 0, row: none.span, into: &span)
                        }
                    }
                },
                Entry("product of matrices \(name) \(type), rival: OpenBLAS") {
                    let x = Matrix(rows: form.transposeA ? form.inner : form.rows, columns: form.transposeA ? form.rows : form.inner, elements: a)
                    let y = Matrix(rows: form.transposeB ? form.columns : form.inner, columns: form.transposeB ? form.inner : form.columns, elements: b)
                    // Without AVX-512 of our own, products are those of BLAS.
                    return Workload("", work: work, .operations, roofline: roofline) {
                        try? withKernelTier(.scalar) { consume(multiply(x, y, transposeA: form.transposeA, transposeB: form.transposeB)[0, 0]) }
                    }
                },
            ]
        }
    }

    static let selection = selections("f32", Float.self) + selections("f64", Double.self)

    /// Over rows of 2000, as if all that is read came from a cache at the speed of a copy.
    private static func selections<T: KernelScalar>(_ type: String, _: T.Type) -> [Entry] {
        let n = 2000, c = (0..<n).map { T(($0 * 7919) % n) / T(n) }, v = (0..<n).map { T(($0 * 104_729) % n) / T(n) }
        func entry(_ name: String, _ arrays: Double, _ run: @escaping @Sendable (inout MutableSpan<T>, inout MutableSpan<Int32>) -> Void) -> Entry {
            Entry("selection \(name) \(type)") {
                let x = Buffer(c), places = Buffer([Int32](repeating: 0, count: n))
                return Workload("", work: arrays * Double(n * MemoryLayout<T>.size), .bytes, roofline: .copyInCache) {
                    x.modify { x in
                        places.modify { places in
                            var span = x.mutableSpan, where_ = places.mutableSpan
                            run(&span, &where_)
                        }
                    }
                }
            }
        }
        return [
            entry("least pair", 2) { _, _ in consume(T.leastPair(of: c.span, minus: v.span)) },
            entry("relax", 4 + 8 / Double(MemoryLayout<T>.size)) { consume(T.relax(c.span, minus: v.span, plus: 0, row: 1, into: &$0, from: &$1)) },
            entry("largest 8", 2) { x, places in
                var values = x._mutatingExtracting(0..<8), eight = places._mutatingExtracting(0..<8)
                consume(T.largest(of: c.span, minus: v.span, values: &values, places: &eight))
            },
            entry("excess", 2) { _, _ in consume(T.excess(of: c.span, minus: v.span, over: 0.25)) },
            entry("add excess", 4) { x, _ in T.addExcess(of: c.span, minus: v.span, over: 0.25, times: 0, into: &x) },
        ]
    }

    static let stencil = stencils("f32", Float.self) + stencils("f64", Double.self)

    /// On 512×512 points with zero values around; arrays counted as if each were read or written once.
    private static func stencils<T: KernelScalar>(_ type: String, _: T.Type) -> [Entry] {
        let side = 512, n = side * side, axis = [0] + [T](repeating: 1, count: side - 1)
        let coefficients: [T] = [0, 0, 0, 1]
            + [axis, axis.reversed(), [T](repeating: 2, count: side), [T](repeating: 1, count: side)].flatMap { $0 }
            + [axis, axis.reversed(), [T](repeating: 2, count: side), [T](repeating: 1, count: side)].flatMap { $0 }
        let grid = StencilGrid<T>(planes: 1, rows: side, columns: side, coefficients: coefficients, shift: 0)
        let transfer = StencilTransfer<T>(planes: 1, rows: side, columns: side, weights: [T](repeating: 0.5, count: 2 * (1 + 2 * side)))
        func entry(
            _ name: String, _ arrays: Double, _ run: @escaping @Sendable (Span<T>, inout MutableSpan<T>, inout MutableSpan<T>) -> Void
        ) -> Entry {
            Entry("stencil \(name), 512×512 \(type)") {
                let x = (0..<n).map { T($0 % 97) / 97 }, y = Buffer([T](repeating: 0, count: n)), z = Buffer([T](repeating: 0, count: n))
                return Workload("", work: arrays * Double(n * MemoryLayout<T>.size), .bytes, roofline: .copyInCache) {
                    y.modify { y in
                        z.modify { z in
                            var ys = y.mutableSpan, zs = z.mutableSpan
                            run(x.span, &ys, &zs)
                        }
                    }
                }
            }
        }
        return [
            entry("apply", 2) { x, y, _ in consume(T.stencilApply(grid, x, into: &y)) },
            entry("residual", 3) { x, y, _ in consume(T.stencilResidual(grid, x, x, into: &y)) },
            entry("red-black sweep with its residual", 3) { x, y, z in
                var work = z._mutatingExtracting(0..<3 * side)
                consume(T.stencilRelax(grid, 1.5, .redBlack, measuring: true, work: &work, x, &y))
            },
            entry("ordered sweep", 3) { x, y, z in
                var work = z._mutatingExtracting(0..<3 * side)
                consume(T.stencilRelax(grid, 1.5, .forward, measuring: false, work: &work, x, &y))
            },
            entry("triangular solve", 2) { x, y, z in
                var work = z._mutatingExtracting(0..<3 * side)
                T.stencilSolveTriangle(grid, 1.5, upper: false, work: &work, x, into: &y)
            },
            entry("restriction", 1.25) { x, y, z in
                var work = z._mutatingExtracting(0..<side), coarse = y._mutatingExtracting(0..<n / 4)
                T.stencilRestrict(transfer, x, work: &work, into: &coarse)
            },
            entry("interpolation", 2.25) { x, y, z in
                var work = z._mutatingExtracting(0..<side)
                T.stencilProlong(transfer, x.extracting(0..<n / 4), work: &work, into: &y)
            },
        ]
    }

    private static func rows<T: KernelScalar>(_ type: String, _: T.Type) -> [Entry] {
        let rows = 8192, columns = 4096 * 4 / MemoryLayout<T>.size, one = Double(rows * columns * MemoryLayout<T>.size)
        func entry(
            _ name: String, _ arrays: Double, _ roofline: Roofline,
            _ run: @escaping @Sendable (Span<T>, Span<T>, inout MutableSpan<T>) -> Void
        ) -> Entry {
            Entry("tensor \(name) \(type), \(rows)×\(columns)") {
                let x = (0..<rows * columns).map { T($0 % 97) / 97 }, of = [T](repeating: 1, count: max(rows, columns))
                let y = Buffer([T](repeating: 0, count: rows * columns))
                return Workload("", work: arrays * one, .bytes, roofline: roofline) {
                    y.modify {
                        var span = $0.mutableSpan
                        run(x.span, of.span, &span)
                    }
                }
            }
        }
        let labels = [Int32](repeating: 3, count: rows)
        return [
            entry("bias of rows", 2, .copy) { T.addRow(rows: rows, columns: columns, $0, $1.extracting(0..<columns), into: &$2) },
            entry("scale of rows", 2, .copy) { T.multiplyRow(rows: rows, columns: columns, $0, $1.extracting(0..<columns), into: &$2) },
            entry("copy of runs", 2, .copy) { x, _, y in
                T.copyRuns(rows: rows, runs: columns / 16, length: 16, of: x, row: columns, step: 16, into: &y, row: columns, step: 16)
            },
            entry("sum of runs", 3, .copy) { x, _, y in
                T.addRuns(rows: rows, runs: columns / 16, length: 16, of: x, row: columns, step: 16, into: &y, row: columns, step: 16)
            },
            entry("row sums", 1, .read) { x, _, y in
                var z = y._mutatingExtracting(0..<rows)
                T.rowSums(rows: rows, columns: columns, of: x, into: &z)
            },
            entry("column sums", 1, .read) { x, _, y in
                var z = y._mutatingExtracting(0..<columns)
                T.columnSums(rows: rows, columns: columns, of: x, into: &z)
            },
            entry("row maximum", 1, .read) { x, _, y in
                var z = y._mutatingExtracting(0..<rows)
                T.rowMaximum(rows: rows, columns: columns, of: x, into: &z)
            },
            entry("pullback of soft-max", 2, .copy) { x, _, y in
                T.softmaxPullback(rows: rows, columns: columns, x, softmax: x, into: &y)
            },
            entry("log-soft-max", 2, .copy) { x, _, y in T.logSoftmax(rows: rows, columns: columns, of: x, into: &y) },
            entry("pullback of log-soft-max", 2, .copy) { x, _, y in
                T.logSoftmaxPullback(rows: rows, columns: columns, x, logSoftmax: x, into: &y)
            },
            entry("cross entropy", 1, .read) { x, _, y in
                var z = y._mutatingExtracting(0..<rows)
                T.crossEntropy(rows: rows, columns: columns, of: x, labels: labels.span, into: &z)
            },
            entry("pullback of cross entropy", 2, .copy) { x, g, y in
                T.crossEntropyPullback(rows: rows, columns: columns, g.extracting(0..<rows), of: x, labels: labels.span, into: &y)
            },
            entry("normalised rows", 2, .copy) { x, _, y in
                var means = [T](repeating: 0, count: rows), inverses = means
                var meansSpan = means.mutableSpan, inversesSpan = inverses.mutableSpan
                T.normalizeRows(rows: rows, columns: columns, of: x, epsilon: 1e-5, into: &y, means: &meansSpan,
                                inverseDeviations: &inversesSpan)
            },
            entry("pullback of normalised rows", 2, .copy) { x, r, y in
                T.normalizeRowsPullback(rows: rows, columns: columns, x, normalized: x, inverseDeviations: r.extracting(0..<rows), into: &y)
            },
            entry("layer norm", 2, .copy) { x, r, y in
                var means = [T](repeating: 0, count: rows), rests = means, inverses = means
                var meansSpan = means.mutableSpan, restsSpan = rests.mutableSpan, inversesSpan = inverses.mutableSpan
                T.layerNorm(rows: rows, columns: columns, of: x, epsilon: 1e-5, scale: r.extracting(0..<columns),
                            shift: r.extracting(0..<columns), into: &y, means: &meansSpan, rests: &restsSpan,
                            inverseDeviations: &inversesSpan)
            },
            entry("pullback of layer norm", 2, .copy) { x, r, y in
                var scale = [T](repeating: 0, count: columns), shift = scale
                var scaleSpan = scale.mutableSpan, shiftSpan = shift.mutableSpan
                let rowNumbers = r.extracting(0..<rows)
                T.layerNormPullback(rows: rows, columns: columns, x, of: x, means: rowNumbers, rests: rowNumbers,
                                    inverseDeviations: rowNumbers, scale: r.extracting(0..<columns), into: &y, scale: &scaleSpan,
                                    shift: &shiftSpan)
            },
        ]
    }

    static let random: [Entry] = {
        func fills<T: KernelScalar>(_ type: String, _: T.Type) -> [Entry] {
            let n = 1024, source = PhiloxSource(key: 1, stream: 2, counter: 3)
            func entry(_ name: String, _ run: @escaping @Sendable (inout MutableSpan<T>) -> Void) -> Entry {
                Entry("random \(name) \(type), \(n) elements") {
                    let y = Buffer([T](repeating: 0, count: n))
                    return Workload("", work: Double(n * MemoryLayout<T>.size), .bytes, roofline: .copyInCache) {
                        y.modify {
                            var span = $0.mutableSpan
                            run(&span)
                        }
                    }
                }
            }
            return [
                entry("uniform") { T.fillUniform(&$0, from: source) },
                entry("normal") { T.fillNormal(&$0, mean: 0, standardDeviation: 1, from: source) },
                entry("Rademacher") { T.fillRademacher(&$0, from: source) },
            ]
        }
        let generator = Entry("random, rival: SystemRandomNumberGenerator, 1024 Double") {
            let y = Buffer([Double](repeating: 0, count: 1024))
            return Workload("", work: 8 * 1024, .bytes, roofline: .copyInCache) {
                y.modify { for i in $0.indices { $0[i] = Double.random(in: 0..<1) } }
            }
        }
        return fills("f32", Float.self) + fills("f64", Double.self) + [generator]
    }()
}

/// A value that a closure may change.
private final class Box<Value> {
    var value: Value
    init(_ value: Value) { self.value = value }
}
