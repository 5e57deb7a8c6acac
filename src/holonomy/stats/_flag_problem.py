"""The flag that is nearest to given ones in the chordal metric: a quadratic function of frames, from many starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from holonomy._core.random import derive_seed
from holonomy.manifolds import Flag
from holonomy.manifolds.numerics import widen
from holonomy.manifolds.polar import polar_factor
from holonomy.optim import ConjugateGradient, TrustRegion, minimize
from holonomy.stats._inputs import ArrayLike, as_tensor

SOLVERS = {"conjugate_gradient": ConjugateGradient, "trust_region": TrustRegion}
"""Names of the methods."""

_CANDIDATES = 100
"""Most data points that are tried as a start."""


@dataclass(frozen=True)
class Solved:
    """A stationary flag.

    Attributes
    ----------
    frame : Tensor of shape (d, k)
        The flag.
    loss : float
        Weighted mean of squared chordal distances, up to rounding.
    residual : float
        Length of the gradient of half of it.
    n_iter : int
        Steps.
    start : str
        Where the search began.
    """

    frame: Tensor
    loss: float
    residual: float
    n_iter: int
    start: str


def take_flags(X: ArrayLike, dims: Sequence[int], orthonormalise: bool, name: str = "flags") -> tuple[Flag, Tensor]:
    """Return the space and the flags (..., d, k) as float64.

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If the shape does not suit ``dims``, a value is not finite, or columns are not orthonormal.
    """
    x = as_tensor(X, name)
    if x.ndim < 2:
        raise ValueError(f"{name} must have shape (..., d, {tuple(dims)[-1]}), got {tuple(x.shape)}.")
    space = Flag(x.shape[-2], tuple(dims))
    if x.shape[-1] != space.dims[-1]:
        raise ValueError(f"{name} must have {space.dims[-1]} columns for dims {space.dims}, got {x.shape[-1]}.")
    if not bool(torch.isfinite(x).all()):
        raise ValueError(f"{name} holds NaN or infinity.")
    if orthonormalise:
        return space, nested_frame(widen(x))
    if not bool(space.belongs(x).all()):
        raise ValueError(
            f"{name} must have orthonormal columns; orthonormalise=True makes them so and keeps the nested subspaces."
        )
    # Frames in single precision are orthonormal to that precision only.
    return space, x if x.dtype == torch.float64 else polar_factor(widen(x))


def nested_frame(x: Tensor) -> Tensor:
    """Return frames whose first columns span what the first columns of x span, for each number of them."""
    Q, R = torch.linalg.qr(x)
    signs = torch.where(R.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0).to(x.dtype)
    return Q * signs.unsqueeze(-2)


class FlagProblem:
    """The mean squared chordal distance to flags, as a function of a frame.

    With ``P_i`` the weighted mean of the projectors on the i-th blocks, it is ``k - sum_i tr(Y_i^T P_i Y_i)``. Where
    the flags span less than the space, all happens in their span, which contains a minimum; where that is still wide,
    the ``P_i`` stay products of tall factors.

    Parameters
    ----------
    space : Flag
        The space.
    x : Tensor of shape (n, d, k)
        Flags, in double precision.
    """

    def __init__(self, space: Flag, x: Tensor) -> None:
        self.whole, self.flags = space, x
        n, d, k = x.shape
        self.basis: Tensor | None = None
        if n * k < d - 1:
            stacked = x.transpose(0, 1).reshape(d, n * k)
            self.basis = torch.linalg.qr(stacked).Q
            x = self.basis.mT @ x
        # A single flag spans no more than itself, and needs a space to turn in.
        if self.basis is not None and self.basis.shape[1] <= k:
            self.basis, x = None, self.flags
        self.space = space if self.basis is None else Flag(x.shape[1], space.dims)
        self.x = x
        self.blocks = [block.transpose(0, 1) for block in x.split(space.sizes, -1)]
        self._means: list[Tensor] = []
        self._factors: list[Tensor] = []
        self.weights = x.new_full((n,), 1.0 / n)

    def weigh(self, weights: Tensor) -> None:
        """Set the weights (n,) of the flags; they are divided by their sum."""
        self.weights = weights / weights.sum()
        roots = self.weights.sqrt().reshape(1, -1, 1)
        self._factors = [(roots * block).flatten(1) for block in self.blocks]
        rows = self.x.shape[1]
        self._means = [factor @ factor.mT if rows <= factor.shape[1] else factor for factor in self._factors]

    def apply(self, v: Tensor) -> Tensor:
        """Return ``[P_1 V_1 | ... | P_k V_k]``."""
        parts = v.split(self.space.sizes, -1)
        pairs = zip(self._means, parts, strict=True)
        return torch.cat([P @ V if P.shape[0] == P.shape[1] else P @ (P.mT @ V) for P, V in pairs], dim=-1)

    def loss(self, y: Tensor) -> Tensor:
        """Return the mean squared chordal distance to a frame in the coordinates of the span."""
        return y.shape[-1] - (y * self.apply(y)).sum()

    def distances(self, y: Tensor) -> Tensor:
        """Return the chordal distances (n,) to a frame in the coordinates of the span."""
        return self.space.chordal_dist(self.x, y)

    def restore(self, y: Tensor) -> Tensor:
        """Return a frame in the coordinates of the whole space."""
        return y if self.basis is None else self.basis @ y

    def solve(self, y: Tensor, solver: str, tol: float, max_iter: int, start: str) -> Solved:
        """Return the stationary flag that a descent from y reaches, in the coordinates of the span."""
        found = minimize(
            lambda v: 0.5 * float(self.loss(v)),
            self.space,
            y,
            SOLVERS[solver](),
            jac=lambda v: -self.apply(v),
            hessp=lambda _, v: -self.apply(v),
            gtol=tol,
            max_iter=max_iter,
        )
        frame = polar_factor(found.x)
        return Solved(frame, float(self.loss(frame)), found.grad_norm, found.nit, start)

    def closed_form(self) -> Solved:
        """Return the minimum for one subspace: the leading eigenvectors of ``P_1``."""
        P = self._means[0]
        k = self.space.dims[0]
        if P.shape[0] == P.shape[1]:
            frame = torch.linalg.eigh(P).eigenvectors[:, -k:].flip(-1)
        else:
            frame = torch.linalg.svd(P, full_matrices=False).U[:, :k]
        return Solved(frame, float(self.loss(frame)), 0.0, 0, "closed form")

    def starts(self, count: int, seed: int) -> list[tuple[str, Tensor]]:
        """Return named frames to start from: nested eigenvectors, the best data point, then random ones."""
        named = [("nested eigenvectors", self.nested_eigenvectors())]
        if count > 1:
            named.append(("data point", self.best_data_point()))
        for i in range(max(count - 2, 0)):
            stream = derive_seed(seed, "flag start", i)
            named.append((f"random {i + 1}", self.space.random_uniform(random_state=stream, dtype=torch.float64)))
        return named

    def nested_eigenvectors(self) -> Tensor:
        """Return, block after block, the leading eigenvectors of P_i orthogonal to the earlier blocks."""
        chosen = self.x.new_zeros(self.x.shape[1], 0)
        for factor, size in zip(self._factors, self.space.sizes, strict=True):
            left = factor - chosen @ (chosen.mT @ factor)
            U = torch.linalg.svd(left, full_matrices=False).U
            if U.shape[1] < size:
                U = torch.cat([U, torch.eye(U.shape[0], dtype=U.dtype)], dim=1)
            # Where the data leave directions open, any that are orthogonal will do.
            chosen = nested_frame(torch.cat([chosen, U[:, :size]], dim=1))
        return chosen

    def best_data_point(self, power: float = 2.0) -> Tensor:
        """Return the flag with the least weighted sum of powers of distances, among some where they are many."""
        n = self.x.shape[0]
        tried = range(0, n, -(-n // _CANDIDATES))
        costs = torch.stack([(self.weights * self.distances(self.x[i]) ** power).sum() for i in tried])
        return self.x[tried[int(costs.argmin())]]


def best_of(problem: FlagProblem, starts: Sequence[tuple[str, Tensor]], **options: Any) -> tuple[Solved, list[Solved]]:
    """Return the best of the stationary flags that the starts lead to, and all of them."""
    solved = [problem.solve(y, start=name, **options) for name, y in starts]
    return min(solved, key=lambda one: one.loss), solved
