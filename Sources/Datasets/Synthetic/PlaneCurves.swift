import Kernels
import LinearAlgebra
import Randomness
import RealModule

extension Synthetic {
    /// Two interleaved half circles: (cos t, sin t) and (1 − cos t, ½ − sin t), t evenly spaced on [0, π], plus N(0, `noise`²).
    ///
    /// The first class has ⌈count/2⌉ examples and comes first.
    public static func twoMoons<Scalar: KernelScalar & Real>(count: Int, noise: Scalar = 0, seed: UInt64) -> Dataset<Scalar> {
        twoCurves("Two moons", ["upper moon", "lower moon"], count: count, noise: noise, seed: seed) { curve, position, total in
            let t = total > 1 ? .pi * Scalar(position) / Scalar(total - 1) : 0
            return curve == 0 ? (.cos(t), .sin(t)) : (1 - .cos(t), 0.5 - .sin(t))
        }
    }

    /// Two circles about the origin, of radius 1 and `ratio`, with points evenly spaced in angle, plus N(0, `noise`²).
    ///
    /// The outer circle has ⌈count/2⌉ examples and comes first.
    ///
    /// - Precondition: `ratio` lies in 0..<1.
    public static func concentricCircles<Scalar: KernelScalar & Real>(
        count: Int, ratio: Scalar = 0.5, noise: Scalar = 0, seed: UInt64
    ) -> Dataset<Scalar> {
        require((0..<1).contains(ratio), "ratio is \(ratio); expected 0 to less than 1")
        return twoCurves("Concentric circles", ["outer", "inner"], count: count, noise: noise, seed: seed) { curve, position, total in
            let t = 2 * .pi * Scalar(position) / Scalar(total), radius = curve == 0 ? 1 : ratio
            return (radius * .cos(t), radius * .sin(t))
        }
    }

    /// A rolled-up sheet in space: (t cos t, 21 v, t sin t), t = 3π/2 · (1 + 2u), u and v uniform on [0, 1), plus N(0, `noise`²).
    ///
    /// The target is t, the place along the roll.
    public static func swissRoll<Scalar: KernelScalar & Real>(count: Int, noise: Scalar = 0, seed: UInt64) -> Dataset<Scalar> {
        require(count >= 0 && noise >= 0, "count \(count) and noise \(noise); expected no negative number")
        var stream = RandomStream(seed: seed)
        let unit: [Scalar] = stream.uniform(count: 2 * count)
        var elements: [Scalar] = stream.normal(count: 3 * count), places: [Scalar] = []
        for i in 0..<count {
            let t = 1.5 * Scalar.pi * (1 + 2 * unit[2 * i])
            let point = [t * .cos(t), 21 * unit[2 * i + 1], t * .sin(t)]
            for j in 0..<3 { elements[3 * i + j] = point[j] + noise * elements[3 * i + j] }
            places.append(t)
        }
        return Dataset(name: "Swiss roll", features: Matrix(rows: count, columns: 3, elements: elements),
                       featureNames: ["x", "y", "z"], target: .values(places))
    }

    private static func twoCurves<Scalar: KernelScalar>(
        _ name: String, _ classes: [String], count: Int, noise: Scalar, seed: UInt64,
        point: (_ curve: Int, _ position: Int, _ total: Int) -> (Scalar, Scalar)
    ) -> Dataset<Scalar> {
        require(count >= 0 && noise >= 0, "count \(count) and noise \(noise); expected no negative number")
        var stream = RandomStream(seed: seed)
        var elements: [Scalar] = stream.normal(count: 2 * count)
        let first = (count + 1) / 2
        for i in 0..<count {
            let (x, y) = i < first ? point(0, i, first) : point(1, i - first, count - first)
            elements[2 * i] = x + noise * elements[2 * i]
            elements[2 * i + 1] = y + noise * elements[2 * i + 1]
        }
        return Dataset(name: name, features: Matrix(rows: count, columns: 2, elements: elements), featureNames: ["x", "y"],
                       target: .classes(labels: (0..<count).map { $0 < first ? 0 : 1 }, names: classes))
    }
}
