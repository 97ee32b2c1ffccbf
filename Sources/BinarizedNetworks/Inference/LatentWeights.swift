import Autodiff
import BinaryAlgebra
import Kernels
import LinearAlgebra

extension TieRule {
    func requireBinary() throws(BinarizedNetworkError) {
        guard self == .paper else {
            throw .notBinary("with the tie rule of torch.sign a context of 0 stays 0, a third value; train with the paper's rule")
        }
    }
}

/// Trained weights [inputs…, outputs] taken apart: signs with one output a row, scales and biases.
struct LatentWeights {
    let bits: BinaryMatrix
    let scales: [Float], bias: [Float]

    init(_ weights: [Float], bias: [Float], outputs: Int, name: String) throws(BinarizedNetworkError) {
        guard weights.allSatisfy(\.isFinite), bias.allSatisfy(\.isFinite) else { throw .notFinite(parameter: name) }
        let tensor = Tensor(shape: [weights.count / outputs, outputs], elements: weights)
        let statistics = GroupStatistics(tensor, .columns)
        bits = BinaryMatrix(signsOf: statistics.signs(of: tensor, .columns, ties: .paper, isScaled: false).matrix.transposed())
        scales = statistics.scales
        self.bias = bias
    }

    /// For each output the least whole sum s with α s + b ≥ 0 in `Float`, so that its bit needs no float: s ≥ threshold.
    ///
    /// α s + b rises with s, also rounded, so that the threshold gives the same bit for every s from −K to K.
    var thresholds: [Int32] {
        let length = bits.columns
        return zip(scales, bias).map { scale, bias in
            guard scale > 0 else { return bias >= 0 ? Int32(-length) : .max }
            func isPositive(_ sum: Int) -> Bool { scale * Float(sum) + bias >= 0 }
            // Exact but for the rounding of α s.
            let estimate = (-Double(bias) / Double(scale)).rounded(.up)
            var threshold = Int(max(-Double(length), min(Double(length) + 1, estimate)))
            while threshold > -length, isPositive(threshold - 1) { threshold -= 1 }
            while threshold <= length, !isPositive(threshold) { threshold += 1 }
            return threshold <= length ? Int32(threshold) : .max
        }
    }
}
