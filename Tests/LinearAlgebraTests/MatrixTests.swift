import Kernels
import Foundation
import LinearAlgebra
import Testing

@Suite struct MatrixTests {
    @Test func constructionAgrees() {
        let rows: Matrix<Double> = [[1, 2, 3], [4, 5, 6]]
        #expect(rows == Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6]))
        #expect(rows == Matrix(rows: 2, columns: 3) { Double(3 * $0 + $1 + 1) })
        #expect(rows == Matrix(rows: [[1, 2, 3], [4, 5, 6]]))
        #expect(Matrix<Float>.identity(3) == [[1, 0, 0], [0, 1, 0], [0, 0, 1]])
        #expect(Matrix<Float>.diagonal([2, 3]) == [[2, 0], [0, 3]])
        #expect(Matrix<Float>.zeros(rows: 1, columns: 2) == [[0, 0]])
        let empty: Matrix<Double> = []
        #expect(empty.rows == 0 && empty.columns == 0 && empty.isEmpty)
    }

    @Test func accessAndMutation() {
        var a: Matrix<Double> = [[1, 2, 3], [4, 5, 6]]
        #expect(a[1, 0] == 4 && a.column(1) == [2, 5] && a.diagonal == [1, 5])
        let fixed = a
        let row = fixed.row(1)
        #expect(row.count == 3 && row[2] == 6)
        a[0, 2] = 9
        a.elements[0] = 7
        var last = a.mutableRow(1)
        last[1] = 8
        #expect(a == [[7, 2, 9], [4, 8, 6]])
        #expect(a.map { Float($0) } == ([[7, 2, 9], [4, 8, 6]] as Matrix<Float>))
        #expect(a.submatrix(rows: 0..<2, columns: 1..<3) == [[2, 9], [8, 6]])
        #expect(a.submatrix(rows: 1..<1, columns: 0..<3).columns == 3)
        let narrow = Matrix<Double>.zeros(rows: 3, columns: 0)
        #expect(narrow.row(2).count == 0)
    }

    @Test(arguments: shapes + [(100, 257), (17, 15)]) func transposition(_ rows: Int, _ columns: Int) {
        var random = TestRandom(1)
        let a: Matrix<Float> = random.matrix(rows, columns)
        let t = a.transposed()
        #expect(t == Matrix(rows: columns, columns: rows) { a[$1, $0] })
        #expect(t.transposed() == a)
    }

    @Test(arguments: Precision.allCases) func arithmetic(_ precision: Precision) {
        func body<S: KernelScalar>(_: S.Type) {
            let a: Matrix<S> = [[1, -2], [3, 4]], b: Matrix<S> = [[5, 6], [-7, 8]]
            #expect(a + b == [[6, 4], [-4, 12]])
            #expect(a - b == [[-4, -8], [10, -4]])
            #expect(-a == [[-1, 2], [-3, -4]])
            #expect(2 * a == [[2, -4], [6, 8]])
            #expect(a.multipliedElementwise(by: b) == [[5, -12], [-21, 32]])
            var c = a
            c.add(b, scale: 3)
            #expect(c == [[16, 16], [-18, 28]])
        }
        body(precision.type)
    }

    @Test func codableRoundTripAndMalformedData() throws {
        let a: Matrix<Double> = [[1, 2], [3, 4], [5, 6]]
        let data = try JSONEncoder().encode(a)
        #expect(try JSONDecoder().decode(Matrix<Double>.self, from: data) == a)
        for text in [#"{"rows":2,"columns":2,"elements":[1,2,3]}"#, #"{"rows":-1,"columns":-1,"elements":[1]}"#,
                     #"{"rows":4611686018427387904,"columns":4,"elements":[]}"#, #"{"rows":0,"columns":-3,"elements":[]}"#] {
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(Matrix<Double>.self, from: Data(text.utf8)) }
        }
    }

    @Test func descriptions() {
        #expect(([[1, 2], [3, 4]] as Matrix<Double>).description == "2×2 matrix [[1.0, 2.0], [3.0, 4.0]]")
        #expect(Matrix<Float>.zeros(rows: 17, columns: 2).description == "17×2 matrix")
    }

    @Test func viewsAreStrided() {
        let buffer: [Double] = [1, 2, .nan, 3, 4, .nan, 5, 6]
        let view = MatrixView(buffer.span, rows: 3, columns: 2, rowStride: 3)
        #expect(view[2, 1] == 6 && view.row(1)[0] == 3)
        #expect(Matrix(view) == [[1, 2], [3, 4], [5, 6]])
        #expect(Matrix(view.submatrix(rows: 1..<3, columns: 1..<2)) == [[4], [6]])
        let empty = view.submatrix(rows: 3..<3, columns: 0..<2)
        #expect(empty.rows == 0 && Matrix(empty).columns == 2)
        let a: Matrix<Double> = [[1, 2], [3, 4]]
        #expect(Matrix(a.view) == a)
    }

    @Test func misuseEndsWithAMessage() async {
        await #expect(processExitsWith: .failure) { _ = Matrix<Double>(rows: 2, columns: 2, elements: [1]) }
        await #expect(processExitsWith: .failure) {
            let a = Matrix<Double>.zeros(rows: 2, columns: 3)
            print(a[0, 3])
        }
        await #expect(processExitsWith: .failure) {
            _ = Matrix<Double>.zeros(rows: 2, columns: 3) * Matrix<Double>.zeros(rows: 2, columns: 3)
        }
        await #expect(processExitsWith: .failure) {
            var a = Matrix<Double>.zeros(rows: 2, columns: 3)
            a.elements.append(1)
        }
        await #expect(processExitsWith: .failure) {
            _ = try Cholesky(Matrix<Double>.zeros(rows: 2, columns: 3))
        }
    }
}
