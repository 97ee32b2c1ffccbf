import Objectives
import Testing

/// Misuse ends the process, in optimised builds too, where a missing check would read outside an array.
@Suite struct MisuseTests {
    @Test func wrongDimension() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let point = [1.0, 2]
            _ = TestProblems.Rosenbrock<Double>(dimension: 3).value(at: point.span)
        }
        let message = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
        #expect(message.contains("point has 2 elements; the objective has dimension 3"))
    }

    @Test func boundThatIsNoNumber() async {
        await #expect(processExitsWith: .failure) { _ = Bounds<Double>(lower: [.nan], upper: [0]) }
    }

    @Test func negativeTolerance() async {
        await #expect(processExitsWith: .failure) { _ = StoppingCriterion.gradientNorm(atMost: -1e-8) }
    }

    @Test func termOutsideTheSum() async {
        await #expect(processExitsWith: .failure) {
            let x = [0.3, -0.7, 0.2], terms = [40]
            _ = ProtocolTests.regression.value(at: x.span, terms: terms.span)
        }
    }
}
