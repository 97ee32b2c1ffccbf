import Objectives
import Testing

@Suite struct MultiObjectiveTests {
    func values(_ problem: some MultiObjective<Double>, _ points: [Double]) -> [Double] {
        var result = [Double](repeating: .nan, count: points.count / problem.dimension * problem.objectiveCount)
        var span = result.mutableSpan
        problem.evaluate(points: points.span, into: &span)
        return result
    }

    func isClose(_ a: [Double], _ b: [Double], tolerance: Double = 1e-13) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
    }

    @Test(arguments: [
        (TestProblems.ZDT<Double>.Variant.zdt1, [0.3, 2.6464346247147263]), (.zdt2, [0.3, 3.675675675675676]),
        (.zdt3, [0.3, 2.6464346247147263]), (.zdt4, [0.3, 47.617443579552855]), (.zdt6, [0.9875789378882274, 7.533432279621859]),
    ]) func zdtAtTheCheckPoint(_ variant: TestProblems.ZDT<Double>.Variant, _ expected: [Double]) {
        let found = values(TestProblems.ZDT(variant, dimension: 6), [0.3, 0.1, 0.2, 0.3, 0.4, 0.5])
        #expect(isClose(found, expected), "\(found)")
    }

    @Test(arguments: [
        (TestProblems.DTLZ<Double>.Variant.dtlz1, [2.79, 1.86, 10.85]),
        (.dtlz2, [0.6808366429985893, 0.937091246217545, 0.5901876496614108]),
        (.dtlz3, [16.23533533304327, 22.346022025187597, 14.07370549192594]), (.dtlz4, [1.3, 0, 0]),
        (.dtlz5, [0.7888264452312149, 0.8481930072165329, 0.5901876496614108]),
        (.dtlz6, [2.9284301361540916, 3.792559717665714, 2.441430537827182]), (.dtlz7, [0.3, 0.6, 13.459966053063]),
    ]) func dtlzAtTheCheckPoint(_ variant: TestProblems.DTLZ<Double>.Variant, _ expected: [Double]) {
        let found = values(TestProblems.DTLZ(variant, dimension: 7), [0.3, 0.6, 0.1, 0.2, 0.3, 0.4, 0.5])
        #expect(isClose(found, expected), "\(found)")
        if variant == .dtlz4 {
            // 1.3 · sin(π/2 · 0.6¹⁰⁰) and 1.3 · sin(π/2 · 0.3¹⁰⁰), to the digits published.
            #expect(abs(found[1] / 1.33e-22 - 1) < 0.01 && abs(found[2] / 1.05e-52 - 1) < 0.01)
        }
    }

    @Test func frontsHaveTheirShape() {
        for x in stride(from: 0.0, through: 1, by: 0.125) {
            let tail = Array(repeating: 0.0, count: 5)
            #expect(isClose(values(TestProblems.ZDT(.zdt1, dimension: 6), [x] + tail), [x, 1 - x.squareRoot()]))
            #expect(isClose(values(TestProblems.ZDT(.zdt2, dimension: 6), [x] + tail), [x, 1 - x * x]))
            #expect(isClose(values(TestProblems.ZDT(.zdt4, dimension: 6), [x] + tail), [x, 1 - x.squareRoot()], tolerance: 1e-12))
            let six = values(TestProblems.ZDT(.zdt6, dimension: 6), [x] + tail)
            #expect(abs(six[1] - (1 - six[0] * six[0])) < 1e-14)
            let middle = [x, 0.7, 0.2] + Array(repeating: 0.5, count: 4)
            let plane = values(TestProblems.DTLZ(.dtlz1, objectives: 4, dimension: 7), middle)
            #expect(abs(plane.reduce(0, +) - 0.5) < 1e-14)
            for variant in [TestProblems.DTLZ<Double>.Variant.dtlz2, .dtlz3, .dtlz4, .dtlz5] {
                let sphere = values(TestProblems.DTLZ(variant, objectives: 4, dimension: 7), middle)
                #expect(abs(sphere.reduce(0) { $0 + $1 * $1 } - 1) < 1e-13)
            }
        }
        let edge = values(TestProblems.ZDT(.zdt6), [0.0814577968799836] + Array(repeating: 0.0, count: 9))
        #expect(abs(edge[0] - 0.2807753188153697) < 1e-14)
        let piece = values(TestProblems.ZDT(.zdt3), [0.2577623633878] + Array(repeating: 0.0, count: 29))
        #expect(abs(piece[1] - 0.2421610854768) < 1e-11)
    }

    @Test func aBatchIsItsPoints() {
        let problem = TestProblems.DTLZ<Double>(.dtlz3, dimension: 4), a = [0.1, 0.9, 0.3, 0.4], b = [0.7, 0.2, 0.8, 0.6]
        #expect(values(problem, a + b) == values(problem, a) + values(problem, b))
        #expect(values(problem, []).isEmpty)
        #expect(TestProblems.ZDT<Float>(.zdt4).bounds.lower[1] == -5)
        #expect(TestProblems.DTLZ<Float>(.dtlz7).dimension == 22)
    }
}
