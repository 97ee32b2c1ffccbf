import COpenBLAS
import Kernels

/// Which half of a square matrix an operation reads, diagonal included. The other half is never read.
public enum Triangle: Sendable, Hashable, Codable {
    case lower, upper

    var blas: CBLAS_UPLO { self == .lower ? CblasLower : CblasUpper }
}

func blas(_ transpose: Bool) -> CBLAS_TRANSPOSE { transpose ? CblasTrans : CblasNoTrans }

// From generic buffers to the single and double routines of BLAS, all row-major. A leading dimension of 0 (a matrix
// without columns) is raised to the 1 that BLAS asks for.

extension KernelScalar {
    /// Whether to call the double routines; the single ones otherwise.
    @inline(__always) static var isDouble: Bool {
        if Self.self == Double.self { return true }
        require(Self.self == Float.self, "\(Self.self) is no scalar of this package; expected Float or Double")
        return false
    }

    @inline(__always) var double: Double { unsafe unsafeBitCast(self, to: Double.self) }
    @inline(__always) var single: Float { unsafe unsafeBitCast(self, to: Float.self) }

    /// C ← alpha·op(A)·op(B) + beta·C with C `m`×`n` and inner size `k`.
    static func gemm(
        _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ alpha: Self,
        _ a: UnsafePointer<Self>, _ strideA: Int, _ b: UnsafePointer<Self>, _ strideB: Int, _ beta: Self,
        _ c: UnsafeMutablePointer<Self>, _ strideC: Int
    ) {
        let (m, n, k) = (size32(m), size32(n), size32(k))
        let (lda, ldb, ldc) = (size32(max(1, strideA)), size32(max(1, strideB)), size32(max(1, strideC)))
        withBLAS {
            if isDouble {
                unsafe cblas_dgemm(CblasRowMajor, blas(transposeA), blas(transposeB), m, n, k, alpha.double, a.double, lda,
                                   b.double, ldb, beta.double, c.double, ldc)
            } else {
                unsafe cblas_sgemm(CblasRowMajor, blas(transposeA), blas(transposeB), m, n, k, alpha.single, a.single, lda,
                                   b.single, ldb, beta.single, c.single, ldc)
            }
        }
    }

    /// y ← alpha·op(A)·x + beta·y with A `m`×`n`.
    static func gemv(
        _ transpose: Bool, _ m: Int, _ n: Int, _ alpha: Self, _ a: UnsafePointer<Self>, _ strideA: Int,
        _ x: UnsafePointer<Self>, _ beta: Self, _ y: UnsafeMutablePointer<Self>
    ) {
        let (m, n, lda) = (size32(m), size32(n), size32(max(1, strideA)))
        withBLAS {
            if isDouble {
                unsafe cblas_dgemv(CblasRowMajor, blas(transpose), m, n, alpha.double, a.double, lda, x.double, 1,
                                   beta.double, y.double, 1)
            } else {
                unsafe cblas_sgemv(CblasRowMajor, blas(transpose), m, n, alpha.single, a.single, lda, x.single, 1,
                                   beta.single, y.single, 1)
            }
        }
    }

    /// A ← A + alpha·x·yᵀ with A `m`×`n`.
    static func ger(
        _ m: Int, _ n: Int, _ alpha: Self, _ x: UnsafePointer<Self>, _ y: UnsafePointer<Self>,
        _ a: UnsafeMutablePointer<Self>
    ) {
        let (m, n) = (size32(m), size32(n))
        withBLAS {
            if isDouble {
                unsafe cblas_dger(CblasRowMajor, m, n, alpha.double, x.double, 1, y.double, 1, a.double, n)
            } else {
                unsafe cblas_sger(CblasRowMajor, m, n, alpha.single, x.single, 1, y.single, 1, a.single, n)
            }
        }
    }

    /// y ← alpha·A·x + beta·y with A symmetric of order `n`.
    static func symv(
        _ triangle: Triangle, _ n: Int, _ alpha: Self, _ a: UnsafePointer<Self>, _ x: UnsafePointer<Self>, _ beta: Self,
        _ y: UnsafeMutablePointer<Self>
    ) {
        let n = size32(n)
        withBLAS {
            if isDouble {
                unsafe cblas_dsymv(CblasRowMajor, triangle.blas, n, alpha.double, a.double, n, x.double, 1, beta.double,
                                   y.double, 1)
            } else {
                unsafe cblas_ssymv(CblasRowMajor, triangle.blas, n, alpha.single, a.single, n, x.single, 1, beta.single,
                                   y.single, 1)
            }
        }
    }

    /// The lower triangle of C ← alpha·op(A)·op(A)ᵀ + beta·C with C of order `n` and inner size `k`.
    static func syrk(
        _ transpose: Bool, _ n: Int, _ k: Int, _ alpha: Self, _ a: UnsafePointer<Self>, _ strideA: Int, _ beta: Self,
        _ c: UnsafeMutablePointer<Self>
    ) {
        let (n, k, lda) = (size32(n), size32(k), size32(max(1, strideA)))
        withBLAS {
            if isDouble {
                unsafe cblas_dsyrk(CblasRowMajor, CblasLower, blas(transpose), n, k, alpha.double, a.double, lda,
                                   beta.double, c.double, n)
            } else {
                unsafe cblas_ssyrk(CblasRowMajor, CblasLower, blas(transpose), n, k, alpha.single, a.single, lda,
                                   beta.single, c.single, n)
            }
        }
    }

    /// B ← op(T)⁻¹·B with T triangular of order `m` and B `m`×`n`.
    static func trsm(
        _ triangle: Triangle, _ transpose: Bool, _ unit: Bool, _ m: Int, _ n: Int, _ t: UnsafePointer<Self>,
        _ strideT: Int, _ b: UnsafeMutablePointer<Self>
    ) {
        let (m, n, ldt) = (size32(m), size32(n), size32(max(1, strideT)))
        let diagonal = unit ? CblasUnit : CblasNonUnit
        withBLAS {
            if isDouble {
                unsafe cblas_dtrsm(CblasRowMajor, CblasLeft, triangle.blas, blas(transpose), diagonal, m, n, 1, t.double,
                                   ldt, b.double, n)
            } else {
                unsafe cblas_strsm(CblasRowMajor, CblasLeft, triangle.blas, blas(transpose), diagonal, m, n, 1, t.single,
                                   ldt, b.single, n)
            }
        }
    }

    /// x ← op(T)⁻¹·x with T triangular of order `n`.
    static func trsv(
        _ triangle: Triangle, _ transpose: Bool, _ unit: Bool, _ n: Int, _ t: UnsafePointer<Self>, _ strideT: Int,
        _ x: UnsafeMutablePointer<Self>
    ) {
        let (n, ldt) = (size32(n), size32(max(1, strideT)))
        let diagonal = unit ? CblasUnit : CblasNonUnit
        withBLAS {
            if isDouble {
                unsafe cblas_dtrsv(CblasRowMajor, triangle.blas, blas(transpose), diagonal, n, t.double, ldt, x.double, 1)
            } else {
                unsafe cblas_strsv(CblasRowMajor, triangle.blas, blas(transpose), diagonal, n, t.single, ldt, x.single, 1)
            }
        }
    }
}

// The scalar type was tested before these are used (`isDouble`), so the memory has the type that is named.

extension UnsafePointer {
    @inline(__always) var double: UnsafePointer<Double> { unsafe UnsafeRawPointer(self).assumingMemoryBound(to: Double.self) }
    @inline(__always) var single: UnsafePointer<Float> { unsafe UnsafeRawPointer(self).assumingMemoryBound(to: Float.self) }
}

extension UnsafeMutablePointer {
    @inline(__always) var double: UnsafeMutablePointer<Double> {
        unsafe UnsafeMutableRawPointer(self).assumingMemoryBound(to: Double.self)
    }
    @inline(__always) var single: UnsafeMutablePointer<Float> {
        unsafe UnsafeMutableRawPointer(self).assumingMemoryBound(to: Float.self)
    }
}
