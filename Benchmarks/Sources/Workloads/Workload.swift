import Foundation

/// A piece of work that can be run again and again on the same data, and how much of it one run is.
public struct Workload {
    public enum Unit: String, Sendable, Codable {
        /// Arithmetic operations (two for a multiply-add, two for a bit pair).
        case operations
        /// Bytes read and written, each transfer counted.
        case bytes
        /// Elements.
        case elements
    }

    public let name: String
    public let work: Double
    public let unit: Unit
    /// The limit that the work is measured against.
    public let roofline: Roofline?
    public let run: () -> Void

    public init(_ name: String, work: Double, _ unit: Unit, roofline: Roofline? = nil, run: @escaping () -> Void) {
        self.name = name
        self.work = work
        self.unit = unit
        self.roofline = roofline
        self.run = run
    }

    /// Seconds for one run: enough runs to fill `atLeast`, timed together. The less of wall and processor time, so that one
    /// thread is not charged for what else the machine does.
    public func seconds(atLeast: Double = 0.03) -> Double {
        var runs = 1
        while true {
            let wall = now(CLOCK_MONOTONIC), processor = now(CLOCK_PROCESS_CPUTIME_ID)
            for _ in 0..<runs { run() }
            let time = min(now(CLOCK_MONOTONIC) - wall, now(CLOCK_PROCESS_CPUTIME_ID) - processor)
            if time >= atLeast { return time / Double(runs) }
            runs = max(runs + 1, Int(1.2 * Double(runs) * atLeast / max(1e-9, time)))
        }
    }

    private func now(_ clock: clockid_t) -> Double {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }
}

/// Keeps a value from being optimised away.
@inline(never)
public func consume<T>(_ value: T) { withExtendedLifetime(value) {} }
