import Datasets
import LinearAlgebra
import Testing

@Suite struct CSVTests {
    func read(_ text: String, _ header: CSV.Header = .detected) throws -> CSVTable { try CSV.read(Array(text.utf8), header: header) }

    @Test func quotesAndLineEnds() throws {
        let table = try read("a,\"b \"\"x\"\"\",\"c\nd\"\r\n1,\" 2\",\"\"\r\n\n3,4,5", .present)
        #expect(table.names == ["a", "b \"x\"", "c\nd"])
        #expect(table.rows == 2)
        #expect(table.columns == 3)
        #expect(table[0, 1] == " 2")
        #expect(table.column(2) == ["", "5"])
        #expect(table.column(named: "a") == 0)
        #expect(try table.matrix(columns: [1, 0], as: Double.self).matrix == Matrix(rows: 2, columns: 2, elements: [2, 1, 4, 3]))
    }

    @Test func headerDetection() throws {
        #expect(try read("x,y\n1,2").names == ["x", "y"])
        #expect(try read("1,2\n3,4").names == nil)
        #expect(try read("a,b\nc,d").names == nil)
        #expect(try read("x,1\n1,2").names == nil)
        #expect(try read("x,y\n1,2", .absent).rows == 2)
        #expect(try read("").rows == 0)
        #expect(try read("", .present).names == nil)
        #expect(try CSV.read([0xEF, 0xBB, 0xBF] + Array("x\n1".utf8)).names == ["x"])
        #expect(try CSV.read(Array("1;2".utf8), separator: ";").columns == 2)
    }

    @Test func missingValues() throws {
        let table = try read("x,y\n1,2\nNA,3\n4,?\n5,6")
        let error = failure { try table.matrix(as: Double.self) }
        #expect(error?.position == .line(3, column: 1))
        #expect(error?.found == "'NA'")
        let dropped = try table.matrix(missing: .dropRecord, as: Double.self)
        #expect(dropped.matrix == Matrix(rows: 2, columns: 2, elements: [1, 2, 5, 6]))
        #expect(dropped.records == [0, 3])
        let kept = try table.matrix(missing: .nan, as: Double.self).matrix
        #expect(kept.rows == 4 && kept[1, 0].isNaN && kept[1, 1] == 3 && kept[2, 1].isNaN)
        #expect(failure { try table.matrix(missing: .nan, marks: ["?"], as: Double.self) }?.position == .line(3, column: 1))
    }

    @Test func errorsSayWhere() {
        #expect(failure { try read("x,y\n1,2\n3\n") }?.position == .line(3, column: 1))
        #expect(failure { try read("x,y\n1,\"2\n3\n") }?.position == .line(2, column: 2))
        #expect(failure { try read("x,y\n1,2\"\n") }?.position == .line(2, column: 2))
        #expect(failure { try read("\"x\"y\n") }?.expected == "a separator after the closing quote")
        #expect(failure { try CSV.read([0x61, 0xFF]) }?.expected == "UTF-8 text")
        #expect(failure { try read("x\n\"a\nb\"\ninf\n", .present).matrix(as: Double.self) }?.position == .line(2, column: 1))
        #expect(failure { try read("1\ninf\n", .absent).matrix(as: Double.self) }?.position == .line(2, column: 1))
        #expect(failure { try read("1e300", .absent).matrix(as: Float.self) }?.found == "'1e300'")
    }
}

@Suite struct LIBSVMTests {
    func read(_ text: String, indexBase: Int = 1, columns: Int? = nil) throws -> (features: SparseMatrix<Double>, labels: [Double]) {
        try LIBSVM.read(Array(text.utf8), indexBase: indexBase, columns: columns)
    }

    @Test func reads() throws {
        let (features, labels) = try read("+1 1:0.5 3:-2 # note 9:9\n\n-1\n0 2:1e-3\r\n")
        #expect(labels == [1, -1, 0])
        #expect(features.rows == 3 && features.columns == 3)
        #expect(features.rowOffsets == [0, 2, 2, 3])
        #expect(features.columnIndices == [0, 2, 1])
        #expect(features.values == [0.5, -2, 1e-3])
        #expect(try read("1 1:1", columns: 4).features.columns == 4)
        #expect(try read("1 0:7", indexBase: 0).features[0, 0] == 7)
        #expect(try read("").features.rows == 0)
        #expect(try read("1 2147483647:1").features.columns == 2_147_483_647)
    }

    @Test func errorsSayWhere() {
        #expect(failure { try read("1 1:1\n2 1:1 x\n") }?.position == .line(2, column: 7))
        #expect(failure { try read("1 2:1 2:1") }?.position == .line(1, column: 7))
        #expect(failure { try read("1 0:1") }?.expected == "index:value with an index from 1 on")
        #expect(failure { try read("1 3:1", columns: 2) }?.expected == "an index for 2 columns")
        #expect(failure { try read("one 3:1") }?.found == "'one'")
        #expect(failure { try read("1 1:nan") }?.found == "'1:nan'")
        #expect(failure { try read("1 2147483648:1") }?.expected == "an index for 2147483647 columns")
        #expect(failure { try read("1 9223372036854775807:1", indexBase: -1) } != nil)
        #expect(failure { try read("1 99999999999999999999:1") } != nil)
        #expect(failure { try LIBSVM.read(Array("1 1:1e300".utf8), as: Float.self) } != nil)
    }
}
