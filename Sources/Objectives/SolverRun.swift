import Kernels

/// A run of a solver in mid-course: the state of the method and the record of the loop. Encode it to save the run.
///
/// A run that is encoded, decoded and resumed passes through the same bits as one that was never interrupted, times apart.
/// JSON has no NaN or ∞: a run that ended as ``SolverStatus/nonFinite`` needs an encoder that is told how to write them.
public struct SolverRun<State: SolverState>: Codable, Sendable {
    public fileprivate(set) var state: State
    public fileprivate(set) var iteration = 0
    public fileprivate(set) var seconds = 0.0
    fileprivate var trace: Trace
    fileprivate var best: Best?
    fileprivate let initialGradientNorm: Double?
    fileprivate var valueChange: Double?

    fileprivate struct Best: Codable, Sendable {
        var iterate: [State.Scalar]
        var value: State.Scalar
        var gradientNorm: State.Scalar?
    }

    fileprivate init(_ state: State, traceCapacity: Int) {
        self.state = state
        trace = Trace(capacity: traceCapacity)
        initialGradientNorm = state.gradientNorm.map { Double($0) }
        keepIfBest()
        trace.record(progress)
    }

    fileprivate var progress: Progress {
        Progress(iteration: iteration, seconds: seconds, evaluations: state.evaluations, value: Double(state.value),
                 valueChange: valueChange, bestValue: best.map { Double($0.value) },
                 gradientNorm: state.gradientNorm.map { Double($0) }, initialGradientNorm: initialGradientNorm,
                 stepNorm: state.stepNorm.map { Double($0) })
    }

    fileprivate mutating func advance(by step: (inout State) -> Termination?) -> Termination? {
        let before = Double(state.value)
        let termination = step(&state)
        iteration += 1
        valueChange = abs(Double(state.value) - before)
        keepIfBest()
        return termination
    }

    private mutating func keepIfBest() {
        let value = state.value
        guard value.isFinite, best.map({ value < $0.value }) ?? true else { return }
        if best == nil { best = Best(iterate: [], value: value) }
        // Into the same storage: sharing the iterate's would make the next step copy it.
        best!.iterate.removeAll(keepingCapacity: true)
        best!.iterate.append(contentsOf: state.iterate)
        best!.value = value
        best!.gradientNorm = state.gradientNorm
    }

    /// Why the run must end here; `nil` to go on.
    fileprivate func termination(_ stopping: StoppingCriterion, method: Termination?) -> Termination? {
        let value = state.value
        guard value.isFinite else {
            return Termination(.nonFinite, "the value is \(value) after \(iteration) iterations")
        }
        if let norm = state.gradientNorm, !norm.isFinite {
            return Termination(.nonFinite, "the gradient norm is \(norm) after \(iteration) iterations")
        }
        let criterion = stopping.evaluate(progress)
        let result = criterion?.status == .converged ? criterion : method ?? criterion
        if result?.status == .converged, let i = state.iterate.firstIndex(where: { !$0.isFinite }) {
            return Termination(.nonFinite, "variable \(i) is \(state.iterate[i]) after \(iteration) iterations")
        }
        return result
    }

    fileprivate func solution(_ termination: Termination) -> Solution<State.Scalar> {
        let current = Best(iterate: state.iterate, value: state.value, gradientNorm: state.gradientNorm)
        let chosen = termination.status == .converged ? current : best ?? current
        return Solution(iterate: chosen.iterate, value: chosen.value, gradientNorm: chosen.gradientNorm,
                        status: termination.status, reason: termination.reason, iterations: iteration,
                        evaluations: state.evaluations, work: state.work, seconds: seconds,
                        trace: trace.closed(with: progress))
    }
}

extension IterativeSolver {
    /// Runs the method from `start` until `stopping` says so, the method ends of itself, a value is not finite, or the observer cancels.
    ///
    /// - `stopping`: ``defaultStopping`` if `nil`. Default limits join what has none; see ``StoppingCriterion``.
    /// - `traceCapacity`: The most records of the trace, at least 2.
    public func solve(
        _ problem: Problem, from start: [Scalar], stopping: StoppingCriterion? = nil, traceCapacity: Int = 1024,
        observer: Observer? = nil
    ) -> Solution<Scalar> {
        var run = makeRun(problem, from: start, traceCapacity: traceCapacity)
        return solve(problem, resuming: &run, stopping: stopping, observer: observer)
    }

    /// A run that has not made its first step, for ``solve(_:resuming:stopping:observer:)``.
    public func makeRun(_ problem: Problem, from start: [Scalar], traceCapacity: Int = 1024) -> SolverRun<State> {
        let clock = ContinuousClock()
        let begin = clock.now
        var run = SolverRun(makeState(problem, from: start), traceCapacity: traceCapacity)
        run.seconds = (clock.now - begin).inSeconds
        return run
    }

    /// Goes on with a run, which can be saved and resumed again afterwards.
    ///
    /// Limits count from the start of the run, not from its resumption.
    public func solve(
        _ problem: Problem, resuming run: inout SolverRun<State>, stopping: StoppingCriterion? = nil,
        observer: Observer? = nil
    ) -> Solution<Scalar> {
        let stopping = (stopping ?? defaultStopping).limited
        let clock = ContinuousClock()
        let begin = clock.now, secondsBefore = run.seconds
        var lastObserved = begin
        var termination = run.termination(stopping, method: nil)
        if termination == nil, observer?.body(run.progress) == .cancel {
            termination = Termination(.cancelled, "cancelled by the observer")
        }
        while termination == nil {
            let method = run.advance { step(&$0, problem) }
            let now = clock.now
            run.seconds = secondsBefore + (now - begin).inSeconds
            run.trace.record(run.progress)
            termination = run.termination(stopping, method: method)
            if termination == nil, let observer, now - lastObserved >= Observer.interval {
                lastObserved = now
                if observer.body(run.progress) == .cancel {
                    termination = Termination(.cancelled, "cancelled by the observer")
                }
            }
        }
        if let observer {
            var last = run.progress
            last.termination = termination
            _ = observer.body(last)
        }
        return run.solution(termination!)
    }
}
