"""vector: elementwise functions against loops over the C library, streaming kernels against the memory's bandwidth."""
import numpy as np

from harness import Figure, PeerCase


def figures(ours, quick):
    rng = np.random.default_rng(0)
    close = lambda x, y: np.allclose(x, y, rtol=4e-7, atol=1e-37)
    for function, x in (("exp", rng.uniform(-80, 80, 4096)), ("log", rng.uniform(1e-3, 1e3, 4096)), ("tanh", rng.uniform(-4, 4, 4096))):
        x = x.astype(np.float32)[None]
        plain = ours.case(f"libm-{function}", x=x)
        yield Figure(f"{function} f32, 4096 elements, against a plain Swift loop over libm", ours.case(f"map-{function}", x=x),
                     {"plain loop": plain}, target_ratio=8, agree=close)
        peer = getattr(np, function)
        yield Figure(f"{function} f32, 4096 elements, against numpy", ours.case(f"map-{function}", x=x),
                     {"numpy": PeerCase(lambda: peer(x), lambda: peer(x))}, agree=close)
    n = 1 << 26
    # dot reads two arrays; axpy reads one and updates another: each part at the bandwidth measured for it.
    yield Figure("dot f32, 2 × 256 MiB, of the read bandwidth", ours.case("stream-dot", {"n": n}), roofline=ours.case("read"),
                 target_percent=90)
    yield Figure("axpy f32, 2 × 256 MiB, of the read and update bandwidths", ours.case("stream-axpy", {"n": n}),
                 roofline={"read": ours.case("read"), "update": ours.case("update")},
                 bound=lambda seconds: seconds["read"] + seconds["update"], target_percent=90)
