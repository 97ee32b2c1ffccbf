#if canImport(Glibc)
import Glibc
#endif

/// What becomes of memory that has been freed.
public enum FreedMemory {
    /// Has the C library keep up to 512 MiB of freed memory for the next arrays, instead of giving it back to the system.
    ///
    /// A computation that makes and drops large arrays over and over otherwise asks the system for the same pages each time, and
    /// the system clears them each time: a third of the time of a training step of a small Transformer. Derivatives call
    /// this before the first record. Only glibc is told (`mallopt`, for the whole process); one of glibc's own variables
    /// in the environment (`MALLOC_TRIM_THRESHOLD_`, `MALLOC_MMAP_THRESHOLD_`, `GLIBC_TUNABLES`) has the last word.
    public static func keep() { _ = kept }

    private static let kept: Bool = {
        #if canImport(Glibc)
        for variable in ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"] where unsafe getenv(variable) != nil {
            return false
        }
        // <malloc.h> is in no module of the Swift toolchain.
        guard let symbol = unsafe dlsym(nil, "mallopt") else { return false }
        let mallopt = unsafe unsafeBitCast(symbol, to: (@convention(c) (CInt, CInt) -> CInt).self)
        let trimThreshold: CInt = -1, mapThreshold: CInt = -3
        // 32 MiB is the most that glibc takes for the size from which arrays are mapped one by one.
        return mallopt(trimThreshold, 512 << 20) == 1 && mallopt(mapThreshold, 32 << 20) == 1
        #else
        return false
        #endif
    }()
}
