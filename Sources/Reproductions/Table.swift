import Kernels

/// A table of a report: rows of cells already in words.
public struct Table: Sendable, Codable, Hashable {
    public let title: String
    public let columns: [String]
    public private(set) var rows: [[String]] = []

    public init(_ title: String, columns: [String]) {
        self.title = title
        self.columns = columns
    }

    /// - Precondition: a cell for each column.
    public mutating func append(_ row: String...) { append(row) }

    /// - Precondition: a cell for each column.
    public mutating func append(_ row: [String]) {
        require(row.count == columns.count, "row has \(row.count) cells; expected \(columns.count)")
        rows.append(row)
    }

    /// The table in columns of equal width: the first to the left, the others, which hold numbers, to the right.
    public var text: String {
        let lines = [columns] + rows
        let widths = columns.indices.map { c in lines.map { $0[c].count }.max()! }
        let body = lines.map { line in
            line.indices.map { c in
                let space = String(repeating: " ", count: widths[c] - line[c].count)
                return c == 0 ? line[c] + space : space + line[c]
            }.joined(separator: "  ")
        }
        let rule = String(repeating: "-", count: widths.reduce(0, +) + 2 * (widths.count - 1))
        return ([title, rule, body[0], rule] + body.dropFirst()).joined(separator: "\n")
    }
}

/// A line plot of a report.
public struct Figure: Sendable, Codable, Hashable {
    public struct Series: Sendable, Codable, Hashable {
        public let name: String
        public let x: [Double]
        public let y: [Double]

        /// - Precondition: equal counts.
        public init(_ name: String, x: [Double], y: [Double]) {
            require(x.count == y.count, "series has \(x.count) abscissas and \(y.count) ordinates; expected equal counts")
            self.name = name
            self.x = x
            self.y = y
        }
    }

    public let title: String
    public let xLabel: String
    public let yLabel: String
    public let logarithmicY: Bool
    public let series: [Series]

    public init(_ title: String, xLabel: String, yLabel: String, logarithmicY: Bool = false, series: [Series]) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.logarithmicY = logarithmicY
        self.series = series
    }
}
