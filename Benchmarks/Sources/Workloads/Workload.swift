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

    /// Seconds for one run: enough runs to fill `atLeast`, timed together.
    public func seconds(atLeast: Duration = .milliseconds(30)) -> Double {
        var runs = 1
        while true {
            let start = ContinuousClock.now
            for _ in 0..<runs { run() }
            let time = ContinuousClock.now - start
            if time >= atLeast { return seconds(of: time) / Double(runs) }
            runs = max(runs + 1, Int(1.2 * Double(runs) * seconds(of: atLeast) / max(1e-9, seconds(of: time))))
        }
    }

    private func seconds(of time: Duration) -> Double {
        Double(time.components.seconds) + 1e-18 * Double(time.components.attoseconds)
    }
}

/// Keeps a value from being optimised away.
@inline(never)
public func consume<T>(_ value: T) { withExtendedLifetime(value) {} }
