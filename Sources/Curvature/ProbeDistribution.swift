import Kernels
import LinearAlgebra
import Randomness

/// How the elements of a random probe z with E[z zᵀ] = I are drawn.
public enum ProbeDistribution: String, Sendable, Hashable, Codable, CaseIterable {
    /// ±1 with probability ½ each: the least variance of all for traces and diagonals, by leaving the diagonal out of it.
    case rademacher
    /// Normal with variance 1.
    case gaussian

    func fill<Scalar: KernelScalar>(_ probe: inout MutableSpan<Scalar>, using stream: inout RandomStream) {
        switch self {
        case .rademacher: stream.fillRademacher(&probe)
        case .gaussian: stream.fillNormal(&probe)
        }
    }

    func probe<Scalar: KernelScalar>(count: Int, using stream: inout RandomStream) -> [Scalar] {
        uninitializedArray(count: count) { fill(&$0, using: &stream) }
    }

    /// Probes as the rows of a matrix.
    func probes<Scalar: KernelScalar>(_ number: Int, count: Int, using stream: inout RandomStream) -> Matrix<Scalar> {
        var rows = Matrix<Scalar>.zeros(rows: number, columns: count)
        for i in 0..<number {
            var row = rows.mutableRow(i)
            fill(&row, using: &stream)
        }
        return rows
    }
}
