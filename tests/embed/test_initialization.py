"""Starts of a layout: spectral, principal, random, given, and several components."""

import time

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import PCA

from holonomy.embed import initial_layout
from holonomy.graphs import connected_components, fuzzy_simplicial_set, neighbors


def graph_of(X, k=8):
    return fuzzy_simplicial_set(neighbors(X, k))


def test_spectral_start_unrolls_a_circle():
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    X = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(200)])
    start, used = initial_layout("spectral", graph_of(X), X, 2, seed=0)
    assert used == "spectral"
    assert start.min() >= 0
    np.testing.assert_allclose(start.max(axis=0), 10)
    radius = np.linalg.norm(start - 5, axis=1)
    assert radius.std() / radius.mean() < 0.05


def test_components_start_apart():
    rng = np.random.default_rng(0)
    for n_parts in (2, 3, 5):
        X = np.concatenate([rng.normal(size=(40, 3)) + 100 * c for c in range(n_parts)])
        affinity = graph_of(X)
        assert connected_components(affinity)[0] == n_parts
        start, used = initial_layout("spectral", affinity, X, 2, seed=0)
        labels = np.repeat(np.arange(n_parts), 40)
        centres = np.stack([start[labels == c].mean(axis=0) for c in range(n_parts)])
        gaps = np.linalg.norm(centres[:, None] - centres, axis=-1)[~np.eye(n_parts, dtype=bool)]
        assert used == "spectral"
        assert gaps.min() > 0.5


def test_hundreds_of_components_start_quickly_and_apart():
    pairs = sparse.block_diag([np.array([[0.0, 1.0], [1.0, 0.0]])] * 400, format="csr")
    X = np.repeat(np.random.default_rng(0).normal(size=(400, 3)), 2, axis=0)
    began = time.perf_counter()
    start, used = initial_layout("spectral", sparse.csr_array(pairs), X, 2, seed=0)
    assert time.perf_counter() - began < 5
    assert used == "spectral"
    assert np.isfinite(start).all()
    assert len(np.unique(start, axis=0)) == 800


def test_both_names_of_the_spectral_start_give_it():
    X = np.random.default_rng(0).normal(size=(60, 3))
    (one, used), (two, also) = (initial_layout(name, graph_of(X), X, 2, seed=0) for name in ("spectral", "tswspectral"))
    assert used == also == "spectral"
    np.testing.assert_array_equal(one, two)


def test_components_of_a_precomputed_matrix_start_apart():
    X = np.concatenate([np.random.default_rng(0).normal(size=(30, 3)) + 100 * c for c in range(4)])
    for dim in (1, 2):
        start, _ = initial_layout("spectral", graph_of(X), None, dim, seed=0)
        centres = start.reshape(4, 30, dim).mean(axis=1)
        assert np.linalg.norm(centres[:, None] - centres, axis=-1)[~np.eye(4, dtype=bool)].min() > 0.5


@pytest.mark.parametrize("shape", [(80, 6), (20, 50)])
def test_pca_start_is_pca(shape):
    X = np.random.default_rng(1).normal(size=shape) @ np.diag(np.linspace(3, 1, shape[1]))
    start, used = initial_layout("pca", graph_of(X), X, 2, seed=0)
    expected = PCA(2).fit_transform(X)
    assert used == "pca"
    for axis in range(2):
        assert abs(np.corrcoef(start[:, axis], expected[:, axis])[0, 1]) > 0.999


def test_pca_start_of_sparse_points_and_of_few_columns():
    X = sparse.random(60, 12, density=0.5, random_state=0, format="csr")
    start, used = initial_layout("pca", graph_of(X.toarray()), X, 2, seed=0)
    assert used == "pca"
    assert np.isfinite(start).all()
    line = np.arange(30.0)[:, None]
    assert np.isfinite(initial_layout("pca", graph_of(line), line, 3, seed=0)[0]).all()


def test_unconverged_spectrum_falls_back_and_says_so(monkeypatch):
    monkeypatch.setattr("holonomy.embed.initialization.MAX_PRODUCTS", 1)
    X = np.column_stack([np.linspace(0, 1, 900), np.zeros(900)])
    affinity = graph_of(X, 3)
    assert initial_layout("spectral", affinity, X, 2, seed=0)[1] == "pca"
    assert initial_layout("spectral", affinity, None, 2, seed=0)[1] == "random"


def test_random_and_given_starts():
    X = np.random.default_rng(2).normal(size=(50, 3))
    one, two = (initial_layout("random", graph_of(X), X, 2, seed=s)[0] for s in (1, 2))
    assert not np.array_equal(one, two)
    given, used = initial_layout(one, graph_of(X), X, 2, seed=0)
    np.testing.assert_array_equal(given, one)
    assert used == "given"


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ("magic", "init must be an array or one of"),
        (np.zeros((3, 2)), "init must have shape"),
        (np.full((50, 2), np.nan), "init contains NaN"),
    ],
)
def test_bad_input_is_named(init, message):
    X = np.random.default_rng(2).normal(size=(50, 3))
    with pytest.raises(ValueError, match=message):
        initial_layout(init, graph_of(X), X, 2, seed=0)


def test_pca_needs_points():
    X = np.random.default_rng(2).normal(size=(50, 3))
    with pytest.raises(ValueError, match="needs points"):
        initial_layout("pca", graph_of(X), None, 2, seed=0)
