import Kernels
import LinearAlgebra
import OptimalTransport
import Randomness
import Testing

func points<Scalar: KernelScalar>(_ n: Int, _ d: Int, seed: UInt64, _: Scalar.Type = Scalar.self) -> Matrix<Scalar> {
    var random = RandomStream(seed: seed)
    let values: [Double] = random.normal(count: n * d)
    return Matrix(rows: n, columns: d, elements: values.map { Scalar($0) })
}

private func directCost(_ x: Span<Double>, _ y: Span<Double>, _ cost: PointCost) -> Double {
    var square = 0.0, product = 0.0, xx = 0.0, yy = 0.0
    for k in x.indices {
        square += (x[k] - y[k]) * (x[k] - y[k])
        product += x[k] * y[k]
        xx += x[k] * x[k]
        yy += y[k] * y[k]
    }
    switch cost {
    case .squaredEuclidean: return square
    case .euclidean: return square.squareRoot()
    case .dot: return -product
    case .cosine: return xx * yy == 0 ? 1 : 1 - product / (xx * yy).squareRoot()
    }
}

@Suite struct ProblemTests {
    @Test(arguments: PointCost.allCases) func costsOfPoints(_ cost: PointCost) throws {
        for d in [1, 2, 3, 8, 9, 64] {
            var x: Matrix<Double> = points(7, d, seed: 1)
            let y: Matrix<Double> = points(11, d, seed: 2)
            for k in 0..<d { x[3, k] = 0 }
            let geometry = try Geometry(from: x, to: y, cost: cost)
            let all = geometry.costMatrix()
            var sum = 0.0, largest = -Double.infinity
            for i in 0..<7 {
                for j in 0..<11 {
                    let expected = directCost(x.row(i), y.row(j), cost)
                    #expect(abs(all[i, j] - expected) <= 1e-12 * (1 + Double(d)), "\(cost) in \(d) dimensions")
                    #expect(abs(geometry[i, j] - all[i, j]) <= 1e-12 * (1 + Double(d)))
                    sum += expected
                    largest = max(largest, expected)
                }
            }
            #expect(abs(geometry.meanCost() - sum / 77) < 1e-10)
            #expect(abs(geometry.maxCost() - largest) < 1e-10)
        }
    }

    /// Far from the origin the distances keep their digits.
    @Test func distancesFarFromTheOrigin() throws {
        let d = 20
        let x: Matrix<Float> = points(5, d, seed: 3), y: Matrix<Float> = points(6, d, seed: 4)
        let far = try Geometry(from: x.map { $0 + 4096 }, to: y.map { $0 + 4096 }), near = try Geometry(from: x, to: y)
        #expect((far.costMatrix() - near.costMatrix()).maxNorm < 0.05)
    }

    @Test func badInput() throws {
        let nan: Matrix<Double> = [[0, 1], [.nan, 0]], fine: Matrix<Double> = [[0, 1], [1, 0]]
        #expect(throws: TransportError.nonFiniteCost(row: 1, column: 0)) { try Geometry(cost: nan) }
        #expect(throws: TransportError.empty(rows: 0, columns: 2)) { try Geometry(cost: Matrix<Double>.zeros(rows: 0, columns: 2)) }
        #expect(throws: TransportError.nonFinitePoint(.target, index: 1)) { try Geometry(from: fine, to: nan) }
        let geometry = try Geometry(cost: fine)
        #expect(throws: TransportError.negativeWeight(.source, index: 1, value: -0.5)) { try TransportProblem(geometry, from: [1.5, -0.5]) }
        #expect(throws: TransportError.nonFiniteWeight(.target, index: 0)) { try TransportProblem(geometry, to: [.infinity, 1]) }
        #expect(throws: TransportError.zeroMass(.source)) { try TransportProblem(geometry, from: [0, 0]) }
        #expect(throws: TransportError.massesDiffer(source: 1, target: 1.5)) { try TransportProblem(geometry, to: [1, 0.5]) }
        #expect(TransportError.massesDiffer(source: 1, target: 1.5).description.contains("differ by 0.5"))
        // A relaxed marginal may differ, and rounding is taken out.
        _ = try TransportProblem(geometry, to: [1, 0.5], targetPenalty: .kullbackLeibler(1))
        let scaled = try TransportProblem(geometry, to: [0.5, 0.5 + 1e-12])
        #expect(abs(scaled.targetWeights.reduce(0, +) - 1) < 1e-15)
    }

    @Test func sparsePlans() throws {
        let dense: Matrix<Double> = [[0.25, 0, 0.25], [0, 0.5, 1e-9]]
        let plan = SparseMatrix(dense)
        #expect(plan.sparse(above: 1e-6).entryCount == 3)
        let y: Matrix<Double> = points(3, 2, seed: 5)
        #expect((plan.multiplied(by: y) - dense * y).maxNorm < 1e-15)
    }
}
