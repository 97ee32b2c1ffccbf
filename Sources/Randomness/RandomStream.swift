import Kernels

/// A reproducible stream of random numbers: Philox4x32-10, keyed by value.
public struct RandomStream: Sendable, Hashable, Codable {
    public let seed: UInt64
    public let stream: UInt64
    /// The index of the next 128-bit block.
    public private(set) var position: UInt64 = 0

    public init(seed: UInt64, stream: UInt64 = 0) {
        self.seed = seed
        self.stream = stream
    }
}
