import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#endif

/// How many threads the package uses for one operation.
///
/// The default is `DESCENT_NUM_THREADS`, or the number of cores where that is unset. OpenBLAS and FFTW follow the same
/// number. Inside a parallel region everything is single-threaded: regions do not nest.
public enum Threads {
    private static let setting = Atomic<Int>(Threads.fromEnvironment)

    /// The thread count in force. Setting it changes it for the whole process.
    ///
    /// - Precondition: at least 1.
    public static var count: Int {
        get { setting.load(ordering: .relaxed) }
        set {
            require(newValue >= 1, "thread count is \(newValue); expected at least 1")
            setting.store(newValue, ordering: .relaxed)
        }
    }

    /// The number of processors that this process may run on.
    public static let coreCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    /// Whether the caller is inside ``concurrentPerform(iterations:_:)``.
    public static var isInsideParallelRegion: Bool { ThreadMark.isInside }

    /// What is wrong with `DESCENT_NUM_THREADS`, as a sentence; `nil` when it is unset, empty or a count.
    ///
    /// Ask before the first use of ``count`` to report it in your own way; ``count`` ends the process with it.
    public static var environmentError: String? {
        guard let text = environmentText, Int(text).map({ $0 < 1 }) ?? true else { return nil }
        return "DESCENT_NUM_THREADS is '\(text)'; expected a whole number of at least 1"
    }

    private static var environmentText: String? {
        unsafe getenv("DESCENT_NUM_THREADS").map { unsafe String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static var fromEnvironment: Int {
        if let environmentError { fatalError(environmentError) }
        return environmentText.flatMap { Int($0) } ?? coreCount
    }
}

/// Marks the threads that run a parallel region.
private enum ThreadMark {
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        unsafe pthread_key_create(&key, nil)
        return key
    }()

    static var isInside: Bool { unsafe pthread_getspecific(key) != nil }

    static func mark<Result>(_ body: () -> Result) -> Result {
        unsafe pthread_setspecific(key, UnsafeRawPointer(bitPattern: 1))
        defer { pthread_setspecific(key, nil) }
        return body()
    }
}

/// Calls `body(0)` … `body(iterations - 1)`, on up to ``Threads/count`` threads, and returns when all are done.
///
/// The assignment of iterations to threads is dynamic, so `body` must give the same result on any thread. With one
/// thread, one iteration, or inside another parallel region the calls run in order on the caller's thread.
/// The caller's forced tier (``withKernelTier(_:_:)``) holds in the workers.
public func concurrentPerform(iterations: Int, _ body: @Sendable (Int) -> Void) {
    let workers = min(Threads.count, iterations)
    guard workers > 1, !Threads.isInsideParallelRegion else {
        for i in 0..<max(0, iterations) { body(i) }
        return
    }
    let tier = forcedTier()
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
        ThreadMark.mark {
            withForcedTier(tier) {
                while true {
                    let i = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard i < iterations else { return }
                    body(i)
                }
            }
        }
    }
}

/// Cuts `span` into blocks of `blockLength` elements (the last may be shorter) and calls `body(block, part)` for each,
/// on up to ``Threads/count`` threads. Blocks are disjoint, so each call may write its own part freely.
///
/// - Precondition: `blockLength` is at least 1.
public func concurrentBlocks<Element: BitwiseCopyable & Sendable>(
    of span: inout MutableSpan<Element>, blockLength: Int,
    _ body: @Sendable (_ block: Int, _ part: inout MutableSpan<Element>) -> Void
) {
    require(blockLength >= 1, "block length is \(blockLength); expected at least 1")
    let count = span.count
    unsafe span.withUnsafeMutableBufferPointer { buffer in
        // Disjoint parts of one buffer: no two iterations touch the same element.
        nonisolated(unsafe) let buffer = unsafe buffer
        concurrentPerform(iterations: (count + blockLength - 1) / blockLength) { block in
            let start = block * blockLength
            let part = unsafe UnsafeMutableBufferPointer(rebasing: buffer[start..<min(count, start + blockLength)])
            var mutable = unsafe MutableSpan(_unsafeElements: part)
            body(block, &mutable)
        }
    }
}

/// As ``concurrentBlocks(of:blockLength:_:)`` for two spans that are cut into equally many blocks.
///
/// - Precondition: both lengths are at least 1, and cut their spans into as many blocks.
public func concurrentBlocks<Element: BitwiseCopyable & Sendable>(
    of first: inout MutableSpan<Element>, blockLength: Int, and second: inout MutableSpan<Element>, blockLength secondLength: Int,
    _ body: @Sendable (_ block: Int, _ first: inout MutableSpan<Element>, _ second: inout MutableSpan<Element>) -> Void
) {
    require(secondLength >= 1, "block length is \(secondLength); expected at least 1")
    let count = second.count, blocks = (count + secondLength - 1) / secondLength
    require((first.count + blockLength - 1) / max(1, blockLength) == blocks,
            "\(first.count) and \(count) elements in blocks of \(blockLength) and \(secondLength); expected as many blocks")
    unsafe second.withUnsafeMutableBufferPointer { buffer in
        // Disjoint parts, as of the first span.
        nonisolated(unsafe) let buffer = unsafe buffer
        concurrentBlocks(of: &first, blockLength: blockLength) { block, part in
            let start = block * secondLength
            let other = unsafe UnsafeMutableBufferPointer(rebasing: buffer[start..<min(count, start + secondLength)])
            var mutable = unsafe MutableSpan(_unsafeElements: other)
            body(block, &part, &mutable)
        }
    }
}
