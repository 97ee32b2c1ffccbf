import Kernels
import LinearAlgebra
import Objectives
import Optimizers
import Testing
import _TestSupport

@Suite struct ProjectionTests {
    private static let n = 5

    private static func sets() throws -> [(name: String, set: any ConvexSet<Double>, holds: ([Double]) -> Double)] {
        let normal = [1.0, -2, 0.5, 0, 3]
        let a = Matrix<Double>(rows: 2, columns: 5, elements: [1, 2, 0, -1, 1, 0, 1, 1, 1, -2])
        func sum(_ x: [Double]) -> Double { x.reduce(0, +) }
        return [
            ("box", Bounds<Double>(-0.5...0.7, dimension: n), { x in max(x.max()! - 0.7, -0.5 - x.min()!) }),
            ("simplex", Simplex<Double>(sum: 2), { x in max(abs(sum(x) - 2), -x.min()!) }),
            ("l1", L1Ball<Double>(radius: 1.5), { x in sum(x.map(abs)) - 1.5 }),
            ("l2", L2Ball<Double>(radius: 1.2, center: [1, 0, 0, 0, -1]), { x in distance(x, [1, 0, 0, 0, -1]) - 1.2 }),
            ("l∞", LInfinityBall<Double>(radius: 0.4), { x in x.map(abs).max()! - 0.4 }),
            ("halfspace", Halfspace(normal: normal, offset: -1), { x in zip(normal, x).reduce(0) { $0 + $1.0 * $1.1 } + 1 }),
            ("affine", try AffineSubspace(a, equals: [1, -2]), { x in zip(a * x, [1, -2]).map { abs($0 - $1) }.max()! }),
        ]
    }

    /// p = P(x) in the set, with ⟨x − p, z − p⟩ ≤ 0 for every z in it: that is what a projection is.
    @Test func nearestPoints() throws {
        var numbers = TestNumbers(seed: 4)
        for (name, set, violation) in try Self.sets() {
            for _ in 0..<200 {
                let x = (0..<Self.n).map { _ in 3 * numbers.unit() }, y = (0..<Self.n).map { _ in 3 * numbers.unit() }
                let p = set.projection(of: x), q = set.projection(of: y)
                #expect(violation(p) < 1e-12, "\(name)")
                let product = (0..<Self.n).reduce(0) { $0 + (x[$1] - p[$1]) * (q[$1] - p[$1]) }
                #expect(product < 1e-12, "\(name)")
                let moved = distance(p, q), apart = distance(x, y)
                #expect(moved <= apart + 1e-12, "\(name) is not non-expansive")
                #expect(zip(set.projection(of: p), p).allSatisfy { abs($0 - $1) < 1e-12 }, "\(name) is not idempotent")
            }
        }
    }

    /// The simplex by trying every set of coordinates that may be positive.
    @Test(arguments: 1...6) func simplexByBruteForce(_ n: Int) {
        var numbers = TestNumbers(seed: 20 + UInt64(n))
        for _ in 0..<50 {
            let x = (0..<n).map { _ in 2 * numbers.unit() }
            var best: [Double] = [], least = Double.infinity
            for positive in 1..<(1 << n) {
                let chosen = (0..<n).filter { positive >> $0 & 1 == 1 }
                let shift = (chosen.reduce(0) { $0 + x[$1] } - 1) / Double(chosen.count)
                let y = (0..<n).map { chosen.contains($0) ? x[$0] - shift : 0 }
                if y.allSatisfy({ $0 >= 0 }), distance(x, y) < least { (best, least) = (y, distance(x, y)) }
            }
            let projected = Simplex<Double>().projection(of: x)
            #expect(zip(projected, best).allSatisfy { abs($0 - $1) < 1e-12 })
        }
    }

    @Test func byHand() {
        #expect(Simplex<Double>().projection(of: [0.5, 0.5]) == [0.5, 0.5])
        #expect(Simplex<Double>().projection(of: [2, 0]) == [1, 0])
        #expect(L1Ball<Double>(radius: 1).projection(of: [-3, 1]) == [-1, 0])
        #expect(L1Ball<Double>(radius: 0).projection(of: [-3, 1]).allSatisfy { $0 == 0 })
        #expect(L2Ball<Double>(radius: 1).projection(of: [3, 4]).elementsEqual([0.6, 0.8]) { abs($0 - $1) < 1e-15 })
        #expect(Halfspace<Double>(normal: [0, 2], offset: 2).projection(of: [5, 3]) == [5, 1])
    }

    @Test func dependentEquationsAreAnError() {
        let a = Matrix<Double>(rows: 2, columns: 2, elements: [1, 1, 1, 1])
        #expect(throws: LinearAlgebraError.self) { try AffineSubspace(a, equals: [1, 1]) }
    }
}

private func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
}
