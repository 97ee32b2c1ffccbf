import Foundation

/// A file that is not what its format says: where, what was expected, and what was there.
public struct FormatError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Position: Sendable, Hashable {
        /// Bytes from the start of the file, or of the archive member that ``FormatError/format`` names.
        case byte(Int)
        /// From 1. The column counts fields in a CSV file, and bytes in a LIBSVM line.
        case line(Int, column: Int)
        /// The file as a whole, with its path.
        case file(String)
    }

    /// The name of the format, e.g. `"NPY"`.
    public let format: String
    public let position: Position
    public let expected: String
    public let found: String

    init(_ format: String, _ position: Position, expected: String, found: String) {
        self.format = format
        self.position = position
        self.expected = expected
        self.found = found
    }

    public var description: String {
        let place = switch position {
        case .byte(let offset): "byte \(offset)"
        case .line(let line, let column): "line \(line), column \(column)"
        case .file(let path): path
        }
        return "\(format), \(place): expected \(expected), found \(found)"
    }
}

/// The bytes of a file.
func readFile(_ path: String, format: String) throws(FormatError) -> [UInt8] {
    do {
        return try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
        throw FormatError(format, .file(path), expected: "a readable file", found: error.localizedDescription)
    }
}
