"""The mathematics that every manifold must satisfy, as laws that any space can be put through."""

import math
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from holonomy.manifolds.base import Manifold
from holonomy.manifolds.curvature import sectional_curvature
from holonomy.manifolds.methods import Exponential
from holonomy.manifolds.slopes import check_gradient, check_retraction, check_transport

COUNT = 7
"""Points that a law is tried with."""


def check_manifold(
    manifold: Manifold,
    *,
    std: float = 0.4,
    tolerance: float = 1e-9,
    single_tolerance: float = 2e-4,
    sectional: Callable[[Any, Tensor, Tensor, Tensor], Tensor] | None = None,
    random_state: int = 0,
) -> None:
    """Put a space of your own through every law of :class:`ManifoldLaws`.

    Among them: exp and log are inverse, distances are a metric and the length of log, transport is an isometry and
    agrees with the ladder, geodesics have constant speed, projections are idempotent, frames are orthonormal, the
    gradient of half the squared distance is minus log, batches broadcast, and single precision agrees with double.

    Parameters
    ----------
    manifold : Manifold
        The space.
    std : float, default 0.4
        Spread of the random points around the origin, shortened where the injectivity radius is small.
    tolerance : float, default 1e-9
        Largest error, relative to 1 or the largest number compared; loosen it where a verb is an approximation.
    single_tolerance : float, default 2e-4
        The same for single against double precision.
    sectional : callable, optional
        The closed form of the sectional curvature: from (manifold, x, u, v) to numbers (...).
    random_state : int, default 0
        Seed of the points.

    Raises
    ------
    TypeError
        If ``manifold`` is not one.
    AssertionError
        If a law does not hold; the message names the law and by how much it fails.

    Examples
    --------
    >>> from holonomy.manifolds import Sphere, check_manifold
    >>> check_manifold(Sphere(2, curvature=4.0))
    """
    if not isinstance(manifold, Manifold):
        raise TypeError(f"manifold must be a Manifold, got {type(manifold).__name__}.")
    laws = ManifoldLaws()
    laws.std, laws.tolerance, laws.single_tolerance = float(std), float(tolerance), float(single_tolerance)
    laws.closed_form = sectional
    for name in LAWS:
        try:
            getattr(laws, name)(manifold, torch.Generator().manual_seed(random_state))
        except (AssertionError, ValueError, RuntimeError) as error:
            raise AssertionError(f"{manifold} breaks the law '{name.replace('_', ' ')}': {error}") from error


LAWS: list[str] = []
"""Names of the laws, in order."""


def _law(method: Any) -> Any:
    LAWS.append(method.__name__)
    return method


def _require(holds: Any, what: str) -> None:
    if not bool(holds):
        raise AssertionError(what)


def _refused(call: Callable[[], Any], kind: type[Exception], word: str) -> None:
    try:
        call()
    except kind as error:
        _require(word in str(error), f"the {kind.__name__} says {word!r}, and got {str(error)!r}")
    else:
        raise AssertionError(f"a {kind.__name__} naming {word!r} is raised")


def _reach(space: Any) -> float:
    """Return the injectivity radius, and infinity where the space does not know it."""
    try:
        return space.injectivity_radius
    except NotImplementedError:
        return math.inf


class ManifoldLaws:
    """The laws as methods, from a space and a random generator; each raises an AssertionError where it fails.

    A subclass may lower ``std``, loosen ``tolerance``, and say by ``points``, ``tangents``, ``scale`` and ``place``
    which points suit its spaces. ``sectional`` is the closed form of the sectional curvature.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import ManifoldLaws, Sphere
    >>> ManifoldLaws().exp_inverts_log(Sphere(2), torch.Generator().manual_seed(0))
    """

    std: float = 0.4
    tolerance: float = 1e-9
    single_tolerance: float = 2e-4
    sectional: ClassVar[Any] = None
    closed_form: Callable[[Any, Tensor, Tensor, Tensor], Tensor] | None = None

    def points(self, space: Any, rng: torch.Generator, *size: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Return random points, well within the injectivity radius of each other."""
        std = min(self.std * self.scale(space), 0.15 * _reach(space) / space.dim**0.5)
        return space.random_normal(*size, std=std, random_state=rng, dtype=dtype)

    def tangents(self, space: Any, x: Tensor, rng: torch.Generator) -> Tensor:
        """Return random tangent vectors, shorter than the injectivity radius."""
        length = min(self.scale(space), 0.3 * _reach(space) / space.dim**0.5)
        return length * space.random_tangent(x, rng)

    def scale(self, space: Any) -> float:
        """Return the length over which the space looks curved, where that is less than 1."""
        return 1.0

    def close(self, actual: Tensor, expected: Any, what: str = "numbers", tolerance: float | None = None) -> None:
        """Require numbers to agree, relative to 1 or to the largest where that is more."""
        limit = self.tolerance if tolerance is None else tolerance
        expected = torch.as_tensor(expected, dtype=actual.dtype).expand_as(actual)
        size = 1.0 + float(expected.detach().abs().max())
        error = float((actual - expected).detach().abs().max())
        _require(error <= limit * size, f"{what}: largest error {error:.3g} at size {size:.3g}")

    @_law
    def random_points_and_the_origin_belong(self, space: Any, rng: torch.Generator) -> None:
        """Require: random points and the origin belong."""
        x = self.points(space, rng, COUNT, 3)
        _require(x.shape == (COUNT, 3, *space.shape), "random_normal has the shape asked for")
        _require(x.dtype == torch.float64, "random_normal has the dtype asked for")
        _require(space.belongs(x).all(), "random_normal belongs")
        _require(space.belongs(space.origin(2)).all(), "the origin belongs")
        space.check_point(x)

    @_law
    def uniform_points_belong_or_are_refused(self, space: Any, rng: torch.Generator) -> None:
        """Require: uniform points belong or are refused."""
        try:
            space.log_volume()
        except NotImplementedError:
            _refused(lambda: space.random_uniform(COUNT), NotImplementedError, "uniform")
        else:
            _require(
                space.belongs(space.random_uniform(COUNT, random_state=rng, dtype=torch.float64)).all(),
                "random_uniform belongs",
            )

    @_law
    def random_numbers_come_from_the_seed(self, space: Any, rng: torch.Generator) -> None:
        """Require: random numbers come from the seed."""
        first, again, other = (space.random_normal(3, random_state=seed) for seed in (1, 1, 2))
        _require(torch.equal(first, again), "the same seed gives the same points")
        _require(not torch.equal(first, other), "another seed gives other points")

    @_law
    def points_off_the_manifold_and_bad_tensors_are_refused(self, space: Any, rng: torch.Generator) -> None:
        """Require: points off the manifold and bad tensors are refused."""
        x = self.points(space, rng, COUNT)
        _refused(lambda: space.check_point(x.long()), TypeError, "floating-point")
        _refused(lambda: space.check_point(torch.full_like(x, float("nan"))), ValueError, "NaN")
        if space.shape:
            wrong = torch.zeros(2, *[n + 1 for n in space.shape])
            _refused(lambda: space.check_point(wrong), ValueError, "shape")

    @_law
    def project_is_idempotent_and_keeps_points(self, space: Any, rng: torch.Generator) -> None:
        """Require: project is idempotent and keeps points."""
        x = self.points(space, rng, COUNT)
        self.close(space.project(x), x, "project keeps points")
        noise = torch.randn(x.shape, generator=rng, dtype=x.dtype)
        once = space.project(x + 0.01 * noise)
        self.close(space.project(once), once, "project twice")
        _require(space.belongs(once).all(), "project belongs")

    @_law
    def project_tangent_is_a_projection(self, space: Any, rng: torch.Generator) -> None:
        """Require: project tangent is a projection."""
        x = self.points(space, rng, COUNT)
        ambient = torch.randn(x.shape, generator=rng, dtype=x.dtype)
        v = space.project_tangent(x, ambient)
        self.close(space.project_tangent(x, v), v, "project_tangent twice")
        _require(space.is_tangent(x, v).all(), "the vectors are tangent")

    @_law
    def random_tangents_are_tangent_with_unit_variance(self, space: Any, rng: torch.Generator) -> None:
        """Require: random tangents are tangent with unit variance."""
        x = self.points(space, rng)
        v = space.random_tangent(x.expand(2000, *space.shape), rng)
        _require(space.is_tangent(x, v).all(), "the vectors are tangent")
        square = float(space.inner(x, v, v).mean())
        _require(
            abs(square / space.dim - 1.0) < 5.0 * (2.0 / (2000 * space.dim)) ** 0.5,
            "random_tangent has variance 1 along every direction",
        )

    @_law
    def frames_are_orthonormal(self, space: Any, rng: torch.Generator) -> None:
        """Require: frames are orthonormal."""
        x = self.points(space, rng, COUNT)
        frame = space.frame(x)
        _require(frame.shape == (COUNT, space.dim, *space.shape), "frame has dim vectors")
        rank = len(space.shape)
        at = x.unsqueeze(-rank - 1).unsqueeze(-rank - 1)
        gram = space.inner(at, frame.unsqueeze(-rank - 1), frame.unsqueeze(-rank - 2))
        self.close(gram, torch.eye(space.dim, dtype=x.dtype), "inner products of a frame")
        _require(space.is_tangent(x.unsqueeze(-rank - 1), frame).all(), "frames are tangent")

    @_law
    def inner_products_are_bilinear_symmetric_and_positive(self, space: Any, rng: torch.Generator) -> None:
        """Require: inner products are bilinear symmetric and positive."""
        x = self.points(space, rng, COUNT)
        u, v, w = (self.tangents(space, x, rng) for _ in range(3))
        self.close(space.inner(x, u, v), space.inner(x, v, u), "inner is symmetric")
        self.close(space.inner(x, 2 * u - w, v), 2 * space.inner(x, u, v) - space.inner(x, w, v), "inner is linear")
        _require((space.inner(x, u, u) > 0).all(), "inner is positive")
        self.close(space.norm(x, u) ** 2, space.inner(x, u, u), "norm squared")

    @_law
    def exp_inverts_log(self, space: Any, rng: torch.Generator) -> None:
        """Require: exp inverts log."""
        x, y = self.points(space, rng, 2, COUNT)
        v = space.log(x, y)
        _require(space.is_tangent(x, v).all(), "the vectors are tangent")
        self.close(space.dist(space.exp(x, v), y), 0.0, "exp of log")

    @_law
    def log_inverts_exp(self, space: Any, rng: torch.Generator) -> None:
        """Require: log inverts exp."""
        x = self.points(space, rng, COUNT)
        v = self.tangents(space, x, rng)
        y = space.exp(x, v)
        _require(space.belongs(y).all(), "exp belongs")
        self.close(space.log(x, y), v, "log of exp")

    @_law
    def exp_of_zero_stays(self, space: Any, rng: torch.Generator) -> None:
        """Require: exp of zero stays."""
        x = self.points(space, rng, COUNT)
        self.close(space.exp(x, torch.zeros_like(x)), x, "exp of zero")
        self.close(space.log(x, x), 0.0, "log of the point itself", 1e2 * self.tolerance)
        self.close(space.dist(x, x), 0.0, "dist of the point itself", 1e2 * self.tolerance)

    @_law
    def dist_is_a_metric(self, space: Any, rng: torch.Generator) -> None:
        """Require: dist is a metric."""
        x, y, z = self.points(space, rng, 3, COUNT)
        self.close(space.dist(x, y), space.dist(y, x), "dist is symmetric")
        _require((space.dist(x, y) > 0).all(), "dist is positive")
        _require(
            (space.dist(x, z) <= space.dist(x, y) + space.dist(y, z) + self.tolerance).all(), "the triangle inequality"
        )
        self.close(space.squared_dist(x, y), space.dist(x, y) ** 2, "squared_dist")

    @_law
    def dist_is_the_length_of_log(self, space: Any, rng: torch.Generator) -> None:
        """Require: dist is the length of log."""
        x, y = self.points(space, rng, 2, COUNT)
        self.close(space.norm(x, space.log(x, y)), space.dist(x, y), "norm of log")

    @_law
    def geodesics_have_constant_speed(self, space: Any, rng: torch.Generator) -> None:
        """Require: geodesics have constant speed."""
        x, y = self.points(space, rng, 2, COUNT)
        t = torch.linspace(0.0, 1.0, 5, dtype=x.dtype)
        path = space.geodesic(x, y, t.unsqueeze(-1))
        _require(path.shape == (5, COUNT, *space.shape), "geodesic broadcasts times")
        _require(space.belongs(path).all(), "geodesics belong")
        self.close(space.dist(x, path), t.unsqueeze(-1) * space.dist(x, y), "distances along a geodesic")
        self.close(space.dist(path[:-1], path[1:]), 0.25 * space.dist(x, y), "speed of a geodesic")

    @_law
    def transport_is_an_isometry_that_carries_velocities_along(self, space: Any, rng: torch.Generator) -> None:
        """Require: transport is an isometry that carries velocities along."""
        x, y = self.points(space, rng, 2, COUNT)
        u, v = (self.tangents(space, x, rng) for _ in range(2))
        there_u, there_v = space.transport(x, y, u), space.transport(x, y, v)
        _require(space.is_tangent(y, there_u).all(), "transport is tangent at y")
        self.close(space.inner(y, there_u, there_v), space.inner(x, u, v), "inner after transport")
        self.close(space.transport(y, x, there_u), u, "transport there and back")
        self.close(space.transport(x, y, space.log(x, y)), -space.log(y, x), "transport of log")
        self.close(space.transport(x, x, u), u, "transport to the point itself")

    def place(self, space: Any, rng: torch.Generator) -> dict[str, Any]:
        """Return where a slope is checked, and the longest step."""
        return {
            "x": self.points(space, rng),
            "longest": min(self.scale(space), 0.3 * _reach(space)),
            "random_state": rng,
        }

    def noise(self) -> float:
        """Return the error of verbs that are approximations, which a loosened tolerance says that they are."""
        return self.tolerance if self.tolerance > ManifoldLaws.tolerance else 0.0

    @_law
    def transport_agrees_with_the_ladder(self, space: Any, rng: torch.Generator) -> None:
        """Require: transport agrees with the ladder."""
        check = check_transport(space, noise=self.noise(), **self.place(space, rng))
        _require(check.holds, str(check))

    @_law
    def the_retraction_agrees_with_exp(self, space: Any, rng: torch.Generator) -> None:
        """Require: the retraction agrees with exp."""
        check = check_retraction(space, noise=self.noise(), **self.place(space, rng))
        _require(check.holds, f"retract: {check}")
        exact = check_retraction(space, Exponential(), noise=self.noise(), **self.place(space, rng))
        _require(exact.holds, f"exp: {exact}")

    @_law
    def riemannian_gradients(self, space: Any, rng: torch.Generator) -> None:
        """Require: riemannian gradients."""
        weights = torch.randn(space.shape, generator=rng, dtype=torch.float64)

        def function(x: Tensor) -> Tensor:
            return torch.sin((x * weights).flatten(-len(space.shape)).sum(-1))

        check = check_gradient(space, function, **self.place(space, rng))
        _require(check.holds, str(check))

    @_law
    def the_gradient_of_half_the_squared_distance_is_minus_log(self, space: Any, rng: torch.Generator) -> None:
        """Require: the gradient of half the squared distance is minus log."""
        x, y = self.points(space, rng, 2, COUNT)
        for verb in (space.squared_dist, lambda p, q: space.dist(p, q) ** 2):
            variable = x.clone().requires_grad_()
            (partial,) = torch.autograd.grad(0.5 * verb(variable, y).sum(), variable)
            self.close(
                space.egrad_to_rgrad(x, partial), -space.log(x, y), "gradient of dist^2 / 2", 1e1 * self.tolerance
            )

    @_law
    def gradients_at_coincident_points_are_finite_and_zero(self, space: Any, rng: torch.Generator) -> None:
        """Require: gradients at coincident points are finite and zero."""
        x = self.points(space, rng, COUNT)
        for verb in (space.squared_dist, space.dist):
            first, second = x.clone().requires_grad_(), x.clone().requires_grad_()
            gradients = torch.autograd.grad(verb(first, second).sum(), [first, second])
            for gradient in gradients:
                _require(torch.isfinite(gradient).all(), "gradients are finite")
                rgrad = space.egrad_to_rgrad(x, gradient)
                _require(
                    (space.norm(x, rgrad) <= 1.0 + self.tolerance).all(), "gradients of distances are at most 1 long"
                )

    @_law
    def exp_and_log_are_differentiable_at_zero(self, space: Any, rng: torch.Generator) -> None:
        """Require: exp and log are differentiable at zero."""
        x = self.points(space, rng, COUNT)
        v = torch.zeros_like(x).requires_grad_()
        direction = self.tangents(space, x, rng)
        (gradient,) = torch.autograd.grad((space.exp(x, v) * direction).sum(), v)
        _require(torch.isfinite(gradient).all(), "gradients are finite")
        self.close((gradient * direction).sum(), (direction**2).sum(), "derivative of exp at zero", 1e-6)
        y = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(space.log(x, y).sum(), y)
        _require(torch.isfinite(gradient).all(), "gradients are finite")

    @_law
    def batches_broadcast_and_agree_with_single_points(self, space: Any, rng: torch.Generator) -> None:
        """Require: batches broadcast and agree with single points."""
        x, y = self.points(space, rng, COUNT), self.points(space, rng, 3)
        v = self.tangents(space, x, rng)
        table = space.dist(x.unsqueeze(1), y)
        logs = space.log(x.unsqueeze(1), y)
        moved = space.transport(x.unsqueeze(1), y, v.unsqueeze(1))
        _require(table.shape == (COUNT, 3), "dist broadcasts")
        _require(logs.shape == moved.shape == (COUNT, 3, *space.shape), "log and transport broadcast")
        self.close(table[4, 2], space.dist(x[4], y[2]), "dist of one pair")
        self.close(logs[4, 2], space.log(x[4], y[2]), "log of one pair")
        self.close(moved[4, 2], space.transport(x[4], y[2], v[4]), "transport of one pair")
        self.close(space.exp(x[4], v[4]), space.exp(x, v)[4], "exp of one point")
        self.close(space.exp(x, v[4] * 0), x, "exp of zero")
        _require(space.exp(x[:0], v[:0]).shape == (0, *space.shape), "exp of an empty batch is empty")
        _require(space.dist(x[:0], y[0]).shape == (0,), "dist of an empty batch is empty")

    @_law
    def single_precision_stays_single_and_agrees(self, space: Any, rng: torch.Generator) -> None:
        """Require: single precision stays single and agrees."""
        # Points that are on the manifold in single precision lie off it for double precision.
        checked, space.check = space.check, False
        try:
            self._compare_precisions(space, rng)
        finally:
            space.check = checked

    def _compare_precisions(self, space: Any, rng: torch.Generator) -> None:
        x, y = self.points(space, rng, 2, COUNT)
        v = self.tangents(space, x, rng)
        single = [tensor.float() for tensor in (x, y, v)]
        exact = [tensor.double() for tensor in single]
        for verb in (space.dist, space.log, lambda p, q, w: space.exp(p, w), lambda p, q, w: space.transport(p, q, w)):
            count = 2 if verb in (space.dist, space.log) else 3
            result = verb(*single[:count])
            _require(result.dtype == torch.float32, "results have the dtype of the inputs")
            self.close(result.double(), verb(*exact[:count]), "single precision", self.single_tolerance)

    @_law
    def inputs_are_not_written_to(self, space: Any, rng: torch.Generator) -> None:
        """Require: inputs are not written to."""
        x, y = self.points(space, rng, 2, COUNT)
        v = self.tangents(space, x, rng)
        before = [tensor.clone() for tensor in (x, y, v)]
        space.exp(x, v), space.log(x, y), space.dist(x, y), space.transport(x, y, v), space.project(x)
        _require(all(torch.equal(a, b) for a, b in zip(before, (x, y, v), strict=True)), "inputs keep their values")

    @_law
    def sectional_curvature(self, space: Any, rng: torch.Generator) -> None:
        """Require: sectional curvature."""
        form = type(self).sectional if self.closed_form is None else self.closed_form
        if form is None or space.dim < 2:
            return
        x = self.points(space, rng, 2)
        u, v = (space.random_tangent(x, rng) for _ in range(2))
        expected = form(space, x, u, v)
        self.close(sectional_curvature(space, x, u, v), expected, "sectional curvature", 1e3 * self.tolerance)

    @_law
    def the_volume_element_at_zero_is_one(self, space: Any, rng: torch.Generator) -> None:
        """Require: the volume element at zero is one."""
        x = self.points(space, rng, COUNT)
        self.close(space.volume_element(x, torch.zeros_like(x)), 1.0, "volume element at zero", 1e1 * self.tolerance)

    @_law
    def it_moves_and_is_saved_like_any_module(self, space: Any, rng: torch.Generator) -> None:
        """Require: it moves and is saved like any module."""
        space.load_state_dict(space.state_dict())
        _require(str(space).startswith(type(space).__name__), "str starts with the name of the class")
