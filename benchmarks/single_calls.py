"""What a call of ``dist`` costs for a single pair of points, where nothing but the overhead counts."""

from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, Contender
from benchmarks.verbs import columns, milliseconds, use_geomstats

SPACES = ("sphere", "ball", "hyperboloid", "SPD")
CALLS = 200


def prepare() -> None:
    """Write a pair of points of each space, float64: on S^2, in H^3 twice, and 3 x 3 matrices."""
    rng = np.random.default_rng(0)
    sphere = rng.standard_normal((2, 3))
    ball = 0.2 * rng.standard_normal((2, 3))
    rest = rng.standard_normal((2, 3))
    samples = rng.standard_normal((2, 3, 3))
    np.savez(
        "points.npz",
        sphere=sphere / np.linalg.norm(sphere, axis=1, keepdims=True),
        ball=ball,
        hyperboloid=np.concatenate([np.sqrt(1.0 + (rest**2).sum(1, keepdims=True)), rest], axis=1),
        SPD=samples @ samples.swapaxes(1, 2) + np.eye(3),
    )


def load() -> dict[str, np.ndarray]:
    """Read them."""
    with np.load("points.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def _microseconds(call: Any) -> float:
    def many() -> None:
        for _ in range(CALLS):
            call()

    return 1e3 * milliseconds(many, 7) / CALLS


def _measure(data: dict[str, np.ndarray], spaces: dict[str, Any]) -> np.ndarray:
    import torch

    found = []
    for name in SPACES:
        x, y = torch.from_numpy(data[name])
        found.append(_microseconds(lambda dist=spaces[name].dist, x=x, y=y: dist(x, y)))
    for name in SPACES:
        x, y = (one.clone().requires_grad_() for one in torch.from_numpy(data[name]))
        dist = spaces[name].dist
        found.append(_microseconds(lambda dist=dist, x=x, y=y: torch.autograd.grad(dist(x, y), [x, y])))
    return np.array(found)


def holonomy(data: dict[str, np.ndarray]) -> np.ndarray:
    """Ours."""
    from holonomy.manifolds import SPD, Hyperboloid, PoincareBall, Sphere

    return _measure(data, {"sphere": Sphere(2), "ball": PoincareBall(3), "hyperboloid": Hyperboloid(3), "SPD": SPD(3)})


def geoopt(data: dict[str, np.ndarray]) -> np.ndarray:
    """By geoopt."""
    import geoopt

    spaces = (geoopt.Sphere(), geoopt.PoincareBall(), geoopt.Lorentz(), geoopt.SymmetricPositiveDefinite())
    return _measure(data, dict(zip(SPACES, spaces, strict=True)))


def geomstats(data: dict[str, np.ndarray]) -> np.ndarray:
    """By geomstats on NumPy, which has no gradients."""
    use_geomstats("numpy")
    from geomstats.geometry.hyperboloid import Hyperboloid
    from geomstats.geometry.hypersphere import Hypersphere
    from geomstats.geometry.poincare_ball import PoincareBall
    from geomstats.geometry.spd_matrices import SPDMatrices

    metrics = [space.metric for space in (Hypersphere(2), PoincareBall(3), Hyperboloid(3), SPDMatrices(3))]
    found = [
        _microseconds(lambda metric=metric, pair=data[name]: metric.dist(*pair))
        for name, metric in zip(SPACES, metrics, strict=True)
    ]
    return np.array(found + [np.nan] * len(found))


BENCHMARK = Benchmark(
    title="One distance between two points: microseconds a call, and with gradients (∇)",
    contenders=(
        Contender("holonomy", "holonomy", holonomy),
        Contender("geoopt", "geoopt", geoopt),
        Contender("geomstats on NumPy", "geomstats", geomstats),
    ),
    prepare=prepare,
    load=load,
    judge=columns(*SPACES, *(f"∇ {name}" for name in SPACES)),
)
