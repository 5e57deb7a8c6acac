import numpy as np
import pytest
import torch

from holonomy.manifolds import (
    SPD,
    AffineInvariant,
    Euclidean,
    Hyperboloid,
    PoincareBall,
    Sphere,
    Stereographic,
    convert,
)
from holonomy.stats import barycentric_project, barycentric_weights, span_distance
from holonomy.stats._span_solver import SpanSolver

F64 = torch.float64
CURVED = {
    "sphere": (Sphere(3), 0.5),
    "large sphere": (Sphere(3, 0.25), 1.0),
    "hyperboloid": (Hyperboloid(3), 0.8),
    "ball": (PoincareBall(3), 0.6),
    "flat": (Euclidean(3), 1.0),
    "flat chart": (Stereographic(3, 0.0), 0.7),
    "projected sphere": (Stereographic(3, 0.3), 0.6),
}


def drawn(space, spread, n, seed):
    return space.random_normal(n, std=spread, random_state=seed, dtype=F64)


def karcher_residual(space, x, weights, references):
    rank = len(space.shape)
    logs = space.log(x.unsqueeze(-rank - 1), references)
    total = (weights.reshape(*weights.shape, *[1] * rank) * logs).sum(-rank - 1)
    return space.norm(x, total)


@pytest.mark.parametrize("name", CURVED)
def test_closed_forms_satisfy_the_equation_of_the_span_and_are_nearest(name):
    space, spread = CURVED[name]
    references, y = drawn(space, spread, 3, 1), drawn(space, spread, 30, 2)
    found = barycentric_project(y, references, space)
    assert found.method == "closed_form"
    assert bool(found.converged.all())
    assert float(karcher_residual(space, found.points, found.weights, references).max()) < 1e-12
    assert torch.allclose(found.weights.sum(-1), torch.ones(30, dtype=F64), atol=1e-13)
    assert torch.allclose(space.dist(y, found.points), found.distances, atol=1e-12)
    # No other point of the span is nearer: weights near those of the nearest point give points farther away.
    turned = found.weights + 0.05 * torch.tensor([1.0, -2.0, 1.0], dtype=F64)
    moved = SpanSolver(space, references).solve(found.points, turned)
    assert bool((space.dist(y, moved.points) >= found.distances).all())


@pytest.mark.parametrize("method", ["weights", "penalty"])
@pytest.mark.parametrize("name", ["sphere", "hyperboloid", "flat chart"])
def test_general_solvers_agree_with_closed_forms(name, method):
    space, spread = CURVED[name]
    references, y = drawn(space, spread, 3, 3), drawn(space, spread, 12, 4)
    exact, found = (barycentric_project(y, references, space, kind) for kind in ("closed_form", method))
    assert bool(found.converged.all())
    assert float(space.dist(found.points, exact.points).max()) < 1e-6
    assert torch.allclose(found.weights, exact.weights, atol=1e-6)
    assert torch.allclose(found.distances, exact.distances, atol=1e-6)


def test_projections_of_covariances_by_both_solvers_agree_and_are_stationary():
    space = SPD(3, metric=AffineInvariant())
    references, y = drawn(space, 0.4, 3, 5), drawn(space, 0.4, 6, 6)
    found, other = (barycentric_project(y, references, space, kind) for kind in ("auto", "penalty"))
    assert found.method == "weights"
    assert bool(found.converged.all())
    assert bool(other.converged.all())
    assert float(space.dist(found.points, other.points).max()) < 1e-6
    assert float(karcher_residual(space, found.points, found.weights, references).max()) < 1e-9
    again = barycentric_project(found.points, references, space)
    assert float(again.distances.max()) < 1e-7


def test_the_sphere_is_cut_by_the_linear_span():
    rng = np.random.default_rng(0)
    references, y = (rng.standard_normal((n, 6)) for n in (3, 50))
    references, y = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (references, y))
    Q = np.linalg.qr(references.T)[0]
    inside = y @ Q @ Q.T
    found = barycentric_project(y, references, Sphere(5))
    assert found.points == pytest.approx(inside / np.linalg.norm(inside, axis=1, keepdims=True), abs=1e-13)
    assert found.distances == pytest.approx(np.arccos(np.linalg.norm(inside, axis=1)), abs=1e-12)
    assert isinstance(found.points, np.ndarray)


def test_hyperbolic_distances_are_those_of_the_minkowski_form():
    space = Hyperboloid(4)
    references, y = drawn(space, 1.5, 3, 0).numpy(), drawn(space, 1.5, 40, 1).numpy()
    J = np.diag([-1.0, 1, 1, 1, 1])
    P = references.T @ np.linalg.inv(references @ J @ references.T) @ references @ J
    inside = y @ P.T
    rest = y - inside
    found = barycentric_project(y, references, space)
    norm = np.sqrt(-np.einsum("ni,ij,nj->n", inside, J, inside))
    assert found.points == pytest.approx(inside / norm[:, None], rel=1e-9)
    assert found.distances == pytest.approx(np.arcsinh(np.sqrt(np.einsum("ni,ij,nj->n", rest, J, rest))), rel=1e-9)


def test_the_span_of_one_point_is_the_point():
    x = np.array([[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    found = barycentric_project(x, np.eye(3)[:1], Sphere(2))
    assert found.points == pytest.approx(np.eye(3)[[0, 0]])
    assert found.distances == pytest.approx([np.pi, np.pi / 2])


def test_equally_far_points_go_to_the_first_reference():
    found = barycentric_project(np.array([0.0, 0.0, 1.0]), np.eye(3)[:2], Sphere(2))
    assert found.points == pytest.approx(np.eye(3)[0])
    assert float(found.distances) == pytest.approx(np.pi / 2)


@pytest.mark.parametrize("name", CURVED)
def test_projections_are_idempotent_and_move_with_isometries(name):
    space, spread = CURVED[name]
    references, y = drawn(space, spread, 3, 1), drawn(space, spread, 20, 2)
    found = barycentric_project(y, references, space)
    again = barycentric_project(found.points, references, space)
    assert float(space.dist(again.points, found.points).max()) < 1e-13
    assert torch.equal(found.points, barycentric_project(y.clone(), references, space).points)
    assert float(again.distances.max()) < 1e-12
    axes = torch.tensor([1, 2, 0]) if space.shape == (3,) else torch.tensor([0, 2, 3, 1])
    turned = barycentric_project(y[:, axes], references[:, axes], space)
    assert torch.allclose(turned.points, found.points[:, axes], atol=1e-12)
    assert torch.allclose(turned.weights, found.weights, atol=1e-10)


def test_the_ball_agrees_with_the_hyperboloid():
    ball, sheet = PoincareBall(3), Hyperboloid(3)
    references, y = drawn(ball, 0.7, 3, 1), drawn(ball, 0.7, 20, 2)
    here = barycentric_project(y, references, ball)
    there = barycentric_project(convert(y, ball, sheet), convert(references, ball, sheet), sheet)
    assert torch.allclose(here.distances, there.distances, atol=1e-12)
    assert torch.allclose(convert(here.points, ball, sheet), there.points, atol=1e-12)


@pytest.mark.parametrize("space", [Sphere(3), Hyperboloid(3), SPD(2, metric=AffineInvariant())], ids=str)
def test_references_that_come_together_span_geodesics(space):
    base = drawn(space, 0.3, 1, 0)[0]
    u = space.random_tangent(base, 1)
    u = u / space.norm(base, u)
    y = drawn(space, 0.3, 8, 2)
    errors = []
    for eps in (0.2, 0.02):
        references = torch.stack([base, space.exp(base, eps * u)])
        found = barycentric_project(y, references, space)
        v = space.log(base, found.points)
        along = space.inner(base, v, u.expand_as(v))
        scale = along.reshape(-1, *[1] * len(space.shape))
        errors.append(float(space.dist(space.exp(base, scale * u), found.points).max()))
    assert errors[1] < 0.11 * errors[0] + 1e-7


def test_two_points_span_their_geodesic_also_where_nothing_is_closed():
    space = SPD(2, metric=AffineInvariant())
    references = drawn(space, 0.5, 2, 0)
    t = torch.linspace(-0.5, 1.5, 5, dtype=F64)
    on = space.geodesic(references[0], references[1], t)
    assert float(span_distance(on, references, space).max()) < 1e-7
    assert torch.allclose(barycentric_weights(on, references, space), torch.stack([1 - t, t], -1), atol=1e-7)


def test_span_distance_keeps_dtype_and_batches():
    space = Sphere(4)
    references = space.random_uniform(2, random_state=0)
    y = space.random_uniform(2, 3, random_state=1)
    assert span_distance(y, references, space).shape == (2, 3)
    assert span_distance(y, references, space).dtype == torch.float32
    assert span_distance(y.numpy(), references.numpy(), space).shape == (2, 3)


def test_what_does_not_converge_is_said(monkeypatch):
    monkeypatch.setattr("holonomy.stats._span_solver.ITERATIONS", 1)
    space = Sphere(3)
    references, y = drawn(space, 0.5, 2, 0), drawn(space, 0.5, 1, 1)
    found = barycentric_project(y, references, space, "weights")
    assert not bool(found.converged.any())
    assert bool(torch.isnan(span_distance(y, references, space, "weights")).all())
    assert bool(barycentric_project(y, references, space).converged.all())


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((np.eye(3), np.eye(3)[:2], "sphere"), TypeError, "manifold must be"),
        ((np.ones(3), np.eye(3)[:2], Sphere(2)), ValueError, "x must hold points"),
        ((np.eye(4)[0], np.eye(3)[:2], Sphere(2)), ValueError, "x must have shape"),
        ((np.eye(3)[0], np.eye(3)[0], Sphere(2)), ValueError, "one point a row"),
        ((np.eye(3)[0], np.eye(3)[[0, 0]], Sphere(2)), ValueError, "number 1 is opposite"),
        ((np.eye(3)[0], np.eye(3)[[0]] * [[1.0], [-1.0]], Sphere(2)), ValueError, "number 1 is opposite"),
        ((np.zeros(2), np.zeros((4, 2)), Euclidean(2)), ValueError, "at most 3 points"),
        ((np.zeros(3), np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]), Euclidean(3)), ValueError, "number 2"),
        ((np.array(["a"]), np.eye(3)[:2], Sphere(2)), TypeError, "real numbers"),
        ((torch.tensor([1, 0, 0]), np.eye(3)[:2], Sphere(2)), TypeError, "floating-point"),
    ],
)
def test_bad_input_is_named(arguments, error, words):
    with pytest.raises(error, match=words):
        barycentric_project(*arguments)


def test_methods_are_checked():
    with pytest.raises(ValueError, match="method must be"):
        barycentric_project(np.eye(3)[0], np.eye(3)[:2], Sphere(2), "newton")
    space = SPD(2, metric=AffineInvariant())
    with pytest.raises(ValueError, match="closed_form"):
        barycentric_project(np.eye(2), np.stack([np.eye(2), 2 * np.eye(2)]), space, "closed_form")
    with pytest.raises(ValueError, match="number 2"):
        barycentric_project(np.eye(2), np.stack([np.eye(2), 2 * np.eye(2), 3 * np.eye(2)]), space)
