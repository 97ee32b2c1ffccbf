import CLAPACKE
import Kernels

// From generic buffers to the single and double routines of LAPACK, all column-major: a row-major matrix that is passed as
// it lies is the transpose of what it means. Each function returns LAPACK's info; `checkArguments` takes the part of it
// that is no property of the data.

extension KernelScalar {
    /// A = LLᵀ or UᵀU in place.
    static func potrf(
        _ triangle: CChar, _ n: Int, _ a: UnsafeMutablePointer<Self>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dpotrf(LAPACK_COL_MAJOR, triangle, size32(n), a.double, size32(max(1, n)))
            } else {
                unsafe LAPACKE_spotrf(LAPACK_COL_MAJOR, triangle, size32(n), a.single, size32(max(1, n)))
            }
        }
    }

    /// X ← A⁻¹·X from `potrf`.
    static func potrs(
        _ triangle: CChar, _ n: Int, _ count: Int, _ a: UnsafePointer<Self>, _ x: UnsafeMutablePointer<Self>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dpotrs(
                    LAPACK_COL_MAJOR, triangle, size32(n), size32(count), a.double, size32(max(1, n)), x.double,
                    size32(max(1, n)))
            } else {
                unsafe LAPACKE_spotrs(
                    LAPACK_COL_MAJOR, triangle, size32(n), size32(count), a.single, size32(max(1, n)), x.single,
                    size32(max(1, n)))
            }
        }
    }

    /// One triangle of A⁻¹ in place, from `potrf`.
    static func potri(
        _ triangle: CChar, _ n: Int, _ a: UnsafeMutablePointer<Self>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dpotri(LAPACK_COL_MAJOR, triangle, size32(n), a.double, size32(max(1, n)))
            } else {
                unsafe LAPACKE_spotri(LAPACK_COL_MAJOR, triangle, size32(n), a.single, size32(max(1, n)))
            }
        }
    }

    /// Reciprocal condition estimate (1-norm) from `potrf`.
    static func pocon(
        _ triangle: CChar, _ n: Int, _ a: UnsafePointer<Self>, _ norm: Self,
        _ result: UnsafeMutablePointer<Self>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dpocon(
                    LAPACK_COL_MAJOR, triangle, size32(n), a.double, size32(max(1, n)), norm.double, result.double)
            } else {
                unsafe LAPACKE_spocon(
                    LAPACK_COL_MAJOR, triangle, size32(n), a.single, size32(max(1, n)), norm.single, result.single)
            }
        }
    }

    /// A = PLU in place, square.
    static func getrf(
        _ n: Int, _ a: UnsafeMutablePointer<Self>, _ pivots: UnsafeMutablePointer<Int32>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dgetrf(LAPACK_COL_MAJOR, size32(n), size32(n), a.double, size32(max(1, n)), pivots)
            } else {
                unsafe LAPACKE_sgetrf(LAPACK_COL_MAJOR, size32(n), size32(n), a.single, size32(max(1, n)), pivots)
            }
        }
    }

    /// A = LDLᵀ or UDUᵀ with blocks of order 1 and 2 in D, in place, symmetric.
    static func sytrf(
        _ triangle: CChar, _ n: Int, _ a: UnsafeMutablePointer<Self>, _ pivots: UnsafeMutablePointer<Int32>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dsytrf(LAPACK_COL_MAJOR, triangle, size32(n), a.double, size32(max(1, n)), pivots)
            } else {
                unsafe LAPACKE_ssytrf(LAPACK_COL_MAJOR, triangle, size32(n), a.single, size32(max(1, n)), pivots)
            }
        }
    }

    /// X ← A⁻¹·X from `sytrf`.
    static func sytrs(
        _ triangle: CChar, _ n: Int, _ count: Int, _ a: UnsafePointer<Self>, _ pivots: UnsafePointer<Int32>, _ x: UnsafeMutablePointer<Self>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dsytrs(
                    LAPACK_COL_MAJOR, triangle, size32(n), size32(count), a.double, size32(max(1, n)), pivots, x.double, size32(max(1, n)))
            } else {
                unsafe LAPACKE_ssytrs(
                    LAPACK_COL_MAJOR, triangle, size32(n), size32(count), a.single, size32(max(1, n)), pivots, x.single, size32(max(1, n)))
            }
        }
    }

    /// X ← op(A)⁻¹·X from `getrf`.
    static func getrs(
        _ transpose: CChar, _ n: Int, _ count: Int, _ a: UnsafePointer<Self>, _ pivots: UnsafePointer<Int32>,
        _ x: UnsafeMutablePointer<Self>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dgetrs(
                    LAPACK_COL_MAJOR, transpose, size32(n), size32(count), a.double, size32(max(1, n)), pivots,
                    x.double, size32(max(1, n)))
            } else {
                unsafe LAPACKE_sgetrs(
                    LAPACK_COL_MAJOR, transpose, size32(n), size32(count), a.single, size32(max(1, n)), pivots,
                    x.single, size32(max(1, n)))
            }
        }
    }

    /// A⁻¹ in place, from `getrf`.
    static func getri(
        _ n: Int, _ a: UnsafeMutablePointer<Self>, _ pivots: UnsafePointer<Int32>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dgetri(LAPACK_COL_MAJOR, size32(n), a.double, size32(max(1, n)), pivots)
            } else {
                unsafe LAPACKE_sgetri(LAPACK_COL_MAJOR, size32(n), a.single, size32(max(1, n)), pivots)
            }
        }
    }

    /// Reciprocal condition estimate (1-norm) from `getrf`.
    static func gecon(
        _ n: Int, _ a: UnsafePointer<Self>, _ norm: Self, _ result: UnsafeMutablePointer<Self>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dgecon(
                    LAPACK_COL_MAJOR, CChar("1"), size32(n), a.double, size32(max(1, n)), norm.double, result.double)
            } else {
                unsafe LAPACKE_sgecon(
                    LAPACK_COL_MAJOR, CChar("1"), size32(n), a.single, size32(max(1, n)), norm.single, result.single)
            }
        }
    }

    /// Reciprocal condition estimate of a triangular matrix; `which` is the norm.
    static func trcon(
        _ which: CChar, _ triangle: CChar, _ diagonal: CChar, _ n: Int, _ a: UnsafePointer<Self>,
        _ result: UnsafeMutablePointer<Self>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dtrcon(
                    LAPACK_COL_MAJOR, which, triangle, diagonal, size32(n), a.double, size32(max(1, n)),
                    result.double)
            } else {
                unsafe LAPACKE_strcon(
                    LAPACK_COL_MAJOR, which, triangle, diagonal, size32(n), a.single, size32(max(1, n)),
                    result.single)
            }
        }
    }

    /// A = QR in place, Q as reflectors.
    static func geqrf(
        _ m: Int, _ n: Int, _ a: UnsafeMutablePointer<Self>, _ tau: UnsafeMutablePointer<Self>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dgeqrf(LAPACK_COL_MAJOR, size32(m), size32(n), a.double, size32(max(1, m)), tau.double)
            } else {
                unsafe LAPACKE_sgeqrf(LAPACK_COL_MAJOR, size32(m), size32(n), a.single, size32(max(1, m)), tau.single)
            }
        }
    }

    /// A = QRPᵀ in place, Q as reflectors, columns pivoted.
    static func geqp3(
        _ m: Int, _ n: Int, _ a: UnsafeMutablePointer<Self>, _ order: UnsafeMutablePointer<Int32>,
        _ tau: UnsafeMutablePointer<Self>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dgeqp3(
                    LAPACK_COL_MAJOR, size32(m), size32(n), a.double, size32(max(1, m)), order, tau.double)
            } else {
                unsafe LAPACKE_sgeqp3(
                    LAPACK_COL_MAJOR, size32(m), size32(n), a.single, size32(max(1, m)), order, tau.single)
            }
        }
    }

    /// The first `n` columns of Q from `k` reflectors, in place.
    static func orgqr(
        _ m: Int, _ n: Int, _ k: Int, _ a: UnsafeMutablePointer<Self>, _ tau: UnsafePointer<Self>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dorgqr(
                    LAPACK_COL_MAJOR, size32(m), size32(n), size32(k), a.double, size32(max(1, m)), tau.double)
            } else {
                unsafe LAPACKE_sorgqr(
                    LAPACK_COL_MAJOR, size32(m), size32(n), size32(k), a.single, size32(max(1, m)), tau.single)
            }
        }
    }

    /// C ← op(Q)·C (side L) or C·op(Q) (side R), C `m`×`n`, Q from `k` reflectors.
    static func ormqr(
        _ side: CChar, _ transpose: CChar, _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Self>,
        _ strideA: Int, _ tau: UnsafePointer<Self>, _ c: UnsafeMutablePointer<Self>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dormqr(
                    LAPACK_COL_MAJOR, side, transpose, size32(m), size32(n), size32(k), a.double, size32(max(1,
                    strideA)), tau.double, c.double, size32(max(1, m)))
            } else {
                unsafe LAPACKE_sormqr(
                    LAPACK_COL_MAJOR, side, transpose, size32(m), size32(n), size32(k), a.single, size32(max(1,
                    strideA)), tau.single, c.single, size32(max(1, m)))
            }
        }
    }

    /// Singular value decomposition by divide and conquer; A is destroyed.
    static func gesdd(
        _ job: CChar, _ m: Int, _ n: Int, _ a: UnsafeMutablePointer<Self>, _ s: UnsafeMutablePointer<Self>,
        _ u: UnsafeMutablePointer<Self>, _ vt: UnsafeMutablePointer<Self>, _ strideVT: Int
    ) -> Int32 {
        let (rows, columns, ldvt) = (size32(m), size32(n), size32(max(1, strideVT)))
        return unsafe withWorkspace(integers: 8 * min(m, n)) { work, count, integers, _ in
            if isDouble {
                unsafe LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, job, rows, columns, a.double, max(1, rows), s.double, u.double,
                                           max(1, rows), vt.double, ldvt, work.double, count, integers)
            } else {
                unsafe LAPACKE_sgesdd_work(LAPACK_COL_MAJOR, job, rows, columns, a.single, max(1, rows), s.single, u.single,
                                           max(1, rows), vt.single, ldvt, work.single, count, integers)
            }
        }
    }

    /// Singular value decomposition by QR iteration; A is destroyed.
    static func gesvd(
        _ job: CChar, _ m: Int, _ n: Int, _ a: UnsafeMutablePointer<Self>, _ s: UnsafeMutablePointer<Self>,
        _ u: UnsafeMutablePointer<Self>, _ vt: UnsafeMutablePointer<Self>, _ strideVT: Int,
        _ rest: UnsafeMutablePointer<Self>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dgesvd(
                    LAPACK_COL_MAJOR, job, job, size32(m), size32(n), a.double, size32(max(1, m)), s.double,
                    u.double, size32(max(1, m)), vt.double, size32(max(1, strideVT)), rest.double)
            } else {
                unsafe LAPACKE_sgesvd(
                    LAPACK_COL_MAJOR, job, job, size32(m), size32(n), a.single, size32(max(1, m)), s.single,
                    u.single, size32(max(1, m)), vt.single, size32(max(1, strideVT)), rest.single)
            }
        }
    }

    /// Eigenvalues, and with job V eigenvectors in place, of a symmetric matrix.
    static func syevd(
        _ job: CChar, _ triangle: CChar, _ n: Int, _ a: UnsafeMutablePointer<Self>, _ values: UnsafeMutablePointer<Self>
    ) -> Int32 {
        let n = size32(n)
        return unsafe withWorkspace(integers: nil) { work, count, integers, integerCount in
            if isDouble {
                unsafe LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, job, triangle, n, a.double, max(1, n), values.double, work.double,
                                           count, integers, integerCount)
            } else {
                unsafe LAPACKE_ssyevd_work(LAPACK_COL_MAJOR, job, triangle, n, a.single, max(1, n), values.single, work.single,
                                           count, integers, integerCount)
            }
        }
    }

    /// Minimum-norm least squares by a complete orthogonal factorisation.
    static func gelsy(
        _ m: Int, _ n: Int, _ count: Int, _ a: UnsafeMutablePointer<Self>, _ b: UnsafeMutablePointer<Self>,
        _ order: UnsafeMutablePointer<Int32>, _ tolerance: Self, _ rank: UnsafeMutablePointer<Int32>
    ) -> Int32 {
        withBLAS {
            if isDouble {
                unsafe LAPACKE_dgelsy(
                    LAPACK_COL_MAJOR, size32(m), size32(n), size32(count), a.double, size32(max(1, m)), b.double,
                    size32(max(1, m, n)), order, tolerance.double, rank)
            } else {
                unsafe LAPACKE_sgelsy(
                    LAPACK_COL_MAJOR, size32(m), size32(n), size32(count), a.single, size32(max(1, m)), b.single,
                    size32(max(1, m, n)), order, tolerance.single, rank)
            }
        }
    }

    /// Minimum-norm least squares by the singular value decomposition.
    static func gelsd(
        _ m: Int, _ n: Int, _ count: Int, _ a: UnsafeMutablePointer<Self>, _ b: UnsafeMutablePointer<Self>,
        _ s: UnsafeMutablePointer<Self>, _ tolerance: Self, _ rank: UnsafeMutablePointer<Int32>
    ) -> Int32 {
        let (m, n, columns) = (size32(m), size32(n), size32(count))
        return unsafe withWorkspace(integers: nil) { work, count, integers, _ in
            if isDouble {
                unsafe LAPACKE_dgelsd_work(LAPACK_COL_MAJOR, m, n, columns, a.double, max(1, m), b.double, max(1, m, n), s.double,
                                           tolerance.double, rank, work.double, count, integers)
            } else {
                unsafe LAPACKE_sgelsd_work(LAPACK_COL_MAJOR, m, n, columns, a.single, max(1, m), b.single, max(1, m, n), s.single,
                                           tolerance.single, rank, work.single, count, integers)
            }
        }
    }

    /// Asks `call` for the work space that it needs (a count of −1), and calls it again with that.
    ///
    /// LAPACK answers in the scalar type. For `Float` the count may be rounded down beyond 2²⁴, which LAPACK then refuses:
    /// so these routines, whose work space grows with the square of the size, do not go through LAPACKE's own query.
    private static func withWorkspace(
        integers: Int?,
        _ call: (UnsafeMutablePointer<Self>, Int32, UnsafeMutablePointer<Int32>, Int32) -> Int32
    ) -> Int32 {
        var answer: Self = 0
        var integerAnswer: Int32 = 0
        let info = withBLAS { unsafe call(&answer, -1, &integerAnswer, -1) }
        guard info == 0 else { return info }
        guard answer.nextUp < Self(Int32.max) else { return LAPACK_WORK_MEMORY_ERROR }
        let count = max(1, Int(answer.nextUp.rounded(.up))), integerCount = max(1, integers ?? Int(integerAnswer))
        let work = UnsafeMutablePointer<Self>.allocate(capacity: count)
        let integerWork = UnsafeMutablePointer<Int32>.allocate(capacity: integerCount)
        defer {
            unsafe work.deallocate()
            unsafe integerWork.deallocate()
        }
        return withBLAS { unsafe call(work, Int32(count), integerWork, Int32(integerCount)) }
    }
}

extension CChar {
    /// The letter that LAPACK takes as an option.
    init(_ letter: Unicode.Scalar) { self = CChar(letter.value) }
}

extension Triangle {
    /// The letter for LAPACK when a row-major matrix is passed as it lies, that is, transposed.
    var swapped: CChar { self == .lower ? CChar("U") : CChar("L") }
}

/// Throws if LAPACK had no memory. A negative info otherwise means that this package passed a wrong argument.
func checkArguments(_ info: Int32, _ operation: String) throws(LinearAlgebraError) {
    if info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR {
        throw .outOfMemory(operation: operation)
    }
    require(info >= 0, "\(operation): LAPACK refused argument \(-info)")
}
