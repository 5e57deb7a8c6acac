"""The affine-invariant mean of covariance matrices beside pyriemann and geomstats, and how close each one comes."""

import numpy as np

from benchmarks.harness import Benchmark, Contender

COUNT, SIZE, SAMPLES = 100, 60, 120


def prepare() -> None:
    """Write covariance matrices of white noise, float64 of shape (100, 60, 60), with condition numbers of some tens."""
    samples = np.random.default_rng(0).standard_normal((COUNT, SIZE, SAMPLES))
    np.save("x.npy", samples @ samples.swapaxes(1, 2) / SAMPLES)


def load() -> np.ndarray:
    """Read the matrices."""
    return np.load("x.npy")


def _facts(mean: np.ndarray) -> tuple[float, float]:
    """Return two numbers that tell means apart."""
    return float(np.trace(mean)), float(np.abs(mean).sum())


def holonomy_mean(data: np.ndarray) -> tuple[float, float]:
    """Mean to a relative residual of 1e-10."""
    from holonomy.manifolds import SPD
    from holonomy.stats import frechet_mean

    return _facts(frechet_mean(data, SPD(SIZE)).point)


def pyriemann_mean(data: np.ndarray) -> tuple[float, float]:
    """Mean by pyriemann, to its default tolerance of 1e-8."""
    from pyriemann.geometry.mean import mean_riemann

    return _facts(mean_riemann(data))


def _geomstats(data: np.ndarray, **options: float) -> tuple[float, float]:
    if not hasattr(np, "trapz"):  # the name that geomstats imports, which NumPy 2.4 no longer has
        np.trapz = np.trapezoid  # noqa: NPY201
    from geomstats.geometry.spd_matrices import SPDAffineMetric, SPDMatrices
    from geomstats.learning.frechet_mean import FrechetMean

    space = SPDMatrices(SIZE, equip=False)
    space.equip_with_metric(SPDAffineMetric)
    return _facts(FrechetMean(space).set(**options).fit(data).estimate_)


def geomstats_as_it_comes(data: np.ndarray) -> tuple[float, float]:
    """Mean by geomstats with its defaults: it stops where the mean of the logarithms still has the norm 0.08."""
    return _geomstats(data)


def geomstats_converged(data: np.ndarray) -> tuple[float, float]:
    """Mean by geomstats, with the tolerance and steps that bring the norm of the mean of the logarithms to 4e-8."""
    return _geomstats(data, epsilon=1e-17, max_iter=200)


BENCHMARK = Benchmark(
    title="Affine-invariant mean of 100 covariance matrices, 60 × 60 float64",
    contenders=(
        Contender("holonomy", "holonomy", holonomy_mean),
        Contender("pyriemann", "pyriemann", pyriemann_mean),
        Contender("geomstats, residual 0.08", "geomstats", geomstats_as_it_comes),
        Contender("geomstats, residual 4e-8", "geomstats", geomstats_converged),
    ),
    prepare=prepare,
    load=load,
)
