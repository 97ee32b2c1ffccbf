import Kernels
import LinearAlgebra

/// Which keys a query sees, in ``attention(_:_:_:mask:scale:tile:)``.
public enum AttentionMask<Scalar: KernelScalar>: Sendable {
    /// Query i of n sees the keys up to number i + m − n: the last query sees all m. There must be at least as many keys as queries.
    /// Differs from PyTorch's `is_causal` for n ≠ m, where query i sees keys 0 to i.
    case causal
    /// Numbers that are added to the scores, −∞ for what is not seen; a constant, of a shape that broadcasts to [.., n, m].
    case additive(Tensor<Scalar>)
}

/// softmax(scale · q kᵀ + mask) v, rows of the soft-max along keys: scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762).
///
/// Scores are made for `tile` queries at a time, in the value and in its gradient, and thrown away; what is kept for the
/// derivative is q, k and v. Derivatives of higher order, and forward mode, hold whole n×m matrices.
///
/// A query that sees no key (all −∞) attends to all equally. Differs from PyTorch, where it gives NaN.
///
/// - Parameters:
///   - q: queries, shape [.., n, d].
///   - k: keys, shape [.., m, d].
///   - v: values, shape [.., m, e].
///   - scale: Default: 1/√d.
///   - tile: how many queries have their scores in memory at a time: tile · m numbers a thread in the value, three times as many in the
///     gradient. Default: as many as 1 MiB holds, and at least 16.
/// - Returns: shape [.., n, e].
/// - Precondition: equal leading axes, and at least one key.
/// - Complexity: O(n m (d + e)) for each of the leading ones, at the speed of BLAS `gemm`; a causal mask saves what lies beyond a tile's last key.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func attention<Scalar: KernelScalar>(
    _ q: Tensor<Scalar>, _ k: Tensor<Scalar>, _ v: Tensor<Scalar>, mask: AttentionMask<Scalar>? = nil, scale: Scalar? = nil,
    tile: Int? = nil
) -> Tensor<Scalar> {
    let shapes = "queries \(q.shape), keys \(k.shape) and values \(v.shape)"
    require(min(q.rank, k.rank, v.rank) >= 2, "attention of \(shapes); expected at least two axes each")
    let batches = Array(q.shape.dropLast(2))
    require(batches == Array(k.shape.dropLast(2)) && batches == Array(v.shape.dropLast(2)), "attention of \(shapes); expected equal leading axes")
    let (n, d) = (q.shape[q.rank - 2], q.shape[q.rank - 1]), (m, e) = (k.shape[k.rank - 2], v.shape[v.rank - 1])
    require(k.shape[k.rank - 1] == d, "attention of \(shapes): queries of length \(d), keys of length \(k.shape[k.rank - 1]); expected equal lengths")
    require(v.shape[v.rank - 2] == m, "attention of \(shapes): \(m) keys, \(v.shape[v.rank - 2]) values; expected equal numbers")
    require(m > 0, "attention of \(shapes); expected at least one key")
    require(tile ?? 1 > 0, "attention: tile is \(tile ?? 1); expected at least 1")
    switch mask {
    case .additive(let mask):
        require(mask.trace == nil, "attention: the mask is being differentiated; expected a constant, as stoppingGradient() gives")
        let target = batches + [n, m]
        require(broadcastShape(mask.shape, target, "attention: mask") == target,
                "attention: mask of shape \(mask.shape); expected one that broadcasts to \(target)")
    case .causal: require(n <= m, "attention with a causal mask of \(n) queries and \(m) keys; expected at least as many keys")
    case nil: break
    }
    let chosen = tile ?? max(16, (1 << 20) / (m * MemoryLayout<Scalar>.stride))
    var maskBlocks: [Int] = []
    if case .additive(let mask) = mask {
        // Which of the mask's matrices each batch has.
        let own = Array(mask.shape.dropLast(2)), plan = BroadcastPlan(batches, own, own)
        maskBlocks = Array(repeating: 0, count: elementCount(batches))
        if !maskBlocks.isEmpty {
            plan.forEachBlock { batch, block, _ in
                for i in 0..<plan.inner { maskBlocks[batch + i] = block + (plan.runsA ? i : 0) }
            }
        }
    }
    let operation = Attention(
        n: n, m: m, d: d, e: e, mask: mask, maskBlocks: maskBlocks, scale: scale ?? 1 / Scalar(max(1, d)).squareRoot(),
        tile: min(chosen, max(1, n)))
    return apply(operation, to: [q, k, v])
}

/// Of inputs q, k, v.
struct Attention<Scalar: KernelScalar>: FusedOperation {
    let n: Int, m: Int, d: Int, e: Int
    let mask: AttentionMask<Scalar>?
    /// For each batch the number of its matrix in an additive mask.
    let maskBlocks: [Int]
    let scale: Scalar, tile: Int

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let q = x[0], k = x[1], v = x[2]
        let shape = Array(q.shape.dropLast()) + [e], count = elementCount(shape)
        return Tensor(shape, uninitializedArray(count: count) { out in
            guard count > 0 else { return }
            // Threads share the batches, or the tiles of one.
            let rows = count == n * e ? tile : n
            concurrentBlocks(of: &out, blockLength: rows * e) { block, part in
                let blocks = (n + rows - 1) / rows, batch = block / blocks
                let start = block % blocks * rows, end = start + part.count / e
                for first in stride(from: start, to: end, by: tile) {
                    let queries = first..<min(first + tile, end), seen = keysSeen(by: queries)
                    let weights = weights(q.span, k.span, batch, queries, seen)
                    var target = part._mutatingExtracting((queries.lowerBound - start) * e..<(queries.upperBound - start) * e)
                    LinearAlgebra.multiply(matrix(weights.span, seen), rowsOf(v.span, batch * m, seen, e), into: &target, rowStride: e)
                }
            }
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func definition(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> { matmul(softmax(x[0], x[1]), x[2]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let all = apply(AttentionPullback(attention: self), to: [g] + x)
        var start = 0
        return x.indices.map { i in
            let length = x[i].shape[x[i].rank - 2] * x[i].shape[x[i].rank - 1]
            defer { start += length }
            return wanted.contains(i) ? all.slice(1, start..<start + length).reshaped(x[i].shape) : nil
        }
    }

    /// The whole matrix of weights, as a differentiable expression.
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
    fileprivate func weights(_ q: Span<Scalar>, _ k: Span<Scalar>, _ batch: Int, _ queries: Range<Int>, _ seen: Int) -> [Scalar] {
        uninitializedArray(count: queries.count * seen) { scores in
            LinearAlgebra.multiply(
                rowsOf(q, batch * n + queries.lowerBound, queries.count, d), rowsOf(k, batch * m, seen, d),
                transposeB: true, alpha: scale, into: &scores, rowStride: seen)
            switch mask {
            case nil: break
            case .causal: hide(queries, seen, shift: m - n, &scores)
            case .additive(let mask): add(mask, batch, queries, &scores)
            }
            Scalar.softmax(rows: queries.count, columns: seen, of: &scores, stride: seen)
        }
    }

    /// Adds a mask's rows for some queries, its short axes repeated.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func add(_ mask: Tensor<Scalar>, _ batch: Int, _ queries: Range<Int>, _ scores: inout MutableSpan<Scalar>) {
        let shape = mask.shape, columns = shape.last ?? 1
        let rows = mask.rank >= 2 ? shape[mask.rank - 2] : 1
        let source = mask.span
        let block = maskBlocks[batch] * rows * columns
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

/// The cotangents of q, k and v side by side, one row for each batch, of inputs g, q, k, v.
struct AttentionPullback<Scalar: KernelScalar>: FusedOperation {
    let attention: Attention<Scalar>

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let g = x[0], q = x[1], k = x[2], v = x[3]
        let attention = attention, (n, m, d, e) = (attention.n, attention.m, attention.d, attention.e)
        let length = n * d + m * (d + e), batches = elementCount(Array(q.shape.dropLast(2)))
        // Keys and values gather from every tile that sees them.
        var elements: [Scalar] = filled(batches * length, 0)
        guard batches > 0, length > 0, n > 0 else { return Tensor([batches, length], elements) }
        var out = elements.mutableSpan
        concurrentBlocks(of: &out, blockLength: length) { batch, part in
            for first in stride(from: 0, to: n, by: attention.tile) {
                let queries = first..<min(first + attention.tile, n), rows = queries.count
                let seen = attention.keysSeen(by: queries)
                let weights = attention.weights(q.span, k.span, batch, queries, seen)
                let cotangent = rowsOf(g.span, batch * n + first, rows, e)
                var values = part._mutatingExtracting(n * d + m * d..<n * d + m * d + seen * e)
                // Small products without a sum have kernels of their own in BLAS.
                let beta: Scalar = first == 0 ? 0 : 1
                if e > 0 {
                    LinearAlgebra.multiply(matrix(weights.span, seen), cotangent, transposeA: true, beta: beta, into: &values, rowStride: e)
                }
                let weightCotangents: [Scalar] = uninitializedArray(count: rows * seen) {
                    LinearAlgebra.multiply(cotangent, rowsOf(v.span, batch * m, seen, e), transposeB: true, into: &$0, rowStride: seen)
                }
                let scores: [Scalar] = uninitializedArray(count: rows * seen) {
                    Scalar.softmaxPullback(rows: rows, columns: seen, weightCotangents.span, softmax: weights.span, into: &$0)
                }
                guard d > 0 else { continue }
                var own = part._mutatingExtracting(first * d..<(first + rows) * d)
                LinearAlgebra.multiply(
                    matrix(scores.span, seen), rowsOf(k.span, batch * m, seen, d), alpha: attention.scale, into: &own, rowStride: d)
                var keys = part._mutatingExtracting(n * d..<n * d + seen * d)
                LinearAlgebra.multiply(
                    matrix(scores.span, seen), rowsOf(q.span, batch * n + first, rows, d), transposeA: true, alpha: attention.scale, beta: beta,
                    into: &keys, rowStride: d)
            }
        }
        return Tensor([batches, length], elements)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func definition(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let (g, q, k, v) = (x[0], x[1], x[2], x[3])
        let weights = attention.softmax(q, k)
        let scores = attention.scale * apply(SoftmaxPullback(), to: [matmul(g, v, transposeB: true), weights])
        let parts = [matmul(scores, k), matmul(scores, q, transposeA: true), matmul(weights, g, transposeA: true)]
        let batches = elementCount(Array(q.shape.dropLast(2)))
        return concatenated(parts.map { $0.reshaped([batches, $0.shape[$0.rank - 2] * $0.shape[$0.rank - 1]]) }, alongAxis: 1)
    }
}

/// Some of the rows of a matrix with contiguous ones.
@_lifetime(copy elements)
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func rowsOf<Scalar: KernelScalar>(_ elements: Span<Scalar>, _ first: Int, _ count: Int, _ columns: Int) -> MatrixView<Scalar> {
    MatrixView(elements.extracting(first * columns..<(first + count) * columns), rows: count, columns: columns, rowStride: columns)
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
