import Kernels
import LinearAlgebra
import Objectives

/// Least squares of the sketch alone, min ‖S (b − A x)‖: one pass over A, and a residual that is a little too long.
///
/// With a Gaussian S of d rows E ‖A (x − x*)‖² = n/(d − n − 1) ‖r*‖², where r* is the least residual; sparse signs are measured the
/// same. For an accurate x use ``FOSSILS``, which begins here.
///
/// - Complexity: that of the sketch and O(d n²), and one more pass over A to estimate the backward error.
public struct SketchAndSolve: Sendable {
    public let sketch: SketchOptions

    public init(sketch: SketchOptions = SketchOptions()) { self.sketch = sketch }

    /// The x of least ‖S (b − A x)‖² + `ridge` ‖x‖².
    ///
    /// The status is `converged` when the sketched problem is solved; how far x is from the solution of the full one, `backwardError` says.
    ///
    /// - Precondition: A has at least as many rows as columns, `b` as many elements as A has rows; the ridge is finite and not negative.
    /// - Throws: `LinearAlgebraError.nonFinite` for A or b, `LinearAlgebraError.overflow`, and what LAPACK's methods throw.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve<Scalar: KernelScalar>(
        _ a: any SketchableMatrix<Scalar>, _ b: [Scalar], ridge: Scalar = 0
    ) throws(LinearAlgebraError) -> LeastSquaresEstimate<Scalar> {
        requireTall(a.rows, a.columns)
        let system = try LeastSquaresSystem(a, b, ridge: ridge)
        if let objection = sketch.objection(rows: a.rows, columns: a.columns) { return try system.solvedDirectly(because: objection) }
        let p = try sketch.whitening(system)
        let iterate = try LeastSquaresIterate(p.color(p.start), system, p)
        return iterate.estimate(
            .sketchAndSolve, .converged, "the sketch of \(p.sketchRows) rows is solved, and no more", p, iterations: 0, passes: 2)
    }
}
