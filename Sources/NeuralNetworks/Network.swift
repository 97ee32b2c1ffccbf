import Autodiff
import Kernels
import LinearAlgebra
import Optimizers
import Randomness

/// A module with the places of its parameters in one flat vector.
///
/// ```swift
/// let network = Network(MLP<Float>([64, 32, 10], activation: .tanh))
/// let parameters = network.initialParameters(seed: 1)
/// let scores = network(images, parameters)
/// ```
public struct Network<Body: Module>: Sendable {
    public typealias Scalar = Body.Scalar

    public let body: Body
    /// Names, shapes and places of the parameters.
    public let layout: ParameterLayout
    /// The same for what training gathers and inference reads (``ParameterDeclaration/addStatistic(_:shape:_:)``).
    public let statisticsLayout: ParameterLayout
    private let entries: [ParameterDeclaration.Entry], statisticsEntries: [ParameterDeclaration.Entry]
    private let places: Places

    public init(_ body: Body) {
        var declaration = ParameterDeclaration()
        body.declareParameters(&declaration)
        self.body = body
        entries = declaration.parameters
        statisticsEntries = declaration.statistics
        layout = ParameterLayout(entries.map { ($0.name, $0.shape) })
        statisticsLayout = ParameterLayout(statisticsEntries.map { ($0.name, $0.shape) })
        places = Places(layout, statisticsLayout)
    }

    /// The number of parameters.
    public var parameterCount: Int { layout.count }

    /// New parameters. Each has a random stream of its own, so that one more layer leaves those before it as they were.
    public func initialParameters(seed: UInt64) -> [Scalar] { initial(entries, RandomStream(seed: seed)) }

    /// Statistics before any training.
    public func initialStatistics() -> [Scalar] { initial(statisticsEntries, RandomStream(seed: 0)) }

    private func initial(_ entries: [ParameterDeclaration.Entry], _ random: RandomStream) -> [Scalar] {
        var result: [Scalar] = []
        for (i, entry) in entries.enumerated() {
            var own = random.substream(UInt64(i))
            result += entry.initializer.elements(entry.shape, using: &own) as [Scalar]
        }
        return result
    }

    /// The output in inference.
    ///
    /// - Precondition: as many parameters and statistics as the layouts have.
    public func callAsFunction(_ input: Body.Input, _ parameters: Tensor<Scalar>, statistics: [Scalar]? = nil) -> Tensor<Scalar> {
        run(input, parameters, statistics ?? initialStatistics(), isTraining: false, RandomStream(seed: 0)).output
    }

    /// The output in a step of training, and the statistics after it.
    ///
    /// - Parameter random: for drop-out and the like; the same numbers give the same output.
    /// - Precondition: as many parameters and statistics as the layouts have.
    public func trainingPass(
        _ input: Body.Input, _ parameters: Tensor<Scalar>, statistics: [Scalar], random: RandomStream
    ) -> (output: Tensor<Scalar>, statistics: [Scalar]) {
        run(input, parameters, statistics, isTraining: true, random)
    }

    /// A pass in inference, for a body that gives more than its output: `network.body.states(batch, network.inferencePass(parameters))`.
    ///
    /// - Precondition: as many parameters and statistics as the layouts have.
    public func inferencePass(_ parameters: Tensor<Scalar>, statistics: [Scalar]? = nil) -> ForwardPass<Scalar> {
        pass(parameters, statistics ?? initialStatistics(), StatisticsRecorder(), isTraining: false, RandomStream(seed: 0))
    }

    private func run(
        _ input: Body.Input, _ parameters: Tensor<Scalar>, _ statistics: [Scalar], isTraining: Bool, _ random: RandomStream
    ) -> (output: Tensor<Scalar>, statistics: [Scalar]) {
        let recorder = StatisticsRecorder<Scalar>()
        let output = body(input, pass(parameters, statistics, recorder, isTraining: isTraining, random))
        var after = statistics
        for (offset, elements) in recorder.values.withLock({ $0 }) { after.replaceSubrange(offset..<offset + elements.count, with: elements) }
        return (output, after)
    }

    private func pass(
        _ parameters: Tensor<Scalar>, _ statistics: [Scalar], _ recorder: StatisticsRecorder<Scalar>, isTraining: Bool,
        _ random: RandomStream
    ) -> ForwardPass<Scalar> {
        require(parameters.shape == [layout.count], "parameters of shape \(parameters.shape); the network has \(layout.count)")
        require(statistics.count == statisticsLayout.count, "\(statistics.count) statistics; the network has \(statisticsLayout.count)")
        return ForwardPass(
            parameters: parameters, statistics: Tensor(statistics), places: places, recorder: recorder, isTraining: isTraining,
            random: random)
    }

    /// The parameters as named tensors, in the order of the layout.
    ///
    /// - Precondition: as many as the layout has.
    public func tree(_ parameters: [Scalar]) -> [(name: String, tensor: Tensor<Scalar>)] {
        require(parameters.count == layout.count, "\(parameters.count) parameters; the network has \(layout.count)")
        let all = Tensor(parameters)
        return layout.blocks.map { ($0.name, all.part(from: $0.offset, shape: $0.shape)) }
    }
}
