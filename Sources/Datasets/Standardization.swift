import Kernels
import LinearAlgebra

/// Shift and scale that give each column mean 0 and standard deviation 1.
///
/// Fit it to the training part and apply it to both, so that nothing is learnt from the test part:
///
/// ```swift
/// let (train, test) = dataset.trainTestSplit(seed: 1)
/// let scaling = Standardization(fittedTo: train.features)
/// let inputs = scaling.apply(to: test.features)
/// ```
public struct Standardization<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    public let means: [Scalar]
    /// √(Σ(x − mean)²/n), the divisor being n and not n − 1; 1 for a constant column, which so becomes 0.
    public let deviations: [Scalar]

    /// - Precondition: at least one row.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public init(fittedTo matrix: Matrix<Scalar>) {
        require(matrix.rows > 0, "a matrix of 0 rows; expected at least 1")
        // In Double and in two passes: sums of squares would lose the digits of a column far from 0.
        let n = Double(matrix.rows)
        var means = [Double](repeating: 0, count: matrix.columns), squares = means
        for i in 0..<matrix.rows { for j in means.indices { means[j] += Double(matrix[i, j]) / n } }
        for i in 0..<matrix.rows {
            for j in means.indices {
                let difference = Double(matrix[i, j]) - means[j]
                squares[j] += difference * difference / n
            }
        }
        self.means = means.map { Scalar($0) }
        deviations = means.indices.map { j in
            let deviation = squares[j].squareRoot()
            // What rounding leaves of a constant column is no deviation.
            return deviation > 4 * n.squareRoot() * Double.ulpOfOne * abs(means[j]) ? Scalar(deviation) : 1
        }
    }

    /// (x − mean)/deviation, column by column.
    ///
    /// - Precondition: as many columns as the fitted matrix.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func apply(to matrix: Matrix<Scalar>) -> Matrix<Scalar> {
        require(matrix.columns == means.count, "\(matrix.columns) columns; the fitted matrix had \(means.count)")
        var elements = matrix.elements
        for i in 0..<matrix.rows {
            for j in means.indices {
                let k = i * matrix.columns + j
                elements[k] = (elements[k] - means[j]) / deviations[j]
            }
        }
        return Matrix(rows: matrix.rows, columns: matrix.columns, elements: elements)
    }
}

/// One row for each label, with 1 in the label's column and 0 elsewhere.
///
/// - Precondition: each label lies in `0..<classes`.
public func oneHot<Scalar: KernelScalar>(_ labels: [Int], classes: Int, as _: Scalar.Type = Scalar.self) -> Matrix<Scalar> {
    var elements = [Scalar](repeating: 0, count: labels.count * classes)
    for (i, label) in labels.enumerated() {
        require((0..<classes).contains(label), "label \(label) is outside 0..<\(classes)")
        elements[i * classes + label] = 1
    }
    return Matrix(rows: labels.count, columns: classes, elements: elements)
}
