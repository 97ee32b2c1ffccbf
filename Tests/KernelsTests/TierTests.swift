import Kernels
import Testing

@Suite struct TierTests {
    @Test(arguments: KernelTier.supported) func forcedTierRuns(_ tier: KernelTier) throws {
        #expect(try withKernelTier(tier) { KernelTier.active } == tier)
    }

    @Test func forcedTierEndsWithItsScope() throws {
        let before = KernelTier.active
        try withKernelTier(.scalar) { }
        #expect(KernelTier.active == before)
    }

    @Test func unsupportedTierIsAnError() {
        for tier in KernelTier.allCases where !tier.isSupported {
            #expect(throws: UnsupportedTierError.self) { try withKernelTier(tier) { } }
        }
    }

    @Test(arguments: KernelTier.supported) func workersInheritTheForcedTier(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            var seen = [UInt8](repeating: 0, count: 64)
            var span = seen.mutableSpan
            concurrentBlocks(of: &span, blockLength: 1) { _, part in
                part[0] = KernelTier.active == tier ? 1 : 0
            }
            #expect(seen.allSatisfy { $0 == 1 })
        }
    }
}
