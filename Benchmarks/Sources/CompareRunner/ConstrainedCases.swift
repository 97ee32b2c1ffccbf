import Descent
import Foundation
import Workloads

/// One Newton system of a constrained problem, to the accuracy that the method asks for: see `peers/newton_sketch.py`.
enum ConstrainedCases {
    static let names: Set = ["newton-automatic", "newton-direct", "newton-block", "newton-gmres"]

    static func make(_ name: String, data: [String: String], numbers: [String: Double]) throws -> Case {
        func matrix(_ key: String) throws -> Matrix<Double> { try NPY.read(path: data[key].orThrow("data \(key)")).matrix() }
        let b = try matrix("b").elements, hessian = try matrix("h"), n = hessian.rows
        let system = try NewtonSystem(
            hessian: hessian, jacobian: matrix("j"), lagrangianGradient: b[..<n].map { -$0 }, constraintValues: b[n...].map { -$0 })
        // 0 asks for the accuracy that the method comes down to.
        let relative = try numbers["accuracy"].orThrow("accuracy")
        let bound = relative > 0 ? relative * Double.nrm2(b.span) : system.residualBound(accuracy: 1e-6)
        let method: NewtonSystemMethod = switch name {
        case "newton-automatic": .automatic
        case "newton-direct": .direct
        case "newton-block": .sketch(.block(size: Int(try numbers["rows"].orThrow("rows"))))
        default: .gmres(restart: 50)
        }
        let result = Buffer([Double](repeating: 0, count: system.order))
        let run = {
            let z = (try? system.solve(by: method, residualBound: bound))?.z ?? []
            result.modify { $0 = z }
        }
        return Case(workload: Workload(name, work: Double(8 * system.order * system.order), .bytes, run: run)) { path in
            let bytes = NPY.write(NumericArray(result.elements, shape: [1, result.elements.count]))
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
    }
}
