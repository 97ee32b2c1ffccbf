import Kernels
import LinearAlgebra
import Randomness
import RealModule

/// A linear problem A x ≈ b whose x is known.
public struct LinearProblem<Scalar: KernelScalar>: Sendable, Hashable {
    public let matrix: Matrix<Scalar>
    /// x, from which ``rightHandSide`` was made. With noise it is not the least-squares solution.
    public let solution: [Scalar]
    /// b = A x + noise.
    public let rightHandSide: [Scalar]
}

extension Synthetic {
    /// Least squares with a given condition number: A = U Σ Vᵀ, x ~ N(0, I), b = A x + N(0, `noise`² I).
    ///
    /// The singular values are spaced evenly in the logarithm from 1 down to 1/`condition`; U and V have orthonormal columns, uniformly
    /// distributed up to their signs (Stewart 1980, The efficient generation of random orthogonal matrices). Costs O(rows · columns²).
    ///
    /// - Precondition: `rows` ≥ `columns` ≥ 1, `condition` ≥ 1, `noise` ≥ 0.
    public static func linearRegression<Scalar: KernelScalar & Real>(
        rows: Int, columns: Int, condition: Scalar, noise: Scalar = 0, seed: UInt64
    ) -> LinearProblem<Scalar> {
        require(rows >= columns && columns >= 1, "shape is \(rows)×\(columns); expected rows ≥ columns ≥ 1")
        require(condition >= 1 && noise >= 0, "condition \(condition) and noise \(noise); expected ≥ 1 and ≥ 0")
        var stream = RandomStream(seed: seed)
        // V Σ first, transposed into the top of A; then the reflections of U from the left.
        var right = [Scalar](repeating: 0, count: columns * columns)
        let last = Scalar(max(1, columns - 1))
        for k in 0..<columns { right[k * columns + k] = .pow(condition, -Scalar(k) / last) }
        reflectAtRandom(&right, rows: columns, columns: columns, &stream)
        var elements = [Scalar](repeating: 0, count: rows * columns)
        for i in 0..<columns { for j in 0..<columns { elements[i * columns + j] = right[j * columns + i] } }
        reflectAtRandom(&elements, rows: rows, columns: columns, &stream)
        let solution: [Scalar] = stream.normal(count: columns)
        return problem(Matrix(rows: rows, columns: columns, elements: elements), solution, noise: noise, &stream)
    }

    /// Sparse recovery: A with independent entries N(0, 1/m), x with `sparsity` entries ±1 at random places, b = A x + N(0, `noise`² I).
    ///
    /// - `measurements`: m, the rows of A.
    /// - Precondition: `measurements` ≥ 1, 0 ≤ `sparsity` ≤ `dimension`, `noise` ≥ 0.
    public static func sparseRecovery<Scalar: KernelScalar & Real>(
        measurements: Int, dimension: Int, sparsity: Int, noise: Scalar = 0, seed: UInt64
    ) -> LinearProblem<Scalar> {
        require(measurements >= 1 && sparsity >= 0 && sparsity <= dimension,
                "\(measurements) measurements, sparsity \(sparsity) of \(dimension); expected ≥ 1 and 0 ≤ sparsity ≤ dimension")
        require(noise >= 0, "noise is \(noise); expected no negative number")
        var stream = RandomStream(seed: seed)
        let scale = 1 / Scalar(measurements).squareRoot()
        let elements: [Scalar] = stream.normal(count: measurements * dimension)
        var solution = [Scalar](repeating: 0, count: dimension)
        for place in stream.permutation(of: dimension).prefix(sparsity) {
            solution[place] = stream.nextUInt64() & 1 == 0 ? -1 : 1
        }
        return problem(Matrix(rows: measurements, columns: dimension, elements: elements.map { scale * $0 }), solution,
                       noise: noise, &stream)
    }

    private static func problem<Scalar: KernelScalar>(
        _ matrix: Matrix<Scalar>, _ solution: [Scalar], noise: Scalar, _ stream: inout RandomStream
    ) -> LinearProblem<Scalar> {
        var right: [Scalar] = stream.normal(count: matrix.rows)
        for i in right.indices {
            let row = matrix.elements.span.extracting(i * matrix.columns..<(i + 1) * matrix.columns)
            right[i] = Scalar.dot(row, solution.span) + noise * right[i]
        }
        return LinearProblem(matrix: matrix, solution: solution, rightHandSide: right)
    }

    /// Multiplies from the left by reflections I − 2vvᵀ/vᵀv, one for each column k, that each take axis k to a uniformly random
    /// direction of the coordinates from k on.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func reflectAtRandom<Scalar: KernelScalar>(
        _ elements: inout [Scalar], rows: Int, columns: Int, _ stream: inout RandomStream
    ) {
        for k in (0..<columns).reversed() {
            var v: [Scalar] = stream.normal(count: rows - k)
            // v = z ± ‖z‖ e₀ with z standard normal; the sign of z₀ avoids cancellation.
            let length = Scalar.dot(v.span, v.span).squareRoot()
            v[0] += v[0] < 0 ? -length : length
            let square = Scalar.dot(v.span, v.span)
            guard square > 0 else { continue }
            var projections = [Scalar](repeating: 0, count: columns)
            for i in v.indices { for j in 0..<columns { projections[j] += v[i] * elements[(k + i) * columns + j] } }
            for i in v.indices {
                let factor = 2 * v[i] / square
                for j in 0..<columns { elements[(k + i) * columns + j] -= factor * projections[j] }
            }
        }
    }
}
