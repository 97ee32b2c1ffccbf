import Datasets
import LinearAlgebra
import Testing

@Suite struct ShippedDatasetTests {
    static func columnSums(_ dataset: Dataset<Double>) -> [Double] {
        (0..<dataset.features.columns).map { j in (0..<dataset.count).reduce(0) { $0 + dataset.features[$1, j] } }
    }

    static func classCounts(_ dataset: Dataset<Double>) -> [Int] {
        dataset.classNames!.indices.map { c in dataset.labels!.count { $0 == c } }
    }

    static func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * abs(b) }

    @Test func digits() throws {
        let digits = try Dataset<Double>.digits()
        #expect(digits.features.rows == 1797 && digits.features.columns == 64)
        #expect(Self.classCounts(digits) == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
        #expect(digits.features.elements.allSatisfy { $0 >= 0 && $0 <= 16 && $0 == $0.rounded() })
        #expect(digits.features.elements.reduce(0, +) == 561_718)
        #expect(Array(digits.labels!.prefix(10)) == Array(0..<10))
        #expect(Array(digits.features.elements.prefix(8)) == [0, 0, 5, 13, 9, 1, 0, 0])
    }

    @Test func breastCancer() throws {
        let cancer = try Dataset<Double>.breastCancer()
        #expect(cancer.features.rows == 569 && cancer.features.columns == 30)
        #expect(Self.classCounts(cancer) == [212, 357])
        let sums = Self.columnSums(cancer)
        #expect(Self.isClose(sums[0], 8038.429) && Self.isClose(sums[23], 501_051.8))
        // The ranges that UCI publishes: radius 6.981 to 28.11, area 143.5 to 2501.
        let radii = (0..<569).map { cancer.features[$0, 0] }, areas = (0..<569).map { cancer.features[$0, 3] }
        #expect(radii.min() == 6.981 && radii.max() == 28.11 && areas.min() == 143.5 && areas.max() == 2501)
        #expect(cancer.featureNames[0] == "mean radius")
    }

    @Test func wine() throws {
        let wine = try Dataset<Double>.wine()
        #expect(wine.features.rows == 178 && wine.features.columns == 13)
        #expect(Self.classCounts(wine) == [59, 71, 48])
        let sums = Self.columnSums(wine)
        #expect(Self.isClose(sums[12], 132_947) && Self.isClose(sums[4], 17754) && Self.isClose(sums[0], 2314.11))
    }

    @Test func iris() throws {
        let iris = try Dataset<Double>.iris()
        #expect(iris.features.rows == 150 && iris.features.columns == 4)
        #expect(Self.classCounts(iris) == [50, 50, 50])
        // Fisher's values: means 5.843333, 3.057333, 3.758, 1.199333.
        for (sum, expected) in zip(Self.columnSums(iris), [876.5, 458.6, 563.7, 179.9]) { #expect(Self.isClose(sum, expected)) }
        #expect(iris.features[34, 3] == 0.2 && iris.features[37, 1] == 3.6 && iris.features[37, 2] == 1.4)
    }

    @Test func diabetes() throws {
        let diabetes = try Dataset<Double>.diabetes()
        #expect(diabetes.features.rows == 442 && diabetes.features.columns == 10)
        #expect(diabetes.labels == nil && diabetes.classNames == nil)
        // Efron et al. 2004, table 1: the first two patients.
        #expect(Array(diabetes.features.elements.prefix(4)) == [59, 2, 32.1, 101])
        #expect(diabetes.values!.prefix(2) == [151, 75])
        #expect(diabetes.values!.reduce(0, +) == 67243)
        let sums = Self.columnSums(diabetes)
        #expect(sums[0] == 21445 && Self.isClose(sums[8], 2051.5036) && Self.isClose(sums[2], 11658.1))
    }

    @Test func sourceAndLicence() throws {
        for dataset in [try Dataset<Float>.digits(), try .breastCancer(), try .wine(), try .iris()] {
            #expect(dataset.licence.contains("CC BY 4.0"))
            #expect(dataset.description.contains("doi.org"))
        }
        let diabetes = try Dataset<Float>.diabetes()
        #expect(diabetes.licence.contains("licence") && diabetes.description.contains("Least angle regression"))
    }
}

@Suite struct DatasetTests {
    @Test func splitIsAPartition() throws {
        let iris = try Dataset<Double>.iris()
        // Number the rows to recognise them.
        let numbered = iris.replacingFeatures(Matrix(rows: 150, columns: 4, elements: (0..<600).map { Double($0 / 4) }))
        for fraction in [0, 0.1, 0.333, 1] {
            for stratified in [false, true] {
                let (train, test) = numbered.trainTestSplit(testFraction: fraction, seed: 3, stratified: stratified)
                #expect(test.count == Int((150 * fraction).rounded()))
                let rows = (0..<train.count).map { train.features[$0, 0] } + (0..<test.count).map { test.features[$0, 0] }
                #expect(rows.sorted() == (0..<150).map(Double.init))
                for i in 0..<test.count { #expect(test.labels![i] == Int(test.features[i, 0]) / 50) }
            }
        }
    }

    @Test func splitDependsOnTheSeedOnly() throws {
        let iris = try Dataset<Double>.iris()
        #expect(iris.trainTestSplit(seed: 1).test == iris.trainTestSplit(seed: 1).test)
        #expect(iris.trainTestSplit(seed: 1).test != iris.trainTestSplit(seed: 2).test)
        // Shuffled: the first test examples are not one species.
        #expect(Set(iris.trainTestSplit(seed: 1).test.labels!.prefix(20)).count > 1)
    }

    @Test func stratifiedSplitKeepsTheRatio() throws {
        let wine = try Dataset<Double>.wine()
        let (train, test) = wine.trainTestSplit(testFraction: 0.3, seed: 4, stratified: true)
        // 0.3 · (59, 71, 48) = (17.7, 21.3, 14.4); 53 in all.
        #expect(ShippedDatasetTests.classCounts(test) == [18, 21, 14])
        #expect(ShippedDatasetTests.classCounts(train) == [41, 50, 34])
    }

    @Test func standardization() {
        let matrix = Matrix<Double>(rows: 4, columns: 3, elements: [1, 5, 1e9, 2, 5, 1e9 + 1, 3, 5, 1e9 + 2, 4, 5, 1e9 + 3])
        let scaling = Standardization(fittedTo: matrix)
        #expect(scaling.means == [2.5, 5, 1e9 + 1.5])
        #expect(scaling.deviations == [Double(1.25).squareRoot(), 1, Double(1.25).squareRoot()])
        let scaled = scaling.apply(to: matrix)
        for j in [0, 2] {
            let column = (0..<4).map { scaled[$0, j] }
            #expect(abs(column.reduce(0, +)) < 1e-12)
            #expect(abs(column.map { $0 * $0 }.reduce(0, +) / 4 - 1) < 1e-12)
        }
        #expect((0..<4).allSatisfy { scaled[$0, 1] == 0 })
        // A constant whose mean is not exact stays 0.
        let constant = Matrix<Float>(rows: 3, columns: 1, elements: [0.1, 0.1, 0.1])
        #expect(Standardization(fittedTo: constant).apply(to: constant).elements == [0, 0, 0])
        // Other data go through the same map.
        let other = Matrix<Double>(rows: 1, columns: 3, elements: [2.5, 6, 1e9 + 1.5])
        #expect(scaling.apply(to: other).elements == [0, 1, 0])
    }

    @Test func oneHotRows() {
        let encoded = oneHot([2, 0, 1], classes: 4, as: Float.self)
        #expect(encoded.elements == [0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0])
        #expect(oneHot([], classes: 3, as: Double.self).columns == 3)
    }

    @Test func subsetKeepsOrderAndRepeats() throws {
        let diabetes = try Dataset<Double>.diabetes()
        let part = diabetes.subset([5, 1, 5])
        #expect(part.values == [diabetes.values![5], diabetes.values![1], diabetes.values![5]])
        #expect(part.features[1, 2] == diabetes.features[1, 2])
        #expect(part.features[2, 9] == diabetes.features[5, 9])
    }
}
