"""direction-network: the network of deep conjugate directions at 64×64 in f32, one thread: its forward pass against the peak of OpenBLAS's
sgemm, against the same products as matrices, and against PyTorch; the gradient of its loss on a batch of 10 against PyTorch.

    python direction_network.py --rivals [--quick]      the rivals alone

Our side's cases, on arrays p (parameters in our order) and x (residuals, one a row):

    direction-forward   → rows of directions
    direction-gemm      the 14 products of 16 channels, patches made before
    direction-step      → 1×P: the gradient of the mean loss
"""
import numpy as np

import networks
from harness import Figure, PeerCase, main

SIZE = 64
#: Layers as our parameters lie: each a weight and a bias.
SHAPES = [((3, 3, 1, 16), (16,))] + [((3, 3, 16, 16), (16,))] * 14 + [((16, 1), (1,))]


def figures(ours, quick):
    one, ten = arrays(1), arrays(10)
    near = networks.near(1e-3)
    yield Figure("direction network forward, 64×64, of the peak of sgemm", ours.case("direction-forward", **one),
                 roofline=ours.case("gemm32"), target_percent=60)
    yield Figure("direction network forward, 64×64, against its products by sgemm", ours.case("direction-forward", **one),
                 {"sgemm alone": ours.case("direction-gemm", **one)}, target_ratio=0.6)
    yield Figure("direction network forward, 64×64, against PyTorch", ours.case("direction-forward", **one), {"torch": torch_forward(one)},
                 agree=near)
    yield Figure("direction network, gradient of the loss, 10 × 64×64, against PyTorch", ours.case("direction-step", **ten),
                 {"torch": torch_step(ten)}, agree=near)


def arrays(batch):
    rng = np.random.default_rng(7)
    parts = []
    for weight, bias in SHAPES:
        fan = np.prod(weight[:-1])
        parts += [rng.standard_normal(weight) * np.sqrt(1.5 / fan), 0.01 * rng.standard_normal(bias)]
    x = rng.standard_normal((batch, SIZE * SIZE))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return {"p": np.concatenate([np.ravel(a) for a in parts]).astype(np.float32)[None], "x": x.astype(np.float32)}


def torch_layers(p, torch):
    """Leaves as PyTorch has them, and how their gradients go back to our order."""
    leaves, start = [], 0
    for shapes in SHAPES:
        for shape in shapes:
            count = int(np.prod(shape))
            block = p[0, start:start + count].reshape(shape)
            start += count
            if len(shape) == 4:
                block = block.transpose(3, 2, 0, 1)
            leaves.append(torch.tensor(np.ascontiguousarray(block), requires_grad=True))
    return leaves


def torch_network(leaves, x, torch):
    functional = torch.nn.functional
    pairs = iter(zip(leaves[0:-2:2], leaves[1:-2:2]))
    linear = lambda x: functional.conv2d(x, *next(pairs), padding=1)
    conv = lambda x: functional.relu(linear(x))
    la = conv(linear(x))
    lb = conv(la)
    la = conv(lb) + la
    lb = conv(la)
    a = functional.avg_pool2d(lb, 2)
    for _ in range(3):
        a = conv(conv(a)) + a
    u = functional.interpolate(a, scale_factor=2, mode="nearest") + lb
    for _ in range(2):
        u = conv(conv(u)) + u
    return torch.einsum("bcij,cd->bdij", u, leaves[-2]) + leaves[-1][0]


def torch_forward(arrays):
    torch = networks.torch_module()
    leaves = [leaf.detach() for leaf in torch_layers(arrays["p"], torch)]
    x = torch.tensor(arrays["x"]).reshape(-1, 1, SIZE, SIZE)

    def run():
        with torch.no_grad():
            return torch_network(leaves, x, torch)
    return PeerCase(run, lambda: run().reshape(len(x), -1).numpy())


def torch_step(arrays):
    torch = networks.torch_module()
    leaves = torch_layers(arrays["p"], torch)
    x = torch.tensor(arrays["x"]).reshape(-1, 1, SIZE, SIZE)
    stencil = torch.tensor([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]]).reshape(1, 1, 3, 3)

    def run():
        q = torch_network(leaves, x, torch)
        image = torch.nn.functional.conv2d(q, stencil, padding=1)
        total = lambda a: a.sum(dim=(1, 2, 3), keepdim=True)
        rest = x - total(q * x) / total(q * image) * image
        return torch.autograd.grad(total(rest * rest).mean(), leaves)

    def flat():
        parts = [g.numpy() for g in run()]
        return np.concatenate([np.ravel(g.transpose(2, 3, 1, 0) if g.ndim == 4 else g) for g in parts])[None]
    return PeerCase(run, flat)


if __name__ == "__main__":
    main(figures, __doc__)
