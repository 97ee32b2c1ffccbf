// A stream is a value: copies repeat, children are independent, and no thread count changes a bit.
import Descent

var random = RandomStream(seed: 7)
let copy = random
let first: [Double] = random.normal(count: 3)
var again = copy
let second: [Double] = again.normal(count: 3)
print(first == second, random.permutation(of: 5))

// One child for each of many tasks; none depends on how many there are.
let means = (0..<3).map { task in
    var child = copy.substream(UInt64(task))
    let numbers: [Float] = child.uniform(count: 1000)
    return Float.sum(numbers.span) / 1000
}
print(means)
