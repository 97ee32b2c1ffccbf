import Kernels
import Synchronization
import Testing

@Suite struct ThreadsTests {
    @Test(arguments: [0, 1, 2, 7, 1000]) func everyIterationRunsOnce(_ iterations: Int) {
        let runs = Mutex([Int: Int]())
        concurrentPerform(iterations: iterations) { i in runs.withLock { $0[i, default: 0] += 1 } }
        let seen = runs.withLock { $0 }
        #expect(seen.count == iterations && seen.values.allSatisfy { $0 == 1 })
        #expect(Set(seen.keys) == Set(0..<iterations))
    }

    @Test(arguments: [(0, 3), (1, 3), (9, 3), (10, 3), (10, 100)]) func blocksCoverTheSpanOnce(_ count: Int, _ length: Int) {
        var values = [Int](repeating: 0, count: count)
        var span = values.mutableSpan
        concurrentBlocks(of: &span, blockLength: length) { block, part in
            for i in 0..<part.count { part[i] += block * length + i + 1 }
        }
        #expect(values == Array(1..<count + 1))
    }

    @Test(arguments: [(0, 3), (1, 3), (9, 3), (10, 3), (10, 100)]) func blocksOfTwoSpansGoTogether(_ count: Int, _ length: Int) {
        var first = [Int](repeating: 0, count: count), second = [Int](repeating: 0, count: 2 * count)
        var span = first.mutableSpan, other = second.mutableSpan
        concurrentBlocks(of: &span, blockLength: length, and: &other, blockLength: 2 * length) { block, part, wide in
            for i in 0..<part.count { part[i] += block * length + i + 1 }
            for i in 0..<wide.count { wide[i] += 2 * block * length + i + 1 }
        }
        #expect(first == Array(1..<count + 1) && second == Array(1..<2 * count + 1))
    }

    /// A region inside a region runs on its caller's thread, and the mark is gone afterwards.
    @Test func regionsDoNotNest() {
        let inner = Atomic<Int>(0)
        concurrentPerform(iterations: 4) { _ in
            concurrentPerform(iterations: 3) { _ in inner.wrappingAdd(1, ordering: .relaxed) }
        }
        #expect(inner.load(ordering: .relaxed) == 12)
        #expect(!Threads.isInsideParallelRegion)
    }

    @Test func misuseNamesItsNumbers() async {
        let count = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { Threads.count = 0 }
        #expect(message(of: count).contains("thread count is 0"))
        let blocks = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var values = [1, 2, 3], others = [1, 2, 3]
            var span = values.mutableSpan, other = others.mutableSpan
            concurrentBlocks(of: &span, blockLength: 1, and: &other, blockLength: 2) { _, _, _ in }
        }
        #expect(message(of: blocks).contains("3 and 3 elements in blocks of 1 and 2; expected as many blocks"))
        let length = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var values = [1]
            var span = values.mutableSpan
            concurrentBlocks(of: &span, blockLength: 0) { _, _ in }
        }
        #expect(message(of: length).contains("block length is 0"))
    }
}
