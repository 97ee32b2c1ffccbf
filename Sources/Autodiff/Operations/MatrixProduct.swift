import Kernels
import LinearAlgebra

/// op(A)·op(B) over the last two axes, where op transposes them if asked to; earlier axes are batches, and broadcast.
///
/// A factor that has the batches is multiplied with a plain matrix in one product where the memory layout allows it.
/// Differs from NumPy's `matmul`: vectors must be given as matrices of one row or column.
///
/// - Precondition: both have at least two axes, the inner extents agree, and the batch axes broadcast.
/// - Complexity: O(batches·m·n·k), at the speed of BLAS `gemm`.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func matmul<Scalar: KernelScalar>(
    _ a: Tensor<Scalar>, _ b: Tensor<Scalar>, transposeA: Bool = false, transposeB: Bool = false
) -> Tensor<Scalar> {
    apply(MatrixProduct(transposeA, transposeB), to: [a, b])
}

/// x·W + b: a dense layer on the last axis of x; the bias is added to each row of the product.
///
/// - Precondition: x has at least two axes, W is a matrix with as many rows as x's last axis, and b has its columns.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func affine<Scalar: KernelScalar>(_ x: Tensor<Scalar>, _ weights: Tensor<Scalar>, _ bias: Tensor<Scalar>) -> Tensor<Scalar> {
    apply(MatrixProduct(false, false, hasBias: true), to: [x, weights, bias])
}

/// Σⱼ op(Aⱼ)·op(Bⱼ) + b, of inputs A₀, B₀, A₁, B₁, …, and b if there is one.
///
/// Sums of products are what derivatives of products are; they run through `gemm` without a pass for the addition.
struct MatrixProduct<Scalar: KernelScalar>: DeferrableOperation {
    let transposeA: Bool, transposeB: Bool, hasBias: Bool

    init(_ transposeA: Bool, _ transposeB: Bool, hasBias: Bool = false) {
        self.transposeA = transposeA
        self.transposeB = transposeB
        self.hasBias = hasBias
    }

    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func resultShape(_ x: [Tensor<Scalar>]) -> [Int] { Form(x[0].shape, x[1].shape, transposeA, transposeB).shape }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let terms = x.count / 2
        let form = Form(x[0].shape, x[1].shape, transposeA, transposeB)
        if hasBias {
            require(x[2 * terms].shape == [form.n], "affine: bias of shape \(x[2 * terms].shape); expected [\(form.n)]")
        }
        return Tensor(form.shape, uninitializedArray(count: elementCount(form.shape)) { out in
            for j in 0..<terms {
                let a = x[2 * j], b = x[2 * j + 1]
                let part = Form(a.shape, b.shape, transposeA, transposeB, into: form.shape)
                if hasBias, j == 0 {
                    let bias = x[2 * terms]
                    part.multiply(a.span, b.span, beta: 0, row: bias.span, into: &out)
                } else {
                    part.multiply(a.span, b.span, beta: j == 0 ? 0 : 1, row: Span(), into: &out)
                }
            }
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        var factors: [Tensor<Scalar>] = []
        for j in 0..<x.count / 2 {
            if let a = dx[2 * j] { factors += [a, x[2 * j + 1]] }
            if let b = dx[2 * j + 1] { factors += [x[2 * j], b] }
        }
        let bias = hasBias ? dx[x.count - 1] : nil
        guard !factors.isEmpty else { return bias?.broadcast(to: y.shape) }
        // The first term's shape must be the whole result's.
        if let whole = stride(from: 0, to: factors.count, by: 2).first(where: {
            Form(factors[$0].shape, factors[$0 + 1].shape, transposeA, transposeB).shape == y.shape
        }) {
            factors.swapAt(0, whole)
            factors.swapAt(1, whole + 1)
            return apply(MatrixProduct(transposeA, transposeB, hasBias: bias != nil), to: factors + (bias.map { [$0] } ?? []))
        }
        let sum = apply(MatrixProduct(transposeA, transposeB), to: factors).broadcast(to: y.shape)
        return bias.map { sum + $0 } ?? sum
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        var products = [Tensor<Scalar>?](repeating: nil, count: x.count)
        for j in 0..<x.count / 2 {
            let (a, b) = (x[2 * j], x[2 * j + 1])
            if wanted.contains(2 * j) {
                // Ā = ȳ·op(B)ᵀ, transposed if A is.
                products[2 * j] = transposeA ? product(b, g, transposeB, true, like: a) : product(g, b, false, !transposeB, like: a)
            }
            if wanted.contains(2 * j + 1) {
                products[2 * j + 1] = transposeB ? product(g, a, true, transposeA, like: b) : product(a, g, !transposeA, false, like: b)
            }
        }
        if hasBias, wanted.contains(x.count - 1) { products[x.count - 1] = g.sum(to: x[x.count - 1].shape) }
        return products
    }

    /// op(A)·op(B), summed over the batches that `like` does not have.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func product(
        _ a: Tensor<Scalar>, _ b: Tensor<Scalar>, _ transposeA: Bool, _ transposeB: Bool, like target: Tensor<Scalar>
    ) -> Tensor<Scalar> {
        // A sum over batches of Aᵀ·B is the product of the matrices that stack all of them.
        if transposeA, !transposeB, target.rank == 2, a.rank > 2, a.shape.dropLast() == b.shape.dropLast() {
            let rows = elementCount(Array(a.shape.dropLast()))
            return apply(MatrixProduct(true, false), to: [a.reshaped([rows, a.shape[a.rank - 1]]), b.reshaped([rows, b.shape[b.rank - 1]])])
        }
        return apply(MatrixProduct(transposeA, transposeB), to: [a, b]).sum(to: target.shape)
    }

    /// The shapes of one product and how its batches lie.
    private struct Form {
        let m: Int, n: Int, k: Int
        let shape: [Int]
        private let transposeA: Bool, transposeB: Bool
        private let rowsA: Int, columnsA: Int, rowsB: Int, columnsB: Int
        private let batches: BroadcastPlan, batchCount: Int

        init(_ a: [Int], _ b: [Int], _ transposeA: Bool, _ transposeB: Bool, into result: [Int]? = nil) {
            require(a.count >= 2 && b.count >= 2, "matmul: shapes \(a) and \(b); expected at least two axes each")
            (rowsA, columnsA) = (a[a.count - 2], a[a.count - 1])
            (rowsB, columnsB) = (b[b.count - 2], b[b.count - 1])
            (m, k) = transposeA ? (columnsA, rowsA) : (rowsA, columnsA)
            let inner = transposeB ? columnsB : rowsB
            n = transposeB ? rowsB : columnsB
            require(k == inner, "matmul: shapes \(a)\(transposeA ? "ᵀ" : "") and \(b)\(transposeB ? "ᵀ" : ""): inner extents \(k) and \(inner) differ")
            let batchA = Array(a.dropLast(2)), batchB = Array(b.dropLast(2))
            let own = broadcastShape(batchA, batchB, "matmul of \(a) and \(b)")
            let all = result.map { Array($0.dropLast(2)) } ?? own
            require(own == all, "matmul: batches \(own) in a sum over \(all); expected equal shapes")
            shape = all + [m, n]
            batches = BroadcastPlan(all, batchA, batchB)
            batchCount = elementCount(all)
            (self.transposeA, self.transposeB) = (transposeA, transposeB)
        }

        func multiply(_ a: Span<Scalar>, _ b: Span<Scalar>, beta: Scalar, row: Span<Scalar>, into c: inout MutableSpan<Scalar>) {
            let sizeA = rowsA * columnsA, sizeB = rowsB * columnsB, sizeC = m * n
            guard sizeC > 0, batchCount > 0 else { return }
            // One tall product where all batches share B and A's rows follow each other.
            if !transposeA, batches.outer.isEmpty, batches.runsA, !batches.runsB || batches.inner == 1 {
                return LinearAlgebra.multiply(
                    MatrixView(a, rows: batchCount * rowsA, columns: columnsA, rowStride: columnsA),
                    MatrixView(b, rows: rowsB, columns: columnsB, rowStride: columnsB),
                    transposeA: false, transposeB: transposeB, beta: beta, row: row, into: &c, rowStride: n)
            }
            batches.forEachBlock { block, i, j in
                for step in 0..<batches.inner {
                    let p = (i + (batches.runsA ? step : 0)) * sizeA, q = (j + (batches.runsB ? step : 0)) * sizeB
                    var part = c._mutatingExtracting((block + step) * sizeC..<(block + step + 1) * sizeC)
                    LinearAlgebra.multiply(
                        MatrixView(a.extracting(p..<p + sizeA), rows: rowsA, columns: columnsA, rowStride: columnsA),
                        MatrixView(b.extracting(q..<q + sizeB), rows: rowsB, columns: columnsB, rowStride: columnsB),
                        transposeA: transposeA, transposeB: transposeB, beta: beta, row: row, into: &part, rowStride: n)
                }
            }
        }
    }
}
