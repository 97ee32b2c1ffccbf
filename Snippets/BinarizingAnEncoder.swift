// A binary student of a full-precision encoder, trained, packed into bits, written and read again.
import Descent
import Foundation

var configuration = TransformerEncoder<Float>.Configuration()
(configuration.vocabularySize, configuration.size, configuration.layers, configuration.heads) = (10, 32, 1, 2)
(configuration.hidden, configuration.maximumLength, configuration.dropout) = (64, 8, 0)

// Does token 1 occur?
var random = RandomStream(seed: 1)
let sequences = (0..<256).map { _ in (0..<6).map { _ in Int(random.nextUInt64() % 8) } }
let examples = TokenExamples(sequences, labels: sequences.map { $0.contains(1) ? 1 : 0 })

let stages = BinarizationStages(configuration, classes: 2, batchSize: 32, seed: 1)
let teacher = try stages.trainTeacher(on: examples, epochs: 10, learningRate: 5e-3)
let student = try stages.trainStudent(on: examples, teacher: teacher, epochs: 10, learningRate: 5e-3)

let packed = try BinarizedClassifier(student, of: stages.student, classNames: ["no", "yes"])
let path = FileManager.default.temporaryDirectory.appendingPathComponent("packed.safetensors").path
try packed.write(to: path)
let batch = examples.batch(Array(0..<8)).input
let scores = try BinarizedClassifier(path: path)(batch)
print(scores == stages.student(batch, Tensor(student)), packed.residentBytes, "bytes", scores.argmax().map { packed.classNames[$0] })
