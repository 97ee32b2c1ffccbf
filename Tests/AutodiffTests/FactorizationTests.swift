import Autodiff
import Kernels
import LinearAlgebra
import Testing

/// X Xᵀ + 2 I, positive definite and smooth in X.
private func definite<Scalar: KernelScalar>(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
    matmul(x, x, transposeB: true) + identity(x.shape[0], 2)
}

private func identity<Scalar: KernelScalar>(_ n: Int, _ scale: Scalar = 1) -> Tensor<Scalar> {
    Tensor(shape: [n, n], elements: (0..<n * n).map { $0 % (n + 1) == 0 ? scale : 0 })
}

/// About 0, 1, 4, 9 … on the diagonal: eigenvalues that stay apart whatever x is.
private func spread<Scalar: KernelScalar>(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
    let n = x.shape[0]
    return 0.1 * x.tanh() + Tensor(shape: [n, n], elements: (0..<n * n).map { $0 % (n + 1) == 0 ? Scalar(($0 / n) * ($0 / n)) : 0 })
}

private let cases: [DifferentiableCase] = {
    var cases = [
        // Of a matrix that is not symmetric: a function of its symmetric part.
        DifferentiableCase("cholesky", [[3, 3]], spread: 0.3, { try! cholesky($0[0] + identity(3, 4)) }, { try! cholesky($0[0] + identity(3, 4)) }),
        DifferentiableCase("cholesky of a product", [[4, 3]], { try! cholesky(definite($0[0])) }, { try! cholesky(definite($0[0])) }),
        DifferentiableCase(
            "log-determinant", [[3, 3]], spread: 0.3, { try! logDeterminant($0[0] + identity(3, 4)) }, { try! logDeterminant($0[0] + identity(3, 4)) }),
        DifferentiableCase(
            "definite solve", [[3, 3], [3, 2]], spread: 0.3, { try! solvePositiveDefinite($0[0] + identity(3, 4), $0[1]) },
            { try! solvePositiveDefinite($0[0] + identity(3, 4), $0[1]) }),
        DifferentiableCase(
            "definite solve, one side", [[3, 2], [3]], { try! solvePositiveDefinite(definite($0[0]), $0[1]) },
            { try! solvePositiveDefinite(definite($0[0]), $0[1]) }),
        // Products that do not depend on an eigenvector's sign.
        DifferentiableCase(
            "symmetric eigen", [[3, 3]],
            { let (values, vectors) = try! symmetricEigen(spread($0[0])); return matmul(vectors * values.exp(), vectors.squared(), transposeB: true).squared() },
            { let (values, vectors) = try! symmetricEigen(spread($0[0])); return matmul(vectors * values.exp(), vectors.squared(), transposeB: true).squared() }),
        DifferentiableCase(
            "eigenvalues", [[4, 4]], { (try! symmetricEigen(spread($0[0]))).values.squared() }, { (try! symmetricEigen(spread($0[0]))).values.squared() }),
        DifferentiableCase(
            "triangles", [[3, 4]], { ($0[0].triangularPart(.lower) - 2 * $0[0].triangularPart(.upper)).squared() },
            { ($0[0].triangularPart(.lower) - 2 * $0[0].triangularPart(.upper)).squared() }),
        DifferentiableCase("diagonal", [[3, 4]], { $0[0].diagonal().squared() }, { $0[0].diagonal().squared() }),
        DifferentiableCase("trace", [[3, 3]], { trace($0[0].squared()) }, { trace($0[0].squared()) }),
    ]
    for triangle in [Triangle.lower, .upper] {
        for transpose in [false, true] {
            cases.append(DifferentiableCase(
                "triangular solve, \(triangle)\(transpose ? ", transposed" : "")", [[3, 3], [3, 2]], spread: 0.5,
                { try! solveTriangular($0[0] + identity(3, 4), $0[1], triangle: triangle, transpose: transpose) },
                { try! solveTriangular($0[0] + identity(3, 4), $0[1], triangle: triangle, transpose: transpose) }))
        }
    }
    return cases
}()

@Suite struct FactorizationTests {
    @Test(arguments: cases) func derivativesInDouble(_ test: DifferentiableCase) { checkDerivatives(test, Double.self) }

    @Test(arguments: cases) func derivativesInFloat(_ test: DifferentiableCase) { checkDerivatives(test, Float.self) }

    @Test(arguments: cases) func forwardIsAdjointToReverse(_ test: DifferentiableCase) { checkAdjoint(test) }

    @Test(arguments: cases) func thirdOrder(_ test: DifferentiableCase) { checkThirdOrder(test) }

    private let a: Tensor<Double> = definite(randomTensor([5, 4], seed: 1))
    private let b: Tensor<Double> = randomTensor([5, 3], seed: 2)

    @Test func valuesAreWhatTheirNamesSay() throws {
        let l = try cholesky(a)
        expectClose(matmul(l, l, transposeB: true), a)
        #expect(l == l.triangularPart(.lower) && l.diagonal().elements.allSatisfy { $0 > 0 })
        expectClose(matmul(a, try solvePositiveDefinite(a, b)), b, roundings: 1024)
        expectClose(matmul(l, try solveTriangular(l, b)), b)
        expectClose(matmul(l, try solveTriangular(l, b, transpose: true), transposeA: true), b)
        expectClose(try solvePositiveDefinite(a, b.slice(1, 1..<2).flattened()), try solvePositiveDefinite(a, b).slice(1, 1..<2).flattened())
        let (values, vectors) = try symmetricEigen(a)
        expectClose(matmul(vectors * values, vectors, transposeB: true), a)
        expectClose(matmul(vectors, vectors, transposeA: true), identity(5))
        #expect(values.elements == values.elements.sorted())
        expectClose(try logDeterminant(a), values.log().sum())
        #expect(trace(a).scalar == (0..<5).reduce(0.0) { $0 + a[$1, $1] })
    }

    /// Textbook gradients, each a route that shares no code with the operation's own.
    @Test func closedForms() throws {
        let inverse = try solvePositiveDefinite(a, identity(5))
        expectClose(gradient(of: { try! logDeterminant($0) })(a), inverse, roundings: 1024)
        // ∇ bᵀ A⁻¹ b = −A⁻¹ b bᵀ A⁻¹
        let side = b.slice(1, 0..<1).flattened(), solution = try solvePositiveDefinite(a, side)
        expectClose(gradient(of: { dot(side, try! solvePositiveDefinite($0, side)) })(a), -outerProduct(solution, solution), roundings: 1024)
        // The gradient of an eigenvalue is v vᵀ.
        let (_, vectors) = try symmetricEigen(a)
        let v = vectors.slice(1, 2..<3).flattened()
        expectClose(gradient(of: { (try! symmetricEigen($0)).values.at(2) })(a), outerProduct(v, v), roundings: 1024)
    }

    @Test func equalEigenvalues() throws {
        // ∇ Σ λ² = 2 A also where all are equal.
        let x: Tensor<Double> = identity(3, 2)
        expectClose(gradient(of: { (try! symmetricEigen($0)).values.squared().sum() })(x), 2 * x)
    }

    @Test func errorsAreThrown() {
        let indefinite = Tensor<Double>(shape: [2, 2], elements: [1, 2, 2, 1])
        #expect(throws: LinearAlgebraError.notPositiveDefinite(pivot: 1)) { try cholesky(indefinite) }
        #expect(throws: LinearAlgebraError.notPositiveDefinite(pivot: 1)) { try logDeterminant(indefinite) }
        #expect(throws: LinearAlgebraError.notPositiveDefinite(pivot: 1)) { try solvePositiveDefinite(indefinite, .ones([2])) }
        #expect(throws: LinearAlgebraError.singular(pivot: 1)) { try solveTriangular(Tensor<Double>(shape: [2, 2], elements: [1, 0, 1, 0]), .ones([2])) }
        #expect(throws: LinearAlgebraError.nonFinite(row: 1, column: 0)) { try symmetricEigen(Tensor<Double>(shape: [2, 2], elements: [1, .nan, 0, 1])) }
        // Inside a transformation too, where the caller says what it means.
        let (value, slope) = valueAndGradient(of: { (x: Tensor<Double>) in (try? logDeterminant(x)) ?? x.sum() * .nan })(indefinite)
        #expect(value.scalar.isNaN && slope.elements.allSatisfy(\.isNaN))
    }

    @Test func misuseIsNamed() async {
        let square = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = try cholesky(Tensor<Float>.zeros([2, 3]))
        }
        #expect(message(of: square).contains("cholesky of shape [2, 3]; expected a square matrix"))
        let side = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = try solveTriangular(Tensor<Float>.ones([2, 2]), .zeros([3, 1]))
        }
        #expect(message(of: side).contains("right-hand side of shape [3, 1]; expected a vector or matrix with 2 rows"))
    }
}
