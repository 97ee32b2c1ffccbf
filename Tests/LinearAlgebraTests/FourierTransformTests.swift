import ComplexModule
import Kernels
import LinearAlgebra
import RealModule
import Testing

@Suite struct FourierTransformTests {
    static let lengths = [1, 2, 3, 4, 5, 7, 8, 16, 17, 30, 64, 97, 100]
    static let grids = [(1, 1), (1, 7), (7, 1), (2, 2), (4, 6), (5, 3), (16, 9)]

    /// The sum by the definition in double precision, for rows×columns data; sign −1 is forward.
    static func naiveTransform(_ x: [Complex<Double>], _ rows: Int, _ columns: Int, sign: Double = -1) -> [Complex<Double>] {
        (0..<rows * columns).map { index in
            let (k, l) = (index / columns, index % columns)
            var sum = Complex<Double>.zero
            for i in 0..<rows {
                for j in 0..<columns {
                    // Reduced exactly, so that the angle is accurate.
                    let angle = sign * 2 * .pi * (Double(i * k % rows) / Double(rows) + Double(j * l % columns) / Double(columns))
                    sum += x[i * columns + j] * Complex(.cos(angle), .sin(angle))
                }
            }
            return sum
        }
    }

    static func data<S: KernelScalar & Real>(_ count: Int, _: S.Type) -> [Complex<S>] {
        var random = TestRandom(111)
        return (0..<count).map { _ in Complex(random.scalar(), random.scalar()) }
    }

    static func distance<S: KernelScalar & Real>(_ a: [Complex<S>], _ b: [Complex<Double>]) -> Double {
        guard a.count == b.count else { return .infinity }
        return zip(a, b).map { max(abs(Double($0.real) - $1.real), abs(Double($0.imaginary) - $1.imaginary)) }.max() ?? 0
    }

    static func wide<S: KernelScalar & Real>(_ a: [Complex<S>]) -> [Complex<Double>] {
        a.map { Complex(Double($0.real), Double($0.imaginary)) }
    }

    func check<S: KernelScalar & Real>(_ plan: FourierTransform<S>, _ real: RealFourierTransform<S>, _ rows: Int, _ columns: Int) {
        let n = rows * columns
        let x = Self.data(n, S.self)
        let bound = 8 * eps(S.self) * Double(n).squareRoot() * (2 + Double.log(Double(n)))
        #expect(plan.count == n)
        let spectrum = plan.forward(x)
        #expect(Self.distance(spectrum, Self.naiveTransform(Self.wide(x), rows, columns)) <= bound)
        #expect(Self.distance(plan.inverse(x).map { $0.multiplied(by: S(n)) },
                              Self.naiveTransform(Self.wide(x), rows, columns, sign: 1)) <= bound)
        #expect(Self.distance(plan.inverse(spectrum), Self.wide(x)) <= bound)
        // Parseval: Σ|X|² = n·Σ|x|².
        let energy = Self.wide(x).reduce(0) { $0 + $1.lengthSquared }, image = Self.wide(spectrum).reduce(0) { $0 + $1.lengthSquared }
        #expect(abs(image - Double(n) * energy) <= 20 * bound * Double(n) * energy)

        // Real data: the half spectrum is that part of the whole one.
        let y = x.map(\.real)
        let half = real.forward(y)
        let whole = Self.naiveTransform(y.map { Complex(Double($0)) }, rows, columns)
        #expect(real.count == n && real.spectrumCount == rows * (columns / 2 + 1))
        let expected = (0..<real.spectrumCount).map { whole[$0 / (columns / 2 + 1) * columns + $0 % (columns / 2 + 1)] }
        #expect(Self.distance(half, expected) <= bound)
        let before = half
        #expect(LinearAlgebraTests.distance(real.inverse(half), y) <= bound)
        #expect(half == before && y == x.map(\.real))
    }

    @Test(arguments: lengths) func oneDimension(_ n: Int) {
        check(FourierTransform<Double>(length: n), RealFourierTransform<Double>(length: n), 1, n)
        check(FourierTransform<Float>(length: n), RealFourierTransform<Float>(length: n), 1, n)
    }

    @Test(arguments: grids) func twoDimensions(_ rows: Int, _ columns: Int) {
        check(FourierTransform<Double>(rows: rows, columns: columns), RealFourierTransform<Double>(rows: rows, columns: columns),
              rows, columns)
        check(FourierTransform<Float>(rows: rows, columns: columns), RealFourierTransform<Float>(rows: rows, columns: columns),
              rows, columns)
    }

    @Test func anyAlignmentAndInPlace() {
        let plan = FourierTransform<Float>(length: 60)
        let x = Self.data(60, Float.self)
        let expected = plan.forward(x)
        // An offset of one element (8 bytes) is not on FFTW's boundary of 16.
        for offset in 0..<4 {
            var buffer = [Complex<Float>](repeating: Complex(7), count: 60 + 4)
            for i in 0..<60 { buffer[offset + i] = x[i] }
            var all = buffer.mutableSpan
            var part = all._mutatingExtracting(offset..<offset + 60)
            plan.forward(&part)
            #expect(Self.distance(Array(buffer[offset..<offset + 60]), Self.wide(expected)) <= 1e-5)
            #expect(buffer[..<offset].allSatisfy { $0 == Complex(7) } && buffer[(offset + 60)...].allSatisfy { $0 == Complex(7) })
        }
    }

    @Test func reuseAndASecondPlanGiveTheSameBits() {
        let plan = FourierTransform<Double>(rows: 12, columns: 35)
        let x = Self.data(12 * 35, Double.self)
        let first = plan.forward(x)
        for _ in 0..<5 { #expect(plan.forward(x) == first) }
        #expect(FourierTransform<Double>(rows: 12, columns: 35).forward(x) == first)
    }

    @Test func sharedBetweenThreads() async {
        let x = Self.data(500, Double.self)
        let shared = FourierTransform<Double>(length: 500)
        let expected = shared.forward(x)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<20).allSatisfy { k in
                        // Plans are made and freed while others run.
                        let own = FourierTransform<Double>(length: 490 + k)
                        return own.count == 490 + k && shared.forward(x) == expected
                    }
                }
            }
            for await same in group { #expect(same) }
        }
    }
}
