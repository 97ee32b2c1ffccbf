import Kernels

/// An operation that is computed in one go and whose derivatives are those of an expression for it.
///
/// For combinations that occur in derivatives themselves, where speed counts once, and derivatives of still higher order just have to
/// be right.
protocol FusedOperation<Scalar>: DifferentiableOperation {
    /// The same function, in differentiable operations.
    func definition(_ inputs: [Tensor<Scalar>]) -> Tensor<Scalar>
}

extension FusedOperation {
    var derivativesRead: DerivativeOperands { .inputs }

    func jvp(_ inputs: [Tensor<Scalar>], _ tangents: [Tensor<Scalar>?], output: Tensor<Scalar>) -> Tensor<Scalar>? {
        let varied = inputs.indices.filter { tangents[$0] != nil }
        return Autodiff.jvp(of: { definition(inputs.replacing(varied, by: $0)) })(
            varied.map { inputs[$0] }, varied.map { tangents[$0]! }).tangent
    }

    func vjp(
        _ inputs: [Tensor<Scalar>], output: Tensor<Scalar>, cotangent: Tensor<Scalar>, wanted: InputSet
    ) -> [Tensor<Scalar>?] {
        let varied = inputs.indices.filter(wanted.contains)
        let products = Autodiff.vjp(of: { definition(inputs.replacing(varied, by: $0)) })(
            varied.map { inputs[$0] }).pullback(cotangent)
        var result = [Tensor<Scalar>?](repeating: nil, count: inputs.count)
        for (i, product) in zip(varied, products) { result[i] = product }
        return result
    }
}

extension Array {
    fileprivate func replacing(_ places: [Int], by elements: [Element]) -> [Element] {
        var result = self
        for (place, element) in zip(places, elements) { result[place] = element }
        return result
    }
}
