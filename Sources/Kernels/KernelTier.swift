import CKernels

/// An instruction-set tier of the C kernels.
///
/// The process runs the widest tier that the processor and the operating system support, or the one that the
/// environment variable `DESCENT_ISA` names. ``withKernelTier(_:_:)`` forces a tier for one call site.
///
/// | tier | needs |
/// |---|---|
/// | ``scalar`` | nothing beyond the architecture's base |
/// | ``avx2`` | AVX2, FMA, BMI2, POPCNT |
/// | ``avx512`` | and AVX-512 F, BW, DQ, VL |
/// | ``avx512icl`` | and AVX-512 VPOPCNTDQ, VNNI |
/// | ``neon`` | AArch64 |
public enum KernelTier: String, CaseIterable, Sendable, Codable, CustomStringConvertible {
    case scalar, avx2, avx512, avx512icl, neon

    /// Whether this machine can run the tier.
    public var isSupported: Bool { dsc_tier_supported(cValue) != 0 }

    /// The tiers that this machine can run, narrowest first.
    public static var supported: [KernelTier] { allCases.filter(\.isSupported) }

    /// The tier that kernels called here run.
    ///
    /// - Precondition: ``environmentError`` is `nil`; otherwise the process ends with that message.
    public static var active: KernelTier { KernelTier(cValue: dsc_tier_active()) }

    /// What is wrong with `DESCENT_ISA`, as a sentence; `nil` when it is unset or names a supported tier.
    ///
    /// Ask before the first kernel runs to report it in your own way.
    public static var environmentError: String? {
        unsafe dsc_environment_error().map { unsafe String(cString: $0) }
    }

    public var description: String { rawValue }

    var cValue: dsc_tier { dsc_tier(rawValue: UInt32(Self.allCases.firstIndex(of: self)!)) }

    init(cValue: dsc_tier) { self = Self.allCases[Int(cValue.rawValue)] }
}

/// A tier that this machine cannot run.
public struct UnsupportedTierError: Error, CustomStringConvertible {
    public let tier: KernelTier

    public var description: String {
        "tier '\(tier)' cannot run on this processor; supported: \(KernelTier.supported.map(\.rawValue).joined(separator: ", "))"
    }
}

/// Runs `body` with every kernel that it calls on this thread, and in ``concurrentPerform(iterations:_:)`` started
/// from it, taken from `tier`.
///
/// - Throws: ``UnsupportedTierError`` if the machine cannot run the tier; what `body` throws.
public func withKernelTier<Result>(_ tier: KernelTier, _ body: () throws -> Result) throws -> Result {
    guard tier.isSupported else { throw UnsupportedTierError(tier: tier) }
    let before = dsc_tier_force(Int32(tier.cValue.rawValue))
    defer { _ = dsc_tier_force(before) }
    return try body()
}

/// The tier forced for this thread, for a parallel region to hand to its workers; `nil` for none.
func forcedTier() -> Int32? {
    let forced = dsc_tier_force(-1)
    guard forced >= 0 else { return nil }
    _ = dsc_tier_force(forced)
    return forced
}

/// Runs `body` under a tier got from ``forcedTier()``.
func withForcedTier(_ tier: Int32?, _ body: () -> Void) {
    guard let tier else { return body() }
    let before = dsc_tier_force(tier)
    defer { _ = dsc_tier_force(before) }
    body()
}
