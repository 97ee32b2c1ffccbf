import Kernels

/// Writes the transpose of the row-major `rows`×`columns` matrix at `source`, bands of rows over the threads where it is large.
func transpose<Scalar: KernelScalar>(
    _ source: UnsafePointer<Scalar>, _ rows: Int, _ columns: Int, into target: UnsafeMutablePointer<Scalar>
) {
    // Rows that lie a multiple of 4 KiB apart share cache sets, so fewer of them are read at a time.
    let tile = columns * MemoryLayout<Scalar>.stride % 4096 == 0 ? 16 : 64
    // Below a few hundred thousand elements threads cost more than they bring.
    let bands = rows * columns >= 1 << 18 ? (rows + tile - 1) / tile : 1
    let height = bands == 1 ? rows : tile
    nonisolated(unsafe) let (source, target) = unsafe (source, target)
    concurrentPerform(iterations: bands) { band in
        let first = band * height
        unsafe transposeBand(source, rows, columns, first..<min(rows, first + height), tile, into: target)
    }
}

/// The same for a band of rows of the source, tile by tile; in a tile four columns of two rows at a time, so that
/// whole parts of cache lines are read and written.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
private func transposeBand<Scalar: KernelScalar>(
    _ source: UnsafePointer<Scalar>, _ rows: Int, _ columns: Int, _ band: Range<Int>, _ tile: Int,
    into target: UnsafeMutablePointer<Scalar>
) {
    for i0 in stride(from: band.lowerBound, to: band.upperBound, by: tile) {
        let i1 = min(i0 + tile, band.upperBound)
        for j0 in stride(from: 0, to: columns, by: tile) {
            let j1 = min(j0 + tile, columns)
            var j = j0
            while j + 4 <= j1 {
                let out0 = unsafe target + j * rows
                let out1 = unsafe out0 + rows, out2 = unsafe out1 + rows, out3 = unsafe out2 + rows
                var i = i0
                while i + 2 <= i1 {
                    let upper = unsafe source + i * columns + j
                    let lower = unsafe upper + columns
                    unsafe (out0[i], out0[i + 1]) = unsafe (upper[0], lower[0])
                    unsafe (out1[i], out1[i + 1]) = unsafe (upper[1], lower[1])
                    unsafe (out2[i], out2[i + 1]) = unsafe (upper[2], lower[2])
                    unsafe (out3[i], out3[i + 1]) = unsafe (upper[3], lower[3])
                    i += 2
                }
                if i < i1 {
                    let last = unsafe source + i * columns + j
                    unsafe (out0[i], out1[i], out2[i], out3[i]) = unsafe (last[0], last[1], last[2], last[3])
                }
                j += 4
            }
            while j < j1 {
                let out = unsafe target + j * rows
                for i in i0..<i1 { unsafe out[i] = unsafe source[i * columns + j] }
                j += 1
            }
        }
    }
}
