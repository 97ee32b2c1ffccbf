import Kernels
import LinearAlgebra
import RealModule
import Testing

@Suite struct TrigonometricTransformTests {
    enum Kind: CaseIterable, Sendable { case cosineII, cosineIII, sineI }

    /// The matrix of the unnormalised transform of length n.
    static func matrix(_ kind: Kind, _ n: Int) -> Matrix<Double> {
        Matrix(rows: n, columns: n) { k, j in
            switch kind {
            case .cosineII: 2 * .cos(.pi * Double(k * (2 * j + 1)) / Double(2 * n))
            case .cosineIII: j == 0 ? 1 : 2 * .cos(.pi * Double(j * (2 * k + 1)) / Double(2 * n))
            case .sineI: 2 * .sin(.pi * Double((j + 1) * (k + 1)) / Double(n + 1))
            }
        }
    }

    /// The orthogonal matrix, by its own formula.
    static func orthonormal(_ kind: Kind, _ n: Int) -> Matrix<Double> {
        func cosine(_ k: Int, _ j: Int) -> Double {
            (k == 0 ? 1 / Double(n) : 2 / Double(n)).squareRoot() * .cos(.pi * Double(k * (2 * j + 1)) / Double(2 * n))
        }
        return Matrix(rows: n, columns: n) { k, j in
            switch kind {
            case .cosineII: cosine(k, j)
            case .cosineIII: cosine(j, k)
            case .sineI: (2 / Double(n + 1)).squareRoot() * .sin(.pi * Double((j + 1) * (k + 1)) / Double(n + 1))
            }
        }
    }

    static func apply<S: KernelScalar>(
        _ kind: Kind, _ sizes: (Int, Int?), _ normalization: TransformNormalization, _ x: [S]
    ) -> [S] {
        switch (kind, sizes.1) {
        case (.cosineII, nil): CosineTransform(length: sizes.0, normalization: normalization).typeII(x)
        case (.cosineIII, nil): CosineTransform(length: sizes.0, normalization: normalization).typeIII(x)
        case (.sineI, nil): SineTransform(length: sizes.0, normalization: normalization).typeI(x)
        case (.cosineII, let columns?): CosineTransform(rows: sizes.0, columns: columns, normalization: normalization).typeII(x)
        case (.cosineIII, let columns?): CosineTransform(rows: sizes.0, columns: columns, normalization: normalization).typeIII(x)
        case (.sineI, let columns?): SineTransform(rows: sizes.0, columns: columns, normalization: normalization).typeI(x)
        }
    }

    @Test(arguments: Kind.allCases, [1, 2, 3, 4, 7, 8, 16, 31, 50])
    func oneDimension(_ kind: Kind, _ n: Int) {
        func body<S: KernelScalar>(_: S.Type) {
            var random = TestRandom(121)
            let x: [S] = random.vector(n)
            let wide = x.map { Double($0) }
            let bound = 10 * eps(S.self) * Double(n).squareRoot() * (2 + Double.log(Double(n)))
            #expect(distance(Self.apply(kind, (n, nil), .unnormalized, x), naive(Self.matrix(kind, n), wide)) <= 2 * bound)
            #expect(distance(Self.apply(kind, (n, nil), .orthonormal, x), naive(Self.orthonormal(kind, n), wide)) <= bound)
        }
        body(Float.self)
        body(Double.self)
    }

    @Test(arguments: Kind.allCases, [(1, 1), (1, 6), (6, 1), (2, 3), (5, 8), (9, 4)])
    func twoDimensions(_ kind: Kind, _ shape: (Int, Int)) {
        func body<S: KernelScalar>(_: S.Type) {
            let (m, n) = shape
            var random = TestRandom(122)
            let x: Matrix<S> = random.matrix(m, n)
            let bound = 20 * eps(S.self) * Double(m * n).squareRoot() * (2 + Double.log(Double(m * n)))
            for (normalization, matrix) in [(TransformNormalization.unnormalized, Self.matrix), (.orthonormal, Self.orthonormal)] {
                let exact = naive(naive(matrix(kind, m), x.double), matrix(kind, n).transposed())
                #expect(distance(Self.apply(kind, (m, n), normalization, x.elements), exact.elements) <= 4 * bound)
            }
        }
        body(Float.self)
        body(Double.self)
    }

    @Test func defaultIsOrthonormalAndInverts() {
        var random = TestRandom(123)
        let x: [Double] = random.vector(360)
        let cosine = CosineTransform<Double>(rows: 20, columns: 18), sine = SineTransform<Double>(length: 360)
        #expect(cosine.normalization == .orthonormal && cosine.count == 360)
        #expect(distance(cosine.typeIII(cosine.typeII(x)), x) < 1e-14)
        #expect(distance(sine.typeI(sine.typeI(x)), x) < 1e-14)
        #expect(abs(norm(cosine.typeII(x)) / norm(x) - 1) < 1e-14)
        #expect(abs(norm(sine.typeI(x)) / norm(x) - 1) < 1e-14)
    }

    @Test func unnormalisedRoundTripFactors() {
        let x: [Double] = [3, -1, 4, 1, -5]
        let cosine = CosineTransform<Double>(length: 5, normalization: .unnormalized)
        #expect(distance(cosine.typeIII(cosine.typeII(x)), x.map { 10 * $0 }) < 1e-13)
        let sine = SineTransform<Double>(length: 5, normalization: .unnormalized)
        #expect(distance(sine.typeI(sine.typeI(x)), x.map { 12 * $0 }) < 1e-13)
    }

    /// The sine transform diagonalises the 1-D Laplacian: two modules' routes to one eigenvalue problem.
    @Test func sineTransformDiagonalisesTheLaplacian() throws {
        let n = 24
        let laplacian = Matrix<Double>(rows: n, columns: n) { $0 == $1 ? 2 : abs($0 - $1) == 1 ? -1 : 0 }
        let transform = SineTransform<Double>(length: n)
        let values = try SymmetricEigen.values(of: laplacian)
        for k in 0..<n {
            var unit = [Double](repeating: 0, count: n)
            unit[k] = 1
            let vector = transform.typeI(unit)
            #expect(distance(laplacian * vector, vector.map { $0 * values[k] }) < 1e-13)
        }
    }

    @Test func reuseGivesTheSameBitsAtAnyAlignment() {
        var random = TestRandom(124)
        let plan = CosineTransform<Float>(length: 48)
        let x: [Float] = random.vector(48)
        let expected = plan.typeII(x)
        for _ in 0..<3 { #expect(plan.typeII(x) == expected) }
        for offset in 1..<4 {
            var buffer = [Float](repeating: 7, count: 56)
            for i in 0..<48 { buffer[offset + i] = x[i] }
            var all = buffer.mutableSpan
            var part = all._mutatingExtracting(offset..<offset + 48)
            plan.typeII(&part)
            #expect(distance(Array(buffer[offset..<offset + 48]), expected) < 1e-5)
            #expect(buffer[..<offset].allSatisfy { $0 == 7 } && buffer[(offset + 48)...].allSatisfy { $0 == 7 })
        }
    }
}
