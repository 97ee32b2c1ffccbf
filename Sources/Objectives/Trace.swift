import Kernels

/// The course of a run, in bounded memory.
///
/// Every `stride`-th iteration is kept. When `capacity` records are there, every other one is dropped and the stride doubles,
/// so what is kept depends on the iteration numbers alone, never on time.
public struct Trace: Sendable, Hashable, Codable {
    public struct Record: Sendable, Hashable, Codable {
        public let iteration: Int
        public let evaluations: Int
        public let seconds: Double
        public let value: Double
        public let gradientNorm: Double?
    }

    /// In order of iteration.
    public private(set) var records: [Record] = []
    /// The distance in iterations between records, a power of two.
    public private(set) var stride = 1
    /// The most records that are kept.
    public let capacity: Int

    /// - Precondition: `capacity` is at least 2.
    public init(capacity: Int = 1024) {
        require(capacity >= 2, "trace capacity is \(capacity); expected at least 2")
        self.capacity = capacity
    }

    mutating func record(_ progress: Progress) {
        guard progress.iteration % stride == 0, progress.value.isFinite else { return }
        if records.count == capacity {
            stride *= 2
            let stride = stride
            records.removeAll { $0.iteration % stride != 0 }
            guard progress.iteration % stride == 0 else { return }
        }
        records.append(Record(progress))
    }

    /// The trace with `progress` as its last record, whatever the stride.
    func closed(with progress: Progress) -> Trace {
        var result = self
        guard progress.value.isFinite, records.last?.iteration != progress.iteration else { return result }
        if records.count == capacity { result.records.removeLast() }
        result.records.append(Record(progress))
        return result
    }
}

extension Trace.Record {
    init(_ progress: Progress) {
        self.init(iteration: progress.iteration, evaluations: progress.evaluations.total, seconds: progress.seconds,
                  value: progress.value, gradientNorm: progress.gradientNorm.flatMap { $0.isFinite ? $0 : nil })
    }
}
