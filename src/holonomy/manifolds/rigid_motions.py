"""Rigid motions of R^n: a rotation and a translation."""

import math

import torch
from torch import Tensor

from holonomy._core.validation import check_float, check_int, check_option
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.metric import Metric, MetricManifold
from holonomy.manifolds.numerics import safe_sqrt, widen
from holonomy.manifolds.polar import rotation_factor
from holonomy.manifolds.special_orthogonal import SpecialOrthogonal, rotation_exp, rotation_log


class SE(MetricManifold):
    """Rigid motions ``a -> R a + t`` of R^n as matrices ``[[R, t], [0, 1]]`` of shape (n + 1, n + 1).

    Tangent vectors at x are the ``[[V, u], [0, 0]]`` with ``R^T V`` antisymmetric.

    Parameters
    ----------
    n : int
        Dimension of the space that moves, at least 2.
    metric : {"left_invariant", "screw"} or Metric, default "left_invariant"
        ``"left_invariant"``: :class:`LeftInvariant`, also called the product metric. ``"screw"``: :class:`Screw`.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If ``n`` is below 2 or the metric unknown.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SE
    >>> x = torch.eye(4)
    >>> y = torch.eye(4).index_put((torch.tensor(0), torch.tensor(3)), torch.tensor(2.0))
    >>> SE(3).dist(x, y)
    tensor(2.)
    """

    _references = ("zefran1998rigid",)

    def __init__(self, n: int, metric: str | Metric = "left_invariant", *, check: bool = False) -> None:
        n = check_int(n, "n", minimum=2)
        if not isinstance(metric, Metric):
            named: dict[str, type[Metric]] = {"left_invariant": LeftInvariant, "product": LeftInvariant, "screw": Screw}
            metric = named[check_option(metric, "metric", named)]()
        super().__init__(n * (n + 1) // 2, (n + 1, n + 1), metric, check=check)
        self.n = n

    def _project(self, x: Tensor) -> Tensor:
        return motion(rotation_factor(x[..., :-1, :-1]), x[..., :-1, -1])

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        x, v = torch.broadcast_tensors(x, v)
        R = x[..., :-1, :-1]
        inside = R.mT @ v[..., :-1, :-1]
        return velocity(R @ (0.5 * (inside - inside.mT)), v[..., :-1, -1])

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.eye(self.n + 1, dtype=dtype, device=device)

    def extra_repr(self) -> str:
        """Return n and the metric."""
        return f"{self.n}, metric={self.metric!r}"


class _Weighted(Metric):
    """The left-invariant product of a turn and a shift, whose weights fix the unit of length."""

    def __init__(self, rotation: float = 1.0, translation: float = 1.0) -> None:
        super().__init__()
        self.rotation, self.translation = check_float(rotation, "rotation"), check_float(translation, "translation")
        if self.rotation <= 0.0 or self.translation <= 0.0:
            raise ValueError(f"rotation and translation must be positive, got {rotation} and {translation}.")

    def _inner(self, space: Manifold, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        product = widen(u)[..., :-1, :] * widen(v)[..., :-1, :]
        turn, shift = product[..., :-1].sum((-2, -1)), product[..., -1].sum(-1)
        return (0.5 * self.rotation * turn + self.translation * shift).to(u.dtype)

    def _egrad_to_rgrad(self, space: Manifold, x: Tensor, gradient: Tensor) -> Tensor:
        tangent = space._project_tangent(x, gradient)
        turn, shift = tangent[..., :-1, :-1], tangent[..., :-1, -1]
        return velocity(turn * (2.0 / self.rotation), shift / self.translation)

    def _random_tangent(self, space: Manifold, x: Tensor, generator: torch.Generator) -> Tensor:
        R = x[..., :-1, :-1]
        turn = _rotations(space)._random_tangent(R, generator)
        shift = torch.randn(R.shape[:-1], generator=generator, dtype=x.dtype, device=x.device)
        return velocity(turn / self.rotation**0.5, shift / self.translation**0.5)

    def _injectivity_radius(self, space: Manifold) -> float:
        return math.pi * math.sqrt(self.rotation)

    def extra_repr(self) -> str:
        """Return the weights."""
        return f"rotation={self.rotation:g}, translation={self.translation:g}"


class LeftInvariant(_Weighted):
    """Rotation and translation apart: the product metric, which is invariant under changes of the fixed frame.

    Squared lengths are ``rotation * angle^2 + translation * shift^2``; geodesics turn evenly and move along straight
    lines.

    Parameters
    ----------
    rotation, translation : float, default 1.0
        Positive weights.

    Raises
    ------
    ValueError
        If a weight is not positive.

    Examples
    --------
    >>> from holonomy.manifolds import SE, LeftInvariant
    >>> SE(3, metric=LeftInvariant(translation=0.1)).dim
    6
    """

    def _exp(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        x, v = torch.broadcast_tensors(x, v)
        return motion(_rotations(space)._exp(*_turns(x, v)), x[..., :-1, -1] + v[..., :-1, -1])

    def _log(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        x, y = torch.broadcast_tensors(x, y)
        return velocity(_rotations(space)._log(*_turns(x, y)), y[..., :-1, -1] - x[..., :-1, -1])

    def _dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        return safe_sqrt(self._squared_dist(space, x, y))

    def _squared_dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        turn = _rotations(space)._squared_dist(*_turns(x, y))
        shift = (y[..., :-1, -1] - x[..., :-1, -1]).square().sum(-1)
        return self.rotation * turn + self.translation * shift

    def _transport(self, space: Manifold, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        x, y, v = torch.broadcast_tensors(x, y, v)
        turn = _rotations(space)._transport(*_turns(x, y), v[..., :-1, :-1])
        return velocity(turn, v[..., :-1, -1])

    def _log_volume_element(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        return _rotations(space)._log_volume_element(*_turns(x, v))


class Screw(_Weighted):
    """Screw motions: ``exp`` and ``log`` are those of the group, the same for every choice of frames.

    No Riemannian metric has screw motions as its geodesics. ``log`` is the constant twist that carries x to y, ``dist``
    its length by the left-invariant product, and transport keeps the components in the moving frame; its parallel
    transport has torsion, and ``dist`` need not be the length of a shortest path.

    Parameters
    ----------
    rotation, translation : float, default 1.0
        Positive weights of the product that measures twists.

    Raises
    ------
    ValueError
        If a weight is not positive.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SE
    >>> space = SE(3, metric="screw")
    >>> x, y = space.random_normal(2, random_state=0, dtype=torch.float64)
    >>> torch.allclose(space.exp(x, space.log(x, y)), y)
    True
    """

    def _exp(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        x, v = torch.broadcast_tensors(x, v)
        wide, wide_v = widen(x), widen(v)
        R = wide[..., :-1, :-1]
        turn = R.mT @ wide_v[..., :-1, :-1]
        turn = 0.5 * (turn - turn.mT)
        shift = _average_turn(turn) @ (R.mT @ wide_v[..., :-1, -1:])
        return motion(R @ rotation_exp(turn), wide[..., :-1, -1] + (R @ shift)[..., 0]).to(x.dtype)

    def _log(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        x, y = torch.broadcast_tensors(x, y)
        wide, wide_y = widen(x), widen(y)
        R = wide[..., :-1, :-1]
        turn = rotation_log(R.mT @ wide_y[..., :-1, :-1])
        apart = R.mT @ (wide_y[..., :-1, -1:] - wide[..., :-1, -1:])
        shift = torch.linalg.solve(_average_turn(turn), apart)
        return velocity(R @ turn, (R @ shift)[..., 0]).to(x.dtype)

    def _transport(self, space: Manifold, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        x, y, v = torch.broadcast_tensors(x, y, v)
        moved = y[..., :-1, :-1] @ (x[..., :-1, :-1].mT @ v[..., :-1, :])
        return velocity(moved[..., :-1], moved[..., -1])


def motion(rotation: Tensor, translation: Tensor) -> Tensor:
    """Return the matrices (..., n + 1, n + 1) of rotations (..., n, n) and translations (..., n).

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.rigid_motions import motion
    >>> motion(torch.eye(2), torch.ones(2))
    tensor([[1., 0., 1.],
            [0., 1., 1.],
            [0., 0., 1.]])
    """
    return _stack(rotation, translation, 1.0)


def velocity(turn: Tensor, shift: Tensor) -> Tensor:
    """Return the tangent matrices (..., n + 1, n + 1) of turns (..., n, n) and shifts (..., n)."""
    return _stack(turn, shift, 0.0)


def _stack(block: Tensor, column: Tensor, corner: float) -> Tensor:
    n = block.shape[-1]
    last = torch.zeros(n + 1, dtype=block.dtype, device=block.device)
    last[-1] = corner
    top = torch.cat([block, column.unsqueeze(-1)], dim=-1)
    return torch.cat([top, last.expand(*top.shape[:-2], 1, n + 1)], dim=-2)


def _average_turn(turn: Tensor) -> Tensor:
    """Return the mean of exp(s turn) over s from 0 to 1."""
    n = turn.shape[-1]
    identity = torch.eye(n, dtype=turn.dtype, device=turn.device).expand_as(turn)
    top = torch.cat([turn, identity], dim=-1)
    return torch.linalg.matrix_exp(torch.cat([top, torch.zeros_like(top)], dim=-2))[..., :n, n:]


def _turns(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return x[..., :-1, :-1], y[..., :-1, :-1]


def _rotations(space: Manifold) -> SpecialOrthogonal:
    return SpecialOrthogonal(space.shape[-1] - 1)
