import Descent

/// Minibatch training of a tanh network in which each batch is an objective, so that gradient and Hessian products see the same one.
struct MinibatchTraining {
    let network: Network<MLP<Float>>
    let inputs: Tensor<Float>, labels: [Int]
    let batchSize: Int
    let seed: UInt64

    /// The cross entropy of some examples.
    func objective(_ inputs: Tensor<Float>, _ labels: [Int]) -> TensorObjective<Float> {
        TensorObjective(dimension: network.parameterCount) { [network] in crossEntropy(network(inputs, $0), labels: labels) }
    }

    /// The loss on all examples.
    func loss(_ x: [Float]) -> Double { Double(objective(inputs, labels).value(at: x.span)) }

    /// The share of some examples that is classified rightly.
    func accuracy(_ x: [Float], on inputs: Tensor<Float>, _ labels: [Int]) -> Double {
        Loss<Float, [Int]>.crossEntropy().accuracy!(network(inputs, Tensor(x)), labels)
    }

    /// Trains until `isDone` says so after a step, or `steps` are made, and returns the parameters.
    func train<Method: Optimizer<Float>>(
        with method: Method, steps: Int, until isDone: (Int, [Float]) -> Bool = { _, _ in false }
    ) -> [Float] {
        var state = method.initialState(like: network.initialParameters(seed: seed))
        return train(steps, isDone) { x, gradient, _ in method.step(&x, gradient: gradient, state: &state) }
    }

    func train(
        with method: AdaHessian<Float>, steps: Int, until isDone: (Int, [Float]) -> Bool = { _, _ in false }
    ) -> [Float] {
        var state = method.initialState(like: network.initialParameters(seed: seed))
        return train(steps, isDone) { x, gradient, batch in
            let diagonal = method.needsHessian(state) ? method.hessianDiagonal(of: batch, at: x.span, state: &state) : []
            method.step(&x, gradient: gradient, hessianDiagonal: diagonal, state: &state)
        }
    }

    private func train(
        _ steps: Int, _ isDone: (Int, [Float]) -> Bool, _ step: (inout [Float], [Float], TensorObjective<Float>) -> Void
    ) -> [Float] {
        var x = network.initialParameters(seed: seed)
        let order = BatchOrder(count: labels.count, batchSize: batchSize, seed: seed)
        for t in 0..<steps {
            let (epoch, b) = t.quotientAndRemainder(dividingBy: order.batchesPerEpoch)
            let indices = order.batch(b, of: order.order(epoch: epoch))
            let batch = objective(inputs.gathered(indices), indices.map { labels[$0] })
            var gradient = x, span = gradient.mutableSpan
            _ = batch.valueAndGradient(at: x.span, gradient: &span)
            step(&x, gradient, batch)
            if isDone(t + 1, x) { break }
        }
        return x
    }

    /// The time of a Hessian diagonal from so many probes on a batch, in gradients of that batch.
    func priceOfADiagonal(probes: Int) -> Double {
        let indices = Array(0..<batchSize), batch = objective(inputs.gathered(indices), indices.map { labels[$0] })
        let x = network.initialParameters(seed: seed)
        var gradient = x
        let times = medianSeconds(rounds: 31, [
            {
                var span = gradient.mutableSpan
                _ = batch.valueAndGradient(at: x.span, gradient: &span)
            }, { _ = try? HutchinsonDiagonal<Float>(probes: probes).estimate(HessianOperator(of: batch, at: x)) },
        ])
        return times[1] / times[0]
    }
}
