import Kernels
import LinearAlgebra

/// The records of a CSV file as text, and their conversion to numbers.
public struct CSVTable: Sendable, Hashable {
    /// The names of the columns, if the file has a header.
    public let names: [String]?
    let records: [CSVRecord]

    /// What becomes of a field without a value.
    public enum Missing: Sendable, Hashable {
        /// An error that says where.
        case error
        /// NaN in its place.
        case nan
        /// The record is left out.
        case dropRecord
    }

    /// Fields that count as missing, unless the caller says otherwise.
    public static let missingMarks: Set<String> = ["", "NA", "N/A", "NaN", "nan", "?"]

    public var rows: Int { records.count }
    public var columns: Int { names?.count ?? records.first?.fields.count ?? 0 }

    /// The field as text.
    public subscript(row: Int, column: Int) -> String { records[row].fields[column] }

    /// The line of the file, from 1, that a record begins on.
    public func line(_ row: Int) -> Int { records[row].line }

    /// The number of the column with this name.
    public func column(named name: String) -> Int? { names?.firstIndex(of: name) }

    /// A column as text.
    public func column(_ column: Int) -> [String] { records.map { $0.fields[column] } }

    /// Columns as numbers.
    ///
    /// - `columns`: Which, in this order; all if `nil`.
    /// - `missing`: What to do with a field that `marks` holds, spaces around it put aside.
    /// - Returns: The matrix, and the numbers of the records that are its rows.
    /// - Throws: ``FormatError`` with line and field for what is not a finite number.
    public func matrix<Scalar: KernelScalar>(
        columns: [Int]? = nil, missing: Missing = .error, marks: Set<String> = missingMarks, as _: Scalar.Type = Scalar.self
    ) throws(FormatError) -> (matrix: Matrix<Scalar>, records: [Int]) {
        let chosen = columns ?? Array(0..<self.columns)
        var elements: [Scalar] = [], kept: [Int] = []
        elements.reserveCapacity(rows * chosen.count)
        for (index, record) in records.enumerated() {
            let start = elements.count
            for column in chosen {
                let field = record.fields[column]
                let text = Self.trimmed(field)
                if marks.contains(text) {
                    if missing == .nan {
                        elements.append(.nan)
                        continue
                    } else if missing == .dropRecord {
                        break
                    }
                }
                guard let value = Double(text).map({ Scalar($0) }), value.isFinite, !marks.contains(text) else {
                    throw FormatError("CSV", .line(record.line, column: column + 1), expected: "a finite number", found: "'\(field)'")
                }
                elements.append(value)
            }
            if elements.count == start + chosen.count { kept.append(index) } else { elements.removeLast(elements.count - start) }
        }
        return (Matrix(rows: kept.count, columns: chosen.count, elements: elements), kept)
    }

    private static func trimmed(_ field: String) -> String {
        guard field.first == " " || field.last == " " else { return field }
        let head = field.drop { $0 == " " }
        return String(head.prefix(upTo: head.lastIndex { $0 != " " }.map(head.index(after:)) ?? head.startIndex))
    }
}
