import Kernels

/// A reproducible stream of random numbers as a value: Philox4x32-10, a counter-based generator.
///
/// The stream is a sequence of 128-bit blocks; block b is the generator's answer to the key ``seed`` and the 128-bit
/// counter (``stream`` · 2⁶⁴ + b), and ``position`` is the b that the next draw begins at. So the numbers depend on seed,
/// stream and position alone: the same on every machine, tier and thread count, and a copy of the value repeats them.
///
/// Each draw begins at a new block and uses up whole blocks:
///
/// | draw | blocks |
/// |---|---|
/// | ``next()``, one attempt of ``integer(in:)`` (2 attempts or more with probability below range/2⁶⁴) | 1 |
/// | n uniform or normal numbers | ⌈n/4⌉ as `Float`, ⌈n/2⌉ as `Double` |
/// | n Rademacher signs as numbers | ⌈n/128⌉ |
/// | n words of Rademacher bits | ⌈n/2⌉ |
/// | ``permutation(of:)``, ``shuffle(_:)`` of n | that of n − 1 integers |
/// | ``sample(_:of:)`` of k | that of k integers |
/// | ``split()`` | 1 |
///
/// A stream has 2⁶⁴ different blocks and then repeats; streams of one seed have no block in common.
/// This is no generator for secrets.
///
/// Differs from NumPy, where `default_rng(seed)` is an object that each draw changes in place, and whose numbers no other
/// seed-compatible library repeats: this value gives the same bits as any Philox4x32-10 with the counter above.
public struct RandomStream: Sendable, Hashable, Codable {
    /// The generator's key.
    public let seed: UInt64
    /// The high half of the generator's counter.
    public let stream: UInt64
    /// The index of the block that the next draw begins at.
    public private(set) var position: UInt64 = 0

    /// The stream numbered `stream` of `seed`, at its beginning.
    public init(seed: UInt64, stream: UInt64 = 0) {
        self.seed = seed
        self.stream = stream
    }

    /// Skips `blocks` blocks, in constant time. The position wraps at 2⁶⁴, so skipping by 2⁶⁴ − n goes back n.
    public mutating func advance(by blocks: UInt64) { position &+= blocks }

    /// The next block on, after which `count` elements at `perBlock` a block are used up.
    mutating func take(_ count: Int, perBlock: Int) -> PhiloxSource {
        let source = PhiloxSource(key: seed, stream: stream, counter: position)
        advance(by: UInt64((count + perBlock - 1) / perBlock))
        return source
    }
}

extension RandomStream: RandomNumberGenerator {
    /// 64 uniform bits: the first two words of a block.
    public mutating func next() -> UInt64 {
        take(1, perBlock: 1).block.0
    }

    /// 64 uniform bits; the same draw as ``next()``.
    public mutating func nextUInt64() -> UInt64 { next() }
}
