import Curvature
import Kernels
import LinearAlgebra
import Randomness
import Testing

/// Hutch++, XTrace and XDiag: AdaHessian, check 11.
@Suite struct LeaveOneOutTests {
    /// 10/i².
    private func decaying(_ n: Int = 30) throws -> Matrix<Double> {
        try symmetric(spectrum: (1...n).map { 10 / Double($0 * $0) }, seed: 11)
    }

    private func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }

    private func deviation(_ x: [Double]) -> Double {
        let m = mean(x)
        return (x.reduce(0) { $0 + ($1 - m) * ($1 - m) } / Double(x.count - 1)).squareRoot()
    }

    /// The definitions, with a basis of the range of all columns but one from its own singular vectors.
    private func byDefinition(_ a: Matrix<Double>, products: Int, seed: UInt64) throws -> (trace: Double, diagonal: [Double]) {
        let n = a.rows, k = products / 2
        var stream = RandomStream(seed: seed)
        let probes = (0..<k).map { _ in stream.rademacher(count: n) as [Double] }
        var traces: [Double] = [], diagonal = [Double](repeating: 0, count: n)
        for i in 0..<k {
            let others = probes.indices.filter { $0 != i }
            let y = Matrix<Double>(rows: n, columns: k - 1) { row, column in a.apply(probes[others[column]])[row] }
            let svd = try SVD(y), rank = svd.singularValues.count { $0 > 1e-10 * svd.singularValues[0] }
            let q = svd.u.submatrix(rows: 0..<n, columns: 0..<rank)
            let projector = multiply(q, q, transposeB: true), pa = projector * a
            let z = probes[i], rest = difference(z, projector * z)
            traces.append((projector * a * projector).trace + dot(rest, a * rest))
            let az = a * z, outside = difference(az, projector * az)
            for j in 0..<n { diagonal[j] += (pa[j, j] + z[j] * outside[j]) / Double(k) }
        }
        return (mean(traces), diagonal)
    }

    @Test func downdatesAreTheDefinition() throws {
        for (a, products) in [(try decaying(), 12), (randomSymmetric(20, seed: 3), 10), (try decaying(8), 2)] {
            let exact = try byDefinition(a, products: products, seed: 5)
            let trace = try XTrace<Double>(products: products, seed: 5).estimate(a)
            let diagonal = try XDiag<Double>(products: products, seed: 5).estimate(a)
            #expect(abs(trace.value - exact.trace) < 1e-12 * max(1, abs(exact.trace)))
            #expect(norm(difference(diagonal.values, exact.diagonal)) < 1e-12 * max(1, norm(exact.diagonal)))
            #expect(trace.products == products && diagonal.products == products)
        }
    }

    /// A diagonal whose operator is not symmetric: the adjoint must be used.
    @Test func theDiagonalNeedsNoSymmetry() throws {
        var numbers = RandomStream(seed: 3)
        let a = Matrix<Double>(rows: 12, columns: 12, elements: numbers.normal(count: 144))
        let exact = try byDefinition(a, products: 8, seed: 2).diagonal, found = try XDiag<Double>(products: 8, seed: 2).estimate(a).values
        #expect(norm(difference(found, exact)) < 1e-12 * norm(exact))
    }

    /// Where the columns of A Ω are dependent R is singular; all estimates are exact there.
    @Test(arguments: [0, 1, 3, 4]) func lowRanksAreExact(_ rank: Int) throws {
        let a: Matrix<Double> = try symmetric(spectrum: (0..<25).map { $0 < rank ? Double(rank - $0) * ($0 % 2 == 0 ? 2 : -1) : 0 }, seed: 6)
        let counted = CountingOperator(a)
        let diagonal = try XDiag<Double>(products: 10, seed: 4).estimate(counted)
        #expect(norm(difference(diagonal.values, a.diagonal)) < 1e-13 * max(1, norm(a.diagonal)))
        // The basis is no larger than the rank, and no product is spent on the rest.
        #expect(counted.products == 5 + rank && diagonal.products == 5 + rank)
        let trace = try XTrace<Double>(products: 10, seed: 4).estimate(a)
        #expect(abs(trace.value - a.trace) < 1e-12)
        #expect(trace.standardError! < 1e-12)
        let hutch = try HutchPlusPlus<Double>(products: 15, seed: 4).estimate(a)
        #expect(abs(hutch.value - a.trace) < 1e-12)
    }

    @Test func moreProbesThanRowsAreExact() throws {
        let a = randomSymmetric(3, seed: 8)
        #expect(norm(difference(try XDiag<Double>(products: 40).estimate(a).values, a.diagonal)) < 1e-14)
        #expect(abs(try XTrace<Double>(products: 40).estimate(a).value - a.trace) < 1e-14)
        // Six signs in three dimensions: what one of them adds, the others may lack.
        for seed in 0..<10 as Range<UInt64> {
            let exact = try byDefinition(a, products: 12, seed: seed)
            let diagonal = try XDiag<Double>(products: 12, seed: seed).estimate(a), trace = try XTrace<Double>(products: 12, seed: seed).estimate(a)
            #expect(norm(difference(diagonal.values, exact.diagonal)) < 1e-13 && abs(trace.value - exact.trace) < 1e-13)
        }
        #expect(abs(try HutchPlusPlus<Double>(products: 12).estimate(a).value - a.trace) < 1e-14)
        let one = Matrix<Double>.diagonal([-4])
        #expect(abs(try XDiag<Double>(products: 2).estimate(one).values[0] + 4) < 1e-15)
        #expect(abs(try XTrace<Double>(products: 2).estimate(one).value + 4) < 1e-15)
    }

    /// 2000 runs: bias below 3 standard errors for each element of the diagonal (of which none may exceed 4.5), and for the traces.
    @Test func unbiasedAndAsGoodAsPublished() throws {
        let a = try decaying(), n = a.rows, runs = 2000, products = 12
        var traces: [[Double]] = [[], [], []], sums = [Double](repeating: 0, count: n), squares = sums
        var hutchinson = 0.0, xdiag = 0.0
        for run in 0..<runs {
            let seed = UInt64(run)
            traces[0].append(try HutchinsonTrace<Double>(probes: products, seed: seed).estimate(a).value)
            traces[1].append(try HutchPlusPlus<Double>(products: products, seed: seed).estimate(a).value)
            traces[2].append(try XTrace<Double>(products: products, seed: seed).estimate(a).value)
            let d = difference(try XDiag<Double>(products: products, seed: seed).estimate(a).values, a.diagonal)
            let h = difference(try HutchinsonDiagonal<Double>(probes: products, seed: seed).estimate(a).values, a.diagonal)
            for i in 0..<n {
                sums[i] += d[i]
                squares[i] += d[i] * d[i]
            }
            xdiag += dot(d, d) / Double(n * runs)
            hutchinson += dot(h, h) / Double(n * runs)
        }
        for each in traces { #expect(abs(mean(each) - a.trace) < 3 * deviation(each) / Double(runs).squareRoot()) }
        for i in 0..<n {
            let bias = sums[i] / Double(runs), error = (squares[i] / Double(runs) - bias * bias).squareRoot() / Double(runs).squareRoot()
            #expect(abs(bias) < 4.5 * error)
        }
        // 12 products on this spectrum: Hutchinson 3.9, Hutch++ 0.62 for the trace, 0.50 and 0.08 for the diagonal.
        let errors = traces.map { each in mean(each.map { ($0 - a.trace) * ($0 - a.trace) }).squareRoot() }
        #expect(errors[0] > 3 && errors[1] < 0.8 && errors[2] < errors[1])
        #expect(hutchinson.squareRoot() > 0.4 && xdiag.squareRoot() < 0.1)
    }

    /// With a flat spectrum nothing is gained, and not more than a factor lost.
    @Test func flatSpectra() throws {
        let a: Matrix<Double> = try symmetric(spectrum: (0..<40).map { $0 % 2 == 0 ? 1 : -1 }, seed: 2)
        var plain = 0.0, better = 0.0
        for seed in 0..<400 as Range<UInt64> {
            let x = try HutchinsonDiagonal<Double>(probes: 12, seed: seed).estimate(a).values
            let y = try XDiag<Double>(products: 12, seed: seed).estimate(a).values
            plain += dot(difference(x, a.diagonal), difference(x, a.diagonal))
            better += dot(difference(y, a.diagonal), difference(y, a.diagonal))
        }
        let ratio = (better / plain).squareRoot()
        #expect(ratio > 0.7 && ratio < 2)
    }

    /// The reported errors are those of the estimates, to a factor: leave-one-out estimates share their probes.
    @Test func standardErrorsTellTheError() throws {
        let a = try decaying()
        var values: [Double] = [], errors: [Double] = []
        for seed in 0..<400 as Range<UInt64> {
            let x = try XTrace<Double>(products: 12, seed: seed).estimate(a)
            values.append(x.value - a.trace)
            errors.append(x.standardError!)
        }
        let ratio = mean(errors.map { $0 * $0 }).squareRoot() / mean(values.map { $0 * $0 }).squareRoot()
        #expect(ratio > 0.5 && ratio < 2)
    }

    @Test func failuresAreErrors() throws {
        let a = CountingOperator(randomSymmetric(6, seed: 1), nonFiniteFrom: 1)
        #expect(throws: CurvatureError.nonFinite(product: 1)) { try XDiag<Double>(products: 4).estimate(a) }
        #expect(throws: CurvatureError.nonFinite(product: 0)) { try XTrace<Double>(products: 4).estimate(a) }
        #expect(throws: CurvatureError.nonFinite(product: 0)) { try HutchPlusPlus<Double>(products: 4).estimate(a) }
    }

    @Test(arguments: [1e-200, 1e200]) func scales(_ c: Double) throws {
        let a = try decaying(), scaled = c * a
        let x = try XDiag<Double>(products: 12).estimate(a), y = try XDiag<Double>(products: 12).estimate(scaled)
        #expect(zip(x.values, y.values).allSatisfy { abs($1 - c * $0) <= 1e-12 * c })
        let t = try XTrace<Double>(products: 12).estimate(scaled), u = try XTrace<Double>(products: 12).estimate(a)
        #expect(abs(t.value - c * u.value) <= 1e-12 * c)
        let float = try XDiag<Float>(products: 12).estimate(a.map { Float($0) })
        #expect(zip(x.values, float.values).allSatisfy { abs(Double($1) - $0) < 1e-4 })
    }
}
