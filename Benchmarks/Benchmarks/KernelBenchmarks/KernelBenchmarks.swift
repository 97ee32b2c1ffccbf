import Benchmark
import Descent
import Workloads

// Placeholder list is filled per family in the files beside this one.
let benchmarks: @Sendable () -> Void = {
    Benchmark("placeholder") { _ in }
}
