import Descent

/// A paper's claim as a program: `run` measures, and yields tables, figures and checks.
public struct Reproduction: Sendable {
    public let slug: String
    public let title: String
    /// What the paper claims, in one sentence.
    public let claim: String
    let run: @Sendable (inout Context) throws -> Outcome

    /// Every reproduction there is, by slug.
    public static let all: [Reproduction] = [
        .adaHessian,
        .adaSketchNewton,
        .bibert,
        .deepConjugateDirection,
        .directionalSharpness,
        .exadam,
        .learningToRelax,
        .lightSchrodingerBridge,
        .lionK,
        .matrixCompletion,
        .matrixSensing,
        .mongeGap,
        .optimisticOMD,
        .robustMatrixRecovery,
        .sparsityConstrainedTransport,
    ]

    /// The main job of the package on real data: the hot-loop families, with their speed-ups in the same run.
    public static let tour: Reproduction = .digitsTour

    /// Runs it.
    ///
    /// - Parameters:
    ///   - seed: of every random draw.
    ///   - quick: a smaller form with the same checks, for tests.
    ///   - progress: called at most ten times a second with a fraction in 0...1 and what is being done.
    public func report(
        seed: UInt64 = 0, quick: Bool = false, progress: @escaping (Double, String) -> Void = { _, _ in }
    ) throws -> Report {
        let clock = ContinuousClock()
        let start = clock.now
        var context = Context(seed: seed, quick: quick, progress: progress)
        let outcome = try run(&context)
        return Report(
            slug: slug, title: title, claim: claim, seed: seed, quick: quick, seconds: (clock.now - start).seconds,
            checks: outcome.checks, tables: outcome.tables, figures: outcome.figures)
    }
}

/// What a reproduction finds.
public struct Outcome: Sendable {
    public var checks: [Check] = []
    public var tables: [Table] = []
    public var figures: [Figure] = []
}

/// What a reproduction is given: how large, from which seed, and where to tell how far it is.
public struct Context {
    public let seed: UInt64
    public let quick: Bool
    private let progress: (Double, String) -> Void
    private var lastCall: ContinuousClock.Instant?

    init(seed: UInt64, quick: Bool, progress: @escaping (Double, String) -> Void) {
        self.seed = seed
        self.quick = quick
        self.progress = progress
    }

    /// Passes on where the run stands, at most ten times a second.
    mutating func report(_ fraction: Double, _ text: String) {
        let now = ContinuousClock.now
        if let lastCall, now - lastCall < .milliseconds(100) { return }
        lastCall = now
        progress(fraction, text)
    }
}

/// A finished run: what `--json` prints.
public struct Report: Sendable, Codable {
    public let slug: String
    public let title: String
    public let claim: String
    public let seed: UInt64
    public let quick: Bool
    public let seconds: Double
    public let checks: [Check]
    public let tables: [Table]
    public let figures: [Figure]

    /// Whether every check passed.
    public var passed: Bool { checks.allSatisfy(\.passed) }

    /// Tables and checks for a terminal.
    public var text: String {
        var parts = ["\(title)\n\(claim)"] + tables.map(\.text)
        let lines = checks.map { check in
            "\(check.passed ? "pass" : "FAIL")  \(check.name): \(short(check.measured)) \(check.relation.rawValue) \(short(check.target))\n      \(check.source)"
        }
        parts.append("Checks\n------\n" + lines.joined(separator: "\n"))
        let failed = checks.count { !$0.passed }
        parts.append("\(checks.count - failed) of \(checks.count) checks pass · seed \(seed) · \(short(seconds)) s\(quick ? " · quick" : "")")
        return parts.joined(separator: "\n\n")
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + 1e-18 * Double(components.attoseconds) }
}

/// The median time of `rounds` runs of each body, in turns, in seconds: bodies that share a machine see the same weather.
func medianSeconds(rounds: Int, _ bodies: [() -> Void]) -> [Double] {
    var times = [[Double]](repeating: [], count: bodies.count)
    for _ in 0..<rounds {
        for (i, body) in bodies.enumerated() {
            let start = ContinuousClock.now
            body()
            times[i].append((ContinuousClock.now - start).seconds)
        }
    }
    return times.map { $0.sorted()[rounds / 2] }
}

/// A number in about four significant digits.
func short(_ x: Double) -> String {
    guard x.isFinite else { return "\(x)" }
    if x == x.rounded(), abs(x) < 1e9 { return "\(Int(x))" }
    let magnitude = abs(x)
    if magnitude >= 1e-3, magnitude < 1e6 {
        let digits = magnitude >= 1000 ? 0 : magnitude >= 100 ? 1 : magnitude >= 10 ? 2 : magnitude >= 1 ? 3 : 4
        let scale = [1.0, 10, 100, 1000, 10000][digits]
        let scaled = Int((magnitude * scale).rounded())
        let whole = scaled / Int(scale), part = scaled % Int(scale)
        let fraction = digits == 0 ? "" : "." + String(repeating: "0", count: digits - "\(part)".count) + "\(part)"
        return (x < 0 ? "-" : "") + "\(whole)" + fraction
    }
    var exponent = 0
    var significand = magnitude
    while significand >= 10 { significand /= 10; exponent += 1 }
    while significand < 1 { significand *= 10; exponent -= 1 }
    return (x < 0 ? "-" : "") + short((significand * 1000).rounded() / 1000) + "e\(exponent)"
}
