import Kernels
import LinearAlgebra
import Randomness

/// Independent normal elements of variance 1/d: the sketch whose theory is exact. The singular values of S Q for n orthonormal columns fill
/// [1 − √(n/d), 1 + √(n/d)], whatever Q is.
///
/// S is drawn tile by tile while it multiplies and is never stored. Applying it costs 2 d m n operations, at the speed of `gemm`
/// for n of a few hundred; drawing its d m numbers costs more than that for smaller n.
public struct GaussianSketch: SketchDistribution {
    public init() {}

    public func sample<Scalar: KernelScalar>(
        _ type: Scalar.Type, rows: Int, columns: Int, random: RandomStream
    ) -> any Sketch<Scalar> {
        requireSketch(rows, columns)
        return GaussianSample<Scalar>(rows: rows, columns: columns, random: random)
    }
}

private struct GaussianSample<Scalar: KernelScalar>: Sketch {
    let rows: Int, columns: Int, random: RandomStream

    /// Columns of S that are drawn at a time, each tile from a substream of its own.
    private var tileWidth: Int { max(1, min(columns, (1 << 17) / rows)) }

    /// Columns `tile · tileWidth` and on, as a row-major matrix of `rows` rows.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func tile(_ tile: Int) -> Matrix<Scalar> {
        let width = min(tileWidth, columns - tile * tileWidth)
        var own = random.substream(UInt64(tile))
        let deviation = (1 / Scalar(rows)).squareRoot()
        return Matrix(rows: rows, columns: width, elements: own.normal(count: rows * width, mean: 0, standardDeviation: deviation))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func apply(to a: Matrix<Scalar>) -> Matrix<Scalar> {
        requireRows(a.rows, a.columns)
        var result = Matrix<Scalar>.zeros(rows: rows, columns: a.columns)
        for k in 0..<(columns + tileWidth - 1) / tileWidth {
            let s = tile(k), first = k * tileWidth
            multiply(s.view, a.view.submatrix(rows: first..<first + s.columns, columns: 0..<a.columns), beta: 1, into: &result)
        }
        return result
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func apply(to a: SparseMatrix<Scalar>) -> Matrix<Scalar> {
        requireRows(a.rows, a.columns)
        // Transposed, so that both S and the result are read along rows.
        var result = Matrix<Scalar>.zeros(rows: a.columns, columns: rows)
        for k in 0..<(columns + tileWidth - 1) / tileWidth {
            let s = tile(k).transposed(), first = k * tileWidth
            for i in 0..<s.rows {
                for e in a.rowOffsets[first + i]..<a.rowOffsets[first + i + 1] {
                    var row = result.mutableRow(Int(a.columnIndices[e]))
                    Scalar.axpy(a.values[e], s.row(i), &row)
                }
            }
        }
        return result.transposed()
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        requireAdjoint(y.count, x.count)
        for k in 0..<(columns + tileWidth - 1) / tileWidth {
            let s = tile(k)
            var part = x._mutatingExtracting(k * tileWidth..<k * tileWidth + s.columns)
            multiply(s, y, transpose: true, into: &part)
        }
    }
}
