import Kernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#endif

// What the factorisations share.

extension Matrix {
    /// Solves for every column of `self`. LAPACK wants the columns next to each other, so they are copied there and
    /// back; a single column lies that way already.
    func solvedByColumns(
        _ size: Int, _ operation: String, _ solve: (UnsafeMutablePointer<Scalar>, Int) -> Int32
    ) throws(LinearAlgebraError) -> Matrix {
        require(rows == size, "\(operation): right-hand side has \(rows) rows; expected \(size)")
        try requireFinite()
        guard !isEmpty else { return self }
        var x = columns == 1 ? self : transposed()
        let info = unsafe x.storage.withUnsafeMutableBufferPointer { unsafe solve($0.baseAddress!, columns) }
        try checkArguments(info, operation)
        return try (columns == 1 ? x : x.transposed()).checkedResult(operation)
    }

    /// Sets what lies above the diagonal to zero.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    mutating func clearAboveDiagonal() {
        for i in 0..<rows {
            for k in i * columns + min(i + 1, columns)..<(i + 1) * columns { storage[k] = 0 }
        }
    }

    /// Sets what lies below the diagonal to zero.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    mutating func clearBelowDiagonal() {
        for i in 0..<rows {
            for k in i * columns..<i * columns + min(i, columns) { storage[k] = 0 }
        }
    }

    /// The 1-norm of the symmetric matrix whose lower triangle this is.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func symmetricOneNorm() -> Scalar {
        var sums: [Scalar] = zeroVector(columns)
        for i in 0..<rows {
            let row = row(i)
            var own = row[i].magnitude
            for j in 0..<i {
                own += row[j].magnitude
                sums[j] += row[j].magnitude
            }
            sums[i] += own
        }
        return largest(sums.span)
    }
}

/// The default relative tolerance of rank decisions, max(m, n)·eps, as in NumPy's `matrix_rank` and `lstsq`.
func defaultRankTolerance<Scalar: KernelScalar>(_ rows: Int, _ columns: Int) -> Scalar {
    Scalar(max(rows, columns)) * Scalar.ulpOfOne
}

func requireTolerance<Scalar: KernelScalar>(_ tolerance: Scalar?) {
    require(tolerance.map { $0 >= 0 } ?? true, "tolerance is \(tolerance!); expected at least 0")
}

/// log x; in double precision for both scalars.
func naturalLogarithm<Scalar: KernelScalar>(_ x: Scalar) -> Scalar { Scalar(log(Double(x))) }
