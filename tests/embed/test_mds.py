"""Multidimensional scaling as an estimator: the contract, recovery by every method, new rows, many rows, bad input."""

import numpy as np
import pytest
from scipy.spatial import procrustes
from scipy.spatial.distance import cdist
from sklearn.datasets import load_iris
from sklearn.utils.estimator_checks import parametrize_with_checks

from holonomy.embed import MDS


@parametrize_with_checks([MDS(random_state=0), MDS(method="classic")])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def plane():
    return np.random.default_rng(0).normal(size=(150, 2))


@pytest.mark.parametrize("method", ["auto", "sgd", "smacof", "classic", "nonmetric"])
def test_a_plane_is_recovered_and_new_rows_find_their_place(plane, method):
    frame = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 2)))[0].T
    model = MDS(method=method, random_state=0).fit(plane[:120] @ frame)
    assert procrustes(plane[:120], model.embedding_)[2] < 1e-3
    assert (model.stress_ is None) == (method == "classic")
    both = np.vstack([model.embedding_, model.transform(plane[120:] @ frame)])
    assert procrustes(plane, both)[2] < 5e-3


def test_rows_are_placed_by_themselves_and_known_ones_where_they_are(plane):
    model = MDS(random_state=0).fit(plane)
    np.testing.assert_array_equal(model.transform(plane), model.embedding_)
    new = plane[:7] + 0.1
    together = model.transform(new)
    for row in range(7):
        np.testing.assert_array_equal(model.transform(new[[row]]), together[[row]])


def test_distances_given_are_as_the_rows():
    X = np.unique(load_iris().data, axis=0)
    rows, given = MDS(random_state=0).fit(X), MDS(metric="precomputed", random_state=0).fit(cdist(X, X))
    np.testing.assert_allclose(rows.embedding_, given.embedding_, atol=1e-5)
    np.testing.assert_allclose(rows.transform(X[:4] + 0.1), given.transform(cdist(X[:4] + 0.1, X)), atol=1e-4)


def test_many_rows_need_no_matrix():
    X = np.random.default_rng(0).normal(size=(6_000, 3)) * [5, 4, 0.5]
    model = MDS(random_state=0).fit(X)
    assert procrustes(X[:, :2], model.embedding_)[2] < 0.02
    assert len(model.anchors_) == 1_000


def test_same_bits_for_any_number_of_threads(plane):
    one, two = (MDS(random_state=0, n_jobs=jobs).fit(plane) for jobs in (1, 2))
    np.testing.assert_array_equal(one.embedding_, two.embedding_)
    np.testing.assert_array_equal(one.transform(plane + 0.1), two.transform(plane + 0.1))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "umap"}, ValueError, "method must be one of"),
        ({"n_components": 0}, ValueError, "n_components must be"),
        ({"weight_power": -1.0}, ValueError, "weight_power must be"),
        ({"metric": "precomputed"}, ValueError, "square"),
        ({"init": "best"}, ValueError, "init must be"),
        ({"method": "smacof", "max_iter": 0}, ValueError, "max_iter must be"),
    ],
)
def test_bad_parameters_are_named(plane, options, error, message):
    with pytest.raises(error, match=message):
        MDS(**options).fit(plane)
