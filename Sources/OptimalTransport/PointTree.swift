import Kernels
import LinearAlgebra

/// Weighted points in the order of a k-d tree: halves of each node lie on both sides of the median along its longest side, so that nodes of any depth
/// are runs of neighbours.
///
/// - Complexity: O(n log² n) to make.
struct PointTree<Scalar: KernelScalar>: Sendable {
    /// The points as they were given, in the tree's order.
    let order: [Int]
    let points: Matrix<Scalar>
    let weights: [Scalar]
    /// Where nodes of each depth begin, and the number of points at the end; a node of one point is not halved.
    private(set) var starts: [[Int]]

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(_ points: Matrix<Scalar>, weights: [Scalar]) {
        let n = points.rows, d = points.columns
        var order = Array(0..<n), starts = [[0, n]]
        while starts[starts.count - 1].count <= n {
            let nodes = starts[starts.count - 1]
            var next = [0]
            for (first, end) in zip(nodes, nodes.dropFirst()) {
                guard end - first > 1 else {
                    next.append(end)
                    continue
                }
                var side = 0, longest = -Scalar.infinity
                for k in 0..<d {
                    var low = Scalar.infinity, high = -Scalar.infinity
                    for i in first..<end {
                        let x = points[order[i], k]
                        low = min(low, x)
                        high = max(high, x)
                    }
                    if high - low > longest { (longest, side) = (high - low, k) }
                }
                let middle = (first + end) / 2
                var keys = (first..<end).map { (key: points[order[$0], side], place: order[$0]) }
                keys.sort { ($0.key, $0.place) < ($1.key, $1.place) }
                for i in first..<end { order[i] = keys[i - first].place }
                next.append(middle)
                next.append(end)
            }
            starts.append(next)
        }
        self.order = order
        self.starts = starts
        self.points = Matrix(rows: n, columns: d) { points[order[$0], $1] }
        self.weights = order.map { weights[$0] }
    }

    /// The depth at which nodes are the points themselves.
    var depth: Int { starts.count - 1 }

    /// The nodes of a depth as points of their mean, with their mass; nodes without mass stand at the mean of their points.
    ///
    /// - Returns: also the root of the mean squared distance of points from their node.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func nodes(atDepth depth: Int) -> (points: Matrix<Scalar>, weights: [Scalar], radius: Double) {
        let starts = starts[depth], d = points.columns
        var means = Matrix<Scalar>.zeros(rows: starts.count - 1, columns: d), masses = [Scalar](repeating: 0, count: starts.count - 1)
        var spread = 0.0, total = 0.0
        for node in masses.indices {
            var mass = 0.0
            for i in starts[node]..<starts[node + 1] { mass += Double(weights[i]) }
            let isEmpty = mass == 0
            for k in 0..<d {
                var sum = 0.0
                for i in starts[node]..<starts[node + 1] { sum += (isEmpty ? 1 : Double(weights[i])) * Double(points[i, k]) }
                means[node, k] = Scalar(sum / (isEmpty ? Double(starts[node + 1] - starts[node]) : mass))
                for i in starts[node]..<starts[node + 1] {
                    let distance = Double(points[i, k] - means[node, k])
                    spread += Double(weights[i]) * distance * distance
                }
            }
            masses[node] = Scalar(mass)
            total += mass
        }
        return (means, masses, (spread / total).squareRoot())
    }

    /// The nodes of a depth in tiles, which are nodes of a lesser depth of up to `size` of them.
    func tiles(atDepth depth: Int, size: Int) -> PointTiles<Scalar> {
        let (points, weights, radius) = nodes(atDepth: depth)
        var above = depth
        while above > 0, 1 << (depth - above + 1) <= size { above -= 1 }
        // Nodes of both depths begin at points; tiles count nodes.
        var count: [Int: Int] = [:]
        for (place, start) in starts[depth].enumerated() { count[start] = place }
        return PointTiles(points, weights, starts: starts[above].map { count[$0]! }, radius: radius)
    }
}

/// Points in runs of neighbours, each with its box, and with coordinates as the kernels want them.
struct PointTiles<Scalar: KernelScalar>: Sendable {
    let points: Matrix<Scalar>
    let weights: [Scalar]
    /// Where tiles begin, and the number of points at the end.
    let starts: [Int]
    /// Of the tree's points about these.
    let radius: Double
    /// A line for each coordinate, tile by tile.
    let coordinates: [Scalar]
    /// The corners of the boxes, a row for each tile.
    let low: Matrix<Scalar>, high: Matrix<Scalar>
    let masses: [Double]

    var count: Int { starts.count - 1 }
    var dimension: Int { points.columns }

    func range(_ tile: Int) -> Range<Int> { starts[tile]..<starts[tile + 1] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(_ points: Matrix<Scalar>, _ weights: [Scalar], starts: [Int], radius: Double) {
        let d = points.columns, tiles = starts.count - 1
        var low = Matrix<Scalar>(rows: tiles, columns: d, repeating: .infinity), high = Matrix<Scalar>(rows: tiles, columns: d, repeating: -.infinity)
        var coordinates: [Scalar] = [], masses = [Double](repeating: 0, count: tiles)
        coordinates.reserveCapacity(points.elements.count)
        for tile in 0..<tiles {
            for k in 0..<d {
                for i in starts[tile]..<starts[tile + 1] {
                    let x = points[i, k]
                    coordinates.append(x)
                    low[tile, k] = min(low[tile, k], x)
                    high[tile, k] = max(high[tile, k], x)
                }
            }
            for i in starts[tile]..<starts[tile + 1] { masses[tile] += Double(weights[i]) }
        }
        (self.points, self.weights, self.starts, self.radius) = (points, weights, starts, radius)
        (self.coordinates, self.low, self.high, self.masses) = (coordinates, low, high, masses)
    }

    /// The least ‖x − y‖² between the boxes of two tiles.
    func leastDistance(_ tile: Int, _ other: PointTiles, _ second: Int) -> Double {
        var sum = 0.0
        for k in 0..<dimension {
            let gap = Double(max(0, max(low[tile, k] - other.high[second, k], other.low[second, k] - high[tile, k])))
            sum += gap * gap
        }
        return sum
    }
}
