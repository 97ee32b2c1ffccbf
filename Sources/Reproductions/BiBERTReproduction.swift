import Descent

extension Reproduction {
    /// BiBERT: the arithmetic of its attention, its accounting, students trained on a stand-in task, and packed inference.
    static let bibert = Reproduction(
        slug: "bibert", title: "BiBERT: Accurate Fully Binarized BERT",
        claim: "A Transformer encoder of one bit learns where binarised soft-max attention does not, because bool attention keeps almost "
            + "one bit of entropy, and packed products carry it out exactly at a fraction of the operations."
    ) { context in
        var outcome = Outcome()
        context.report(0, "bit products")
        outcome.checks.append(contentsOf: productIdentities(seed: context.seed))
        let laws = scoreLaws(&context)
        outcome.checks.append(contentsOf: laws.checks)
        outcome.tables.append(laws.table)
        outcome.figures.append(laws.figure)
        let accounting = accounting(length: 128)
        outcome.checks.append(contentsOf: accounting.checks)
        outcome.tables.append(accounting.table)
        context.report(0.3, "students on the stand-in task")
        let study = try StudentStudy(quick: context.quick).run(seed: context.seed)
        outcome.checks.append(contentsOf: study.checks)
        outcome.tables.append(study.table)
        outcome.figures.append(study.figure)
        context.report(0.9, "layer products")
        outcome.tables.append(layerProducts(quick: context.quick, seed: context.seed))
        return outcome
    }
}

/// Packed products against sums over bits, and the bitwise-affine product (paper, §3.2) against the AND form.
private func productIdentities(seed: UInt64) -> [Check] {
    var random = RandomStream(seed: seed, stream: 1)
    var wrongSums = 0, oddSums = 0, wrongHalves = 0
    for k in [1, 5, 63, 64, 65, 100, 768] {
        let a = BinaryMatrix(rows: 13, columns: k) { _, _ in random.nextUInt64() & 1 == 1 }
        let b = BinaryMatrix(rows: 19, columns: k) { _, _ in random.nextUInt64() & 1 == 1 }
        let packed = PackedBinaryMatrix(b)
        let signs = xnorProduct(a, packed), mixed = andProduct(a, packed, as: .signs)
        let ones = BinaryMatrix(rows: 13, columns: k) { _, _ in true }
        let affine = zip(signs.elements, xnorProduct(ones, packed).elements).map { $0 + $1 }
        oddSums += affine.count { $0 % 2 != 0 }
        wrongHalves += zip(affine, mixed.elements).count { $0 / 2 != $1 }
        for i in 0..<13 {
            for j in 0..<19 {
                var sum: Int32 = 0
                for q in 0..<k { sum += a[i, q] == b[j, q] ? 1 : -1 }
                wrongSums += sum == signs[i, j] ? 0 : 1
            }
        }
    }
    return [
        Check("±1 products that differ from the sum over bits", Double(wrongSums), .equal, 0,
              source: "exact identity K − 2 popcount(a xor b), K from 1 to 768"),
        Check("odd elements of A′B + 1B", Double(oddSums), .equal, 0,
              source: "§3.2: the shift of the bitwise-affine product loses nothing"),
        Check("elements of (A′B + 1B) >> 1 that differ from AB", Double(wrongHalves), .equal, 0,
              source: "§3.2: bitwise-affine product"),
    ]
}

/// Scores of random ±1 queries and keys of 64 bits: their law, and what bool and its gradient mask keep of it.
private func scoreLaws(_ context: inout Context) -> (checks: [Check], table: Table, figure: Figure) {
    let width = 64, seeds = 5, pairs = context.quick ? 40_000 : 400_000
    // P(score = 2 i − D) = C(D, i) / 2^D.
    var law = [Double](repeating: 0, count: width + 1)
    law[0] = 0x1p-64
    for i in 1...width { law[i] = law[i - 1] * Double(width - i + 1) / Double(i) }

    var counts = [Double](repeating: 0, count: width + 1)
    var ones: [Double] = [], zeros: [Double] = [], closed: [Double] = [], open: [Double] = []
    for s in 0..<seeds {
        context.report(0.1 + 0.1 * Double(s), "score law, seed \(s + 1) of \(seeds)")
        var random = RandomStream(seed: context.seed, stream: 2 + UInt64(s))
        let keys = BinaryMatrix(rows: pairs, columns: width, randomBits: &random)
        let query = BinaryMatrix(rows: 1, columns: width, randomBits: &random)
        let scores = xnorProduct(keys, vector: query)
        for score in scores { counts[(Int(score) + width) / 2] += 1 }
        func share(_ holds: (Int32) -> Bool) -> Double { Double(scores.count(where: holds)) / Double(pairs) }
        ones.append(share { $0 >= 0 })
        zeros.append(share { $0 == 0 })
        // A = score / √64 = score / 8.
        closed.append(share { abs($0) <= 8 })
        open.append(share { abs($0) < 8 })
    }
    let total = Double(seeds * pairs)
    // Bins of expectation below 50 are joined with the tails.
    let inner = law.indices.filter { law[$0] * total >= 50 }
    var statistic = 0.0, rest = 0.0, restExpected = 0.0
    for i in law.indices {
        if inner.contains(i) { statistic += (counts[i] - law[i] * total) * (counts[i] - law[i] * total) / (law[i] * total) }
        else { rest += counts[i]; restExpected += law[i] * total }
    }
    if restExpected > 0 { statistic += (rest - restExpected) * (rest - restExpected) / restExpected }
    let freedom = Double(inner.count)
    func deviation(_ p: Double) -> Double { (p * (1 - p) / total).squareRoot() }
    let exactOnes = law[32...].reduce(0, +), exactClosed = law[28...36].reduce(0, +), exactOpen = law[29...35].reduce(0, +)
    let density = mean(ones)
    let entropy = -(density * Double.log2(density) + (1 - density) * Double.log2(1 - density))

    var table = Table("Attention scores of \(seeds) × \(pairs) random 64-bit pairs", columns: ["quantity", "measured", "law"])
    table.append("P(score = 0)", short(mean(zeros)), short(law[32]))
    table.append("mean of bool(A)", short(density), short(exactOnes))
    table.append("entropy of bool(A), bit", short(entropy), "0.9929")
    table.append("P(|A| ≤ 1), the paper's gradient mask", short(mean(closed)), short(exactClosed))
    table.append("P(|A| < 1), the released code's mask", short(mean(open)), short(exactOpen))
    let shown = Array(14...50)
    let figure = Figure(
        "Law of the binarised attention score", xLabel: "score", yLabel: "probability",
        series: [
            Figure.Series("measured", x: shown.map { Double(2 * $0 - width) }, y: shown.map { counts[$0] / total }),
            Figure.Series("binomial law", x: shown.map { Double(2 * $0 - width) }, y: shown.map { law[$0] }),
        ])
    let law5 = "binomial law of random bits; five standard deviations of \(Int(total)) draws"
    let checks = [
        // Mean `freedom`, variance 2 `freedom`; six deviations are passed with probability below 1e-6.
        Check("χ² of the score's law, \(inner.count) degrees of freedom", statistic, .atMost,
              freedom + 6 * (2 * freedom).squareRoot(), source: "P(2i − D) = C(D, i)/2^D, D = 64; six standard deviations"),
        Check("|P(score = 0) − 0.09935|", abs(mean(zeros) - 0.09935), .atMost, 5 * deviation(0.09935) + 5e-6, source: law5),
        Check("|mean of bool(A) − 0.5497|", abs(density - 0.5497), .atMost, 5 * deviation(0.5497) + 5e-5, source: law5),
        Check("|entropy − 0.9929|", abs(entropy - 0.9929), .atMost, 1e-3, source: "§3.2: bool attention keeps almost one bit"),
        Check("|P(|A| ≤ 1) − 0.7396|", abs(mean(closed) - 0.7396), .atMost, 5 * deviation(0.7396) + 5e-5, source: law5),
        Check("|P(|A| < 1) − 0.6183|", abs(mean(open) - 0.6183), .atMost, 5 * deviation(0.6183) + 5e-5, source: law5),
    ]
    return (checks, table, figure)
}

/// BERT-base as the paper counts it, and what a packed model keeps.
private func accounting(length: Int) -> (checks: [Check], table: Table) {
    let base = EncoderAccounting(.init(), length: length), mebi = 1_048_576.0
    var table = Table("BERT-base at sequence length \(length)", columns: ["model", "size, MiB", "ratio", "operations, G", "ratio"])
    table.append("full precision", short(base.bytes / mebi), "1", short(1e-9 * base.operations), "1")
    table.append("binarised, the paper's count", short(base.paperBytes / mebi), short(base.bytes / base.paperBytes),
                 short(1e-9 * base.packedOperations), short(base.operations / base.packedOperations))
    table.append("binarised, all that is kept in memory", short(Double(base.residentBytes) / mebi),
                 short(base.bytes / Double(base.residentBytes)), "", "")
    func rounded(_ x: Double) -> Double { (10 * x).rounded() / 10 }
    let rounding = rounded(1e-9 * base.operations) / rounded(1e-9 * base.packedOperations)
    let checks = [
        Check("|parameters − 109 482 240|", abs(Double(base.parameters) - 109_482_240), .equal, 0, source: "BERT-base"),
        Check("|full-precision size − 418| in MB", abs(base.bytes / mebi - 418), .atMost, 1, source: "Table of sizes: 418 MB"),
        Check("|binary size − 13.4| in MB", abs(base.paperBytes / mebi - 13.4), .atMost, 0.1, source: "Table of sizes: 13.4 MB"),
        Check("|size ratio − 31.2|", abs(base.bytes / base.paperBytes - 31.2), .atMost, 0.2, source: "abstract: 31.2×"),
        Check("|full-precision operations − 22.5| in G", abs(1e-9 * base.operations - 22.5), .atMost, 0.1, source: "Table of operations: 22.5 G"),
        Check("|ratio of operations rounded to 0.1 G − 56.3|", abs(rounding - 56.3), .atMost, 0.1,
              source: "abstract: 56.3×, which is 22.5/0.4 rounded"),
        Check("resident size of the packed model, MiB", Double(base.residentBytes) / mebi, .atMost, 15.5,
              source: "bits, scales, thresholds, and what stays in floats: about 15.4 MiB"),
    ]
    return (checks, table)
}

/// The products of BERT's layers for 128 tokens: packed bits against `sgemm` on the same ±1 numbers, in turns.
private func layerProducts(quick: Bool, seed: UInt64) -> Table {
    var random = RandomStream(seed: seed, stream: 100)
    var table = Table("Layer products, 128 tokens, \(Threads.count) threads", columns: ["inputs → outputs", "sgemm, ms", "packed, ms", "ratio"])
    for (inputs, outputs) in quick ? [(768, 768)] : [(768, 768), (768, 3072), (3072, 768)] {
        let x = BinaryMatrix(rows: 128, columns: inputs, randomBits: &random)
        let w = BinaryMatrix(rows: outputs, columns: inputs, randomBits: &random)
        let packed = PackedBinaryMatrix(w)
        let floatX = x.signs(), floatW = w.signs().transposed()
        let times = medianSeconds(rounds: quick ? 3 : 15, [
            { _ = floatX * floatW },
            { _ = xnorProduct(signsOf: floatX, packed) },
        ])
        table.append("\(inputs) → \(outputs)", short(1e3 * times[0]), short(1e3 * times[1]), short(times[0] / times[1]))
    }
    return table
}

extension BinaryMatrix {
    /// Independent fair bits.
    init(rows: Int, columns: Int, randomBits random: inout RandomStream) {
        self.init(rows: rows, columns: columns) { _, _ in random.nextUInt64() >> 63 == 1 }
    }
}
