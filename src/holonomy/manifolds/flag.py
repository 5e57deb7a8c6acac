"""Flag manifolds: nested subspaces of fixed dimensions."""

import itertools
import math

import torch
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds._collocation import transport_along
from holonomy.manifolds._shooting import log_by_correction
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.numerics import safe_sqrt, widen
from holonomy.manifolds.polar import polar_factor
from holonomy.manifolds.stiefel import christoffel, frame_exp, frame_path
from holonomy.manifolds.symmetric import symmetrize


class Flag(Manifold):
    """Nested subspaces of dimensions ``dims[0] < dims[1] < ...`` of R^n, by orthonormal frames adapted to them.

    The first ``dims[0]`` columns of a point span the first subspace, the first ``dims[1]`` the second, and so on;
    frames that span the same subspaces are the same point. Tangent vectors are the v with ``x^T v`` antisymmetric and
    zero in its diagonal blocks, with the canonical metric of frames, so that one subspace is a point of ``Grassmann``.
    ``log`` shoots until the subspaces meet to rounding.

    Parameters
    ----------
    n : int
        Dimension of the surrounding space.
    dims : tuple of int
        Dimensions of the subspaces, increasing, from 1 to n - 1.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If ``dims`` is empty, not increasing, or out of range.

    References
    ----------
    Ye, Wong & Lim (2022), "Optimization on flag manifolds".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Flag
    >>> Flag(4, (1, 3)).dim
    5
    """

    _references = ("ye2022optimization",)
    _NODES = 12

    def __init__(self, n: int, dims: tuple[int, ...], *, check: bool = False) -> None:
        n = check_int(n, "n", minimum=2)
        dims = tuple(check_int(d, "dims", minimum=1, maximum=n - 1) for d in dims)
        if not dims or any(a >= b for a, b in itertools.pairwise(dims)):
            raise ValueError(f"dims must be increasing numbers, at least one, got {dims}.")
        sizes = [b - a for a, b in itertools.pairwise((0, *dims))]
        k = dims[-1]
        dim = k * (n - k) + (k * k - sum(m * m for m in sizes)) // 2
        super().__init__(dim, (n, k), check=check)
        self.n, self.dims, self.sizes = n, dims, tuple(sizes)

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        x, dtype, u, v = widen(x), u.dtype, widen(u), widen(v)
        return ((u * v).sum((-2, -1)) - 0.5 * ((x.mT @ u) * (x.mT @ v)).sum((-2, -1))).to(dtype)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        return frame_exp(widen(x), widen(v), 0.5).to(x.dtype)

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        return log_by_correction(self, x, y, self._align)

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        return safe_sqrt(self._squared_dist(x, y))

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        v = self._log(x, y)
        return self._inner(x, v, v)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        velocity = widen(self._log(x, y))
        w, _ = torch.broadcast_tensors(widen(v), velocity)
        x, velocity = widen(x).expand_as(w), velocity.expand_as(w)
        path, slopes = frame_path(x, velocity, 0.5, self._NODES)

        def slope(w: Tensor) -> Tensor:
            bend = christoffel(path, slopes, w, 0.5)
            # What keeps the vector free of rotations within the blocks.
            return path @ self._blocks(path.mT @ bend - slopes.mT @ w) - bend

        moved = transport_along(slope, w, self._NODES)
        end, y = frame_exp(x, velocity, 0.5), widen(y)
        return self._project_tangent(y, moved @ self._blocks(end.mT @ y)).to(v.dtype)

    def _project(self, x: Tensor) -> Tensor:
        return polar_factor(x)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        inside = x.mT @ v
        return v - x @ (symmetrize(inside) + self._blocks(0.5 * (inside - inside.mT)))

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        inside = x.mT @ gradient
        antisymmetric = inside - inside.mT
        return gradient - x @ (inside - antisymmetric + self._blocks(antisymmetric))

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.eye(*self.shape, dtype=dtype, device=device)

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        return polar_factor(torch.randn((*size, *self.shape), generator=generator, dtype=dtype, device=device))

    def _log_volume(self) -> float:
        def log_rotations(m: int) -> float:
            """Return the logarithm of the volume of the orthogonal group, with half the Frobenius product."""
            return sum(math.log(2.0) + 0.5 * j * math.log(math.pi) - math.lgamma(0.5 * j) for j in range(1, m + 1))

        inside = sum(log_rotations(m) for m in self.sizes)
        return log_rotations(self.n) - inside - log_rotations(self.n - self.dims[-1])

    def _injectivity_radius(self) -> float:
        return 0.5 * math.pi

    def chordal_dist(self, x: Tensor, y: Tensor) -> Tensor:
        """Return ``sqrt(sum_i |x_i x_i^T - y_i y_i^T|^2 / 2)`` (...), over the blocks of columns."""
        total = torch.zeros((), dtype=torch.float64, device=x.device)
        for a, b in zip(widen(x).split(self.sizes, -1), widen(y).split(self.sizes, -1), strict=True):
            # |(I - a a^T) b|^2 is the same number without the cancellation of equal traces.
            total = total + (b - a @ (a.mT @ b)).square().sum((-2, -1))
        return safe_sqrt(total).to(x.dtype)

    def _align(self, y: Tensor, z: Tensor) -> Tensor:
        """Return the frame of the flag y that is nearest to the frame z, block by block."""
        blocks = zip(y.split(self.sizes, -1), z.split(self.sizes, -1), strict=True)
        return torch.cat([a @ polar_factor(a.mT @ b) for a, b in blocks], dim=-1)

    def _blocks(self, inside: Tensor) -> Tensor:
        """Return the diagonal blocks of k x k matrices, the rest zero."""
        labels = torch.repeat_interleave(
            torch.arange(len(self.sizes), device=inside.device), torch.tensor(self.sizes, device=inside.device)
        )
        return inside * (labels[:, None] == labels[None, :])

    def extra_repr(self) -> str:
        """Return n and the dimensions."""
        return f"{self.n}, {self.dims}"
