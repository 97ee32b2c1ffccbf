import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#endif

/// A line on standard error that shows how far a run is; nothing where that is no terminal.
struct ProgressBar {
    private let isTerminal = isatty(2) == 1

    func show(_ fraction: Double, _ text: String) {
        guard isTerminal else { return }
        let width = 24
        let filled = Int(max(0, min(1, fraction)) * Double(width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        write("\r\u{1b}[K\(bar) \(text)")
    }

    func clear() {
        if isTerminal { write("\r\u{1b}[K") }
    }
}

/// Says something beside the output proper.
func note(_ text: String) { write(text + "\n") }

private func write(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
}
