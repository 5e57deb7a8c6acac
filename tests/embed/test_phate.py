"""PHATE: the contract, its definition in dense algebra, invariances, new rows, landmarks, and bad input."""

import numpy as np
import pytest
from scipy.spatial import procrustes
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.utils.estimator_checks import parametrize_with_checks

from holonomy.embed import PHATE, classical_mds
from holonomy.graphs import neighbors


@parametrize_with_checks([PHATE(random_state=0), PHATE(n_landmark=8, t=3, random_state=0)])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def iris():
    return np.unique(load_iris().data, axis=0)


@pytest.fixture(scope="module")
def fitted(iris):
    return PHATE(random_state=0).fit(iris)


def dense_potential(X, t, knn=5, decay=40.0):
    D = cdist(X, X)
    K = np.exp(-((D / np.sort(D, axis=1)[:, [knn]]) ** decay))
    K[K < 1e-4] = 0
    K = (K + K.T) / 2
    P = K / K.sum(axis=1, keepdims=True)
    return -np.log(np.linalg.matrix_power(P, t) + 1e-7)


def test_potentials_are_those_of_the_definition(iris):
    model = PHATE(t=7, mds="classic", random_state=0).fit(iris)
    expected = dense_potential(iris, 7)
    np.testing.assert_allclose(model.potential_, expected, atol=1e-4)
    coordinates = classical_mds(cdist(expected, expected)).embedding
    assert procrustes(coordinates, model.embedding_)[2] < 1e-6
    assert model.t_ == 7
    assert model.entropy_ is None


@pytest.mark.parametrize("gamma", [-1.0, 0.0, 0.5, 1.0])
def test_potentials_of_every_gamma(iris, gamma):
    model = PHATE(t=3, gamma=gamma, mds="classic", random_state=0).fit(iris)
    P = np.linalg.matrix_power(model.operator_.walk_matrix.toarray(), 3)
    expected = {-1.0: P, 0.0: 2 * np.sqrt(P), 0.5: 4 * P**0.25, 1.0: -np.log(P + 1e-7)}[gamma]
    np.testing.assert_allclose(model.potential_, expected, atol=1e-5)


def test_automatic_time_is_at_the_knee_of_a_falling_entropy(fitted):
    times, entropy = fitted.entropy_
    assert times[0] == 1
    assert times[-1] == 100
    assert (np.diff(entropy) <= 1e-9).all()
    assert 10 <= fitted.t_ <= 30


def test_same_seed_same_bits_for_any_number_of_threads():
    X = load_digits().data[:700]
    new = X[:9] + 0.1
    one, two = (PHATE(n_landmark=200, random_state=0, n_jobs=jobs).fit(X) for jobs in (1, 2))
    np.testing.assert_array_equal(one.embedding_, two.embedding_)
    np.testing.assert_array_equal(one.transform(new), two.transform(new))


@pytest.mark.parametrize("n_landmark", [2000, 60])
def test_new_rows_are_placed_by_themselves_and_old_ones_keep_their_places(iris, n_landmark):
    model = PHATE(n_landmark=n_landmark, random_state=0).fit(iris)
    np.testing.assert_array_equal(model.transform(iris), model.embedding_)
    new = iris[::10] + 0.01
    together = model.transform(new)
    np.testing.assert_array_equal(together, model.transform(new))
    for row in range(len(new)):
        np.testing.assert_array_equal(model.transform(new[[row]]), together[[row]])
    spread = np.ptp(model.embedding_, axis=0).max()
    assert np.linalg.norm(together - model.embedding_[::10], axis=1).max() < 0.2 * spread


def test_order_scale_and_motion_of_the_data_leave_the_map(iris):
    plain = PHATE(t=10, mds="classic", random_state=0).fit_transform(iris)
    order = np.random.default_rng(0).permutation(len(iris))
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
    for changed, expected in ((iris[order], plain[order]), (8 * iris, plain), (iris @ rotation + 3, plain)):
        found = PHATE(t=10, mds="classic", random_state=0).fit_transform(changed)
        assert procrustes(expected, found)[2] < 1e-3


def test_distances_affinities_and_graphs_given_are_as_the_rows(iris, fitted):
    D = cdist(iris, iris)
    by_distance = PHATE(knn_dist="precomputed", random_state=0).fit(D)
    assert procrustes(by_distance.embedding_, fitted.embedding_)[2] < 1e-4
    np.testing.assert_allclose(by_distance.transform(D[:3]), by_distance.embedding_[:3])
    by_affinity = PHATE(knn_dist="precomputed_affinity", random_state=0).fit(fitted.affinity_)
    np.testing.assert_allclose(by_affinity.embedding_, fitted.embedding_, atol=1e-6)
    placed = by_affinity.transform(fitted.affinity_[:3])
    np.testing.assert_allclose(placed, fitted.operator_.walk(fitted.embedding_, 1)[:3], atol=1e-6)
    by_graph = PHATE(random_state=0).fit(iris, graph=neighbors(iris, 20))
    assert procrustes(by_graph.embedding_, fitted.embedding_)[2] < 1e-3


@pytest.mark.parametrize(
    "options", [{"mds_solver": "smacof"}, {"decay": None}, {"decay": 2}, {"mds": "nonmetric"}, {"mds_dist": "cosine"}]
)
def test_options_give_a_map_that_separates_the_first_species(iris, options):
    model = PHATE(random_state=0, **options).fit(iris)
    assert np.isfinite(model.embedding_).all()
    apart = np.linalg.norm(iris[:, None] - iris, axis=2) > 5
    lengths = cdist(model.embedding_, model.embedding_)
    assert lengths[apart].mean() > lengths[~apart].mean()


def test_landmarks_keep_the_map():
    X, y = load_digits(n_class=5, return_X_y=True)
    whole, few = (PHATE(n_landmark=n, t=20, random_state=0).fit(X) for n in (None, 300))
    assert whole.landmarks_ is None
    assert few.potential_.shape[0] <= 300
    assert procrustes(whole.embedding_, few.embedding_)[2] < 0.25
    centres = [np.stack([Z[y == c].mean(axis=0) for c in range(5)]) for Z in (whole.embedding_, few.embedding_)]
    assert procrustes(*centres)[2] < 0.1


def test_many_columns_are_searched_by_principal_axes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3)) @ rng.normal(size=(3, 40))
    axes = PHATE(n_pca=3, t=5, mds="classic", random_state=0).fit(X)
    plain = PHATE(n_pca=None, t=5, mds="classic", random_state=0).fit(X)
    assert procrustes(axes.embedding_, plain.embedding_)[2] < 1e-4
    np.testing.assert_array_equal(axes.transform(X[3:4]), axes.embedding_[3:4])


def test_places_lead_back_to_rows(iris, fitted):
    back = fitted.inverse_transform(fitted.embedding_)
    assert back.shape == iris.shape
    assert np.linalg.norm(back - iris, axis=1).mean() < 0.25 * np.linalg.norm(iris - iris.mean(axis=0), axis=1).mean()
    with pytest.raises(ValueError, match="columns"):
        fitted.inverse_transform(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="no rows"):
        PHATE(knn_dist="precomputed", random_state=0, t=2).fit(cdist(iris, iris)).inverse_transform([[0.0, 0]])


def test_pieces_of_the_graph_are_told():
    X = np.vstack([load_iris().data[:20], load_iris().data[:20] + 100])
    with pytest.warns(UserWarning, match="2 components"):
        PHATE(random_state=0).fit(X)


def test_too_few_rows_for_the_neighbours_are_told():
    with pytest.warns(UserWarning, match="knn=5 asks for more"):
        assert PHATE(random_state=0).fit(np.random.default_rng(0).normal(size=(4, 2))).embedding_.shape == (4, 2)


def test_second_fit_knows_nothing_of_the_first(iris):
    used = PHATE(random_state=0).fit(load_digits().data[:100])
    np.testing.assert_array_equal(used.fit(iris).embedding_, clone(used).fit(iris).embedding_)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"knn": 0}, ValueError, "knn must be"),
        ({"decay": 0}, ValueError, "decay must be"),
        ({"t": 0}, ValueError, "t must be"),
        ({"t": "knee"}, TypeError, "t must be"),
        ({"gamma": 2}, ValueError, "gamma must be"),
        ({"mds": "tsne"}, ValueError, "mds must be one of"),
        ({"mds_solver": "adam"}, ValueError, "mds_solver must be one of"),
        ({"n_landmark": 1}, ValueError, "n_landmark must be"),
        ({"knn_max": 2}, ValueError, "knn_max must be"),
        ({"n_components": 0}, ValueError, "n_components must be"),
        ({"n_pca": 0}, ValueError, "n_pca must be"),
        ({"knn_dist": "far"}, ValueError, "metric must be one of"),
    ],
)
def test_bad_parameters_are_named(iris, options, error, message):
    with pytest.raises(error, match=message):
        PHATE(**options).fit(iris)


def test_equal_rows_are_refused():
    with pytest.raises(ValueError, match="all rows of X are equal"):
        PHATE().fit(np.ones((20, 3)))


def test_a_graph_of_other_points_is_refused(iris):
    with pytest.raises(ValueError, match="graph must hold"):
        PHATE().fit(iris, graph=neighbors(iris[:50], 10))
