/// What is wrong with a list of observed entries.
public enum ObservationError: Error, Sendable, Hashable, CustomStringConvertible {
    case outOfRange(row: Int, column: Int, rows: Int, columns: Int)
    /// An entry was given twice. Nothing is averaged or overwritten: which value holds is the caller's to say.
    case duplicate(row: Int, column: Int)
    case nonFinite(row: Int, column: Int)

    public var description: String {
        switch self {
        case .outOfRange(let row, let column, let rows, let columns):
            "an observation at (\(row), \(column)) of a \(rows)×\(columns) matrix"
        case .duplicate(let row, let column): "the entry (\(row), \(column)) was observed more than once"
        case .nonFinite(let row, let column): "the observation at (\(row), \(column)) is NaN or infinite"
        }
    }
}
