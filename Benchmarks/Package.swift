// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.strictMemorySafety()]

let package = Package(
    name: "swift-descent-benchmarks",
    dependencies: [
        // By name, so that the checkout may have any folder name.
        .package(name: "swift-descent", path: "../"),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        // Rooflines and timed work that both programs below measure.
        .target(name: "Workloads", dependencies: [.product(name: "Descent", package: "swift-descent")],
                swiftSettings: strict),
        // Our side of `compare`.
        .executableTarget(name: "CompareRunner", dependencies: ["Workloads"], swiftSettings: strict),
        // `swift package benchmark`.
        .executableTarget(
            name: "KernelBenchmarks",
            dependencies: ["Workloads", .product(name: "Benchmark", package: "benchmark")],
            path: "Benchmarks/KernelBenchmarks", swiftSettings: strict,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
