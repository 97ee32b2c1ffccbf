import Kernels
import LinearAlgebra

/// Which keys a query sees, in ``attention(_:_:_:heads:mask:scale:tile:)``.
public enum AttentionMask<Scalar: KernelScalar>: Sendable {
    /// Query i of n sees the keys up to number i + m − n: the last query sees all m. There must be at least as many keys as queries.
    /// Differs from PyTorch's `is_causal` for n ≠ m, where query i sees keys 0 to i.
    case causal
    /// Numbers that are added to the scores, −∞ for what is not seen; a constant, of a shape that broadcasts to [.., n, m].
    case additive(Tensor<Scalar>)
}

/// softmax(scale · q kᵀ + mask) v, rows of the soft-max along keys: scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762).
///
/// Scores are made for `tile` queries at a time. What is kept for the derivative is q, k and v, and the weights where they are no
/// more than these; otherwise they are thrown away and made again. Derivatives of higher order, and forward mode, hold whole n×m matrices.
///
/// A query that sees no key (all −∞) attends to all equally. Differs from PyTorch, where it gives NaN.
///
/// - Parameters:
///   - q: queries, shape [.., n, d]; with heads [.., n, heads · d].
///   - k: keys, shape [.., m, d]; with heads [.., m, heads · d].
///   - v: values, shape [.., m, e]; with heads [.., m, heads · e].
///   - heads: how many heads lie side by side in each row: each attends by itself, and the results lie side by side again. This saves
///     the copies that bring each head's rows together. Default: none; leading axes may stand for heads.
///   - mask: broadcasts to [.., n, m]; with heads to [.., heads, n, m].
///   - scale: Default: 1/√d.
///   - tile: how many queries have their scores in memory at a time: tile · m numbers a thread in the value, three times as many in the
///     gradient. Default: as many as 1 MiB holds, and at least 16.
/// - Returns: shape [.., n, e]; with heads [.., n, heads · e].
/// - Precondition: equal leading axes, and at least one key.
/// - Complexity: O(n m (d + e)) for each head and each of the leading ones, at the speed of BLAS `gemm`; a causal mask saves what lies
///   beyond a tile's last key.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func attention<Scalar: KernelScalar>(
    _ q: Tensor<Scalar>, _ k: Tensor<Scalar>, _ v: Tensor<Scalar>, heads: Int? = nil, mask: AttentionMask<Scalar>? = nil,
    scale: Scalar? = nil, tile: Int? = nil
) -> Tensor<Scalar> {
    let shapes = "queries \(q.shape), keys \(k.shape) and values \(v.shape)"
    require(min(q.rank, k.rank, v.rank) >= 2, "attention of \(shapes); expected at least two axes each")
    let batches = Array(q.shape.dropLast(2))
    require(batches == Array(k.shape.dropLast(2)) && batches == Array(v.shape.dropLast(2)), "attention of \(shapes); expected equal leading axes")
    let (n, width) = (q.shape[q.rank - 2], q.shape[q.rank - 1]), (m, valueWidth) = (k.shape[k.rank - 2], v.shape[v.rank - 1])
    require(k.shape[k.rank - 1] == width, "attention of \(shapes): queries of length \(width), keys of length \(k.shape[k.rank - 1]); expected equal lengths")
    require(v.shape[v.rank - 2] == m, "attention of \(shapes): \(m) keys, \(v.shape[v.rank - 2]) values; expected equal numbers")
    require(heads ?? 1 > 0 && width % (heads ?? 1) == 0 && valueWidth % (heads ?? 1) == 0,
            "attention of \(shapes) with \(heads ?? 1) heads; expected lengths that they divide")
    let (d, e) = (width / (heads ?? 1), valueWidth / (heads ?? 1))
    let operation = Attention(batches: batches, n: n, m: m, d: d, e: e, heads: heads, isPacked: false, mask: mask, scale: scale, tile: tile)
    return apply(operation, to: [q, k, v])
}

/// Attention of a sequence to itself, with queries, keys and values side by side, as one dense layer gives them: `attention(q, k, v, heads:
/// heads)` of the three thirds of each row, without a copy of them.
///
/// - Parameters:
///   - qkv: shape [.., n, 3 · heads · d].
///   - heads: into how many parts each third of a row is cut.
///   - mask: as for ``attention(_:_:_:heads:mask:scale:tile:)``, and so the others.
/// - Returns: shape [.., n, heads · d].
/// - Precondition: at least one key.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func selfAttention<Scalar: KernelScalar>(
    _ qkv: Tensor<Scalar>, heads: Int, mask: AttentionMask<Scalar>? = nil, scale: Scalar? = nil, tile: Int? = nil
) -> Tensor<Scalar> {
    require(qkv.rank >= 2, "self-attention of shape \(qkv.shape); expected at least two axes")
    let (n, width) = (qkv.shape[qkv.rank - 2], qkv.shape[qkv.rank - 1])
    require(heads > 0 && width % (3 * heads) == 0, "self-attention of shape \(qkv.shape) with \(heads) heads; expected a last axis that 3 · \(heads) divides")
    let d = width / (3 * heads)
    let operation = Attention(
        batches: Array(qkv.shape.dropLast(2)), n: n, m: n, d: d, e: d, heads: heads, isPacked: true, mask: mask, scale: scale, tile: tile)
    return apply(operation, to: [qkv])
}

/// Of inputs q, k, v, or of one that has them side by side.
struct Attention<Scalar: KernelScalar>: FusedOperation {
    let batches: [Int]
    let n: Int, m: Int, d: Int, e: Int
    let heads: Int?
    let isPacked: Bool
    let mask: AttentionMask<Scalar>?
    /// For each head of each batch the number of its matrix in an additive mask.
    let maskBlocks: [Int]
    let scale: Scalar, tile: Int
    fileprivate let queries: HeadColumns, keys: HeadColumns, values: HeadColumns
    /// The weights of all heads, row after row, where they are kept.
    fileprivate let keptWeights = Residuals<[Scalar]>()

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(
        batches: [Int], n: Int, m: Int, d: Int, e: Int, heads: Int?, isPacked: Bool, mask: AttentionMask<Scalar>?, scale: Scalar?, tile: Int?
    ) {
        require(m > 0, "attention of no keys; expected at least one")
        require(tile ?? 1 > 0, "attention: tile is \(tile ?? 1); expected at least 1")
        let matrices = batches + (heads.map { [$0] } ?? [])
        var maskBlocks: [Int] = []
        switch mask {
        case .additive(let mask):
            require(mask.trace == nil, "attention: the mask is being differentiated; expected a constant, as stoppingGradient() gives")
            let target = matrices + [n, m]
            require(broadcastShape(mask.shape, target, "attention: mask") == target,
                    "attention: mask of shape \(mask.shape); expected one that broadcasts to \(target)")
            // Which of the mask's matrices each head of each batch has.
            let own = Array(mask.shape.dropLast(2)), plan = BroadcastPlan(matrices, own, own)
            maskBlocks = Array(repeating: 0, count: elementCount(matrices))
            if !maskBlocks.isEmpty {
                plan.forEachBlock { place, block, _ in
                    for i in 0..<plan.inner { maskBlocks[place + i] = block + (plan.runsA ? i : 0) }
                }
            }
        case .causal: require(n <= m, "attention with a causal mask of \(n) queries and \(m) keys; expected at least as many keys")
        case nil: break
        }
        (self.batches, self.n, self.m, self.d, self.e, self.heads, self.isPacked) = (batches, n, m, d, e, heads, isPacked)
        (self.mask, self.maskBlocks) = (mask, maskBlocks)
        self.scale = scale ?? 1 / Scalar(max(1, d)).squareRoot()
        self.tile = min(tile ?? max(16, (1 << 20) / (m * MemoryLayout<Scalar>.stride)), max(1, n))
        let width = (heads ?? 1) * d, stride = isPacked ? 3 * width : width
        queries = HeadColumns(first: 0, count: d, stride: stride)
        keys = HeadColumns(first: isPacked ? width : 0, count: d, stride: stride)
        values = HeadColumns(first: isPacked ? 2 * width : 0, count: e, stride: isPacked ? stride : (heads ?? 1) * e)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let q = x[0], k = isPacked ? x[0] : x[1], v = isPacked ? x[0] : x[2]
        let batchCount = elementCount(batches), heads = heads ?? 1, width = heads * e, count = batchCount * n * width
        // The weights are no more than the operands, and there is one tile of them.
        let keeps = n <= tile && n * m <= n * d + m * (d + e) && count > 0
        var kept: [Scalar] = uninitializedArray(count: keeps ? batchCount * heads * n * m : 0) { _ in }
        let elements: [Scalar] = uninitializedArray(count: count) { out in
            guard count > 0 else { return }
            if keeps {
                var weights = kept.mutableSpan
                concurrentBlocks(of: &out, blockLength: n * width, and: &weights, blockLength: heads * n * m) { batch, part, weights in
                    for head in 0..<heads {
                        var own = weights._mutatingExtracting(head * n * m..<(head + 1) * n * m)
                        self.weights(q.span, k.span, batch, head, 0..<n, m, into: &own)
                        mix(own.span, v.span, batch, head, 0..<n, into: &part, from: 0)
                    }
                }
                return
            }
            // Threads share the batches, or the tiles of one.
            let rows = batchCount == 1 ? tile : n, blocks = (n + rows - 1) / rows
            concurrentBlocks(of: &out, blockLength: rows * width) { block, part in
                let batch = block / blocks, start = block % blocks * rows, end = start + part.count / width
                for first in stride(from: start, to: end, by: tile) {
                    let queries = first..<min(first + tile, end), seen = keysSeen(by: queries)
                    for head in 0..<heads {
                        let weights: [Scalar] = uninitializedArray(count: queries.count * seen) {
                            self.weights(q.span, k.span, batch, head, queries, seen, into: &$0)
                        }
                        mix(weights.span, v.span, batch, head, queries, into: &part, from: start)
                    }
                }
            }
        }
        if keeps { keptWeights.value = kept }
        return Tensor(batches + [n, width], elements)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func definition(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let (q, k, v) = operands(x)
        return sideBySide(matmul(softmax(q, k), v))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let all = apply(AttentionPullback(attention: self), to: [g] + x)
        if isPacked { return [all.reshaped(x[0].shape)] }
        var start = 0
        return x.indices.map { i in
            let length = x[i].shape[x[i].rank - 2] * x[i].shape[x[i].rank - 1]
            defer { start += length }
            return wanted.contains(i) ? all.slice(1, start..<start + length).reshaped(x[i].shape) : nil
        }
    }

    // MARK: Whole matrices, as differentiable expressions

    /// Queries, keys and values with the heads as an axis before the last two.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    fileprivate func operands(_ x: [Tensor<Scalar>]) -> (q: Tensor<Scalar>, k: Tensor<Scalar>, v: Tensor<Scalar>) {
        guard isPacked else { return (byHeads(x[0]), byHeads(x[1]), byHeads(x[2])) }
        let width = (heads ?? 1) * d
        func third(_ i: Int) -> Tensor<Scalar> { byHeads(x[0].slice(-1, i * width..<(i + 1) * width)) }
        return (third(0), third(1), third(2))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    fileprivate func byHeads(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
        guard let heads else { return x }
        return x.reshaped(batches + [x.shape[x.rank - 2], heads, x.shape[x.rank - 1] / heads]).transposed(swapped)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    fileprivate func sideBySide(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
        guard let heads else { return x }
        return x.transposed(swapped).reshaped(batches + [x.shape[x.rank - 2], heads * x.shape[x.rank - 1]])
    }

    private var swapped: [Int] { Array(batches.indices) + [batches.count + 1, batches.count, batches.count + 2] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    fileprivate func softmax(_ q: Tensor<Scalar>, _ k: Tensor<Scalar>) -> Tensor<Scalar> {
        let scores = scale * matmul(q, k, transposeB: true)
        switch mask {
        case nil: return scores.softmax()
        case .additive(let mask): return (scores + mask).softmax()
        case .causal:
            var hidden: [Scalar] = filled(n * m, 0)
            var span = hidden.mutableSpan
            hide(0..<n, m, shift: m - n, &span)
            return (scores + Tensor([n, m], hidden)).softmax()
        }
    }

    // MARK: A tile on plain data

    /// How many keys, from the first on, a range of queries can see.
    fileprivate func keysSeen(by queries: Range<Int>) -> Int {
        if case .causal = mask { return queries.upperBound + m - n }
        return m
    }

    /// The weights of a range of queries for the first `seen` keys.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    fileprivate func weights(
        _ q: Span<Scalar>, _ k: Span<Scalar>, _ batch: Int, _ head: Int, _ queries: Range<Int>, _ seen: Int,
        into scores: inout MutableSpan<Scalar>
    ) {
        LinearAlgebra.multiply(
            self.queries.rows(of: q, batch * n + queries.lowerBound, queries.count, head), keys.rows(of: k, batch * m, seen, head),
            transposeB: true, alpha: scale, into: &scores, rowStride: seen)
        switch mask {
        case nil: break
        case .causal: hide(queries, seen, shift: m - n, &scores)
        case .additive(let mask): add(mask, maskBlocks[batch * (heads ?? 1) + head], queries, &scores)
        }
        Scalar.softmax(rows: queries.count, columns: seen, of: &scores, stride: seen)
    }

    /// The head's part of the result for a range of queries, into rows of which the first is that of query `start`.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func mix(
        _ weights: Span<Scalar>, _ v: Span<Scalar>, _ batch: Int, _ head: Int, _ queries: Range<Int>, into part: inout MutableSpan<Scalar>,
        from start: Int
    ) {
        let seen = weights.count / queries.count, columns = HeadColumns(first: 0, count: e, stride: (heads ?? 1) * e)
        var target = part._mutatingExtracting(columns.places(queries.lowerBound - start, queries.count, head, from: 0))
        LinearAlgebra.multiply(matrix(weights, seen), values.rows(of: v, batch * m, seen, head), into: &target, rowStride: columns.stride)
    }

    /// Adds the rows of one of a mask's matrices for some queries, its short axes repeated.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func add(_ mask: Tensor<Scalar>, _ matrix: Int, _ queries: Range<Int>, _ scores: inout MutableSpan<Scalar>) {
        let shape = mask.shape, columns = shape.last ?? 1
        let rows = mask.rank >= 2 ? shape[mask.rank - 2] : 1
        let source = mask.span
        let block = matrix * rows * columns
        for i in queries {
            let start = block + (rows == 1 ? 0 : i) * columns, place = (i - queries.lowerBound) * m
            var target = scores._mutatingExtracting(place..<place + m)
            if columns == m {
                Scalar.axpy(1, source.extracting(start..<start + columns), &target)
            } else {
                let constant = source[start]
                for j in target.indices { target[j] += constant }
            }
        }
    }
}

/// The cotangents of q, k and v, of inputs g, q, k, v: one row for each batch, in which they lie one after the other, or side by side if the
/// operands do.
struct AttentionPullback<Scalar: KernelScalar>: FusedOperation {
    let attention: Attention<Scalar>

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let attention = attention, (n, m, d, e) = (attention.n, attention.m, attention.d, attention.e)
        let g = x[0], q = x[1], k = attention.isPacked ? x[1] : x[2], v = attention.isPacked ? x[1] : x[3]
        let heads = attention.heads ?? 1, batches = elementCount(attention.batches), length = heads * (n * d + m * (d + e))
        let (queryColumns, keyColumns, valueColumns) = (attention.queries, attention.keys, attention.values)
        // Where keys and values begin in a batch's row.
        let keyStart = attention.isPacked ? 0 : heads * n * d, valueStart = attention.isPacked ? 0 : keyStart + heads * m * d
        let kept = attention.keptWeights.value
        // Keys and values gather from every tile that sees them.
        var elements: [Scalar] = n > 0 && n <= attention.tile ? uninitializedArray(count: batches * length) { _ in } : filled(batches * length, 0)
        guard batches > 0, length > 0, n > 0 else { return Tensor([batches, length], elements) }
        var out = elements.mutableSpan
        concurrentBlocks(of: &out, blockLength: length) { batch, part in
            for first in stride(from: 0, to: n, by: attention.tile) {
                let queries = first..<min(first + attention.tile, n), rows = queries.count
                let seen = attention.keysSeen(by: queries)
                // Small products without a sum have kernels of their own in BLAS.
                let beta: Scalar = first == 0 ? 0 : 1
                for head in 0..<heads {
                    let own: [Scalar] = kept ?? uninitializedArray(count: rows * seen) {
                        attention.weights(q.span, k.span, batch, head, queries, seen, into: &$0)
                    }
                    let place = kept == nil ? 0 : (batch * heads + head) * n * m
                    let weights = own.span.extracting(place..<place + rows * seen)
                    let cotangent = HeadColumns(first: 0, count: e, stride: heads * e).rows(of: g.span, batch * n + first, rows, head)
                    if e > 0 {
                        var target = part._mutatingExtracting(valueColumns.places(0, seen, head, from: valueStart))
                        LinearAlgebra.multiply(
                            matrix(weights, seen), cotangent, transposeA: true, beta: beta, into: &target, rowStride: valueColumns.stride)
                    }
                    let weightCotangents: [Scalar] = uninitializedArray(count: rows * seen) {
                        LinearAlgebra.multiply(
                            cotangent, valueColumns.rows(of: v.span, batch * m, seen, head), transposeB: true, into: &$0, rowStride: seen)
                    }
                    let scores: [Scalar] = uninitializedArray(count: rows * seen) {
                        Scalar.softmaxPullback(rows: rows, columns: seen, weightCotangents.span, softmax: weights, into: &$0)
                    }
                    guard d > 0 else { continue }
                    var target = part._mutatingExtracting(queryColumns.places(first, rows, head, from: 0))
                    LinearAlgebra.multiply(
                        matrix(scores.span, seen), keyColumns.rows(of: k.span, batch * m, seen, head), alpha: attention.scale, into: &target,
                        rowStride: queryColumns.stride)
                    target = part._mutatingExtracting(keyColumns.places(0, seen, head, from: keyStart))
                    LinearAlgebra.multiply(
                        matrix(scores.span, seen), queryColumns.rows(of: q.span, batch * n + first, rows, head), transposeA: true,
                        alpha: attention.scale, beta: beta, into: &target, rowStride: keyColumns.stride)
                }
            }
        }
        return Tensor([batches, length], elements)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func definition(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let g = attention.byHeads(x[0]), (q, k, v) = attention.operands(Array(x.dropFirst()))
        let weights = attention.softmax(q, k)
        let scores = attention.scale * apply(SoftmaxPullback(), to: [matmul(g, v, transposeB: true), weights])
        let parts = [matmul(scores, k), matmul(scores, q, transposeA: true), matmul(weights, g, transposeA: true)].map(attention.sideBySide)
        let batches = elementCount(attention.batches)
        func row(_ x: Tensor<Scalar>) -> Tensor<Scalar> { x.reshaped([batches, x.shape[x.rank - 2] * x.shape[x.rank - 1]]) }
        return attention.isPacked ? row(concatenated(parts, alongAxis: -1)) : concatenated(parts.map(row), alongAxis: 1)
    }
}

/// Where the heads' queries, keys or values lie in rows of `stride` numbers: `count` for each head, from `first` on.
private struct HeadColumns: Sendable {
    let first: Int, count: Int, stride: Int

    /// Some rows of a head.
    @_lifetime(copy elements)
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func rows<Scalar: KernelScalar>(of elements: Span<Scalar>, _ start: Int, _ rows: Int, _ head: Int) -> MatrixView<Scalar> {
        MatrixView(elements.extracting(places(start, rows, head, from: 0)), rows: rows, columns: count, rowStride: stride)
    }

    /// From the first element of these rows to the last, in elements of which the rows begin at `origin`.
    func places(_ start: Int, _ rows: Int, _ head: Int, from origin: Int) -> Range<Int> {
        let begin = origin + start * stride + first + head * count
        return begin..<begin + (rows == 0 || count == 0 ? 0 : (rows - 1) * stride + count)
    }
}

/// −∞ for the keys that come after what a query sees: those beyond its own number + `shift`.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func hide<Scalar: KernelScalar>(_ queries: Range<Int>, _ keys: Int, shift: Int, _ scores: inout MutableSpan<Scalar>) {
    for i in queries {
        let start = (i - queries.lowerBound) * keys
        var hidden = scores._mutatingExtracting(start + min(keys, i + shift + 1)..<start + keys)
        hidden.update(repeating: -.infinity)
    }
}
