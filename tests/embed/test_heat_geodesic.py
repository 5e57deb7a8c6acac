"""Heat geodesics: the contract, known manifolds, the limits that are other methods, options, new rows, bad input."""

import numpy as np
import pytest
from scipy.spatial import procrustes
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.utils.estimator_checks import parametrize_with_checks

from holonomy.datasets import make_swiss_roll
from holonomy.embed import PHATE, HeatGeodesic
from holonomy.graphs import DiffusionOperator, gaussian, heat_distances, neighbors


@parametrize_with_checks(
    [HeatGeodesic(random_state=0), HeatGeodesic(n_landmarks=8, t=2.0, harnack=0.0, random_state=0)]
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def iris():
    return np.unique(load_iris().data, axis=0)


@pytest.fixture(scope="module")
def arc():
    """Points along three quarters of a circle, and their places on it."""
    angle = np.sort(np.random.default_rng(0).uniform(0, 1.5 * np.pi, 400))
    return angle, np.column_stack([np.cos(angle), np.sin(angle)])


def test_distances_are_those_of_the_operator(iris):
    model = HeatGeodesic(t=2.5, harnack=0.7, scale=1.5, mds="classic", random_state=0).fit(iris)
    kernel = DiffusionOperator(model.affinity_, "combinatorial").heat_kernel(2.5)
    expected = heat_distances(kernel, 2.5, harnack=0.7, scale=1.5)
    np.testing.assert_allclose(model.heat_distances_, expected.distances, atol=1e-3)
    assert model.t_ == 2.5
    assert model.stress_ is None


def test_distances_along_an_arc_are_geodesic(arc):
    angle, X = arc
    model = HeatGeodesic(1, t=60.0, random_state=0).fit(X)
    true = np.abs(np.subtract.outer(angle, angle))
    assert model.far_share_ == 0
    assert spearmanr(true.ravel(), model.heat_distances_.ravel()).statistic > 0.98
    assert abs(np.corrcoef(angle, model.embedding_[:, 0])[0, 1]) > 0.99


def test_a_rolled_sheet_is_measured_along_itself():
    roll = make_swiss_roll(800, random_state=0)
    model = HeatGeodesic(random_state=0).fit(roll.X)
    i, j = np.triu_indices(800, 1)
    true = roll.geodesic_distances(i, j)
    order = spearmanr(true, model.heat_distances_[i, j]).statistic
    assert order > 0.9
    assert order > spearmanr(true, cdist(roll.X, roll.X)[i, j]).statistic + 0.2


def test_one_row_of_logarithms_at_phates_time_is_phate(iris):
    phate = PHATE(knn=5, random_state=0).fit(iris)
    heat = HeatGeodesic(
        n_neighbors=5, t=float(phate.t_), laplacian="random_walk", harnack=0.0, denoise=1.0, scale=2, random_state=0
    ).fit(iris)
    assert procrustes(phate.embedding_, heat.embedding_)[2] < 0.05


def test_short_times_weigh_near_pairs_by_their_affinity(iris):
    """As t goes to 0 the heat between neighbours is t W, so that squared distances go by the logarithm of W."""
    graph = neighbors(iris, 15)
    W = gaussian(graph, 0.5)
    t = 1e-6
    kernel = DiffusionOperator(W, "combinatorial").heat_kernel(t, method="euler", order=1)
    found = heat_distances(kernel, t, harnack=0.0, noise=0.0).distances ** 2 / (4 * t)
    edges = W.tocoo()
    expected = -np.log(t) - np.log(edges.data)
    np.testing.assert_allclose(found[edges.row, edges.col], expected, rtol=1e-3)


def test_near_pairs_alone_count_with_gaussian_weights(arc):
    _, X = arc
    local = HeatGeodesic(mds_weights="gaussian", harnack=0.0, t=1.0, mds="smacof", random_state=0).fit(X)
    D, lengths = local.heat_distances_, cdist(local.embedding_, local.embedding_)
    near = (0.5 * D.mean() > D) & (D > 0)
    plain = HeatGeodesic(harnack=0.0, t=1.0, mds="smacof", random_state=0).fit(X)
    plain_lengths = cdist(plain.embedding_, plain.embedding_)
    assert np.abs(lengths - D)[near].mean() <= np.abs(plain_lengths - D)[near].mean()


def test_automatic_time_is_at_the_knee_of_the_entropy(iris):
    model = HeatGeodesic(random_state=0).fit(iris)
    times, entropy = model.entropy_
    assert model.t_ in times
    assert (np.diff(entropy) > -1e-9).all()
    line = entropy[0] + (entropy[-1] - entropy[0]) * (times - times[0]) / (times[-1] - times[0])
    assert model.t_ == times[np.argmax(entropy - line)]


def test_several_times_are_averaged_with_their_weights(iris):
    single = [HeatGeodesic(t=t, mds="classic", random_state=0).fit(iris).heat_distances_ for t in (1.0, 3.0)]
    both = HeatGeodesic(t=[1.0, 3.0], mds="classic", random_state=0).fit(iris)
    np.testing.assert_allclose(both.heat_distances_, 0.75 * single[0] + 0.25 * single[1], atol=1e-9)
    np.testing.assert_array_equal(both.t_, [1.0, 3.0])


def test_triplet_step_compares_rows_of_distances(iris):
    plain = HeatGeodesic(t=2.0, mds="classic", random_state=0).fit(iris).heat_distances_
    half = HeatGeodesic(t=2.0, denoise=0.5, mds="classic", random_state=0).fit(iris).heat_distances_
    np.testing.assert_allclose(half, 0.5 * plain + 0.5 * cdist(plain, plain), atol=1e-4)


def test_logarithm_of_time_divides(iris):
    plain = HeatGeodesic(t=5.0, mds="classic", random_state=0).fit(iris)
    divided = HeatGeodesic(t=5.0, log_normalize=True, mds="classic", random_state=0).fit(iris)
    np.testing.assert_allclose(divided.heat_distances_, plain.heat_distances_ / np.sqrt(np.log(5.0)))


def test_ways_of_heat_agree():
    X = np.random.default_rng(0).normal(size=(120, 3))
    exact = HeatGeodesic(t=3.0, heat="exact", mds="classic", random_state=0).fit(X)
    assert exact.far_share_ == 0
    for heat, tolerance in (("chebyshev", 1e-3), ("euler", 0.1)):
        other = HeatGeodesic(t=3.0, heat=heat, mds="classic", random_state=0).fit(X)
        largest = exact.heat_distances_.max()
        assert np.abs(other.heat_distances_ - exact.heat_distances_).max() < tolerance * largest


@pytest.mark.parametrize(
    "options",
    [
        {"kernel": "binary"},
        {"kernel": "fuzzy"},
        {"kernel": "entropic", "kernel_kwds": {"perplexity": 8}},
        {"kernel": "gaussian"},
        {"laplacian": "symmetric"},
        {"anisotropy": 1.0},
        {"mds": "nonmetric"},
        {"mds": "classic"},
        {"mds_weights": "heat"},
        {"mds_weights": 2.0},
        {"mds_weights": 1.0, "mds": "smacof"},
        {"harnack": 1.5},
    ],
)
def test_options_keep_the_order_along_an_arc(arc, options):
    angle, X = arc
    model = HeatGeodesic(n_components=1, random_state=0, **options).fit(X[::2])
    assert abs(spearmanr(angle[::2], model.embedding_[:, 0]).statistic) > 0.95
    assert np.isfinite(model.transform(X[1::2])).all()


@pytest.mark.parametrize("n_landmarks", ["auto", 60])
def test_new_rows_are_placed_by_themselves_and_old_ones_keep_their_places(arc, n_landmarks):
    angle, X = arc
    model = HeatGeodesic(1, n_landmarks=n_landmarks, random_state=0).fit(X)
    np.testing.assert_array_equal(model.transform(X), model.embedding_)
    new = np.column_stack([np.cos(angle[:9] + 1e-3), np.sin(angle[:9] + 1e-3)])
    together = model.transform(new)
    for row in range(len(new)):
        np.testing.assert_array_equal(model.transform(new[[row]]), together[[row]])
    assert np.abs(together - model.embedding_[:9]).max() < 0.05 * np.ptp(model.embedding_)


def test_landmarks_keep_time_distances_and_map(arc):
    angle, X = arc
    few = HeatGeodesic(1, n_landmarks=80, random_state=0).fit(X)
    assert few.heat_distances_.shape[0] <= 80
    assert abs(np.corrcoef(angle, few.embedding_[:, 0])[0, 1]) > 0.99
    assert few.landmarks_.operator.degrees.mean() < 1000 * few.operator_.degrees.mean()


def test_scale_and_order_of_the_data_leave_the_map(iris):
    plain = HeatGeodesic(mds="classic", random_state=0).fit(iris)
    scaled = HeatGeodesic(mds="classic", random_state=0).fit(8 * iris)
    np.testing.assert_allclose(plain.heat_distances_, scaled.heat_distances_, rtol=1e-3, atol=1e-3)
    order = np.random.default_rng(0).permutation(len(iris))
    permuted = HeatGeodesic(mds="classic", t=plain.t_, random_state=0).fit(iris[order])
    assert procrustes(plain.embedding_[order], permuted.embedding_)[2] < 1e-6


def test_same_seed_same_bits_for_any_number_of_threads(iris):
    one, two = (HeatGeodesic(n_landmarks=100, random_state=0, n_jobs=jobs).fit(iris) for jobs in (1, 2))
    np.testing.assert_array_equal(one.embedding_, two.embedding_)
    np.testing.assert_array_equal(one.transform(iris[:5] + 0.1), two.transform(iris[:5] + 0.1))


def test_affinities_and_distances_given_are_as_the_rows(iris):
    model = HeatGeodesic(random_state=0).fit(iris)
    by_affinity = HeatGeodesic(kernel="precomputed", random_state=0).fit(model.affinity_)
    np.testing.assert_allclose(by_affinity.heat_distances_, model.heat_distances_, atol=1e-6)
    assert by_affinity.transform(model.affinity_[:4]).shape == (4, 2)
    by_distance = HeatGeodesic(metric="precomputed", random_state=0).fit(cdist(iris, iris))
    np.testing.assert_allclose(by_distance.heat_distances_, model.heat_distances_, atol=1e-3)


def test_second_fit_knows_nothing_of_the_first(arc, iris):
    used = HeatGeodesic(random_state=0).fit(arc[1][:200])
    np.testing.assert_array_equal(used.fit(iris).embedding_, clone(used).fit(iris).embedding_)


def test_pieces_are_told_or_refused():
    X = np.vstack([load_iris().data[:30], load_iris().data[:30] + 100])
    with pytest.warns(UserWarning, match="2 components.*largest distance"):
        model = HeatGeodesic(random_state=0).fit(X)
    assert 0.5 < model.far_share_ < 0.52
    assert (model.heat_distances_[:30, 30:] == model.heat_distances_.max()).all()
    with pytest.raises(ValueError, match="2 components"):
        HeatGeodesic(disconnected="error").fit(X)


def test_too_short_a_time_is_told(arc):
    with pytest.warns(UserWarning, match="Raise t"):
        HeatGeodesic(t=1e-3, random_state=0).fit(arc[1])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_neighbors": 0}, ValueError, "n_neighbors must be"),
        ({"decay": 0}, ValueError, "decay must be"),
        ({"anisotropy": 2}, ValueError, "alpha must be"),
        ({"t": 0}, ValueError, "t must be positive"),
        ({"t": -1.0}, ValueError, "t must be"),
        ({"t": "knee"}, ValueError, "t must be one of"),
        ({"t": [1.0, 0.0]}, ValueError, "t must be positive"),
        ({"t": 0.5, "log_normalize": True}, ValueError, "times above 1"),
        ({"heat": "cold"}, ValueError, "heat must be one of"),
        ({"order": 0}, ValueError, "order must be"),
        ({"laplacian": "none"}, ValueError, "laplacian must be one of"),
        ({"harnack": 3.0}, ValueError, "harnack must be"),
        ({"denoise": 2.0}, ValueError, "denoise must be"),
        ({"scale": 0}, ValueError, "must be positive"),
        ({"mds": "tsne"}, ValueError, "mds must be one of"),
        ({"mds_weights": "even"}, ValueError, "mds_weights must be one of"),
        ({"mds_weights": -1.0}, ValueError, "mds_weights must be"),
        ({"n_landmarks": "many"}, ValueError, "n_landmarks must be one of"),
        ({"n_landmarks": 1}, ValueError, "n_landmarks must be"),
        ({"kernel": "box"}, ValueError, "kernel must be one of"),
        ({"disconnected": "join"}, ValueError, "disconnected must be one of"),
        ({"metric": "far"}, ValueError, "metric must be one of"),
    ],
)
def test_bad_parameters_are_named(iris, options, error, message):
    with pytest.raises(error, match=message):
        HeatGeodesic(**options).fit(iris)


def test_a_correction_that_leaves_nothing_is_refused():
    X = np.random.default_rng(0).normal(size=(60, 20))
    with pytest.raises(ValueError, match="lower it"):
        HeatGeodesic(harnack=1.5, t=5.0, random_state=0).fit(X)


def test_equal_rows_are_refused():
    with pytest.raises(ValueError, match="all rows of X are equal"):
        HeatGeodesic().fit(np.ones((30, 3)))
