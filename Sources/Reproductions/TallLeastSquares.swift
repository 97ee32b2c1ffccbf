import Descent

/// A tall least-squares problem by sketching and by LAPACK's QR and SVD, in turns: the time of each, and how far apart the solutions are.
func tallLeastSquares(quick: Bool, seed: UInt64) throws -> (table: Table, check: Check) {
    let (m, n) = quick ? (20_000, 100) : (100_000, 300)
    var random = RandomStream(seed: seed, stream: 2)
    let a = Matrix<Double>(rows: m, columns: n, elements: random.normal(count: m * n)), b: [Double] = random.normal(count: m)
    let sketched = try RandomizedLeastSquares(seed: seed).solve(a, b), x = try sketched.get(), exact = try QR(a).solve(b)
    let times = medianSeconds(rounds: 3, [
        { _ = try? RandomizedLeastSquares(seed: seed).solve(a, b) }, { _ = try? QR(a).solve(b) }, { _ = try? leastSquares(a, b) },
    ])
    var table = Table(
        "Least squares of \(m)×\(n), \(Threads.count) threads", columns: ["solver", "time, ms", "ratio to QR", "reads of the matrix"])
    table.append("QR (LAPACK gels)", short(1e3 * times[1]), "1", "")
    table.append("SVD (LAPACK gelsd)", short(1e3 * times[2]), short(times[1] / times[2]), "")
    table.append("sketched: \(sketched.method.rawValue)", short(1e3 * times[0]), short(times[1] / times[0]), "\(sketched.passes)")
    var difference = x
    for i in difference.indices { difference[i] -= exact[i] }
    let check = Check("relative difference of the sketched solution from that by QR", Double.nrm2(difference.span) / Double.nrm2(exact.span), .atMost, 1e-12,
                      source: "both are backward stable, and the condition of the matrix is about 1")
    return (table, check)
}
