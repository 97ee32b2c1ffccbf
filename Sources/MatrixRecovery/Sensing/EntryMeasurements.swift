import Kernels
import LinearAlgebra

/// Measurements that are elements of the matrix. ``MatrixCompletion`` holds the same with its values, for the methods that go by rows.
public struct EntryMeasurements<Scalar: KernelScalar>: MeasurementOperator {
    public let rows: Int, columns: Int
    /// The places, row · columns + column.
    public let places: [Int]
    public var count: Int { places.count }

    /// - Precondition: places inside the matrix; a place may come twice.
    public init(rows: Int, columns: Int, places: [(row: Int, column: Int)]) {
        for p in places {
            require(p.row >= 0 && p.row < rows && p.column >= 0 && p.column < columns, "place (\(p.row), \(p.column)) of a \(rows)×\(columns) matrix")
        }
        (self.rows, self.columns, self.places) = (rows, columns, places.map { $0.row * columns + $0.column })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func apply(_ z: Matrix<Scalar>) -> [Scalar] {
        requireShape(z)
        let elements = z.elements
        return places.map { elements[$0] }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func adjoint(_ v: [Scalar]) -> Matrix<Scalar> {
        requireCount(v.count)
        var elements = [Scalar](repeating: 0, count: rows * columns)
        for (place, value) in zip(places, v) { elements[place] += value }
        return Matrix(rows: rows, columns: columns, elements: elements)
    }
}
