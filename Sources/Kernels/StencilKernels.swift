import CKernels

/// A five- or seven-point operator on a grid of planes × rows × columns points, a sum of products over the axes:
///
///     A = Kz ⊗ My ⊗ Mx + Mz ⊗ Ky ⊗ Mx + Mz ⊗ My ⊗ Kx + shift Mz ⊗ My ⊗ Mx
///
/// with K tridiagonal and M diagonal. Points lie row-major, columns contiguous.
public struct StencilGrid<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    public let planes: Int, rows: Int, columns: Int
    /// For z, y and x in turn n numbers each: −K below the diagonal (the first 0), −K above it (the last 0), the diagonal of K, that of M.
    public let coefficients: [Scalar]
    public let shift: Scalar

    /// - Precondition: no size is negative; 4 (`planes` + `rows` + `columns`) coefficients.
    public init(planes: Int, rows: Int, columns: Int, coefficients: [Scalar], shift: Scalar) {
        require(planes >= 0 && rows >= 0 && columns >= 0, "grid of \(planes)×\(rows)×\(columns) points; expected no negative size")
        require(coefficients.count == 4 * (planes + rows + columns),
                "\(coefficients.count) coefficients for \(planes)×\(rows)×\(columns) points; expected \(4 * (planes + rows + columns))")
        (self.planes, self.rows, self.columns, self.coefficients, self.shift) = (planes, rows, columns, coefficients, shift)
    }

    public var count: Int { planes * rows * columns }

    fileprivate func requireCounts(_ counts: Int...) {
        for n in counts { require(n == count, "vector of \(n) elements on \(planes)×\(rows)×\(columns) points; expected \(count)") }
    }

    fileprivate func requireWork(_ n: Int) {
        require(n >= 3 * columns, "work space of \(n) elements for lines of \(columns); expected at least \(3 * columns)")
    }
}

/// The order in which a relaxation goes through the points of a grid.
public enum StencilOrder: Int32, Sendable, Hashable, Codable {
    case forward, backward
    /// Points whose indices have an even sum, then the others; or the other way round.
    case redBlack, blackRed
}

/// Interpolation from a grid of half as many points along each axis.
///
/// Along an axis of n > 1 points coarse point c is point 2 c + 1, and point 2 c takes lower[2 c] times coarse point c − 1 and upper[2 c] times
/// coarse point c. An axis of one point stays.
public struct StencilTransfer<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    public let planes: Int, rows: Int, columns: Int
    /// For z, y and x in turn lower and upper, n numbers each.
    public let weights: [Scalar]

    /// - Precondition: each size is at least 1; 2 (`planes` + `rows` + `columns`) weights.
    public init(planes: Int, rows: Int, columns: Int, weights: [Scalar]) {
        require(planes >= 1 && rows >= 1 && columns >= 1, "grid of \(planes)×\(rows)×\(columns) points; expected sizes of at least 1")
        require(weights.count == 2 * (planes + rows + columns),
                "\(weights.count) weights for \(planes)×\(rows)×\(columns) points; expected \(2 * (planes + rows + columns))")
        (self.planes, self.rows, self.columns, self.weights) = (planes, rows, columns, weights)
    }

    fileprivate func requireCounts(_ fine: Int, _ coarse: Int, _ work: Int) {
        let n = planes * rows * columns, m = [planes, rows, columns].reduce(1) { $0 * ($1 == 1 ? 1 : $1 / 2) }
        require(fine == n && coarse == m, "transfer between \(fine) and \(coarse) points; expected \(n) and \(m)")
        require(work >= columns, "work space of \(work) elements for lines of \(columns); expected as many at least")
    }
}

// Witnesses of KernelScalar, one call of C each.

extension Float {
    public static func conjugateUpdate(
        _ a: Float, _ p: Span<Float>, into x: inout MutableSpan<Float>, _ b: Float, _ q: Span<Float>, into r: inout MutableSpan<Float>
    ) -> Float {
        requireEqualCounts(p.count, x.count)
        requireEqualCounts(q.count, r.count)
        requireEqualCounts(x.count, r.count)
        return unsafe withPointers(p, &x) { p, n, x, _ in
            unsafe withPointers(q, &r) { q, _, r, _ in unsafe dsc_vector_conjugate_update_f32(n, a, p, x, b, q, r) }
        }
    }

    public static func stencilApply(_ g: StencilGrid<Float>, _ x: Span<Float>, into y: inout MutableSpan<Float>) -> Float {
        g.requireCounts(x.count, y.count)
        return unsafe withPointers(g.coefficients.span) { c in
            unsafe withPointers(x, &y) { x, n, y, _ in
                unsafe dsc_stencil_apply_f32(g.planes, g.rows, g.columns, g.coefficients.count, c, g.shift, n, x, y)
            }
        }
    }

    public static func stencilResidual(
        _ g: StencilGrid<Float>, _ x: Span<Float>, _ b: Span<Float>, into r: inout MutableSpan<Float>
    ) -> Float {
        g.requireCounts(x.count, b.count, r.count)
        return unsafe withPointers(g.coefficients.span) { c in
            unsafe withPointers(x, b, &r) { n, x, b, r in
                unsafe dsc_stencil_residual_f32(g.planes, g.rows, g.columns, g.coefficients.count, c, g.shift, n, x, b, r)
            }
        }
    }

    public static func stencilRelax(
        _ g: StencilGrid<Float>, _ omega: Float, _ order: StencilOrder, measuring: Bool, work: inout MutableSpan<Float>, _ b: Span<Float>,
        _ x: inout MutableSpan<Float>
    ) -> Float {
        g.requireCounts(b.count, x.count)
        g.requireWork(work.count)
        return unsafe withPointers(g.coefficients.span) { c in
            unsafe withPointers(&work) { [count = work.count] work in
                unsafe withPointers(b, &x) { b, n, x, _ in
                    unsafe dsc_stencil_relax_f32(
                        g.planes, g.rows, g.columns, g.coefficients.count, c, g.shift, omega, order.rawValue, measuring ? 1 : 0, count,
                        work, n, b, x)
                }
            }
        }
    }

    public static func stencilSolveTriangle(
        _ g: StencilGrid<Float>, _ omega: Float, upper: Bool, work: inout MutableSpan<Float>, _ b: Span<Float>,
        into x: inout MutableSpan<Float>
    ) {
        g.requireCounts(b.count, x.count)
        g.requireWork(work.count)
        unsafe withPointers(g.coefficients.span) { c in
            unsafe withPointers(&work) { [count = work.count] work in
                unsafe withPointers(b, &x) { b, n, x, _ in
                    unsafe dsc_stencil_triangle_f32(
                        g.planes, g.rows, g.columns, g.coefficients.count, c, g.shift, omega, upper ? 1 : 0, count, work, n, b, x)
                }
            }
        }
    }

    public static func stencilEisenstat(
        _ g: StencilGrid<Float>, _ omega: Float, work: inout MutableSpan<Float>, _ p: Span<Float>, _ t: Span<Float>,
        into w: inout MutableSpan<Float>, image q: inout MutableSpan<Float>
    ) {
        g.requireCounts(p.count, t.count, w.count, q.count)
        g.requireWork(work.count)
        unsafe withPointers(g.coefficients.span) { c in
            unsafe withPointers(&work) { [count = work.count] work in
                unsafe withPointers(p, &w) { p, n, w, _ in
                    unsafe withPointers(t, &q) { t, _, q, _ in
                        unsafe dsc_stencil_eisenstat_f32(
                            g.planes, g.rows, g.columns, g.coefficients.count, c, g.shift, omega, count, work, n, p, t, w, q)
                    }
                }
            }
        }
    }

    public static func stencilRestrict(
        _ t: StencilTransfer<Float>, _ fine: Span<Float>, work: inout MutableSpan<Float>, into coarse: inout MutableSpan<Float>
    ) {
        t.requireCounts(fine.count, coarse.count, work.count)
        unsafe withPointers(t.weights.span) { w in
            unsafe withPointers(&work) { [count = work.count] work in
                unsafe withPointers(fine, &coarse) { fine, n, coarse, m in
                    unsafe dsc_stencil_restrict_f32(t.planes, t.rows, t.columns, t.weights.count, w, n, fine, count, work, m, coarse)
                }
            }
        }
    }

    public static func stencilProlong(
        _ t: StencilTransfer<Float>, _ coarse: Span<Float>, work: inout MutableSpan<Float>, into fine: inout MutableSpan<Float>
    ) {
        t.requireCounts(fine.count, coarse.count, work.count)
        unsafe withPointers(t.weights.span) { w in
            unsafe withPointers(&work) { [count = work.count] work in
                unsafe withPointers(coarse, &fine) { coarse, m, fine, n in
                    unsafe dsc_stencil_prolong_f32(t.planes, t.rows, t.columns, t.weights.count, w, m, coarse, count, work, n, fine)
                }
            }
        }
    }
}

extension Double {
    public static func conjugateUpdate(
        _ a: Double, _ p: Span<Double>, into x: inout MutableSpan<Double>, _ b: Double, _ q: Span<Double>, into r: inout MutableSpan<Double>
    ) -> Double {
        requireEqualCounts(p.count, x.count)
        requireEqualCounts(q.count, r.count)
        requireEqualCounts(x.count, r.count)
        return unsafe withPointers(p, &x) { p, n, x, _ in
            unsafe withPointers(q, &r) { q, _, r, _ in unsafe dsc_vector_conjugate_update_f64(n, a, p, x, b, q, r) }
        }
    }

    public static func stencilApply(_ g: StencilGrid<Double>, _ x: Span<Double>, into y: inout MutableSpan<Double>) -> Double {
        g.requireCounts(x.count, y.count)
        return unsafe withPointers(g.coefficients.span) { c in
            unsafe withPointers(x, &y) { x, n, y, _ in
                unsafe dsc_stencil_apply_f64(g.planes, g.rows, g.columns, g.coefficients.count, c, g.shift, n, x, y)
            }
        }
    }

    public static func stencilResidual(
        _ g: StencilGrid<Double>, _ x: Span<Double>, _ b: Span<Double>, into r: inout MutableSpan<Double>
    ) -> Double {
        g.requireCounts(x.count, b.count, r.count)
        return unsafe withPointers(g.coefficients.span) { c in
            unsafe withPointers(x, b, &r) { n, x, b, r in
                unsafe dsc_stencil_residual_f64(g.planes, g.rows, g.columns, g.coefficients.count, c, g.shift, n, x, b, r)
            }
        }
    }

    public static func stencilRelax(
        _ g: StencilGrid<Double>, _ omega: Double, _ order: StencilOrder, measuring: Bool, work: inout MutableSpan<Double>, _ b: Span<Double>,
        _ x: inout MutableSpan<Double>
    ) -> Double {
        g.requireCounts(b.count, x.count)
        g.requireWork(work.count)
        return unsafe withPointers(g.coefficients.span) { c in
            unsafe withPointers(&work) { [count = work.count] work in
                unsafe withPointers(b, &x) { b, n, x, _ in
                    unsafe dsc_stencil_relax_f64(
                        g.planes, g.rows, g.columns, g.coefficients.count, c, g.shift, omega, order.rawValue, measuring ? 1 : 0, count,
                        work, n, b, x)
                }
            }
        }
    }

    public static func stencilSolveTriangle(
        _ g: StencilGrid<Double>, _ omega: Double, upper: Bool, work: inout MutableSpan<Double>, _ b: Span<Double>,
        into x: inout MutableSpan<Double>
    ) {
        g.requireCounts(b.count, x.count)
        g.requireWork(work.count)
        unsafe withPointers(g.coefficients.span) { c in
            unsafe withPointers(&work) { [count = work.count] work in
                unsafe withPointers(b, &x) { b, n, x, _ in
                    unsafe dsc_stencil_triangle_f64(
                        g.planes, g.rows, g.columns, g.coefficients.count, c, g.shift, omega, upper ? 1 : 0, count, work, n, b, x)
                }
            }
        }
    }

    public static func stencilEisenstat(
        _ g: StencilGrid<Double>, _ omega: Double, work: inout MutableSpan<Double>, _ p: Span<Double>, _ t: Span<Double>,
        into w: inout MutableSpan<Double>, image q: inout MutableSpan<Double>
    ) {
        g.requireCounts(p.count, t.count, w.count, q.count)
        g.requireWork(work.count)
        unsafe withPointers(g.coefficients.span) { c in
            unsafe withPointers(&work) { [count = work.count] work in
                unsafe withPointers(p, &w) { p, n, w, _ in
                    unsafe withPointers(t, &q) { t, _, q, _ in
                        unsafe dsc_stencil_eisenstat_f64(
                            g.planes, g.rows, g.columns, g.coefficients.count, c, g.shift, omega, count, work, n, p, t, w, q)
                    }
                }
            }
        }
    }

    public static func stencilRestrict(
        _ t: StencilTransfer<Double>, _ fine: Span<Double>, work: inout MutableSpan<Double>, into coarse: inout MutableSpan<Double>
    ) {
        t.requireCounts(fine.count, coarse.count, work.count)
        unsafe withPointers(t.weights.span) { w in
            unsafe withPointers(&work) { [count = work.count] work in
                unsafe withPointers(fine, &coarse) { fine, n, coarse, m in
                    unsafe dsc_stencil_restrict_f64(t.planes, t.rows, t.columns, t.weights.count, w, n, fine, count, work, m, coarse)
                }
            }
        }
    }

    public static func stencilProlong(
        _ t: StencilTransfer<Double>, _ coarse: Span<Double>, work: inout MutableSpan<Double>, into fine: inout MutableSpan<Double>
    ) {
        t.requireCounts(fine.count, coarse.count, work.count)
        unsafe withPointers(t.weights.span) { w in
            unsafe withPointers(&work) { [count = work.count] work in
                unsafe withPointers(coarse, &fine) { coarse, m, fine, n in
                    unsafe dsc_stencil_prolong_f64(t.planes, t.rows, t.columns, t.weights.count, w, m, coarse, count, work, n, fine)
                }
            }
        }
    }
}
