import Kernels
import RealModule

/// One axis of a grid operator: the tridiagonal matrix of its differences, and masses.
struct GridAxis<Scalar: KernelScalar> {
    /// Couplings from point i − 1 to i for i = 0 … n; the outer two lead to boundary values.
    let couplings: [Scalar]
    let masses: [Scalar]

    var count: Int { masses.count }
    var diagonal: [Scalar] { (0..<count).map { couplings[$0] + couplings[$0 + 1] } }

    /// Unit spacing.
    init(count: Int, ends: GridSides.Ends, scale: Scalar) {
        var couplings = [Scalar](repeating: scale, count: count + 1)
        if ends.low == .neumann { couplings[0] = 0 }
        if ends.high == .neumann { couplings[count] = 0 }
        (self.couplings, masses) = (couplings, [Scalar](repeating: 1, count: count))
    }

    private init(couplings: [Scalar], masses: [Scalar]) { (self.couplings, self.masses) = (couplings, masses) }

    /// The shares that an even point takes from the coarse points before and after it: those that make the difference operator vanish there.
    var weights: (lower: [Scalar], upper: [Scalar]) {
        var lower = [Scalar](repeating: 0, count: count), upper = lower
        for i in stride(from: 0, to: count, by: 2) where count > 1 {
            let sum = couplings[i] + couplings[i + 1]
            if i > 0 { lower[i] = couplings[i] / sum }
            if i / 2 < count / 2 { upper[i] = couplings[i + 1] / sum }
        }
        return (lower, upper)
    }

    /// The Galerkin operator on the odd points, which keeps a tridiagonal matrix; masses are lumped.
    var coarsened: GridAxis {
        guard count > 1 else { return self }
        let (lower, upper) = weights
        // Two couplings in a row act as one; a last odd point keeps its own coupling to the boundary.
        func series(_ a: Scalar, _ b: Scalar) -> Scalar { a == 0 || b == 0 ? 0 : a * b / (a + b) }
        var coarse: [Scalar] = [], masses: [Scalar] = []
        for c in 0..<count / 2 {
            coarse.append(series(couplings[2 * c], couplings[2 * c + 1]))
            var mass = self.masses[2 * c + 1] + upper[2 * c] * self.masses[2 * c]
            if 2 * c + 2 < count { mass += lower[2 * c + 2] * self.masses[2 * c + 2] }
            masses.append(mass)
        }
        coarse.append(count.isMultiple(of: 2) ? couplings[count] : series(couplings[count - 1], couplings[count]))
        return GridAxis(couplings: coarse, masses: masses)
    }

    /// The operator on two or three axes; in two dimensions the third has one point and no differences.
    static func stencil(_ axes: [GridAxis], shift: Scalar) -> StencilGrid<Scalar> {
        let flat = GridAxis(couplings: [0, 0], masses: [1])
        let all = axes.count == 3 ? axes : [flat] + axes
        var coefficients: [Scalar] = []
        for axis in all {
            coefficients += [0] + axis.couplings[1..<axis.count]
            coefficients += axis.couplings[1..<axis.count] + [0]
            coefficients += axis.diagonal + axis.masses
        }
        return StencilGrid(planes: all[0].count, rows: all[1].count, columns: all[2].count, coefficients: coefficients, shift: shift)
    }

    static func transfer(_ axes: [GridAxis]) -> StencilTransfer<Scalar> {
        let flat = GridAxis(couplings: [0, 0], masses: [1])
        let all = axes.count == 3 ? axes : [flat] + axes
        var weights: [Scalar] = []
        for axis in all {
            let (lower, upper) = axis.weights
            weights += lower + upper
        }
        return StencilTransfer(planes: all[0].count, rows: all[1].count, columns: all[2].count, weights: weights)
    }
}

extension GridAxis where Scalar: Real {
    /// The eigenvalues of the differences with unit spacing, rising: 4 sin²(θ/2) with θ = πk/(n + 1) between zero values, πk/n between zero slopes,
    /// π(2k − 1)/(2n + 1) between one of each.
    static func eigenvalues(count n: Int, ends: GridSides.Ends) -> [Scalar] {
        (0..<n).map { k in
            let angle: Scalar = switch (ends.low, ends.high) {
            case (.dirichlet, .dirichlet): .pi * Scalar(k + 1) / Scalar(n + 1)
            case (.neumann, .neumann): .pi * Scalar(k) / Scalar(n)
            default: .pi * Scalar(2 * k + 1) / Scalar(2 * n + 1)
            }
            let sine = Scalar.sin(angle / 2)
            return 4 * sine * sine
        }
    }
}
