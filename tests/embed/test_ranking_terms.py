"""Distances, gradients and steps of the compiled spaces, against the manifolds and automatic differentiation."""

import numpy as np
import pytest
import torch

from holonomy.embed import _ranking_terms as terms
from holonomy.manifolds import Euclidean, Hyperboloid, PoincareBall

SPACES = [terms.BALL, terms.HYPERBOLOID, terms.FLAT]
DIM = 3


def places_of(space, n, seed, reach=0.95):
    ball = np.random.default_rng(seed).normal(size=(n, DIM))
    ball *= (np.random.default_rng(seed + 1).random((n, 1)) * reach) / np.linalg.norm(ball, axis=1, keepdims=True)
    return ball * 2 / (1 - (ball**2).sum(1, keepdims=True)) if space == terms.HYPERBOLOID else ball


def manifold_of(space, scale):
    if space == terms.FLAT:
        return Euclidean(DIM)
    return (PoincareBall if space == terms.BALL else Hyperboloid)(DIM, curvature=-1.0 / scale**2)


def points_of(space, places, scale):
    scaled = torch.from_numpy(places * scale)
    return manifold_of(space, scale).project(torch.cat([torch.zeros(len(places), 1), scaled], 1)) if (
        space == terms.HYPERBOLOID
    ) else scaled  # fmt: skip


def filled(space, places, scale, source, targets, dtype=np.float64):
    count = len(targets)
    places = places.astype(dtype)
    buffer = dtype if space == terms.BALL else np.float64
    aux = np.zeros((terms.N_AUX[space], len(places)), dtype=buffer)
    terms.refresh(space, places, aux, 0, len(places))
    steps, arrays = np.zeros((DIM, count), dtype=buffer), [np.zeros(count, dtype=buffer) for _ in range(5)]
    terms.fill_terms(space, places, aux, scale, source, targets.astype(np.uint32), count, steps, *arrays)
    return steps, arrays


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("scale", [1.0, 0.7])
def test_distances_and_gradients_are_those_of_the_manifold(space, scale):
    if space == terms.FLAT:
        scale = 1.0
    places = places_of(space, 12, 0)
    targets = np.arange(1, 12)
    steps, (near, own_h, own_e, their_h, their_e) = filled(space, places, scale, 0, targets)
    manifold = manifold_of(space, scale)
    points = points_of(space, places, scale).requires_grad_()
    distances = manifold.dist(points[:1], points[1:])
    np.testing.assert_allclose(-np.log(near), distances.detach(), rtol=1e-10)
    for k in range(11):
        (slope,) = torch.autograd.grad(distances[k], points, retain_graph=True)
        gradient = manifold.egrad_to_rgrad(points, slope).detach().numpy()[:, -DIM:] / scale
        np.testing.assert_allclose(own_h[k] * steps[:, k] + own_e[k] * places[0], gradient[0], rtol=1e-8, atol=1e-10)
        theirs = -their_h[k] * steps[:, k] + their_e[k] * places[k + 1]
        np.testing.assert_allclose(theirs, gradient[k + 1], rtol=1e-8, atol=1e-10)


def test_squared_distances_have_their_gradient():
    places = places_of(terms.FLAT, 4, 0)
    steps, (near, own_h, own_e, their_h, _) = filled(terms.SQUARED, places, 1.0, 0, np.arange(1, 4))
    gaps = places[0] - places[1:]
    np.testing.assert_allclose(-np.log(near), (gaps**2).sum(1))
    np.testing.assert_allclose(own_h * steps, 2 * gaps.T)
    np.testing.assert_array_equal(own_h, their_h)
    assert not own_e.any()


@pytest.mark.parametrize("space", [terms.BALL, terms.HYPERBOLOID])
def test_near_points_far_out_keep_their_distance_in_single_precision(space):
    """Two points at radius 7, 0.02 apart."""
    angle = 0.02 / np.sinh(7.0)
    radius = np.sinh(7.0) if space == terms.HYPERBOLOID else np.tanh(3.5)
    places = (radius * np.array([[1.0, 0, 0], [np.cos(angle), np.sin(angle), 0]])).astype(np.float32)
    exact = places.astype(np.float64)
    _, (near, *_) = filled(space, places, 1.0, 0, np.array([1]), np.float32)
    points = points_of(space, exact, 1.0)
    expected = float(manifold_of(space, 1.0).dist(points[0], points[1]))
    # exp(-d) in single precision is right to 1e-7; in the ball 1 - |x|^2 of rounded coordinates counts.
    assert -np.log(float(near[0])) == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("space", [*SPACES, terms.SQUARED])
def test_coincident_points_have_no_direction(space):
    places = np.array([[0.3, 0.2, 0.1], [0.3, 0.2, 0.1], [0.0, 0.0, 0.0]])
    steps, arrays = filled(space, places, 1.0, 0, np.array([1]))
    assert arrays[0][0] == 1.0
    assert not (arrays[1] * steps).any()
    assert np.isfinite(arrays).all()
    _, arrays = filled(space, places * 0, 1.0, 2, np.array([0, 1]))
    assert np.isfinite(arrays).all()


@pytest.mark.parametrize("space", SPACES)
def test_moves_follow_geodesics(space):
    places = places_of(space, 40, 3)
    manifold = manifold_of(space, 1.0)
    points = points_of(space, places, 1.0)
    tangents = manifold.random_tangent(points, 0)
    moved = manifold.exp(points, -0.4 * tangents).numpy()[:, -DIM:]
    for place, tangent, expected in zip(places.copy(), tangents.numpy()[:, -DIM:], moved, strict=True):
        alpha = 1 - place @ place
        terms.move(space, place, alpha, tangent.copy(), 0.4, 1e-12, False)
        np.testing.assert_allclose(place, expected, rtol=1e-9, atol=1e-10)


def test_straight_moves_and_the_boundary():
    place = np.array([0.6, 0.0, 0.0])
    terms.move(terms.BALL, place, 0.64, np.array([-1.0, 1.0, 0.0]), 0.1, 1e-5, True)
    np.testing.assert_allclose(place, [0.7, -0.1, 0.0])
    assert terms.move(terms.BALL, place, 0.5, np.array([-100.0, 0.0, 0.0]), 1.0, 1e-5, False)
    assert np.linalg.norm(place) == pytest.approx(1 - 1e-5)
    still = np.array([0.6, 0.0, 0.0])
    assert not terms.move(terms.BALL, still, 0.64, np.zeros(3), 0.1, 1e-5, False)
    np.testing.assert_array_equal(still, [0.6, 0.0, 0.0])
