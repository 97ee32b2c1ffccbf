import Kernels

/// Clips the largest coordinates: those of the largest fraction k in magnitude are pulled down to the magnitude of the next one.
///
///     τ = c · (the (⌊d k⌋ + 1)-th largest |uᵢ|),   uᵢ ← min(max(uᵢ, −τ), τ)
///
/// τ is one for all coordinates and found anew in each step, by radix selection: O(d), without sorting. With k = 0 nothing changes;
/// coordinates of equal magnitude are all left as they are. If a coordinate is NaN there is no order, and nothing is clipped.
///
/// Source: Pan & Li 2023, "Toward understanding why Adam converges faster than SGD for transformers", with k = 0.1 for SGD and 0.5
/// for adaptive methods. PyTorch's `clip_grad_value_` and optax's `clip` have a fixed τ, as ``ClipByValue``.
public struct ClipByQuantile<Scalar: KernelScalar>: GradientTransformation {
    public let fraction: Double
    public let scale: Double

    /// - Parameters:
    ///   - fraction: k, at least 0 and less than 1.
    ///   - scale: c, above 0.
    public init(_ fraction: Double, scale: Double = 1) {
        require(fraction >= 0 && fraction < 1, "fraction is \(fraction); expected at least 0 and less than 1")
        require(scale > 0 && scale.isFinite, "scale is \(scale); expected a finite number above 0")
        self.fraction = fraction
        self.scale = scale
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout Stateless, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        let threshold = threshold(of: updates.span)
        if threshold < .infinity { for i in updates.indices { updates[i] = clamped(updates[i], to: threshold) } }
    }

    /// τ; +∞ where nothing is to be clipped.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func threshold(of updates: Span<Scalar>) -> Scalar {
        if fraction == 0 || updates.isEmpty || Scalar.maxAbs(updates).isNaN { return .infinity }
        return Scalar(scale) * magnitude(ofRank: Int(Double(updates.count) * fraction), in: updates)
    }

    /// The magnitude that `rank` others exceed or equal, by its bits, 16 at a time from the top.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func magnitude(ofRank rank: Int, in updates: Span<Scalar>) -> Scalar {
        let significandBits = Scalar.significandBitCount
        let bitCount = MemoryLayout<Scalar>.size * 8
        var found: UInt64 = 0, rank = rank
        var counts = [Int](repeating: 0, count: 1 << 16)
        for shift in stride(from: bitCount - 16, through: 0, by: -16) {
            for i in counts.indices { counts[i] = 0 }
            for i in updates.indices {
                let magnitude = updates[i].magnitude
                let bits = UInt64(magnitude.exponentBitPattern) << UInt64(significandBits) | UInt64(magnitude.significandBitPattern)
                if shift + 16 == bitCount || bits >> UInt64(shift + 16) == found >> UInt64(shift + 16) {
                    counts[Int(truncatingIfNeeded: bits >> UInt64(shift)) & 0xffff] += 1
                }
            }
            var digit = 0xffff
            while rank >= counts[digit] {
                rank -= counts[digit]
                digit -= 1
            }
            found |= UInt64(digit) << UInt64(shift)
        }
        return Scalar(sign: .plus, exponentBitPattern: .init(truncatingIfNeeded: found >> UInt64(significandBits)),
                      significandBitPattern: .init(truncatingIfNeeded: found & (1 << UInt64(significandBits) - 1)))
    }
}
