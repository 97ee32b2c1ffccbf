import Kernels
import LinearAlgebra
import Randomness

/// √(m/d) R C D: random signs D, the orthonormal discrete cosine transform (DCT-II) C of m elements, and d of its rows without
/// replacement, R: Blendenpik's mixing (Avron, Maymounkov and Toledo 2010).
///
/// As ``SubsampledHadamard`` for any m without padding; a transposed copy of A is made, since FFTW transforms along rows.
public struct SubsampledCosine: SketchDistribution {
    public init() {}

    public func sample<Scalar: KernelScalar>(
        _ type: Scalar.Type, rows: Int, columns: Int, random: RandomStream
    ) -> any Sketch<Scalar> {
        requireSketch(rows, columns)
        require(rows <= columns, "a subsampled cosine sketch of \(rows) rows for \(columns) columns; expected at most \(columns)")
        var random = random
        let signs: [Scalar] = random.rademacher(count: columns)
        return CosineSample(
            rows: rows, columns: columns, signs: signs, chosen: random.sample(rows, of: columns), transform: CosineTransform(length: columns))
    }
}

private struct CosineSample<Scalar: KernelScalar>: Sketch {
    let rows: Int, columns: Int
    let signs: [Scalar]
    let chosen: [Int]
    let transform: CosineTransform<Scalar>

    private var scale: Scalar { (Scalar(columns) / Scalar(rows)).squareRoot() }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func apply(to a: Matrix<Scalar>) -> Matrix<Scalar> {
        requireRows(a.rows, a.columns)
        let scale = scale
        var mixed = a.transposed(), result = Matrix<Scalar>.zeros(rows: a.columns, columns: rows)
        var all = mixed.mutableSpan
        concurrentBlocks(of: &all, blockLength: columns) { _, column in
            for i in 0..<column.count { column[i] *= signs[i] }
            transform.typeII(&column)
        }
        for j in 0..<a.columns {
            var row = result.mutableRow(j)
            let column = mixed.row(j)
            for (i, source) in chosen.enumerated() { row[i] = scale * column[source] }
        }
        return result.transposed()
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        requireAdjoint(y.count, x.count)
        for i in 0..<columns { x[i] = 0 }
        for (i, source) in chosen.enumerated() { x[source] = scale * y[i] }
        transform.typeIII(&x)
        for i in 0..<columns { x[i] *= signs[i] }
    }
}
