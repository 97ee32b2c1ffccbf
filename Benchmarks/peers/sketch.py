"""sketch: random projections of 100 000×500 to 2 000 rows, f64, one thread, against scipy's sparse products and a dense Gaussian sketch.

    python sketch.py --rivals [--quick]      the rivals alone

Our side's cases, whose result is the Frobenius norm of the sketch, which all keep within a few per cent:

    sketch-count, sketch-sparse, sketch-gaussian   a (m×n), number rows

Drawing the sketch is not timed, but for our Gaussian one, which is drawn while it multiplies.

    residual-pullback   a, x, b → 1×n: Aᵀ (b − A x) in one reading of A, against numpy's two products
"""
import numpy as np

from harness import Figure, PeerCase, main


def figures(ours, quick):
    from scipy import sparse

    m, n, d = (20_000, 100, 500) if quick else (100_000, 500, 2000)
    rng = np.random.default_rng(0)
    a = rng.standard_normal((m, n))
    near = lambda x, y: abs(x[0, 0] / y[0, 0] - 1) < 0.05
    norm = lambda call: PeerCase(call, lambda: np.array([[np.linalg.norm(call())]]))

    def matrix(each):
        rows = np.concatenate([rng.permutation(d)[:each] for _ in range(m)])
        signs = rng.choice([-1.0, 1.0], m * each) / np.sqrt(each)
        return sparse.csc_matrix((signs, rows, np.arange(0, m * each + 1, each)), shape=(d, m))

    count, eight, gaussian = matrix(1), matrix(8), rng.standard_normal((d, m)) / np.sqrt(d)
    case = lambda name: ours.case(name, {"rows": d}, a=a)
    yield Figure(f"CountSketch of {m}×{n} to {d}, of the read bandwidth", case("sketch-count"), {"scipy.sparse": norm(lambda: count @ a)},
                 roofline=ours.case("read"), target_percent=80, agree=near)
    yield Figure(f"sparse signs (8) of {m}×{n} to {d}, against scipy.sparse", case("sketch-sparse"), {"scipy.sparse": norm(lambda: eight @ a)},
                 target_ratio=4, agree=near)
    yield Figure(f"sparse signs (8) of {m}×{n} to {d}, against a Gaussian sketch", case("sketch-sparse"),
                 {"dgemm": norm(lambda: gaussian @ a)}, target_ratio=40, agree=near)
    yield Figure(f"Gaussian sketch of {m}×{n} to {d}, drawn meanwhile, against dgemm alone", case("sketch-gaussian"),
                 {"dgemm": norm(lambda: gaussian @ a)}, agree=near)
    x, b = rng.standard_normal(n), rng.standard_normal(m)
    two = lambda: (a.T @ (b - a @ x))[None]
    yield Figure(f"residual and pullback, {m}×{n}", ours.case("residual-pullback", a=a, x=x[None], b=b[None]), {"numpy": PeerCase(two, two)},
                 roofline=ours.case("read"), agree=lambda p, q: np.allclose(p, q, rtol=1e-4, atol=1e-3 * np.abs(q).max()))


if __name__ == "__main__":
    main(figures, __doc__)
