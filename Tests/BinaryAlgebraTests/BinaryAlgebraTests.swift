import BinaryAlgebra
import Testing
