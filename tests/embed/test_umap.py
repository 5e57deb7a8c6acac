"""UMAP as an estimator: the contract, reproducibility, agreement with umap-learn, new rows, and bad input."""

import pickle
import resource
import subprocess
import sys
from pathlib import Path

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
from holonomy.embed import UMAP, output_geometry
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
    expected, sigmas, rhos = umap_.fuzzy_simplicial_set(
        iris, 15, np.random.RandomState(0), "euclidean", knn_indices=indices, knn_dists=distances
    )
    np.testing.assert_allclose(fitted.sigmas_, sigmas, rtol=1e-3)
    np.testing.assert_allclose(fitted.rhos_, rhos, rtol=1e-5)
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


def test_maps_on_the_way_are_kept(iris, fitted):
    y = np.repeat([0, 1, 2], 50)
    model = UMAP(n_epochs=[100, 3], random_state=0).fit(iris)
    np.testing.assert_array_equal(model.embedding_, fitted.embedding_)
    np.testing.assert_array_equal(model.embedding_list_[1], fitted.embedding_)
    gaps = [np.linalg.norm(one - fitted.embedding_) for one in model.embedding_list_]
    assert model.n_epochs_ == 100
    assert gaps[0] > gaps[1] == 0
    other = UMAP(n_epochs=[5, 9], densmap=True, unique=True, dens_frac=1.0, random_state=0, n_jobs=2).fit(iris, y)
    np.testing.assert_array_equal(other.embedding_list_[1], other.embedding_)
    sphere = UMAP(n_epochs=[5, 9], output_metric="haversine", random_state=0).fit(iris)
    np.testing.assert_array_equal(sphere.embedding_list_[1], sphere.embedding_)
    assert not hasattr(model.set_params(n_epochs=4).fit(iris), "embedding_list_")


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


def test_second_fit_forgets_what_only_the_first_had(iris):
    model = UMAP(n_epochs=5, unique=True, random_state=0).fit(iris)
    model.set_params(unique=False, transform_mode="graph").fit(iris)
    assert not hasattr(model, "unique_inverse_")
    assert not hasattr(model, "embedding_")


@pytest.mark.slow
def test_a_thousand_transforms_do_not_grow(iris, fitted):
    fitted.transform(iris[:5] + 0.1)

    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    for _ in range(100):
        fitted.transform(iris[:5] + 0.1)
    before = resident()
    for _ in range(1000):
        fitted.transform(iris[:5] + 0.1)
    assert resident() - before < 4 * 2**20


def test_transform_seed_alone_decides_the_random_numbers_of_transform(iris, fitted):
    new = iris[:20] + 0.1
    other = UMAP(n_epochs=100, random_state=0, transform_seed=7).fit(iris)
    np.testing.assert_array_equal(other.embedding_, fitted.embedding_)
    assert (other.transform(new) != fitted.transform(new)).any()


def test_graph_mode_equals_umap_learn(iris):
    umap = pytest.importorskip("umap")
    X = iris + 1e-3 * np.random.default_rng(0).normal(size=iris.shape)
    ours = UMAP(transform_mode="graph", random_state=0).fit(X)
    theirs = umap.UMAP(transform_mode="graph", n_jobs=1).fit(X)
    assert not hasattr(ours, "embedding_")
    assert len(ours.get_feature_names_out()) == 150
    np.testing.assert_allclose(ours.graph_.toarray(), theirs.graph_.toarray(), atol=1e-4)
    np.testing.assert_allclose(
        ours.transform(X[:9] + 0.05).toarray(), theirs.transform(X[:9] + 0.05).toarray(), atol=1e-3
    )
    assert ours.fit_transform(X).shape == (150, 150)


def test_rows_beyond_the_disconnection_distance_are_cut_off_like_in_umap_learn(iris):
    umap = pytest.importorskip("umap")
    X = np.concatenate([iris + 1e-3 * np.random.default_rng(0).normal(size=iris.shape), np.full((1, 4), 99.0)])
    with pytest.warns(UserWarning, match="1 of 151 rows have no neighbours"):
        ours = UMAP(disconnection_distance=0.8, n_epochs=20, random_state=0).fit(X)
    with pytest.warns(UserWarning, match="edges"):
        theirs = umap.UMAP(disconnection_distance=0.8, transform_mode="graph", n_jobs=1).fit(X).graph_.toarray()
    np.testing.assert_array_equal(ours.graph_.toarray() > 0, theirs > 0)
    # umap-learn counts every edge of a row fully once one of them is cut, because its mean distance is infinite then.
    whole = np.isfinite(ours.knn_.distances).all(axis=1)
    np.testing.assert_allclose(ours.graph_.toarray()[whole][:, whole], theirs[whole][:, whole], atol=1e-3)
    assert np.isnan(ours.embedding_[-1]).all()
    assert np.isfinite(ours.embedding_[:-1]).all()
    placed = ours.transform(np.concatenate([X[:3] + 0.01, np.full((1, 4), 50.0), np.full((1, 4), 99.1)]))
    assert np.isfinite(placed[:3]).all()
    assert np.isnan(placed[3:]).all()


def test_sets_with_nothing_in_common_are_not_neighbours():
    X = np.zeros((60, 60), dtype=np.float32)
    rng = np.random.default_rng(0)
    for row in range(60):
        X[row, rng.choice(30, 6, replace=False) + 30 * (row % 2)] = 1
    graph = UMAP(metric="jaccard", n_epochs=10, random_state=0).fit(X).graph_
    assert graph[::2][:, 1::2].nnz == 0


def test_rows_are_mapped_once_where_unique(iris):
    distinct = np.unique(iris, axis=0)
    X = np.concatenate([distinct, distinct[:40]])
    plain = UMAP(n_epochs=50, random_state=0).fit(distinct)
    for given in (X, sparse.csr_array(X)):
        model = UMAP(n_epochs=50, random_state=0, unique=True).fit(given, None)
        np.testing.assert_array_equal(model.embedding_, plain.embedding_[model.unique_inverse_])
        np.testing.assert_array_equal(model.transform(X[:7]), plain.embedding_[:7])
    assert model.graph_.shape == (len(distinct),) * 2
    labelled = UMAP(n_epochs=20, random_state=0, unique=True).fit(X, X[:, 0] > 5.5)
    assert labelled.embedding_.shape == (len(X), 2)


def test_precomputed_neighbours_give_the_same_map(iris, fitted):
    own = np.arange(150)[:, None]
    knn = (
        np.hstack([own, fitted.knn_.indices]),
        np.hstack([np.zeros_like(own, dtype=np.float32), fitted.knn_.distances]),
    )
    again = UMAP(n_epochs=100, random_state=0, precomputed_knn=knn).fit(iris)
    np.testing.assert_array_equal(again.embedding_, fitted.embedding_)
    np.testing.assert_array_equal(again.transform(iris[:4] + 0.1), fitted.transform(iris[:4] + 0.1))


def test_update_adds_rows_and_keeps_the_map_where_it_is(iris):
    rng = np.random.default_rng(0)
    order = rng.permutation(150)
    old, new = iris[order[:120]], iris[order[120:]]
    model = UMAP(n_epochs=200, random_state=0).fit(old)
    before = model.embedding_.copy()
    assert model.update(new) is model
    assert model.embedding_.shape == (150, 2)
    assert model.graph_.shape == (150, 150)
    extent = np.ptp(before, axis=0).max()
    assert np.median(np.linalg.norm(model.embedding_[:120] - before, axis=1)) < 0.1 * extent
    together = UMAP(n_epochs=200, random_state=0).fit(np.concatenate([old, new]))
    np.testing.assert_array_equal(model.graph_.toarray(), together.graph_.toarray())
    rows = np.concatenate([old, new])
    assert trustworthiness(rows, model.embedding_) > trustworthiness(rows, together.embedding_) - 0.02
    np.testing.assert_array_equal(model.transform(rows[-3:]), model.embedding_[-3:])


def test_update_of_supervised_models(iris):
    y = load_iris().target
    rows = np.arange(150) % 5 > 0
    for labels in (y[~rows], None):
        model = UMAP(n_epochs=60, random_state=0).fit(iris[rows], y[rows]).update(iris[~rows], labels)
        assert label_agreement(model.embedding_, np.concatenate([y[rows], y[~rows]])) > 0.95
    with pytest.raises(ValueError, match="y must be left out"):
        UMAP(n_epochs=5, random_state=0).fit(iris[rows]).update(iris[~rows], y[~rows])
    metric = UMAP(n_epochs=5, target_metric="euclidean", random_state=0).fit(iris[rows], y[rows].astype(float))
    with pytest.raises(ValueError, match="y must be given"):
        metric.update(iris[~rows])


@pytest.mark.parametrize("parameters", [{"metric": "precomputed"}, {"unique": True}, {"transform_mode": "graph"}])
def test_update_refuses_what_it_cannot_extend(iris, parameters):
    X = cdist(iris, iris) if "metric" in parameters else iris
    with pytest.raises(ValueError, match="update needs the rows"):
        UMAP(n_epochs=5, random_state=0, **parameters).fit(X).update(X[:3])


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_a_handful_of_rows_is_mapped(iris, n):
    model = UMAP(n_neighbors=min(n, 4), n_epochs=20, random_state=0).fit(iris[:n])
    assert np.isfinite(model.embedding_).all()
    assert np.isfinite(model.transform(iris[:3] + 0.1)).all()


def test_duplicates_and_ties_give_the_same_map_for_any_number_of_threads():
    X = np.repeat(np.array([[i, j] for i in range(8) for j in range(8)], dtype=float), 3, axis=0)
    maps = [UMAP(n_epochs=30, random_state=0, n_jobs=jobs).fit_transform(X) for jobs in (1, 2, 3)]
    for other in maps[1:]:
        np.testing.assert_array_equal(other, maps[0])
    assert len(np.unique(maps[0], axis=0)) == len(X)


def test_more_sure_neighbours_make_more_sure_edges(iris):
    one, three = (UMAP(local_connectivity=c, transform_mode="graph").fit(iris).graph_ for c in (1, 3))
    assert (three.data == 1).sum() > 1.5 * (one.data == 1).sum()


@pytest.mark.parametrize(
    ("metric", "dim"),
    [
        ("haversine", 2),
        ("hyperboloid", 2),
        ("gaussian_energy", 5),
        ("diagonal_gaussian_energy", 4),
        ("spherical_gaussian_energy", 3),
        ("manhattan", 2),
        ("cosine", 3),
    ],
)
def test_maps_in_other_spaces_keep_neighbours_and_place_new_rows(iris, metric, dim):
    y = load_iris().target
    model = UMAP(output_metric=metric, n_components=dim, n_epochs=200, random_state=0).fit(iris)
    space = output_geometry(metric, None, dim)

    def agreement(places, labels):
        nearest, _ = space.nearest(places, model.embedding_.astype(float), 8)
        return np.mean(y[nearest[:, 1:]] == labels[:, None])

    assert model.embedding_.dtype == np.float32
    # Directions have less room than the other spaces: umap-learn reaches 0.83 there and 0.94 elsewhere.
    assert agreement(model.embedding_.astype(float), y) > (0.83 if metric == "cosine" else 0.9)
    new = iris[::3] + 0.02 * np.random.default_rng(0).normal(size=(50, 4))
    placed = model.transform(new)
    np.testing.assert_array_equal(model.transform(new[::-1]), placed[::-1])
    assert agreement(placed.astype(float), y[::3]) > 0.85
    np.testing.assert_array_equal(
        UMAP(output_metric=metric, n_components=dim, n_epochs=200, random_state=0, n_jobs=1).fit_transform(iris),
        model.embedding_,
    )
    found = model.inverse_transform(model.embedding_[::10])
    assert np.linalg.norm(found - iris[::10], axis=1).mean() < 1.0


def test_maps_in_other_spaces_start_where_they_are_told_and_are_updated(iris):
    first = UMAP(output_metric="hyperboloid", n_epochs=50, random_state=0).fit(iris[:120])
    again = UMAP(output_metric="hyperboloid", n_epochs=2, learning_rate=0.01, init=first.embedding_, random_state=0)
    again.fit(iris[:120])
    assert again.init_used_ == "given"
    space = output_geometry("hyperboloid", None, 2)
    moved = space.distances(again.embedding_.astype(float), first.embedding_.astype(float)).diagonal()
    assert moved.max() < 0.2
    first.update(iris[120:])
    assert np.isfinite(first.embedding_).all()


def test_places_on_the_sphere_are_latitudes_and_longitudes(iris):
    latitude, longitude = UMAP(output_metric="haversine", n_epochs=50, random_state=0).fit_transform(iris).T
    assert np.abs(latitude).max() <= np.pi / 2
    assert np.abs(longitude).max() <= np.pi


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


@pytest.mark.parametrize("metric", ["cosine", "correlation", "manhattan", "hellinger", "mahalanobis", "ll_dirichlet"])
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
        ({"n_epochs": [5, 0]}, ValueError, "n_epochs must be at least 1"),
        ({"n_epochs": []}, ValueError, "n_epochs must be a number or a list"),
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
        ({"output_metric": "nonsense"}, ValueError, "output_metric must be one of"),
        ({"output_metric": "haversine", "n_components": 3}, ValueError, "has 2 coordinates"),
        ({"transform_mode": "both"}, ValueError, "transform_mode must be one of"),
        ({"transform_seed": -1}, ValueError, "random_state must lie in"),
        ({"disconnection_distance": "far"}, TypeError, "disconnection_distance must be a number"),
        ({"precomputed_knn": 3}, TypeError, "precomputed_knn must be a tuple"),
        ({"unique": True, "precomputed_knn": (0, 0)}, ValueError, "unique=True needs the rows themselves"),
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
