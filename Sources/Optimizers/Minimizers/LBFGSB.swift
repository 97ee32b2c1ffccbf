import Kernels
import LinearAlgebra
import Objectives

/// L-BFGS-B: limited-memory BFGS on a box.
///
/// With B = θ I − W M Wᵀ from the last m pairs, each iteration finds the first minimum of the quadratic model along the
/// projected gradient path (the generalised Cauchy point), minimises the model over the variables that are free there, cut
/// off at the bounds, and searches along the line to that point, which stays in the box.
///
/// ``State/gradientNorm`` is ‖P(x − g) − x‖₂, which is 0 at a solution; P projects on the box. A start outside is
/// projected. Every iterate is feasible to the bit. Objectives that are no `BoundedObjective` have no bounds. One iteration
/// costs O(m n + m³) and a sort of the break points that are met. Bounds that cross end the run with
/// `SolverStatus/infeasible` at the start.
///
/// Source: Byrd, Lu, Nocedal & Zhu 1995. Differs from SciPy's `L-BFGS-B` in the norm of the stopping test (there the largest
/// component) and in that a value lost in rounding ends the run as `SolverStatus/lineSearchFailed`, not as success.
public struct LBFGSB<Scalar: KernelScalar>: IterativeSolver {
    public let memory: Int
    public let lineSearch: any LineSearch

    /// - Parameter memory: m, at least 1.
    public init(memory: Int = 10, lineSearch: any LineSearch = MoreThuente()) {
        require(memory >= 1, "memory of \(memory) pairs; expected at least 1")
        self.memory = memory
        self.lineSearch = lineSearch
    }

    public struct State: SolverState {
        public internal(set) var point: EvaluatedPoint<Scalar>
        public internal(set) var gradientNorm: Scalar?
        public internal(set) var stepNorm: Scalar?
        public internal(set) var evaluations = EvaluationCounts()
        var pairs: [CurvaturePair<Scalar>] = []
        /// sᵢᵀsⱼ and sᵢᵀyⱼ.
        var ss: [[Double]] = []
        var sy: [[Double]] = []

        public var iterate: [Scalar] { point.x }
        public var value: Scalar { point.value }

        mutating func clear() { (pairs, ss, sy) = ([], [], []) }

        mutating func add(_ pair: CurvaturePair<Scalar>, memory: Int) {
            if pairs.count == memory {
                pairs.removeFirst()
                ss.removeFirst()
                sy.removeFirst()
                for i in ss.indices {
                    ss[i].removeFirst()
                    sy[i].removeFirst()
                }
            }
            for (i, older) in pairs.enumerated() {
                ss[i].append(Double(Scalar.dot(older.s.span, pair.s.span)))
                sy[i].append(Double(Scalar.dot(older.s.span, pair.y.span)))
            }
            pairs.append(pair)
            ss.append(pairs.map { Double(Scalar.dot(pair.s.span, $0.s.span)) })
            sy.append(pairs.map { Double(Scalar.dot(pair.s.span, $0.y.span)) })
        }
    }

    public func makeState(_ problem: any Objective<Scalar>, from start: [Scalar]) -> State {
        var x = start
        var span = x.mutableSpan
        let bounds = bounds(of: problem)
        problem.requireDimension(start.count, "start")
        let isFeasible = bounds.crossed == nil
        if isFeasible { bounds.project(&span) }
        let point = EvaluatedPoint(problem, at: x)
        return State(point: point, gradientNorm: isFeasible ? projectedGradientNorm(point, bounds) : nil, evaluations: EvaluationCounts(gradients: 1))
    }

    private func bounds(of problem: any Objective<Scalar>) -> Bounds<Scalar> {
        let bounds = (problem as? any BoundedObjective<Scalar>)?.bounds ?? .unbounded(dimension: problem.dimension)
        require(bounds.dimension == problem.dimension,
                "bounds of \(bounds.dimension) variables; the objective has dimension \(problem.dimension)")
        return bounds
    }

    public func step(_ state: inout State, _ problem: any Objective<Scalar>) -> Termination? {
        let bounds = bounds(of: problem), n = problem.dimension
        if let i = bounds.crossed {
            return Termination(.infeasible, "bounds of variable \(i) are \(bounds.lower[i]) and \(bounds.upper[i]); expected lower ≤ upper")
        }
        while true {
            guard let model = CompactModel(state), let target = model.target(state.point, bounds) else {
                if state.pairs.isEmpty { return Termination(.nonFinite, "the quadratic model is not finite") }
                state.clear()
                continue
            }
            let direction = difference(target, state.point.x)
            let slope = Double(Scalar.dot(direction.span, state.point.gradient.span))
            guard slope < 0, slope.isFinite else {
                if state.pairs.isEmpty {
                    return Termination(.lineSearchFailed, "the slope along the projected gradient is \(slope)")
                }
                state.clear()
                continue
            }
            var longest = 1e10
            for i in 0..<n where direction[i] != 0 {
                let bound = direction[i] > 0 ? bounds.upper[i] : bounds.lower[i]
                if bound.isFinite { longest = min(longest, max(1, Double((bound - state.point.x[i]) / direction[i]))) }
            }
            let search = search(
                problem, from: state.point, along: direction, slope: slope, first: 1, longest: longest, with: lineSearch, in: bounds)
            state.evaluations.gradients += search.evaluations
            guard search.isSatisfied || search.point.value < state.point.value else {
                if state.pairs.isEmpty {
                    return terminationWithoutDescent(
                        problem, at: state.point, &state.evaluations, .lineSearchFailed,
                        "no step along the projected gradient was accepted in \(search.evaluations) evaluations")
                }
                state.clear()
                continue
            }
            let pair = CurvaturePair(from: state.point, to: search.point)
            state.stepNorm = Scalar.nrm2(pair.s.span)
            if pair.isUsable { state.add(pair, memory: memory) } else if !search.isSatisfied { state.clear() }
            state.point = search.point
            state.gradientNorm = projectedGradientNorm(state.point, bounds)
            return nil
        }
    }

    /// Coordinate by coordinate as min(max(−g, l − x), u − x): P(x − g) − x itself would lose a small g against x.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func projectedGradientNorm(_ point: EvaluatedPoint<Scalar>, _ bounds: Bounds<Scalar>) -> Scalar {
        let moves = point.x.indices.map { i in min(max(-point.gradient[i], bounds.lower[i] - point.x[i]), bounds.upper[i] - point.x[i]) }
        return Scalar.nrm2(moves.span)
    }
}

/// B = θ I − W M Wᵀ with W = (Y, θ S) and M⁻¹ = (−D, Lᵀ; L, θ SᵀS): D the diagonal and L the lower part of SᵀY.
private struct CompactModel<Scalar: KernelScalar> {
    let theta: Double
    let pairs: [CurvaturePair<Scalar>]
    /// M; `nil` without pairs.
    let inverse: LU<Double>?

    /// `nil` if M cannot be had.
    init?(_ state: LBFGSB<Scalar>.State) {
        pairs = state.pairs
        let m = pairs.count
        guard let newest = pairs.last else {
            // −g/θ is as long as a first step is to be.
            theta = 1 / state.point.firstStep(alongLength: Double(Scalar.nrm2(state.point.gradient.span)))
            inverse = nil
            return
        }
        theta = Double(newest.yy) / Double(newest.sy)
        var matrix = Matrix<Double>(rows: 2 * m, columns: 2 * m, repeating: 0)
        for i in 0..<m {
            matrix[i, i] = -state.sy[i][i]
            for j in 0..<m {
                matrix[m + i, m + j] = theta * state.ss[i][j]
                if i > j {
                    matrix[m + i, j] = state.sy[i][j]
                    matrix[j, m + i] = state.sy[i][j]
                }
            }
        }
        // A singular matrix shows at the first solution.
        guard let factor = try? LU(matrix), (try? factor.solve([Double](repeating: 0, count: 2 * m))) != nil else { return nil }
        inverse = factor
    }

    private func timesM(_ v: [Double]) -> [Double] {
        guard let inverse else { return v }
        // What is not finite stays so, and is seen at the end.
        return (try? inverse.solve(v)) ?? [Double](repeating: .nan, count: v.count)
    }

    /// W, row-major with 2 m columns.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func rows(_ n: Int) -> [Double] {
        let m = pairs.count
        var w = [Double](repeating: 0, count: 2 * m * n)
        for (k, pair) in pairs.enumerated() {
            for i in 0..<n {
                w[2 * m * i + k] = Double(pair.y[i])
                w[2 * m * i + m + k] = theta * Double(pair.s[i])
            }
        }
        return w
    }

    /// The minimum of the model over the free variables at the Cauchy point, cut off at the bounds; `nil` if not finite.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func target(_ point: EvaluatedPoint<Scalar>, _ bounds: Bounds<Scalar>) -> [Scalar]? {
        let n = point.x.count, m = 2 * pairs.count, w = rows(n)
        // Break points of the path x − t g, and its first piece.
        var breaks = [(t: Double, index: Int)](), isFree = [Bool](repeating: true, count: n)
        var d = [Double](repeating: 0, count: n), p = [Double](repeating: 0, count: m), c = p
        var x = point.x, slope = 0.0
        for i in 0..<n {
            let g = Double(point.gradient[i])
            guard g != 0 else { continue }
            let bound = g > 0 ? bounds.lower[i] : bounds.upper[i]
            let t = bound.isFinite ? (Double(point.x[i]) - Double(bound)) / g : .infinity
            if t <= 0 {
                isFree[i] = false
                continue
            }
            d[i] = -g
            slope -= g * g
            if t.isFinite { breaks.append((t, i)) }
            for k in 0..<m { p[k] += w[m * i + k] * d[i] }
        }
        guard slope < 0 else { return slope == 0 ? x : nil }
        breaks.sort { ($0.t, $0.index) < ($1.t, $1.index) }
        /// Row i of W times v.
        func product(_ i: Int, _ v: [Double]) -> Double {
            var sum = 0.0
            for k in 0..<m { sum += w[m * i + k] * v[k] }
            return sum
        }
        let mp = timesM(p)
        var curvature = -theta * slope, reached = 0.0
        for k in 0..<m { curvature -= p[k] * mp[k] }
        var best = -slope / curvature
        for (t, b) in breaks {
            let length = t - reached
            // Where the curvature is not positive, rounding has the upper hand: on to the next break point.
            if curvature > 0 && best < length { break }
            let g = Double(point.gradient[b])
            x[b] = g > 0 ? bounds.lower[b] : bounds.upper[b]
            isFree[b] = false
            let z = Double(x[b]) - Double(point.x[b])
            for k in 0..<m { c[k] += length * p[k] }
            let mc = timesM(c), mp = timesM(p), mw = timesM(Array(w[m * b..<m * (b + 1)]))
            slope += length * curvature + g * g + theta * g * z - g * product(b, mc)
            curvature -= theta * g * g + 2 * g * product(b, mp) + g * g * product(b, mw)
            for k in 0..<m { p[k] += g * w[m * b + k] }
            d[b] = 0
            reached = t
            best = curvature > 0 ? -slope / curvature : 0
        }
        let last = max(0, best)
        guard last.isFinite else { return nil }
        reached += last
        for i in 0..<n where d[i] != 0 { x[i] = Scalar(Double(point.x[i]) + reached * d[i]) }
        for k in 0..<m { c[k] += last * p[k] }

        // Over the free variables: −B_FF⁻¹ r by Sherman, Morrison and Woodbury.
        let mc = timesM(c)
        var r = [Double](repeating: 0, count: n), v = [Double](repeating: 0, count: m)
        var gram = [Double](repeating: 0, count: m * m)
        for i in 0..<n where isFree[i] {
            r[i] = Double(point.gradient[i]) + theta * (Double(x[i]) - Double(point.x[i]))
            r[i] -= product(i, mc)
            for k in 0..<m {
                v[k] += w[m * i + k] * r[i]
                for l in 0..<m { gram[m * k + l] += w[m * i + k] * w[m * i + l] }
            }
        }
        if m > 0 {
            // (I − M WᵀW / θ) v' = M v.
            var system = Matrix<Double>(rows: m, columns: m, repeating: 0)
            for l in 0..<m {
                let column = timesM((0..<m).map { gram[m * $0 + l] })
                for k in 0..<m { system[k, l] = (k == l ? 1 : 0) - column[k] / theta }
            }
            guard let solved = try? LU(system).solve(timesM(v)) else { return nil }
            v = solved
        }
        var share = 1.0
        var step = [Double](repeating: 0, count: n)
        for i in 0..<n where isFree[i] {
            step[i] = -r[i] / theta - product(i, v) / (theta * theta)
            let bound = step[i] > 0 ? bounds.upper[i] : bounds.lower[i]
            if step[i] != 0, bound.isFinite { share = min(share, (Double(bound) - Double(x[i])) / step[i]) }
        }
        share = max(0, share)
        for i in 0..<n where isFree[i] {
            x[i] = min(max(Scalar(Double(x[i]) + share * step[i]), bounds.lower[i]), bounds.upper[i])
            if !x[i].isFinite { return nil }
        }
        return x
    }
}
