"""Targets against umap-learn's treatment of them, their limits, and bad input."""

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import poisson
from sklearn.datasets import load_iris

from holonomy.embed import UMAP, supervised_graph
from holonomy.graphs import fuzzy_simplicial_set, neighbors, restore_connectivity
from holonomy.measure import label_agreement

X, LABELS = load_iris(return_X_y=True)
X = X + 1e-3 * np.random.default_rng(0).normal(size=X.shape)


@pytest.fixture(scope="module")
def graph():
    return fuzzy_simplicial_set(neighbors(X, 14))


def reference(y, **parameters):
    umap = pytest.importorskip("umap")
    return sparse.csr_array(umap.UMAP(transform_mode="graph", n_jobs=1, **parameters).fit(X, y).graph_).toarray()


@pytest.mark.parametrize("weight", [0.1, 0.5, 1.0])
def test_categories_equal_umap_learn(graph, weight):
    y = np.where(np.arange(150) % 4 == 0, -1, LABELS)
    got = supervised_graph(graph, y, target_weight=weight).toarray()
    np.testing.assert_allclose(got, reference(y, target_weight=weight), atol=1e-4)


def test_ordinal_targets_equal_umap_learn(graph):
    y = np.round(3 * X[:, 2]).astype(int)
    got = supervised_graph(graph, y, target_metric="ordinal").toarray()
    np.testing.assert_allclose(got, reference(y, target_metric="ordinal"), atol=1e-4)


def test_counts_differ_by_how_surprising_they_are(graph):
    # umap-learn lets the factorial lag one step behind, so its distance depends on the order of the ends.
    y = np.round(3 * X[:, 2]).astype(int)
    surprise = -poisson.logpmf(np.arange(y.max()), y.mean())
    between = np.array([[surprise[min(a, b) : max(a, b)].sum() for a in y] for b in y])
    weakened = graph.toarray() * np.exp(-5.0 * 2.0 * between / between.max())
    expected = restore_connectivity(weakened).toarray()
    np.testing.assert_allclose(supervised_graph(graph, y, target_metric="count").toarray(), expected, rtol=1e-4)


def test_texts_equal_umap_learn(graph):
    y = np.array(["setosa", "versicolor", "virginica"])[LABELS]
    got = supervised_graph(graph, y, target_metric="string").toarray()
    np.testing.assert_allclose(got, reference(y, target_metric="string"), atol=1e-4)


@pytest.mark.parametrize("weight", [0.2, 0.5, 0.8])
def test_metric_targets_equal_umap_learn(graph, weight):
    y = X[:, 2] + X[:, 3] + 1e-3 * np.random.default_rng(1).normal(size=150)
    got = supervised_graph(graph, y, target_metric="euclidean", target_weight=weight).toarray()
    np.testing.assert_allclose(got, reference(y, target_metric="euclidean", target_weight=weight), atol=2e-3)


def test_targets_of_several_columns(graph):
    y = np.column_stack([X[:, 2], X[:, 3]])
    got = supervised_graph(graph, y, target_metric="manhattan", target_n_neighbors=5)
    np.testing.assert_array_equal(got.toarray(), got.toarray().T)
    assert got.max() == 1.0


def test_text_numbers_and_missing_categories_are_the_same_categories(graph):
    codes = supervised_graph(graph, np.where(LABELS == 1, -1, LABELS))
    names = np.array(["a", None, "c"], dtype=object)[LABELS]
    floats = np.array([0.0, np.nan, 2.0])[LABELS]
    for y in (names, list(names), floats):
        np.testing.assert_array_equal(supervised_graph(graph, y).toarray(), codes.toarray())


def test_unknown_labels_alone_leave_the_graph_as_it_is(graph):
    unknown = supervised_graph(graph, np.full(150, -1))
    np.testing.assert_allclose(
        unknown.toarray(), supervised_graph(graph, np.zeros(150)).toarray(), rtol=1e-5, atol=1e-7
    )


def test_more_target_weight_weakens_edges_between_classes(graph):
    between = LABELS[:, None] != LABELS
    sums = [
        supervised_graph(graph, LABELS, target_weight=weight).toarray()[between].sum() for weight in (0.0, 0.5, 0.9)
    ]
    assert sums == sorted(sums, reverse=True)


@pytest.mark.parametrize(
    ("y", "parameters", "message"),
    [
        (LABELS[:5], {}, "y must hold one target for each of the 150 rows"),
        (np.zeros((150, 2)), {}, r"y must have shape \(150,\)"),
        (LABELS, {"target_weight": 2.0}, "target_weight must be in"),
        (LABELS, {"target_metric": "nonsense"}, "metric must be one of"),
        (np.full(150, np.nan), {"target_metric": "euclidean"}, "y contains NaN"),
        (LABELS - 1, {"target_metric": "count"}, "counts of at least 0"),
        (LABELS, {"target_metric": "euclidean", "target_n_neighbors": 0}, "target_n_neighbors must be at least 1"),
    ],
)
def test_bad_targets_are_named(graph, y, parameters, message):
    with pytest.raises(ValueError, match=message):
        supervised_graph(graph, y, **parameters)


def test_supervised_map_separates_classes_and_places_new_rows_among_them():
    rows = np.arange(150) % 3 > 0
    model = UMAP(n_epochs=100, random_state=0).fit(X[rows], np.array(["x", "y", "z"])[LABELS[rows]])
    assert label_agreement(model.embedding_, LABELS[rows]) > 0.98
    nearest = np.linalg.norm(model.transform(X[~rows])[:, None] - model.embedding_, axis=2).argmin(axis=1)
    assert np.mean(LABELS[rows][nearest] == LABELS[~rows]) > 0.9


def test_partly_labelled_rows_help():
    plain = UMAP(n_epochs=100, random_state=0).fit(X)
    partly = UMAP(n_epochs=100, random_state=0).fit(X, np.where(np.arange(150) % 2, -1, LABELS))
    assert label_agreement(partly.embedding_, LABELS) > label_agreement(plain.embedding_, LABELS)


def test_metric_targets_order_the_map():
    y = X[:, 2]
    model = UMAP(n_epochs=100, target_metric="euclidean", target_weight=0.9, random_state=0).fit(X, y)
    nearest = np.linalg.norm(model.embedding_[:, None] - model.embedding_, axis=2).argsort(axis=1)[:, 1:6]
    plain = UMAP(n_epochs=100, random_state=0).fit(X).embedding_
    plain_nearest = np.linalg.norm(plain[:, None] - plain, axis=2).argsort(axis=1)[:, 1:6]
    assert np.abs(y[nearest] - y[:, None]).mean() < 0.8 * np.abs(y[plain_nearest] - y[:, None]).mean()
