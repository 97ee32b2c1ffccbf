import BinaryAlgebra
import Kernels

/// One layer of a ``BinarizedEncoder`` on the rows of a batch.
struct LayerPass: Sendable {
    private let layer: BinarizedEncoder.Layer
    private let rows: PresentRows
    private let heads: HeadLayout
    private let size: Int, hidden: Int
    private let epsilon: Float
    /// Words of queries, keys and values of one row.
    private let stride: Int

    init(_ encoder: BinarizedEncoder, _ layer: BinarizedEncoder.Layer, _ rows: PresentRows) {
        self.layer = layer
        self.rows = rows
        heads = encoder.headLayout
        size = encoder.configuration.size
        hidden = encoder.configuration.hidden
        epsilon = Float(encoder.configuration.epsilon)
        stride = 3 * heads.words
    }

    /// h ← norm(perceptron(a) + a), a = norm(attention(h) + h).
    func run(_ h: inout [Float]) {
        let projections = project(h)
        let operands = AttentionOperands(projections, heads, rows)
        var span = h.mutableSpan
        concurrentBlocks(of: &span, blockLength: rows.blockRows * size) { block, part in
            let first = block * rows.blockRows, count = part.count / size
            let contexts = operands.contexts(first..<first + count, projections)
            addNormalized(contexts, layer.output, inputs: size, layer.attentionNorm, to: &part)
            let inner = product(signs(part.span, count), layer.intermediate, inputs: size, count: count)
            addNormalized(inner, layer.perceptronOutput, inputs: hidden, layer.outputNorm, to: &part)
        }
    }

    /// Bits of queries, keys and values, `stride` words a row.
    private func project(_ h: [Float]) -> [UInt64] {
        var bits = [UInt64](repeating: 0, count: rows.count * stride)
        var span = bits.mutableSpan
        concurrentBlocks(of: &span, blockLength: rows.blockRows * stride) { block, part in
            let first = block * rows.blockRows, count = part.count / stride
            let own = signs(h.span.extracting(first * size..<(first + count) * size), count)
            product(own, layer.projections, inputs: size, count: count, into: &part)
        }
        return bits
    }

    private func signs(_ x: Span<Float>, _ count: Int) -> [UInt64] {
        let words = BinaryKernels.words(forColumns: size)
        var bits = [UInt64](repeating: 0, count: count * words)
        var span = bits.mutableSpan
        _ = BinaryKernels.packSigns(rows: count, columns: size, of: x, stride: size, into: &span, stride: words)
        return bits
    }

    private func product(_ x: [UInt64], _ layer: BinarizedEncoder.ThresholdLayer, inputs: Int, count: Int) -> [UInt64] {
        var bits = [UInt64](repeating: 0, count: count * BinaryKernels.words(forColumns: layer.weights.rows))
        var span = bits.mutableSpan
        product(x, layer, inputs: inputs, count: count, into: &span)
        return bits
    }

    private func product(
        _ x: [UInt64], _ layer: BinarizedEncoder.ThresholdLayer, inputs: Int, count: Int, into bits: inout MutableSpan<UInt64>
    ) {
        let offset = [Int32](repeating: Int32(inputs), count: count), weights = layer.weights
        weights.panels.withSpan { panels in
            BinaryKernels.thresholdedProduct(
                .xor, m: count, n: weights.rows, words: weights.words, offset: offset.span, a: x.span, stride: weights.words,
                panels: panels, thresholds: layer.thresholds.span, into: &bits, stride: BinaryKernels.words(forColumns: weights.rows))
        }
    }

    /// x ← norm(x + α ∘ (bits · weights) + b).
    private func addNormalized(
        _ bits: [UInt64], _ layer: BinarizedEncoder.ScaledLayer, inputs: Int, _ norm: BinarizedEncoder.Norm,
        to x: inout MutableSpan<Float>
    ) {
        let count = x.count / size, weights = layer.weights
        let offset = [Int32](repeating: Int32(inputs), count: count), ones = [Float](repeating: 1, count: count)
        let added: [Float] = uninitializedArray(count: x.count) { y in
            weights.panels.withSpan { panels in
                BinaryKernels.scaledProduct(
                    .xor, m: count, n: size, words: weights.words, offset: offset.span, a: bits.span, stride: weights.words,
                    panels: panels, rowScale: ones.span, columnScale: layer.scales.span, bias: layer.bias.span, into: &y, stride: size)
            }
        }
        Float.axpy(1, added.span, &x)
        normalize(&x, norm, size: size, epsilon: epsilon)
    }
}

/// Keys and transposed values of every head of every sequence, packed as right operands.
struct AttentionOperands: Sendable {
    private let heads: HeadLayout
    private let rows: PresentRows
    private let stride: Int
    /// Panels of keys, then of values, for sequence s and head h from `(s · heads + h) · length` on.
    private let panels: [UInt64]
    private let length: Int, valuesStart: Int

    init(_ projections: [UInt64], _ heads: HeadLayout, _ rows: PresentRows) {
        self.heads = heads
        self.rows = rows
        let stride = 3 * heads.words
        self.stride = stride
        let longest = rows.sequences.map(\.count).max() ?? 0
        valuesStart = BinaryKernels.panelCount(rows: longest, words: heads.wordsPerHead)
        length = valuesStart + BinaryKernels.panelCount(rows: heads.width, words: BinaryKernels.words(forColumns: longest))
        var panels = [UInt64](repeating: 0, count: rows.sequences.count * heads.heads * length)
        let valuesStart = valuesStart
        if !panels.isEmpty {
            var span = panels.mutableSpan
            concurrentBlocks(of: &span, blockLength: length) { block, part in
                let sequence = rows.sequences[block / heads.heads], head = block % heads.heads * heads.wordsPerHead
                let start = sequence.lowerBound * stride + head, words = BinaryKernels.words(forColumns: sequence.count)
                let all = projections.span
                let keyCount = BinaryKernels.panelCount(rows: sequence.count, words: heads.wordsPerHead)
                var keys = part._mutatingExtracting(0..<keyCount)
                BinaryKernels.packPanels(
                    rows: sequence.count, words: heads.wordsPerHead, from: all.extracting(start + heads.words..<all.count), stride: stride,
                    into: &keys)
                var transposed = [UInt64](repeating: 0, count: heads.width * words)
                var transposedSpan = transposed.mutableSpan
                BinaryKernels.transpose(
                    rows: sequence.count, columns: heads.width, of: all.extracting(start + 2 * heads.words..<all.count), stride: stride,
                    into: &transposedSpan, stride: words)
                let valueCount = BinaryKernels.panelCount(rows: heads.width, words: words)
                var values = part._mutatingExtracting(valuesStart..<valuesStart + valueCount)
                BinaryKernels.packPanels(rows: heads.width, words: words, from: transposed.span, stride: words, into: &values)
            }
        }
        self.panels = panels
    }

    /// Bits of the mixed values of some rows: sign(bool(q kᵀ) v), each head from a word on.
    func contexts(_ range: Range<Int>, _ projections: [UInt64]) -> [UInt64] {
        var contexts = [UInt64](repeating: 0, count: range.count * heads.words)
        for (index, sequence) in rows.sequences.enumerated() {
            let own = range.clamped(to: sequence)
            guard !own.isEmpty else { continue }
            let words = BinaryKernels.words(forColumns: sequence.count)
            let offset = [Int32](repeating: Int32(heads.width), count: own.count)
            // One for keys and for values each: both compare with 0.
            let zeros = [Int32](repeating: 0, count: max(sequence.count, heads.width))
            var weights = [UInt64](repeating: 0, count: own.count * words), ones = [Int32](repeating: 0, count: own.count)
            for head in 0..<heads.heads {
                let start = (index * heads.heads + head) * length
                let keys = panels.span.extracting(start..<start + BinaryKernels.panelCount(rows: sequence.count, words: heads.wordsPerHead))
                let values = panels.span.extracting(
                    start + valuesStart..<start + valuesStart + BinaryKernels.panelCount(rows: heads.width, words: words))
                let firstWord = own.lowerBound * stride + head * heads.wordsPerHead
                let all = projections.span
                var weightSpan = weights.mutableSpan
                BinaryKernels.thresholdedProduct(
                    .xor, m: own.count, n: sequence.count, words: heads.wordsPerHead, offset: offset.span,
                    a: all.extracting(firstWord..<all.count), stride: stride, panels: keys,
                    thresholds: zeros.span.extracting(0..<sequence.count), into: &weightSpan, stride: words)
                var onesSpan = ones.mutableSpan
                BinaryKernels.rowCounts(rows: own.count, words: words, of: weights.span, stride: words, into: &onesSpan)
                for i in ones.indices { ones[i] = -ones[i] }
                var contextSpan = contexts.mutableSpan
                let target = (own.lowerBound - range.lowerBound) * heads.words + head * heads.wordsPerHead
                var part = contextSpan._mutatingExtracting(target..<contextSpan.count)
                BinaryKernels.thresholdedProduct(
                    .and(shift: 1), m: own.count, n: heads.width, words: words, offset: ones.span, a: weights.span, stride: words,
                    panels: values, thresholds: zeros.span.extracting(0..<heads.width), into: &part, stride: heads.words)
            }
        }
        return contexts
    }
}
