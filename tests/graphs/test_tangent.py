import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holonomy._core.parallel import threads
from holonomy.graphs import NeighborGraph, tangent_spaces


def sphere(n, d=3, seed=0):
    points = np.random.default_rng(seed).normal(size=(n, d))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def projectors(bases):
    return bases @ bases.transpose(0, 2, 1)


def test_sphere_has_its_normals(knn):
    errors = []
    for n in (1000, 8000):
        points = sphere(n)
        spaces = tangent_spaces(points, knn(points, 14), dim=2)
        assert spaces.bases.shape == (n, 3, 2)
        errors.append(np.abs(np.einsum("nd,ndm->nm", points, spaces.bases)).max())
    # A cap of radius r is flat up to r^2, which falls like 1 / n; one-sided neighbourhoods lean by r.
    assert errors[0] < 0.15
    assert errors[1] < errors[0] / 2


def test_dimension_of_each_point_is_found(knn):
    rng = np.random.default_rng(0)
    line = np.column_stack([np.linspace(5, 6, 60), *np.zeros((3, 60))])
    plane = np.column_stack([rng.random((60, 2)), *np.zeros((2, 60))])
    solid = np.column_stack([rng.random((200, 3)) - 5, np.zeros(200)])
    same = np.full((20, 4), 9.0)
    points = np.vstack([line, plane, solid, same])
    spaces = tangent_spaces(points, knn(points, 12))
    np.testing.assert_array_equal(spaces.dims[:60], 1)
    np.testing.assert_array_equal(spaces.dims[60:120], 2)
    assert np.median(spaces.dims[120:320]) == 3
    np.testing.assert_array_equal(spaces.dims[320:], 0)
    assert spaces.bases.shape == (340, 4, 3)
    assert (spaces.bases[320:] == 0).all()
    assert (spaces.bases[:60, :, 1:] == 0).all()
    np.testing.assert_allclose(np.abs(spaces.bases[:60, 0, 0]), 1)


@pytest.mark.parametrize("d", [4, 40])
@pytest.mark.parametrize("weights", ["uniform", "gaussian"])
def test_equals_the_singular_value_decomposition(knn, d, weights):
    points = np.random.default_rng(1).normal(size=(50, d)) * np.linspace(1, 3, d)
    graph = knn(points, 10)
    spaces = tangent_spaces(points, graph, dim=3, weights=weights)
    for i in range(50):
        distances = np.concatenate([[0], graph.distances[i].astype(float)])
        shares = np.ones(11) if weights == "uniform" else np.exp(-0.5 * (distances / distances[1:][4]) ** 2)
        shares /= shares.sum()
        cloud = points[np.concatenate([[i], graph.indices[i]])]
        _, s, axes = np.linalg.svd((cloud - shares @ cloud) * np.sqrt(shares)[:, None])
        np.testing.assert_allclose(spaces.variances[i], s[: min(10, d)] ** 2, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(projectors(spaces.bases)[i], axes[:3].T @ axes[:3], atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(2, 25), shift=st.sampled_from([0.0, 1e6]))
def test_rotating_and_moving_the_points_rotates_the_spaces(seed, d, shift):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(30, d))
    indices = np.argsort(rng.random((30, 30)) + 9 * np.eye(30), axis=1)[:, :8]
    graph = NeighborGraph(indices, np.ones((30, 8)))
    rotation = np.linalg.qr(rng.normal(size=(d, d)))[0]
    plain = tangent_spaces(points, graph, dim=2)
    turned = tangent_spaces(points @ rotation.T + shift, graph, dim=2)
    np.testing.assert_allclose(turned.variances, plain.variances, atol=1e-7)
    gaps = plain.variances[:, 1] - (plain.variances[:, 2] if plain.variances.shape[1] > 2 else 0)
    clear = gaps > 0.05
    expected = rotation @ projectors(plain.bases) @ rotation.T
    np.testing.assert_allclose(projectors(turned.bases)[clear], expected[clear], atol=1e-6)


@pytest.mark.parametrize("d", [3, 60])
def test_frames_are_orthonormal_and_oriented_even_where_data_spans_less(knn, d):
    points = np.zeros((40, d))
    points[:, 0] = np.arange(40)
    points[:, 1] = 1e-7 * np.arange(40) ** 2
    points[30:] = points[30]
    spaces = tangent_spaces(points, knn(points, 5), dim=3)
    np.testing.assert_allclose(
        spaces.bases.transpose(0, 2, 1) @ spaces.bases, np.tile(np.eye(3), (40, 1, 1)), atol=1e-9
    )
    np.testing.assert_array_equal(spaces.dims, 3)
    largest = np.abs(spaces.bases).argmax(axis=1)[:, None]
    assert (np.take_along_axis(spaces.bases, largest, axis=1) > 0).all()


def test_missing_neighbours_are_left_out(knn):
    points = sphere(300)
    graph = knn(points, 12)
    distances = graph.distances.copy()
    distances[:, 8:] = np.inf
    cut = NeighborGraph(graph.indices, distances)
    for weights in ("uniform", "gaussian"):
        expected = tangent_spaces(points, graph.truncated(8), dim=2, weights=weights)
        found = tangent_spaces(points, cut, dim=2, weights=weights)
        np.testing.assert_allclose(projectors(found.bases), projectors(expected.bases), atol=1e-9)


def test_gaussian_weights_with_mostly_duplicates(knn):
    points = np.vstack([np.zeros((8, 2)), [[1.0, 0.0], [0.0, 2.0]]])
    spaces = tangent_spaces(points, knn(points, 9), dim=1, weights="gaussian")
    assert np.isfinite(spaces.bases).all()
    np.testing.assert_array_equal(spaces.variances[0], 0)


def test_precision_of_the_points_is_kept(knn):
    points = sphere(100).astype(np.float32)
    spaces = tangent_spaces(points, knn(points, 8), dim=2)
    assert spaces.bases.dtype == np.float32
    assert spaces.variances.dtype == np.float64


def test_same_bits_for_any_number_of_threads(knn, monkeypatch):
    monkeypatch.setattr("holonomy.graphs.tangent.CHUNK_BYTES", 8 * 20 * 13 * 64)
    points = sphere(600, d=20)
    graph = knn(points, 12)
    results = []
    for count in (1, 2):
        with threads(count):
            results.append(tangent_spaces(points, graph).bases.tobytes())
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dim": 4}, ValueError, r"dim must be in \[1, 3\]"),
        ({"dim": 0}, ValueError, "dim must be in"),
        ({"dim": 1.5}, TypeError, "dim must be an integer"),
        ({"explained": 0.0}, ValueError, "explained must be positive"),
        ({"explained": 1.1}, ValueError, "explained must be in"),
        ({"weights": "tricube"}, ValueError, "weights must be one of"),
        ({"X": sphere(10)}, ValueError, "X must hold the 40 points of graph, got 10"),
        ({"X": np.full((40, 3), np.nan)}, ValueError, "NaN"),
        ({"graph": sphere(40)}, TypeError, "graph must be a NeighborGraph"),
    ],
)
def test_bad_input(knn, change, error, message):
    points = sphere(40)
    with pytest.raises(error, match=message):
        tangent_spaces(**{"X": points, "graph": knn(points, 6), **change})
