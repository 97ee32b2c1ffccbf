"""hutchinson: the Hessian's diagonal of the MLP from 8 random signs a parameter, against JAX, one thread, f32.

    python hutchinson.py --rivals [--quick]      the rivals alone

Our side's cases, on the arrays that networks.py lays out:

    mlp-hessian-diagonal   p, x, labels, number probes → 1×P: the mean of z ∘ H z over the probes, which are drawn on the way
    mlp-probes             the same → probes×P: those signs; it is not timed
    mlp-hvp-probes         as in hvp.py: the products alone
    mlp-gradient           as in gradient.py, for the unit of the price

The rivals get our signs and do not draw their own, so that the results can be compared. curvlinops takes part if it is installed
(`.venv/bin/pip install curvlinops-for-pytorch`): it brings its own, far larger PyTorch, and so is no requirement.
"""
import importlib.util

import numpy as np

import networks
from harness import Figure, PeerCase, main
from hvp import flat, jax_arguments

probes = 8


def figures(ours, quick):
    mlp = networks.mlp()
    signs_case = ours.case("mlp-probes", {"probes": probes}, **mlp.arrays)
    signs = signs_case.result() if signs_case else np.random.default_rng(0).choice(np.float32([-1, 1]), (probes, len(mlp.p)))
    diagonal = lambda: ours.case("mlp-hessian-diagonal", {"probes": probes}, **mlp.arrays)
    yield Figure(f"Hessian diagonal of the MLP, {probes} probes", diagonal(),
                 {"jax loop": jax_loop(mlp, signs), "jax vmap": jax_vmap(mlp, signs), **curvlinops(mlp, signs)}, target_ratio=1.25, agree=networks.near(1e-4))
    yield Figure(f"Hessian diagonal of the MLP, {probes} probes, price", diagonal(),
                 beside={"gradient": ours.case("mlp-gradient", **mlp.arrays)},
                 cost=lambda t: t["ours"] / t["gradient"], cost_unit="gradients", target_cost=13)
    yield Figure(f"Hessian diagonal of the MLP, {probes} probes, against the products alone", diagonal(),
                 beside={"products": ours.case("mlp-hvp-probes", **mlp.arrays, v=signs)},
                 cost=lambda t: t["ours"] / t["products"], cost_unit="times the products", target_cost=1.1)


def jax_loop(network, signs):
    """One linearisation, then a compiled product and accumulation for each probe."""
    jax, p, data = jax_arguments(network)
    linearize = jax.jit(lambda p, x, labels: jax.linearize(lambda q: jax.grad(networks.jax_mlp)(q, x, labels), p)[1])
    add = jax.jit(lambda linear, z, sums: [s + a * b for s, a, b in zip(sums, z, linear(z))], donate_argnums=2)
    z = [[jax.numpy.asarray(a) for a in network.split(row)] for row in signs]

    def run():
        linear, sums = linearize(p, *data), [jax.numpy.zeros_like(a) for a in p]
        for row in z:
            sums = add(linear, row, sums)
        return jax.block_until_ready([s / len(z) for s in sums])

    return PeerCase(run, lambda: flat(run()))


def jax_vmap(network, signs):
    jax, p, data = jax_arguments(network)

    @jax.jit
    def diagonal(p, z, x, labels):
        linear = jax.linearize(lambda q: jax.grad(networks.jax_mlp)(q, x, labels), p)[1]
        return [(a * b).mean(0) for a, b in zip(z, jax.vmap(linear)(z))]

    z = [jax.numpy.stack(same) for same in zip(*[network.split(row) for row in signs])]
    run = lambda: jax.block_until_ready(diagonal(p, z, *data))
    return PeerCase(run, lambda: flat(run()))


def curvlinops(network, signs):
    """curvlinops' Hessian operator on all probes at once, as its `hutchinson_diag` does."""
    if not importlib.util.find_spec("curvlinops"):
        return {}
    from curvlinops import HessianLinearOperator

    torch = networks.torch_module()
    model = torch.nn.Sequential(torch.nn.Linear(784, 512), torch.nn.Tanh(), torch.nn.Linear(512, 512), torch.nn.Tanh(),
                                torch.nn.Linear(512, 10))
    shapes = [p.shape for p in model.parameters()]
    with torch.no_grad():
        for parameter, values in zip(model.parameters(), networks.torch_parameters(network)):
            parameter.copy_(values)
    hessian = HessianLinearOperator(model, torch.nn.CrossEntropyLoss(), list(model.parameters()), [networks.torch_data(network)],
                                    check_deterministic=False)
    z = torch.stack([torch.cat([a.ravel() for a in networks.torch_parameters(network, row)]) for row in signs], dim=1)
    run = lambda: torch.einsum("ij,ij->i", z, hessian @ z) / z.shape[1]
    arrays = lambda: networks.flat_of_torch([a.reshape(s) for a, s in zip(run().split([s.numel() for s in shapes]), shapes)])
    return {"curvlinops": PeerCase(run, arrays)}


if __name__ == "__main__":
    main(figures, __doc__)
