import Kernels
import LinearAlgebra

/// Examples with what is to be predicted from them.
public struct Dataset<Scalar: KernelScalar>: Sendable, Hashable {
    public enum Target: Sendable, Hashable {
        /// For each example the number of its class, from 0, and the classes' names.
        case classes(labels: [Int], names: [String])
        /// For each example a number.
        case values([Scalar])
    }

    public let name: String
    /// One row for each example, one column for each feature.
    public let features: Matrix<Scalar>
    public let featureNames: [String]
    public let target: Target
    /// What the data are and where they come from.
    public let description: String
    public let licence: String

    /// - Precondition: one target for each row, one name for each column, and labels that number a class.
    public init(
        name: String, features: Matrix<Scalar>, featureNames: [String], target: Target, description: String = "",
        licence: String = ""
    ) {
        require(featureNames.count == features.columns,
                "\(featureNames.count) feature names for \(features.columns) columns; expected equal counts")
        switch target {
        case .classes(let labels, let names):
            require(labels.count == features.rows, "\(labels.count) labels for \(features.rows) rows; expected equal counts")
            require(labels.allSatisfy { names.indices.contains($0) }, "a label is outside 0..<\(names.count)")
        case .values(let values):
            require(values.count == features.rows, "\(values.count) values for \(features.rows) rows; expected equal counts")
        }
        self.name = name
        self.features = features
        self.featureNames = featureNames
        self.target = target
        self.description = description
        self.licence = licence
    }

    /// The number of examples.
    public var count: Int { features.rows }

    /// The number of each example's class; `nil` if the target is a number.
    public var labels: [Int]? {
        if case .classes(let labels, _) = target { labels } else { nil }
    }

    /// The classes' names; `nil` if the target is a number.
    public var classNames: [String]? {
        if case .classes(_, let names) = target { names } else { nil }
    }

    /// The number to predict for each example; `nil` if the target is a class.
    public var values: [Scalar]? {
        if case .values(let values) = target { values } else { nil }
    }

    /// The same data with other features.
    public func replacingFeatures(_ features: Matrix<Scalar>) -> Dataset {
        Dataset(name: name, features: features, featureNames: featureNames, target: target, description: description,
                licence: licence)
    }

    /// The examples at `indices`, in that order.
    ///
    /// - Precondition: each index is below ``count``.
    public func subset(_ indices: [Int]) -> Dataset {
        var elements: [Scalar] = []
        elements.reserveCapacity(indices.count * features.columns)
        for i in indices {
            require((0..<count).contains(i), "example \(i) is outside 0..<\(count)")
            elements.append(contentsOf: features.elements[i * features.columns..<(i + 1) * features.columns])
        }
        let target: Target = switch target {
        case .classes(let labels, let names): .classes(labels: indices.map { labels[$0] }, names: names)
        case .values(let values): .values(indices.map { values[$0] })
        }
        return Dataset(name: name, features: Matrix(rows: indices.count, columns: features.columns, elements: elements),
                       featureNames: featureNames, target: target, description: description, licence: licence)
    }
}
