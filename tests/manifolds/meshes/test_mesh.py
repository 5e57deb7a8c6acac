import copy
import math
import pickle

import numpy as np
import pytest
import torch

from holonomy.manifolds import Mesh
from tests.manifolds.meshes.shapes import cube, grid, icosphere, saddle
from tests.manifolds.suite import ManifoldSuite


def point(coordinates):
    return torch.tensor(coordinates, dtype=torch.float64)


class TestMesh(ManifoldSuite):
    spaces = (Mesh(*grid(9)), Mesh(*icosphere(1)), Mesh(*cube(2)))
    tolerance = 1e-9

    def points(self, space, rng, *size, dtype=torch.float64):
        """Points around the middle of the first triangle, which keep off the boundary of the square."""
        if space.on_boundary.any():
            flat = torch.tensor([1.0, 1.0, 0.0], dtype=dtype)
            return flat * (2.0 + 4.0 * torch.rand(*size, 3, generator=rng, dtype=dtype))
        return space.random_uniform(*size, random_state=rng, dtype=dtype)

    def tangents(self, space, x, rng):
        return 0.05 * space.random_tangent(x, rng)

    def place(self, space, rng):
        return {"x": self.points(space, rng), "longest": 0.02, "random_state": rng}

    def test_the_retraction_agrees_with_exp(self, space, rng):
        """Both are the same straight line, so that there is no difference whose slope could be told."""
        x = self.points(space, rng, 7)
        v = self.tangents(space, x, rng)
        assert torch.equal(space.retract(x, v), space.exp(x, v))

    def test_transport_agrees_with_the_ladder(self, space, rng):
        """Inside flat triangles the ladder is exact, so that there is no difference whose slope could be told."""
        from holonomy.manifolds import Ladder

        x = self.points(space, rng, 7)
        v, w = 0.02 * space.random_tangent(x, rng), self.tangents(space, x, rng)
        y = space.exp(x, v)
        torch.testing.assert_close(space.transport(x, y, w, method=Ladder()), space.transport(x, y, w))


@pytest.fixture
def sphere():
    return Mesh(*icosphere(3))


def test_the_way_over_a_cube_is_the_shortest_unfolding():
    space = Mesh(*cube(3))
    x, y = point([0.0, 0.0, 0.0]), point([1.0, 1.0, 1.0])
    assert math.isclose(float(space.dist(x, y)), math.sqrt(5.0), rel_tol=1e-14)
    middle = point([0.5, 0.5, 0.0])
    assert math.isclose(float(space.dist(middle, point([0.5, 0.5, 1.0]))), 2.0, rel_tol=1e-14)
    ant, honey = point([0.5, 0.1, 0.0]), point([0.5, 0.9, 1.0])
    ways = [0.1 + 1.0 + 0.9, math.hypot(0.5 + 1.0 + 0.5, 0.8), math.hypot(1.4, 1.6)]
    assert math.isclose(float(space.dist(ant, honey)), min(ways), rel_tol=1e-14)


def test_lines_are_straight_in_a_plane_and_end_at_the_boundary():
    space = Mesh(*grid(9))
    rng = torch.Generator().manual_seed(0)
    x = (1.0 + 6.0 * torch.rand(50, 3, generator=rng, dtype=torch.float64)) * torch.tensor([1.0, 1, 0])
    v = 20.0 * torch.randn(50, 3, generator=rng, dtype=torch.float64) * torch.tensor([1.0, 1, 0])
    with torch.no_grad():
        to_sides = torch.where(v > 0, (8.0 - x) / v, -x / v)[:, :2].min(dim=1).values.clamp(max=1.0)
    torch.testing.assert_close(space.exp(x, v), x + to_sides[:, None] * v, atol=1e-12, rtol=0.0)


def test_a_line_through_a_vertex_goes_straight_on():
    space = Mesh(*grid(9))
    x, v = point([1.5, 1.5, 0.0]), point([4.0, 4.0, 0.0])
    torch.testing.assert_close(space.exp(x, v), x + v)
    x, v = point([1.0, 3.0, 0.0]), point([0.0, 2.5, 0.0])
    torch.testing.assert_close(space.exp(x, v), x + v)


def test_a_line_through_a_corner_leaves_equal_angles_on_both_sides():
    """At a corner of the cube three right angles meet: 135 degrees on either side."""
    space = Mesh(*cube(2))
    x = point([0.5, 0.5, 0.0])
    end = space.exp(x, point([-1.0, -1.0, 0.0]))
    torch.testing.assert_close(end, point([0.0, 0.0, math.sqrt(0.5)]), atol=1e-12, rtol=0.0)


def test_a_line_around_a_cube_closes():
    space = Mesh(*cube(2))
    x, v = point([0.3, 0.2, 0.0]), point([4.0, 0.0, 0.0])
    torch.testing.assert_close(space.exp(x, v), x, atol=1e-12, rtol=0.0)
    assert space.exp(x, 0.1 * v)[2] == 0.0
    torch.testing.assert_close(space.exp(x, 0.25 * v), point([1.0, 0.2, 0.3]), atol=1e-12, rtol=0.0)


def test_paths_bend_around_vertices_of_a_saddle_and_around_the_boundary():
    space = Mesh(*saddle(9))
    x, y = (space.random_uniform(60, random_state=seed, dtype=torch.float64) for seed in (0, 1))
    bent = 0
    for start, end, distance in zip(x, y, space.dist(x, y), strict=True):
        path = space.geodesic_path(start, end)
        assert math.isclose(np.linalg.norm(np.diff(path, axis=0), axis=1).sum(), float(distance), rel_tol=1e-12)
        assert space.closest_point(path).gaps.max() < 1e-12
        gaps = np.linalg.norm(path[1:-1, None] - space.surface.vertices, axis=2).min(axis=1) if len(path) > 2 else [1.0]
        bent += min(gaps) < 1e-9
    assert bent
    t = torch.linspace(0.0, 1.0, 5, dtype=torch.float64).unsqueeze(-1)
    along = space.geodesic(x, y, t)
    torch.testing.assert_close(space.dist(x, along), t * space.dist(x, y), atol=1e-9, rtol=1e-9)


def test_the_shortest_path_around_a_slit():
    """A square ring: the way past the hole bends around its corner."""
    points, faces = grid(4)
    middle = points[faces].mean(axis=1)
    hole = (np.abs(middle[:, 0] - 1.5) < 0.5) & (np.abs(middle[:, 1] - 1.5) < 0.5)
    ring = Mesh(points, faces[~hole])
    x, y = point([0.5, 1.2, 0.0]), point([2.5, 1.4, 0.0])
    ways = [math.hypot(0.5, abs(x[1] - level)) + 1.0 + math.hypot(0.5, abs(y[1] - level)) for level in (1.0, 2.0)]
    assert math.isclose(float(ring.dist(x, y)), min(ways), rel_tol=1e-13)
    path = ring.geodesic_path(x, y)
    for corner in ([1.0, 1.0, 0.0], [2.0, 1.0, 0.0]):
        assert np.linalg.norm(path - corner, axis=1).min() < 1e-12
    half = ring.geodesic(x, y, 0.5)
    assert abs(float(half[1]) - 1.0) < 1e-12
    assert torch.allclose(
        ring.norm(y, ring.transport(x, y, point([0.3, 0.4, 0.0]))), torch.tensor(0.5, dtype=torch.float64)
    )


def test_vectors_at_an_edge_may_lie_in_either_plane():
    space = Mesh(*cube(1))
    x = point([0.5, 0.0, 0.0])
    up, along = point([0.0, 0.0, 0.25]), point([0.0, 0.25, 0.0])
    assert space.is_tangent(x, torch.stack([up, along])).all()
    assert not space.is_tangent(x, up + along)
    torch.testing.assert_close(space.exp(x, up), point([0.5, 0.0, 0.25]))
    torch.testing.assert_close(space.exp(x, along), point([0.5, 0.25, 0.0]))
    torch.testing.assert_close(space.exp(x, -up), point([0.5, 0.25, 0.0]))


def test_closest_points_match_a_search_over_all_triangles(sphere):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200, 3))
    places = sphere.closest_point(points)
    weights = rng.dirichlet(np.ones(3), size=(40, sphere.n_faces))
    tried = np.einsum("wfc,fci->wfi", weights, sphere.surface.vertices[sphere.surface.faces]).reshape(-1, 3)
    for point, place, gap in zip(points, places.points, places.gaps, strict=True):
        assert gap <= np.linalg.norm(tried - point, axis=1).min() + 1e-12
        assert math.isclose(np.linalg.norm(point - place), gap, abs_tol=1e-12)
    assert np.allclose(places.weights.sum(axis=1), 1.0)
    assert places.weights.min() >= 0.0


def test_uniform_points_fill_triangles_by_area():
    points, faces = grid(3)
    points[points[:, 0] == 2.0, 0] = 5.0
    space = Mesh(points, faces)
    x = space.random_uniform(20_000, random_state=0, dtype=torch.float64)
    assert abs(float((x[:, 0] > 1.0).double().mean()) - 0.8) < 0.01
    assert abs(float(x[:, 1].mean()) - 1.0) < 0.02
    assert math.isclose(space.log_volume(), math.log(10.0))
    assert math.isclose(float(space.uniform_log_prob(x[0])), -math.log(10.0), rel_tol=1e-6)


def test_the_heat_kernel_has_mass_one_is_symmetric_and_that_of_a_square():
    space = Mesh(*grid(21, 0.05), n_eigenpairs=300)
    nodes = torch.from_numpy(space.surface.vertices)
    x = point([0.3, 0.4, 0.0])
    s = torch.tensor(0.05, dtype=torch.float64)
    heat = space.heat_kernel(x, nodes, s)
    assert math.isclose(float((heat * torch.from_numpy(space.vertex_areas)).sum()), 1.0, rel_tol=1e-9)
    assert torch.allclose(space.heat_kernel(nodes, x, s), heat)
    k = torch.arange(40, dtype=torch.float64)
    norm = torch.where(k == 0, 1.0, 2.0)
    sides = [
        (norm * torch.cos(math.pi * k * a) * torch.cos(math.pi * k * nodes[:, i : i + 1])
         * torch.exp(-0.5 * s * (math.pi * k) ** 2)).sum(-1)
        for i, a in enumerate((0.3, 0.4))
    ]  # fmt: skip
    assert float((heat - sides[0] * sides[1]).abs().max()) < 0.02 * float(heat.max())
    with pytest.raises(ValueError, match="n_eigenpairs"):
        space.heat_kernel(x, x, 1e-5)


def test_derivatives_are_those_of_the_unfolded_triangles(sphere):
    x, y = (sphere.random_uniform(5, random_state=seed, dtype=torch.float64) for seed in (0, 1))
    first, second = x.clone().requires_grad_(), y.clone().requires_grad_()
    to_x, to_y = torch.autograd.grad(sphere.dist(first, second).sum(), [first, second])
    for gradient, at, other in ((to_x, x, y), (to_y, y, x)):
        torch.testing.assert_close(gradient, -sphere.log(at, other) / sphere.dist(at, other).unsqueeze(-1))
    step = 1e-6 * sphere.random_tangent(y, 4)
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    for verb, at in ((lambda v: sphere.exp(y, v), sphere.random_tangent(y, 3)), (lambda p: sphere.log(x, p), y)):
        variable = at.clone().requires_grad_()
        (gradient,) = torch.autograd.grad((verb(variable) * weights).sum(), variable)
        difference = ((verb(at + step) - verb(at - step)) * weights).sum() / 2
        assert math.isclose(float((gradient * step).sum()), float(difference), rel_tol=1e-4)


def test_pieces_are_infinitely_far_apart():
    points, faces = grid(3)
    space = Mesh(np.concatenate([points, points + np.array([0.0, 0.0, 5.0])]), np.concatenate([faces, faces + 9]))
    x, y = point([0.5, 0.3, 0.0]), point([0.5, 0.3, 5.0])
    assert space.n_pieces == 2
    assert float(space.dist(x, y)) == math.inf
    assert float(space.dist(x, x)) == 0.0
    for verb in (space.log, lambda a, b: space.geodesic(a, b, 0.5), lambda a, b: space.transport(a, b, a - a)):
        with pytest.raises(ValueError, match="piece"):
            verb(x, y)
    with pytest.raises(ValueError, match="piece"):
        space.geodesic_path(x, y)
    assert np.isinf(space.exact_distances(0)[9:]).all()
    assert np.isinf(space.heat_distances(0)[9:]).all()


def test_it_copies_pickles_and_moves(sphere):
    before = sphere.exact_distances(0)
    for twin in (copy.deepcopy(sphere), pickle.loads(pickle.dumps(sphere))):  # noqa: S301
        assert np.array_equal(twin.exact_distances(0), before)
    single = copy.deepcopy(sphere).float()
    x = single.random_uniform(3, random_state=0)
    assert single.dist(x, x.roll(1, 0)).dtype == torch.float32
    assert str(sphere) == "Mesh(642 vertices, 1280 faces)"


def test_means_are_those_of_the_plane_on_a_flat_mesh():
    from holonomy.manifolds import weighted_mean

    space = Mesh(*grid(6))
    x = (
        5.0
        * torch.rand(12, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        * point([1.0, 1.0, 0.0])
    )
    torch.testing.assert_close(weighted_mean(space, x).point, x.mean(dim=0))


def test_values_at_vertices_are_interpolated(sphere):
    points = sphere.random_uniform(10, random_state=0, dtype=torch.float64)
    linear = sphere.surface.vertices @ np.array([1.0, -2.0, 0.5])
    assert np.allclose(sphere.interpolate(linear, points), points.numpy() @ [1.0, -2.0, 0.5])
    assert sphere.interpolate(np.stack([linear, linear], axis=1), points).shape == (10, 2)


def test_bad_points_are_refused(sphere):
    x = sphere.origin(dtype=torch.float64)
    for verb in (sphere.project, lambda p: sphere.dist(p, x), lambda p: sphere.exp(p, x)):
        with pytest.raises(ValueError, match="finite"):
            verb(torch.full((3,), float("nan"), dtype=torch.float64))
    for length in (1e9, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="v must be finite and at most"):
            sphere.exp(x, length * sphere.frame(x)[0])
    with pytest.raises(ValueError, match="points"):
        sphere.closest_point([[0.0, 1.0]])
    with pytest.raises(ValueError, match="NaN"):
        sphere.closest_point([[0.0, 1.0, float("nan")]])
    with pytest.raises(ValueError, match="sources"):
        sphere.geodesic_path(0, 642)
    with pytest.raises(ValueError, match="values"):
        sphere.interpolate(np.zeros(3), [[0.0, 0, 0]])
    with pytest.raises(ValueError, match="n_eigenpairs"):
        Mesh(*grid(3), n_eigenpairs=1)
    with pytest.raises(ValueError, match="lie off"):
        Mesh(*grid(3), check=True).dist(torch.ones(3), torch.zeros(3))
