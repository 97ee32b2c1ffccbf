"""op-overhead: what one operation on 16 numbers costs, forward and backward, against PyTorch and JAX without jit.

    python op_overhead.py --rivals [--quick]      the rivals alone

Our side's case:

    op-overhead   x, a, b (1×16, f4), number repeats → 3×16: the gradients of sum(y) by x, a and b, where y begins as x and
                  y ← y · a + b is done `repeats` times, each as one product and one sum

Overhead is the time of the whole, forward and backward, over its 2 · repeats operations.
"""
import numpy as np

import networks
from harness import Figure, PeerCase, main

repeats = 100
operations = 2 * repeats


def figures(ours, quick):
    rng = np.random.default_rng(0)
    x, b = rng.standard_normal((2, 1, 16)).astype(np.float32)
    a = rng.uniform(0.98, 1.02, (1, 16)).astype(np.float32)
    per_operation = lambda t: t["ours"] / operations * 1e6
    yield Figure("y · a + b on 16 numbers 100 times, forward and backward", ours.case("op-overhead", {"repeats": repeats}, x=x, a=a, b=b),
                 {"torch": torch_chain(x, a, b), "jax, no jit": jax_chain(x, a, b)}, cost=per_operation,
                 cost_unit="µs an operation", target_cost=1, agree=networks.near(1e-5))


def torch_chain(*arrays):
    torch = networks.torch_module()
    leaves = [torch.from_numpy(v[0].copy()).requires_grad_() for v in arrays]

    def run():
        y, a, b = leaves
        for _ in range(repeats):
            y = y * a + b
        return torch.autograd.grad(y.sum(), leaves)

    return PeerCase(run, lambda: np.stack([g.numpy() for g in run()]))


def jax_chain(*arrays):
    jax, jnp = networks.jax_modules()

    def loss(y, a, b):
        for _ in range(repeats):
            y = y * a + b
        return y.sum()

    leaves = [jnp.asarray(v[0]) for v in arrays]
    gradient = jax.grad(loss, argnums=(0, 1, 2))
    run = lambda: jax.block_until_ready(gradient(*leaves))
    return PeerCase(run, lambda: np.stack([np.asarray(g) for g in run()]))


if __name__ == "__main__":
    main(figures, __doc__)
