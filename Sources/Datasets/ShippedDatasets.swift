import Foundation
import Kernels
import LinearAlgebra

extension Dataset {
    /// Handwritten digits: 1797 images of 8 × 8 pixels with intensities 0 to 16, ten classes.
    ///
    /// The test part of "Optical Recognition of Handwritten Digits".
    ///
    /// - Throws: ``FormatError`` if the package's resource cannot be read.
    public static func digits(as _: Scalar.Type = Scalar.self) throws(FormatError) -> Dataset {
        try shipped("digits", "Optical recognition of handwritten digits", classes: (0...9).map(String.init))
    }

    /// Breast Cancer Wisconsin (Diagnostic): 569 tumours with 30 measurements of cell nuclei, malignant (0) or benign (1).
    ///
    /// - Throws: ``FormatError`` if the package's resource cannot be read.
    public static func breastCancer(as _: Scalar.Type = Scalar.self) throws(FormatError) -> Dataset {
        try shipped("breast-cancer", "Breast cancer Wisconsin (diagnostic)", classes: ["malignant", "benign"])
    }

    /// Wine: 178 wines with 13 chemical measurements, from three cultivars.
    ///
    /// - Throws: ``FormatError`` if the package's resource cannot be read.
    public static func wine(as _: Scalar.Type = Scalar.self) throws(FormatError) -> Dataset {
        try shipped("wine", "Wine", classes: ["cultivar 1", "cultivar 2", "cultivar 3"])
    }

    /// Iris: 150 flowers with four measurements, from three species.
    ///
    /// Fisher's values; the UCI file differs from them in the 35th and the 38th flower.
    ///
    /// - Throws: ``FormatError`` if the package's resource cannot be read.
    public static func iris(as _: Scalar.Type = Scalar.self) throws(FormatError) -> Dataset {
        try shipped("iris", "Iris", classes: ["setosa", "versicolor", "virginica"])
    }

    /// Diabetes: 442 patients with ten measurements; the target is a measure of the disease's progression one year later.
    ///
    /// The original values. scikit-learn's loader gives them centred and scaled to norm 1 by default.
    ///
    /// - Throws: ``FormatError`` if the package's resource cannot be read.
    public static func diabetes(as _: Scalar.Type = Scalar.self) throws(FormatError) -> Dataset {
        try shipped("diabetes", "Diabetes", classes: nil)
    }

    /// Reads `<file>.csv`, whose last column is the target, and `<file>.txt`, whose last paragraph is the licence.
    private static func shipped(_ file: String, _ name: String, classes: [String]?) throws(FormatError) -> Dataset {
        func path(_ kind: String) throws(FormatError) -> String {
            // Not `resourceURL`, which on Linux changes with a folder called Resources in the bundle.
            guard let url = Bundle.module.url(forResource: file, withExtension: kind, subdirectory: "Data") else {
                throw FormatError("data set", .file("\(file).\(kind)"), expected: "a resource of the package", found: "no such file")
            }
            return url.path
        }
        let table = try CSV.read(path: path("csv"), header: .present)
        let text = String(decoding: try readFile(path("txt"), format: "text"), as: UTF8.self)
        let last = table.columns - 1
        let target: Target
        if let classes {
            var labels: [Int] = []
            for (row, name) in table.column(last).enumerated() {
                guard let label = classes.firstIndex(of: name) else {
                    throw FormatError("CSV", .line(row + 2, column: last + 1), expected: "one of \(classes)", found: name)
                }
                labels.append(label)
            }
            target = .classes(labels: labels, names: classes)
        } else {
            target = .values(try table.matrix(columns: [last]).matrix.elements)
        }
        let paragraphs = text.split(separator: "\n\n").map { $0.split(separator: "\n").joined(separator: " ") }
        return Dataset(name: name, features: try table.matrix(columns: Array(0..<last)).matrix,
                       featureNames: Array(table.names![..<last]), target: target,
                       description: paragraphs.dropLast().joined(separator: "\n\n"), licence: paragraphs.last ?? "")
    }
}
