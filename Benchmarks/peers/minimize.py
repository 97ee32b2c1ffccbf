"""minimize: L-BFGS on the library of smooth test problems from their standard starts, against SciPy's L-BFGS-B, by evaluations.

A problem is solved at the first evaluation whose gradient has a norm of at most 10⁻⁶ max(1, that of the start). Both sides see the
same functions, which our runner evaluates, have a memory of 10 pairs and at most 3000 evaluations, and no bounds. The performance
profile (Dolan & Moré) is the share of problems that a method solves within τ times the evaluations of the better one.
"""
import numpy as np

from harness import Count

tolerance, limit = 1e-6, 3000


def figures(ours, quick):
    problems = ours.ask({"do": "problems"})["problems"]
    if quick:
        problems = [p for p in problems if len(p["start"]) <= 4]
    scipy_runs = [scipy_run(ours, i, p) for i, p in numbered(ours, problems)]
    for name, method in [("L-BFGS", "lbfgs"), ("L-BFGS with Hager–Zhang", "lbfgs-hager-zhang"), ("L-BFGS-B", "lbfgsb")]:
        runs = [our_run(ours, i, method) for i, _ in numbered(ours, problems)]
        solved, peers = share(runs), share(scipy_runs)
        failed = [f"{p['name']} {len(p['start'])}" for p, r in zip(problems, runs) if r is None]
        yield Count(f"{name}, solved of {len(problems)} problems", solved, "%", f"scipy L-BFGS-B {peers:.3g} %"
                    + (f" · not {', '.join(failed)}" if failed else ""), 95 if method == "lbfgs" else None)
        gaps, lines = [], []
        for tau in (1, 1.5, 2, 4, 8):
            mine, theirs = profile(runs, scipy_runs, tau), profile(scipy_runs, runs, tau)
            gaps.append(mine - theirs)
            lines.append(f"τ = {tau}: {mine:.0f} against {theirs:.0f} %")
        yield Count(f"{name}, profile above scipy's, least over τ", min(gaps), "points", ", ".join(lines), 0 if method == "lbfgs" else None)
        both = [(r, s) for r, s in zip(runs, scipy_runs) if r and s]
        ratio = np.exp(np.mean([np.log(s / r) for r, s in both]))
        yield Count(f"{name}, scipy's evaluations over ours, geometric mean of {len(both)} problems", ratio, "×")


def numbered(ours, problems):
    """The problems with their numbers in our runner."""
    everything = ours.ask({"do": "problems"})["problems"]
    return [(everything.index(p), p) for p in problems]


def our_run(ours, index, method):
    numbers = {"tolerance": tolerance, "evaluations": limit}
    return ours.ask({"do": "minimize", "problem": index, "method": method, "numbers": numbers})["run"].get("solvedAt")


def scipy_run(ours, index, problem):
    """The number of the evaluation that solves the problem; None if none does."""
    from scipy.optimize import minimize

    norms = []

    class Solved(Exception):
        pass

    def evaluate(x):
        answer = ours.ask({"do": "evaluate", "problem": index, "x": list(x)})
        gradient = np.array(answer["gradient"], float)
        norms.append(np.linalg.norm(gradient))
        if norms[-1] <= tolerance * max(1, norms[0]):
            raise Solved
        return float(answer["value"]), gradient

    try:
        minimize(evaluate, problem["start"], jac=True, method="L-BFGS-B",
                 options={"maxcor": 10, "maxiter": limit, "maxfun": limit, "ftol": 0, "gtol": 0})
    except Solved:
        return len(norms)
    return None


def share(runs):
    return 100 * sum(r is not None for r in runs) / len(runs)


def profile(runs, others, tau):
    """The percentage solved within τ times the evaluations of the better of the two."""
    return 100 * sum(r is not None and r <= tau * min(r, o or r) for r, o in zip(runs, others)) / len(runs)
