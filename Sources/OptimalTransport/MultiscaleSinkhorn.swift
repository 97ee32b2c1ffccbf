import Kernels
import LinearAlgebra
import Objectives
import RealModule

/// Entropic transport between many points for ‖x − y‖² and a small ε: what ``Sinkhorn`` solves, by passes over those pairs alone that can hold mass.
///
/// Points are put in the order of k-d trees, nodes of which are tiles with boxes. ε falls from the size of the costs by steps of ¼. As long as it is large
/// beside the nodes, their means stand for the points (coarse to fine); potentials go to the children by their derivative, ∇f(x) = 2(x − y̅(x)) with
/// the mean y̅ of where a node's mass goes. A pass skips the pairs of tiles for which
///
///     max f + max g − min C < −cut · ε          with the least distance of the boxes for min C
///
/// and the choice is made anew when potentials have risen or ε falls.
///
/// The truncation is never silent: with the last potentials the mass δ that the skipped pairs hold at most is summed up. It counts against the tolerance
/// twice, and the dual value of the whole problem is at most ε δ below the reported one. A run in which it does not fit is not `converged`.
///
/// It pays where few pairs matter: by a lot for an ε of 0.001 of the mean cost in two or three dimensions, not in high dimension, where boxes are large.
///
/// Source: Schmitzer 2019.
///
/// - Complexity: O(n log² n) for the trees; a pass takes time in the kept pairs, and memory O(n + m) and a number for each kept pair of tiles.
public struct MultiscaleSinkhorn<Scalar: KernelScalar>: Sendable {
    public let epsilon: Scalar
    public let tolerance: Double
    public let iterationLimit: Int
    public let tileSize: Int

    /// - Parameters:
    ///   - epsilon: ε, above 0, in the units of the cost.
    ///   - tolerance: for ‖P1 − a‖₁ + ‖Pᵀ1 − b‖₁ as a part of the mass, what is skipped included.
    ///   - iterationLimit: passes at the last ε.
    ///   - tileSize: the most points of a tile.
    public init(epsilon: Scalar, tolerance: Double = 1e-4, iterationLimit: Int = 1000, tileSize: Int = 64) {
        require(epsilon > 0 && epsilon.isFinite, "epsilon is \(epsilon); expected a finite number above 0")
        require(tolerance > 0, "tolerance is \(tolerance); expected a number above 0")
        require(iterationLimit >= 0, "iteration limit is \(iterationLimit); expected no negative number")
        require(tileSize >= 1, "tiles of \(tileSize) points; expected at least 1")
        (self.epsilon, self.tolerance, self.iterationLimit, self.tileSize) = (epsilon, tolerance, iterationLimit, tileSize)
    }

    /// What came out.
    public struct Solution: Sendable {
        /// The plan is a ``TruncatedPlan``; the marginal error has 2 δ in it.
        public let transport: TransportSolution<Scalar>
        /// Skipped pairs by all, in the last pass.
        public let skippedShare: Double
        /// δ: a bound for the mass that the potentials give the skipped pairs.
        public let omittedMass: Double
        /// ε δ: how far the dual value of the whole problem at these potentials can be below the reported one.
        public let valueError: Double
    }

    /// - Precondition: both marginals are exact; the geometry is one of points with the cost `squaredEuclidean`.
    /// - Throws: ``TransportError/epsilonBelowPrecision(epsilon:largestCost:exponentError:)``. What else can go wrong is in the status.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve(_ problem: TransportProblem<Scalar>) throws(TransportError) -> Solution {
        requireExactMarginals(problem)
        let clock = ContinuousClock(), begin = clock.now
        guard case .points(let clouds) = problem.geometry.storage, clouds.cost == .squaredEuclidean else {
            require(false, "a geometry of points with squared distances is expected")
            fatalError()
        }
        let largest = clouds.squaredDiameter, error = largest * Double(Scalar.ulpOfOne) / 2 / Double(epsilon)
        guard error <= 0.05 else { throw .epsilonBelowPrecision(epsilon: Double(epsilon), largestCost: largest, exponentError: error) }
        let source = PointTree(clouds.prepared.source, weights: problem.sourceWeights)
        let target = PointTree(clouds.prepared.target, weights: problem.targetWeights)
        var level = Level(source, target, depths: (0, 0), tileSize, f: [0], g: [0])
        var stage = max(Double(epsilon), largest / 4), depths = (0, 0)
        while true {
            let isLast = stage == Double(epsilon)
            depths = isLast ? (source.depth, target.depth) : (source.depth(for: stage, from: depths.0), target.depth(for: stage, from: depths.1))
            level = level.refined(source, target, depths: depths, tileSize)
            let end = run(&level, Scalar(stage), problem.mass, isLast: isLast)
            if let end {
                return solution(problem, level, end, source.order, target.order, seconds: (clock.now - begin) / .seconds(1))
            }
            // The last step is not a tiny one.
            stage = stage / 4 < 2 * Double(epsilon) ? Double(epsilon) : stage / 4
        }
    }

    /// Iterations at one ε, until the error is small enough.
    ///
    /// - Returns: why the run ends, or `nil` if ε is to fall.
    private func run(_ level: inout Level, _ epsilon: Scalar, _ mass: Double, isLast: Bool) -> Termination? {
        let a = level.source.weights, b = level.target.weights
        // What the cut leaves out holds less than a hundredth of the tolerance, or of what a step of ε is solved to.
        let goal = isLast ? tolerance : 0.01, cut = Double.log(100 / goal), margin = 3.0
        func choice(_ f: [Double], _ g: [Double]) -> TruncatedKernel<Scalar> {
            TruncatedKernel(level.source, level.target, epsilon: epsilon, f, g, cut: cut + margin)
        }
        var kernel = choice(level.f, level.g), scaling = GibbsScaling(epsilon: epsilon, a, b, potentials: level.f, level.g)
        var pace = RelaxationPace(fixed: nil), iterations = 0, since = 0, end: Termination?
        var rowSums = [Scalar](repeating: 0, count: a.count), totals = [Double](repeating: 0, count: b.count)
        level.errors = []
        while true {
            let omega = pace.relaxation
            kernel.pass(
                rowShifts: &scaling.rowShifts, columnShifts: scaling.columnShifts, columnScales: scaling.columnScales,
                rule: omega == 1 ? .divide : .power(Scalar(omega)), weights: a, rowSums: &rowSums, rowScales: &scaling.rowScales, columnTotals: &totals)
            iterations += 1
            var error = 0.0
            for i in a.indices { error += abs(Double(scaling.rowScales[i]) * Double(rowSums[i]) - Double(a[i])) }
            for j in b.indices { error += abs(Double(scaling.columnScales[j]) * totals[j] - Double(b[j])) }
            error /= mass
            level.errors.append(error)
            let isNear = error <= (isLast ? 0.9 * goal : goal)
            if !error.isFinite {
                end = Termination(.nonFinite, "the marginal error is \(error) after \(iterations) iterations at epsilon \(epsilon)")
                break
            }
            if isNear, !isLast { break }
            if isNear || iterations == iterationLimit {
                (level.f, level.g) = (scaling.rowPotentials(a), scaling.columnPotentials(b))
                let omitted = kernel.omittedMass(level.f, level.g)
                if error + 2 * omitted / mass <= goal {
                    end = Termination(.converged, "the marginal error \(error) and twice the skipped mass \(omitted / mass) are at most \(tolerance)")
                    break
                }
                if iterations == iterationLimit {
                    end = Termination(.iterationLimit, "all \(iterationLimit) iterations are done; the marginal error is \(error), the skipped mass at most \(omitted / mass)")
                    break
                }
                kernel = choice(level.f, level.g)
            }
            if !isLast, iterations == 200 { break }
            for j in b.indices where b[j] > 0 {
                if totals[j] > 0 {
                    let v = Double(scaling.columnScales[j]), weight = Double(b[j])
                    scaling.columnScales[j] = Scalar(omega == 1 ? weight / totals[j] : v * Double.exp(omega * Double.log(weight / (totals[j] * v))))
                } else {
                    // Below the range: into it again.
                    scaling.columnShifts[j] += 16
                }
            }
            scaling.absorbIfNeeded()
            pace.observe(error)
            since += 1
            if since == 1 || since % 4 == 0 {
                let f = scaling.rowPotentials(a), g = scaling.columnPotentials(b)
                if since == 1 || kernel.rise(f, g) > margin - 1 {
                    kernel = choice(f, g)
                    since = 1
                }
            }
        }
        (level.f, level.g) = (scaling.rowPotentials(a), scaling.columnPotentials(b))
        (level.kernel, level.scaling, level.rowSums, level.totals) = (kernel, scaling, rowSums, totals)
        return end
    }

    private func solution(
        _ problem: TransportProblem<Scalar>, _ level: Level, _ end: Termination, _ sourceOrder: [Int], _ targetOrder: [Int], seconds: Double
    ) -> Solution {
        let kernel = level.kernel!, scaling = level.scaling!, epsilon = Double(epsilon), a = level.source.weights, b = level.target.weights
        let omitted = kernel.omittedMass(level.f, level.g)
        var (f, g) = (level.f, level.g)
        var primal = 0.0, dual = 0.0, sent = 0.0, error = 0.0, cost = 0.0
        for i in a.indices {
            // Where no mass is, the potential is what an update makes of it, if a kept pair tells.
            if a[i] == 0, level.rowSums[i] > 0 { f[i] = epsilon * (0.6931471805599453 * Double(scaling.rowShifts[i]) - Double.log(Double(level.rowSums[i]))) }
            let marginal = Double(scaling.rowScales[i]) * Double(level.rowSums[i])
            sent += marginal
            error += abs(marginal - Double(a[i]))
            primal += marginal * f[i]
            dual += Double(a[i]) * f[i]
            cost += marginal * Double(Scalar.dot(level.source.points.row(i), level.source.points.row(i)))
        }
        for j in b.indices {
            if b[j] == 0, level.totals[j] > 0 { g[j] = epsilon * (0.6931471805599453 * Double(scaling.columnShifts[j]) - Double.log(level.totals[j])) }
            let marginal = Double(scaling.columnScales[j]) * level.totals[j]
            error += abs(marginal - Double(b[j]))
            primal += marginal * g[j]
            dual += Double(b[j]) * g[j]
            cost += marginal * Double(Scalar.dot(level.target.points.row(j), level.target.points.row(j)))
        }
        for k in 0..<level.source.dimension {
            let image = kernel.product(scaling, level.target.points.column(k))
            for i in a.indices { cost -= 2 * Double(level.source.points[i, k]) * Double(image[i]) }
        }
        let product = problem.mass * b.reduce(0.0) { $0 + Double($1) }
        primal -= epsilon * (sent - product)
        dual -= epsilon * (sent - product)
        func restored(_ x: [Double], _ order: [Int]) -> [Scalar] {
            var result = [Scalar](repeating: 0, count: x.count)
            for (k, i) in order.enumerated() { result[i] = Scalar(x[k]) }
            return result
        }
        let plan = TruncatedPlan(kernel: kernel, scaling: scaling, sourceOrder: sourceOrder, targetOrder: targetOrder)
        let transport = TransportSolution(
            problem: problem, plan: plan, sourcePotential: restored(f, sourceOrder), targetPotential: restored(g, targetOrder),
            transportCost: Scalar(cost), primalValue: Scalar(primal), dualValue: Scalar(dual), marginalError: Scalar(error + 2 * omitted),
            status: end.status, reason: end.reason, iterations: level.errors.count, marginalErrors: level.errors, seconds: seconds)
        return Solution(transport: transport, skippedShare: 1 - kernel.keptShare, omittedMass: omitted, valueError: epsilon * omitted)
    }

    /// The measures at some depths of their trees, with potentials, and what the last pass there left.
    private struct Level {
        let source: PointTiles<Scalar>, target: PointTiles<Scalar>
        let depths: (Int, Int)
        var f: [Double], g: [Double]
        var kernel: TruncatedKernel<Scalar>?
        var scaling: GibbsScaling<Scalar>?
        var rowSums: [Scalar] = []
        var totals: [Double] = []
        var errors: [Double] = []

        init(_ source: PointTree<Scalar>, _ target: PointTree<Scalar>, depths: (Int, Int), _ tileSize: Int, f: [Double], g: [Double]) {
            self.source = source.tiles(atDepth: depths.0, size: tileSize)
            self.target = target.tiles(atDepth: depths.1, size: tileSize)
            (self.depths, self.f, self.g) = (depths, f, g)
        }

        /// The children, with potentials from the first two terms of Taylor: f(x) = f(x̅) + ‖x‖² − ‖x̅‖² − 2(x − x̅)·y̅.
        func refined(_ sourceTree: PointTree<Scalar>, _ targetTree: PointTree<Scalar>, depths new: (Int, Int), _ tileSize: Int) -> Level {
            if new == depths { return self }
            var level = Level(sourceTree, targetTree, depths: new, tileSize, f: [], g: [])
            guard let kernel, let scaling else {
                // Nothing has been solved yet.
                level.f = [Double](repeating: 0, count: level.source.points.rows)
                level.g = [Double](repeating: 0, count: level.target.points.rows)
                return level
            }
            let d = source.dimension
            let images = (0..<d).map { kernel.product(scaling, target.points.column($0)) }, back = (0..<d).map { kernel.adjointProduct(scaling, source.points.column($0)) }
            let sent = zip(scaling.rowScales, rowSums).map { Double($0) * Double($1) }, received = zip(scaling.columnScales, totals).map { Double($0) * $1 }
            level.f = Self.extended(f, source.points, images, sent, sourceTree.starts[depths.0], level.source.points, sourceTree.starts[new.0])
            level.g = Self.extended(g, target.points, back, received, targetTree.starts[depths.1], level.target.points, targetTree.starts[new.1])
            return level
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        private static func extended(
            _ potentials: [Double], _ parents: Matrix<Scalar>, _ images: [[Scalar]], _ masses: [Double], _ starts: [Int], _ children: Matrix<Scalar>,
            _ childStarts: [Int]
        ) -> [Double] {
            var parent = 0
            return (0..<children.rows).map { child in
                while starts[parent + 1] <= childStarts[child] { parent += 1 }
                var value = potentials[parent]
                guard masses[parent] > 0 else { return value }
                for k in 0..<children.columns {
                    let x = Double(children[child, k]), center = Double(parents[parent, k])
                    value += x * x - center * center - 2 * (x - center) * (Double(images[k][parent]) / masses[parent])
                }
                return value
            }
        }
    }
}

extension PointTree {
    /// The least depth from `depth` on whose nodes are small beside √ε: no less than 1000 of them.
    fileprivate func depth(for epsilon: Double, from depth: Int) -> Int {
        var depth = max(depth, min(10, self.depth))
        while depth < self.depth, nodes(atDepth: depth).radius > 0.5 * epsilon.squareRoot() { depth += 1 }
        return depth
    }
}

extension PointClouds {
    /// The square of the diagonal of the box of all points.
    fileprivate var squaredDiameter: Double {
        var sum = 0.0
        for k in 0..<dimension {
            let x = coordinates.source.row(k), y = coordinates.target.row(k)
            var low = Scalar.infinity, high = -Scalar.infinity
            for i in x.indices { (low, high) = (min(low, x[i]), max(high, x[i])) }
            for j in y.indices { (low, high) = (min(low, y[j]), max(high, y[j])) }
            sum += Double(high - low) * Double(high - low)
        }
        return sum
    }
}
