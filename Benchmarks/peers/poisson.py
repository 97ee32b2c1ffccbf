"""poisson: the 5-point Laplacian on 512×512 points with zero values around, one thread, f64.

    python poisson.py --rivals [--quick]      the rivals alone

Our side's cases, all on the right-hand side b (rows × columns), with the solution as their result:

    poisson-pcg        number iterations: so many steps of conjugate gradients with the Jacobi preconditioner, from 0
    poisson-sor        numbers omega, sweeps, measure: so many red-black sweeps from 0, with the residual norm of each if measure is not 0
    poisson-multigrid  geometric multigrid to 1e-8 of ‖b‖, set-up included
    poisson-direct     sine transforms, plan included

scipy's cg runs on the matrix in compressed rows and on a stencil written in numpy, whichever is faster; numba's sweep is compiled first and measures
no residual. pyamg's Ruge–Stüben solver counts its set-up. The solvers' tolerances are both of ‖b − A x‖₂/‖b‖₂.
"""
import numpy as np

from harness import Figure, PeerCase, main


def figures(ours, quick):
    n = 128 if quick else 512
    b = np.random.default_rng(6).standard_normal((n, n))
    same = lambda x, y: np.linalg.norm(x - y) <= 1e-9 * np.linalg.norm(y)
    steps, sweeps, omega = 20, 10, 1.9
    yield Figure(f"Jacobi-preconditioned CG, {steps} steps, {n}×{n}", ours.case("poisson-pcg", {"iterations": steps}, b=b),
                 {"scipy cg, CSR": scipy_cg(b, steps, csr=True), "scipy cg, numpy stencil": scipy_cg(b, steps, csr=False)},
                 target_ratio=None if quick else 4, agree=same)
    for measure in (0, 1):
        yield Figure(f"red-black SOR, {sweeps} sweeps{' with residual norms' if measure else ''}, {n}×{n}",
                     ours.case("poisson-sor", {"omega": omega, "sweeps": sweeps, "measure": measure}, b=b),
                     {"numba, no residuals" if measure else "numba": numba_sor(b, omega, sweeps)},
                     target_ratio=None if quick or measure else 1.5, agree=same)
    near = lambda x, y: np.linalg.norm(x - y) <= 1e-4 * np.linalg.norm(y)
    yield Figure(f"multigrid to 1e-8, {n}×{n}", ours.case("poisson-multigrid", b=b), {"pyamg Ruge–Stüben": ruge_stueben(b)},
                 target_ratio=None if quick else 3, agree=near)
    yield Figure(f"sine transforms, {n}×{n}", ours.case("poisson-direct", b=b), {"scipy dstn": dst(b)}, agree=same)


def laplacian(n):
    from scipy.sparse import diags_array, eye_array, kron

    line = diags_array([-np.ones(n - 1), 2 * np.ones(n), -np.ones(n - 1)], offsets=[-1, 0, 1])
    return (kron(line, eye_array(n)) + kron(eye_array(n), line)).tocsr()


def scipy_cg(b, steps, csr):
    from scipy.sparse.linalg import LinearOperator, cg

    n, right = len(b), b.ravel()

    def stencil(v):
        x = v.reshape(n, n)
        y = 4 * x
        y[1:] -= x[:-1]
        y[:-1] -= x[1:]
        y[:, 1:] -= x[:, :-1]
        y[:, :-1] -= x[:, 1:]
        return y.ravel()

    operator = laplacian(n) if csr else LinearOperator((n * n, n * n), matvec=stencil, dtype=float)
    inverse = LinearOperator((n * n, n * n), matvec=lambda r: 0.25 * r, dtype=float)
    run = lambda: cg(operator, right, rtol=0, atol=0, maxiter=steps, M=inverse)[0].reshape(n, n)
    return PeerCase(run, run)


def numba_sor(b, omega, sweeps):
    import numba

    @numba.njit(fastmath=True)
    def sweep(x, b, omega):
        rows, columns = b.shape
        for colour in range(2):
            for i in range(1, rows + 1):
                for j in range(1 + (i + 1 + colour) % 2, columns + 1, 2):
                    x[i, j] += omega * 0.25 * (b[i - 1, j - 1] + x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1] - 4 * x[i, j])

    x = np.zeros((b.shape[0] + 2, b.shape[1] + 2))
    sweep(x, b, omega)

    def run():
        x[:] = 0
        for _ in range(sweeps):
            sweep(x, b, omega)

    def result():
        run()
        return x[1:-1, 1:-1]

    return PeerCase(run, result)


def ruge_stueben(b):
    import pyamg

    a, right = laplacian(len(b)), b.ravel()
    # pyamg wants 32-bit indices.
    a.indices, a.indptr = a.indices.astype(np.int32), a.indptr.astype(np.int32)

    def run():
        return pyamg.ruge_stuben_solver(a).solve(right, tol=1e-8).reshape(b.shape)

    return PeerCase(run, run)


def dst(b):
    from scipy.fft import dstn, idstn

    n = len(b)
    line = 4 * np.sin(np.pi * np.arange(1, n + 1) / (2 * (n + 1))) ** 2
    values = line[:, None] + line[None, :]
    run = lambda: idstn(dstn(b, type=1) / values, type=1)
    return PeerCase(run, run)


if __name__ == "__main__":
    main(figures, __doc__)
