"""completion: one sweep of alternating minimisation over 4 million observed entries of 20 000×20 000, f32, one thread.

    python completion.py --rivals [--quick]      the rivals alone

The matrix has rank 10, entries of variance 1, and noise of deviation 0.1; the objective is that of ALS-WR, lambda = 0.05, from the same random
start on both sides. A sweep solves for every column and then for every row.

    completion-sweep   left (m×k), right (n×k), places (2×N), values (1×N), numbers method (0 automatic, 1 exact, 2 sketched,
                       3 conjugate gradients), regularization, sweeps → the factors after so many sweeps, (m+n)×k

numpy: gather, A.T @ A, LAPACK's sposv for each row, exact. Both sides agree if their errors on held-out entries after three sweeps are within 5 %.
implicit: its ALS with three conjugate-gradient steps, in C++. It minimises another objective (all entries, unobserved ones as zeros of low
weight), so its error is not comparable; it reads the same entries with the same rank.

    sensing-step, robust-step   numbers size, count: a step with Gaussian measurements, against reading them once
"""
import numpy as np

from harness import Figure, PeerCase, main

LAMBDA, SWEEPS = 0.05, 3


def sweep(left, right, by_columns, by_rows):
    from scipy.linalg.lapack import sposv

    k = left.shape[1]
    eye = np.eye(k, dtype=np.float32)
    for factor, basis, (starts, indices, values) in ((right, left, by_columns), (left, right, by_rows)):
        for i in range(len(factor)):
            s, e = starts[i], starts[i + 1]
            a = basis[indices[s:e]]
            factor[i] = sposv(a.T @ a + np.float32(LAMBDA * (e - s)) * eye, a.T @ values[s:e])[1]


def figures(ours, quick):
    import implicit
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy import sparse

    n, count = (4000, 800_000) if quick else (20_000, 4_000_000)
    rng = np.random.default_rng(0)
    u, v = (rng.standard_normal((n, 10), dtype=np.float32) for _ in range(2))
    places = np.unique(rng.integers(0, n * n, int(1.1 * count)))
    places = rng.permutation(places)[:count + count // 20]
    rows, columns = np.divmod(places, n)
    values = np.einsum("ij,ij->i", u[rows], v[columns]) / np.float32(np.sqrt(10)) + np.float32(0.1) * rng.standard_normal(len(rows), dtype=np.float32)
    held, rows, columns, values = (rows[count:], columns[count:], values[count:]), rows[:count], columns[:count], values[:count]
    matrix = sparse.csr_matrix((values, (rows, columns)), shape=(n, n))
    transposed = matrix.T.tocsr()
    by_rows, by_columns = ((m.indptr, m.indices, m.data) for m in (matrix, transposed))

    def error(left, right):
        return np.sqrt(np.mean((np.einsum("ij,ij->i", left[held[0]], right[held[1]]) - held[2]) ** 2))

    shape = f"{n}×{n}, {count / 1e6:.1f} million entries"
    for rank in (10, 50, 200):
        left, right = (rng.standard_normal((n, rank), dtype=np.float32) / np.float32(np.sqrt(rank)) for _ in range(2))
        data = dict(left=left, right=right, places=np.stack([rows, columns]).astype(np.float32), values=values[None].astype(np.float32))
        case = lambda method: ours.case("completion-sweep", {"method": method, "regularization": LAMBDA, "sweeps": SWEEPS}, **data)

        def numpy_result():
            a, b = left.copy(), right.copy()
            for _ in range(SWEEPS):
                sweep(a, b, by_columns, by_rows)
            return np.concatenate([a, b])

        def agree(x, y):
            first, second = error(x[:n], x[n:]), error(y[:n], y[n:])
            print(f"held-out error after {SWEEPS} sweeps, rank {rank}: ours {first:.4f}, numpy {second:.4f}", flush=True)
            return first <= 1.05 * second

        exact = PeerCase(lambda: sweep(left.copy(), right.copy(), by_columns, by_rows), numpy_result)
        yield Figure(f"sweep of {shape}, rank {rank}, automatic", case(0), {"numpy and LAPACK": exact}, target_ratio=5, agree=agree)

        model = AlternatingLeastSquares(factors=rank, regularization=0.05, iterations=1, num_threads=1, random_state=0)
        positive = sparse.csr_matrix((np.abs(values) + 0.01, (rows, columns)), shape=(n, n))

        def fit():
            # From the same start each time; the time is that of one iteration.
            model.user_factors, model.item_factors = left.copy(), right.copy()
            model.fit(positive, show_progress=False)
        yield Figure(f"the same against implicit (its own objective), rank {rank}", case(0), {"implicit": PeerCase(fit)}, target_ratio=1.5)
        # Where the choice lies: each method against the automatic one.
        for name, method in (("exact", 1), ("sketched", 2), ("conjugate gradients", 3)):
            if method == 2 and rank == 200:
                continue # 200 observations a row are fewer than the sketch has rows: the exact solver again
            yield Figure(f"rank {rank}, automatic over {name}", case(0), beside={name: case(method)},
                         cost=lambda t, name=name: t["ours"] / t[name], cost_unit=f"of {name}")
    size, measurements = (40, 2000) if quick else (60, 10_000)
    for name in ("sensing-step", "robust-step"):
        yield Figure(f"{name}, {measurements} Gaussian measurements of {size}×{size}, of the read bandwidth",
                     ours.case(name, {"size": size, "count": measurements}), roofline=ours.case("read"), target_percent=70)


if __name__ == "__main__":
    main(figures, __doc__)
