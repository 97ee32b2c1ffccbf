import LinearAlgebra
import MatrixRecovery
import Testing

@Suite struct RankSelectionTests {
    /// The true rank comes first, on entries that the candidates have not seen, and the search ends two ranks after it.
    @Test func findsTheRank() throws {
        let model = Model(rows: 150, columns: 120, rank: 3, condition: 2, seed: 1)
        let problem = try completion(model, probability: 0.3, noise: 1e-4)
        let candidates = try RankSelection<Double>(seed: 2).candidates(problem)
        #expect(candidates[0].rank == 3, "\(candidates)")
        #expect(candidates[0].error < 0.3 * candidates.last!.error)
        #expect(candidates.map(\.rank).max()! <= 8)
        let (training, heldOut) = problem.holdingOut(share: 0.1, seed: 2)
        #expect(training.count + heldOut.count == problem.count)
        // A tenth, within five deviations.
        #expect(abs(Double(heldOut.count) - 0.1 * Double(problem.count)) < 5 * (0.09 * Double(problem.count)).squareRoot())
        let both = Set((0..<150).flatMap { i in training.byRows.row(i).map { [i, $0.column] } })
        let unseen = (0..<150).allSatisfy { i in heldOut.byRows.row(i).allSatisfy { !both.contains([i, $0.column]) } }
        #expect(unseen)
    }

    /// The start has the scale of the matrix: P_Ω(M)/p is M in the mean.
    @Test func spectralStartHasTheScale() throws {
        let model = Model(rows: 300, columns: 250, rank: 2, seed: 3)
        let start = try completion(model, probability: 0.5).spectralStart(rank: 2)
        let error = model.relativeError(of: start)
        #expect(error < 0.25, "\(error)")
        let norms = try SVD<Double>.singularValues(of: start.product).prefix(2)
        #expect(norms.allSatisfy { abs($0 - 1) < 0.15 }, "\(norms)")
    }

    /// One observation that outweighs all others takes a singular vector for itself, and is clipped from the start.
    @Test func spectralStartClipsASpike() throws {
        let model = Model(rows: 100, columns: 80, rank: 2, seed: 4)
        let observations = model.observations(probability: 0.5).map {
            $0.row == 7 && $0.column < 4 ? SparseMatrix<Double>.Triplet(row: 7, column: $0.column, value: 1000) : $0
        }
        let start = try Completion(rows: 100, columns: 80, observations: observations).spectralStart(rank: 2)
        #expect(start.left[7, 0] == 0 && start.left.column(0).contains { $0 != 0 }, "\(start.left[7, 0])")
    }
}
