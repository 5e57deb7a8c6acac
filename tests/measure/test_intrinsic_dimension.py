"""TwoNN and maximum-likelihood dimension against closed forms, likelihoods and known manifolds."""

import numpy as np
import pytest
from rich.console import Console
from scipy.optimize import minimize_scalar
from sklearn.neighbors import NearestNeighbors

from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure import mle_dimension, two_nn

ESTIMATORS = [two_nn, mle_dimension]


def sphere(n, d, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, d + 1))
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def flat_torus(n, d, seed):
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, (n, d))
    return np.hstack([np.cos(angles), np.sin(angles)])


@pytest.fixture(scope="module")
def plane():
    return np.random.default_rng(3).random((600, 2)) @ np.random.default_rng(4).normal(size=(2, 7))


def distances_of(X, k):
    return NearestNeighbors(n_neighbors=k).fit(X).kneighbors()[0]


@pytest.mark.parametrize("d", range(1, 9))
def test_spheres(d):
    """Both read the dimension of a sphere to sampling error, and low beyond five dimensions, as documented."""
    X = sphere(2000, d)
    two, mle = two_nn(X), mle_dimension(X)
    low = 1.0 if d <= 4 else 0.9
    assert low * d - 0.15 < mle.value < 1.03 * d
    assert low * d - 0.35 < two.value < 1.08 * d
    assert two.low < two.value < two.high
    assert two.high - two.low > mle.high - mle.low


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_gaussian_subspaces(estimator, d):
    X = np.random.default_rng(d).normal(size=(1500, d)) @ np.random.default_rng(9).normal(size=(d, 40))
    assert estimator(X).value == pytest.approx(d, rel=0.1)


@pytest.mark.parametrize("discard", [0.0, 0.1, 0.5])
def test_two_nn_maximises_the_censored_likelihood(plane, discard):
    distances = distances_of(plane, 2)
    logs = np.sort(np.log(distances[:, 1] / distances[:, 0]))
    kept = len(logs) - int(discard * len(logs))

    def negative_log_likelihood(d):
        return -(kept * np.log(d) - d * (logs[:kept].sum() + (len(logs) - kept) * logs[kept - 1]))

    best = minimize_scalar(negative_log_likelihood, bounds=(0.1, 10), method="bounded", options={"xatol": 1e-8}).x
    assert two_nn(plane, discard=discard).value == pytest.approx(best * (kept - 1) / kept, rel=1e-4)


@pytest.mark.parametrize("k", [2, 5, 20])
def test_mle_is_the_harmonic_mean_of_levina_and_bickels_local_estimates(plane, k):
    distances = distances_of(plane, k)
    inverse = np.log(distances[:, -1:] / distances[:, :-1]).mean(axis=1)
    estimate = mle_dimension(plane, k, smooth=False)
    assert estimate.value == pytest.approx(1 / inverse.mean(), rel=1e-5)
    if k > 2:
        np.testing.assert_allclose(estimate.per_point, (k - 2) / (k - 1) / inverse, rtol=1e-4)
    else:
        assert np.isnan(estimate.per_point).all()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_unbiased_with_intervals_that_cover(estimator):
    """On a flat torus, which has neither edges nor density, over many samples."""
    estimates = [estimator(flat_torus(300, 1, seed)) for seed in range(80)]
    values = np.array([estimate.value for estimate in estimates])
    assert values.mean() == pytest.approx(1, abs=4 * values.std() / np.sqrt(80) + 0.005)
    assert np.mean([estimate.low <= 1 <= estimate.high for estimate in estimates]) >= 0.85
    assert np.mean([np.log(e.high / e.value) / 1.96 for e in estimates]) == pytest.approx(values.std(), rel=0.35)


def test_the_local_dimension_follows_the_data():
    rng = np.random.default_rng(0)
    line = np.c_[rng.random(400), np.full((400, 2), 5.0)]
    cube = rng.random((400, 3))
    for estimator in ESTIMATORS:
        local = estimator(np.r_[line, cube]).per_point
        assert np.median(local[:400]) == pytest.approx(1, abs=0.35)
        assert np.median(local[400:]) == pytest.approx(2.8, abs=0.35)


def test_smoothing_steadies_the_local_dimension(plane):
    rough, smooth = mle_dimension(plane, smooth=False).per_point, mle_dimension(plane).per_point
    assert smooth.std() < 0.6 * rough.std()
    assert np.median(smooth) == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_scale_offset_and_rotation_change_nothing(estimator, plane):
    turned = 1e-6 * plane @ np.linalg.qr(np.random.default_rng(1).normal(size=(7, 7)))[0] + 3e-6
    assert estimator(turned).value == pytest.approx(estimator(plane).value, rel=1e-4)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_repeating_rows_changes_nothing(estimator, plane):
    """With as many distinct neighbours at hand, the copies count for nothing."""
    whole = estimator(plane, n_neighbors=4)
    copied = estimator(np.repeat(plane, 3, axis=0), n_neighbors=14)
    assert copied.n_used == whole.n_used == 600
    assert copied.value == pytest.approx(whole.value, rel=1e-5)
    np.testing.assert_allclose(copied.per_point, np.repeat(whole.per_point, 3), rtol=1e-4)
    assert copied.high - copied.low == pytest.approx(whole.high - whole.low, rel=1e-4)


def test_points_lost_among_their_copies_are_left_out(plane):
    X = np.r_[plane, np.repeat(plane[:1], 30, axis=0)]
    estimate = mle_dimension(X)
    assert 590 < estimate.n_used < 600
    assert np.isnan(estimate.per_point[[0, 600, 629]]).all()
    assert np.isfinite(estimate.per_point[1:600]).mean() > 0.99
    assert estimate.value == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_graphs_serve_as_well_as_points(estimator, plane):
    graph = neighbors(plane, 25)
    assert estimator(graph, n_neighbors=15).value == estimator(plane).value
    assert estimator(graph).n_neighbors == 25


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("metric", ["cosine", "sqeuclidean", "correlation"])
def test_squared_metrics_are_turned_into_lengths(estimator, metric):
    X = sphere(800, 3)
    dimension = 2 if metric == "correlation" else 3
    assert estimator(X, metric=metric).value == pytest.approx(dimension, rel=0.2)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_missing_neighbours_are_left_out(estimator, plane):
    graph = neighbors(plane, 15)
    distances = graph.distances.copy()
    distances[:, 8:] = np.inf
    shorter = estimator(NeighborGraph(graph.indices, distances))
    assert shorter.value == pytest.approx(estimator(graph.truncated(8)).value, rel=1e-9)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_higher_level_means_a_wider_interval(estimator, plane):
    wide, narrow = estimator(plane, level=0.99), estimator(plane, level=0.5)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_it_shows_itself(plane):
    estimate = two_nn(plane)
    assert str(estimate).startswith("TwoNN 1.9")
    assert float(estimate) == estimate.value
    assert "95 % interval" in estimate._repr_html_()
    console = Console(width=90, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(estimate)
    assert "around 90 % of points" in console.export_text()


@pytest.mark.parametrize("estimator", ESTIMATORS)
class TestBadInput:
    def test_nan_and_text(self, estimator):
        with pytest.raises(ValueError, match="NaN"):
            estimator([[np.nan], [1.0]])
        with pytest.raises(ValueError, match="string"):
            estimator([["a"], ["b"]])

    def test_one_row(self, estimator):
        with pytest.raises(ValueError, match="n_neighbors=15 needs at least 16 rows"):
            estimator([[1.0, 2.0]])

    def test_equal_rows(self, estimator):
        with pytest.raises(ValueError, match="at least 3 points with 2 distinct neighbours"):
            estimator(np.ones((30, 2)))

    def test_points_equally_far(self, estimator):
        with pytest.raises(ValueError, match="all equally far"):
            estimator(np.eye(30))

    def test_fewer_than_two_neighbours(self, estimator, plane):
        with pytest.raises(ValueError, match="n_neighbors must be at least 2"):
            estimator(plane, n_neighbors=1)
        with pytest.raises(ValueError, match="holds 1 neighbours of each point; 2 are needed"):
            estimator(neighbors(plane, 1))

    def test_a_similarity_is_no_length(self, estimator, plane):
        with pytest.raises(ValueError, match="inner_product"):
            estimator(plane, metric="inner_product")

    def test_level(self, estimator, plane):
        with pytest.raises(ValueError, match="level must be"):
            estimator(plane, level=95)


@pytest.mark.parametrize("discard", [-0.1, 1.0])
def test_bad_discard(plane, discard):
    with pytest.raises(ValueError, match="discard"):
        two_nn(plane, discard=discard)


@pytest.mark.parametrize("k", [5, 20])
def test_both_averages_equal_scikit_dimension(k):
    from skdim.id import MLE

    X = np.random.default_rng(0).normal(size=(400, 3))
    expected = MLE().fit(X, n_neighbors=k, comb="mean")
    found = mle_dimension(X, k, average="arithmetic", smooth=False)
    assert found.value == pytest.approx(expected.dimension_, rel=1e-5)
    assert found.low < found.value < found.high
    harmonic = mle_dimension(X, k)
    assert harmonic.value == pytest.approx(MLE().fit(X, n_neighbors=k, comb="mle").dimension_, rel=1e-5)
    assert harmonic.value < found.value


def test_the_interval_of_the_arithmetic_average_holds_its_mean():
    samples = [np.random.default_rng(seed).random((300, 2)) for seed in range(30)]
    found = [mle_dimension(X, 10, average="arithmetic") for X in samples]
    middle = np.mean([f.value for f in found])
    assert np.mean([f.low <= middle <= f.high for f in found]) >= 0.85
    with pytest.raises(ValueError, match="average must be one of"):
        mle_dimension(samples[0], average="median")
