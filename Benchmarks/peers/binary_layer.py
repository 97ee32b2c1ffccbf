"""binary-layer: a packed linear layer, float in and float out, binarisation included, against sgemm."""
import numpy as np

from harness import Figure, PeerCase


def figures(ours, quick):
    rng = np.random.default_rng(0)
    for rows, inputs, outputs in [(128, 768, 768)] if quick else [(128, 768, 768), (128, 768, 3072), (128, 3072, 768)]:
        x, w = (rng.standard_normal(shape).astype(np.float32) for shape in [(rows, inputs), (inputs, outputs)])
        bias, product = rng.standard_normal(outputs).astype(np.float32), np.empty((rows, outputs), np.float32)
        # What both must agree on: the layer's formula, in floats on the binarised operands.
        signs = lambda a: np.where(a >= 0, 1, -1).astype(np.float32)
        binarized, scale = signs(w - w.mean(0, dtype=np.float64).astype(np.float32)), np.abs(w).mean(0)
        yield Figure(f"binary layer {rows}×{inputs}×{outputs}, float in, float out", ours.case("binary-layer", x=x, w=w, bias=bias[None]),
                     {"numpy sgemm": PeerCase(lambda: np.matmul(x, w, out=product), lambda: signs(x) @ binarized * scale + bias)},
                     roofline=ours.case("popcount"), target_ratio=15,
                     agree=lambda a, b: np.allclose(a, b, rtol=1e-5, atol=1e-4))
