"""low-rank-transport: plans of low rank between points, one thread, uniform weights, n = m, equal rank.

    python low_rank_transport.py --rivals [--quick]      the rivals alone

Our side's case:

    low-rank-transport   x (n×d), y (m×d); rank → 1×3: ⟨P, C⟩, the marginal error in L1, whether it converged

Both sides run from one start to their own default end: ours from k-means in f32, POT from its deterministic start (that by k-means needs another
package) in f64, OTT from its default in f32 with a threshold of 1e-6: with its own of 1e-3 it ends at costs three times as large. They agree
if our cost is at most 2 % above the rival's: local optima differ, and a lower cost at equal rank is the better one. A rival whose plan has no finite cost is left out and named on the standard error.
"""
import sys
import warnings

import numpy as np

from harness import Figure, PeerCase, main


def clouds(n, d):
    rng = np.random.default_rng(0)
    centers = rng.standard_normal((10, d)) * 2
    x = centers[rng.integers(0, 10, n)] + 0.3 * rng.standard_normal((n, d))
    y = -centers[rng.integers(0, 10, n)] + 0.3 * rng.standard_normal((n, d))
    return x.astype(np.float32), y.astype(np.float32)


def product_cost(x, y, q, r, g):
    """⟨Q diag(1/g) Rᵀ, C⟩ of squared distances, in f64, without the plan."""
    x, y, q, r, g = (np.asarray(z, np.float64) for z in (x, y, q, r, g))
    a = np.concatenate([(x ** 2).sum(1, keepdims=True), np.ones((len(x), 1)), -2 * x], 1)
    b = np.concatenate([np.ones((len(y), 1)), (y ** 2).sum(1, keepdims=True), y], 1)
    cost = float((((q.T @ a) * (r.T @ b)).sum(1) / g).sum())
    n, m = len(x), len(y)
    error = np.abs((q / g) @ r.sum(0) - 1 / n).sum() + np.abs((r / g) @ q.sum(0) - 1 / m).sum()
    return cost, float(error)


def case(name, run, x, y):
    kept = {}

    def call():
        kept["factors"] = run()
    call()
    cost, error = product_cost(x, y, *kept["factors"])
    print(f"{name}: cost {cost:.5g}, marginal error {error:.1e}", file=sys.stderr)
    if not np.isfinite(cost):
        return {}
    return {name: PeerCase(call, lambda: np.array([[product_cost(x, y, *kept["factors"])[0]]], np.float32))}


def rivals(x, y, rank):
    import ot

    def pot():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            q, r, g = ot.lowrank_sinkhorn(x.astype(np.float64), y.astype(np.float64), rank=rank, init="deterministic", log=False)[:3]
        return q, r, g
    cases = case("POT", pot, x, y)
    try:
        import jax
        import jax.numpy as jnp
        from ott.geometry import pointcloud
        from ott.problems.linear import linear_problem
        from ott.solvers.linear import sinkhorn_lr
    except ImportError as missing:
        print(f"OTT-JAX is left out: {missing}", file=sys.stderr)
        return cases
    geometry = pointcloud.PointCloud(jnp.asarray(x), jnp.asarray(y)).to_LRCGeometry()
    solver = sinkhorn_lr.LRSinkhorn(rank=rank, threshold=1e-6)
    solve = jax.jit(lambda g: (lambda out: (out.q, out.r, out.g))(solver(linear_problem.LinearProblem(g))))
    return cases | case("OTT", lambda: tuple(part.block_until_ready() for part in solve(geometry)), x, y)


def figures(ours, quick):
    for n, d, rank in (((500, 3, 10),) if quick else ((2000, 3, 10), (2000, 3, 50), (20000, 3, 10))):
        x, y = clouds(n, d)
        for name, rival in rivals(x, y, rank).items():
            yield Figure(f"plan of rank {rank}, n={n}, d={d}, f32, against {name}", ours.case("low-rank-transport", {"rank": rank}, x=x, y=y), {name: rival},
                         agree=lambda mine, theirs: mine[0, 0] <= 1.02 * theirs[0, 0])


if __name__ == "__main__":
    main(figures, __doc__)
