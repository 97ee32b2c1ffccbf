import Kernels
import Optimizers

/// A flat vector of parameters by their names.
struct NamedParameters {
    private let parameters: [Float]
    private let blocks: [String: ParameterBlock]

    init(_ parameters: [Float], _ layout: ParameterLayout) {
        require(parameters.count == layout.count, "\(parameters.count) parameters; the network has \(layout.count)")
        self.parameters = parameters
        blocks = Dictionary(uniqueKeysWithValues: layout.blocks.map { ($0.name, $0) })
    }

    subscript(name: String) -> [Float] { Array(parameters[blocks[name]!.range]) }
}
