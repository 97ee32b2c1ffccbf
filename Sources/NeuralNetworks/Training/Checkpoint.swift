import Autodiff
import Datasets
import Foundation
import Kernels
import Optimizers

/// Why a checkpoint is refused.
public struct CheckpointError: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

// A checkpoint is a safetensors file. Parameters and statistics stand in it by name, so that other programs read them; what
// else a state holds is encoded as one array of bytes, "training.state".

/// The version of the format, in the file's metadata under "descent.checkpoint".
private let version = "1"

extension TrainingState {
    /// What is not a parameter or a statistic.
    private struct Remainder: Codable {
        var optimizer: OptimizerState
        var step: Int, epoch: Int, batch: Int
        var lossSum: Double
        var history: [EpochRecord]
        var best: Best?
    }

    /// Writes the state, at once or not at all: an interrupted call leaves an older file as it was.
    ///
    /// - Throws: ``CheckpointError`` if the file cannot be written.
    public func write<Body: Module>(to path: String, of network: Network<Body>) throws(CheckpointError) where Body.Scalar == Scalar {
        do {
            let encoder = PropertyListEncoder()
            encoder.outputFormat = .binary
            let remainder = Remainder(
                optimizer: optimizer, step: step, epoch: epoch, batch: batch, lossSum: lossSum, history: history, best: best)
            let bytes = [UInt8](try encoder.encode(remainder))
            var arrays = ["training.state": NumericArray(shape: [bytes.count], elementType: .uint8, bytes: bytes)]
            for (layout, values, kind) in [(network.layout, parameters, ""), (network.statisticsLayout, statistics, "statistics.")] {
                for block in layout.blocks { arrays[kind + block.name] = NumericArray(Array(values[block.range]), shape: block.shape) }
            }
            let file = Safetensors.write(arrays, metadata: ["descent.checkpoint": version])
            try Data(file).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CheckpointError("cannot write the checkpoint \(path): \(error)")
        }
    }

    /// Reads a state that ``write(to:of:)`` wrote.
    ///
    /// - Throws: ``CheckpointError`` that says what is wrong: a file that is missing, truncated or no safetensors, one of another version
    ///   or another optimiser, and parameters that are missing, too many or of another shape than the network's.
    public init<Body: Module>(path: String, of network: Network<Body>) throws(CheckpointError) where Body.Scalar == Scalar {
        let file: (arrays: [String: NumericArray], metadata: [String: String])
        do { file = try Safetensors.read(path: path) } catch { throw CheckpointError("cannot read the checkpoint \(path): \(error)") }
        guard let found = file.metadata["descent.checkpoint"] else {
            throw CheckpointError("\(path) is no checkpoint of a training: its metadata lack 'descent.checkpoint'")
        }
        guard found == version else { throw CheckpointError("the checkpoint \(path) has version \(found); expected \(version)") }
        var arrays = file.arrays
        guard let encoded = arrays.removeValue(forKey: "training.state") else {
            throw CheckpointError("the checkpoint \(path) lacks 'training.state'")
        }
        let remainder: Remainder
        do {
            remainder = try PropertyListDecoder().decode(Remainder.self, from: Data(encoded.bytes))
        } catch {
            throw CheckpointError("the checkpoint \(path) holds the state of another optimiser or is damaged: \(error)")
        }
        func take(_ layout: ParameterLayout, _ kind: String) throws(CheckpointError) -> [Scalar] {
            var values: [Scalar] = []
            for block in layout.blocks {
                guard let array = arrays.removeValue(forKey: kind + block.name) else {
                    throw CheckpointError("the checkpoint \(path) lacks the parameter '\(kind + block.name)' of the network")
                }
                values += try elements(of: array, named: kind + block.name, shape: block.shape, in: path)
            }
            return values
        }
        self.init(parameters: try take(network.layout, ""), statistics: try take(network.statisticsLayout, "statistics."),
                  optimizer: remainder.optimizer)
        if let extra = arrays.keys.sorted().first {
            throw CheckpointError("the checkpoint \(path) has a parameter '\(extra)' that the network has not")
        }
        (step, epoch, batch, lossSum) = (remainder.step, remainder.epoch, remainder.batch, remainder.lossSum)
        (history, best) = (remainder.history, remainder.best)
    }
}

/// An array of a file as elements of a parameter.
func elements<Scalar: KernelScalar>(
    of array: NumericArray, named name: String, shape: [Int], in path: String
) throws(CheckpointError) -> [Scalar] {
    guard array.shape == shape else {
        throw CheckpointError("'\(name)' in \(path) has shape \(array.shape); expected \(shape)")
    }
    return array.values()
}
