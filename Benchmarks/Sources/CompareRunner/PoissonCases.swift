import Descent
import Foundation
import Workloads

/// Poisson problems on a square grid, as `peers/poisson.py` describes them.
enum PoissonCases {
    static let names: Set = ["poisson-pcg", "poisson-sor", "poisson-multigrid", "poisson-direct"]

    static func make(_ name: String, data: [String: String], numbers: [String: Double]) throws -> Case {
        let matrix: Matrix<Double> = try NPY.read(path: data["b"].orThrow("data b")).matrix()
        let b = matrix.elements, a = PoissonOperator<Double>(Grid(rows: matrix.rows, columns: matrix.columns))
        let x = Buffer(b)
        func timed(_ run: @escaping (inout [Double]) -> Void) -> Case {
            Case(workload: Workload("", work: Double(b.count), .elements) { x.modify(run) }) {
                try writeDoubles(x.elements, rows: matrix.rows, columns: matrix.columns, to: $0)
            }
        }
        switch name {
        case "poisson-pcg":
            let limit = Int(try numbers["iterations"].orThrow("iterations"))
            let solver = ConjugateGradient<Double>(tolerance: .absolute(0), iterationLimit: limit)
            let m = try JacobiPreconditioner(a)
            return timed { $0 = solver.solve(a, b, preconditioner: m).iterate }
        case "poisson-sor":
            let omega = try numbers["omega"].orThrow("omega"), sweeps = Int(try numbers["sweeps"].orThrow("sweeps"))
            let work = Buffer([Double](repeating: 0, count: a.workCount))
            let measures = numbers["measure"] != 0
            return timed { x in
                for i in x.indices { x[i] = 0 }
                var span = x.mutableSpan
                work.modify { work in
                    var lines = work.mutableSpan
                    for _ in 0..<sweeps {
                        _ = a.relax(&span, b.span, relaxation: omega, order: .redBlack, measuring: measures, work: &lines)
                    }
                }
            }
        case "poisson-multigrid":
            let solver = Multigrid<Double>(tolerance: .relativeToRightHandSide(1e-8))
            return timed { $0 = (try? solver.solve(a, b).get()) ?? [] }
        case "poisson-direct":
            return timed { $0 = (try? FastPoissonSolver(a).solve(b)) ?? [] }
        default: throw RunnerError(text: "unknown case '\(name)'")
        }
    }

    private static func writeDoubles(_ elements: [Double], rows: Int, columns: Int, to path: String) throws {
        try Data(NPY.write(NumericArray(elements, shape: [rows, columns]))).write(to: URL(fileURLWithPath: path))
    }
}
