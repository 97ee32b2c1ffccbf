import Foundation
import Kernels
import Randomness
import Testing

@Suite struct StreamTests {
    @Test func positionsFollowTheTable() {
        var stream = RandomStream(seed: 1)
        func used(_ draw: (inout RandomStream) -> Void) -> UInt64 {
            let before = stream.position
            draw(&stream)
            return stream.position - before
        }
        #expect(used { _ = $0.next() } == 1)
        #expect(used { _ = $0.nextUInt64() } == 1)
        #expect(used { _ = $0.split() } == 1)
        #expect(used { _ = $0.substream(4) } == 0)
        for (count, quarter, half) in [(0, 0, 0), (1, 1, 1), (2, 1, 1), (3, 1, 2), (4, 1, 2), (5, 2, 3), (9, 3, 5)] as [(Int, UInt64, UInt64)] {
            #expect(used { _ = $0.uniform(count: count) as [Float] } == quarter)
            #expect(used { _ = $0.normal(count: count) as [Float] } == quarter)
            #expect(used { _ = $0.uniform(count: count) as [Double] } == half)
            #expect(used { _ = $0.normal(count: count) as [Double] } == half)
        }
        #expect(used { _ = $0.rademacher(count: 128) as [Float] } == 1)
        #expect(used { _ = $0.rademacher(count: 129) as [Double] } == 2)
        #expect(used { _ = $0.permutation(of: 100) } == 99)
        #expect(used { _ = $0.sample(10, of: 100) } == 10)
    }

    @Test func advancingSkipsWhatDrawingWouldUse() {
        var drawn = RandomStream(seed: 5, stream: 9), skipped = drawn
        _ = drawn.uniform(count: 1000) as [Float]
        skipped.advance(by: 250)
        #expect(drawn == skipped)
        #expect(drawn.next() == skipped.next())
        skipped.advance(by: 0 &- 251) // back to the beginning
        #expect(skipped == RandomStream(seed: 5, stream: 9))
    }

    @Test func aCopyRepeatsAndAnotherSeedDoesNot() {
        var a = RandomStream(seed: 1), b = a
        for _ in 0..<10 { #expect(a.next() == b.next()) }
        var c = RandomStream(seed: 2), d = RandomStream(seed: 1, stream: 1), e = RandomStream(seed: 1)
        let first = [c.next(), d.next(), e.next()]
        #expect(Set(first).count == 3)
    }

    @Test func codingKeepsThePlace() throws {
        var stream = RandomStream(seed: .max, stream: 1 << 63)
        _ = stream.normal(count: 7) as [Double]
        var decoded = try JSONDecoder().decode(RandomStream.self, from: JSONEncoder().encode(stream))
        #expect(decoded == stream && decoded.hashValue == stream.hashValue)
        #expect(decoded.next() == stream.next())
    }

    @Test func childrenDependOnTheLabelAlone() {
        var stream = RandomStream(seed: 11)
        let child = stream.substream(3)
        _ = stream.next()
        #expect(stream.substream(3) == child)
        #expect(RandomStream(seed: 11, stream: 1).substream(3) != child)
        #expect(Set((0..<1000).map { stream.substream($0) }).count == 1000)
    }

    @Test func splitUsesItsBlock() {
        var stream = RandomStream(seed: 11)
        let children = Set((0..<100).map { _ in stream.split() })
        #expect(children.count == 100)
        #expect(stream.position == 100)
        #expect(!children.contains(stream))
    }

    @Test func shufflesArePermutations() {
        var stream = RandomStream(seed: 12)
        for count in [0, 1, 2, 3, 100] {
            let order = stream.permutation(of: count)
            #expect(order.sorted() == Array(0..<count))
            #expect(count < 100 || order != order.sorted())
        }
    }

    @Test func aSampleIsTheBeginningOfAPermutation() {
        for (count, population) in [(0, 0), (0, 5), (1, 1), (3, 7), (7, 7), (50, 1000)] {
            var a = RandomStream(seed: 13), b = a
            #expect(a.sample(count, of: population) == Array(b.permutation(of: population).prefix(count)))
        }
        var stream = RandomStream(seed: 14)
        let few = stream.sample(1000, of: .max) // needs no array of the population
        #expect(Set(few).count == 1000)
    }

    @Test func integersReachBothEnds() {
        var stream = RandomStream(seed: 15)
        #expect(stream.integer(in: 5..<6) == 5)
        #expect(Set((0..<200).map { _ in stream.integer(in: -1..<2) }) == [-1, 0, 1])
        let wide = (0..<200).map { _ in stream.integer(in: .min ..< .max) }
        #expect(wide.contains { $0 < 0 } && wide.contains { $0 > 0 })
    }

    /// The standard library's algorithms take the stream as their generator.
    @Test func isAGenerator() {
        var a = RandomStream(seed: 16), b = a
        for _ in 0..<20 { #expect(Double.random(in: 0..<1, using: &a) == Double.random(in: 0..<1, using: &b)) }
        #expect(Array(0..<50).shuffled(using: &a) != Array(0..<50))
    }

    @Test func misuseEndsTheProcessWithBothNumbers() async {
        func saysBoth(_ result: ExitTest.Result?, _ text: String) -> Bool {
            String(decoding: result?.standardErrorContent ?? [], as: UTF8.self).contains(text)
        }
        let empty = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var stream = RandomStream(seed: 1)
            _ = stream.integer(in: 3..<3)
        }
        #expect(saysBoth(empty, "range 3..<3 is empty"))
        let tooMany = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var stream = RandomStream(seed: 1)
            _ = stream.sample(4, of: 3)
        }
        #expect(saysBoth(tooMany, "cannot sample 4 of 3"))
        let negative = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var stream = RandomStream(seed: 1)
            _ = stream.normal(count: 1, standardDeviation: -1) as [Float]
        }
        #expect(saysBoth(negative, "standard deviation is -1.0"))
        let count = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var stream = RandomStream(seed: 1)
            _ = stream.permutation(of: -1)
        }
        #expect(saysBoth(count, "count is -1"))
    }
}
