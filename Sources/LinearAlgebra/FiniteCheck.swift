import Kernels

/// The index of the first element that is NaN or infinite; `nil` if there is none.
///
/// Blocks are tested without branches, which vectorises; only the block with the culprit is searched.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func firstNonFinite<Scalar: KernelScalar>(_ values: Span<Scalar>) -> Int? {
    let block = 1024
    for start in stride(from: 0, to: values.count, by: block) {
        let end = min(start + block, values.count)
        var finite = true
        for i in start..<end { finite = unsafe values[unchecked: i].isFinite && finite }
        if !finite { return (start..<end).first { !values[$0].isFinite } }
    }
    return nil
}

extension Matrix {
    package func requireFinite() throws(LinearAlgebraError) {
        if let k = firstNonFinite(span) { throw .nonFinite(row: k / columns, column: k % columns) }
    }

    /// The same for the elements of one triangle, without its diagonal if that counts as ones: the others are never read.
    func requireFinite(_ triangle: Triangle, unitDiagonal: Bool = false) throws(LinearAlgebraError) {
        let skip = unitDiagonal ? 1 : 0
        for i in 0..<rows {
            let range = triangle == .lower ? 0..<i + 1 - skip : i + skip..<columns
            if let k = firstNonFinite(row(i).extracting(range)) {
                throw .nonFinite(row: i, column: range.lowerBound + k)
            }
        }
    }

    /// `self`, as the result of `operation`: an overflow is an error, never an infinity or a NaN handed out.
    func checkedResult(_ operation: String) throws(LinearAlgebraError) -> Matrix {
        if firstNonFinite(span) != nil { throw .overflow(operation: operation) }
        return self
    }
}

package func requireFinite<Scalar: KernelScalar>(_ vector: Span<Scalar>) throws(LinearAlgebraError) {
    if let k = firstNonFinite(vector) { throw .nonFinite(row: k, column: 0) }
}
