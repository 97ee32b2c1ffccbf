import RealModule

/// The relaxation ω of a two-block iteration, from the rate at which its error falls.
///
/// Plain iterations whose error falls by λ each are best over-relaxed by ω = 2/(1 + √(1 − λ)), and fall by ω − 1 then (Young's theory of
/// successive over-relaxation, which holds for Sinkhorn's iteration near its end: Lehmann et al. 2021). A rate μ that is seen under
/// ω < best tells λ again: (μ + ω − 1)² = μ ω² λ.
struct RelaxationPace: Sendable, Codable {
    private(set) var relaxation = 1.0
    private var isAdaptive: Bool
    /// Errors since ω was set.
    private var errors: [Double] = []
    private var best = Double.infinity
    /// Iterations before ω may grow again.
    private var patience = 8

    /// - Parameter relaxation: ω, or `nil` to find it.
    init(fixed relaxation: Double?) {
        isAdaptive = relaxation == nil
        self.relaxation = relaxation ?? 1
    }

    mutating func observe(_ error: Double) {
        guard isAdaptive, error.isFinite else { return }
        errors.append(error)
        best = min(best, error)
        if relaxation > 1, error > 4 * errors[0], error > 4 * best {
            // Too far from the end for this ω.
            relaxation = 1 + (relaxation - 1) / 2
            if relaxation < 1.05 { relaxation = 1 }
            patience *= 2
            errors = []
            return
        }
        let window = relaxation == 1 ? 4 : 8
        guard errors.count >= max(patience, 2 * window), error > 0 else { return }
        let now = rate(window, 0), before = rate(window, window)
        guard now < 1, before < 1 else { return }
        // Settled: the rate no longer changes much beside what is missing to 1.
        guard abs(now - before) < 0.2 * (1 - max(now, before)) || relaxation > 1 else { return }
        let excess = relaxation - 1
        guard now > excess * 1.02 else { return }
        let lambda = min(((now + excess) * (now + excess)) / (now * relaxation * relaxation), 1 - 1e-7)
        let next = 2 / (1 + (1 - lambda).squareRoot())
        guard next > relaxation + 0.002 else { return }
        relaxation = next
        errors = []
        best = .infinity
    }

    /// Whether more than `iterations` are to be expected until an error of `tolerance`.
    func isSlow(_ iterations: Int, to tolerance: Double) -> Bool {
        let window = relaxation == 1 ? 4 : 12
        guard isAdaptive, errors.count >= window + 3, let error = errors.last, error > tolerance else { return false }
        let factor = rate(window, 0)
        return factor >= 1 || Double.log(tolerance / error) / Double.log(factor) > Double(iterations)
    }

    /// The mean factor of an iteration over `window` of them that ended `ago` iterations ago.
    private func rate(_ window: Int, _ ago: Int) -> Double {
        let last = errors.count - 1 - ago
        return Double.root(max(errors[last] / errors[max(0, last - window)], 1e-300), window)
    }
}
