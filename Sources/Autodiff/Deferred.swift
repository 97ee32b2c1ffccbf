import Kernels
import Synchronization

/// An operation whose value may wait until it is read: the shape is known without it, and the derivatives do not read it.
///
/// A Hessian-vector product differentiates the gradient, of which nobody reads the value. Its last products, those for the parameters, are
/// a third of a gradient's arithmetic.
protocol DeferrableOperation<Scalar>: DifferentiableOperation {
    func resultShape(_ inputs: [Tensor<Scalar>]) -> [Int]
}

/// An operation's result, computed when it is first read.
final class Deferred<Scalar: KernelScalar>: Sendable {
    private enum State {
        case waiting(any DifferentiableOperation<Scalar>, [Tensor<Scalar>])
        case known(Tensor<Scalar>)
    }

    private let state: Mutex<State>
    private let level: Int

    /// - Parameter inputs: the operands, seen from outside the transformation of `level` or, if they wait themselves, from inside.
    init(_ operation: any DifferentiableOperation<Scalar>, _ inputs: [Tensor<Scalar>], level: Int) {
        state = Mutex(.waiting(operation, inputs))
        self.level = level
    }

    var value: Tensor<Scalar> {
        state.withLock { state in
            switch state {
            case .known(let value): return value
            case .waiting(let operation, let inputs):
                let value = apply(operation, to: inputs.map { $0.outside(level) })
                state = .known(value)
                return value
            }
        }
    }
}
