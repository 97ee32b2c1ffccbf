import Foundation
import Kernels
import LinearAlgebra
import Testing

@Suite struct SparseMatrixTests {
    /// A sparse matrix with about a third of its elements set, some rows empty, and the same one dense.
    static func sample<S: KernelScalar>(_ rows: Int, _ columns: Int, _ seed: UInt64, _: S.Type) -> (SparseMatrix<S>, Matrix<S>) {
        var random = TestRandom(seed)
        var dense = Matrix<S>.zeros(rows: rows, columns: columns)
        for i in 0..<rows where i % 5 != 3 {
            for j in 0..<columns where random.next() % 3 == 0 { dense[i, j] = random.scalar() }
        }
        return (SparseMatrix(dense), dense)
    }

    @Test(arguments: shapes, Precision.allCases) func productsAgreeWithDense(_ shape: (Int, Int), _ precision: Precision) {
        func body<S: KernelScalar>(_: S.Type) {
            let (sparse, dense) = Self.sample(shape.0, shape.1, 91, S.self)
            var random = TestRandom(92)
            let bound = Double(shape.0 + shape.1 + 2) * eps(S.self) * 2
            #expect(sparse.dense() == dense && sparse.transposed().dense() == dense.transposed())
            #expect(sparse.transposed().transposed() == sparse)
            #expect(sparse.diagonal == dense.diagonal)
            let x: [S] = random.vector(shape.1), z: [S] = random.vector(shape.0), b: Matrix<S> = random.matrix(shape.1, 6)
            #expect(distance(sparse * x, naive(dense, x)) <= bound)
            #expect(distance(sparse.applyAdjoint(z), naive(dense.transposed(), z)) <= bound)
            #expect(distance(sparse * b, naive(dense, b)) <= bound)
            #expect((sparse * Matrix<S>.zeros(rows: shape.1, columns: 0)).rows == shape.0)
            let (other, otherDense) = Self.sample(shape.0, shape.1, 93, S.self)
            #expect((sparse + other).dense() == dense + otherDense)
            #expect((sparse - other).dense() == dense - otherDense)
            #expect((2 * sparse).dense() == 2 * dense)
            #expect(sparse.adding(other, scale: 0.5).dense() == dense + 0.5 * otherDense)
        }
        body(precision.type)
    }

    @Test func tripletsAreSortedAndSummed() throws {
        let a = try SparseMatrix<Double>(rows: 3, columns: 4, triplets: [
            .init(row: 2, column: 3, value: 1), .init(row: 0, column: 2, value: 2), .init(row: 2, column: 0, value: 3),
            .init(row: 2, column: 3, value: 10), .init(row: 0, column: 2, value: -2), .init(row: 0, column: 1, value: 5),
        ])
        #expect(a.rowOffsets == [0, 2, 2, 4] && a.columnIndices == [1, 2, 0, 3] && a.values == [5, 0, 3, 11])
        #expect(a[2, 3] == 11 && a[1, 1] == 0 && a[0, 2] == 0 && a[0, 1] == 5)
        #expect(a.row(2).map(\.column) == [0, 3] && a.row(1).isEmpty)
        #expect(a.description == "3×4 sparse matrix with 4 entries")
        #expect(try SparseMatrix<Float>(rows: 0, columns: 0, triplets: []).rowOffsets == [0])
    }

    @Test func tripletOutside() {
        for (i, j) in [(2, 0), (-1, 0), (0, 3), (0, -1)] {
            #expect(throws: LinearAlgebraError.indexOutOfRange(row: i, column: j, rows: 2, columns: 3)) {
                try SparseMatrix<Double>(rows: 2, columns: 3, triplets: [.init(row: i, column: j, value: 1)])
            }
        }
    }

    @Test func duplicatesAreAddedInTheOrderGiven() throws {
        // In this order the 1 is lost; in the reverse order it is kept.
        let values = [1, 1e16, -1e16]
        let a = try SparseMatrix<Double>(rows: 1, columns: 1, triplets: values.map { .init(row: 0, column: 0, value: $0) })
        #expect(a.values == [0])
    }

    @Test func rawArraysAreValidated() throws {
        func make(_ offsets: [Int], _ indices: [Int32], _ values: [Double]) throws -> SparseMatrix<Double> {
            try SparseMatrix(rows: 2, columns: 3, rowOffsets: offsets, columnIndices: indices, values: values)
        }
        #expect(try make([0, 1, 3], [2, 0, 1], [1, 2, 3]).dense() == [[0, 0, 1], [2, 3, 0]])
        #expect(throws: LinearAlgebraError.malformedRowOffsets(row: 2)) { try make([0, 1], [2], [1]) }
        #expect(throws: LinearAlgebraError.malformedRowOffsets(row: 0)) { try make([1, 1, 1], [0], [1]) }
        #expect(throws: LinearAlgebraError.malformedRowOffsets(row: 2)) { try make([0, 1, 1], [0, 1], [1, 2]) }
        #expect(throws: LinearAlgebraError.malformedRowOffsets(row: 0)) { try make([0, 2, 1], [0], [1]) }
        #expect(throws: LinearAlgebraError.malformedRowOffsets(row: 1)) {
            try SparseMatrix<Double>(rows: 3, columns: 3, rowOffsets: [0, 2, 1, 3], columnIndices: [0, 1, 2], values: [1, 2, 3])
        }
        #expect(throws: LinearAlgebraError.malformedRowOffsets(row: 0)) { try make([0, 9, 1], [0], [1]) }
        #expect(throws: LinearAlgebraError.malformedRowOffsets(row: 0)) { try make([0, -1, 1], [0], [1]) }
        #expect(throws: LinearAlgebraError.unequalCounts(indices: 1, values: 2)) { try make([0, 1, 1], [0], [1, 2]) }
        #expect(throws: LinearAlgebraError.indexOutOfRange(row: 1, column: 3, rows: 2, columns: 3)) { try make([0, 0, 1], [3], [1]) }
        #expect(throws: LinearAlgebraError.indexOutOfRange(row: 1, column: -1, rows: 2, columns: 3)) { try make([0, 0, 1], [-1], [1]) }
        #expect(throws: LinearAlgebraError.unsortedColumns(row: 1, column: 1)) { try make([0, 0, 2], [1, 1], [1, 2]) }
        #expect(throws: LinearAlgebraError.unsortedColumns(row: 0, column: 0)) { try make([0, 2, 2], [2, 0], [1, 2]) }
    }

    @Test func codableRoundTripAndMalformedData() throws {
        let (a, _) = Self.sample(7, 5, 94, Double.self)
        #expect(try JSONDecoder().decode(SparseMatrix<Double>.self, from: JSONEncoder().encode(a)) == a)
        for text in [#"{"rows":1,"columns":1,"rowOffsets":[0,1],"columnIndices":[4],"values":[1]}"#,
                     #"{"rows":-1,"columns":1,"rowOffsets":[],"columnIndices":[],"values":[]}"#,
                     #"{"rows":1,"columns":99999999999,"rowOffsets":[0,0],"columnIndices":[],"values":[]}"#] {
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(SparseMatrix<Double>.self, from: Data(text.utf8)) }
        }
    }

    @Test(arguments: Precision.allCases) func sameBitsForAnyThreadCount(_ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            // Large enough to be split, with one row much heavier than the others and many empty ones.
            var random = TestRandom(95)
            let n = 40_000
            var triplets = (0..<150_000).map { _ in
                SparseMatrix<S>.Triplet(row: Int(random.next() % UInt64(n / 2)) * 2, column: Int(random.next() % UInt64(n)), value: random.scalar())
            }
            triplets += (0..<n).map { .init(row: 77, column: $0, value: random.scalar()) }
            let a = try SparseMatrix(rows: n, columns: n, triplets: triplets)
            let x: [S] = random.vector(n), b: Matrix<S> = random.matrix(n, 3)
            let before = Threads.count
            defer { Threads.count = before }
            var results: [[S]] = [], products: [Matrix<S>] = []
            for count in [1, 2, 7] {
                Threads.count = count
                results.append(a * x)
                products.append(a * b)
            }
            #expect(results[1] == results[0] && results[2] == results[0])
            #expect(products[1] == products[0] && products[2] == products[0])
            // The other route: scatter by the transpose.
            #expect(distance(a.transposed().applyAdjoint(x), results[0]) <= 1000 * eps(S.self))
        }
        try body(precision.type)
    }

    @Test func identityAndDiagonal() {
        #expect(SparseMatrix<Double>.identity(3).dense() == .identity(3))
        #expect(SparseMatrix<Double>.diagonal([1, 0, 2]).dense() == .diagonal([1, 0, 2]))
        #expect(SparseMatrix<Double>.identity(0).rows == 0)
    }
}
