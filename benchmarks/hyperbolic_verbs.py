"""The verbs of hyperbolic space on 100,000 points in both models, beside geoopt, geomstats, and memory itself."""

from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, Contender
from benchmarks.verbs import columns, forward, milliseconds, use_geomstats, with_gradients

COUNT, WIDTH = 100_000, 16
BALL = ("exp", "log", "dist", "transport")
HYPERBOLOID = ("exp", "log")
MOVED = {"exp": 3, "log": 3, "dist": 2, "transport": 4}
"""How many arrays of coordinates a verb reads and writes."""


def prepare() -> None:
    """Write points and tangent vectors of both models, float32 of shape (100000, 16): radii up to about 3."""
    rng = np.random.default_rng(0)
    x, y, v, p, q, w = rng.standard_normal((6, COUNT, WIDTH), dtype=np.float32)
    np.savez("ball.npz", x=0.15 * x, y=0.15 * y, v=0.2 * v)
    for one in (p, q):
        one[:, 1:] *= 0.5
        one[:, 0] = np.sqrt(1.0 + (one[:, 1:].astype(float) ** 2).sum(1))
    w[:, 1:] *= 0.2
    w[:, 0] = (w[:, 1:].astype(float) * p[:, 1:]).sum(1) / p[:, 0]
    np.savez("hyperboloid.npz", x=p, y=q, v=w)


def load() -> dict[str, np.ndarray]:
    """Read them."""
    found = {}
    for model in ("ball", "hyperboloid"):
        with np.load(f"{model}.npz") as arrays:
            found |= {f"{model} {name}": arrays[name] for name in arrays.files}
    return found


def _inputs(data: dict[str, Any], model: str, verb: str) -> tuple[Any, ...]:
    x, y, v = (data[f"{model} {name}"] for name in "xyv")
    return {"exp": (x, v), "log": (x, y), "dist": (x, y), "transport": (x, y, v)}[verb]


def _measure(data: dict[str, np.ndarray], ball: dict[str, Any], hyperboloid: dict[str, Any]) -> np.ndarray:
    import torch

    tensors = {name: torch.from_numpy(array) for name, array in data.items()}
    jobs = [(ball[verb], _inputs(tensors, "ball", verb)) for verb in BALL]
    jobs += [(hyperboloid[verb], _inputs(tensors, "hyperboloid", verb)) for verb in HYPERBOLOID]
    return np.array([forward(*job) for job in jobs] + [with_gradients(*job) for job in jobs])


def holonomy(data: dict[str, np.ndarray]) -> np.ndarray:
    """Measure ours."""
    from holonomy.manifolds import Hyperboloid, PoincareBall

    spaces = (PoincareBall(WIDTH), Hyperboloid(WIDTH - 1))
    return _measure(data, *({verb: getattr(space, verb) for verb in BALL} for space in spaces))


def geoopt(data: dict[str, np.ndarray]) -> np.ndarray:
    """Measure geoopt."""
    import geoopt

    names = {"exp": "expmap", "log": "logmap", "dist": "dist", "transport": "transp"}
    spaces = (geoopt.PoincareBall(), geoopt.Lorentz())
    return _measure(data, *({verb: getattr(space, name) for verb, name in names.items()} for space in spaces))


def geomstats(data: dict[str, np.ndarray]) -> np.ndarray:
    """Measure the verbs that geomstats has for these models, on NumPy, which has no gradients."""
    use_geomstats("numpy")
    from geomstats.geometry.hyperboloid import Hyperboloid
    from geomstats.geometry.poincare_ball import PoincareBall

    found = []
    for space, model, verbs in (
        (PoincareBall(WIDTH), "ball", BALL),
        (Hyperboloid(WIDTH - 1), "hyperboloid", HYPERBOLOID),
    ):
        for verb in verbs:
            if verb == "transport":
                found.append(np.nan)
                continue
            first, second = _inputs(data, model, verb)
            call = getattr(space.metric, verb)
            order = (first, second) if verb == "dist" else (second, first)
            found.append(milliseconds(lambda call=call, order=order: call(*order), 3))
    return np.array(found + [np.nan] * len(found))


def memory(data: dict[str, np.ndarray]) -> np.ndarray:
    """Return the least time that memory allows: each verb's bytes at the bandwidth of a large copy."""
    import torch

    source = torch.zeros(1 << 27, dtype=torch.uint8)
    target = torch.empty_like(source)
    bandwidth = 2 * source.numel() / milliseconds(lambda: target.copy_(source))
    once = data["ball x"].nbytes / bandwidth
    forwards = [MOVED[verb] * once for verb in (*BALL, *HYPERBOLOID)]
    # Backwards the inputs and the gradient are read, and a gradient by each input is written.
    backwards = {"exp": 5, "log": 5, "dist": 4, "transport": 7}
    return np.array(forwards + [(MOVED[verb] + backwards[verb]) * once for verb in (*BALL, *HYPERBOLOID)])


NAMES = [f"ball {verb}" for verb in BALL] + [f"hyperboloid {verb}" for verb in HYPERBOLOID]


def remark(_: list[dict[str, Any]]) -> str:
    """Say what bounds the figures, from a profile."""
    return (
        "What bounds ball dist: the kernel, sums over 16 columns in double precision and the roots and logarithms of "
        "eight rows at a time, in the threads of torch. With gradients, two thirds of a call are the pass backwards, "
        "which reads the points again and writes two gradients; the other verbs also take functions row by row."
    )


BENCHMARK = Benchmark(
    title="Verbs of hyperbolic space, 100,000 × 16 float32: milliseconds a call, and with gradients (∇)",
    contenders=(
        Contender("holonomy", "holonomy", holonomy),
        Contender("geoopt", "geoopt", geoopt),
        Contender("geomstats on NumPy", "geomstats", geomstats),
        Contender("memory traffic alone", "torch", memory),
    ),
    prepare=prepare,
    load=load,
    judge=columns(*NAMES, *(f"∇ {name}" for name in NAMES)),
    remark=remark,
)
