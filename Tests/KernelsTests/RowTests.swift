import Kernels
import Testing
import _TestSupport

/// Sums, extrema, losses and normalisation of the rows of contiguous matrices.
@Suite struct RowTests {
    @Test(arguments: KernelTier.supported) func boundsAtEveryLengthAndOffset(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for columns in kernelLengths {
                for offset in kernelOffsets {
                    checkSums(Float.self, 3, columns, offset, tier)
                    checkSums(Double.self, 3, columns, offset, tier)
                    checkRuns(Float.self, columns, offset, tier)
                    checkRuns(Double.self, columns, offset, tier)
                    checkSoftmaxes(Float.self, 3, columns, offset, tier)
                    checkSoftmaxes(Double.self, 3, columns, offset, tier)
                    checkNormalisation(Float.self, 3, columns, offset, tier)
                    checkNormalisation(Double.self, 3, columns, offset, tier)
                    // Blocks of eight rows, and a rest.
                    checkLayerNorm(Float.self, columns < 100 ? 11 : 3, columns, offset, tier)
                    checkLayerNorm(Double.self, columns < 100 ? 11 : 3, columns, offset, tier)
                }
            }
            // Blocks of rows, and strips of columns.
            for rows in 0...20 { checkSums(Float.self, rows, 21, 0, tier) }
            for rows in 0...20 { checkSums(Double.self, rows, 21, 0, tier) }
            checkSums(Float.self, 17, 1025, 1, tier)
        }
    }

    private func buffer<Scalar: KernelScalar>(
        _ count: Int, _ offset: Int, _ numbers: inout TestNumbers, scale: Double? = nil
    ) -> GuardedBuffer<Scalar> {
        var buffer = GuardedBuffer<Scalar>(count: count, offset: offset)
        for i in 0..<count { buffer[i] = Scalar(scale.map { $0 * numbers.unit() } ?? numbers.spread()) }
        return buffer
    }

    /// Windows of 3 rows on an image of rows of 5 runs, and back: neighbouring windows share two rows.
    private func checkRuns<Scalar: KernelScalar>(_: Scalar.Type, _ length: Int, _ offset: Int, _ tier: KernelTier) {
        let windows = 4, runs = 3, step = 5 * length
        var numbers = TestNumbers(seed: UInt64(length))
        let image: GuardedBuffer<Scalar> = buffer((windows + runs - 2) * step + length, offset, &numbers)
        var gathered: GuardedBuffer<Scalar> = buffer(windows * runs * length, offset, &numbers), sums = image
        image.withSpan { x in
            gathered.withMutableSpan {
                Scalar.copyRuns(rows: windows, runs: runs, length: length, of: x, row: step, step: step, into: &$0, row: runs * length, step: length)
            }
        }
        gathered.withSpan { y in
            sums.withMutableSpan {
                Scalar.addRuns(rows: windows, runs: runs, length: length, of: y, row: runs * length, step: length, into: &$0, row: step, step: step)
            }
        }
        var wrong = 0
        var expected = image.elements
        for w in 0..<windows {
            for r in 0..<runs {
                for k in 0..<length {
                    let from = (w + r) * step + k
                    if gathered[(w * runs + r) * length + k] != image[from] { wrong += 1 }
                    // In the kernel's order, so equal to the bit.
                    expected[from] += image[from]
                }
            }
        }
        wrong += zip(sums.elements, expected).count { $0 != $1 }
        #expect(wrong == 0, "runs of \(length), \(tier) \(Scalar.self) offset \(offset)")
    }

    private func checkSums<Scalar: KernelScalar>(_: Scalar.Type, _ rows: Int, _ columns: Int, _ offset: Int, _ tier: KernelTier) {
        var numbers = TestNumbers(seed: UInt64(columns))
        let x: GuardedBuffer<Scalar> = buffer(rows * columns, offset, &numbers)
        let b: GuardedBuffer<Scalar> = buffer(columns, offset, &numbers)
        var added = GuardedBuffer<Scalar>(count: rows * columns, offset: offset), multiplied = added, inPlace = x
        var rowSums = GuardedBuffer<Scalar>(count: rows, offset: offset), largest = rowSums
        var columnSums = GuardedBuffer<Scalar>(count: columns, offset: offset)
        x.withSpan { x in
            b.withSpan { b in
                added.withMutableSpan { Scalar.addRow(rows: rows, columns: columns, x, b, into: &$0) }
                multiplied.withMutableSpan { Scalar.multiplyRow(rows: rows, columns: columns, x, b, into: &$0) }
                inPlace.withMutableSpan { Scalar.addRow(rows: rows, columns: columns, &$0, b) }
            }
            rowSums.withMutableSpan { Scalar.rowSums(rows: rows, columns: columns, of: x, into: &$0) }
            columnSums.withMutableSpan { Scalar.columnSums(rows: rows, columns: columns, of: x, into: &$0) }
            largest.withMutableSpan { Scalar.rowMaximum(rows: rows, columns: columns, of: x, into: &$0) }
        }
        let u = Double(Scalar.ulpOfOne) / 2
        let place = "\(tier) \(Scalar.self) \(rows)×\(columns) offset \(offset)"
        let wrong = (0..<rows * columns).count {
            added[$0] != x[$0] + b[$0 % columns] || multiplied[$0] != x[$0] * b[$0 % columns] || inPlace[$0] != added[$0]
        }
        #expect(wrong == 0, "addRow, multiplyRow, \(place)")
        /// Whether `sum` is that of `terms` within `ulps` of their magnitudes.
        func isSum(_ sum: Scalar, _ terms: [Scalar], _ ulps: Double) -> Bool {
            var exact = DoubleDouble()
            for term in terms { exact.add(Double(term)) }
            let size = terms.reduce(0) { $0 + abs(Double($1)) }
            return abs(Double(sum) - exact.value) <= ulps * u * size + u * abs(exact.value)
        }
        for i in 0..<rows {
            let row = Array(x.elements[i * columns..<(i + 1) * columns])
            #expect(isSum(rowSums[i], row, 20) && largest[i] == row.max() ?? -.infinity, "row \(i), \(place)")
        }
        let strided = x.elements
        let wrongColumns = (0..<columns).filter { k in
            !isSum(columnSums[k], stride(from: k, to: rows * columns, by: columns).map { strided[$0] }, 8)
        }
        #expect(wrongColumns.isEmpty, "columnSums at \(wrongColumns.prefix(4)), \(place)")
        #expect(added.guardsAreIntact && multiplied.guardsAreIntact && inPlace.guardsAreIntact && rowSums.guardsAreIntact
                && columnSums.guardsAreIntact && largest.guardsAreIntact, "\(place)")
    }

    private func checkSoftmaxes<Scalar: KernelScalar>(
        _: Scalar.Type, _ rows: Int, _ columns: Int, _ offset: Int, _ tier: KernelTier
    ) {
        typealias Wide = WiderThanDouble
        var numbers = TestNumbers(seed: UInt64(columns))
        let x: GuardedBuffer<Scalar> = buffer(rows * columns, offset, &numbers, scale: 12)
        let g: GuardedBuffer<Scalar> = buffer(rows * columns, offset, &numbers)
        let gz: GuardedBuffer<Scalar> = buffer(rows, offset, &numbers)
        let labels = GuardedBuffer<Int32>(count: rows, offset: offset) { _ in columns == 0 ? 0 : Int32(numbers.bits() % UInt64(columns)) }
        var y = GuardedBuffer<Scalar>(count: rows * columns, offset: offset), logs = y, pulled = y, logsPulled = y, losses = y
        var z = GuardedBuffer<Scalar>(count: rows, offset: offset)
        x.withSpan { x in
            y.withMutableSpan { Scalar.softmax(rows: rows, columns: columns, of: x, stride: columns, into: &$0, stride: columns) }
            logs.withMutableSpan { Scalar.logSoftmax(rows: rows, columns: columns, of: x, into: &$0) }
            g.withSpan { g in
                y.withSpan { y in pulled.withMutableSpan { Scalar.softmaxPullback(rows: rows, columns: columns, g, softmax: y, into: &$0) } }
                logs.withSpan { y in
                    logsPulled.withMutableSpan { Scalar.logSoftmaxPullback(rows: rows, columns: columns, g, logSoftmax: y, into: &$0) }
                }
            }
            guard columns > 0 else { return }
            labels.withSpan { labels in
                z.withMutableSpan { Scalar.crossEntropy(rows: rows, columns: columns, of: x, labels: labels, into: &$0) }
                gz.withSpan { g in
                    losses.withMutableSpan { Scalar.crossEntropyPullback(rows: rows, columns: columns, g, of: x, labels: labels, into: &$0) }
                }
            }
        }
        let u = Wide(Scalar.ulpOfOne) / 2, least = Wide(Scalar.leastNonzeroMagnitude)
        let place = "\(tier) \(Scalar.self) columns \(columns) offset \(offset)"
        for i in 0..<rows where columns > 0 {
            let range = i * columns..<(i + 1) * columns
            let row = range.map { Wide(x[$0]) }, m = row.max()!
            let sum = row.reduce(0) { $0 + libraryValue(.exp, $1 - m) }, logSum = libraryValue(.log, sum)
            let products = range.map { Wide(g[$0]) * Wide(y[$0]) }, cotangents = range.map { Wide(g[$0]) }
            let product = products.reduce(0, +), productSize = products.reduce(0) { $0 + abs($1) }
            let total = cotangents.reduce(0, +), totalSize = cotangents.reduce(0) { $0 + abs($1) }
            let label = Int(labels[i]), loss = logSum - (row[label] - m), size = abs(Wide(gz[i]))
            #expect(abs(Wide(z[i]) - loss) <= (6 + 2 * abs(loss)) * u, "crossEntropy, \(place)")
            let wrong = range.filter { j in
                let k = j - range.lowerBound, log = row[k] - m - logSum, share = libraryValue(.exp, log)
                let gj = Wide(g[j]), yj = Wide(y[j]), power = libraryValue(.exp, Wide(logs[j]))
                let isLabel = k == label
                return !(abs(Wide(logs[j]) - log) <= (6 + 3 * abs(log)) * u)
                    || !(abs(Wide(pulled[j]) - yj * (gj - product)) <= 24 * u * yj * (abs(gj) + productSize) + least)
                    || !(abs(Wide(logsPulled[j]) - (gj - power * total)) <= 24 * u * (abs(gj) + power * totalSize))
                    || !(abs(Wide(losses[j]) - (share - (isLabel ? 1 : 0)) * Wide(gz[i]))
                        <= (isLabel ? 10 : (8 + 2 * (m - row[k])) * share) * u * size + least)
            }
            #expect(wrong.isEmpty, "soft-maxes, \(place): wrong at \(wrong.prefix(4))")
        }
        #expect(logs.guardsAreIntact && pulled.guardsAreIntact && logsPulled.guardsAreIntact && losses.guardsAreIntact
                && z.guardsAreIntact, "\(place)")
    }

    private func checkNormalisation<Scalar: KernelScalar>(
        _: Scalar.Type, _ rows: Int, _ columns: Int, _ offset: Int, _ tier: KernelTier
    ) {
        typealias Wide = WiderThanDouble
        var numbers = TestNumbers(seed: UInt64(columns))
        // The second row's mean is large beside its deviation.
        let x = GuardedBuffer<Scalar>(count: rows * columns, offset: offset) {
            Scalar(numbers.unit() + ($0 / columns == 1 ? 1000 : 0))
        }
        let g: GuardedBuffer<Scalar> = buffer(rows * columns, offset, &numbers)
        var y = GuardedBuffer<Scalar>(count: rows * columns, offset: offset), pulled = y
        var means = GuardedBuffer<Scalar>(count: rows, offset: offset), inverses = means
        x.withSpan { x in
            y.withMutableSpan { y in
                means.withMutableSpan { means in
                    inverses.withMutableSpan {
                        Scalar.normalizeRows(rows: rows, columns: columns, of: x, epsilon: 1e-5, into: &y, means: &means,
                                             inverseDeviations: &$0)
                    }
                }
            }
        }
        g.withSpan { g in
            y.withSpan { y in
                inverses.withSpan { r in
                    pulled.withMutableSpan {
                        Scalar.normalizeRowsPullback(rows: rows, columns: columns, g, normalized: y, inverseDeviations: r, into: &$0)
                    }
                }
            }
        }
        let u = Wide(Scalar.ulpOfOne) / 2, epsilon = Wide(1e-5 as Scalar), n = Wide(max(1, columns))
        let place = "\(tier) \(Scalar.self) columns \(columns) offset \(offset)"
        for i in 0..<rows {
            let range = i * columns..<(i + 1) * columns
            let mean = range.reduce(Wide(0)) { $0 + Wide(x[$1]) } / n
            let variance = range.reduce(Wide(0)) { $0 + (Wide(x[$1]) - mean) * (Wide(x[$1]) - mean) } / n
            let inverse = 1 / (variance + epsilon).squareRoot()
            #expect(abs(Wide(means[i]) - mean) <= 2 * u * abs(mean) + 20 * u && abs(Wide(inverses[i]) - inverse) <= 16 * u * inverse,
                    "mean and deviation, \(place)")
            let cotangent = range.reduce(Wide(0)) { $0 + Wide(g[$1]) } / n
            let cotangentSize = range.reduce(Wide(0)) { $0 + abs(Wide(g[$1])) } / n
            let slope = range.reduce(Wide(0)) { $0 + Wide(g[$1]) * Wide(y[$1]) } / n
            let slopeSize = range.reduce(Wide(0)) { $0 + abs(Wide(g[$1]) * Wide(y[$1])) } / n
            let wrong = range.filter { j in
                let exact = (Wide(x[j]) - mean) * inverse, gj = Wide(g[j]), yj = Wide(y[j]), r = Wide(inverses[i])
                return !(abs(yj - exact) <= (25 + 16 * abs(exact)) * u)
                    || !(abs(Wide(pulled[j]) - r * (gj - cotangent - yj * slope))
                        <= 26 * u * r * (abs(gj) + cotangentSize + abs(yj) * slopeSize))
            }
            #expect(wrong.isEmpty, "normalizeRows, \(place): wrong at \(wrong.prefix(4))")
        }
        #expect(y.guardsAreIntact && pulled.guardsAreIntact && means.guardsAreIntact && inverses.guardsAreIntact, "\(place)")
    }

    private func checkLayerNorm<Scalar: KernelScalar>(_: Scalar.Type, _ rows: Int, _ columns: Int, _ offset: Int, _ tier: KernelTier) {
        typealias Wide = WiderThanDouble
        var numbers = TestNumbers(seed: UInt64(columns + 7))
        // The second row's mean is large beside its deviation.
        let x = GuardedBuffer<Scalar>(count: rows * columns, offset: offset) {
            Scalar(numbers.unit() + ($0 / columns == 1 ? 1000 : 0))
        }
        let g: GuardedBuffer<Scalar> = buffer(rows * columns, offset, &numbers), scale: GuardedBuffer<Scalar> = buffer(columns, offset, &numbers)
        let shift: GuardedBuffer<Scalar> = buffer(columns, offset, &numbers)
        var y = GuardedBuffer<Scalar>(count: rows * columns, offset: offset), pulled = y
        var means = GuardedBuffer<Scalar>(count: rows, offset: offset), rests = means, inverses = means
        var scales = GuardedBuffer<Scalar>(count: columns, offset: offset), shifts = scales
        x.withSpan { x in
            scale.withSpan { scale in
                shift.withSpan { shift in
                    y.withMutableSpan { y in
                        means.withMutableSpan { means in
                            rests.withMutableSpan { rests in
                                inverses.withMutableSpan {
                                    Scalar.layerNorm(rows: rows, columns: columns, of: x, epsilon: 1e-5, scale: scale, shift: shift, into: &y,
                                                     means: &means, rests: &rests, inverseDeviations: &$0)
                                }
                            }
                        }
                    }
                }
                g.withSpan { g in
                    means.withSpan { means in
                        rests.withSpan { rests in
                            inverses.withSpan { inverses in
                                pulled.withMutableSpan { pulled in
                                    scales.withMutableSpan { scales in
                                        shifts.withMutableSpan {
                                            Scalar.layerNormPullback(
                                                rows: rows, columns: columns, g, of: x, means: means, rests: rests,
                                                inverseDeviations: inverses, scale: scale, into: &pulled, scale: &scales, shift: &$0)
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        let u = Wide(Scalar.ulpOfOne) / 2, epsilon = Wide(1e-5 as Scalar), n = Wide(max(1, columns))
        let place = "\(tier) \(Scalar.self) columns \(columns) offset \(offset)"
        var sums = [Wide](repeating: 0, count: columns), sizes = sums, plainSums = sums, plainSizes = sums
        for i in 0..<rows {
            let range = i * columns..<(i + 1) * columns
            let mean = range.reduce(Wide(0)) { $0 + Wide(x[$1]) } / n
            let variance = range.reduce(Wide(0)) { $0 + (Wide(x[$1]) - mean) * (Wide(x[$1]) - mean) } / n
            let inverse = 1 / (variance + epsilon).squareRoot(), r = Wide(inverses[i])
            let statistics = abs(Wide(means[i]) + Wide(rests[i]) - mean) <= 20 * u && abs(r - inverse) <= 16 * u * inverse
            #expect(statistics, "mean and deviation, \(place)")
            let own = range.map { (Wide(x[$0]) - Wide(means[i]) - Wide(rests[i])) * r }
            let v = range.map { Wide(g[$0]) * Wide(scale[$0 - range.lowerBound]) }
            let level = v.reduce(Wide(0), +) / n, levelSize = v.reduce(Wide(0)) { $0 + abs($1) } / n
            let slope = zip(v, own).reduce(Wide(0)) { $0 + $1.0 * $1.1 } / n
            let slopeSize = zip(v, own).reduce(Wide(0)) { $0 + abs($1.0 * $1.1) } / n
            let wrong = (0..<columns).filter { k in
                let j = range.lowerBound + k, exact = (Wide(x[j]) - mean) * inverse, product = Wide(g[j]) * own[k]
                sums[k] = sums[k] + product
                sizes[k] = sizes[k] + abs(product)
                plainSums[k] = plainSums[k] + Wide(g[j])
                plainSizes[k] = plainSizes[k] + abs(Wide(g[j]))
                let size = (25 + 18 * abs(exact)) * abs(Wide(scale[k])) + abs(Wide(shift[k]))
                return !(abs(Wide(y[j]) - (exact * Wide(scale[k]) + Wide(shift[k]))) <= size * u)
                    || !(abs(Wide(pulled[j]) - r * (v[k] - level - own[k] * slope)) <= 26 * u * r * (abs(v[k]) + levelSize + abs(own[k]) * slopeSize))
            }
            #expect(wrong.isEmpty, "layerNorm, \(place): wrong at \(wrong.prefix(4))")
        }
        let wrong = (0..<columns).filter { k in
            !(abs(Wide(scales[k]) - sums[k]) <= 14 * u * sizes[k]) || !(abs(Wide(shifts[k]) - plainSums[k]) <= 9 * u * plainSizes[k])
        }
        #expect(wrong.isEmpty, "cotangents of scale and shift, \(place): wrong at \(wrong.prefix(4))")
        let intact = [y, pulled, means, rests, inverses, scales, shifts].allSatisfy(\.guardsAreIntact)
        #expect(intact, "\(place)")
    }

    /// The bound does not grow with the number of rows: small terms below a large one.
    @Test(arguments: KernelTier.supported) func longColumnsStayExact(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            let rows = 100_003
            var x = [Float](repeating: 0.3, count: rows * 2), z: [Float] = [0, 0]
            x[0] = 0x1p24
            x[1] = 0x1p24
            var span = z.mutableSpan
            Float.columnSums(rows: rows, columns: 2, of: x.span, into: &span)
            let exact = 0x1p24 + Double(rows - 1) * Double(0.3 as Float)
            #expect(z.allSatisfy { abs(Double($0) - exact) <= 9 * 0x1p-24 * exact }, "\(z)")
            x[2] = .infinity
            x[5] = .nan
            var again = z.mutableSpan
            Float.columnSums(rows: rows, columns: 2, of: x.span, into: &again)
            #expect(z[0] == .infinity && z[1].isNaN)
        }
    }

    @Test(arguments: KernelTier.supported) func extremeRows(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for count in [1, 2, 7, 16, 17, 40] {
                let low = [Double](repeating: -.infinity, count: count), equal = [Double](repeating: 0.1, count: count)
                var y = low, z = [0.0], r = [0.0]
                var ySpan = y.mutableSpan
                Double.logSoftmax(rows: 1, columns: count, of: low.span, into: &ySpan)
                #expect(y.allSatisfy { abs($0 + libraryValue(.log, Double(count))) <= 1e-15 * Double(count) })
                var span = y.mutableSpan, zSpan = z.mutableSpan, rSpan = r.mutableSpan
                Double.normalizeRows(rows: 1, columns: count, of: equal.span, epsilon: 1e-5, into: &span, means: &zSpan,
                                     inverseDeviations: &rSpan)
                #expect(y.allSatisfy { abs($0) <= 1e-12 } && abs(z[0] - 0.1) <= 1e-16)
                var x = equal
                x[count / 2] = .nan
                var largest = z.mutableSpan
                Double.rowMaximum(rows: 1, columns: count, of: x.span, into: &largest)
                #expect(z[0].isNaN)
            }
        }
    }

    @Test func misuseNamesItsNumbers() async {
        let label = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var z: [Float] = [0, 0]
            var span = z.mutableSpan
            Float.crossEntropy(rows: 2, columns: 3, of: [1, 2, 3, 4, 5, 6].span, labels: [2, 3].span, into: &span)
        }
        #expect(message(of: label).contains("label 1 is 3; expected one of 0 ..< 3"))
        let matrix = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var z: [Float] = [0, 0]
            var span = z.mutableSpan
            Float.rowSums(rows: 2, columns: 3, of: [1, 2, 3].span, into: &span)
        }
        #expect(message(of: matrix).contains("x has 3 elements; expected 6 for 2 rows of 3"))
        let runs = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var z: [Float] = [0, 0, 0, 0, 0]
            var span = z.mutableSpan
            Float.copyRuns(rows: 2, runs: 2, length: 2, of: [1, 2, 3].span, row: 0, step: 1, into: &span, row: 2, step: 2)
        }
        #expect(message(of: runs).contains("2 rows of 2 runs of 2 at steps 2 and 2 in 5 elements"))
        let row = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var y: [Double] = [0, 0]
            var span = y.mutableSpan
            Double.addRow(rows: 1, columns: 2, [1, 2].span, [1, 2, 3].span, into: &span)
        }
        #expect(message(of: row).contains("row has 3 elements; expected 2"))
    }
}

/// Package access, for the modules that write whole results.
@Suite struct UninitializedArrayTests {
    @Test(arguments: [0, 1, 1000]) func holdsWhatTheBodyWrites(_ count: Int) {
        let x: [Double] = uninitializedArray(count: count) { span in
            for i in 0..<span.count { span[i] = Double(i) }
        }
        #expect(x == (0..<count).map(Double.init))
    }

    @Test func errorsPassThrough() {
        struct Failure: Error {}
        #expect(throws: Failure.self) { let _: [Float] = try uninitializedArray(count: 3) { _ in throw Failure() } }
    }
}
