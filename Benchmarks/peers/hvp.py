"""hvp: Hessian-vector products of the MLP against JAX and PyTorch, one thread, f32, and their price in gradients.

    python hvp.py --rivals [--quick]      the rivals alone

Our side's cases, on the arrays that networks.py lays out:

    mlp-hvp          p, x, labels, v (1×P) → 1×P: H v, from scratch
    mlp-hvp-probes   p, x, labels, v (8×P) → 8×P: a row H vᵢ for each row, the primal computed once
    mlp-gradient     as in gradient.py, for the unit of the prices

The price of a further probe is (time of 8 probes − time of one) / 7, in gradients.
"""
import numpy as np

import networks
from harness import Figure, PeerCase, main

probes = 8


def figures(ours, quick):
    mlp = networks.mlp()
    v = np.random.default_rng(2).standard_normal((probes, len(mlp.p))).astype(np.float32)
    one, many = mlp.arrays | {"v": v[:1]}, mlp.arrays | {"v": v}
    close = networks.near(1e-4)
    yield Figure("HVP of the MLP, against JAX", ours.case("mlp-hvp", **one), {"jax jvp of grad": jax_hvp(mlp, v[0])},
                 target_ratio=1.1, agree=close)
    yield Figure("HVP of the MLP, against PyTorch", ours.case("mlp-hvp", **one), {"torch double backward": torch_hvp(mlp, v[:1])},
                 target_ratio=1.4, agree=close)
    yield Figure(f"{probes} HVPs of the MLP", ours.case("mlp-hvp-probes", **many),
                 {"jax linearize": jax_probes(mlp, v), "jax vmap": jax_vmap(mlp, v), "torch, graph kept": torch_hvp(mlp, v)}, agree=close)
    yield Figure("HVP of the MLP, price", ours.case("mlp-hvp", **one), beside={"gradient": ours.case("mlp-gradient", **mlp.arrays)},
                 cost=lambda t: t["ours"] / t["gradient"], cost_unit="gradients", target_cost=2.2)
    yield Figure("HVP of the MLP, price of a further probe", ours.case("mlp-hvp-probes", **many),
                 beside={"gradient": ours.case("mlp-gradient", **mlp.arrays), "one": ours.case("mlp-hvp", **one)},
                 cost=lambda t: (t["ours"] - t["one"]) / (probes - 1) / t["gradient"], cost_unit="gradients", target_cost=1.6)


def jax_arguments(network):
    jax, jnp = networks.jax_modules()
    return jax, [jnp.asarray(a) for a in network.split(network.p)], (jnp.asarray(network.x), jnp.asarray(network.labels))


def flat(arrays):
    return np.concatenate([np.ravel(a) for a in arrays])[None]


def jax_hvp(network, v):
    jax, p, data = jax_arguments(network)
    product = jax.jit(lambda p, v, x, labels: jax.jvp(lambda q: jax.grad(networks.jax_mlp)(q, x, labels), (p,), (v,))[1])
    v = [jax.numpy.asarray(a) for a in network.split(v)]
    run = lambda: jax.block_until_ready(product(p, v, *data))
    return PeerCase(run, lambda: flat(run()))


def jax_probes(network, v):
    """One linearisation, then a call for each probe; both compiled, the residuals passed between them."""
    jax, p, data = jax_arguments(network)
    linearize = jax.jit(lambda p, x, labels: jax.linearize(lambda q: jax.grad(networks.jax_mlp)(q, x, labels), p)[1])
    apply = jax.jit(lambda linear, v: linear(v))
    v = [[jax.numpy.asarray(a) for a in network.split(row)] for row in v]

    def run():
        linear = linearize(p, *data)
        return jax.block_until_ready([apply(linear, row) for row in v])

    return PeerCase(run, lambda: np.concatenate([flat(row) for row in run()]))


def jax_vmap(network, v):
    jax, p, data = jax_arguments(network)

    @jax.jit
    def products(p, v, x, labels):
        return jax.vmap(jax.linearize(lambda q: jax.grad(networks.jax_mlp)(q, x, labels), p)[1])(v)

    rows = [network.split(row) for row in v]
    v = [jax.numpy.stack(same) for same in zip(*rows)]
    run = lambda: jax.block_until_ready(products(p, v, *data))
    return PeerCase(run, lambda: np.concatenate([np.reshape(a, (len(rows), -1)) for a in run()], axis=1))


def torch_hvp(network, v):
    """The gradient with its graph, then a backward pass over it for each row of v."""
    torch = networks.torch_module()
    p, (x, labels) = networks.torch_parameters(network), networks.torch_data(network)
    v = [networks.torch_parameters(network, row) for row in v]

    def run():
        gradient = torch.autograd.grad(networks.torch_mlp(p, x, labels), p, create_graph=True)
        return [torch.autograd.grad(gradient, p, grad_outputs=row, retain_graph=row is not v[-1]) for row in v]

    return PeerCase(run, lambda: np.concatenate([networks.flat_of_torch(row) for row in run()]))


if __name__ == "__main__":
    main(figures, __doc__)
