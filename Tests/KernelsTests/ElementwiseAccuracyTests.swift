import Kernels
import Testing
import _TestSupport

/// The published errors, over all kinds of input, on every tier.
@Suite struct ElementwiseAccuracyTests {
    /// Ends of ranges, knots, roundings of the range reductions.
    static let edges: [Double] = [
        0, 0x1p-1074, 0x1p-1022, 0x1p-149, 0x1p-126, 1e-300, 1e-20, 1e-5, 0.5, 0.875, 1, 2, 3.92, 3.95, 5.92, 5.95, 9.01, 9.1,
        16.635532, 17.32868, 19.06, 19.1, 36.7368, 87.33655, 88.722839, 89, 103.2789, 103.97208, 105, 708.3964,
        709.78271289338397, 710, 744.44007192138122, 745.13321910194122, 746, 1e10, 1e38, 0x1.fffffep127, 1e300,
        .greatestFiniteMagnitude, .infinity,
    ]

    /// Where the nearest multiple of ln 2 changes, for x and for 2 x.
    static let reductions: [Double] = (0..<40).flatMap { k -> [Double] in
        let half = Double(k) + 0.5
        return [half * 0.6931471805599453, half * 0.34657359027997264]
    }

    /// Where the logarithm's mantissa wraps.
    static let wraps: [Double] = (-30...30).map { Double(sign: .plus, exponent: $0, significand: 1) * 0.7071067811865476 }

    /// The edges in both signs with their neighbours, and NaN.
    static func edgeInputs<Scalar: KernelScalar>(_: Scalar.Type) -> [Scalar] {
        var inputs: [Scalar] = [.nan]
        for edge in edges + reductions + wraps {
            var up = Scalar(edge), down = up
            for _ in 0..<5 {
                inputs += [up, -up, down, -down]
                up = up.nextUp
                down = down.nextDown
            }
        }
        return inputs
    }

    @Test(arguments: ElementwiseFunction.allCases) func floats(_ function: ElementwiseFunction) throws {
        let sweep = stride(from: UInt64(0), to: 1 << 32, by: 9973).map { Float(bitPattern: UInt32($0)) }
        let x = Self.edgeInputs(Float.self) + sweep
        let exact = x.map { libraryValue(function, Double($0)) }
        for tier in KernelTier.supported {
            let y = try withKernelTier(tier) { function(x) }
            let worst = x.indices.max { ulpDistance(y[$0], from: exact[$0]) < ulpDistance(y[$1], from: exact[$1]) }!
            // The reference is off by up to 2⁻²⁹ ulp of a float.
            #expect(ulpDistance(y[worst], from: exact[worst]) <= function.bound.float + 1e-8,
                    "\(tier) \(function)(\(x[worst])) = \(y[worst]), expected \(exact[worst])")
        }
    }

    @Test(arguments: ElementwiseFunction.allCases) func doubles(_ function: ElementwiseFunction) throws {
        var numbers = TestNumbers(seed: 7)
        var x = Self.edgeInputs(Double.self)
        for _ in 0..<20_000 {
            x.append(Double(bitPattern: numbers.bits()))
            for range in [0.01, 1, 2, 8, 40, 800] { x.append(numbers.unit() * range) }
            x.append(1 + numbers.spread() / 4096)
        }
        let exact = x.map { libraryValue(function, WiderThanDouble($0)) }
        // 2⁻¹⁰ ulp where the reference is wider, else what libraries are known to reach.
        let slack = WiderThanDouble.significandBitCount > 52 ? 0x1p-10 : 1.0
        for tier in KernelTier.supported {
            let y = try withKernelTier(tier) { function(x) }
            let worst = x.indices.max { ulpDistance(y[$0], from: exact[$0]) < ulpDistance(y[$1], from: exact[$1]) }!
            #expect(ulpDistance(y[worst], from: exact[worst]) <= function.bound.double + slack,
                    "\(tier) \(function)(\(x[worst])) = \(y[worst]), expected \(exact[worst])")
        }
    }
}
