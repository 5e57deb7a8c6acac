"""Trustworthiness, continuity and neighbour recall."""

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn import manifold

from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure import Estimate, continuity, neighbor_recall, trustworthiness

MEASURES = [trustworthiness, continuity, neighbor_recall]


@pytest.fixture(scope="module")
def data():
    return np.random.default_rng(0).normal(size=(400, 6))


@pytest.fixture(scope="module")
def image(data):
    return data[:, :2] + 0.2 * np.random.default_rng(1).normal(size=(400, 2))


@pytest.mark.parametrize("k", [1, 7, 60])
def test_equal_scikit_learn_on_generic_data(data, image, k):
    assert trustworthiness(data, image, k) == pytest.approx(
        manifold.trustworthiness(data, image, n_neighbors=k), abs=1e-12
    )
    assert continuity(data, image, k) == pytest.approx(manifold.trustworthiness(image, data, n_neighbors=k), abs=1e-12)


@pytest.mark.parametrize("metric", ["cosine", "manhattan"])
def test_equal_scikit_learn_under_other_metrics(data, image, metric):
    expected = manifold.trustworthiness(data, image, n_neighbors=5, metric=metric)
    assert trustworthiness(data, image, 5, metric=metric) == pytest.approx(expected, abs=1e-12)


def test_precomputed_distances_and_sparse_points_say_the_same(data, image):
    expected = trustworthiness(data, image)
    assert trustworthiness(cdist(data, data), image, metric="precomputed") == pytest.approx(expected, abs=1e-12)
    assert trustworthiness(sparse.csr_array(data), image) == pytest.approx(expected, abs=1e-12)
    assert neighbor_recall(cdist(data, data), image, metric="precomputed") == neighbor_recall(data, image)


def test_single_precision_input_is_measured_without_loss(data, image):
    shifted = (data + 1000).astype(np.float32)
    expected = manifold.trustworthiness(shifted.astype(float) - 1000, image, n_neighbors=5)
    assert trustworthiness(shifted, image, 5) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_similar_map_is_perfect(measure, data):
    assert measure(data, 3 - 2 * data) == 1.0
    np.testing.assert_array_equal(measure(data, 3 - 2 * data, per_point=True), 1.0)


def test_the_worst_map_has_zero():
    """On a line folded so that neighbours in the map are the farthest points in the data."""
    distances = np.array([[0, 1, 2, 3], [1, 0, 2, 3], [1, 2, 0, 3], [1, 2, 3, 0]], dtype=float)
    farthest = NeighborGraph(np.array([[3], [3], [3], [2]]), np.ones((4, 1)))
    points = np.zeros((4, 1))
    assert trustworthiness(distances, points, 1, metric="precomputed", map_graph=farthest) == 0.0


def test_a_random_map_is_at_chance(data):
    noise = np.random.default_rng(2).normal(size=(400, 2))
    assert trustworthiness(data, noise) == pytest.approx(0.5, abs=0.03)
    assert neighbor_recall(data, noise) == pytest.approx(10 / 399, abs=0.01)


def test_a_tear_costs_continuity_and_a_fold_costs_trust():
    t = np.linspace(0, 1, 200)
    circle = np.c_[np.cos(2 * np.pi * t[:-1]), np.sin(2 * np.pi * t[:-1])]
    torn = t[:-1, None]
    assert continuity(circle, torn) < trustworthiness(circle, torn)
    folded = circle[:, :1]
    assert trustworthiness(circle, folded) < continuity(circle, folded)


@pytest.mark.parametrize("measure", MEASURES)
def test_per_point_values_average_to_the_value(measure, data, image):
    values = measure(data, image, per_point=True)
    assert values.shape == (400,)
    assert np.all((values >= 0) & (values <= 1))
    assert values.mean() == pytest.approx(measure(data, image), abs=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_given_graphs_change_nothing(measure, data, image):
    graph, map_graph = neighbors(data, 12), neighbors(image, 15)
    assert measure(data, image, graph=graph, map_graph=map_graph) == measure(data, image)


def test_graphs_stand_in_for_points(data, image):
    graph, map_graph = neighbors(data, 12), neighbors(image, 12)
    assert continuity(None, image, graph=graph) == continuity(data, image)
    assert neighbor_recall(None, None, graph=graph, map_graph=map_graph) == neighbor_recall(data, image)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_subsample_gives_an_interval_around_the_value(measure, data, image):
    estimate = measure(data, image, subsample=150, random_state=3)
    assert isinstance(estimate, Estimate)
    assert estimate.n == 150
    assert estimate.low <= measure(data, image) <= estimate.high
    assert estimate == measure(data, image, subsample=150, random_state=3, n_jobs=1)
    assert estimate != measure(data, image, subsample=150, random_state=4)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_subsample_of_everything_is_exact(measure, data, image):
    estimate = measure(data, image, subsample=1000)
    assert estimate.low == estimate.high == pytest.approx(measure(data, image))


def test_the_subsample_is_measured_exactly(data, image):
    values = trustworthiness(data, image, per_point=True)
    estimates = [float(trustworthiness(data, image, subsample=60, random_state=seed)) for seed in range(20)]
    assert np.mean(estimates) == pytest.approx(values.mean(), abs=3 * values.std() / np.sqrt(60 * 20))


@pytest.mark.parametrize("measure", [trustworthiness, continuity])
def test_estimated_ranks_are_close_and_unbiased_for_every_point(measure, data, image):
    exact = measure(data, image, per_point=True)
    estimated = measure(data, image, per_point=True, subsample=100, graph=neighbors(data, 10))
    assert estimated.shape == (400,)
    assert np.sqrt(np.mean((estimated - exact) ** 2)) < 1 / np.sqrt(4 * 100)
    over_seeds = [measure(data, image, per_point=True, subsample=100, random_state=seed).mean() for seed in range(8)]
    assert np.mean(over_seeds) == pytest.approx(exact.mean(), abs=0.01)
    np.testing.assert_array_equal(measure(data, image, per_point=True, subsample=400), exact)


def test_repeated_rows_are_neighbours_by_index():
    points = np.repeat(np.random.default_rng(5).normal(size=(20, 3)), 3, axis=0)
    assert trustworthiness(points, points, 2) == 1.0
    assert trustworthiness(np.ones((12, 3)), np.ones((12, 2)), 3) == 1.0


def test_recall_counts_shared_neighbours():
    graph = NeighborGraph(np.array([[1, 2], [0, 2], [3, 1], [2, 1]]), np.ones((4, 2)))
    map_graph = NeighborGraph(np.array([[1, 2], [3, 2], [0, 1], [0, 1]]), np.ones((4, 2)))
    values = neighbor_recall(None, None, 2, graph=graph, map_graph=map_graph, per_point=True)
    np.testing.assert_array_equal(values, [1.0, 0.5, 0.5, 0.5])


def test_recall_in_blocks(monkeypatch, data, image):
    whole = neighbor_recall(data, image)
    monkeypatch.setattr("holonomy.measure._inputs.EQUALITY_ENTRIES", 1)
    assert neighbor_recall(data, image) == whole


@pytest.mark.parametrize("measure", MEASURES)
class TestBadInput:
    def test_nan(self, measure, data, image):
        broken = data.copy()
        broken[3, 1] = np.nan
        with pytest.raises(ValueError, match="X contains NaN"):
            measure(broken, image)
        with pytest.raises(ValueError, match="Z contains NaN"):
            measure(data, broken)

    def test_rows_differ(self, measure, data, image):
        with pytest.raises(ValueError, match="same points, got 400 and 399 rows"):
            measure(data, image[:-1])

    def test_text(self, measure, image):
        with pytest.raises(ValueError, match="string"):
            measure([["a"], ["b"]], image)

    def test_one_row(self, measure):
        with pytest.raises(ValueError, match="n_neighbors"):
            measure(np.ones((1, 3)), np.ones((1, 2)), 1)

    def test_too_many_neighbours(self, measure, data, image):
        with pytest.raises(ValueError, match="n_neighbors must be"):
            measure(data[:10], image[:10], 10)

    def test_not_an_integer(self, measure, data, image):
        with pytest.raises(TypeError, match="n_neighbors must be an integer"):
            measure(data, image, 5.0)

    def test_a_graph_with_too_few_neighbours(self, measure, data, image):
        few = neighbors(data, 3)
        with pytest.raises(ValueError, match="must hold 10 neighbours"):
            measure(data, image, graph=few, map_graph=few, per_point=True, subsample=None)

    def test_a_graph_of_other_points(self, measure, data, image):
        other = neighbors(data[:50], 10)
        with pytest.raises(ValueError, match="describe the same points"):
            measure(data, image, graph=other, map_graph=other)

    def test_no_graph(self, measure, data, image):
        with pytest.raises(TypeError, match="must be a NeighborGraph"):
            measure(data, image, graph="knn", map_graph="knn")

    def test_a_subsample_too_small_for_an_interval(self, measure, data, image):
        with pytest.raises(ValueError, match="subsample must be at least 30"):
            measure(data, image, subsample=5)

    def test_an_unknown_metric(self, measure, data, image):
        with pytest.raises(ValueError, match="metric"):
            measure(data, image, metric="euclidian")

    def test_precomputed_distances_must_be_square(self, measure, data, image):
        with pytest.raises(ValueError, match="square"):
            measure(data, image, metric="precomputed")


def test_half_of_the_points_are_no_neighbourhood(data, image):
    with pytest.raises(ValueError, match="less than half the number of points"):
        trustworthiness(data[:20], image[:20], 10)


def test_recall_of_every_point_needs_no_sample(data, image):
    with pytest.raises(ValueError, match="either per_point or subsample"):
        neighbor_recall(data, image, per_point=True, subsample=50)


def test_missing_neighbours_in_a_graph(data, image):
    graph = neighbors(data, 10)
    distances = graph.distances.copy()
    distances[4, 9] = np.inf
    with pytest.raises(ValueError, match="10 neighbours of every point"):
        continuity(data, image, graph=NeighborGraph(graph.indices, distances))


def test_inputs_are_left_alone(data, image):
    data_before, image_before = data.copy(), image.copy()
    trustworthiness(data, image, metric="cosine")
    trustworthiness(data, image)
    np.testing.assert_array_equal(data, data_before)
    np.testing.assert_array_equal(image, image_before)
