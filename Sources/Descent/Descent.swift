// The umbrella: `import Descent` brings every public module.
@_exported import Autodiff
@_exported import BinarizedNetworks
@_exported import BinaryAlgebra
@_exported import ConstrainedOptimization
@_exported import Curvature
@_exported import Datasets
@_exported import Kernels
@_exported import LearnedSolvers
@_exported import LinearAlgebra
@_exported import LinearSolvers
@_exported import NeuralNetworks
@_exported import Objectives
@_exported import Optimizers
@_exported import Randomness
@_exported import Sketching
@_exported import TransportMaps
