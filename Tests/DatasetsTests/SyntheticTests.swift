import Datasets
import LinearAlgebra
import Testing

@Suite struct SyntheticTests {
    @Test func sameSeedSameData() {
        #expect(Synthetic.swissRoll(count: 20, noise: 0.1, seed: 5) as Dataset<Double> == Synthetic.swissRoll(count: 20, noise: 0.1, seed: 5))
        #expect(Synthetic.twoMoons(count: 20, noise: 0.1, seed: 5) as Dataset<Float> != Synthetic.twoMoons(count: 20, noise: 0.1, seed: 6))
        let a = Synthetic.sparseRecovery(measurements: 8, dimension: 20, sparsity: 3, seed: 9) as LinearProblem<Double>
        #expect(a == Synthetic.sparseRecovery(measurements: 8, dimension: 20, sparsity: 3, seed: 9))
        #expect(a != Synthetic.sparseRecovery(measurements: 8, dimension: 20, sparsity: 3, seed: 10))
    }

    @Test func blobs() {
        let centers = Matrix<Double>(rows: 3, columns: 2, elements: [0, 0, 10, -5, -3, 7])
        let n = 3000
        let data = Synthetic.blobs(count: n, centers: centers, deviation: 2, seed: 1)
        for c in 0..<3 {
            let members = (0..<n).filter { data.labels![$0] == c }
            #expect(members.count == 1000)
            for j in 0..<2 {
                let mean = members.reduce(0) { $0 + data.features[$1, j] } / 1000
                // Five standard errors, 2/√1000 and 4·√(2/1000).
                #expect(abs(mean - centers[c, j]) < 5 * 2 / 1000.0.squareRoot())
                let variance = members.reduce(0) { $0 + (data.features[$1, j] - mean) * (data.features[$1, j] - mean) } / 1000
                #expect(abs(variance - 4) < 5 * 4 * 0.002.squareRoot())
            }
        }
    }

    @Test func curvesWithoutNoiseLieOnTheirFormulas() {
        let moons = Synthetic.twoMoons(count: 101, seed: 2) as Dataset<Double>
        #expect(moons.labels!.count { $0 == 0 } == 51)
        for i in 0..<101 {
            let x = moons.features[i, 0], y = moons.features[i, 1]
            let (dx, dy) = moons.labels![i] == 0 ? (x, y) : (x - 1, y - 0.5)
            #expect(abs(dx * dx + dy * dy - 1) < 1e-12)
            #expect(moons.labels![i] == 0 ? dy > -1e-12 : dy < 1e-12)
        }
        let circles = Synthetic.concentricCircles(count: 100, ratio: 0.3, seed: 2) as Dataset<Double>
        for i in 0..<100 {
            let x = circles.features[i, 0], y = circles.features[i, 1]
            #expect(abs((x * x + y * y).squareRoot() - (circles.labels![i] == 0 ? 1 : 0.3)) < 1e-12)
        }
        // Evenly spaced angles: the outer points sum to 0.
        #expect(abs((0..<50).reduce(0) { $0 + circles.features[$1, 0] }) < 1e-12)
        let roll = Synthetic.swissRoll(count: 200, seed: 2) as Dataset<Double>
        for i in 0..<200 {
            let t = roll.values![i], x = roll.features[i, 0], z = roll.features[i, 2]
            #expect(abs((x * x + z * z).squareRoot() - t) < 1e-12)
            #expect(t >= 1.5 * .pi && t <= 4.5 * .pi && (0...21).contains(roll.features[i, 1]))
        }
    }

    @Test func noiseHasItsDeviation() {
        let clean = Synthetic.twoMoons(count: 2000, seed: 3) as Dataset<Double>
        let noisy = Synthetic.twoMoons(count: 2000, noise: 0.2, seed: 3) as Dataset<Double>
        let square = zip(clean.features.elements, noisy.features.elements).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 4000
        #expect(abs(square - 0.04) < 5 * 0.04 * (2.0 / 4000).squareRoot())
    }

    /// Aᵀ A.
    func gram(_ a: Matrix<Double>) -> [[Double]] {
        (0..<a.columns).map { j in (0..<a.columns).map { k in (0..<a.rows).reduce(0) { $0 + a[$1, j] * a[$1, k] } } }
    }

    @Test func linearRegressionHasItsSpectrum() {
        let problem = Synthetic.linearRegression(rows: 40, columns: 3, condition: 100.0, seed: 4)
        // Σ² = diag(1, 1e-2, 1e-4): power sums of the eigenvalues of AᵀA, and its determinant.
        let g = gram(problem.matrix)
        let trace = g[0][0] + g[1][1] + g[2][2]
        #expect(abs(trace - 1.0101) < 1e-13)
        let squares = g.flatMap { $0 }.reduce(0) { $0 + $1 * $1 }
        #expect(abs(squares - (1 + 1e-4 + 1e-8)) < 1e-13)
        let minor0 = g[1][1] * g[2][2] - g[1][2] * g[2][1], minor1 = g[1][0] * g[2][2] - g[1][2] * g[2][0]
        let minor2 = g[1][0] * g[2][1] - g[1][1] * g[2][0]
        #expect(abs((g[0][0] * minor0 - g[0][1] * minor1 + g[0][2] * minor2) / 1e-6 - 1) < 1e-9)
        // No row carries more than its share by far: rows of a uniformly random U.
        let isometry = Synthetic.linearRegression(rows: 400, columns: 4, condition: 1.0, seed: 4).matrix
        for (j, row) in gram(isometry).enumerated() { for (k, x) in row.enumerated() { #expect(abs(x - (j == k ? 1 : 0)) < 1e-13) } }
        let leverages = (0..<400).map { i in (0..<4).reduce(0) { $0 + isometry[i, $1] * isometry[i, $1] } }
        #expect(leverages.max()! < 0.08) // mean 0.01; χ²₄/400 exceeds 0.08 with probability 5e-6.
        for i in 0..<40 {
            let product = (0..<3).reduce(0) { $0 + problem.matrix[i, $1] * problem.solution[$1] }
            #expect(abs(product - problem.rightHandSide[i]) < 1e-14)
        }
    }

    @Test func sparseRecovery() {
        let problem = Synthetic.sparseRecovery(measurements: 60, dimension: 200, sparsity: 7, noise: 0, seed: 5) as LinearProblem<Double>
        #expect(problem.solution.count { $0 != 0 } == 7)
        #expect(problem.solution.allSatisfy { [-1, 0, 1].contains($0) })
        let square = problem.matrix.elements.reduce(0) { $0 + $1 * $1 } * 60 / 12_000
        #expect(abs(square - 1) < 5 * (2.0 / 12_000).squareRoot())
        for i in 0..<60 {
            let product = (0..<200).reduce(0) { $0 + problem.matrix[i, $1] * problem.solution[$1] }
            #expect(abs(product - problem.rightHandSide[i]) < 1e-13)
        }
        let noisy = Synthetic.sparseRecovery(measurements: 60, dimension: 200, sparsity: 7, noise: 0.5, seed: 5) as LinearProblem<Double>
        let noise = zip(noisy.rightHandSide, problem.rightHandSide).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 60
        #expect(abs(noise - 0.25) < 5 * 0.25 * (2.0 / 60).squareRoot())
    }

    @Test func lowRank() {
        let (exact, noisy) = Synthetic.lowRank(rows: 50, columns: 40, rank: 2, noise: 0.1, seed: 6) as (Matrix<Double>, Matrix<Double>)
        // Every minor of order 3 vanishes.
        for (i, j) in [(0, 1), (7, 20), (30, 11)] {
            func minor(_ a: Matrix<Double>) -> Double {
                func x(_ r: Int, _ c: Int) -> Double { a[i + r, j + c] }
                return x(0, 0) * (x(1, 1) * x(2, 2) - x(1, 2) * x(2, 1)) - x(0, 1) * (x(1, 0) * x(2, 2) - x(1, 2) * x(2, 0))
                    + x(0, 2) * (x(1, 0) * x(2, 1) - x(1, 1) * x(2, 0))
            }
            #expect(abs(minor(exact)) < 1e-12)
            #expect(abs(minor(noisy)) > 1e-6)
        }
        let square = zip(exact.elements, noisy.elements).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 2000
        #expect(abs(square - 0.01) < 5 * 0.01 * (2.0 / 2000).squareRoot())
    }

    @Test func separableKeepsItsMargin() {
        let (data, normal) = Synthetic.separable(count: 500, dimension: 5, margin: 0.25, seed: 7) as (Dataset<Double>, [Double])
        #expect(abs(normal.reduce(0) { $0 + $1 * $1 } - 1) < 1e-14)
        var closest = Double.infinity
        for i in 0..<500 {
            let side = (0..<5).reduce(0) { $0 + data.features[i, $1] * normal[$1] } * (data.labels![i] == 1 ? 1 : -1)
            closest = min(closest, side)
        }
        #expect(closest >= 0.25 - 1e-14)
        #expect(closest < 0.27)
        #expect((200...300).contains(data.labels!.reduce(0, +)))
    }
}
