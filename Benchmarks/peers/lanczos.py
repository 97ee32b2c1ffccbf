"""lanczos: the largest Hessian eigenvalue of the MLP to a residual of 1e-4, against scipy's eigsh on JAX products, one thread, f32.

    python lanczos.py --rivals [--quick]      the rivals alone

Our side's case, on the arrays that networks.py lays out:

    mlp-sharpness   p, x, labels, number tolerance → 1×2: the eigenvalue and how many products it took

The rival's products are those of one compiled linearisation, the cheapest that JAX has; its start is a fixed normal vector.
"""
import numpy as np

import networks
from harness import Figure, PeerCase, main
from hvp import jax_arguments

tolerance = 1e-4


def figures(ours, quick):
    mlp = networks.mlp()
    sharpness = lambda: ours.case("mlp-sharpness", {"tolerance": tolerance}, **mlp.arrays)
    near = lambda x, y: abs(x[0, 0] - y[0, 0]) <= 1e-3 * abs(y[0, 0])
    yield Figure("largest Hessian eigenvalue of the MLP", sharpness(), {"scipy eigsh on jax": eigsh(mlp)}, target_ratio=1.5, agree=near)
    mine, theirs = sharpness(), eigsh(mlp)
    yield Figure("largest Hessian eigenvalue of the MLP, products", mine, {"scipy eigsh on jax": theirs}, agree=near,
                 cost=lambda t: mine.result()[0, 1] / theirs.result()[0, 1], cost_unit="times eigsh's products", target_cost=0.999)


def eigsh(network):
    from scipy.sparse.linalg import LinearOperator, eigsh as solve

    jax, p, data = jax_arguments(network)
    linearize = jax.jit(lambda p, x, labels: jax.linearize(lambda q: jax.grad(networks.jax_mlp)(q, x, labels), p)[1])
    apply = jax.jit(lambda linear, v: linear(v))
    count = len(network.p)
    start = np.random.default_rng(0).standard_normal(count).astype(np.float32)

    def run():
        linear, products = linearize(p, *data), 0

        def product(v):
            nonlocal products
            products += 1
            rows = [jax.numpy.asarray(a) for a in network.split(v.ravel().astype(np.float32))]
            return np.concatenate([np.ravel(a) for a in apply(linear, rows)])

        operator = LinearOperator((count, count), matvec=product, dtype=np.float32)
        value = solve(operator, k=1, which="LA", tol=tolerance, v0=start, return_eigenvectors=False)[0]
        return np.array([[value, products]])

    return PeerCase(run, run)


if __name__ == "__main__":
    main(figures, __doc__)
