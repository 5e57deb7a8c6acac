"""Correlation of distances, and stress."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist, pdist

from holonomy.graphs import NeighborGraph, geodesics, neighbors
from holonomy.measure import Estimate, normalized_stress, shepard_correlation

MEASURES = [shepard_correlation, normalized_stress]


@pytest.fixture(scope="module")
def data():
    return np.random.default_rng(0).normal(size=(120, 5))


@pytest.fixture(scope="module")
def image(data):
    return data[:, :2] + 0.2 * np.random.default_rng(1).normal(size=(120, 2))


def test_correlations_equal_scipy(data, image):
    d, e = pdist(data), pdist(image)
    assert shepard_correlation(data, image) == pytest.approx(stats.spearmanr(d, e)[0], abs=1e-12)
    assert shepard_correlation(data, image, method="pearson") == pytest.approx(stats.pearsonr(d, e)[0], abs=1e-12)
    other = shepard_correlation(data, image, metric="manhattan")
    assert other == pytest.approx(stats.spearmanr(pdist(data, "cityblock"), e)[0], abs=1e-12)


def test_per_point_correlations_equal_scipy(data, image):
    d, e = cdist(data, data), cdist(image, image)
    expected = [stats.spearmanr(np.delete(d[i], i), np.delete(e[i], i))[0] for i in range(len(data))]
    np.testing.assert_allclose(shepard_correlation(data, image, per_point=True), expected, atol=1e-12)


def test_geodesic_distances_run_along_the_graph():
    t = np.linspace(0, 1.8 * np.pi, 80)
    arc = np.c_[np.cos(t), np.sin(t)]
    graph = neighbors(arc, 2)
    assert shepard_correlation(arc, t[:, None], geodesic=True, graph=graph) == pytest.approx(1.0, abs=1e-3)
    assert shepard_correlation(None, t[:, None], geodesic=True, graph=graph) == pytest.approx(1.0, abs=1e-3)
    assert normalized_stress(arc, t[:, None], geodesic=True, graph=graph) < 1e-3
    assert shepard_correlation(arc, t[:, None]) < 0.9
    along = geodesics(graph)
    expected = stats.pearsonr(along[np.triu_indices(80, 1)], pdist(arc))[0]
    assert shepard_correlation(arc, arc, method="pearson", geodesic=True, graph=graph) == pytest.approx(expected)
    whole = shepard_correlation(arc, arc, geodesic=True, graph=graph, per_point=True)
    some = shepard_correlation(arc, arc, geodesic=True, graph=graph, per_point=True, subsample=79)
    np.testing.assert_allclose(some, whole, atol=0.03)


def test_pairs_without_a_path_are_left_out(data):
    apart = np.r_[data[:40], data[40:80] + 1000]
    value = shepard_correlation(apart, apart, geodesic=True)
    inside = [shepard_correlation(apart[half], apart[half], geodesic=True) for half in (slice(40), slice(40, 80))]
    assert value == pytest.approx(np.mean(inside), abs=0.05)
    nobody = NeighborGraph(np.array([[1], [0], [0]]), np.full((3, 1), np.inf))
    with pytest.raises(ValueError, match="joined by a path"):
        shepard_correlation(np.eye(3), np.eye(3), geodesic=True, graph=nobody)


def test_stress_by_its_definition(data, image):
    d, e = pdist(data), pdist(image)
    assert normalized_stress(data, image, scale="given") == pytest.approx(np.sqrt(((d - e) ** 2).sum() / (d**2).sum()))
    scales = np.linspace(0.5, 3, 2001)
    best = min(np.sqrt(((d - s * e) ** 2).sum() / (d**2).sum()) for s in scales)
    assert normalized_stress(data, image) == pytest.approx(best, abs=1e-6)
    assert normalized_stress(data, image) == pytest.approx(np.sqrt(1 - (d @ e) ** 2 / (d @ d * (e @ e))))


def test_stress_per_point_averages_to_the_whole(data, image):
    values = normalized_stress(data, image, per_point=True)
    weights = (cdist(data, data) ** 2).sum(axis=1)
    assert np.sqrt((values**2 * weights).sum() / weights.sum()) == pytest.approx(normalized_stress(data, image))


def test_a_map_of_one_point_keeps_no_distance(data):
    assert normalized_stress(data, np.zeros((120, 2))) == 1.0
    with pytest.raises(ValueError, match="points of the map are equal"):
        shepard_correlation(data, np.zeros((120, 2)))
    assert np.isnan(shepard_correlation(data, np.zeros((120, 2)), per_point=True)).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_similar_maps_are_alike(measure, data, image):
    turned = 5 * image @ np.array([[0.6, -0.8], [0.8, 0.6]]) + 2
    assert measure(data, turned) == pytest.approx(measure(data, image), abs=1e-9)
    order = np.random.default_rng(0).permutation(120)
    assert measure(data[order], image[order]) == pytest.approx(measure(data, image), abs=1e-9)


@pytest.mark.parametrize(
    ("measure", "options"),
    [
        (shepard_correlation, {"method": "spearman"}),
        (shepard_correlation, {"method": "pearson"}),
        (normalized_stress, {}),
        (normalized_stress, {"scale": "given"}),
    ],
)
def test_intervals_of_subsamples_hold_the_truth(measure, options):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(1500, 4)) * [3, 2, 1, 1]
    Z = X[:, :2] + 0.5 * rng.normal(size=(1500, 2))
    truth = measure(X, Z, **options)
    estimates = [measure(X, Z, subsample=100, random_state=seed, **options) for seed in range(60)]
    assert all(isinstance(e, Estimate) and e.n == 100 for e in estimates)
    assert np.mean([e.low <= truth <= e.high for e in estimates]) >= 0.86
    widths = np.array([e.high - e.low for e in estimates])
    assert np.std([float(e) for e in estimates]) * 4 == pytest.approx(widths.mean(), rel=0.35)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_subsample_of_everything_is_exact(measure, data, image):
    estimate = measure(data, image, subsample=1000)
    assert estimate.low == estimate.high == pytest.approx(measure(data, image))


@pytest.mark.parametrize("measure", MEASURES)
def test_too_many_pairs_name_the_way_out(measure):
    X = np.random.default_rng(0).normal(size=(5001, 2))
    with pytest.raises(ValueError, match="subsample="):
        measure(X, X)
    assert 0 <= float(measure(X, X[:, :1], subsample=100)) <= 1
    assert measure(X[:300], X[:300, :1], per_point=True, subsample=50).shape == (300,)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("X", "Z", "arguments", "message"),
    [
        (np.full((5, 2), np.nan), np.ones((5, 2)), {}, "X contains NaN"),
        (np.eye(5), np.eye(5)[:4], {}, "same points, got 5 and 4"),
        (np.eye(2), np.eye(2), {}, "at least 3 points"),
        (np.ones((5, 2)), np.eye(5), {}, "equal"),
        (np.eye(50), np.eye(50), {"subsample": 4}, "subsample must be at least 30"),
        (np.eye(5), np.eye(5), {"geodesic": True, "graph": neighbors(np.eye(4), 2)}, "same points, got 4 and 5"),
    ],
)
def test_bad_input(measure, X, Z, arguments, message):
    with pytest.raises(ValueError, match=message):
        measure(X, Z, **arguments)


def test_unknown_options(data, image):
    with pytest.raises(ValueError, match="method must be one of 'pearson', 'spearman'"):
        shepard_correlation(data, image, method="kendall")
    with pytest.raises(ValueError, match="scale must be one of"):
        normalized_stress(data, image, scale="unit")
