"""sparse-transport: sparsity-constrained optimal transport, one thread, against POT's (scipy's L-BFGS over NumPy).

    python sparse_transport.py --rivals [--quick]      the rivals alone

Squared distances of normal points over the largest, even weights. Both sides end by their own rule, ours at a marginal error of 1e-6 in L1
or when no step helps; they agree if our dual value is at least the rival's less 1e-5 of it. POT's bound is one of columns, as ours.

    sparse-transport   c, a, b, numbers k, gamma, semi → the dual value and the marginal error
"""
import numpy as np

from harness import Figure, PeerCase, main


def figures(ours, quick):
    import ot

    n = 100 if quick else 500
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(n, 2)) @ np.array([[1, 0.8], [0, 0.6]]) + 3
    c = ((x[:, None] - y[None]) ** 2).sum(-1)
    c /= c.max()
    a = np.full(n, 1 / n)
    # The second is where the bound of 8 binds, and of 2 more so.
    for gamma in [1.0, 0.1 * n]:
        for k in [2, 8]:
            for semi in [0, 1]:
                solve = ot.smooth.smooth_ot_semi_dual if semi else ot.smooth.smooth_ot_dual
                run = lambda solve=solve, k=k, gamma=gamma: solve(a, a, c, reg=gamma, reg_type="sparsity_constrained", max_nz=k, log=True)

                def value(run=run, semi=semi, k=k, gamma=gamma):
                    log = run()[1]
                    alpha = log["alpha"]
                    beta = None if semi else log["beta"]
                    s = -np.sort(-(alpha[:, None] - c + (0 if semi else beta[None])), axis=0)[:k]
                    if semi:
                        tau = np.max((np.cumsum(s, 0) - gamma / n) / np.arange(1, k + 1)[:, None], axis=0)
                        conjugate = tau / n + (np.maximum(s - tau, 0) ** 2).sum(0) / (2 * gamma)
                        return np.array([[alpha @ a - conjugate.sum()]])
                    return np.array([[alpha @ a + beta @ a - (np.maximum(s, 0) ** 2).sum() / (2 * gamma)]])

                case = ours.case("sparse-transport", {"k": k, "gamma": gamma, "semi": semi}, c=c, a=a[None], b=a[None])
                yield Figure(f"{'semi-dual' if semi else 'dual'}, n = {n}, k = {k}, gamma = {gamma:g}", case, {"POT": PeerCase(run, value)},
                             target_ratio=10, agree=lambda p, q: p[0, 0] >= q[0, 0] - 1e-5 * abs(q[0, 0]))


if __name__ == "__main__":
    main(figures, __doc__)
