import Kernels
import LinearAlgebra
import LinearSolvers
import RealModule

/// The systems of an implicit heat equation whose conductivity changes: uₜ = κ(t) Δu + f on the unit square, 0 on its boundary, by Crank–Nicolson.
///
///     (I − κ Δt/2 Δₕ) u⁺ = (I + κ Δt/2 Δₕ) u + Δt f,   κ and f at t + Δt/2
///
/// κ(t) = max(0.1 sin 2πt, −10 sin 2πt), f = 32 bump of radius ⅛ around (½ + cos(16πt)/4, ½ + sin(16πt)/4), u₀ = bump of radius ¼ around the centre,
/// with bump(x) = exp(1 − 1/(1 − min(1, |x − c|²/R²))).
///
/// Source: Khodak et al. 2024, §5.3 and its implementation, with time steps of 1e-3.
public struct HeatSequence: Sendable {
    /// Points inside the square along a side.
    public let size: Int
    public let timeStep: Double
    /// Steps done.
    public private(set) var steps = 0
    /// u at the inner points, row by row.
    public private(set) var temperature: [Double]

    /// κ goes from 0 to 10.
    public static let contexts = 0.0...10

    public init(size: Int, timeStep: Double = 1e-3) {
        require(size >= 1, "\(size) points along a side; expected at least 1")
        require(timeStep > 0 && timeStep.isFinite, "time step is \(timeStep); expected a finite number above 0")
        (self.size, self.timeStep) = (size, timeStep)
        temperature = Self.bump(size, (0.5, 0.5), radius: 0.25)
    }

    /// κ(t).
    public static func conductivity(_ t: Double) -> Double {
        let sine = Double.sin(2 * .pi * t)
        return max(0.1 * sine, -10 * sine)
    }

    private static func bump(_ size: Int, _ center: (x: Double, y: Double), radius: Double) -> [Double] {
        let h = 1 / Double(size + 1)
        return (0..<size * size).map { i in
            let dx = Double(i % size + 1) * h - center.x, dy = Double(i / size + 1) * h - center.y
            let distance = (dx * dx + dy * dy) / (radius * radius)
            return distance < 1 ? Double.exp(1 - 1 / (1 - distance)) : 0
        }
    }

    /// The system of the next step, and κ, its context.
    public func system() -> (matrix: PoissonOperator<Double>, rightHandSide: [Double], context: Double) {
        let middle = (Double(steps) + 0.5) * timeStep, kappa = Self.conductivity(middle)
        let scale = kappa * timeStep / 2 * Double((size + 1) * (size + 1)), grid = Grid(rows: size, columns: size)
        let angle = 16 * Double.pi * middle
        let source = Self.bump(size, (0.5 + Double.cos(angle) / 4, 0.5 + Double.sin(angle) / 4), radius: 0.125)
        var b = temperature, span = b.mutableSpan
        PoissonOperator(grid, scale: -scale, shift: 1).apply(temperature.span, into: &span)
        Double.axpy(32 * timeStep, source.span, &span)
        return (PoissonOperator(grid, scale: scale, shift: 1), b, kappa)
    }

    /// Takes the solution of ``system()`` as the next u.
    public mutating func advance(to temperature: [Double]) {
        require(temperature.count == size * size, "\(temperature.count) temperatures; expected \(size * size)")
        self.temperature = temperature
        steps += 1
    }
}
