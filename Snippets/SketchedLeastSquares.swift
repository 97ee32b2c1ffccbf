// A tall least-squares problem by sketching, as accurate as Householder QR.
import Descent

var random = RandomStream(seed: 1)
let a = Matrix(rows: 20_000, columns: 50, elements: random.normal(count: 20_000 * 50) as [Double])
let b: [Double] = random.normal(count: 20_000)

let result = try FOSSILS().solve(a, b)
print(result.reason, result.backwardError ?? 0)

// The sketch by itself: 600 rows that stand for 20 000.
let sketch = SparseSignEmbedding().sample(Double.self, rows: 600, columns: a.rows, random: RandomStream(seed: 2))
let range = try embeddingRange(of: sketch, onOrthonormal: QR(a).q())
print("lengths within \(range.lowerBound) … \(range.upperBound)")
