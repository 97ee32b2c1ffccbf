"""fwht: Walsh–Hadamard transforms, one thread, against fht-cpu (FFHT's C kernels) and our own binding of FFTW's DCT-II.

    python fwht.py --rivals [--quick]      the rivals alone

Our side's cases, in place on zeros while they are timed; their result is that of 0, 1, …, 16, 0, 1, …:

    fwht-f32, fwht-f64, dct-f32, dct-f64   number n
    fwht-columns                           numbers rows, columns: along the long axis of a row-major f64 matrix
"""
import numpy as np

from harness import Figure, PeerCase, main


def transform(values, **options):
    import fht_cpu
    return fht_cpu.fht(values, num_threads=1, **options)


def figures(ours, quick):
    near = lambda x, y: np.allclose(x, y, rtol=1e-5, atol=1e-5 * np.abs(y).max())
    for bits in (10, 16) if quick else (10, 16, 20, 22):
        n = 1 << bits
        for kind, dtype in (("f32", np.float32), ("f64", np.float64)):
            start, zeros = (np.arange(n) % 17).astype(dtype), np.zeros(n, dtype)
            peer = PeerCase(lambda zeros=zeros: transform(zeros), lambda start=start: np.asarray(transform(start.copy()))[None])
            yield Figure(f"Hadamard transform of 2^{bits} {kind}", ours.case(f"fwht-{kind}", {"n": n}), {"fht-cpu": peer},
                         target_ratio=1.3, agree=near)
            yield Figure(f"Hadamard transform of 2^{bits} {kind}, against FFTW's DCT-II", ours.case(f"fwht-{kind}", {"n": n}),
                         {"FFTW DCT-II": ours.case(f"dct-{kind}", {"n": n})}, target_ratio=6)
    rows, columns = (8192, 16) if quick else (131_072, 64)
    zeros = np.zeros((rows, columns))
    peer = PeerCase(lambda: transform(zeros, axis=0))
    yield Figure(f"Hadamard transform along the long axis of {rows}×{columns} f64", ours.case("fwht-columns", {"rows": rows, "columns": columns}),
                 {"fht-cpu": peer}, target_ratio=5)


if __name__ == "__main__":
    main(figures, __doc__)
