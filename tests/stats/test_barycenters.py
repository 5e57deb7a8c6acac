import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from holonomy.manifolds import SPD, AffineInvariant, Euclidean, Hyperboloid, PoincareBall, Sphere
from holonomy.stats import (
    barycentric_point,
    barycentric_project,
    barycentric_weights,
    classify_barycenter,
    frechet_mean,
)

F64 = torch.float64
SPACES = {
    "sphere": (Sphere(4), 0.4),
    "hyperboloid": (Hyperboloid(4, -0.5), 0.8),
    "ball": (PoincareBall(3), 0.5),
    "flat": (Euclidean(2, 2), 1.0),
    "covariances": (SPD(2, metric=AffineInvariant()), 0.4),
}


def drawn(space, spread, n, seed):
    return space.random_normal(n, std=spread, random_state=seed, dtype=F64)


def circle(*angles):
    return np.stack([np.cos(angles), np.sin(angles), np.zeros(len(angles))], axis=1)


@pytest.mark.parametrize("name", SPACES)
def test_weights_and_points_are_inverse_to_each_other(name):
    space, spread = SPACES[name]
    references = drawn(space, spread, 3, 0)
    weights = torch.tensor([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.8, 0.7, -0.5]], dtype=F64)
    points = barycentric_point(weights, references, space)
    logs = space.log(points.unsqueeze(1), references)
    residual = (weights.reshape(3, 3, *[1] * len(space.shape)) * logs).sum(1)
    assert float(space.norm(points, residual).max()) < 1e-10
    assert torch.allclose(barycentric_weights(points, references, space), weights, atol=1e-8)
    assert torch.allclose(points[1], references[0], atol=1e-12)


def test_positive_weights_give_the_weighted_mean():
    space = Hyperboloid(3)
    references = drawn(space, 1.0, 4, 0)
    weights = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=F64)
    mean = frechet_mean(references, space, weights).point
    assert float(space.dist(barycentric_point(weights, references, space), mean)) < 1e-7


def test_flat_weights_are_affine_coordinates():
    rng = np.random.default_rng(0)
    references = rng.standard_normal((3, 5))
    weights = rng.standard_normal((7, 3)) + 1.0
    points = barycentric_point(weights, references, Euclidean(5))
    assert points == pytest.approx(weights / weights.sum(1, keepdims=True) @ references, abs=1e-10)


def test_singular_weights_agree_with_those_of_the_closed_form():
    space = Sphere(4)
    references, y = drawn(space, 0.7, 3, 0), space.random_uniform(30, random_state=1, dtype=F64)
    found = barycentric_project(y, references, space)
    ours = barycentric_weights(found.points, references, space)
    moderate = found.weights.abs().amax(-1) < 100
    assert torch.allclose(ours[moderate], found.weights[moderate], rtol=1e-6, atol=1e-6)


def test_permuting_references_permutes_weights():
    space = Hyperboloid(3)
    references, x = drawn(space, 0.8, 3, 0), drawn(space, 0.8, 5, 1)
    inside = barycentric_project(x, references, space).points
    order = [2, 0, 1]
    weights = barycentric_weights(inside, references, space)
    assert torch.allclose(barycentric_weights(inside, references[order], space), weights[:, order], atol=1e-9)


def test_two_points_of_a_circle_have_one_near_and_one_far_middle():
    references = circle(0.0, 1.0)
    far = circle(0.5 + np.pi)[0]
    near = barycentric_point([0.5, 0.5], references, Sphere(2))
    assert near == pytest.approx(circle(0.5)[0], abs=1e-12)
    assert barycentric_weights(far, references, Sphere(2)) == pytest.approx([0.5, 0.5])
    assert barycentric_point([0.5, 0.5], references, Sphere(2), start=far) == pytest.approx(far, abs=1e-9)


def test_weights_that_no_point_has_are_refused():
    # Two points at angles 0 and 1: only weights of the second between 1 - pi and pi are those of a point.
    with pytest.raises(ValueError, match="none was found for 1 of 2 rows"):
        barycentric_point([[0.5, 0.5], [-3.0, 4.0]], circle(0.0, 1.0), Sphere(2))


def test_kinds_of_barycentres_on_a_great_circle():
    # Weights (1 - t, t) of points at angles 0 and 1 belong to the angle t; across the circle the Hessian is
    # (1 - t) t cot t + t (1 - t) cot(1 - t), and 1 along it.
    references = circle(0.0, 1.0)
    t = np.array([0.5, 1.3, -0.3, 2.0])
    across = (1 - t) * t / np.tan(t) + t * (1 - t) / np.tan(1 - t)
    kinds = classify_barycenter(circle(*t), references, Sphere(2))
    assert [kind != "exponential" for kind in kinds] == (across > 0).tolist()
    assert kinds[0] == "frechet"
    assert classify_barycenter(np.array([0.0, 0.6, 0.8]), references, Sphere(2)) == "outside"
    assert classify_barycenter(circle(0.5 + np.pi)[0], references, Sphere(2)) == "exponential"


def test_a_local_minimum_that_is_not_the_lowest_is_karcher():
    # On the circle itself, where nothing lies across, both middles of two points are minima.
    references = circle(0.0, 1.0)[:, :2]
    near = barycentric_point([0.5, 0.5], references, Sphere(1))
    kinds = classify_barycenter(np.stack([near, -near]), references, Sphere(1))
    assert kinds.tolist() == ["frechet", "karcher"]


def test_in_negative_curvature_every_barycentre_of_positive_weights_is_a_mean():
    space = Hyperboloid(3)
    references = drawn(space, 1.0, 3, 0)
    weights = np.random.default_rng(0).dirichlet(np.ones(3), 5)
    points = barycentric_point(torch.from_numpy(weights), references, space)
    assert set(classify_barycenter(points, references, space).tolist()) == {"frechet"}


def test_covariances_are_classified_by_the_general_solver():
    space = SPD(2, metric=AffineInvariant())
    references = drawn(space, 0.4, 2, 0)
    middle = space.geodesic(references[0], references[1], 0.4)
    assert classify_barycenter(middle, references, space) == "frechet"
    assert classify_barycenter(drawn(space, 0.4, 1, 9)[0], references, space) == "outside"


@pytest.mark.parametrize(
    ("weights", "error", "words"),
    [
        ([0.5, 0.5, 0.0], ValueError, "weights must have shape"),
        ([0.5, -0.5], ValueError, "total other than 0"),
        ([np.nan, 1.0], ValueError, "NaN"),
        (["a", "b"], TypeError, "weights must hold real numbers"),
    ],
)
def test_bad_weights_are_named(weights, error, words):
    with pytest.raises(error, match=words):
        barycentric_point(weights, np.eye(3)[:2], Sphere(2))


def test_points_without_weights_are_named():
    references = circle(0.0, 1.0)
    with pytest.raises(ValueError, match="opposite to a reference"):
        barycentric_weights(-references[0], references, Sphere(2))
    quarter = circle(0.0, np.pi / 2)
    # Weights are in proportion to c_i sin(d_i) / d_i for x = sum c_i x_i, whose sum changes sign between x and -x.
    middle, side = np.ones(3) / 3**0.5, np.array([1.0, -1.0, 0.0]) / 2**0.5

    def point(t):
        return np.cos(t) * middle + np.sin(t) * side

    lost = brentq(lambda t: float((point(t) * np.sinc(np.arccos(point(t)) / np.pi)).sum()), 0.0, np.pi, xtol=1e-15)
    with pytest.raises(ValueError, match="total other than 0"):
        barycentric_weights(point(lost), np.eye(3), Sphere(2))
    assert barycentric_weights(circle(np.pi / 4)[0], quarter, Sphere(2)) == pytest.approx([0.5, 0.5])
    with pytest.raises(TypeError, match="manifold must be"):
        barycentric_weights(np.eye(3)[0], quarter, "sphere")
    with pytest.raises(ValueError, match="start"):
        barycentric_point([0.5, 0.5], quarter, Sphere(2), start=np.ones(3))
