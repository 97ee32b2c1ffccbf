import Kernels
import LinearAlgebra
import Randomness

/// Which of `count` clusters each point belongs to, by Lloyd's rounds from centres that are drawn far apart (Arthur & Vassilvitskii 2007).
/// Clusters may be empty. Points without weight belong to one, but do not move it.
///
/// - Complexity: O(n · count · d) a round, of which there are at most 20.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func kMeans<Scalar: KernelScalar>(_ points: Matrix<Scalar>, weights: [Scalar], count: Int, random: inout RandomStream) -> [Int] {
    let n = points.rows, d = points.columns
    var centers = Matrix<Scalar>.zeros(rows: count, columns: d)
    var nearest = [Double](repeating: .infinity, count: n), labels = [Int](repeating: 0, count: n)
    let uniform: [Double] = random.uniform(count: count)
    for k in 0..<count {
        // Drawn by weight times the squared distance from the centres before.
        var total = 0.0
        for i in 0..<n { total += Double(weights[i]) * (k == 0 ? 1 : nearest[i]) }
        var left = uniform[k] * total, chosen = 0
        for i in 0..<n where weights[i] > 0 {
            chosen = i
            left -= Double(weights[i]) * (k == 0 ? 1 : nearest[i])
            if left < 0 { break }
        }
        for j in 0..<d { centers[k, j] = points[chosen, j] }
        for i in 0..<n {
            let row = points.row(i)
            var distance = 0.0
            for j in 0..<d { distance += Double((row[j] - centers[k, j]) * (row[j] - centers[k, j])) }
            if distance < nearest[i] { (nearest[i], labels[i]) = (distance, k) }
        }
    }
    for _ in 0..<20 {
        var sums = [Double](repeating: 0, count: count * d), masses = [Double](repeating: 0, count: count)
        for i in 0..<n {
            let row = points.row(i), weight = Double(weights[i])
            masses[labels[i]] += weight
            for j in 0..<d { sums[labels[i] * d + j] += weight * Double(row[j]) }
        }
        for k in 0..<count where masses[k] > 0 {
            for j in 0..<d { centers[k, j] = Scalar(sums[k * d + j] / masses[k]) }
        }
        // ‖x − c‖² without the term of x.
        let squares = (0..<count).map { Scalar.dot(centers.row($0), centers.row($0)) }
        var scores = multiply(points, centers, transposeB: true)
        var span = scores.mutableSpan
        Scalar.scale(-2, &span)
        Scalar.addRow(rows: n, columns: count, &span, squares.span)
        var moved = false
        for i in 0..<n {
            let row = scores.row(i)
            var best = labels[i]
            for k in 0..<count where row[k] < row[best] { best = k }
            if best != labels[i] {
                labels[i] = best
                moved = true
            }
        }
        if !moved { break }
    }
    return labels
}
