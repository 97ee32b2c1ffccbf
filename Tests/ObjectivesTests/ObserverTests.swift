import Objectives
import Testing

@Suite struct ObserverTests {
    let sphere = TestProblems.Sphere<Double>(dimension: 1)

    @Test func firstAndLastCallAndAtMostTenASecond() {
        var seen: [Progress] = []
        let solution = ConstantStep().solve(sphere, from: [0], stopping: .wallTime(.milliseconds(350)) || .iterations(.max),
                                            observer: Observer { seen.append($0); return .proceed })
        #expect(solution.status == .timeLimit)
        #expect(seen.first?.iteration == 0)
        #expect(seen.last?.termination?.status == .timeLimit)
        #expect(seen.last?.iteration == solution.iterations)
        // At 0, 0.1, 0.2, 0.3 s and the end.
        #expect((3...5).contains(seen.count))
        for (a, b) in zip(seen.dropLast(), seen.dropLast().dropFirst()) { #expect(b.seconds - a.seconds >= 0.09) }
        #expect(seen.dropLast().allSatisfy { $0.termination == nil })
    }

    @Test func cancels() {
        var calls = 0
        let solution = ConstantStep().solve(sphere, from: [0], observer: Observer { _ in calls += 1; return .cancel })
        #expect(solution.status == .cancelled)
        #expect(solution.iterations == 0)
        #expect(calls == 2)
        var later = 0
        let midway = ConstantStep().solve(sphere, from: [0], stopping: .iterations(.max), observer: Observer { progress in
            later += 1
            return progress.iteration > 0 ? .cancel : .proceed
        })
        #expect(midway.status == .cancelled)
        #expect(midway.iterations > 0)
        #expect(later == 3)
    }

    @Test(arguments: [2, 7, 1000]) func traceIsBounded(_ capacity: Int) {
        let solution = ConstantStep().solve(sphere, from: [0], stopping: .iterations(777), traceCapacity: capacity)
        let records = solution.trace.records
        #expect(records.count <= capacity)
        #expect(records.count >= min(capacity / 2, 778))
        #expect(records.first?.iteration == 0)
        #expect(records.last?.iteration == 777)
        #expect(records.last?.value == 603_729.0)
        #expect(zip(records, records.dropFirst()).allSatisfy { $0.iteration < $1.iteration })
    }
}
