"""schrodinger-bridge: steps of Adam for a light Schrödinger bridge with diagonal scales, f32, one thread, on the same batches.

    python schrodinger_bridge.py --rivals [--quick]      the rival alone, on batches of its own

Our side's cases:

    schrodinger-bridge         x (n×D), y (m×D); components, noise, rate, steps, batch → 1×1: the loss over all points after the steps
    schrodinger-bridge-draws   components, steps, batch, sources, targets → (steps + 1)×…: the target points that centres begin at, then for each step the
                               points of the source and of the target in its batch

The rival is the same model in PyTorch with its own derivatives (autograd) and its own Adam, eager, the quadratic forms as two products each. Both
sides agree if their losses over all points are equal to 1e-3 after the same steps.
"""
import math

import numpy as np

from harness import Figure, PeerCase, main


def samples(n, d):
    rng = np.random.default_rng(0)
    means = rng.standard_normal((5, d))
    means *= 5 / np.linalg.norm(means, axis=1, keepdims=True)
    x = rng.standard_normal((n, d))
    y = means[rng.integers(0, 5, n)] + rng.standard_normal((n, d))
    return x.astype(np.float32), y.astype(np.float32)


class Model:
    """ε log α, r and log S, and the loss E log c − E log v."""

    def __init__(self, centers, noise):
        import torch
        self.noise = noise
        k, d = centers.shape
        self.weights = torch.full((k,), -math.log(k) * noise, requires_grad=True)
        self.centers = centers.clone().requires_grad_(True)
        self.logs = torch.full((k, d), math.log(0.1), requires_grad=True)

    def loss(self, x, y):
        import torch
        e, log_alpha, scales = self.noise, self.weights / self.noise, self.logs.exp()
        plan = log_alpha + (x ** 2 @ scales.T + 2 * x @ self.centers.T) / (2 * e)
        constant = log_alpha - (math.log(2 * math.pi * e) + self.logs).sum(1) / 2 - (self.centers ** 2 / scales).sum(1) / (2 * e)
        potential = constant + (2 * y @ (self.centers / scales).T - y ** 2 @ (1 / scales).T) / (2 * e)
        return torch.logsumexp(plan, 1).mean() - torch.logsumexp(potential, 1).mean()


def torch_case(x, y, draws, components, noise, rate, batch):
    import torch
    torch.set_num_threads(1)
    x, y, draws = torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(draws.astype(np.int64))
    kept = {}

    def run():
        model = Model(y[draws[0, :components]], noise)
        optimizer = torch.optim.Adam([model.weights, model.centers, model.logs], lr=rate)
        for row in draws[1:]:
            optimizer.zero_grad()
            model.loss(x[row[:batch]], y[row[batch:2 * batch]]).backward()
            optimizer.step()
        kept["model"] = model
    return PeerCase(run, lambda: np.array([[kept["model"].loss(x, y).item()]], np.float32))


def figures(ours, quick):
    n, k, batch, rate = 10000, 50, 128, 1e-3
    for d, noise in (((2, 1.0),) if quick else ((2, 1.0), (16, 1.0), (128, 1.0))):
        steps = 50 if quick else 200
        x, y = samples(n, d)
        numbers = {"components": k, "steps": steps, "batch": batch, "noise": noise, "rate": rate}
        drawn = ours.case("schrodinger-bridge-draws", {**numbers, "sources": n, "targets": n})
        draws = drawn.result() if drawn else np.random.default_rng(1).integers(0, n, (steps + 1, 2 * batch))
        yield Figure(f"{steps} steps of a light Schrödinger bridge, D={d}, K={k}, batches of {batch}, f32",
                     ours.case("schrodinger-bridge", numbers, x=x, y=y), {"PyTorch": torch_case(x, y, draws, k, noise, rate, batch)},
                     agree=lambda mine, theirs: abs(mine[0, 0] - theirs[0, 0]) <= 1e-3 * abs(theirs[0, 0]))


if __name__ == "__main__":
    main(figures, __doc__)
