import Kernels

/// scale · sign(xᵢ); NaN stays NaN.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func signs<Scalar: KernelScalar>(_ x: [Scalar], scale: Scalar) -> [Scalar] { x.map { scale * ($0 > 0 ? 1 : $0 < 0 ? -1 : $0) } }

/// (1/n) Σ |xᵢ|.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func meanMagnitude<Scalar: KernelScalar>(_ x: [Scalar]) -> Scalar { x.reduce(0) { $0 + $1.magnitude } / Scalar(x.count) }
