import Kernels
import Synchronization

/// The operations that one transformation has recorded, in the order in which they ran: its derivative as a linear program.
///
/// The program runs backwards by the operations' vjp (``pullback(_:from:)``) and forwards by their jvp
/// (``pushforward(_:to:)``). Entries hold their operands as seen from outside the transformation, so neither do they
/// refer to the tape (nothing is retained in a cycle), nor do the derivatives lose what an outer transformation asks for.
final class Tape<Scalar: KernelScalar>: Sendable {
    /// Which of the tape's results an operation's inputs are.
    struct Parents: Sendable {
        // Two are stored in place: most operations have no more.
        private var first: Int32 = -1, second: Int32 = -1
        private var rest: [Int32]?

        mutating func set(_ input: Int, _ index: Int) {
            switch input {
            case 0: first = Int32(index)
            case 1: second = Int32(index)
            default:
                rest = rest ?? []
                while rest!.count <= input - 2 { rest!.append(-1) }
                rest![input - 2] = Int32(index)
            }
        }

        /// The result that `input` is, or nil for one that the transformation does not vary.
        subscript(input: Int) -> Int? {
            let index = switch input {
            case 0: first
            case 1: second
            default: rest.map { input - 2 < $0.count ? $0[input - 2] : -1 } ?? -1
            }
            return index < 0 ? nil : Int(index)
        }
    }

    struct Entry: Sendable {
        /// nil for an input of the transformation.
        let operation: (any DifferentiableOperation<Scalar>)?
        let inputs: [Tensor<Scalar>]
        let parents: Parents
        let output: Tensor<Scalar>
    }

    let level = newLevel()
    private let entries = Mutex<[Entry]>([])

    init() { FreedMemory.keep() }

    /// Gives up what has been recorded.
    func take() -> [Entry] {
        entries.withLock { entries in
            let taken = entries
            entries = []
            return taken
        }
    }

    /// Moves an entry to the end, and gives its number. (A closure copies what it captures by value.)
    private func append(_ entry: inout Entry?) -> Int {
        entries.withLock { entries in
            if entries.isEmpty { entries.reserveCapacity(64) }
            entries.append(entry.take()!)
            return entries.count - 1
        }
    }

    /// Makes `x` an input of the transformation.
    func input(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
        var entry: Entry? = Entry(operation: nil, inputs: [], parents: Parents(), output: x.shapeOnly)
        return x.traced(Trace(level: level, tape: self, index: append(&entry), outer: x.trace))
    }

    /// Records an operation, with as much of its operands as its derivatives read.
    func append(
        _ operation: any DifferentiableOperation<Scalar>, _ inputs: __owned [Tensor<Scalar>], _ parents: Parents, _ output: Tensor<Scalar>
    ) -> Int {
        let read = operation.derivativesRead
        // Not worth while for a few numbers.
        let keepsInputs = read.contains(.inputs) || inputs.allSatisfy { $0.count <= 64 }
        var entry: Entry? = Entry(
            operation: operation, inputs: keepsInputs ? inputs : inputs.map(\.shapeOnly), parents: parents,
            output: read.contains(.output) ? output : output.shapeOnly)
        return append(&entry)
    }
}

/// The cotangents of a tape's results while they are being gathered. Parts of a long vector, such as a network's parameters, are
/// put together once, when all are there.
private struct Cotangents<Scalar: KernelScalar> {
    private var sums: [Tensor<Scalar>?]
    private var parts: [Int: [(offset: Int, part: Tensor<Scalar>)]] = [:]

    init(count: Int) { sums = Array(repeating: nil, count: count) }

    mutating func add(_ cotangent: consuming Tensor<Scalar>, to result: Int) {
        if !parts.isEmpty, let parts = parts.removeValue(forKey: result) { sums[result] = assemble(parts, cotangent.shape) }
        if sums[result] == nil {
            sums[result] = consume cotangent
        } else if !sums[result]!.addInPlace(cotangent) {
            sums[result] = sums[result]! + cotangent
        }
    }

    mutating func add(part: Tensor<Scalar>, at offset: Int, to result: Int, _ shape: [Int]) {
        if let sum = sums[result].take() {
            sums[result] = sum + assemble([(offset, part)], shape)
        } else {
            parts[result, default: []].append((offset, part))
        }
    }

    /// What has been gathered for a result, or nil for nothing. It does not stay.
    mutating func take(_ result: Int, _ shape: @autoclosure () -> [Int]) -> Tensor<Scalar>? {
        if let sum = sums[result].take() { return sum }
        return parts.isEmpty ? nil : parts.removeValue(forKey: result).map { assemble($0, shape()) }
    }
}

/// Runs recorded operations backwards: the cotangents of the first `inputCount` results, which are the inputs, for the
/// cotangent of result `index`.
///
/// Consumes what it has gone through, so that a value is freed as soon as its last derivative is taken, unless
/// the caller keeps a copy of `entries`.
///
/// - Parameter deferring: the level of a transformation that asks for the derivative of what this gives, and not for its value:
///   products wait there until something reads them.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func pullback<Scalar: KernelScalar>(
    _ cotangent: Tensor<Scalar>, from index: Int, through entries: consuming [Tape<Scalar>.Entry], inputCount: Int,
    deferring level: Int? = nil
) -> [Tensor<Scalar>?] {
    var cotangents = Cotangents<Scalar>(count: index + 1)
    cotangents.add(cotangent, to: index)
    while entries.count > index + 1 { entries.removeLast() }
    while entries.count > inputCount {
        let i = entries.count - 1
        let entry = entries.removeLast()
        guard var g = cotangents.take(i, entry.output.shape) else { continue }
        let operation = entry.operation!
        // The type is compared first: a cast costs more than a small operation.
        if type(of: operation) == ContiguousSlice<Scalar>.self, let slice = operation as? ContiguousSlice<Scalar> {
            if let parent = entry.parents[0] { cotangents.add(part: g, at: slice.start, to: parent, entry.inputs[0].shape) }
            continue
        }
        if let level { g = g.deferringResults(in: level) }
        var wanted = InputSet()
        for k in entry.inputs.indices where entry.parents[k] != nil { wanted.insert(k) }
        var products = operation.vjp(entry.inputs, output: entry.output, cotangent: g, wanted: wanted)
        require(products.count == entry.inputs.count,
                "\(type(of: operation)).vjp gave \(products.count) cotangents; expected \(entry.inputs.count), one for each input")
        for k in products.indices {
            guard let parent = entry.parents[k], let product = products[k].take() else { continue }
            require(product.extents == entry.inputs[k].extents,
                    "\(type(of: operation)).vjp gave shape \(product.shape) for input \(k); expected \(entry.inputs[k].shape)")
            cotangents.add(product, to: parent)
        }
    }
    return (0..<inputCount).map { i in i <= index ? cotangents.take(i, entries[i].output.shape) : nil }
}

/// Runs recorded operations forwards: the tangent of result `index` for the tangents of the inputs.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func pushforward<Scalar: KernelScalar>(
    _ inputTangents: [Tensor<Scalar>?], to index: Int, through entries: [Tape<Scalar>.Entry], lastUses: [Int]
) -> Tensor<Scalar>? {
    var tangents = [Tensor<Scalar>?](repeating: nil, count: index + 1)
    for i in 0..<min(inputTangents.count, index + 1) { tangents[i] = inputTangents[i] }
    for i in inputTangents.count..<max(index + 1, inputTangents.count) {
        let entry = entries[i]
        guard lastUses[i] >= 0 || i == index else { continue }
        var any = false
        var own = [Tensor<Scalar>?](repeating: nil, count: entry.inputs.count)
        for k in own.indices {
            guard let parent = entry.parents[k], let tangent = tangents[parent] else { continue }
            own[k] = tangent
            any = true
        }
        // An operation may have the same result for several inputs, so only now.
        for k in own.indices { if let parent = entry.parents[k], lastUses[parent] == i { tangents[parent] = nil } }
        if any { tangents[i] = entry.operation!.jvp(entry.inputs, own, output: entry.output) }
    }
    return tangents[index]
}

/// For each result the last operation, up to result `index`, that has it as an input and leads to that result; −1 for none.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func lastUses<Scalar: KernelScalar>(of entries: [Tape<Scalar>.Entry], upTo index: Int) -> [Int] {
    var last = [Int](repeating: -1, count: index + 1)
    for i in stride(from: index, through: 0, by: -1) where last[i] >= 0 || i == index {
        for k in entries[i].inputs.indices {
            if let parent = entries[i].parents[k], last[parent] < 0 { last[parent] = i }
        }
    }
    return last
}
