"""The mathematics that every manifold must satisfy; a test class lists its ``spaces`` and inherits these tests.

    class TestSphere(ManifoldSuite):
        spaces = [Sphere(2), Sphere(3, curvature=4.0)]

A class may lower ``std`` (spread of the points around the origin), and loosen ``tolerance`` where a verb is an
approximation or the inputs themselves carry less. ``sectional`` is the closed form of the sectional curvature:
from (space, x, u, v) to numbers.
"""

import pytest
import torch

from holonomy.manifolds import Exponential, check_gradient, check_retraction, check_transport
from holonomy.manifolds.curvature import sectional_curvature

COUNT = 7


class ManifoldSuite:
    spaces = ()
    std = 0.4
    tolerance = 1e-9
    single_tolerance = 2e-4
    sectional = None

    @pytest.fixture
    def rng(self):
        return torch.Generator().manual_seed(0)

    def points(self, space, rng, *size, dtype=torch.float64):
        """Random points, well within the injectivity radius of each other."""
        std = min(self.std * self.scale(space), 0.15 * space.injectivity_radius / space.dim**0.5)
        return space.random_normal(*size, std=std, random_state=rng, dtype=dtype)

    def tangents(self, space, x, rng):
        length = min(self.scale(space), 0.3 * space.injectivity_radius / space.dim**0.5)
        return length * space.random_tangent(x, rng)

    def scale(self, space):
        """The length over which the space looks curved, where that is less than 1."""
        return 1.0

    def close(self, actual, expected, tolerance=None):
        limit = self.tolerance if tolerance is None else tolerance
        expected = torch.as_tensor(expected, dtype=actual.dtype).expand_as(actual)
        size = 1.0 + float(expected.abs().max())
        error = float((actual - expected).abs().max())
        assert error <= limit * size, f"largest error {error:.3g} at size {size:.3g}"

    def test_random_points_and_the_origin_belong(self, space, rng):
        x = self.points(space, rng, COUNT, 3)
        assert x.shape == (COUNT, 3, *space.shape)
        assert x.dtype == torch.float64
        assert space.belongs(x).all()
        assert space.belongs(space.origin(2)).all()
        space.check_point(x)

    def test_uniform_points_belong_or_are_refused(self, space, rng):
        try:
            space.log_volume()
        except NotImplementedError:
            with pytest.raises(NotImplementedError, match="uniform"):
                space.random_uniform(COUNT)
        else:
            assert space.belongs(space.random_uniform(COUNT, random_state=rng, dtype=torch.float64)).all()

    def test_random_numbers_come_from_the_seed(self, space):
        first, again, other = (space.random_normal(3, random_state=seed) for seed in (1, 1, 2))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)

    def test_points_off_the_manifold_and_bad_tensors_are_refused(self, space, rng):
        x = self.points(space, rng, COUNT)
        with pytest.raises(TypeError, match="floating-point"):
            space.check_point(x.long())
        with pytest.raises(ValueError, match="NaN"):
            space.check_point(torch.full_like(x, float("nan")))
        if space.shape:
            with pytest.raises(ValueError, match="shape"):
                space.check_point(torch.zeros(2, *[n + 1 for n in space.shape]))

    def test_project_is_idempotent_and_keeps_points(self, space, rng):
        x = self.points(space, rng, COUNT)
        self.close(space.project(x), x)
        noise = torch.randn(x.shape, generator=rng, dtype=x.dtype)
        once = space.project(x + 0.01 * noise)
        self.close(space.project(once), once)
        assert space.belongs(once).all()

    def test_project_tangent_is_a_projection(self, space, rng):
        x = self.points(space, rng, COUNT)
        ambient = torch.randn(x.shape, generator=rng, dtype=x.dtype)
        v = space.project_tangent(x, ambient)
        self.close(space.project_tangent(x, v), v)
        assert space.is_tangent(x, v).all()

    def test_random_tangents_are_tangent_with_unit_variance(self, space, rng):
        x = self.points(space, rng)
        v = space.random_tangent(x.expand(2000, *space.shape), rng)
        assert space.is_tangent(x, v).all()
        square = float(space.inner(x, v, v).mean())
        assert abs(square / space.dim - 1.0) < 5.0 * (2.0 / (2000 * space.dim)) ** 0.5

    def test_frames_are_orthonormal(self, space, rng):
        x = self.points(space, rng, COUNT)
        frame = space.frame(x)
        assert frame.shape == (COUNT, space.dim, *space.shape)
        rank = len(space.shape)
        at = x.unsqueeze(-rank - 1).unsqueeze(-rank - 1)
        gram = space.inner(at, frame.unsqueeze(-rank - 1), frame.unsqueeze(-rank - 2))
        self.close(gram, torch.eye(space.dim, dtype=x.dtype))
        assert space.is_tangent(x.unsqueeze(-rank - 1), frame).all()

    def test_inner_products_are_bilinear_symmetric_and_positive(self, space, rng):
        x = self.points(space, rng, COUNT)
        u, v, w = (self.tangents(space, x, rng) for _ in range(3))
        self.close(space.inner(x, u, v), space.inner(x, v, u))
        self.close(space.inner(x, 2 * u - w, v), 2 * space.inner(x, u, v) - space.inner(x, w, v))
        assert (space.inner(x, u, u) > 0).all()
        self.close(space.norm(x, u) ** 2, space.inner(x, u, u))

    def test_exp_inverts_log(self, space, rng):
        x, y = self.points(space, rng, 2, COUNT)
        v = space.log(x, y)
        assert space.is_tangent(x, v).all()
        self.close(space.dist(space.exp(x, v), y), 0.0)

    def test_log_inverts_exp(self, space, rng):
        x = self.points(space, rng, COUNT)
        v = self.tangents(space, x, rng)
        y = space.exp(x, v)
        assert space.belongs(y).all()
        self.close(space.log(x, y), v)

    def test_exp_of_zero_stays(self, space, rng):
        x = self.points(space, rng, COUNT)
        self.close(space.exp(x, torch.zeros_like(x)), x)
        self.close(space.log(x, x), 0.0, 1e2 * self.tolerance)
        self.close(space.dist(x, x), 0.0, 1e2 * self.tolerance)

    def test_dist_is_a_metric(self, space, rng):
        x, y, z = self.points(space, rng, 3, COUNT)
        self.close(space.dist(x, y), space.dist(y, x))
        assert (space.dist(x, y) > 0).all()
        assert (space.dist(x, z) <= space.dist(x, y) + space.dist(y, z) + self.tolerance).all()
        self.close(space.squared_dist(x, y), space.dist(x, y) ** 2)

    def test_dist_is_the_length_of_log(self, space, rng):
        x, y = self.points(space, rng, 2, COUNT)
        self.close(space.norm(x, space.log(x, y)), space.dist(x, y))

    def test_geodesics_have_constant_speed(self, space, rng):
        x, y = self.points(space, rng, 2, COUNT)
        t = torch.linspace(0.0, 1.0, 5, dtype=x.dtype)
        path = space.geodesic(x, y, t.unsqueeze(-1))
        assert path.shape == (5, COUNT, *space.shape)
        assert space.belongs(path).all()
        self.close(space.dist(x, path), t.unsqueeze(-1) * space.dist(x, y))
        self.close(space.dist(path[:-1], path[1:]), 0.25 * space.dist(x, y))

    def test_transport_is_an_isometry_that_carries_velocities_along(self, space, rng):
        x, y = self.points(space, rng, 2, COUNT)
        u, v = (self.tangents(space, x, rng) for _ in range(2))
        there_u, there_v = space.transport(x, y, u), space.transport(x, y, v)
        assert space.is_tangent(y, there_u).all()
        self.close(space.inner(y, there_u, there_v), space.inner(x, u, v))
        self.close(space.transport(y, x, there_u), u)
        self.close(space.transport(x, y, space.log(x, y)), -space.log(y, x))
        self.close(space.transport(x, x, u), u)

    def place(self, space, rng):
        """Where a slope is checked, and the longest step."""
        known = "injectivity_radius" not in space.derived
        return {
            "x": self.points(space, rng),
            "longest": min(self.scale(space), 0.3 * space.injectivity_radius if known else 1.0),
            "random_state": rng,
        }

    def test_transport_agrees_with_the_ladder(self, space, rng):
        check = check_transport(space, **self.place(space, rng))
        assert check.holds, check

    def test_the_retraction_agrees_with_exp(self, space, rng):
        check = check_retraction(space, **self.place(space, rng))
        assert check.holds, check
        assert check_retraction(space, Exponential(), **self.place(space, rng)).holds

    def test_riemannian_gradients(self, space, rng):
        weights = torch.randn(space.shape, generator=rng, dtype=torch.float64)

        def function(x):
            return torch.sin((x * weights).flatten(-len(space.shape)).sum(-1))

        check = check_gradient(space, function, **self.place(space, rng))
        assert check.holds, check

    def test_the_gradient_of_half_the_squared_distance_is_minus_log(self, space, rng):
        x, y = self.points(space, rng, 2, COUNT)
        for verb in (space.squared_dist, lambda p, q: space.dist(p, q) ** 2):
            variable = x.clone().requires_grad_()
            (partial,) = torch.autograd.grad(0.5 * verb(variable, y).sum(), variable)
            self.close(space.egrad_to_rgrad(x, partial), -space.log(x, y), 1e1 * self.tolerance)

    def test_gradients_at_coincident_points_are_finite_and_zero(self, space, rng):
        x = self.points(space, rng, COUNT)
        for verb in (space.squared_dist, space.dist):
            first, second = x.clone().requires_grad_(), x.clone().requires_grad_()
            gradients = torch.autograd.grad(verb(first, second).sum(), [first, second])
            for gradient in gradients:
                assert torch.isfinite(gradient).all()
                rgrad = space.egrad_to_rgrad(x, gradient)
                assert (space.norm(x, rgrad) <= 1.0 + self.tolerance).all()

    def test_exp_and_log_are_differentiable_at_zero(self, space, rng):
        x = self.points(space, rng, COUNT)
        v = torch.zeros_like(x).requires_grad_()
        direction = self.tangents(space, x, rng)
        (gradient,) = torch.autograd.grad((space.exp(x, v) * direction).sum(), v)
        assert torch.isfinite(gradient).all()
        self.close((gradient * direction).sum(), (direction**2).sum(), 1e-6)
        y = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(space.log(x, y).sum(), y)
        assert torch.isfinite(gradient).all()

    def test_batches_broadcast_and_agree_with_single_points(self, space, rng):
        x, y = self.points(space, rng, COUNT), self.points(space, rng, 3)
        v = self.tangents(space, x, rng)
        table = space.dist(x.unsqueeze(1), y)
        logs = space.log(x.unsqueeze(1), y)
        moved = space.transport(x.unsqueeze(1), y, v.unsqueeze(1))
        assert table.shape == (COUNT, 3)
        assert logs.shape == moved.shape == (COUNT, 3, *space.shape)
        self.close(table[4, 2], space.dist(x[4], y[2]))
        self.close(logs[4, 2], space.log(x[4], y[2]))
        self.close(moved[4, 2], space.transport(x[4], y[2], v[4]))
        self.close(space.exp(x[4], v[4]), space.exp(x, v)[4])
        self.close(space.exp(x, v[4] * 0), x)
        assert space.exp(x[:0], v[:0]).shape == (0, *space.shape)
        assert space.dist(x[:0], y[0]).shape == (0,)

    def test_single_precision_stays_single_and_agrees(self, space, rng, monkeypatch):
        # Points that are on the manifold in single precision lie off it for double precision.
        monkeypatch.setattr(space, "check", False)
        x, y = self.points(space, rng, 2, COUNT)
        v = self.tangents(space, x, rng)
        single = [tensor.float() for tensor in (x, y, v)]
        exact = [tensor.double() for tensor in single]
        for verb in (space.dist, space.log, lambda p, q, w: space.exp(p, w), lambda p, q, w: space.transport(p, q, w)):
            count = 2 if verb in (space.dist, space.log) else 3
            result = verb(*single[:count])
            assert result.dtype == torch.float32
            self.close(result.double(), verb(*exact[:count]), self.single_tolerance)

    def test_inputs_are_not_written_to(self, space, rng):
        x, y = self.points(space, rng, 2, COUNT)
        v = self.tangents(space, x, rng)
        before = [tensor.clone() for tensor in (x, y, v)]
        space.exp(x, v), space.log(x, y), space.dist(x, y), space.transport(x, y, v), space.project(x)
        assert all(torch.equal(a, b) for a, b in zip(before, (x, y, v), strict=True))

    def test_sectional_curvature(self, space, rng):
        if self.sectional is None or space.dim < 2:
            return
        x = self.points(space, rng, 2)
        u, v = (space.random_tangent(x, rng) for _ in range(2))
        expected = type(self).sectional(space, x, u, v)
        self.close(sectional_curvature(space, x, u, v), expected, 1e3 * self.tolerance)

    def test_the_volume_element_at_zero_is_one(self, space, rng):
        x = self.points(space, rng, COUNT)
        self.close(space.volume_element(x, torch.zeros_like(x)), 1.0, 1e1 * self.tolerance)

    def test_it_moves_and_is_saved_like_any_module(self, space):
        space.load_state_dict(space.state_dict())
        assert str(space).startswith(type(space).__name__)
