import COpenBLAS
import Kernels
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#endif

/// The BLAS that the process runs on, and how many threads it uses.
///
/// Every call goes with `Threads.count` threads, and with one inside a parallel region. OpenBLAS has one count for the
/// process, so a call that needs another count than those under way waits until they are done.
public enum BLASLibrary {
    /// The library's own words on its version, kernels and build.
    public static var configuration: String { unsafe String(cString: openblas_get_config()) }

    /// The name of the processor whose kernels OpenBLAS uses.
    ///
    /// OpenBLAS takes those of its oldest processor for one that is younger than the library. Before its first call this package
    /// then makes it use `SkylakeX` or `Haswell` instead, by the vector instructions that there are. The environment
    /// variable `OPENBLAS_CORETYPE` has the last word.
    public static var core: String {
        OpenBLASCore.chosen
        return unsafe String(cString: openblas_get_corename())
    }

    /// The thread count that OpenBLAS holds now: the one of the last call that went through this package.
    public static var threadCount: Int { Int(openblas_get_num_threads()) }
}

/// Holds OpenBLAS to our thread count.
///
/// OpenBLAS has one thread count for the process, and changing it while a call runs is a data race in the library. So
/// each call passes this gate, which counts the calls under way and the count they run with in one atomic word. A call
/// that wants the count in force adds itself with one exchange. A call that wants another count closes the gate, waits
/// for the calls under way, changes the count, and opens it again. Calls never nest, so nobody waits for himself.
private enum ThreadGate {
    /// Bits 0–30: calls under way. Bit 31: closed. Bits 32 and up: the count in force; 0 before the first call.
    private static let state = Atomic<UInt64>(0)
    private static let change = Mutex<Void>(())
    private static let closed: UInt64 = 1 << 31

    static func enter() {
        let wanted = Threads.isInsideParallelRegion ? 1 : Threads.count
        if join(wanted) { return }
        change.withLock { _ in
            if join(wanted) { return }
            OpenBLASCore.chosen
            var before = state.load(ordering: .relaxed)
            while true {
                let (done, seen) = state.weakCompareExchange(
                    expected: before, desired: before | closed, ordering: .acquiringAndReleasing)
                if done { break }
                before = seen
            }
            var pause: UInt32 = 0
            while state.load(ordering: .acquiring) & (closed - 1) != 0 {
                sched_yield()
                if pause > 16 { usleep(min(pause, 200)) }
                pause += 1
            }
            openblas_set_num_threads(Int32(clamping: wanted))
            state.store(UInt64(wanted) << 32 | 1, ordering: .releasing)
        }
    }

    static func leave() {
        state.wrappingSubtract(1, ordering: .releasing)
    }

    /// Counts the caller in if `wanted` is in force and the gate is open.
    private static func join(_ wanted: Int) -> Bool {
        var before = state.load(ordering: .acquiring)
        while before >> 32 == UInt64(wanted), before & closed == 0 {
            let (done, seen) = state.weakCompareExchange(
                expected: before, desired: before + 1, ordering: .acquiring)
            if done { return true }
            before = seen
        }
        return false
    }
}

/// Runs `body`, which calls BLAS or LAPACK, with our thread count in force. Must not be nested.
func withBLAS<Result>(_ body: () -> Result) -> Result {
    ThreadGate.enter()
    defer { ThreadGate.leave() }
    return body()
}

/// A size as the 32-bit integer that BLAS, LAPACK and FFTW take.
func size32(_ size: Int) -> Int32 {
    require(size <= Int(Int32.max), "size \(size) is beyond the library's 32-bit limit, \(Int32.max)")
    return Int32(truncatingIfNeeded: size)
}
