import Kernels
import LinearAlgebra
import LinearSolvers
import Randomness
import RealModule

/// The paper's sequence of systems: (A + cₜ I) x = bₜ with A the 5-point Laplacian of 10 × 10 points (4 on the diagonal, −1 beside), random shifts
/// cₜ, and bₜ of normal numbers, drawn again until ‖bₜ‖ ≤ √n.
///
/// A + c I is definite for c > −0.162; with shifts near −0.15 Gauss–Seidel takes thousands of sweeps.
///
/// Source: Khodak et al. 2024, §5 and its implementation.
public struct ShiftedLaplacians: Sendable {
    /// How the shifts spread: c = −0.15 + 0.6 times a Beta variable.
    public enum Spread: String, Sendable, CaseIterable, Codable {
        /// Beta(½, 3/2).
        case high
        /// Beta(2, 6).
        case low
    }

    public struct System: Sendable {
        public let shift: Double
        public let matrix: PoissonOperator<Double>
        public let rightHandSide: [Double]
    }

    /// The interval that the learners are given: wider than the shifts, which end at 0.45.
    public static let contexts = -0.15...0.65

    public let spread: Spread
    public let grid: Grid
    private var random: RandomStream

    public init(_ spread: Spread, size: Int = 10, random: RandomStream) {
        (self.spread, self.random) = (spread, random)
        grid = Grid(rows: size, columns: size)
    }

    public mutating func next() -> System {
        let shift = -0.15 + 0.6 * beta(), n = grid.count
        var b: [Double]
        repeat {
            b = random.normal(count: n, standardDeviation: 1)
        } while Double.nrm2(b.span) > Double(n).squareRoot()
        return System(shift: shift, matrix: PoissonOperator(grid, shift: shift), rightHandSide: b)
    }

    private mutating func beta() -> Double {
        switch spread {
        case .high:
            // Jöhnk: U² and V^(2/3) given that their sum is at most 1.
            while true {
                let u: [Double] = random.uniform(count: 2)
                let x = u[0] * u[0], y = Double.pow(u[1], 2.0 / 3)
                if x + y <= 1, x + y > 0 { return x / (x + y) }
            }
        case .low:
            // The second smallest of 7 uniform numbers.
            return (random.uniform(count: 7) as [Double]).sorted()[1]
        }
    }
}
