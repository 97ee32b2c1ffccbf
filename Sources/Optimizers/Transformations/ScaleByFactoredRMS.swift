import Kernels
import RealModule

/// Adafactor's direction: the gradient over the root of a second moment that is kept as one number for each row and column.
///
/// For a block of r × c (its last dimension against all others), with q = g² + ε and β_t = 1 − t^(−p):
///
///     Rᵢ ← β_t Rᵢ + (1 − β_t) Σⱼ qᵢⱼ,   Cⱼ ← β_t Cⱼ + (1 − β_t) Σᵢ qᵢⱼ
///     uᵢⱼ = gᵢⱼ / √(Rᵢ Cⱼ / Σₖ Rₖ)
///
/// Blocks of one dimension keep v ← β_t v + (1 − β_t) q whole. The state of a matrix is r + c numbers in place of r c. Exact
/// where g² has rank one. Sums are taken in `Double`.
///
/// The whole of Adafactor, with relative steps:
///
/// ```swift
/// chain(Float.self) {
///     ScaleByFactoredRMS(layout)
///     ClipByBlockRMS(1, layout: layout)
///     ScaleByParameterRMS(layout, atLeast: 1e-3)
///     ScaleByLearningRate(.inverseSquareRoot(atMost: 1e-2))
/// }
/// ```
///
/// Source: Shazeer & Stern 2018, with its ε = 10⁻³⁰ and p = 0.8.
public struct ScaleByFactoredRMS<Scalar: KernelScalar>: GradientTransformation {
    public let layout: ParameterLayout
    public let decayPower: Double
    public let epsilon: Double
    /// How the gradient is clipped in the numerator alone; the moments take it as it is.
    public let numeratorClipping: ClipByQuantile<Scalar>?

    public struct State: Codable, Sendable, Hashable {
        public internal(set) var steps = 0
        /// Row sums of the matrices, and the whole second moment of other blocks, in the order of the layout.
        public internal(set) var rows: [Scalar]
        /// Column sums of the matrices.
        public internal(set) var columns: [Scalar]
    }

    public init(
        _ layout: ParameterLayout, decayPower: Double = 0.8, epsilon: Double = 1e-30,
        numeratorClipping: ClipByQuantile<Scalar>? = nil
    ) {
        self.layout = layout
        self.decayPower = checkedNonnegative(decayPower, "decay power")
        self.epsilon = checkedNonnegative(epsilon, "epsilon")
        self.numeratorClipping = numeratorClipping
    }

    /// Rows and columns of a block; 0 columns for one that is not factored.
    private func shape(_ block: ParameterBlock) -> (rows: Int, columns: Int) {
        guard block.shape.count > 1, block.count > 0 else { return (block.count, 0) }
        return (block.count / block.shape.last!, block.shape.last!)
    }

    public func initialState(like parameters: Span<Scalar>) -> State {
        layout.requireCount(parameters.count)
        let shapes = layout.blocks.map(shape)
        return State(rows: [Scalar](repeating: 0, count: shapes.reduce(0) { $0 + $1.rows }),
                     columns: [Scalar](repeating: 0, count: shapes.reduce(0) { $0 + $1.columns }))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout State, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        layout.requireCount(updates.count)
        state.steps += 1
        let old = Scalar(1 - Double.pow(Double(state.steps), -decayPower)), new = 1 - old
        let threshold = numeratorClipping?.threshold(of: updates.span) ?? .infinity
        var row = 0, column = 0
        for block in layout.blocks {
            let (rows, columns) = shape(block)
            if columns == 0 {
                for i in 0..<rows {
                    let g = updates[block.offset + i]
                    let v = old * state.rows[row + i] + new * Scalar(Double(g) * Double(g) + epsilon)
                    state.rows[row + i] = v
                    updates[block.offset + i] = clamped(g, to: threshold) / v.squareRoot()
                }
            } else {
                var columnSums = [Double](repeating: 0, count: columns), total = 0.0
                for i in 0..<rows {
                    var sum = 0.0
                    for j in 0..<columns {
                        let g = Double(updates[block.offset + i * columns + j]), q = g * g + epsilon
                        sum += q
                        columnSums[j] += q
                    }
                    state.rows[row + i] = old * state.rows[row + i] + new * Scalar(sum)
                    total += Double(state.rows[row + i])
                }
                for j in 0..<columns { state.columns[column + j] = old * state.columns[column + j] + new * Scalar(columnSums[j]) }
                for i in 0..<rows {
                    let share = Double(state.rows[row + i]) / total
                    for j in 0..<columns {
                        let k = block.offset + i * columns + j
                        let scale = (share * Double(state.columns[column + j])).squareRoot()
                        updates[k] = Scalar(Double(clamped(updates[k], to: threshold)) / scale)
                    }
                }
            }
            row += rows
            column += columns
        }
    }
}
