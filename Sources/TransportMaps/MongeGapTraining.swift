import Autodiff
import Kernels
import LinearAlgebra
import NeuralNetworks
import OptimalTransport

/// Learning a transport map from two samples: the loss Δ(T(x), y) + λ M(T), for `Trainer`.
///
/// Δ is the Sinkhorn divergence between the images of a batch and a batch of the target, M the ``MongeGap`` on the same batch. Without a
/// gap only the fit counts, and any of the maps that carry the one measure to the other will do.
///
/// ```swift
/// let training = MongeGapTraining(source: x, target: y, gapWeight: 1)
/// let trainer = Trainer(Network(MLP<Float>([2, 64, 64, 2], activation: .gelu)), loss: training.loss, optimizer: Adam(learningRate: 1e-3),
///                       batchSize: 256, seed: 1)
/// var state = trainer.makeState()
/// try trainer.train(&state, on: training.samples, epochs: 20)
/// let images = trainer.network(Tensor(x), Tensor(state.parameters))
/// ```
///
/// Source: Uscidda & Cuturi 2023, arXiv 2302.04953, §4.
public struct MongeGapTraining<Scalar: KernelScalar>: Sendable {
    public let samples: UnpairedSamples<Scalar>
    /// `nil` for the fit alone.
    public let gap: MongeGap<Scalar>?
    public let gapWeight: Scalar
    public let divergence: Sinkhorn<Scalar>

    /// - Parameters:
    ///   - gapWeight: λ; 1 in the paper's default, 0 for none.
    ///   - cost: of the gap. The fit is measured by ‖x − y‖².
    ///   - gapEpsilon: ε of the gap; 0.01 of the mean cost from source to target if `nil`.
    ///   - fittingEpsilon: ε of the divergence; 0.1 of the mean ‖y − y′‖² of the target if `nil`.
    ///   - tolerance: of the marginals.
    /// - Precondition: as many source as target points, of as many coordinates; λ ≥ 0.
    /// - Throws: `TransportError` if a coordinate is not finite.
    public init(
        source: Matrix<Scalar>, target: Matrix<Scalar>, gapWeight: Scalar = 1, cost: PointCost = .squaredEuclidean, gapEpsilon: Scalar? = nil,
        fittingEpsilon: Scalar? = nil, tolerance: Double = 1e-3
    ) throws(TransportError) {
        require(gapWeight >= 0, "gap weight is \(gapWeight); expected no negative number")
        samples = UnpairedSamples(source, target)
        // Of up to 1000 points: a mean to a few per cent.
        let x = source.leading(1000), y = target.leading(1000)
        let own = try Geometry(from: y, to: y).meanCost(), across = try Geometry(from: x, to: y, cost: cost).meanCost()
        divergence = Sinkhorn(epsilon: fittingEpsilon ?? own / 10, tolerance: tolerance)
        gap = gapWeight > 0 ? MongeGap(.points(cost), epsilon: gapEpsilon ?? abs(across) / 100, tolerance: tolerance) : nil
        self.gapWeight = gapWeight
    }

    /// Δ(t, y) + λ M(x, t) of images t of a batch.
    public var loss: Loss<Scalar, SamplePair<Scalar>> {
        Loss { [gap, gapWeight, divergence] images, pair in
            let n = images.shape[0], even = Tensor(shape: [n], repeating: 1 / Scalar(n))
            let fit = sinkhornDivergence(from: images, even, to: pair.target, even, solver: divergence)
            guard let gap else { return fit }
            return fit + gapWeight * gap(pair.source, images)
        }
    }
}

/// A batch of either measure.
public struct SamplePair<Scalar: KernelScalar>: Sendable {
    public let source: Tensor<Scalar>, target: Tensor<Scalar>
}

/// Samples of two measures, of which a batch takes equally many. Which come together means nothing.
public struct UnpairedSamples<Scalar: KernelScalar>: TrainingData {
    public let source: Tensor<Scalar>, target: Tensor<Scalar>

    /// - Precondition: as many source as target points, of as many coordinates.
    public init(_ source: Matrix<Scalar>, _ target: Matrix<Scalar>) {
        require(source.rows == target.rows && source.columns == target.columns,
                "\(source.rows)×\(source.columns) source points and \(target.rows)×\(target.columns) target points; expected the same")
        (self.source, self.target) = (Tensor(source), Tensor(target))
    }

    public var count: Int { source.shape[0] }

    public func batch(_ indices: [Int]) -> (input: Tensor<Scalar>, target: SamplePair<Scalar>) {
        let x = source.gathered(indices)
        return (x, SamplePair(source: x, target: target.gathered(indices)))
    }
}

extension Matrix {
    fileprivate func leading(_ count: Int) -> Matrix {
        rows <= count ? self : Matrix(rows: count, columns: columns, elements: Array(elements.prefix(count * columns)))
    }
}
