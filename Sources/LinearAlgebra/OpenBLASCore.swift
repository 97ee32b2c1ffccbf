import COpenBLAS
import Kernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#endif

/// Makes OpenBLAS use the processor's vectors where it did not know the processor.
///
/// OpenBLAS finds its kernels by the processor's model number. For one that is younger than the library it takes those of
/// the oldest processor, Prescott, whose `sgemm` was measured seven times slower on a processor with AVX-512. The choice can be made
/// anew as long as no call is under way: with the name in `OPENBLAS_CORETYPE`, by the functions that the library
/// itself calls when it is loaded. A library without them, and a name that the user has set, are left alone.
enum OpenBLASCore {
    /// Chooses once, before the first call.
    static let chosen: Void = {
        #if arch(x86_64)
        let variable = "OPENBLAS_CORETYPE"
        guard let fitting = KernelTier.avx512.isSupported ? "SkylakeX" : KernelTier.avx2.isSupported ? "Haswell" : nil,
              unsafe getenv(variable) == nil, unsafe String(cString: openblas_get_corename()) == "Prescott",
              let quit = function("gotoblas_dynamic_quit"), let start = function("gotoblas_dynamic_init")
        else { return }
        unsafe setenv(variable, fitting, 1)
        quit()
        start()
        unsafe unsetenv(variable)
        #endif
    }()

    /// A function of the library that its header does not declare.
    private static func function(_ name: String) -> (@convention(c) () -> Void)? {
        guard let symbol = unsafe dlsym(nil, name) else { return nil }
        return unsafe unsafeBitCast(symbol, to: (@convention(c) () -> Void).self)
    }
}
