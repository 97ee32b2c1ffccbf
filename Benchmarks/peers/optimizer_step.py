"""optimizer-step: fused optimiser steps on 10⁷ parameters, one thread, f32, against PyTorch's fused steps and the memory's bandwidth.

    python optimizer_step.py --rivals [--quick]      the rivals alone

Our side's cases, each a step of an optimiser on one array in place:

    step-sgd, step-momentum, step-adam, step-adamw, step-lion, step-exadam, step-adahessian
             x, g (1×n), number rate → 1×n: the parameters after three steps from x with gradients g, moments from 0

The gradient is the same in every timed step. Bytes a parameter, reads and writes: sgd 12, momentum and lion 20, adam, adamw and
exadam 28, adahessian (with a Hessian diagonal in each step) 32. Their roofline is the bandwidth of scaling an array in place. The
small arrays of --quick lie in the cache, where exadam's three divisions show; they have no target.
"""
import numpy as np

import networks
from harness import Figure, PeerCase, main

rate = 1e-3


def figures(ours, quick):
    n = 10**6 if quick else 10**7
    rng = np.random.default_rng(4)
    data = {key: rng.standard_normal(n).astype(np.float32)[None] for key in ("x", "g")}
    # Steps add up to 3·10⁻³ at most; parameters up to 6 are rounded at 5·10⁻⁷.
    moved = lambda x, y: np.allclose(x - data["x"], y - data["x"], rtol=1e-3, atol=2e-6)
    case = lambda name: ours.case(f"step-{name}", {"rate": rate}, **data)
    for name, options in [("sgd", {}), ("momentum", {"momentum": 0.9}), ("adam", {}), ("adamw", {})]:
        kind = {"sgd": "SGD", "momentum": "SGD", "adam": "Adam", "adamw": "AdamW"}[name]
        yield Figure(f"{name} step, {n:.0e} parameters", case(name), {"torch fused": torch_step(kind, data, options)},
                     roofline=ours.case("update"), target_ratio=1.0, target_percent=90, agree=moved)
    bytes_of = {"lion": 20, "exadam": 28, "adahessian": 32}
    for name, size in bytes_of.items():
        yield Figure(f"{name} step, {n:.0e} parameters, time a byte over adam's", case(name), roofline=ours.case("update"),
                     beside={"adam": case("adam")}, cost=lambda t, size=size: t["ours"] / size / (t["adam"] / 28),
                     cost_unit="× adam's", target_cost=None if quick else round(1 / 0.9, 3))


def torch_step(kind, data, options):
    torch = networks.torch_module()

    def make():
        p = torch.tensor(data["x"][0]).requires_grad_()
        p.grad = torch.tensor(data["g"][0])
        return p, getattr(torch.optim, kind)([p], lr=rate, fused=True, **options)

    _, optimizer = make()

    def result():
        p, optimizer = make()
        for _ in range(3):
            optimizer.step()
        return p.detach().numpy()[None]

    return PeerCase(optimizer.step, result)


if __name__ == "__main__":
    main(figures, __doc__)
