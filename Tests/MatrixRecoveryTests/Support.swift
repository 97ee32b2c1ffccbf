import LinearAlgebra
import MatrixRecovery
import RealModule

typealias Model = LowRankModel<Double>
typealias Completion = MatrixCompletion<Double>

/// Every entry of a matrix.
func entries<Scalar>(_ matrix: Matrix<Scalar>) -> [SparseMatrix<Scalar>.Triplet] {
    (0..<matrix.rows).flatMap { i in (0..<matrix.columns).map { .init(row: i, column: $0, value: matrix[i, $0]) } }
}

func completion(_ model: Model, probability: Double, noise: Double = 0, seed: UInt64 = 0) throws -> Completion {
    try Completion(
        rows: model.factors.rows, columns: model.factors.columns,
        observations: model.observations(probability: probability, noise: noise, seed: seed))
}

/// The relative error after each of so many rounds.
func errors(_ solver: AlternatingMinimization<Double>, _ problem: Completion, _ model: Model, rounds: Int) throws -> [Double] {
    let start = try solver.startingSample(problem).spectralStart(rank: solver.rank, seed: solver.seed)
    var state = solver.makeState(problem, from: start.parameters)
    return (0..<rounds).map { _ in
        _ = solver.step(&state, problem)
        return model.relativeError(of: state.factors)
    }
}

/// The mean factor by which a sequence falls from one index to another.
func ratio(_ x: [Double], _ from: Int, _ to: Int) -> Double { Double.pow(x[to] / x[from], 1 / Double(to - from)) }

/// The slope of log y in log x by least squares.
func slope(_ x: [Double], _ y: [Double]) -> Double {
    let a = x.map { Double.log($0) }, b = y.map { Double.log($0) }
    let ma = a.reduce(0, +) / Double(a.count), mb = b.reduce(0, +) / Double(b.count)
    return zip(a, b).reduce(0) { $0 + ($1.0 - ma) * ($1.1 - mb) } / a.reduce(0) { $0 + ($1 - ma) * ($1 - ma) }
}
