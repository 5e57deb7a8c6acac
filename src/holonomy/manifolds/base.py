"""The base class of all geometries: the verbs, said once; what a space does not write is derived from what it does."""

from abc import ABC
from typing import TYPE_CHECKING, Any, ClassVar, final

import torch
from torch import Tensor, nn

from holonomy._core.persistence import Remade
from holonomy.manifolds._derived import DERIVED
from holonomy.manifolds._random import TorchRandomState, torch_generator
from holonomy.manifolds.methods import Exponential, Ladder, Retraction, Transport
from holonomy.manifolds.numerics import tolerances

if TYPE_CHECKING:
    from holonomy.manifolds.means import MeanSolver


class Manifold(Remade, nn.Module, ABC):
    """A Riemannian manifold: points and tangent vectors are plain tensors, and the verbs act on them.

    The trailing axes of points and tangent vectors have ``shape``; leading axes broadcast against each other. A new
    space subclasses this and writes the hooks that differ: a verb ``exp`` calls the hook ``_exp``, and a hook that is
    not written is derived from the others. The verbs themselves are final.

    ========================  ======================================================================================
    hook                      when it is not written
    ========================  ======================================================================================
    ``_inner``                the product of coordinates: the metric of the surrounding space
    ``_project``              must be written
    ``_project_tangent``      the vector as it is: every vector is tangent
    ``_origin``               must be written
    ``_exp``                  the geodesic equation, solved numerically
    ``_log``                  ``exp``, inverted by Newton's method
    ``_dist``                 the norm of ``log``
    ``_transport``            ``default_transport``, built from ``exp`` and ``log``
    ``_geodesic``             ``exp`` of a part of ``log``
    ``_egrad_to_rgrad``       solved in an orthonormal frame
    ``_frame``                the projected coordinate directions, made orthonormal
    ``_log_volume_element``   the Jacobian of ``exp``, by automatic differentiation
    ``_random_tangent``       normal coefficients in the frame
    ``_random_uniform``       not available (a space of infinite volume has no uniform distribution)
    ``_residual``             the relative distance to ``project``
    ``_mean_solver``          gradient descent with measured steps
    ========================  ======================================================================================

    Parameters
    ----------
    dim : int
        Dimension of the manifold.
    shape : tuple of int
        Trailing axes of a point.
    check : bool, default False
        Whether every verb checks its points and tangent vectors first, and raises a ``ValueError`` naming what is
        wrong. Costs about as much as the verb itself.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Manifold
    >>> class Line(Manifold):
    ...     def __init__(self):
    ...         super().__init__(dim=1, shape=(1,))
    ...
    ...     def _exp(self, x, v):
    ...         return x + v
    ...
    ...     def _project(self, x):
    ...         return x
    ...
    ...     def _origin(self, dtype, device):
    ...         return torch.zeros(1, dtype=dtype, device=device)
    >>> Line().dist(torch.tensor([1.0]), torch.tensor([3.0]))
    tensor(2.)
    """

    default_retraction: ClassVar[Retraction] = Exponential()
    default_transport: ClassVar[Transport] = Ladder()

    def __init__(self, dim: int, shape: tuple[int, ...], *, check: bool = False) -> None:
        super().__init__()
        self._dim = dim
        self._shape = tuple(shape)
        self.check = bool(check)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for hook, derivation in DERIVED.items():
            if not hasattr(cls, hook):
                setattr(cls, hook, derivation)

    if TYPE_CHECKING:

        def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor: ...
        def _norm(self, x: Tensor, v: Tensor) -> Tensor: ...
        def _exp(self, x: Tensor, v: Tensor) -> Tensor: ...
        def _log(self, x: Tensor, y: Tensor) -> Tensor: ...
        def _dist(self, x: Tensor, y: Tensor) -> Tensor: ...
        def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor: ...
        def _geodesic(self, x: Tensor, y: Tensor, t: Tensor) -> Tensor: ...
        def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor: ...
        def _project(self, x: Tensor) -> Tensor: ...
        def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor: ...
        def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor: ...
        def _frame(self, x: Tensor) -> Tensor: ...
        def _log_volume_element(self, x: Tensor, v: Tensor) -> Tensor: ...
        def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor: ...
        def _random_uniform(
            self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
        ) -> Tensor: ...
        def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor: ...
        def _log_volume(self) -> float: ...
        def _normal_log_prob(self, x: Tensor, mean: Tensor, std: Tensor) -> Tensor: ...
        def _heat_kernel(self, x: Tensor, y: Tensor, s: Tensor) -> Tensor: ...
        def _log_heat_kernel(self, x: Tensor, y: Tensor, s: Tensor) -> Tensor: ...
        def _residual(self, x: Tensor) -> Tensor: ...
        def _tangent_residual(self, x: Tensor, v: Tensor) -> Tensor: ...
        def _injectivity_radius(self) -> float: ...
        def _mean_solver(self) -> MeanSolver: ...

    @property
    @final
    def dim(self) -> int:
        """Dimension of the manifold."""
        return self._dim

    @property
    @final
    def shape(self) -> tuple[int, ...]:
        """Trailing axes of a point."""
        return self._shape

    @property
    @final
    def injectivity_radius(self) -> float:
        """Distance within which geodesics from any point stay the only shortest ones; infinite where all do."""
        return self._injectivity_radius()

    @property
    @final
    def derived(self) -> frozenset[str]:
        """The verbs that this space does not write, and that are built from others."""
        return frozenset(hook[1:] for hook, derivation in DERIVED.items() if getattr(type(self), hook) is derivation)

    @final
    def inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        """Return the inner product (...) of tangent vectors u and v (..., *shape) at x."""
        if self.check:
            self.check_tangent(x, u, "u")
            self.check_tangent(x, v)
        return self._inner(x, u, v)

    @final
    def norm(self, x: Tensor, v: Tensor) -> Tensor:
        """Return the length (...) of tangent vectors at x; its derivative at 0 is 0."""
        if self.check:
            self.check_tangent(x, v)
        return self._norm(x, v)

    @final
    def exp(self, x: Tensor, v: Tensor) -> Tensor:
        """Return where the geodesic from x with velocity v is at time 1, (..., *shape)."""
        if self.check:
            self.check_tangent(x, v)
        return self._exp(x, v)

    @final
    def log(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the velocity at x of the shortest geodesic that reaches y at time 1, (..., *shape)."""
        if self.check:
            self.check_point(x)
            self.check_point(y, "y")
        return self._log(x, y)

    @final
    def dist(self, x: Tensor, y: Tensor) -> Tensor:
        """Return geodesic distances (...); the derivative at coincident points is 0."""
        if self.check:
            self.check_point(x)
            self.check_point(y, "y")
        return self._dist(x, y)

    @final
    def squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        """Return squared geodesic distances (...), smooth where points coincide."""
        if self.check:
            self.check_point(x)
            self.check_point(y, "y")
        return self._squared_dist(x, y)

    @final
    def geodesic(self, x: Tensor, y: Tensor, t: Tensor | float) -> Tensor:
        """Return the points at times t (...) of the shortest geodesic with x at 0 and y at 1; any t is allowed."""
        if self.check:
            self.check_point(x)
            self.check_point(y, "y")
        return self._geodesic(x, y, torch.as_tensor(t, dtype=x.dtype, device=x.device))

    @final
    def transport(self, x: Tensor, y: Tensor, v: Tensor, method: Transport | None = None) -> Tensor:
        """Return tangent vectors v at x moved to y, parallel along the shortest geodesic.

        ``method`` is another transport (:mod:`holonomy.manifolds.methods`).
        """
        if self.check:
            self.check_tangent(x, v)
            self.check_point(y, "y")
        return self._transport(x, y, v) if method is None else method(self, x, y, v)

    @final
    def retract(self, x: Tensor, v: Tensor, method: Retraction | None = None) -> Tensor:
        """Return points that agree with ``exp`` to first order; ``method`` is another of :mod:`.methods`."""
        if self.check:
            self.check_tangent(x, v)
        return (self.default_retraction if method is None else method)(self, x, v)

    @final
    def project(self, x: Tensor) -> Tensor:
        """Return points of the manifold for any coordinates (..., *shape): the nearest, or as the space documents."""
        return self._project(x)

    @final
    def project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        """Return the tangent part at x of any vectors (..., *shape)."""
        if self.check:
            self.check_point(x)
        return self._project_tangent(x, v)

    @final
    def egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        """Return the Riemannian gradient for partial derivatives by coordinates, (..., *shape).

        Its inner product with any tangent vector is the derivative along it.
        """
        if self.check:
            self.check_point(x)
        return self._egrad_to_rgrad(x, gradient)

    @final
    def origin(self, *size: int, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Tensor:
        """Return a distinguished point, repeated to (*size, *shape)."""
        place = torch.device(device or "cpu")
        return self._origin(dtype or torch.get_default_dtype(), place).expand(*size, *self._shape).clone()

    @final
    def frame(self, x: Tensor) -> Tensor:
        """Return an orthonormal basis of the tangent spaces at x, (..., dim, *shape)."""
        if self.check:
            self.check_point(x)
        return self._frame(x)

    @final
    def random_uniform(
        self,
        *size: int,
        random_state: TorchRandomState = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> Tensor:
        """Return points (*size, *shape), uniform by Riemannian volume.

        Raises
        ------
        NotImplementedError
            If the volume is infinite, or the space knows no way.
        """
        generator = torch_generator(random_state, device)
        return self._random_uniform(size, generator, dtype or torch.get_default_dtype(), generator.device)

    @final
    def random_normal(
        self,
        *size: int,
        mean: Tensor | None = None,
        std: Tensor | float = 1.0,
        random_state: TorchRandomState = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> Tensor:
        """Return points (*size, *batch of mean, *shape) of the wrapped normal: ``exp`` of an isotropic normal vector.

        ``mean`` is the origin by default, and ``std`` (...) is the standard deviation along every direction.
        """
        generator = torch_generator(random_state, device if mean is None else mean.device)
        center = self.origin(dtype=dtype, device=generator.device) if mean is None else mean
        center = center.expand(*size, *center.shape)
        return self._exp(center, self._scale(std, center) * self._random_tangent(center, generator))

    @final
    def random_tangent(self, x: Tensor, random_state: TorchRandomState = None) -> Tensor:
        """Return tangent vectors at x, normal with variance 1 along every direction."""
        if self.check:
            self.check_point(x)
        return self._random_tangent(x, torch_generator(random_state, x.device))

    @final
    def uniform_log_prob(self, x: Tensor) -> Tensor:
        """Return the log density (...) of ``random_uniform`` with respect to Riemannian volume."""
        if self.check:
            self.check_point(x)
        return torch.full(x.shape[: x.ndim - len(self._shape)], -self._log_volume(), dtype=x.dtype, device=x.device)

    @final
    def log_volume(self) -> float:
        """Return the logarithm of the Riemannian volume of the whole space."""
        return self._log_volume()

    @final
    def normal_log_prob(self, x: Tensor, mean: Tensor | None = None, std: Tensor | float = 1.0) -> Tensor:
        """Return the log density (...) of ``random_normal`` with respect to Riemannian volume."""
        if self.check:
            self.check_point(x)
        center = self.origin(dtype=x.dtype, device=x.device) if mean is None else mean
        return self._normal_log_prob(x, center, torch.as_tensor(std, dtype=x.dtype, device=x.device))

    @final
    def volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        """Return by which factor (...) ``exp`` at x stretches volume around the tangent vector v."""
        return torch.exp(self.log_volume_element(x, v))

    @final
    def log_volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        """Return the logarithm (...) of :meth:`volume_element`."""
        if self.check:
            self.check_tangent(x, v)
        return self._log_volume_element(x, v)

    @final
    def brownian_step(self, x: Tensor, s: Tensor | float, random_state: TorchRandomState = None) -> Tensor:
        """Return points after a step of the geodesic random walk: variance s (...) along every direction.

        Many small steps make Brownian motion, whose generator is half the Laplacian.
        """
        if self.check:
            self.check_point(x)
        spread = torch.as_tensor(s, dtype=x.dtype, device=x.device).sqrt()
        return self._exp(x, self._scale(spread, x) * self._random_tangent(x, torch_generator(random_state, x.device)))

    @final
    def heat_kernel(self, x: Tensor, y: Tensor, s: Tensor | float) -> Tensor:
        """Return the density (...) at y, by Riemannian volume, of Brownian motion that left x a time s ago."""
        if self.check:
            self.check_point(x)
            self.check_point(y, "y")
        return self._heat_kernel(x, y, torch.as_tensor(s, dtype=x.dtype, device=x.device))

    @final
    def log_heat_kernel(self, x: Tensor, y: Tensor, s: Tensor | float) -> Tensor:
        """Return the log of `heat_kernel` (...), on most spaces also where the density is too small to be stored."""
        if self.check:
            self.check_point(x)
            self.check_point(y, "y")
        return self._log_heat_kernel(x, y, torch.as_tensor(s, dtype=x.dtype, device=x.device))

    @final
    def belongs(self, x: Tensor, tolerance: float | None = None) -> Tensor:
        """Say for each point (...) whether it lies on the manifold, up to ``tolerance`` relative to its size."""
        if tuple(x.shape[x.ndim - len(self._shape) :]) != self._shape or x.ndim < len(self._shape):
            return torch.zeros(x.shape[: max(x.ndim - len(self._shape), 0)], dtype=torch.bool, device=x.device)
        largest = tolerances(x.dtype).belongs if tolerance is None else tolerance
        if bool((finite := torch.isfinite(x)).all()):
            return self._residual(x) <= largest
        # Decompositions of matrices that are not finite fail, and some projections make them finite.
        rows = finite.flatten(x.ndim - len(self._shape)).all(-1) if self._shape else finite
        inside = torch.zeros_like(rows)
        inside[rows] = self._residual(x[rows]) <= largest
        return inside

    @final
    def is_tangent(self, x: Tensor, v: Tensor, tolerance: float | None = None) -> Tensor:
        """Say for each vector (...) whether it is tangent at x, up to ``tolerance`` relative to its size."""
        return self._tangent_residual(x, v) <= (tolerances(v.dtype).belongs if tolerance is None else tolerance)

    @final
    def check_point(self, x: Any, name: str = "x") -> None:
        """Raise unless ``x`` is a floating-point tensor of points on the manifold.

        Raises
        ------
        TypeError
            If it is not a real floating-point tensor.
        ValueError
            If its trailing shape is wrong, it holds NaN or infinity, or a point lies off the manifold.
        """
        self._check_tensor(x, name)
        if not bool((inside := self.belongs(x)).all()):
            worst = float(self._residual(x)[~inside].max())
            raise ValueError(
                f"{name} must hold points of {self}, and {int((~inside).sum())} of {inside.numel()} lie off it "
                f"(largest relative violation {worst:.3g}); use project({name}) to bring them there."
            )

    @final
    def check_tangent(self, x: Any, v: Any, name: str = "v") -> None:
        """Raise unless ``x`` holds points and ``v`` tangent vectors at them.

        Raises
        ------
        TypeError
            If one is not a real floating-point tensor.
        ValueError
            If a shape is wrong, a value is not finite, a point is off the manifold or a vector is not tangent.
        """
        self.check_point(x)
        self._check_tensor(v, name)
        if not bool((tangent := self.is_tangent(x, v)).all()):
            raise ValueError(
                f"{name} must hold tangent vectors of {self} at x, and {int((~tangent).sum())} of {tangent.numel()} "
                f"are not tangent; use project_tangent(x, {name})."
            )

    def _check_tensor(self, x: Any, name: str) -> None:
        if not isinstance(x, Tensor) or not x.is_floating_point():
            kind = f"a tensor of {x.dtype}" if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(f"{name} must be a floating-point tensor, got {kind}.")
        rank = len(self._shape)
        if x.ndim < rank or tuple(x.shape[x.ndim - rank :]) != self._shape:
            raise ValueError(
                f"{name} must have shape (..., {str(self._shape)[1:-1].rstrip(',')}), got {tuple(x.shape)}."
            )
        if not bool(torch.isfinite(x).all()):
            raise ValueError(f"{name} holds NaN or infinity.")

    def _scale(self, factor: Tensor | float, x: Tensor) -> Tensor:
        """Return factors (...) with the trailing axes that make them multiply points or vectors."""
        factors = torch.as_tensor(factor, dtype=x.dtype, device=x.device)
        return factors.reshape(*factors.shape, *[1] * len(self._shape))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"

    def extra_repr(self) -> str:
        """Return what stands between the parentheses of the name."""
        return str(self._dim)
