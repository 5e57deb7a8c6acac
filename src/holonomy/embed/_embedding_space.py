"""The space that nodes are embedded in: how they start, move and are measured, by compiled steps or by torch."""

import math
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy._core.random import generator
from holonomy._core.validation import check_int, check_option
from holonomy.embed import _ranking_terms as terms
from holonomy.embed import ranking_descent as descent

if TYPE_CHECKING:
    from holonomy.manifolds import Manifold

NAMES = {
    "poincare": terms.BALL,
    "hyperboloid": terms.HYPERBOLOID,
    "euclidean": terms.FLAT,
    "squared_euclidean": terms.SQUARED,
}

START = 1e-3
"""Coordinates of the start lie between -START and START, in the ball."""

EDGES = {"float32": 1e-5, "float64": 1e-9}
"""How far inside the ball nodes are kept: farther out a step is rounded by more than a hundredth of its length."""

COMPILED = -1
BLOCK_ENTRIES = 2**18


class EmbeddingSpace:
    """A manifold, with the code of its compiled steps where it has them.

    Parameters
    ----------
    manifold : str or Manifold
        One of `NAMES`, or an object.
    dim : int
        Dimension, of a name.
    """

    def __init__(self, manifold: "str | Manifold", dim: int) -> None:
        self._given, self._dim = manifold, dim
        self.code, self.scale = COMPILED, 1.0
        if isinstance(manifold, str):
            self.code = NAMES[check_option(manifold, "manifold", NAMES)]
            check_int(dim, "n_components", minimum=1)
        else:
            self._recognise(manifold)

    def _recognise(self, manifold: Any) -> None:
        from holonomy.manifolds import Euclidean, Hyperboloid, Manifold, PoincareBall

        if not isinstance(manifold, Manifold):
            raise TypeError(f"manifold must be one of {', '.join(NAMES)} or a Manifold, got {manifold!r}.")
        if isinstance(manifold, PoincareBall | Hyperboloid) and not any(True for _ in manifold.parameters()):
            self.code = terms.BALL if isinstance(manifold, PoincareBall) else terms.HYPERBOLOID
            self.scale = 1.0 / math.sqrt(-float(manifold.curvature))
        elif isinstance(manifold, Euclidean) and len(manifold.shape) == 1:
            self.code = terms.FLAT
        self._dim = manifold.dim

    @cached_property
    def manifold(self) -> "Manifold":
        """The space as an object."""
        if not isinstance(self._given, str):
            return self._given
        from holonomy import manifolds

        kinds = {"poincare": "PoincareBall", "hyperboloid": "Hyperboloid"}
        return getattr(manifolds, kinds.get(self._given, "Euclidean"))(self._dim)

    @property
    def is_hyperbolic(self) -> bool:
        """Whether there is a ball to export to."""
        return self.code in (terms.BALL, terms.HYPERBOLOID)

    def edge(self, dtype: np.dtype) -> float:
        """Return how far inside the unit ball nodes are kept."""
        return EDGES[dtype.name]

    def start(self, n: int, dtype: np.dtype, seed: int) -> np.ndarray:
        """Return first places near the origin, as the descent takes them."""
        rng = generator(seed)
        if self.code != COMPILED:
            ball = rng.uniform(-START, START, (n, self._dim))
            if self.code == terms.HYPERBOLOID:
                ball *= 2.0 / (1.0 - np.sum(ball**2, axis=1, keepdims=True))
            return ball.astype(dtype)
        import torch

        origin = self.manifold.origin(n, dtype=torch.float64)
        steps = START * self.manifold.random_tangent(origin, rng)
        return self.manifold.exp(origin, steps).detach().numpy().astype(dtype)

    def descend(
        self,
        start: np.ndarray,
        pairs: descent.Pairs,
        options: descent.DescentOptions,
        seed: int,
        optimizer: str,
        curve: Any,
        device: Any,
    ) -> np.ndarray:
        """Move the nodes, by compiled steps where there are and the device is the CPU."""
        if self.code != COMPILED and optimizer == "rsgd" and str(device) == "cpu":
            return descent.descend(start, pairs, options, seed, curve)
        import torch

        from holonomy._core.device import resolve_device
        from holonomy.embed._manifold_descent import descend_on

        if self.code == terms.SQUARED:
            raise ValueError("manifold='squared_euclidean' has compiled steps alone: optimizer='rsgd', device='cpu'.")
        inside = torch.from_numpy(self.leave(start)).to(resolve_device(device))
        placed = descend_on(self.manifold, inside, pairs, options, seed, optimizer, curve)
        return self.enter(placed.cpu().numpy())

    def leave(self, places: np.ndarray) -> np.ndarray:
        """Return points of the manifold for the places of a descent."""
        if self.code == COMPILED:
            return places
        scaled = places * places.dtype.type(self.scale)
        if self.code != terms.HYPERBOLOID:
            return scaled
        time = np.sqrt(self.scale**2 + np.sum(np.square(scaled, dtype=np.float64), axis=1))
        return np.column_stack([time.astype(places.dtype), scaled])

    def enter(self, points: np.ndarray) -> np.ndarray:
        """Return places of a descent for points of the manifold."""
        if self.code == COMPILED:
            return points
        chart = points[:, 1:] if self.code == terms.HYPERBOLOID else points
        return np.ascontiguousarray(chart / points.dtype.type(self.scale))

    def order(self, points: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Return a function from rows to numbers (m, n) in the order of their distances to all nodes."""
        if self.code != COMPILED:
            return descent.row_order(self.code, self.enter(points))
        return lambda rows: self.distances(points[rows][:, None], points[None])

    def distances(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the distances between points, which broadcast, in double precision."""
        import torch

        with torch.no_grad():
            pairs = (torch.from_numpy(np.ascontiguousarray(x, dtype=np.float64)) for x in (a, b))
            return self.manifold.dist(*pairs).numpy()

    def target_distances(self) -> Callable[..., np.ndarray]:
        """Return the distances that a `LearnedCurve` asks for."""
        if self.code != COMPILED:
            compiled = descent.kernel_distances(self.code, self.scale)

            def inside(places: Any, *sample: np.ndarray) -> np.ndarray:
                is_tensor = not isinstance(places, np.ndarray)
                return compiled(self.enter(places.cpu().numpy()) if is_tensor else places, *sample)

            return inside

        def distances(places: Any, heads: np.ndarray, targets: np.ndarray, counts: np.ndarray) -> np.ndarray:
            points = places if isinstance(places, np.ndarray) else places.cpu().numpy()
            return self.distances(points[heads][:, None], points[targets])

        return distances

    def norms(self, points: np.ndarray) -> np.ndarray:
        """Return the norms in the unit ball; in other spaces, the distances from the origin."""
        if self.is_hyperbolic:
            return np.linalg.norm(self.to_ball(points).astype(np.float64), axis=1) / self.scale
        import torch

        return self.distances(points, self.manifold.origin(dtype=torch.float64).numpy())

    def to_ball(self, points: np.ndarray) -> np.ndarray:
        """Return points in the Poincare ball of the same curvature."""
        if not self.is_hyperbolic:
            raise ValueError(f"only hyperbolic space has a ball, and nodes were embedded in {self._given}.")
        if self.code == terms.BALL:
            return points
        rest = points[:, 1:].astype(np.float64)
        time = np.sqrt(self.scale**2 + np.sum(rest**2, axis=1, keepdims=True))
        return (rest * self.scale / (self.scale + time)).astype(points.dtype)

    def boundary_share(self, places: np.ndarray) -> float:
        """Return the share of nodes at the outermost radius of the ball; zero in spaces without one."""
        if self.code != terms.BALL:
            return 0.0
        outermost = 1.0 - 1.01 * self.edge(places.dtype)
        return float(np.mean(np.linalg.norm(places.astype(np.float64), axis=1) >= outermost))


def space_of(manifold: "str | Manifold", dim: int) -> EmbeddingSpace:
    """Return the space of a name and a dimension, or of a manifold."""
    return EmbeddingSpace(manifold, dim)
