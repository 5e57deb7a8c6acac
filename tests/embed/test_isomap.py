"""Isomap against exact geodesics, scikit-learn, and the limit cases of its construction."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.manifold import Isomap as TheirIsomap
from sklearn.utils.estimator_checks import parametrize_with_checks

import holonomy
from holonomy.datasets import make_swiss_roll
from holonomy.embed import Isomap, classical_mds
from holonomy.graphs import geodesics, neighbors


@parametrize_with_checks([Isomap(random_state=0), Isomap(n_landmarks=4, n_components=1, random_state=0)])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def roll():
    return make_swiss_roll(1000, random_state=0)


@pytest.fixture(scope="module", params=[None, 80], ids=["all", "landmarks"])
def fitted(request, roll):
    return Isomap(n_landmarks=request.param, random_state=0).fit(roll.X)


def misfit(Z, latent):
    """Share of the map that no rigid or linear motion of the unrolled sheet explains."""
    basis = np.column_stack([latent, np.ones(len(latent))])
    residual = Z - basis @ np.linalg.lstsq(basis, Z, rcond=None)[0]
    return np.sqrt((residual**2).sum() / ((Z - Z.mean(axis=0)) ** 2).sum())


def test_swiss_roll_is_unrolled_to_scale(roll, fitted):
    assert misfit(fitted.embedding_, roll.latent) < 0.04
    assert fitted.residual_variance_ < 0.002
    i, j = np.random.default_rng(0).integers(0, 1000, size=(2, 2000))
    exact = roll.geodesic_distances(i, j)
    on_map = np.linalg.norm(fitted.embedding_[i] - fitted.embedding_[j], axis=1)
    far = exact > 10
    assert np.median(on_map[far] / exact[far]) == pytest.approx(1.0, abs=0.05)


def test_new_rows_are_unrolled_too(fitted):
    fresh = make_swiss_roll(500, random_state=1)
    assert misfit(fitted.transform(fresh.X), fresh.latent) < 0.05


def test_equals_scikit_learn(roll):
    ours = Isomap(n_neighbors=11, random_state=0).fit(roll.X)
    theirs = TheirIsomap(n_neighbors=10).fit(roll.X)
    signs = np.sign((ours.embedding_ * theirs.embedding_).sum(axis=0))
    np.testing.assert_allclose(ours.embedding_, signs * theirs.embedding_, atol=1e-3 * np.abs(ours.embedding_).max())
    np.testing.assert_allclose(geodesics(ours.knn_), theirs.dist_matrix_, rtol=1e-5, atol=1e-5)


def test_complete_graph_is_classical_scaling():
    X = np.random.default_rng(0).normal(size=(60, 4))
    model = Isomap(3, n_neighbors=60, random_state=0).fit(X)
    np.testing.assert_allclose(model.embedding_, classical_mds(cdist(X, X), 3).embedding, atol=1e-5)


def test_few_landmarks_place_flat_data_exactly():
    X = np.random.default_rng(0).normal(size=(80, 2)) @ np.random.default_rng(1).normal(size=(2, 6))
    model = Isomap(2, n_neighbors=80, n_landmarks=5, random_state=0).fit(X)
    np.testing.assert_allclose(cdist(model.embedding_, model.embedding_), cdist(X, X), atol=1e-4)
    np.testing.assert_allclose(model.embedding_.mean(axis=0), 0, atol=1e-9)
    covariance = model.embedding_.T @ model.embedding_
    assert abs(covariance[0, 1]) < 1e-9 * covariance[0, 0]
    assert covariance[0, 0] >= covariance[1, 1]
    assert "desilva2002global" in holonomy._core.citations.reference_keys(model)


def test_elbow_of_the_residual_variance_is_the_dimension(roll):
    graph = neighbors(roll.X, 9)
    one, two, three = (Isomap(m, random_state=0).fit(roll.X, graph=graph).residual_variance_ for m in (1, 2, 3))
    assert one > 20 * two
    assert three > 0.3 * two


def test_residual_variance_is_that_of_the_distances(fitted):
    on_map = cdist(fitted.embedding_[fitted.landmarks_], fitted.embedding_)
    correlation = np.corrcoef(on_map.ravel(), fitted.landmark_distances_.ravel())[0, 1]
    assert fitted.residual_variance_ == pytest.approx(1 - correlation**2, abs=1e-9)


def test_conformal_maps_undo_a_local_scaling():
    """A disc stretched by a stereographic map onto the sphere: conformal, so that only local scales differ."""
    rng = np.random.default_rng(0)
    radius, angle = 3 * np.sqrt(rng.random(2000)), 2 * np.pi * rng.random(2000)
    disc = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    bowl = np.column_stack([2 * disc, (disc**2).sum(axis=1) - 1]) / (1 + (disc**2).sum(axis=1))[:, None]
    plain, conformal = (
        misfit(Isomap(n_neighbors=12, conformal=flag, n_landmarks=150, random_state=0).fit_transform(bowl), disc)
        for flag in (False, True)
    )
    assert conformal < 0.4 * plain
    model = Isomap(n_neighbors=12, conformal=True, n_landmarks=150, random_state=0).fit(bowl)
    gaps = np.linalg.norm(model.transform(bowl + 1e-6) - model.embedding_, axis=1)
    assert np.median(gaps) < 0.05 * model.embedding_.std()


def test_pieces_are_tied_with_a_warning_or_refused():
    X = np.concatenate([np.random.default_rng(0).normal(size=(50, 2)) + shift for shift in (0, 60)])
    with pytest.warns(UserWarning, match="falls into 2 components, which are tied"):
        model = Isomap(random_state=0).fit(X)
    assert model.n_connected_components_ == 2
    assert np.isfinite(model.embedding_).all()
    with pytest.warns(UserWarning, match="falls into 2 components"):
        given = Isomap(metric="precomputed", random_state=0).fit(cdist(X, X))
    np.testing.assert_allclose(given.embedding_, model.embedding_, atol=1e-2)
    with pytest.raises(ValueError, match="graph falls into 2 components"):
        Isomap(connect="error").fit(X)


def test_landmarks_are_chosen_by_size(roll):
    assert len(Isomap(random_state=0).fit(roll.X[:300]).landmarks_) == 300
    model = Isomap(random_state=0)
    assert model._landmark_count(2001) == 1000
    assert model._landmark_count(10**6) == 268
    assert model._landmark_count(10**8) == 100


def test_same_seed_same_bits_for_any_number_of_threads(roll, fitted):
    for jobs in (1, 2):
        again = clone(fitted).set_params(n_jobs=jobs).fit(roll.X)
        np.testing.assert_array_equal(again.embedding_, fitted.embedding_)


def test_new_rows_are_placed_by_themselves_and_repeatably(roll, fitted):
    new = roll.X[:200] + 0.1 * np.random.default_rng(3).normal(size=(200, 3))
    together = fitted.transform(new)
    np.testing.assert_array_equal(fitted.transform(new), together)
    np.testing.assert_array_equal(fitted.transform(new[40:41]), together[40:41])
    np.testing.assert_array_equal(fitted.transform(new[::-1]), together[::-1])
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(again.transform(new), together)
    np.testing.assert_array_equal(fitted.transform(roll.X[:9]), fitted.embedding_[:9])


def test_other_forms_of_input_give_the_same_map(roll, fitted):
    given = clone(fitted).fit(roll.X, graph=neighbors(roll.X, 15))
    np.testing.assert_allclose(given.embedding_, fitted.embedding_, atol=1e-9)
    np.testing.assert_array_equal(given.transform(roll.X[:5] + 0.1), fitted.transform(roll.X[:5] + 0.1))
    rows = clone(fitted).fit(sparse.csr_matrix(roll.X))
    np.testing.assert_allclose(rows.embedding_, fitted.embedding_, atol=1e-9)
    distances = clone(fitted).set_params(metric="precomputed").fit(cdist(roll.X, roll.X))
    np.testing.assert_allclose(distances.embedding_, fitted.embedding_, atol=1e-2)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_degenerate_data_are_finite():
    for X in (np.ones((30, 3)), np.repeat(np.arange(10.0)[:, None], 8, axis=0), np.arange(5.0)[:, None]):
        model = Isomap(random_state=0).fit(X)
        assert np.isfinite(model.embedding_).all()
        assert np.isfinite(model.residual_variance_)
        assert np.isfinite(model.transform(X + 0.1)).all()


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_components": 0}, ValueError, "n_components must be at least 1"),
        ({"n_neighbors": 1}, ValueError, "n_neighbors must be at least 2"),
        ({"n_landmarks": 2}, ValueError, "n_landmarks must be more than n_components=2 and at most the 50 rows"),
        ({"n_landmarks": 51}, ValueError, "at most the 50 rows of X, got 51"),
        ({"n_landmarks": 5.5}, TypeError, "n_landmarks must be an integer"),
        ({"connect": "inf"}, ValueError, "connect must be one of"),
        ({"metric": "euclidian"}, ValueError, "metric must be one of"),
    ],
)
def test_bad_parameters_are_named(parameters, error, message):
    with pytest.raises(error, match=message):
        Isomap(**parameters).fit(np.random.default_rng(0).normal(size=(50, 3)))


def test_bad_graphs_are_named(roll):
    with pytest.raises(TypeError, match="must be a NeighborGraph"):
        Isomap().fit(roll.X, graph=np.ones((1000, 14)))
    with pytest.raises(ValueError, match="graph has 40 points"):
        Isomap().fit(roll.X, graph=neighbors(roll.X[:40], 14))
    with pytest.raises(ValueError, match="graph holds 5 neighbours"):
        Isomap().fit(roll.X, graph=neighbors(roll.X, 5))


def test_models_are_saved_and_loaded(roll, fitted, tmp_path):
    fitted.save(tmp_path / "model")
    again = holonomy.load_model(tmp_path / "model")
    rows = roll.X[:9] + 0.1
    np.testing.assert_array_equal(again.transform(rows), fitted.transform(rows))
    assert again.get_params() == fitted.get_params()
