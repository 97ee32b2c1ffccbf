import Foundation
import Reproductions
import Testing

@Suite struct ReproductionTests {
    @Test(arguments: Reproduction.all.map(\.slug)) func quickFormPasses(_ slug: String) throws {
        let reproduction = try #require(Reproduction.all.first { $0.slug == slug })
        let report = try reproduction.report(quick: true)
        for check in report.checks { #expect(check.passed, "\(check.name): \(check.measured)") }
        #expect(!report.checks.isEmpty)
        #expect(report.passed && report.slug == slug && report.quick)
    }

    @Test func tourPasses() throws {
        var fractions: [Double] = []
        let report = try Reproduction.tour.report(quick: true) { fraction, _ in fractions.append(fraction) }
        #expect(report.passed, "\(report.text)")
        #expect(report.tables.count == 6)
        #expect(fractions == fractions.sorted() && fractions.allSatisfy { (0...1).contains($0) })
    }

    /// The same seed gives the same measurements; another one does not.
    @Test func seedDecidesTheMeasurements() throws {
        func measured(_ seed: UInt64) throws -> [Double] {
            try Reproduction.all[0].report(seed: seed, quick: true).checks.map(\.measured)
        }
        #expect(try measured(3) == measured(3))
        #expect(try measured(3) != measured(4))
    }
}

@Suite struct PaperTests {
    @Test func everyPaperIsListedOnce() {
        #expect(Paper.all.count == 45)
        #expect(Set(Paper.all.map(\.slug)).count == 45)
        #expect(Paper.all.map(\.slug) == Paper.all.map(\.slug).sorted())
    }

    /// `works` and `partial` are promises that a reproduction keeps.
    @Test func statusAgreesWithTheReproductions() {
        let begun = Paper.all.filter { $0.status != .planned }.map(\.slug)
        #expect(begun == Reproduction.all.map(\.slug))
    }
}

@Suite struct CheckTests {
    @Test func relationsHoldAsTheySay() {
        #expect(Check("", 1, .atMost, 1, source: "").passed)
        #expect(!Check("", 1.1, .atMost, 1, source: "").passed)
        #expect(Check("", 1, .atLeast, 1, source: "").passed)
        #expect(!Check("", 0.9, .atLeast, 1, source: "").passed)
        #expect(Check("", 1, .equal, 1, source: "").passed)
        #expect(!Check("", 1.0000001, .equal, 1, source: "").passed)
    }

    @Test(arguments: [Check.Relation.atMost, .atLeast, .equal]) func notANumberNeverPasses(_ relation: Check.Relation) {
        #expect(!Check("", .nan, relation, 1, source: "").passed)
    }

    @Test func reportsGoThroughJSON() throws {
        let report = try Reproduction.all[0].report(quick: true)
        let data = try JSONEncoder().encode(report)
        let again = try JSONDecoder().decode(Report.self, from: data)
        #expect(again.checks == report.checks && again.tables == report.tables && again.figures == report.figures)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(Set(object.keys) == ["slug", "title", "claim", "seed", "quick", "seconds", "checks", "tables", "figures"])
        let check = try #require((object["checks"] as? [[String: Any]])?.first)
        #expect(Set(check.keys) == ["name", "measured", "relation", "target", "source", "passed"])
        // NaN, which JSON cannot write, is null and stays a failure.
        let missing = try JSONDecoder().decode(Check.self, from: JSONEncoder().encode(Check("n", .nan, .atMost, 1, source: "s")))
        #expect(missing.measured.isNaN && !missing.passed)
    }
}

@Suite struct LayoutTests {
    @Test func columnsAreAligned() {
        var table = Table("T", columns: ["a", "bb"])
        table.append("long", "1")
        #expect(table.text == """
            T
            --------
            a     bb
            --------
            long   1
            """)
    }

    @Test func pageHoldsTablesChecksAndFigures() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("descent-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let report = try Reproduction.all[0].report(quick: true)
        let drawn = try HTMLReport([report]).write(to: folder)
        let page = try String(contentsOf: folder.appendingPathComponent("index.html"), encoding: .utf8)
        #expect(page.hasPrefix("<!doctype html>"))
        for check in report.checks { #expect(page.contains(escaped(check.name))) }
        for table in report.tables { #expect(page.contains(escaped(table.title))) }
        // With gnuplot the figure is in the page; without it the page says where data and script are.
        #expect(page.contains(drawn ? "<svg" : "gnuplot is not installed"))
        #expect(page.contains("http") == page.contains("http://www.w3.org"), "only the SVG name space may be named")
        for kind in ["tsv", "gp"] {
            #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent("\(report.slug)-1.\(kind)").path))
        }
    }

    private func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;")
    }
}
