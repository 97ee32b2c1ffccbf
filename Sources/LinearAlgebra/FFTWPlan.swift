import CFFTW
import Kernels
import Synchronization

/// What a plan computes. Real-to-real kinds and complex transforms run in place; the two between real and complex do not.
enum FFTWKind {
    case complex(sign: Int32)
    case realToComplex
    case complexToReal
    /// One kind for each dimension.
    case realToReal([fftw_r2r_kind])
}

/// FFTW's plans for one transform, for any buffer of the right size.
///
/// The planner is `FFTW_ESTIMATE`: it times nothing, so the same transform gives the same plan, and the same bits, in every
/// run, which timed planning cannot promise. There are two plans, because one that must take any address is up to twice as slow
/// as one for FFTW's alignment. Execution on new arrays is thread-safe, so a plan may be shared between threads; making
/// and freeing plans is not, and goes under one lock for the process. Plans are single-threaded.
@safe final class FFTWPlan<Scalar: KernelScalar>: Sendable {
    private nonisolated(unsafe) let aligned: OpaquePointer
    private nonisolated(unsafe) let unaligned: OpaquePointer

    /// Plans a transform over the logical sizes `dimensions`, row-major.
    init(_ dimensions: [Int], _ kind: FFTWKind) {
        let sizes = dimensions.map { size32($0) }
        let bytes = 2 * MemoryLayout<Scalar>.stride * (dimensions.reduce(1, *) + dimensions[0] + 2)
        (unsafe aligned, unsafe unaligned) = unsafe plannerLock.withLock { _ in
            // Estimating reads and writes neither buffer; their alignment is what counts.
            let input = unsafe fftw_malloc(bytes)!
            let output = unsafe kind.isInPlace ? input : fftw_malloc(bytes)!
            defer {
                unsafe fftw_free(input)
                if !kind.isInPlace { unsafe fftw_free(output) }
            }
            return unsafe (Self.plan(sizes, kind, input, output, FFTW_ESTIMATE),
                           Self.plan(sizes, kind, input, output, FFTW_ESTIMATE | FFTW_UNALIGNED))
        }
    }

    deinit {
        plannerLock.withLock { _ in
            for unsafe plan in unsafe [aligned, unaligned] {
                if Scalar.isDouble { unsafe fftw_destroy_plan(plan) } else { unsafe fftwf_destroy_plan(plan) }
            }
        }
    }

    private static func plan(
        _ sizes: [Int32], _ kind: FFTWKind, _ input: UnsafeMutableRawPointer, _ output: UnsafeMutableRawPointer, _ flags: UInt32
    ) -> OpaquePointer {
        let rank = Int32(sizes.count)
        let plan: OpaquePointer?
        if Scalar.isDouble {
            let real = unsafe (input.assumingMemoryBound(to: Double.self), output.assumingMemoryBound(to: Double.self))
            let complex = unsafe (input.assumingMemoryBound(to: fftw_complex.self), output.assumingMemoryBound(to: fftw_complex.self))
            unsafe plan = switch kind {
            case .complex(let sign): unsafe fftw_plan_dft(rank, sizes, complex.0, complex.1, sign, flags)
            case .realToComplex: unsafe fftw_plan_dft_r2c(rank, sizes, real.0, complex.1, flags)
            case .complexToReal: unsafe fftw_plan_dft_c2r(rank, sizes, complex.0, real.1, flags)
            case .realToReal(let kinds): unsafe fftw_plan_r2r(rank, sizes, real.0, real.1, kinds, flags)
            }
        } else {
            let real = unsafe (input.assumingMemoryBound(to: Float.self), output.assumingMemoryBound(to: Float.self))
            let complex = unsafe (input.assumingMemoryBound(to: fftwf_complex.self), output.assumingMemoryBound(to: fftwf_complex.self))
            unsafe plan = switch kind {
            case .complex(let sign): unsafe fftwf_plan_dft(rank, sizes, complex.0, complex.1, sign, flags)
            case .realToComplex: unsafe fftwf_plan_dft_r2c(rank, sizes, real.0, complex.1, flags)
            case .complexToReal: unsafe fftwf_plan_dft_c2r(rank, sizes, complex.0, real.1, flags)
            case .realToReal(let kinds): unsafe fftwf_plan_r2r(rank, sizes, real.0, real.1, kinds, flags)
            }
        }
        guard let plan = unsafe plan else { fatalError("FFTW has no plan for the sizes \(sizes)") }
        return unsafe plan
    }

    /// Runs the transform from `input` to `output`, which are the same if and only if the kind is in place.
    func execute(_ kind: FFTWKind, _ input: UnsafeMutableRawPointer, _ output: UnsafeMutableRawPointer) {
        if Scalar.isDouble {
            let real = unsafe (input.assumingMemoryBound(to: Double.self), output.assumingMemoryBound(to: Double.self))
            let complex = unsafe (input.assumingMemoryBound(to: fftw_complex.self), output.assumingMemoryBound(to: fftw_complex.self))
            let isAligned = unsafe fftw_alignment_of(real.0) == 0 && fftw_alignment_of(real.1) == 0
            let plan = unsafe isAligned ? aligned : unaligned
            switch kind {
            case .complex: unsafe fftw_execute_dft(plan, complex.0, complex.1)
            case .realToComplex: unsafe fftw_execute_dft_r2c(plan, real.0, complex.1)
            case .complexToReal: unsafe fftw_execute_dft_c2r(plan, complex.0, real.1)
            case .realToReal: unsafe fftw_execute_r2r(plan, real.0, real.1)
            }
        } else {
            let real = unsafe (input.assumingMemoryBound(to: Float.self), output.assumingMemoryBound(to: Float.self))
            let complex = unsafe (input.assumingMemoryBound(to: fftwf_complex.self), output.assumingMemoryBound(to: fftwf_complex.self))
            let isAligned = unsafe fftwf_alignment_of(real.0) == 0 && fftwf_alignment_of(real.1) == 0
            let plan = unsafe isAligned ? aligned : unaligned
            switch kind {
            case .complex: unsafe fftwf_execute_dft(plan, complex.0, complex.1)
            case .realToComplex: unsafe fftwf_execute_dft_r2c(plan, real.0, complex.1)
            case .complexToReal: unsafe fftwf_execute_dft_c2r(plan, complex.0, real.1)
            case .realToReal: unsafe fftwf_execute_r2r(plan, real.0, real.1)
            }
        }
    }
}

extension FFTWKind {
    var isInPlace: Bool {
        switch self {
        case .complex, .realToReal: true
        case .realToComplex, .complexToReal: false
        }
    }
}

private let plannerLock = Mutex<Void>(())

/// The sizes of a transform: one, or rows and columns.
func transformSizes(_ sizes: Int...) -> [Int] {
    for size in sizes { require(size >= 1, "transform of size \(size); expected at least 1") }
    return sizes
}
