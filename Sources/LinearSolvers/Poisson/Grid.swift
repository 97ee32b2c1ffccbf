import Kernels

/// The points of a rectangular grid in two or three dimensions, row-major with columns contiguous.
public struct Grid: Sendable, Hashable, Codable, CustomStringConvertible {
    /// `nil` in two dimensions.
    public let planes: Int?
    public let rows: Int
    public let columns: Int

    /// A grid in two dimensions.
    ///
    /// - Precondition: sizes of at least 1; here and below.
    public init(rows: Int, columns: Int) { self.init(nil, rows, columns) }

    /// A grid in three dimensions.
    public init(planes: Int, rows: Int, columns: Int) { self.init(planes, rows, columns) }

    private init(_ planes: Int?, _ rows: Int, _ columns: Int) {
        for size in [planes ?? 1, rows, columns] { require(size >= 1, "a grid with a side of \(size) points; expected at least 1") }
        (self.planes, self.rows, self.columns) = (planes, rows, columns)
    }

    public var dimension: Int { planes == nil ? 2 : 3 }
    public var count: Int { (planes ?? 1) * rows * columns }
    /// Points along each axis: planes if there are any, rows, columns.
    public var sizes: [Int] { planes.map { [$0, rows, columns] } ?? [rows, columns] }
    public var description: String { sizes.map(String.init).joined(separator: "×") }

    /// The grid of half as many points along each axis; an axis of one point stays.
    var coarsened: Grid {
        func half(_ n: Int) -> Int { n == 1 ? 1 : n / 2 }
        return Grid(planes.map(half), half(rows), half(columns))
    }
}

/// What holds at one side of a grid.
public enum GridSide: String, Sendable, Hashable, Codable {
    /// The solution is 0 one spacing beyond the last point.
    case dirichlet
    /// The solution has slope 0 half a spacing beyond the last point.
    case neumann
}

/// What holds at the two ends of each axis.
public struct GridSides: Sendable, Hashable, Codable {
    /// The low and the high end of an axis.
    public struct Ends: Sendable, Hashable, Codable {
        public let low: GridSide
        public let high: GridSide

        public init(low: GridSide, high: GridSide) { (self.low, self.high) = (low, high) }

        public static let dirichlet = Ends(low: .dirichlet, high: .dirichlet)
        public static let neumann = Ends(low: .neumann, high: .neumann)
    }

    /// Of no use in two dimensions.
    public let planes: Ends
    public let rows: Ends
    public let columns: Ends

    public init(planes: Ends = .dirichlet, rows: Ends, columns: Ends) {
        (self.planes, self.rows, self.columns) = (planes, rows, columns)
    }

    /// Zero values all around.
    public static let dirichlet = GridSides(rows: .dirichlet, columns: .dirichlet)
    /// Zero slopes all around.
    public static let neumann = GridSides(planes: .neumann, rows: .neumann, columns: .neumann)

    /// Along the axes of ``Grid/sizes``.
    func ends(_ grid: Grid) -> [Ends] { grid.planes == nil ? [rows, columns] : [planes, rows, columns] }
}
