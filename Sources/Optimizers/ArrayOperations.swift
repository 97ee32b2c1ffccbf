import Kernels

/// b − a.
func difference<Scalar: KernelScalar>(_ b: [Scalar], _ a: [Scalar]) -> [Scalar] {
    var result = b
    var span = result.mutableSpan
    Scalar.axpy(-1, a.span, &span)
    return result
}

/// aᵀb.
func product<Scalar: KernelScalar>(_ a: [Scalar], _ b: [Scalar]) -> Double { Double(Scalar.dot(a.span, b.span)) }

/// ‖b − a‖₂.
func distance<Scalar: KernelScalar>(_ b: [Scalar], _ a: [Scalar]) -> Double { Double(Scalar.nrm2(difference(b, a).span)) }

/// The elements as an array.
func copy<Scalar: KernelScalar>(of span: Span<Scalar>) -> [Scalar] {
    [Scalar](capacity: span.count) { output in
        for i in span.indices { output.append(span[i]) }
    }
}

/// ‖x‖₂ / √n; 0 for no elements.
func rootMeanSquare<Scalar: KernelScalar>(_ x: Span<Scalar>) -> Scalar {
    x.isEmpty ? 0 : Scalar.nrm2(x) / Scalar(x.count).squareRoot()
}
