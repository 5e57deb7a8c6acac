"""Affine-invariant distances and logarithms of covariance matrices with their gradients, beside geoopt."""

import numpy as np

from benchmarks.harness import Benchmark, Contender

COUNT, SIZE, REPEATS = 2000, 16, 20


def prepare() -> None:
    """Write two batches of matrices, float64 of shape (2000, 16, 16), with condition numbers of some tens."""
    rng = np.random.default_rng(0)
    for name in ("x", "y"):
        samples = rng.standard_normal((COUNT, SIZE, SIZE))
        np.save(f"{name}.npy", samples @ samples.swapaxes(1, 2) / SIZE + np.eye(SIZE))


def load() -> tuple[np.ndarray, np.ndarray]:
    """Read the two batches."""
    return np.load("x.npy"), np.load("y.npy")


def _gradients(verb, data: tuple[np.ndarray, np.ndarray]) -> tuple[float, ...]:
    """Differentiate the sum of the verb's results many times, and return the sums of the gradients."""
    import torch

    x, y = (torch.from_numpy(one).requires_grad_() for one in data)
    for _ in range(REPEATS):
        gradients = torch.autograd.grad(verb(x, y).sum(), [x, y])
    return tuple(float(gradient.sum()) for gradient in gradients)


def holonomy_dist(data: tuple[np.ndarray, np.ndarray]) -> tuple[float, ...]:
    """Distances and their gradients."""
    from holonomy.manifolds import SPD

    return _gradients(SPD(SIZE).dist, data)


def geoopt_dist(data: tuple[np.ndarray, np.ndarray]) -> tuple[float, ...]:
    """Distances and their gradients, by geoopt."""
    import geoopt

    return _gradients(geoopt.SymmetricPositiveDefinite().dist, data)


def holonomy_log(data: tuple[np.ndarray, np.ndarray]) -> tuple[float, ...]:
    """Logarithms and their gradients."""
    from holonomy.manifolds import SPD

    return _gradients(SPD(SIZE).log, data)


def geoopt_log(data: tuple[np.ndarray, np.ndarray]) -> tuple[float, ...]:
    """Logarithms and their gradients, by geoopt."""
    import geoopt

    return _gradients(geoopt.SymmetricPositiveDefinite().logmap, data)


def eigendecompositions(data: tuple[np.ndarray, np.ndarray]) -> tuple[float, ...]:
    """Only the eigendecompositions that no way can do without: one a pair."""
    import torch

    x, _ = (torch.from_numpy(one) for one in data)
    for _ in range(REPEATS):
        values, vectors = torch.linalg.eigh(x)
    return float(values.sum()), float(vectors.abs().sum())


BENCHMARK = Benchmark(
    title="Affine-invariant dist and log with gradients, 2,000 × 16 × 16 float64, 20 times",
    contenders=(
        Contender("holonomy dist", "holonomy", holonomy_dist),
        Contender("geoopt dist", "geoopt", geoopt_dist),
        Contender("holonomy log", "holonomy", holonomy_log),
        Contender("geoopt log", "geoopt", geoopt_log),
        Contender("one eigendecomposition", "torch", eigendecompositions),
    ),
    prepare=prepare,
    load=load,
)
