import Kernels

/// The lengths that every kernel is tested on: around vector widths, unroll widths and block sizes.
public let kernelLengths = [0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 255, 1023, 4097]
