"""exact-transport: optimal assignments and plans, one thread, against scipy, lapx, lapjv and POT's network simplex.

    python exact_transport.py --rivals [--quick]      the rivals alone

Costs are uniform random numbers; squared distances of points of one distribution; and those of two normal distributions of different
place and width, the hardest for methods that look for shortest paths. Our side's cases, whose result is the total cost:

    assignment-f32, assignment-f64   c (n×n) → the assignment
    exact-transport                  c, a (1×n), b (1×n) → the plan between weights

Rivals that take more than five seconds on points are left out there: lapx and lapjv beyond 1000, scipy on the third kind.
"""
import numpy as np

from harness import Figure, PeerCase, main


def costs(kind, n, rng):
    if kind == "uniform costs":
        return rng.random((n, n))
    x, y = (rng.random((n, 2)), rng.random((n, 2))) if kind == "points" else (rng.normal(size=(n, 2)), rng.normal(size=(n, 2)) / 2 + 1)
    return ((x[:, None] - y[None]) ** 2).sum(-1)


def figures(ours, quick):
    import lap
    import lapjv
    import ot
    from scipy.optimize import linear_sum_assignment

    equal = lambda p, q: abs(p[0, 0] - q[0, 0]) <= 1e-6 * abs(q[0, 0])
    value = lambda cost: lambda: np.array([[cost()]])
    for n in [500] if quick else [1000, 2000, 4000]:
        for kind in ["uniform costs", "points", "points of two distributions"]:
            rng = np.random.default_rng(1)
            c = costs(kind, n, rng)
            single = c.astype(np.float32)
            even = np.full(n, 1 / n)
            emd = lambda c=c, e=even: ot.emd2(e, e, c, numItermax=10**8) * n
            sap = lambda c=c: c[linear_sum_assignment(c)].sum()
            rivals = {"POT emd": PeerCase(emd, value(emd))}
            if kind != "points of two distributions" or n <= 1000:
                rivals["scipy"] = PeerCase(sap, value(sap))
            if kind == "uniform costs" or n <= 500:
                rivals["lapx"] = PeerCase(lambda c=c: lap.lapjv(c), value(lambda c=c: lap.lapjv(c)[0]))
                rivals["lapjv"] = PeerCase(lambda c=c: lapjv.lapjv(c), value(lambda c=c: c[np.arange(len(c)), lapjv.lapjv(c)[0]].sum()))
            yield Figure(f"assignment, {kind}, n = {n}, f64", ours.case("assignment-f64", c=c), rivals, target_ratio=1.2, agree=equal)
            if kind == "uniform costs":
                half = lambda c=single: c[np.arange(len(c)), lapjv.lapjv(c)[0]].sum(dtype=float)
                yield Figure(f"assignment, {kind}, n = {n}, f32", ours.case("assignment-f32", c=single),
                             {"lapjv": PeerCase(lambda c=single: lapjv.lapjv(c), value(half))}, target_ratio=1.2,
                             agree=lambda p, q: abs(p[0, 0] - q[0, 0]) <= 1e-4 * abs(q[0, 0]))
            a, b = rng.random(n), rng.random(n)
            a, b = a / a.sum(), b / b.sum()
            general = lambda c=c, a=a, b=b: ot.emd2(a, b, c, numItermax=10**8)
            yield Figure(f"weights, {kind}, n = {n}", ours.case("exact-transport", c=c, a=a[None], b=b[None]),
                         {"POT emd": PeerCase(general, value(general))}, target_ratio=1.2, agree=equal)


if __name__ == "__main__":
    main(figures, __doc__)
