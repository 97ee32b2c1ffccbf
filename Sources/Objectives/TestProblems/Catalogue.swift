import Kernels
import RealModule

extension TestProblems {
    /// A problem of the library, by name.
    public struct Entry<Scalar: KernelScalar & Real>: Sendable {
        public let name: String
        /// The dimensions that the problem exists in.
        public let dimensions: Dimensions
        fileprivate let make: @Sendable (Int) -> any TestProblem<Scalar>

        /// The problem in `dimension` variables.
        ///
        /// - Precondition: ``dimensions`` allow it.
        public func problem(dimension: Int) -> any TestProblem<Scalar> {
            require(dimensions.contains(dimension), "\(name) in \(dimension) variables; expected \(dimensions)")
            return make(dimension)
        }

        /// The problem in the smallest dimension that it exists in.
        public var smallest: any TestProblem<Scalar> { make(dimensions.smallest) }
    }

    /// In how many variables a problem exists.
    public enum Dimensions: Sendable, Hashable, CustomStringConvertible {
        case exactly(Int)
        case range(ClosedRange<Int>)
        /// Every multiple of the first number that is at least the second.
        case multiples(of: Int, from: Int)

        public func contains(_ dimension: Int) -> Bool {
            switch self {
            case .exactly(let only): dimension == only
            case .range(let range): range.contains(dimension)
            case .multiples(let step, let least): dimension >= least && dimension % step == 0
            }
        }

        public var smallest: Int {
            switch self {
            case .exactly(let only): only
            case .range(let range): range.lowerBound
            case .multiples(_, let least): least
            }
        }

        public var description: String {
            switch self {
            case .exactly(let only): "\(only)"
            case .range(let range): "\(range.lowerBound) to \(range.upperBound)"
            case .multiples(1, let least): "at least \(least)"
            case .multiples(let step, let least): "a multiple of \(step), at least \(least)"
            }
        }
    }

    /// All problems with a known minimum.
    ///
    /// ``ConvexQuadratic`` is listed with condition number 1000. ``LogisticRegression`` needs data, and is not listed.
    public static func all<Scalar: KernelScalar & Real>(_: Scalar.Type = Double.self) -> [Entry<Scalar>] {
        let any = Dimensions.multiples(of: 1, from: 1), fromTwo = Dimensions.multiples(of: 1, from: 2)
        func scalable(_ dimensions: Dimensions, _ make: @escaping @Sendable (Int) -> any TestProblem<Scalar>) -> Entry<Scalar> {
            Entry(name: make(dimensions.smallest).name, dimensions: dimensions, make: make)
        }
        func fixed(_ problem: any TestProblem<Scalar>) -> Entry<Scalar> {
            Entry(name: problem.name, dimensions: .exactly(problem.dimension)) { _ in problem }
        }
        return [
            scalable(any) { Ackley(dimension: $0) },
            scalable(any) { Alpine1(dimension: $0) },
            fixed(Beale()),
            fixed(Booth()),
            fixed(Branin()),
            fixed(Bukin6()),
            scalable(any) { ConvexQuadratic(dimension: $0, condition: 1000) },
            fixed(CrossInTray()),
            scalable(fromTwo) { DixonPrice(dimension: $0) },
            fixed(DropWave()),
            fixed(Easom()),
            fixed(Eggholder()),
            fixed(Forrester()),
            fixed(GoldsteinPrice()),
            scalable(any) { Griewank(dimension: $0) },
            fixed(Hartmann(dimension: 3)),
            fixed(Hartmann(dimension: 6)),
            fixed(Himmelblau()),
            fixed(HolderTable()),
            scalable(any) { Levy(dimension: $0) },
            fixed(McCormick()),
            scalable(.range(1...10)) { Michalewicz(dimension: $0) },
            scalable(.multiples(of: 4, from: 4)) { PowellSingular(dimension: $0) },
            scalable(any) { Rastrigin(dimension: $0) },
            scalable(fromTwo) { Rosenbrock(dimension: $0) },
            scalable(any) { Salomon(dimension: $0) },
            scalable(any) { Schwefel(dimension: $0) },
            fixed(Shekel(wells: 5)),
            fixed(Shekel(wells: 7)),
            fixed(Shekel(wells: 10)),
            fixed(SixHumpCamel()),
            scalable(any) { Sphere(dimension: $0) },
            scalable(any) { StyblinskiTang(dimension: $0) },
            scalable(any) { Trid(dimension: $0) },
            fixed(Wood()),
            scalable(any) { Zakharov(dimension: $0) },
        ]
    }

    /// The problem with this name in the literature, upper and lower case alike; `nil` if there is none.
    public static func named<Scalar: KernelScalar & Real>(_ name: String, _: Scalar.Type = Double.self) -> Entry<Scalar>? {
        all(Scalar.self).first { $0.name.lowercased() == name.lowercased() }
    }
}
