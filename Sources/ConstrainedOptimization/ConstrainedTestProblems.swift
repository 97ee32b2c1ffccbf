import Kernels
import Objectives
import RealModule

/// An equality-constrained problem of the literature with its start and its minimum.
public struct ConstrainedTestProblem<Scalar: KernelScalar & Real>: Sendable {
    /// As in the collections of Hock & Schittkowski and CUTEst.
    public let name: String
    public let problem: FormulaProblem<Scalar>
    /// The start of the collections.
    public let start: [Scalar]
    /// The minimum that is reached from the start, to ten digits at least.
    public let minimum: Scalar
    /// Where the minimum is attained, if that has a closed form.
    public let minimizer: [Scalar]?
    /// Whether the Jacobian has no full rank at the start, so that Newton methods cannot begin.
    public let hasSingularStart: Bool
}

/// Twenty-nine problems of Hock & Schittkowski (HS), Boggs & Tolle (BT) and the CUTEst collection, small and mostly nonconvex.
public enum ConstrainedTestProblems {
    /// All of them.
    public static func all<Scalar: KernelScalar & Real>(_: Scalar.Type = Scalar.self) -> [ConstrainedTestProblem<Scalar>] {
        typealias X = SecondOrderJet<Scalar>
        var problems: [ConstrainedTestProblem<Scalar>] = []
        func add(
            _ name: String, from start: [Double], minimum: Double, at minimizer: [Double]? = nil, singular: Bool = false, constraints m: Int,
            _ objective: @escaping @Sendable ([X]) -> X, _ constraints: @escaping @Sendable ([X]) -> [X]
        ) {
            problems.append(ConstrainedTestProblem(
                name: name, problem: FormulaProblem(dimension: start.count, constraintCount: m, objective: objective, constraints: constraints),
                start: start.map { Scalar($0) }, minimum: Scalar(minimum), minimizer: minimizer.map { $0.map { Scalar($0) } }, hasSingularStart: singular))
        }
        let s = 2.0.squareRoot(), root = X(Scalar(s))

        // In formulas x[0] is x₁ of the literature. Sums are kept short: the type checker takes long over long ones.
        add("HS6", from: [-1.2, 1], minimum: 0, at: [1, 1], constraints: 1) { x in sq(1 - x[0]) } _: { x in [10 * (x[1] - sq(x[0]))] }
        add("HS7", from: [2, 2], minimum: -3.0.squareRoot(), at: [0, 3.0.squareRoot()], constraints: 1) { x in .log(1 + sq(x[0])) - x[1] } _: { x in
            [sq(1 + sq(x[0])) + sq(x[1]) - 4]
        }
        add("HS9", from: [0, 0], minimum: -0.5, at: [-3, -4], constraints: 1) { x in
            let a = X(Scalar.pi / 12), b = X(Scalar.pi / 16)
            return .sin(a * x[0]) * .cos(b * x[1])
        } _: { x in [4 * x[0] - 3 * x[1]] }
        add("HS26", from: [-2.6, 2, 2], minimum: 0, at: [1, 1, 1], constraints: 1) { x in sq(x[0] - x[1]) + fourth(x[1] - x[2]) } _: { x in
            [(1 + sq(x[1])) * x[0] + fourth(x[2]) - 3]
        }
        add("HS27", from: [2, 2, 2], minimum: 0.04, at: [-1, 1, 0], constraints: 1) { x in 0.01 * sq(x[0] - 1) + sq(x[1] - sq(x[0])) } _: { x in
            [x[0] + sq(x[2]) + 1]
        }
        add("HS28", from: [-4, 1, 1], minimum: 0, at: [0.5, -0.5, 0.5], constraints: 1) { x in sq(x[0] + x[1]) + sq(x[1] + x[2]) } _: { x in
            [ramp(x, 0) - 1]
        }
        add("HS39", from: [2, 2, 2, 2], minimum: -1, at: [1, 1, 0, 0], constraints: 2) { x in -x[0] } _: { x in
            [x[1] - cube(x[0]) - sq(x[2]), sq(x[0]) - x[1] - sq(x[3])]
        }
        add("HS40", from: [0.8, 0.8, 0.8, 0.8], minimum: -0.25, constraints: 3) { x in -(x[0] * x[1]) * (x[2] * x[3]) } _: { x in
            [cube(x[0]) + sq(x[1]) - 1, sq(x[0]) * x[3] - x[2], sq(x[3]) - x[1]]
        }
        add("HS42", from: [1, 1, 1, 1], minimum: 28 - 10 * s, constraints: 2) { x in
            let first = sq(x[0] - 1) + sq(x[1] - 2)
            return first + sq(x[2] - 3) + sq(x[3] - 4)
        } _: { x in [x[0] - 2, sq(x[2]) + sq(x[3]) - 2] }
        add("HS46", from: [s / 2, 1.75, 0.5, 2, 2], minimum: 0, at: ones, constraints: 2) { x in
            let first = sq(x[0] - x[1]) + sq(x[2] - 1)
            return first + fourth(x[3] - 1) + .pow(x[4] - 1, 6)
        } _: { x in [sq(x[0]) * x[3] + .sin(x[3] - x[4]) - 1, x[1] + fourth(x[2]) * sq(x[3]) - 2] }
        add("HS47", from: [2, s, -1, 2 - s, 0.5], minimum: 0, at: ones, constraints: 3) { x in
            let first = sq(x[0] - x[1]) + cube(x[1] - x[2])
            return first + fourth(x[2] - x[3]) + fourth(x[3] - x[4])
        } _: { x in [x[0] + sq(x[1]) + cube(x[2]) - 3, x[1] - sq(x[2]) + x[3] - 1, x[0] * x[4] - 1] }
        add("HS48", from: [3, 5, -3, 2, -2], minimum: 0, at: ones, constraints: 2) { x in sq(x[0] - 1) + sq(x[1] - x[2]) + sq(x[3] - x[4]) } _: { x in
            let sum = x[0] + x[1] + x[2]
            return [sum + x[3] + x[4] - 5, x[2] - 2 * (x[3] + x[4]) + 3]
        }
        add("HS49", from: [10, 7, 2, -3, 0.8], minimum: 0, at: ones, constraints: 2) { x in
            let first = sq(x[0] - x[1]) + sq(x[2] - 1)
            return first + fourth(x[3] - 1) + .pow(x[4] - 1, 6)
        } _: { x in
            let sum = x[0] + x[1] + x[2]
            return [sum + 4 * x[3] - 7, x[2] + 5 * x[4] - 6]
        }
        add("HS50", from: [35, -31, 11, 5, -5], minimum: 0, at: ones, constraints: 3) { x in
            let first = sq(x[0] - x[1]) + sq(x[1] - x[2])
            return first + fourth(x[2] - x[3]) + sq(x[3] - x[4])
        } _: { x in (0..<3).map { ramp(x, $0) - 6 } }
        add("HS51", from: [2.5, 0.5, 2, -1, 0.5], minimum: 0, at: ones, constraints: 3) { x in pairs(x, 1) } _: { x in
            [x[0] + 3 * x[1] - 4, x[2] + x[3] - 2 * x[4], x[1] - x[4]]
        }
        add("HS52", from: [2, 2, 2, 2, 2], minimum: 1859 / 349.0, constraints: 3) { x in pairs(x, 4) } _: { x in
            [x[0] + 3 * x[1], x[2] + x[3] - 2 * x[4], x[1] - x[4]]
        }
        add("BT3", from: [20, 20, 20, 20, 20], minimum: 176 / 43.0, constraints: 3) { x in pairs(x, 1) } _: { x in
            [x[0] + 3 * x[1], x[2] + x[3] - 2 * x[4], x[1] - x[4]]
        }
        let a = Double.asin((1 / 4.2).squareRoot()), b = Double.asin((5 / 7.2).squareRoot())
        add("HS56", from: [1, 1, 1, a, a, a, b], minimum: -3.456, constraints: 4) { x in -(x[0] * x[1] * x[2]) } _: { x in
            let weighted = x[0] + 2 * x[1] + 2 * x[2]
            return (0..<3).map { i in x[i] - 4.2 * sq(.sin(x[i + 3])) } + [weighted - 7.2 * sq(.sin(x[6]))]
        }
        add("HS77", from: [2, 2, 2, 2, 2], minimum: 0.241505128786, constraints: 2) { x in
            let first = sq(x[0] - 1) + sq(x[0] - x[1]) + sq(x[2] - 1)
            return first + fourth(x[3] - 1) + .pow(x[4] - 1, 6)
        } _: { x in [sq(x[0]) * x[3] + .sin(x[3] - x[4]) - 2 * root, x[1] + fourth(x[2]) * sq(x[3]) - 8 - root] }
        add("HS78", from: [-2, 1.5, 2, -1, -1], minimum: -2.91970040905, constraints: 3) { x in (x[0] * x[1]) * (x[2] * x[3]) * x[4] } _: { x in
            let squares = x.reduce(X(0)) { $0 + sq($1) }
            return [squares - 10, x[1] * x[2] - 5 * x[3] * x[4], cube(x[0]) + cube(x[1]) + 1]
        }
        add("HS79", from: [2, 2, 2, 2, 2], minimum: 0.0787768208538, constraints: 3) { x in
            let first = sq(x[0] - 1) + sq(x[0] - x[1]) + sq(x[1] - x[2])
            return first + fourth(x[2] - x[3]) + fourth(x[3] - x[4])
        } _: { x in
            [x[0] + sq(x[1]) + cube(x[2]) - 2 - 3 * root, x[1] - sq(x[2]) + x[3] + 2 - 2 * root, x[0] * x[4] - 2]
        }
        add("HS100LNP", from: [1, 2, 0, 4, 0, 1, 1], minimum: 680.630057374, constraints: 2) { x in
            let first = sq(x[0] - 10) + 5 * sq(x[1] - 12) + fourth(x[2]) + 3 * sq(x[3] - 11)
            let second = 10 * .pow(x[4], 6) + 7 * sq(x[5]) + fourth(x[6])
            return first + second - 4 * x[5] * x[6] - 10 * x[5] - 8 * x[6]
        } _: { x in
            let first = 2 * sq(x[0]) + 3 * fourth(x[1]) + x[2]
            let second = 4 * sq(x[0]) + sq(x[1]) - 3 * x[0] * x[1]
            return [127 - first - 4 * sq(x[3]) - 5 * x[4], 11 * x[6] - second - 2 * sq(x[2]) - 5 * x[5]]
        }
        add("BT2", from: [10, 10, 10], minimum: 0.0325682002556, constraints: 1) { x in sq(x[0] - 1) + sq(x[0] - x[1]) + fourth(x[1] - x[2]) } _: { x in
            [x[0] * (1 + sq(x[1])) + fourth(x[2]) - 8.2426407]
        }
        add("BT5", from: [2, 2, 2], minimum: 961.715172130, constraints: 2) { x in
            let squares = sq(x[0]) + 2 * sq(x[1]) + sq(x[2])
            return 1000 - squares - x[0] * x[1] - x[0] * x[2]
        } _: { x in [sq(x[0]) + sq(x[1]) + sq(x[2]) - 25, 8 * x[0] + 14 * x[1] + 7 * x[2] - 56] }
        add("BT10", from: [2, 2], minimum: -1, at: [1, 1], constraints: 2) { x in -x[0] } _: { x in [x[1] - cube(x[0]), sq(x[0]) - x[1]] }
        add("BT12", from: [2, 2, 2, 2, 2], minimum: 6.18811881188, constraints: 3) { x in 0.01 * sq(x[0]) + sq(x[1]) } _: { x in
            [x[0] + x[1] - sq(x[2]) - 25, sq(x[0]) + sq(x[1]) - sq(x[3]) - 25, x[0] - sq(x[4]) - 2]
        }
        add("GENHS28", from: [-4] + [Double](repeating: 1, count: 9), minimum: 0.927173693766, constraints: 8) { x in
            (0..<9).reduce(X(0)) { $0 + sq(x[$1] + x[$1 + 1]) }
        } _: { x in (0..<8).map { ramp(x, $0) - 1 } }
        add("HS61", from: [0, 0, 0], minimum: -143.646142201, singular: true, constraints: 2) { x in
            let squares = 4 * sq(x[0]) + 2 * sq(x[1]) + 2 * sq(x[2])
            return squares - 33 * x[0] + 16 * x[1] - 24 * x[2]
        } _: { x in [3 * x[0] - 2 * sq(x[1]) - 7, 4 * x[0] - sq(x[2]) - 11] }
        add("BYRDSPHR", from: [5, 1e-4, -1e-4], minimum: -4.68330013267, singular: true, constraints: 2) { x in -(x[0] + x[1] + x[2]) } _: { x in
            [sq(x[0]) + sq(x[1]) + sq(x[2]) - 9, sq(x[0] - 1) + sq(x[1]) + sq(x[2]) - 9]
        }
        return problems
    }

    private static let ones = [1.0, 1, 1, 1, 1]
}

private func sq<S>(_ x: SecondOrderJet<S>) -> SecondOrderJet<S> { .pow(x, 2) }
private func cube<S>(_ x: SecondOrderJet<S>) -> SecondOrderJet<S> { .pow(x, 3) }
private func fourth<S>(_ x: SecondOrderJet<S>) -> SecondOrderJet<S> { .pow(x, 4) }

/// xᵢ + 2xᵢ₊₁ + 3xᵢ₊₂.
private func ramp<S>(_ x: [SecondOrderJet<S>], _ i: Int) -> SecondOrderJet<S> {
    let first = x[i] + 2 * x[i + 1]
    return first + 3 * x[i + 2]
}

/// (k x₁ − x₂)² + (x₂ + x₃ − 2)² + (x₄ − 1)² + (x₅ − 1)², of HS51, HS52 and BT3.
private func pairs<S>(_ x: [SecondOrderJet<S>], _ k: S) -> SecondOrderJet<S> {
    let first = sq(SecondOrderJet(k) * x[0] - x[1]) + sq(x[1] + x[2] - 2)
    return first + sq(x[3] - 1) + sq(x[4] - 1)
}
