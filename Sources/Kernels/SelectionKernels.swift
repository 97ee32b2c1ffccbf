import CKernels

/// The result of ``KernelScalar/leastPair(of:minus:)``.
public struct LeastPair<Scalar: KernelScalar>: Sendable {
    /// The place of the least, the lowest of equal ones; 0 where there is none.
    public let place: Int
    /// The least, +∞ where there is none.
    public let least: Scalar
    /// The second least, +∞ where there is none.
    public let second: Scalar
}

/// The result of ``KernelScalar/excess(of:minus:over:)``.
public struct ExcessSums: Sendable {
    /// Σ eᵢ.
    public let sum: Double
    /// Σ eᵢ².
    public let sumOfSquares: Double
    /// The number of eᵢ > 0.
    public let count: Int
}

private func requireEqual(_ a: Int, _ rest: Int...) {
    require(rest.allSatisfy { $0 == a }, "rows of \(a)\(rest.map { ", \($0)" }.joined()) elements; expected equal counts")
    require(a <= Int(Int32.max), "\(a) elements; expected fewer than 2³¹")
}

extension Float {
    public static func leastPair(of c: Span<Float>, minus v: Span<Float>) -> LeastPair<Float> {
        requireEqual(c.count, v.count)
        var pair: InlineArray<2, Float> = [0, 0]
        var least = pair.mutableSpan
        let place = unsafe withPointers(c, v, &least) { n, c, v, least in unsafe dsc_selection_least_pair_f32(n, c, v, 2, least) }
        return LeastPair(place: place, least: pair[0], second: pair[1])
    }

    public static func relax(
        _ c: Span<Float>, minus v: Span<Float>, plus base: Float, row: Int, into d: inout MutableSpan<Float>, from: inout MutableSpan<Int32>
    ) -> Int {
        requireEqual(c.count, v.count, d.count, from.count)
        return unsafe withPointers(c, v, &d) { n, c, v, d in
            unsafe from.withUnsafeMutableBufferPointer { from in
                unsafe dsc_selection_relax_f32(base, Int32(row), n, c, v, d, from.baseAddress)
            }
        }
    }

    public static func largest(
        of p: Span<Float>, minus c: Span<Float>, values: inout MutableSpan<Float>, places: inout MutableSpan<Int32>
    ) -> Int {
        requireEqual(p.count, c.count)
        requireEqual(values.count, places.count)
        return unsafe withPointers(p, c, &values) { _, pPointer, c, values in
            unsafe withPointers(&places) { [k = places.count] places in
                unsafe dsc_selection_largest_f32(p.count, pPointer, c, k, values, places)
            }
        }
    }

    public static func excess(of p: Span<Float>, minus c: Span<Float>, over threshold: Float) -> ExcessSums {
        requireEqual(p.count, c.count)
        var three: InlineArray<3, Double> = [0, 0, 0]
        var sums = three.mutableSpan
        unsafe withPointers(p, c, &sums) { n, p, c, sums in unsafe dsc_selection_excess_f32(threshold, n, p, c, 3, sums) }
        return ExcessSums(sum: three[0], sumOfSquares: three[1], count: Int(three[2]))
    }

    public static func addExcess(
        of p: Span<Float>, minus c: Span<Float>, over threshold: Float, times scale: Float, into y: inout MutableSpan<Float>
    ) {
        requireEqual(p.count, c.count, y.count)
        unsafe withPointers(p, c, &y) { n, p, c, y in unsafe dsc_selection_add_excess_f32(threshold, scale, n, p, c, y) }
    }
}

extension Double {
    public static func leastPair(of c: Span<Double>, minus v: Span<Double>) -> LeastPair<Double> {
        requireEqual(c.count, v.count)
        var pair: InlineArray<2, Double> = [0, 0]
        var least = pair.mutableSpan
        let place = unsafe withPointers(c, v, &least) { n, c, v, least in unsafe dsc_selection_least_pair_f64(n, c, v, 2, least) }
        return LeastPair(place: place, least: pair[0], second: pair[1])
    }

    public static func relax(
        _ c: Span<Double>, minus v: Span<Double>, plus base: Double, row: Int, into d: inout MutableSpan<Double>, from: inout MutableSpan<Int32>
    ) -> Int {
        requireEqual(c.count, v.count, d.count, from.count)
        return unsafe withPointers(c, v, &d) { n, c, v, d in
            unsafe from.withUnsafeMutableBufferPointer { from in
                unsafe dsc_selection_relax_f64(base, Int32(row), n, c, v, d, from.baseAddress)
            }
        }
    }

    public static func largest(
        of p: Span<Double>, minus c: Span<Double>, values: inout MutableSpan<Double>, places: inout MutableSpan<Int32>
    ) -> Int {
        requireEqual(p.count, c.count)
        requireEqual(values.count, places.count)
        return unsafe withPointers(p, c, &values) { _, pPointer, c, values in
            unsafe withPointers(&places) { [k = places.count] places in
                unsafe dsc_selection_largest_f64(p.count, pPointer, c, k, values, places)
            }
        }
    }

    public static func excess(of p: Span<Double>, minus c: Span<Double>, over threshold: Double) -> ExcessSums {
        requireEqual(p.count, c.count)
        var three: InlineArray<3, Double> = [0, 0, 0]
        var sums = three.mutableSpan
        unsafe withPointers(p, c, &sums) { n, p, c, sums in unsafe dsc_selection_excess_f64(threshold, n, p, c, 3, sums) }
        return ExcessSums(sum: three[0], sumOfSquares: three[1], count: Int(three[2]))
    }

    public static func addExcess(
        of p: Span<Double>, minus c: Span<Double>, over threshold: Double, times scale: Double, into y: inout MutableSpan<Double>
    ) {
        requireEqual(p.count, c.count, y.count)
        unsafe withPointers(p, c, &y) { n, p, c, y in unsafe dsc_selection_add_excess_f64(threshold, scale, n, p, c, y) }
    }
}
