"""least-squares: tall dense problems, f64, one thread, against LAPACK's gelsy, gelsd and gels (scipy, with their best work spaces).

    python least_squares.py --rivals [--quick]      the rivals alone

Our side's case:

    least-squares   a (m×n), b (1×m) → 1×n: RandomizedLeastSquares, whatever method it takes

Both sides agree if our backward error (Karlson and Waldén, from A's singular values) is within ten times the rival's, or below 1e-16.
"""
import numpy as np

from harness import Figure, PeerCase, main


def problem(m, n, condition, seed=0):
    """Random columns mixed to the condition; a residual of a tenth of the right-hand side."""
    rng = np.random.default_rng(seed)
    v = np.linalg.qr(rng.standard_normal((n, n)))[0]
    a = rng.standard_normal((m, n)) @ (np.geomspace(1, 1 / condition, n)[:, None] * v.T) / np.sqrt(m)
    x = rng.standard_normal(n) / np.sqrt(n)
    b = a @ x
    return a, b + 0.1 * np.linalg.norm(b) / np.sqrt(m) * rng.standard_normal(m)


def backward_error(a, b, x, spectrum):
    s, vt = spectrum
    r = b - a @ x
    omega = np.linalg.norm(r) / np.linalg.norm(x)
    return np.linalg.norm((vt @ (a.T @ r)) / np.hypot(s, omega)) / np.linalg.norm(x) / np.linalg.norm(s)


def rivals(a, b):
    from scipy.linalg import lapack

    m, n = a.shape
    columns = np.asfortranarray(a)
    right = b[:, None]
    work = {"gels": int(lapack.dgels_lwork(m, n, 1)[0]), "gelsy": int(lapack.dgelsy_lwork(m, n, 1, 1e-15)[0])}
    size, integers, _ = lapack.dgelsd_lwork(m, n, 1, 1e-15)
    calls = {
        "gelsy": lambda: lapack.dgelsy(columns, right, np.zeros((n, 1), np.int32), 1e-15, work["gelsy"])[1][:n, 0],
        "gelsd": lambda: lapack.dgelsd(columns, right, int(size), int(integers), 1e-15)[0][:n, 0],
        "gels": lambda: lapack.dgels(columns, right, lwork=work["gels"])[1][:n, 0],
    }

    def case(call):
        kept = {}

        def run():
            kept["x"] = call()
        return PeerCase(run, lambda: kept["x"][None])

    return {name: case(call) for name, call in calls.items()}


def figures(ours, quick):
    sizes = [(20_000, 200)] if quick else [(200_000, 500), (20_000, 200)]
    for m, n in sizes:
        for condition in (1.0, 1e8):
            a, b = problem(m, n, condition)
            u, s, vt = np.linalg.svd(np.linalg.qr(a, mode="r"))
            error = lambda x: backward_error(a, b, x[0], (s, vt))
            agree = lambda mine, theirs: error(mine) <= max(10 * error(theirs), 1e-16)
            cases = rivals(a, b)
            targets = {"gelsy": 8, "gelsd": 5, "gels": 4} if m > 10**5 else dict.fromkeys(cases, 1)
            for name, target in targets.items():
                yield Figure(f"least squares {m}×{n}, condition {condition:.0e}, against {name}", ours.case("least-squares", a=a, b=b[None]),
                             {name: cases[name]}, target_ratio=target, agree=agree)


if __name__ == "__main__":
    main(figures, __doc__)
