"""The Riemannian metric of a map."""

import numpy as np
import pytest

from holonomy.graphs import NeighborGraph, gaussian, neighbors
from holonomy.measure import map_metric


@pytest.fixture(scope="module")
def square():
    return np.random.default_rng(0).random((3000, 2))


@pytest.fixture(scope="module")
def graph(square):
    return neighbors(square, 15)


def sphere(n):
    X = np.random.default_rng(0).normal(size=(n, 3))
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def test_a_linear_map_has_its_own_metric_everywhere(square, graph):
    A = np.array([[2.0, 0.5], [-1.0, 0.7]])
    found = map_metric(square @ A, graph, dimension=2)
    np.testing.assert_allclose(np.median(found.dual, axis=0), A.T @ A, rtol=0.05, atol=0.03)
    singular = np.linalg.svd(A, compute_uv=False)
    np.testing.assert_allclose(np.median(found.stretches, axis=0), singular, rtol=0.15)
    assert found.scale == pytest.approx(np.sqrt(abs(np.linalg.det(A))), rel=0.03)
    assert np.median(found.anisotropy) == pytest.approx(singular[0] / singular[1], rel=0.1)
    main = np.linalg.svd(A)[2][0]
    assert np.median(np.abs(found.directions[:, :, 0] @ main)) > 0.99


def test_metric_and_dual_are_inverse(square, graph):
    found = map_metric(square * [3, 1], graph, dimension=2)
    np.testing.assert_allclose(found.metric @ found.dual, np.broadcast_to(np.eye(2), (3000, 2, 2)), atol=1e-8)


def test_stereographic_projection_stretches_by_its_conformal_factor():
    X = sphere(4000)
    X = X[X[:, 2] < 0.8]
    Z = X[:, :2] / (1 - X[:, 2:])
    found = map_metric(Z, neighbors(X, 15), dimension=2)
    factor = (1 + np.square(Z).sum(axis=1)) / 2
    ratio = np.sqrt(found.stretches.prod(axis=1)) / factor
    inside = X[:, 2] < 0.6
    assert np.median(ratio[inside]) == pytest.approx(1, abs=0.05)
    assert np.std(np.log(ratio[inside])) < 0.15
    assert np.corrcoef(found.expansion[inside], np.log2(factor[inside]))[0, 1] > 0.95


def test_an_isometric_unrolling_distorts_little_and_a_projection_much():
    rng = np.random.default_rng(0)
    t, h = rng.uniform(0, 6, 3000), 4 * rng.random(3000)
    X = np.c_[np.cos(t), np.sin(t), h]
    graph = neighbors(X, 15)
    unrolled, projected = map_metric(np.c_[t, h], graph, dimension=2), map_metric(X[:, 1:], graph, dimension=2)
    assert np.median(unrolled.distortion) < 0.2
    np.testing.assert_allclose(np.median(unrolled.stretches, axis=0), 1, atol=0.15)
    at_fold = np.abs(np.sin(t)) > 0.98
    assert np.median(projected.anisotropy[at_fold]) > 3 * np.median(unrolled.anisotropy)


def test_density_changes_nothing(square):
    dense = square[np.random.default_rng(1).random(3000) < square[:, 0] ** 2]
    found = map_metric(dense * [1, 2], neighbors(dense, 15), dimension=2)
    np.testing.assert_allclose(np.median(found.stretches, axis=0), [2, 1], rtol=0.1)
    assert abs(np.corrcoef(found.expansion, dense[:, 0])[0, 1]) < 0.15


def test_a_cut_is_torn_and_nothing_else():
    t = np.sort(np.random.default_rng(0).uniform(0, 2 * np.pi, 600))
    X = np.c_[np.cos(t), np.sin(t)]
    torn = map_metric(t[:, None], neighbors(X, 8), dimension=1).torn
    ends = (t < 0.01) | (t > 2 * np.pi - 0.01)
    assert (torn[ends] > 0).all()
    assert (torn[(t > 0.2) & (t < 6)] == 0).all()
    assert (map_metric(X, neighbors(X, 8), dimension=1).torn == 0).all()


def test_directions_beyond_the_data_have_no_stretch():
    t = np.random.default_rng(0).uniform(0, 6, 400)
    found = map_metric(np.c_[t, np.sin(t)], neighbors(t[:, None], 10), dimension=1)
    assert found.rank == 1
    assert (found.stretches[:, 1] == 0).all()
    np.testing.assert_allclose(np.median(found.stretches[:, 0] / np.hypot(1, np.cos(t))), 1, atol=0.05)
    assert np.isfinite(found.metric).all()


def test_turning_the_map_turns_the_ellipses(square, graph):
    angle = 0.4
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    one = map_metric(square * [3, 1], graph, dimension=2)
    other = map_metric(square * [3, 1] @ turn, graph, dimension=2)
    np.testing.assert_allclose(other.stretches, one.stretches, rtol=1e-6)
    widths, heights, angles = one.ellipses(0.5)
    np.testing.assert_allclose(widths, one.stretches[:, 0])
    np.testing.assert_allclose(heights, one.stretches[:, 1])
    turned = other.ellipses()[2]
    difference = (turned - angles - np.degrees(angle) + 90) % 180 - 90
    assert np.median(np.abs(difference)) < 1e-6
    assert np.median(np.minimum(angles, 180 - angles)) < 10


def test_units(square, graph):
    one, other = map_metric(square, graph, dimension=2), map_metric(100 * square, graph, dimension=2)
    assert other.scale == pytest.approx(100 * one.scale)
    np.testing.assert_allclose(other.distortion, one.distortion)


def test_squared_metrics_are_turned_into_lengths():
    X = sphere(2000)
    one = map_metric(X, neighbors(X, 12), dimension=2)
    other = map_metric(X, neighbors(X, 12, metric="sqeuclidean"), dimension=2)
    np.testing.assert_allclose(other.scale, one.scale, rtol=0.05)


def test_given_weights_and_the_estimated_dimension(square, graph):
    found = map_metric(square, graph, affinity=gaussian(graph))
    assert found.dimension == 2
    assert np.median(found.distortion) < 0.2
    assert "typical stretch" in found._repr_html_()
    assert found.__rich__().row_count == 6


def test_repeated_rows_are_not_told():
    X = np.r_[np.zeros((10, 2)), np.random.default_rng(0).random((50, 2)) + 5]
    found = map_metric(X, neighbors(X, 4), dimension=2)
    assert np.isnan(found.stretches[:10]).all()
    assert np.isfinite(found.scale)


def test_bad_input(square, graph):
    with pytest.raises(ValueError, match="Z contains NaN"):
        map_metric(np.full((3000, 2), np.nan), graph)
    with pytest.raises(ValueError, match="same points, got 2999 and 3000"):
        map_metric(square[1:], graph)
    with pytest.raises(TypeError, match="graph must be a NeighborGraph"):
        map_metric(square, "graph")
    with pytest.raises(ValueError, match="dimension must be at least 1"):
        map_metric(square, graph, dimension=0)
    with pytest.raises(ValueError, match="weights on edges of graph only"):
        map_metric(square, graph, affinity=gaussian(neighbors(square, 30)), dimension=2)
    with pytest.raises(ValueError, match="two dimensions"):
        map_metric(square[:, :1], graph, dimension=1).ellipses()
    with pytest.raises(ValueError, match="measures no lengths"):
        map_metric(np.eye(2), NeighborGraph([[1], [0]], [[1.0], [1.0]], "inner_product"))
