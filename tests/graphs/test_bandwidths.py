import numpy as np
import pytest

from holonomy.graphs import NeighborGraph, slope_bandwidth


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_slope_is_the_dimension(knn, dim):
    points = np.random.default_rng(0).uniform(size=(700, dim))
    found = slope_bandwidth(knn(points, 699))
    assert found.dimension == pytest.approx(dim, rel=0.2)
    assert 700 ** (-1 / dim) / 3 < found.value < 1


def test_is_where_the_logarithmic_slope_is_largest(knn, cloud):
    graph = knn(cloud, 40)
    found = slope_bandwidth(graph)

    def total(bandwidth):
        return np.log(300 + np.exp(-0.5 * (graph.distances.astype(float) / bandwidth) ** 2).sum())

    def slope(bandwidth, h=1e-4):
        return (total(bandwidth * np.exp(h)) - total(bandwidth * np.exp(-h))) / (2 * h)

    assert found.dimension == pytest.approx(slope(found.value), rel=1e-6)
    assert found.dimension >= max(slope(found.value * factor) for factor in (0.25, 0.5, 0.9, 1.1, 2, 4)) - 1e-9


def test_scales_with_the_distances(knn, cloud):
    graph = knn(cloud, 20)
    one = slope_bandwidth(graph)
    two = slope_bandwidth(NeighborGraph(graph.indices, 1e-3 * graph.distances))
    assert two.value == pytest.approx(1e-3 * one.value, rel=1e-3)
    assert two.dimension == pytest.approx(one.dimension, rel=1e-5)


def test_duplicates_and_missing_neighbours():
    ones = NeighborGraph(np.array([[1], [0]]), np.zeros((2, 1)))
    assert (slope_bandwidth(ones).value, slope_bandwidth(ones).dimension) == (1.0, 0.0)
    missing = NeighborGraph(np.array([[1, 2], [0, 2], [0, 1]]), np.array([[1, np.inf]] * 3))
    assert np.isfinite(slope_bandwidth(missing).value)


def test_bad_input():
    with pytest.raises(TypeError, match="graph must be a NeighborGraph"):
        slope_bandwidth(np.ones((3, 3)))
