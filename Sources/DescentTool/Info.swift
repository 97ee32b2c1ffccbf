import ArgumentParser
import Descent
import Foundation

struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the processor, the kernel tiers, the BLAS and the threads.")

    @Flag(help: "Print one JSON object.")
    var json = false

    private struct Facts: Codable {
        let processor: String
        let tier: String
        let supportedTiers: [String]
        let cores: Int
        let threads: Int
        let blas: String
        let fft: String
    }

    func run() throws {
        try DescentTool.checkEnvironment()
        let facts = Facts(
            processor: processorName(), tier: KernelTier.active.rawValue,
            supportedTiers: KernelTier.supported.map(\.rawValue), cores: Threads.coreCount, threads: Threads.count,
            blas: "\(BLASLibrary.configuration), kernels for \(BLASLibrary.core)", fft: FFTLibrary.version)
        if json { return try printJSON(facts) }
        print("""
            processor   \(facts.processor), \(facts.cores) cores
            tier        \(facts.tier) (supported: \(facts.supportedTiers.joined(separator: ", ")); DESCENT_ISA forces one)
            threads     \(facts.threads) (DESCENT_NUM_THREADS sets it)
            BLAS        \(facts.blas)
            FFT         \(facts.fft)
            """)
    }

    /// The model name that Linux gives; else the architecture.
    private func processorName() -> String {
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        if let line = lines.first(where: { $0.hasPrefix("model name") }), let colon = line.firstIndex(of: ":") {
            return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        #if arch(x86_64)
        return "x86-64"
        #elseif arch(arm64)
        return "AArch64"
        #else
        return "unknown"
        #endif
    }
}

/// Prints `value` as one line of JSON with sorted keys.
func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
