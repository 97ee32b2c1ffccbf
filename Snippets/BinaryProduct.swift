// Signs of two float matrices, multiplied exactly on bits.
import Descent

var random = RandomStream(seed: 1)
let x = Matrix(rows: 128, columns: 768, elements: random.normal(count: 128 * 768) as [Float])
let weights = Matrix(rows: 3072, columns: 768, elements: random.normal(count: 3072 * 768) as [Float])

let packed = PackedBinaryMatrix(BinaryMatrix(signsOf: weights))  // once
let product = xnorProduct(signsOf: x, packed)                    // 128×3072 integers
print("tier \(KernelTier.active), first row sums to \(product[row: 0].reduce(0, +))")
