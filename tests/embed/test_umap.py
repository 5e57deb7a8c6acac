"""UMAP as an estimator: the contract, reproducibility, agreement with umap-learn, new rows, and bad input."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import holonomy
from holonomy.embed import UMAP
from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure import label_agreement, trustworthiness


@parametrize_with_checks([UMAP(n_epochs=20, random_state=0)])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def iris():
    return load_iris().data


@pytest.fixture(scope="module")
def fitted(iris):
    return UMAP(n_epochs=100, random_state=0).fit(iris)


def test_same_seed_same_bits_for_any_number_of_threads(iris, fitted):
    for jobs in (1, 2, -1):
        again = UMAP(n_epochs=100, random_state=0, n_jobs=jobs).fit(iris)
        np.testing.assert_array_equal(again.embedding_, fitted.embedding_)
        np.testing.assert_array_equal(again.transform(iris[:9] + 0.03), fitted.transform(iris[:9] + 0.03))


@pytest.mark.slow
def test_same_bits_in_another_process(iris, fitted):
    code = (
        "import sys; from sklearn.datasets import load_iris; from holonomy.embed import UMAP;"
        "sys.stdout.buffer.write(UMAP(n_epochs=100, random_state=0).fit_transform(load_iris().data).tobytes())"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert out == fitted.embedding_.tobytes()


@pytest.mark.slow
def test_digits_map_is_as_good_as_umap_learn():
    umap = pytest.importorskip("umap")
    X, y = load_digits(return_X_y=True)
    ours = UMAP(random_state=0).fit_transform(X)
    theirs = umap.UMAP(random_state=0, n_jobs=1).fit_transform(X)
    assert label_agreement(ours, y) >= label_agreement(theirs, y) - 0.01
    assert trustworthiness(X, ours) >= trustworthiness(X, theirs) - 0.005


def test_graph_equals_umap_learn(iris, fitted):
    umap_ = pytest.importorskip("umap.umap_")
    own = np.arange(len(iris))[:, None]
    indices = np.hstack([own, fitted.knn_.indices])
    distances = np.hstack([np.zeros_like(own, dtype=np.float32), fitted.knn_.distances])
    expected, _, _ = umap_.fuzzy_simplicial_set(
        iris, 15, np.random.RandomState(0), "euclidean", knn_indices=indices, knn_dists=distances
    )
    assert np.abs((fitted.graph_ - sparse.csr_array(expected)).toarray()).max() < 1e-4


def test_rotation_and_scaling_of_the_data_leave_the_graph(iris):
    X = iris + 1e-3 * np.random.default_rng(0).normal(size=iris.shape)
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
    one, two = (UMAP(n_epochs=1, random_state=0).fit(Z).graph_ for Z in (X, 7 * X @ rotation + 3))
    np.testing.assert_allclose(one.toarray(), two.toarray(), atol=2e-4)


def test_fitted_attributes(fitted):
    assert fitted.embedding_.shape == (150, 2)
    assert fitted.embedding_.dtype == np.float32
    assert fitted.init_used_ == "spectral"
    assert fitted.n_epochs_ == 100
    assert fitted.recall_ == 1.0
    np.testing.assert_allclose((fitted.a_, fitted.b_), (1.577, 0.895), atol=1e-3)
    assert fitted.knn_.n_neighbors == 14
    assert list(fitted.get_feature_names_out()) == ["umap0", "umap1"]


def test_default_epochs_depend_on_size(iris):
    assert UMAP(random_state=0).fit(iris[:40]).n_epochs_ == 500


def test_given_neighbours_are_used(iris, fitted):
    graph = neighbors(iris, 20)
    again = UMAP(n_epochs=100, random_state=0).fit(iris, graph=graph)
    np.testing.assert_array_equal(again.embedding_, fitted.embedding_)
    np.testing.assert_array_equal(again.transform(iris[:4] + 0.1), fitted.transform(iris[:4] + 0.1))


def test_precomputed_distances_give_the_same_graph(iris):
    X = iris + 1e-3 * np.random.default_rng(0).normal(size=iris.shape)
    D = cdist(X, X)
    given = UMAP(metric="precomputed", n_epochs=30, random_state=0).fit(D)
    points = UMAP(n_epochs=30, random_state=0).fit(X)
    np.testing.assert_allclose(given.graph_.toarray(), points.graph_.toarray(), atol=1e-5)
    assert given.transform(cdist(X[:5] + 0.01, X)).shape == (5, 2)


def test_sparse_rows_equal_dense_rows(iris, fitted):
    given = UMAP(n_epochs=100, random_state=0).fit(sparse.csr_matrix(iris))
    np.testing.assert_array_equal(given.embedding_, fitted.embedding_)


def test_transform_places_each_row_by_itself_and_repeatably(iris, fitted):
    new = iris + 0.05 * np.random.default_rng(3).normal(size=iris.shape)
    together = fitted.transform(new)
    np.testing.assert_array_equal(fitted.transform(new), together)
    np.testing.assert_array_equal(fitted.transform(new[40:41]), together[40:41])
    np.testing.assert_array_equal(fitted.transform(new[::-1]), together[::-1])


def test_transform_places_new_rows_among_their_neighbours(iris, fitted):
    new = iris + 0.02 * np.random.default_rng(3).normal(size=iris.shape)
    gap = np.linalg.norm(fitted.transform(new) - fitted.embedding_, axis=1)
    assert np.median(gap) < 0.15 * fitted.embedding_.std(axis=0).max()


def test_known_rows_keep_their_place(iris, fitted):
    unique, first = np.unique(iris, axis=0, return_index=True)
    np.testing.assert_array_equal(fitted.transform(unique), fitted.embedding_[first])


def test_second_fit_is_independent_of_the_first(iris, fitted):
    model = UMAP(n_epochs=100, random_state=0).fit(iris[:60])
    model.fit(iris)
    np.testing.assert_array_equal(model.embedding_, fitted.embedding_)


def test_pickle_clone_pipeline_and_citation(iris, fitted):
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(again.transform(iris[:3] + 0.1), fitted.transform(iris[:3] + 0.1))
    assert clone(fitted).get_params() == fitted.get_params()
    pipeline = make_pipeline(StandardScaler(), UMAP(n_epochs=20, random_state=0)).fit(iris)
    assert pipeline.transform(iris[:2]).shape == (2, 2)
    assert "1802.03426" in holonomy.citation(fitted)


def test_data_frames_in_and_out(iris):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(iris, columns=list("abcd"))
    out = UMAP(n_epochs=20, random_state=0).set_output(transform="pandas").fit_transform(frame)
    assert list(out.columns) == ["umap0", "umap1"]


def test_disconnected_data_are_mapped_apart():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(60, 5)), 1000 + rng.normal(size=(60, 5))])
    Z = UMAP(random_state=0, n_epochs=200).fit_transform(X)
    assert np.isfinite(Z).all()
    assert label_agreement(Z, np.repeat([0, 1], 60)) == 1.0


@pytest.mark.parametrize("n_components", [1, 3, 10])
def test_any_number_of_dimensions(iris, n_components):
    assert UMAP(n_components=n_components, n_epochs=20, random_state=0).fit_transform(iris).shape == (150, n_components)


@pytest.mark.parametrize("kind", ["equal", "constant_column", "duplicates", "tiny"])
def test_degenerate_data_give_finite_maps(iris, kind):
    X = {
        "equal": np.ones((40, 3)),
        "constant_column": np.column_stack([iris[:, 0], np.ones(150)]),
        "duplicates": np.repeat(iris[:20], 5, axis=0),
        "tiny": iris[:5],
    }[kind]
    model = UMAP(n_neighbors=min(15, len(X)), n_epochs=50, random_state=0)
    assert np.isfinite(model.fit_transform(X)).all()
    assert np.isfinite(model.transform(X[:2] + 0.5)).all()


@pytest.mark.parametrize("metric", ["cosine", "correlation", "manhattan", "chebyshev"])
def test_metrics_fit_and_transform(iris, metric):
    model = UMAP(metric=metric, n_epochs=20, random_state=0).fit(iris)
    placed = model.transform(iris[:5] + 0.1)
    assert np.isfinite(placed).all()
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(again.transform(iris[:5] + 0.1), placed)


def test_more_neighbours_than_rows_are_reduced_with_a_warning(iris):
    with pytest.warns(UserWarning, match="n_neighbors=15 is more than the 9 rows"):
        assert UMAP(n_epochs=10, random_state=0).fit_transform(iris[:9]).shape == (9, 2)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_neighbors": 1}, ValueError, "n_neighbors must be at least 2"),
        ({"n_neighbors": 2.5}, TypeError, "n_neighbors must be an integer"),
        ({"n_components": 0}, ValueError, "n_components must be at least 1"),
        ({"n_components": "two"}, TypeError, "n_components must be an integer"),
        ({"min_dist": 2.0}, ValueError, "min_dist must not exceed spread"),
        ({"n_epochs": 0}, ValueError, "n_epochs must be at least 1"),
        ({"learning_rate": -1.0}, ValueError, "learning_rate must be at least 0"),
        ({"set_op_mix_ratio": 1.5}, ValueError, "set_op_mix_ratio must be in"),
        ({"local_connectivity": -1.0}, ValueError, "local_connectivity must be"),
        ({"negative_sample_rate": -1}, ValueError, "negative_sample_rate must be at least 0"),
        ({"repulsion_strength": -1.0}, ValueError, "repulsion_strength must be at least 0"),
        ({"metric": "euclidian"}, ValueError, "metric must be one of"),
        ({"init": "magic"}, ValueError, "init must be"),
        ({"init": np.zeros((3, 2))}, ValueError, "init must have shape"),
        ({"a": 1.0}, ValueError, "a and b must be given together"),
        ({"random_state": -1}, ValueError, "random_state must lie in"),
        ({"random_state": "seed"}, TypeError, "random_state must be"),
        ({"n_jobs": 0}, ValueError, "n_jobs must not be 0"),
    ],
)
def test_bad_parameters_are_named(iris, parameters, error, message):
    with pytest.raises(error, match=message):
        UMAP(**parameters).fit(iris)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.array([[0.0, np.nan], [1, 2], [3, 4]]), "NaN"),
        (np.array([[0.0, np.inf], [1, 2], [3, 4]]), "infinity"),
        (np.ones((1, 3)), "minimum of 2 is required"),
        (np.ones((0, 3)), "0 sample"),
        (np.ones(5), "2D array"),
        ([["a", "b"], ["c", "d"]], "could not convert"),
        ([[1.0, 2.0], [3.0]], "inhomogeneous"),
    ],
)
def test_bad_data_are_named(X, message):
    with pytest.raises(ValueError, match=message):
        UMAP().fit(X)


def test_precomputed_matrix_must_be_square(iris):
    with pytest.raises(ValueError, match="must be square"):
        UMAP(metric="precomputed").fit(iris)


def test_bad_graphs_are_named(iris):
    with pytest.raises(TypeError, match="must be a NeighborGraph"):
        UMAP().fit(iris, graph=np.ones((150, 14)))
    with pytest.raises(ValueError, match="graph has 40 points"):
        UMAP().fit(iris, graph=neighbors(iris[:40], 14))
    with pytest.raises(ValueError, match="graph holds 5 neighbours"):
        UMAP().fit(iris, graph=neighbors(iris, 5))
    assert isinstance(neighbors(iris, 5), NeighborGraph)


def test_transform_needs_a_fit_and_the_same_columns(iris, fitted):
    with pytest.raises(ValueError, match="not fitted"):
        UMAP().transform(iris)
    with pytest.raises(ValueError, match="3 features"):
        fitted.transform(iris[:, :3])
