import Kernels

/// Writes the transpose of the row-major `rows`×`columns` matrix at `source`.
///
/// Tiles of 16×16 keep both sides in the first-level cache.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func transpose<Scalar: KernelScalar>(
    _ source: UnsafePointer<Scalar>, _ rows: Int, _ columns: Int, into target: UnsafeMutablePointer<Scalar>
) {
    let tile = 16
    for i0 in stride(from: 0, to: rows, by: tile) {
        let i1 = min(i0 + tile, rows)
        for j0 in stride(from: 0, to: columns, by: tile) {
            for j in j0..<min(j0 + tile, columns) {
                let out = unsafe target + j * rows
                for i in i0..<i1 { unsafe out[i] = unsafe source[i * columns + j] }
            }
        }
    }
}
