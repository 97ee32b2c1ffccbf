// A shipped data set, and a reader that says where a broken file breaks.
import Descent

let wine = try Dataset<Double>.wine()
let parts = wine.trainTestSplit(testFraction: 0.25, seed: 1, stratified: true)
let scale = Standardization(fittedTo: parts.train.features)
print(wine.name, parts.train.count, parts.test.count, scale.apply(to: parts.test.features).rows)

let file = NPY.write(NumericArray(parts.train.features))
let back: Matrix<Double> = try NPY.read(file).matrix()
print(back == parts.train.features)

do {
    _ = try NPY.read(Array(file.dropLast(8)))
} catch {
    print(error)
}
