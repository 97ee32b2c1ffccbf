import Descent

/// The tour's training: AdaHessian against Adam on the digits, in steps and in time to a loss, and what a Hessian diagonal costs.
///
/// AdaHessian knows the scale of each weight's curvature, and pays for it with Hessian products: fewer steps need not be less time.
func digitsTraining(_ digits: Dataset<Float>, _ context: inout Context) -> (checks: [Check], table: Table) {
    let seeds = context.quick ? 2 : 5, limit = 600, target = 0.05
    let network = Network(MLP<Float>([64, 128, 10]))
    let averaging = HessianAveraging.blocks(network.layout, matrices: .overColumns)
    let methods: [(name: String, rates: [Double], interval: Int?)] = [
        ("Adam", [0.01, 0.03, 0.1], nil), ("AdaHessian", [0.1, 0.2, 0.4], 1), ("AdaHessian, every fifth step", [0.1, 0.2, 0.4], 5),
    ]
    struct Course { var steps: [Double] = [], seconds: [Double] = [], accuracies: [Double] = [], reached = true }
    var courses: [Course] = [], rates: [Double] = [], prices: [Double] = []

    /// One training; the time of looking at the loss, every tenth step, is not the method's.
    func run(_ k: Int, _ rate: Double, _ seed: UInt64, into course: inout Course) {
        let parts = digits.replacingFeatures(digits.features.map { $0 / 16 }).trainTestSplit(testFraction: 1.0 / 3, seed: seed, stratified: true)
        let training = MinibatchTraining(
            network: network, inputs: Tensor(parts.train.features), labels: parts.train.labels!, batchSize: 128, seed: seed)
        var steps = limit, looking = Duration.zero, reached = false
        func isDone(_ step: Int, _ x: [Float]) -> Bool {
            guard step % 10 == 0 else { return false }
            let begin = ContinuousClock.now
            reached = training.loss(x) <= target
            looking += ContinuousClock.now - begin
            if reached { steps = step }
            return reached
        }
        let begin = ContinuousClock.now
        let x = if let interval = methods[k].interval {
            training.train(with: AdaHessian<Float>(
                learningRate: .constant(rate), interval: interval, averaging: averaging, seed: seed), steps: limit, until: isDone)
        } else {
            training.train(with: Adam<Float>(learningRate: .constant(rate)), steps: limit, until: isDone)
        }
        course.seconds.append((ContinuousClock.now - begin - looking).seconds)
        course.steps.append(Double(steps))
        course.accuracies.append(training.accuracy(x, on: Tensor(parts.test.features), parts.test.labels!))
        course.reached = course.reached && reached
        if prices.isEmpty { prices = [training.priceOfADiagonal(probes: 1), training.priceOfADiagonal(probes: 8)] }
    }
    for (k, method) in methods.enumerated() {
        context.report(0.8 + 0.2 * Double(k) / 3, "training by \(method.name)")
        // Each with the rate that is best on a split of its own.
        let seed = context.seed
        let tuned = method.rates.map { rate in
            var course = Course()
            run(k, rate, seed &+ 1000, into: &course)
            return (rate: rate, steps: course.steps[0])
        }
        rates.append(tuned.min { $0.steps < $1.steps }!.rate)
        var course = Course()
        for s in 0..<seeds { run(k, rates[k], seed &+ UInt64(s), into: &course) }
        courses.append(course)
    }
    var table = Table(
        "A 64-128-10 network on the digits, batch 128, to a loss of \(short(target)), mean of \(seeds) seeds; a Hessian diagonal costs "
            + "\(short(prices[0])) gradients from one probe, \(short(prices[1])) from eight",
        columns: ["method", "rate", "steps", "time, ms", "test accuracy"])
    for (k, course) in courses.enumerated() {
        table.append(methods[k].name, short(rates[k]), short(mean(course.steps)), short(1e3 * mean(course.seconds)),
                     short(100 * mean(course.accuracies)) + " %")
    }
    let checks = [
        Check("methods that reach the loss with every seed", Double(courses.count { $0.reached }), .equal, 3,
              source: "within \(limit) steps, some \(limit * 128 / 1198) epochs"),
        Check("accuracy of AdaHessian less that of Adam", mean(courses[1].accuracies) - mean(courses[0].accuracies), .atLeast, -0.02,
              source: "both stop at the same loss; mean of \(seeds) seeds"),
    ]
    return (checks, table)
}
