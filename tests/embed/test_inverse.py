"""Rows of data found for places on a map: recovery, cross-entropy, invariances, cost, agreement with umap-learn."""

import time

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits, load_iris

from holonomy.embed import UMAP, decode
from holonomy.embed._inverse_kernels import settle_rows
from holonomy.embed._metric_gradients import CODES
from holonomy.graphs import neighbors, smooth_neighbor_distances


@pytest.fixture(scope="module")
def iris():
    return load_iris().data


@pytest.fixture(scope="module")
def fitted(iris):
    return UMAP(n_epochs=100, random_state=0).fit(iris)


def test_places_of_rows_give_rows_close_to_them(iris, fitted):
    found = fitted.inverse_transform(fitted.embedding_)
    assert found.shape == iris.shape
    assert np.linalg.norm(found - iris, axis=1).mean() < 0.35 * np.linalg.norm(iris - iris.mean(axis=0), axis=1).mean()


@pytest.mark.slow
def test_rows_held_out_are_recovered_better_than_by_umap_learn_and_faster():
    umap = pytest.importorskip("umap")
    X = load_digits().data[::2]
    held_out = np.arange(len(X)) % 12 == 0
    ours = UMAP(random_state=0).fit(X[~held_out])
    theirs = umap.UMAP(random_state=0, n_jobs=1).fit(X[~held_out])
    errors, seconds = [], []
    for model in (ours, theirs):
        model.inverse_transform(model.embedding_[:2])
        places = model.transform(X[held_out])
        began = time.perf_counter()
        errors.append(np.mean((model.inverse_transform(places) - X[held_out]) ** 2))
        seconds.append(time.perf_counter() - began)
    assert errors[0] < errors[1]
    assert seconds[0] < seconds[1] / 5


def test_a_circle_is_decoded_between_its_points():
    t = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    X = np.column_stack([np.cos(t), np.sin(t)])
    places = np.array([[0.513], [2.001], [4.444]])
    rows = decode(places, t[:, None], X, neighbors(X, 8), a=1.58, b=0.9, n_neighbors=4)
    np.testing.assert_allclose(rows, np.hstack([np.cos(places), np.sin(places)]), atol=0.03)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_every_row_goes_downhill(iris, metric):
    sigmas, rhos = (scale.astype(float) for scale in smooth_neighbor_distances(neighbors(iris, 14, metric=metric)))
    rng = np.random.default_rng(0)
    rows, losses = iris[:30] + 0.3 * rng.normal(size=(30, 4)), np.empty((30, 2))
    indices = rng.integers(150, size=(30, 6))
    memberships = rng.uniform(0.2, 1.0, size=(30, 6))
    keys = np.arange(30, dtype=np.uint32)
    goal = (indices, memberships, sigmas, rhos, keys, 20, 1.0, 50, CODES[metric], 2.0, np.ones((1, 1)))
    settle_rows(rows, iris, *goal, losses, 0, 30)
    assert (losses[:, 1] <= losses[:, 0]).all()
    assert (losses[:, 1] < losses[:, 0]).mean() > 0.8
    assert np.isfinite(rows).all()


def test_each_place_is_decoded_by_itself_repeatably_for_any_number_of_threads(iris, fitted):
    places = fitted.embedding_[:90] + 0.1
    together = fitted.inverse_transform(places)
    np.testing.assert_array_equal(fitted.inverse_transform(places), together)
    np.testing.assert_array_equal(fitted.inverse_transform(places[::-1]), together[::-1])
    np.testing.assert_array_equal(fitted.inverse_transform(places[40:41]), together[40:41])
    for jobs in (1, 2):
        other = UMAP(n_epochs=100, random_state=0, n_jobs=jobs).fit(iris)
        np.testing.assert_array_equal(other.inverse_transform(places), together)


def test_units_of_the_data_do_not_matter(iris, fitted):
    places = fitted.embedding_[:20] + 0.05
    arguments = {"a": fitted.a_, "b": fitted.b_}
    one = decode(places, fitted.embedding_, iris, neighbors(iris, 14), **arguments)
    two = decode(places, fitted.embedding_, iris * 1024, neighbors(iris * 1024, 14), **arguments)
    np.testing.assert_allclose(two, one * 1024, rtol=1e-3)


@pytest.mark.parametrize(
    "metric", ["manhattan", "chebyshev", "cosine", "correlation", "minkowski", "canberra", "braycurtis"]
)
def test_other_metrics_are_inverted(iris, metric):
    model = UMAP(metric=metric, metric_kwds={"p": 3} if metric == "minkowski" else None, n_epochs=50, random_state=0)
    found = model.fit(iris).inverse_transform(model.embedding_[:10])
    assert np.linalg.norm(found - iris[:10], axis=1).mean() < 1.0


def test_maps_of_many_dimensions_are_decoded_by_a_local_linear_fit(iris):
    model = UMAP(n_components=10, n_epochs=50, random_state=0).fit(iris)
    found = model.inverse_transform(model.embedding_)
    assert np.linalg.norm(found - iris, axis=1).mean() < 0.5
    flat = np.random.default_rng(0).normal(size=(200, 9))
    X = flat @ np.random.default_rng(1).normal(size=(9, 12))
    rows = decode(flat[:5], flat, X, neighbors(X, 5), a=0.01, b=0.9, n_neighbors=100)
    assert np.abs(rows - X[:5]).mean() < 0.6 * np.abs(X[:5]).mean()


def test_rows_without_a_place_are_ignored():
    X = np.concatenate([np.random.default_rng(0).normal(size=(50, 3)), [[99.0, 99.0, 99.0]]])
    with pytest.warns(UserWarning, match="no neighbours"):
        model = UMAP(disconnection_distance=20.0, n_epochs=20, random_state=0).fit(X)
    assert np.abs(model.inverse_transform(model.embedding_[:9])).max() < 5


def test_time_grows_linearly_with_places(fitted):
    def seconds(m):
        places = np.resize(fitted.embedding_, (m, 2))
        began = time.perf_counter()
        fitted.inverse_transform(places)
        return time.perf_counter() - began

    seconds(10)
    assert min(seconds(4000) for _ in range(3)) < 10 * min(seconds(1000) for _ in range(3)) + 0.1


def test_what_cannot_be_inverted_is_named(iris, fitted):
    with pytest.raises(ValueError, match="sparse, precomputed or combined"):
        UMAP(n_epochs=5, random_state=0).fit(sparse.csr_array(iris)).inverse_transform(fitted.embedding_)
    with pytest.raises(ValueError, match="metric of inverse_transform must be one of"):
        UMAP(metric="hamming", n_epochs=5, random_state=0).fit(iris).inverse_transform(fitted.embedding_)
    with pytest.raises(ValueError, match="transform_mode='graph' makes none"):
        UMAP(transform_mode="graph", random_state=0).fit(iris).inverse_transform(fitted.embedding_)
    with pytest.raises(ValueError, match="places must have 2 columns"):
        fitted.inverse_transform(iris)
    with pytest.raises(ValueError, match="places contains NaN"):
        fitted.inverse_transform([[np.nan, 0.0]])
    with pytest.raises(ValueError, match="not fitted"):
        UMAP().inverse_transform(iris)
