import Kernels
import LinearAlgebra

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

/// A plot of a report: lines, clouds of points, arrows, or a matrix as an image.
public struct Figure: Sendable, Codable, Hashable {
    public enum Style: String, Sendable, Codable, Hashable {
        case lines, points
        /// From each point with an even index to the one after it.
        case arrows
        /// A pixel for each point, of the colour of its value.
        case image
    }

    public struct Series: Sendable, Codable, Hashable {
        public let name: String
        public let x: [Double]
        public let y: [Double]
        public let style: Style
        /// Of an image's pixels.
        public let values: [Double]

        /// - Precondition: equal counts; an even one for arrows.
        public init(_ name: String, x: [Double], y: [Double], style: Style = .lines) {
            require(x.count == y.count, "series has \(x.count) abscissas and \(y.count) ordinates; expected equal counts")
            require(style != .arrows || x.count % 2 == 0, "\(x.count) ends of arrows; expected an even number")
            (self.name, self.x, self.y, self.style, values) = (name, x, y, style, [])
        }

        /// A matrix as an image, its first row on top.
        public init(_ name: String, image: Matrix<Double>) {
            let pixels = (0..<image.rows).flatMap { i in (0..<image.columns).map { (i, $0) } }
            (x, y) = (pixels.map { Double($0.1) }, pixels.map { Double(image.rows - 1 - $0.0) })
            (self.name, style, values) = (name, .image, image.elements)
        }

        /// Arrows from the rows of one matrix to those of another, in the plane of their first two columns.
        public init(_ name: String, from: Matrix<Double>, to: Matrix<Double>) {
            let ends = (0..<from.rows).flatMap { [(from[$0, 0], from[$0, 1]), (to[$0, 0], to[$0, 1])] }
            self.init(name, x: ends.map(\.0), y: ends.map(\.1), style: .arrows)
        }

        /// The rows of a matrix, in the plane of its first two columns.
        public init(_ name: String, points: Matrix<Double>) {
            self.init(name, x: points.column(0), y: points.column(1), style: .points)
        }

        /// What gnuplot reads: a line each.
        var lines: [String] {
            switch style {
            case .lines, .points: zip(x, y).map { "\($0)\t\($1)" }
            case .arrows: stride(from: 0, to: x.count, by: 2).map { "\(x[$0])\t\(y[$0])\t\(x[$0 + 1] - x[$0])\t\(y[$0 + 1] - y[$0])" }
            case .image: x.indices.map { "\(x[$0])\t\(y[$0])\t\(values[$0])" }
            }
        }

        /// How gnuplot draws them.
        var command: String {
            switch style {
            case .lines: "using 1:2 with linespoints pointsize 0.5"
            case .points: "using 1:2 with points pointtype 7 pointsize 0.3"
            case .arrows: "using 1:2:3:4 with vectors"
            case .image: "using 1:2:3 with image pixels"
            }
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
