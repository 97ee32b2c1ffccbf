// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.strictMemorySafety()]

func library(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil,
             settings: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict + settings)
}

func tests(_ module: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .testTarget(name: module + "Tests", dependencies: [.init(stringLiteral: module), "_TestSupport"] + dependencies,
                resources: resources, swiftSettings: strict)
}

let package = Package(
    name: "swift-descent",
    products: [
        .library(name: "Descent", targets: ["Descent"]),
        .library(name: "Kernels", targets: ["Kernels"]),
        .library(name: "Randomness", targets: ["Randomness"]),
        .library(name: "LinearAlgebra", targets: ["LinearAlgebra"]),
        .library(name: "BinaryAlgebra", targets: ["BinaryAlgebra"]),
        .library(name: "Objectives", targets: ["Objectives"]),
        .library(name: "Datasets", targets: ["Datasets"]),
        .library(name: "Autodiff", targets: ["Autodiff"]),
        .library(name: "Optimizers", targets: ["Optimizers"]),
        .library(name: "NeuralNetworks", targets: ["NeuralNetworks"]),
        .library(name: "Curvature", targets: ["Curvature"]),
        .library(name: "Sketching", targets: ["Sketching"]),
        .library(name: "LinearSolvers", targets: ["LinearSolvers"]),
        .library(name: "OptimalTransport", targets: ["OptimalTransport"]),
        .library(name: "BinarizedNetworks", targets: ["BinarizedNetworks"]),
        .library(name: "LearnedSolvers", targets: ["LearnedSolvers"]),
        .library(name: "MatrixRecovery", targets: ["MatrixRecovery"]),
        .library(name: "ConstrainedOptimization", targets: ["ConstrainedOptimization"]),
        .library(name: "TransportMaps", targets: ["TransportMaps"]),
        .executable(name: "descent", targets: ["DescentTool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        // Layer 0: C.
        .target(name: "CKernels", path: "CKernels", sources: ["dispatch", "vector", "binary", "random", "tensor", "optimizer", "sketch", "convolution", "matrix", "stencil", "selection", "transport"].map { "src/\($0)/\($0).c" }, publicHeadersPath: "include"),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas",
                       providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
        .systemLibrary(name: "CLAPACKE", pkgConfig: "lapacke",
                       providers: [.apt(["liblapacke-dev"]), .brew(["lapack"])]),
        .systemLibrary(name: "CFFTW", pkgConfig: "fftw3 fftw3f",
                       providers: [.apt(["libfftw3-dev"]), .brew(["fftw"])]),
        // Layer 1.
        library("Kernels", ["CKernels"]),
        library("Randomness", ["Kernels"]),
        // Layer 2.
        library("LinearAlgebra", ["Kernels", "Randomness", "COpenBLAS", "CLAPACKE", "CFFTW",
                                  .product(name: "ComplexModule", package: "swift-numerics"),
                                  .product(name: "RealModule", package: "swift-numerics")],
                // Functions that return a borrowed row or view need `@_lifetime`.
                settings: [.enableExperimentalFeature("Lifetimes")]),
        library("BinaryAlgebra", ["LinearAlgebra"]),
        // Layer 3.
        library("Objectives", ["LinearAlgebra", "Randomness", .product(name: "RealModule", package: "swift-numerics")]),
        library("Datasets", ["LinearAlgebra", "Randomness", .product(name: "RealModule", package: "swift-numerics")],
                resources: [.copy("Data")]),
        library("Autodiff", ["Objectives", "LinearAlgebra", "Randomness",
                             .product(name: "ComplexModule", package: "swift-numerics"),
                             .product(name: "RealModule", package: "swift-numerics")],
                settings: [.enableExperimentalFeature("Lifetimes")]),
        // Layer 4.
        library("Optimizers", ["Objectives", "LinearAlgebra", "Randomness", "Kernels",
                               .product(name: "RealModule", package: "swift-numerics")]),
        library("NeuralNetworks", ["Autodiff", "Optimizers", "Datasets"]),
        library("Curvature", ["Objectives", "Autodiff", "LinearAlgebra", "Randomness", "Kernels",
                              .product(name: "RealModule", package: "swift-numerics")]),
        library("Sketching", ["Objectives", "LinearAlgebra", "Randomness", "Kernels"]),
        library("LinearSolvers", ["Objectives", "LinearAlgebra", "Kernels", .product(name: "RealModule", package: "swift-numerics")]),
        library("OptimalTransport", ["Objectives", "Optimizers", "Autodiff", "LinearAlgebra", "Randomness", "Kernels",
                                     .product(name: "RealModule", package: "swift-numerics"),
                                     .product(name: "ComplexModule", package: "swift-numerics")]),
        // Layer 5.
        library("BinarizedNetworks", ["BinaryAlgebra", "NeuralNetworks", .product(name: "RealModule", package: "swift-numerics")]),
        library("LearnedSolvers", ["NeuralNetworks", "LinearSolvers", "Objectives", "LinearAlgebra", "Randomness", "Kernels",
                                   .product(name: "RealModule", package: "swift-numerics")], resources: [.copy("Weights")]),
        library("MatrixRecovery", ["Sketching", "Objectives", "LinearAlgebra", "Randomness", "Kernels",
                                   .product(name: "RealModule", package: "swift-numerics")]),
        library("ConstrainedOptimization", ["LinearSolvers", "Objectives", "LinearAlgebra", "Randomness", "Kernels",
                                            .product(name: "RealModule", package: "swift-numerics")]),
        library("TransportMaps", ["NeuralNetworks", "OptimalTransport", "Autodiff", "Optimizers", "Objectives", "LinearAlgebra", "Randomness", "Kernels",
                                  .product(name: "RealModule", package: "swift-numerics")]),
        // Layer 6.
        library("Descent", ["Kernels", "Randomness", "LinearAlgebra", "BinaryAlgebra", "Objectives", "Datasets", "Autodiff",
                            "Optimizers", "NeuralNetworks", "Curvature", "Sketching", "LinearSolvers",
                            "OptimalTransport", "BinarizedNetworks", "LearnedSolvers", "MatrixRecovery", "ConstrainedOptimization", "TransportMaps"]),
        // Layer 7.
        library("Reproductions", ["Descent"]),
        .executableTarget(name: "DescentTool", dependencies: [
            "Reproductions", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ], swiftSettings: strict),
        // Tests.
        .target(name: "_TestSupport", dependencies: ["Kernels", "Randomness"], path: "Tests/_TestSupport",
                swiftSettings: strict),
        tests("Kernels"),
        tests("Randomness"),
        tests("LinearAlgebra", ["Kernels", .product(name: "ComplexModule", package: "swift-numerics"),
                                .product(name: "RealModule", package: "swift-numerics")]),
        tests("BinaryAlgebra", ["Randomness", "LinearAlgebra", "Kernels"]),
        tests("Objectives", ["LinearAlgebra", "Randomness", .product(name: "RealModule", package: "swift-numerics")]),
        tests("Datasets", ["LinearAlgebra", "Randomness"]),
        tests("Autodiff", ["LinearAlgebra", "Randomness", "Objectives"]),
        tests("NeuralNetworks", ["Autodiff", "Datasets", "Objectives", "Optimizers", "Randomness", "Kernels"]),
        tests("Optimizers", ["Objectives", "LinearAlgebra", "Randomness", "Kernels",
                             .product(name: "RealModule", package: "swift-numerics")]),
        tests("Curvature", ["Autodiff", "Objectives", "Optimizers", "LinearAlgebra", "Randomness", "Kernels"]),
        tests("Sketching", ["Objectives", "LinearAlgebra", "Randomness", "Kernels", .product(name: "RealModule", package: "swift-numerics")]),
        tests("LinearSolvers", ["Objectives", "LinearAlgebra", "Randomness", "Kernels", .product(name: "RealModule", package: "swift-numerics")]),
        tests("OptimalTransport", ["Datasets", "Objectives", "Autodiff", "LinearAlgebra", "Randomness", "Kernels",
                                   .product(name: "RealModule", package: "swift-numerics")]),
        tests("BinarizedNetworks", ["Autodiff", "BinaryAlgebra", "Datasets", "Kernels", "LinearAlgebra", "NeuralNetworks", "Objectives",
                                    "Optimizers", "Randomness", .product(name: "RealModule", package: "swift-numerics")],
              resources: [.copy("Fixtures")]),
        tests("LearnedSolvers", ["Autodiff", "Kernels", "LinearAlgebra", "LinearSolvers", "NeuralNetworks", "Objectives", "Optimizers", "Randomness",
                                 .product(name: "RealModule", package: "swift-numerics")]),
        tests("MatrixRecovery", ["Objectives", "LinearAlgebra", "Randomness", "Kernels", .product(name: "RealModule", package: "swift-numerics")]),
        tests("ConstrainedOptimization", ["Datasets", "Objectives", "LinearAlgebra", "Randomness", "Kernels",
                                          .product(name: "RealModule", package: "swift-numerics")]),
        tests("TransportMaps", ["Autodiff", "NeuralNetworks", "OptimalTransport", "Optimizers", "LinearAlgebra", "Objectives", "Randomness", "Kernels", .product(name: "RealModule", package: "swift-numerics")]),
        tests("Reproductions", ["DescentTool"]),
    ],
    cLanguageStandard: .c17
)
