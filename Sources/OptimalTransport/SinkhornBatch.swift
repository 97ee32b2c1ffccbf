import Kernels
import Synchronization

extension Sinkhorn {
    /// Solves many problems, on up to `Threads.count` threads, each on one. Solutions are those of one problem at a time with one thread.
    ///
    /// - Throws: the error of the first problem that has one.
    public func solve(_ problems: [TransportProblem<Scalar>]) throws(TransportError) -> [TransportSolution<Scalar>] {
        let results = Mutex([Result<TransportSolution<Scalar>, TransportError>?](repeating: nil, count: problems.count))
        concurrentPerform(iterations: problems.count) { index in
            let result = Result { () throws(TransportError) in try solve(problems[index]) }
            results.withLock { $0[index] = result }
        }
        var solutions: [TransportSolution<Scalar>] = []
        for result in results.withLock({ $0 }) { solutions.append(try result!.get()) }
        return solutions
    }
}
