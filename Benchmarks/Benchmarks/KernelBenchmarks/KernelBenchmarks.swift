import Benchmark
import Descent
import Workloads

/// Every kernel family, with the percentage of its roofline (measured in the same run) as a metric of its own, and rivals
/// beside it: the plain Swift loop, and OpenBLAS where it has the operation. One thread, on the tier in force.
let benchmarks: @Sendable () -> Void = {
    let roofline = BenchmarkMetric.custom("% of roofline", polarity: .prefersLarger, useScalingFactor: false)
    unsafe Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput, roofline], timeUnits: .microseconds, warmupIterations: 3,
        maxDuration: .milliseconds(500), maxIterations: 10_000)

    for entry in KernelEntries.binary + KernelEntries.vector + KernelEntries.tensor + KernelEntries.optimizer + KernelEntries.random
        + KernelEntries.sketch + KernelEntries.convolution + KernelEntries.matrix + KernelEntries.stencil + KernelEntries.selection + KernelEntries.transport {
        Benchmark(entry.name) { (benchmark: Benchmark, prepared: Workload) in
            let start = ContinuousClock.now
            for _ in benchmark.scaledIterations { prepared.run() }
            let time = (ContinuousClock.now - start) / 1.0
            if let limit = prepared.roofline {
                let seconds = Double(time.components.seconds) + 1e-18 * Double(time.components.attoseconds)
                let rate = prepared.work * Double(benchmark.scaledIterations.count) / seconds
                benchmark.measurement(roofline, Int((100 * rate / limit.rate).rounded()))
            }
        } setup: {
            Threads.count = 1
            let workload = entry.make()
            // Measured before the first iteration, not inside it.
            _ = workload.roofline?.rate
            return workload
        }
    }
}
