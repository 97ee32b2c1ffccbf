/// Pseudo-random numbers for test data: SplitMix64, the same on every run.
public struct TestNumbers {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func bits() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Uniform in [−1, 1).
    public mutating func unit() -> Double { Double(Int64(bitPattern: bits())) * 0x1p-63 }

    /// Of both signs over 24 binary orders, so that sums cancel.
    public mutating func spread() -> Double {
        unit() * Double(sign: .plus, exponent: Int(bits() % 24) - 12, significand: 1)
    }
}
