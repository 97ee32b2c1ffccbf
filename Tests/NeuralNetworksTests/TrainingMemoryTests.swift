#if os(Linux)
import Autodiff
import Foundation
import Kernels
import NeuralNetworks
import Optimizers
import Testing

/// The most memory that the process has had, in bytes. (`getrusage` would count what the parent had, too.)
private func peakMemory() -> Int {
    let status = try! String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }!
    return Int(line.split(whereSeparator: \.isWhitespace)[1])! * 1024
}

@Suite struct TrainingMemoryTests {
    /// What a training step holds at its peak, against what its derivatives read and the parameters. In a process of its own, since
    /// others' memory would count.
    @Test(arguments: [ElementwiseFunction.tanh, .relu])
    func peakOfAStep(_ activation: ElementwiseFunction) async {
        // An exit test's closure captures nothing, so each activation has its own.
        if activation == .tanh {
            await #expect(processExitsWith: .success) { requireModestPeak(.tanh) }
        } else {
            await #expect(processExitsWith: .success) { requireModestPeak(.relu) }
        }
    }
}

private func requireModestPeak(_ activation: ElementwiseFunction) {
    Threads.count = 1
    let width = 256, layers = 8, batch = 8192
    let body = MLP<Float>([width] + [Int](repeating: width, count: layers) + [10], activation: activation)
    let trainer = Trainer(Network(body), loss: .crossEntropy(), optimizer: SGD(learningRate: 0.01), batchSize: batch, seed: 1)
    var state = trainer.makeState()
    // The libraries' own buffers.
    _ = try! trainer.step(&state, input: .zeros([64, width]), target: [Int](repeating: 0, count: 64))
    let before = peakMemory()
    _ = try! trainer.step(&state, input: .ones([batch, width]), target: [Int](repeating: 1, count: batch))
    let peak = peakMemory() - before
    // The input, the output of each hidden layer, the logits.
    let activations = batch * (width * (layers + 1) + 10) * 4, parameters = state.parameters.count * 4
    require(Double(peak) <= 1.5 * Double(activations + parameters),
            "a step took \(peak) bytes, \(Double(peak) / Double(activations + parameters)) of activations and parameters")
    require(peak >= activations, "a step took \(peak) bytes, less than its activations, \(activations): nothing was measured")
}
#endif
