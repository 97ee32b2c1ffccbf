import Kernels
import LinearAlgebra

/// The problem of a low-rank matrix of which linear measurements are known: find Z with A(Z) = y.
public struct MatrixSensing<Scalar: KernelScalar>: Sendable {
    public let measure: any MeasurementOperator<Scalar>
    /// y.
    public let measurements: [Scalar]
    public var rows: Int { measure.rows }
    public var columns: Int { measure.columns }

    /// - Precondition: as many measurements as the operator takes.
    /// - Throws: ``MeasurementError/nonFinite(index:)``.
    public init(_ measure: any MeasurementOperator<Scalar>, measurements: [Scalar]) throws(MeasurementError) {
        require(measurements.count == measure.count, "\(measurements.count) measurements; the operator takes \(measure.count)")
        if let index = measurements.firstIndex(where: { !$0.isFinite }) { throw .nonFinite(index: index) }
        (self.measure, self.measurements) = (measure, measurements)
    }

    /// The exact measurements of a matrix.
    ///
    /// - Precondition: the operator's shape, and finite measurements.
    public init(_ measure: any MeasurementOperator<Scalar>, of matrix: Matrix<Scalar>) {
        let measurements = measure.apply(matrix)
        require(measurements.allSatisfy(\.isFinite), "a measurement of the matrix is not finite")
        (self.measure, self.measurements) = (measure, measurements)
    }

    func requireSquare() {
        require(rows == columns, "one factor for a \(rows)×\(columns) matrix; expected a square one")
    }
}

/// What is wrong with a list of measurements.
public enum MeasurementError: Error, Sendable, Hashable, CustomStringConvertible {
    case nonFinite(index: Int)

    public var description: String {
        switch self {
        case .nonFinite(let index): "measurement \(index) is NaN or infinite"
        }
    }
}
