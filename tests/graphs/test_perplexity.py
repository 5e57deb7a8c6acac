import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.manifold._utils import _binary_search_perplexity

from holonomy._core.parallel import threads
from holonomy.graphs import NeighborGraph, entropic
from holonomy.graphs.perplexity import _fill_rows


def conditional(distances, perplexity):
    """The conditional distributions of rows of distances."""
    result = np.empty(distances.shape)
    _fill_rows(distances.astype(np.float32), np.log(perplexity), result, 0, len(distances))
    return result


def entropies(p):
    return -np.sum(p * np.log(np.where(p > 0, p, 1)), axis=1)


@pytest.mark.parametrize("perplexity", [2.0, 10.0, 25.5])
def test_equals_scikit_learn(knn, cloud, perplexity):
    graph = knn(cloud, 40)
    rows = _binary_search_perplexity(graph.distances**2, perplexity, 0)
    expected = np.zeros((300, 300))
    np.put_along_axis(expected, graph.indices.astype(int), rows, axis=1)
    np.testing.assert_allclose(entropic(graph, perplexity).toarray(), (expected + expected.T) / 600, atol=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(2, 60),
    share=st.floats(0.02, 0.98),
    power=st.integers(-15, 15),
    spread=st.floats(0.1, 6.0),
)
def test_every_row_has_the_perplexity_asked_for(seed, k, share, power, spread):
    rng = np.random.default_rng(seed)
    distances = np.sort(np.exp(spread * rng.normal(size=(10, k))), axis=1) * 10.0**power
    perplexity = 1 + share * (k - 1)
    p = conditional(distances, perplexity)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    np.testing.assert_allclose(np.exp(entropies(p)), perplexity, rtol=1e-8)
    assert (np.diff(p, axis=1) <= 1e-15).all()


def test_extreme_perplexities(knn, cloud):
    distances = knn(cloud, 8).distances
    np.testing.assert_allclose(conditional(distances, 8.0), 1 / 8)
    np.testing.assert_array_equal(conditional(distances, 1.0), np.eye(8)[[0] * 300])


def test_more_neighbours_at_the_smallest_distance_than_the_perplexity():
    distances = np.array([[0, 0, 0, 0, 1, 2], [3, 3, 3, 3, 3, 3]])
    np.testing.assert_allclose(conditional(distances, 3.0), [[0.25] * 4 + [0, 0], [1 / 6] * 6])


def test_joint_distribution(knn, cloud):
    graph = knn(cloud, 30)
    joint = entropic(graph, 10)
    assert joint.sum() == pytest.approx(1.0)
    assert (joint != joint.T).nnz == 0
    assert joint.diagonal().max() == 0
    assert joint.has_canonical_format
    assert joint.sum(axis=1).min() >= 0.5 / 300 - 1e-15


def test_scaling_and_permuting_the_points(knn, cloud):
    graph = knn(cloud, 30)
    expected = entropic(graph, 10).toarray()
    scaled = NeighborGraph(graph.indices, graph.distances * np.float32(2.0**-30))
    np.testing.assert_allclose(entropic(scaled, 10).toarray(), expected, rtol=1e-9)
    order = np.random.default_rng(0).permutation(len(cloud))
    permuted = NeighborGraph(np.argsort(order)[graph.indices[order]], graph.distances[order])
    np.testing.assert_array_equal(entropic(permuted, 10).toarray(), expected[np.ix_(order, order)])


def test_same_bits_for_any_number_of_threads(knn):
    graph = knn(np.random.default_rng(3).normal(size=(5000, 2)), 12)
    results = []
    for count in (1, 2):
        with threads(count):
            results.append(entropic(graph, 5).data.tobytes())
    assert results[0] == results[1]


def test_missing_neighbours_are_left_out(knn, cloud):
    graph = knn(cloud, 12)
    distances = graph.distances.copy()
    distances[:, 10:] = np.inf
    expected = entropic(graph.truncated(10), 5)
    assert abs(entropic(NeighborGraph(graph.indices, distances), 5) - expected).max() < 1e-15


def test_bad_input(knn, cloud):
    graph = knn(cloud, 12)
    with pytest.raises(ValueError, match=r"at most the number of neighbours .* which is 12 .* got 30"):
        entropic(graph)
    with pytest.raises(ValueError, match="perplexity must be at least 1"):
        entropic(graph, 0.5)
    with pytest.raises(TypeError, match="NeighborGraph"):
        entropic(cloud, 5)
    distances = graph.distances.copy()
    distances[0, 3:] = np.inf
    with pytest.raises(ValueError, match="which is 3 for some point"):
        entropic(NeighborGraph(graph.indices, distances), 5)
