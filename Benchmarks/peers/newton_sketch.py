"""newton-sketch: Newton systems of constrained problems, f64, one thread, to the accuracy that the method asks for, against scipy's dense solvers.

    python newton_sketch.py --rivals [--quick]      the rivals alone

Our side's cases, on a Hessian h (n×n), a Jacobian j (m×n) and a right-hand side b (1×(n+m)):

    newton-automatic    blocks of rows or a factorisation, as AdaSketch-Newton chooses
    newton-direct       Bunch–Kaufman of the whole matrix, with one refinement
    newton-block        blocks of `rows` rows to the end
    newton-gmres        GMRES(50)

`accuracy` is relative to ‖b‖; 0 stands for what the method comes down to, 10⁻⁶‖b‖/(‖Γ‖Ψ), about 10⁻¹². Two families: h = I with orthonormal
rows of j, the best condition that there is, and a logistic Hessian with normal rows. The cost of the first three is the time of the automatic choice over
that of the better of factorisation and blocks.
"""
import numpy as np

from harness import Figure, PeerCase, main


def system(kind, order, seed=0):
    rng = np.random.default_rng(seed)
    m = order // 5
    n = order - m
    if kind == "orthonormal":
        h = np.eye(n)
        j = np.linalg.qr(rng.standard_normal((n, m)))[0].T
    else:
        a = rng.standard_normal((2 * n, n))
        p = 1 / (1 + np.exp(-a @ rng.standard_normal(n) / np.sqrt(n)))
        h = a.T @ ((p * (1 - p))[:, None] * a) / (2 * n) + 0.1 * np.eye(n)
        j = rng.standard_normal((m, n)) / np.sqrt(n)
    return np.ascontiguousarray(h), np.ascontiguousarray(j), rng.standard_normal(order)


def rivals(h, j, b):
    from scipy.linalg import lapack, lu_factor, lu_solve

    m = j.shape[0]
    gamma = np.asfortranarray(np.block([[h, j.T], [j, np.zeros((m, m))]]))
    work = int(lapack.dsysv_lwork(len(b))[0])
    calls = {"lu_factor": lambda: lu_solve(lu_factor(gamma, check_finite=False), b, check_finite=False),
             "sysv": lambda: lapack.dsysv(gamma, b, lwork=work)[2]}

    def case(call):
        kept = {}

        def run():
            kept["z"] = call()
        return PeerCase(run, lambda: kept["z"].reshape(1, -1))

    return {name: case(call) for name, call in calls.items()}


def figures(ours, quick):
    for order in (500, 1000) if quick else (500, 1000, 2000):
        for kind, accuracy in (("orthonormal", 0), ("orthonormal", 1e-4), ("logistic", 0)):
            h, j, b = system(kind, order)
            arrays = dict(h=h, j=j, b=b[None])
            tolerance = max(accuracy, 1e-9)
            agree = lambda mine, theirs: np.linalg.norm(mine - theirs) <= 100 * tolerance * np.linalg.norm(theirs)
            beside = {"direct": ours.case("newton-direct", {"accuracy": accuracy}, **arrays),
                      "gmres": ours.case("newton-gmres", {"accuracy": accuracy}, **arrays)}
            better = ["direct"]
            if kind == "orthonormal":
                for rows in (8, 16, 32):
                    beside[f"block {rows}"] = ours.case("newton-block", {"accuracy": accuracy, "rows": rows}, **arrays)
                better += ["block 8", "block 16", "block 32"]
            yield Figure(f"Newton system of order {order}, {kind}, to {accuracy or 'the accuracy asked for'}",
                         ours.case("newton-automatic", {"accuracy": accuracy}, **arrays), rivals(h, j, b), agree=agree, beside=beside,
                         cost=lambda t, better=better: t["ours"] / min(t[name] for name in better), cost_unit="of the better", target_cost=1.1 if not accuracy else None)


if __name__ == "__main__":
    main(figures, __doc__)
