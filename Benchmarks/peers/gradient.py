"""gradient: reverse mode against JAX (jit) and PyTorch, one thread, f32: a network's gradient, and whole training steps.

    python gradient.py --rivals [--quick]      the rivals alone

Our side's cases, on the arrays that networks.py lays out:

    mlp-gradient   p, x, labels → 1×P: the gradient of the MLP's loss
    cnn-step       p, x, labels, number rate → 1×P: the parameters after one step p − rate · gradient
    encoder-step   the same for the encoder

A timed step goes on from the parameters of the one before, as training does; the result is that of one step from `p`, however
many were timed. A gradient is timed with its loss, and without copying it into one vector where a side keeps many.
"""
import numpy as np

import networks
from harness import Figure, PeerCase, main


def figures(ours, quick):
    mlp = networks.mlp()
    yield Figure("gradient of the MLP 784-512-512-10, batch 256", ours.case("mlp-gradient", **mlp.arrays),
                 {"jax jit": jax_gradient(mlp), "torch": torch_gradient(mlp)}, target_ratio=1.1, agree=networks.near(1e-4))
    rate = 0.01
    for name, title, network, torch_loss, jax_loss in [
            ("cnn-step", "training step of the CNN, batch 64", networks.cnn(), networks.torch_cnn, networks.jax_cnn),
            ("encoder-step", "training step of the encoder, batch 16", networks.encoder(), networks.torch_encoder, networks.jax_encoder)]:
        # Only what the step adds is compared: the parameters themselves would agree without it.
        moved = lambda x, y, p=network.p: networks.near(1e-3)(np.asarray(x, float) - p, np.asarray(y, float) - p)
        yield Figure(f"{title}, against PyTorch", ours.case(name, {"rate": rate}, **network.arrays),
                     {"torch": torch_step(network, torch_loss, rate)}, target_ratio=1.0, agree=moved)
        yield Figure(f"{title}, against JAX", ours.case(name, {"rate": rate}, **network.arrays),
                     {"jax jit": jax_step(network, jax_loss, rate)}, agree=moved)


def jax_gradient(network):
    jax, jnp = networks.jax_modules()
    gradient = jax.jit(jax.value_and_grad(networks.jax_mlp))
    p = [jnp.asarray(a) for a in network.split(network.p)]
    x, labels = jnp.asarray(network.x), jnp.asarray(network.labels)
    run = lambda: jax.block_until_ready(gradient(p, x, labels))
    return PeerCase(run, lambda: np.concatenate([np.ravel(g) for g in run()[1]])[None])


def torch_gradient(network):
    torch = networks.torch_module()
    p, (x, labels) = networks.torch_parameters(network), networks.torch_data(network)
    run = lambda: torch.autograd.grad(networks.torch_mlp(p, x, labels), p)
    return PeerCase(run, lambda: networks.flat_of_torch(run()))


def jax_step(network, loss, rate):
    jax, jnp = networks.jax_modules()
    gradient = jax.grad(loss)
    step = jax.jit(lambda p, x, labels: [a - rate * g for a, g in zip(p, gradient(p, x, labels))], donate_argnums=0)
    start = lambda: [jnp.array(a) for a in network.split(network.p)]
    x, labels = jnp.asarray(network.x), jnp.asarray(network.labels)
    state = start()

    def run():
        nonlocal state
        state = jax.block_until_ready(step(state, x, labels))

    return PeerCase(run, lambda: np.concatenate([np.ravel(a) for a in step(start(), x, labels)])[None])


def torch_step(network, loss, rate):
    torch = networks.torch_module()
    x, labels = networks.torch_data(network)

    def training():
        p = networks.torch_parameters(network)
        optimizer = torch.optim.SGD(p, lr=rate, fused=True)

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss(p, x, labels).backward()
            optimizer.step()
            return p

        return step

    return PeerCase(training(), lambda: networks.flat_of_torch(training()()))


if __name__ == "__main__":
    main(figures, __doc__)
