"""The layout on a torch device: the compiled one as its oracle, closed forms, quality, reproducibility, bad input."""

import pickle

import numba
import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris

import holonomy
from holonomy.embed import UMAP, AlignedUMAP, LayoutOptions, fit_curve, initial_layout, optimize_layout
from holonomy.embed._layout_kernels import scramble
from holonomy.embed._torch_layout import scrambled, torch_layout
from holonomy.graphs import fuzzy_simplicial_set, neighbors
from holonomy.measure import label_agreement, trustworthiness

A, B = fit_curve()
CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # small tensors only wait for further threads
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:500], y[:500]


@pytest.fixture(scope="module")
def fitted(digits):
    return UMAP(n_epochs=200, random_state=0, device="cpu").fit(digits[0])


def pair(weight=1.0):
    return sparse.csr_array(np.array([[0, weight], [weight, 0]], dtype=np.float32))


def laid_out(graph, start, seed=0, kept=(), **options):
    return torch_layout(graph, start, LayoutOptions(A, B, **options), device=CPU, random_state=seed, kept=kept)


def test_random_numbers_are_those_of_the_compiled_layout():
    numbers = np.random.default_rng(0).integers(0, 2**32, size=1000, dtype=np.uint32)
    expected = numba.vectorize(lambda h: np.uint32(scramble(h)))(numbers)
    np.testing.assert_array_equal(scrambled(torch.from_numpy(numbers.astype(np.int64))).numpy(), expected)


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_a_few_epochs_are_those_of_the_compiled_layout(dim):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6))
    graph = fuzzy_simplicial_set(neighbors(X, 10)).tolil()
    # A hub has several groups of pulls in a round, and of pushes in an epoch.
    graph[7, 20:] = graph[20:, 7] = 0.8
    graph = sparse.csr_array(graph.tocsr(), dtype=np.float32)
    # Strong forces between near points make rounding grow, so there is room on the line, and the epochs are few.
    start = rng.uniform(0, 300 if dim == 1 else 10, size=(300, dim))
    options = LayoutOptions(A, B, n_epochs=4, learning_rate=0.3, repulsion_strength=0.7)
    expected = optimize_layout(graph, start, options, random_state=5)
    found, _ = torch_layout(graph, start, options, device=CPU, random_state=5)
    gaps = np.abs(found - expected).max(axis=1)
    assert np.abs(expected - start).max() > 1
    assert np.median(gaps) < 1e-5
    assert np.mean(gaps < 1e-3) > 0.98


def test_a_pull_is_the_gradient_of_the_cross_entropy():
    start = np.array([[0.0, 0.0], [1.5, 2.0]])
    moved, _ = laid_out(pair(), start, n_epochs=2, learning_rate=1e-3, negative_sample_rate=0)
    # d/dx of log(1 + a d^2b), the cross-entropy of a sure edge, in closed form.
    squared = 1.5**2 + 2**2
    gradient = 2 * A * B * squared ** (B - 1) / (1 + A * squared**B) * (start[0] - start[1])
    # The edge is first sampled in the second epoch, at half the step, once from each of its ends.
    np.testing.assert_allclose(moved[0] - start[0], -2 * 0.5e-3 * gradient, rtol=1e-3)
    np.testing.assert_allclose(moved.mean(axis=0), start.mean(axis=0), atol=1e-6)


def test_a_push_is_the_gradient_of_the_cross_entropy():
    start = np.array([[0.0, 0.0], [1.5, 2.0]])
    runs = [
        laid_out(pair(), start, n_epochs=2, learning_rate=1e-3, negative_sample_rate=n, repulsion_strength=3.0)[0]
        for n in (0, 1)
    ]
    # d/dx of -log(1 - 1 / (1 + a d^2b)), the cross-entropy of a pair that is no edge; the published 0.001 in the
    # denominator changes it by less than the tolerance.
    squared = 1.5**2 + 2**2
    gradient = -2 * B / (squared * (1 + A * squared**B)) * (start[0] - start[1])
    # Each point has one sampled edge in the second epoch, and the only other point to be pushed off.
    np.testing.assert_allclose(runs[1][0] - runs[0][0], -3 * 0.5e-3 * gradient, rtol=2e-3)


def test_digits_map_is_as_good_as_the_compiled_one(digits, fitted):
    X, y = digits
    compiled = UMAP(n_epochs=200, random_state=0).fit(X)
    np.testing.assert_array_equal(fitted.graph_.toarray(), compiled.graph_.toarray())
    ours, theirs = fitted.embedding_, compiled.embedding_
    assert ours.dtype == np.float32
    assert abs(trustworthiness(X, ours) - trustworthiness(X, theirs)) < 0.01
    assert abs(label_agreement(ours, y) - label_agreement(theirs, y)) < 0.02


def test_same_seed_same_map(digits, fitted):
    graph = fitted.graph_
    start, _ = initial_layout("spectral", graph, digits[0], 2, 0)
    one, two, other = (laid_out(graph, start, seed=seed, n_epochs=20)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 0.01


def test_maps_on_the_way_are_kept():
    X = load_iris().data
    model = UMAP(n_epochs=[9, 3], random_state=0, device="cpu").fit(X)
    once = UMAP(n_epochs=9, random_state=0, device="cpu").fit(X)
    np.testing.assert_array_equal(model.embedding_, once.embedding_)
    np.testing.assert_array_equal(model.embedding_list_[1], once.embedding_)
    assert np.abs(model.embedding_list_[0] - once.embedding_).max() > 0.01


def test_points_without_edges_and_coinciding_points_stay_finite():
    start = np.array([[0.0, 0.0], [5.0, 0.0]])
    np.testing.assert_array_equal(laid_out(sparse.csr_array((2, 2), dtype=np.float32), start, n_epochs=3)[0], start)
    assert np.isfinite(laid_out(pair(), np.zeros((2, 2)), n_epochs=50)[0]).all()


@pytest.mark.parametrize(
    ("parameters", "method"),
    [
        ({}, "torch"),
        ({"metric": "cosine"}, "torch"),
        ({"metric": "manhattan"}, "tree"),
        ({"metric": "canberra"}, "rows"),
    ],
)
def test_the_device_searches_what_it_can(parameters, method, digits):
    X = np.abs(digits[0][:, 1:9]) + 1e-3 if method == "rows" else digits[0]
    if method == "tree":
        X = np.random.default_rng(0).normal(size=(1100, 3))
    model = UMAP(n_epochs=1, init="random", transform_mode="graph", random_state=0, **parameters)
    here = clone(model).fit(X)
    there = model.set_params(device="cpu").fit(X)
    assert there.knn_.method == method
    np.testing.assert_array_equal(there.knn_.indices, here.knn_.indices)


def test_rows_of_zeros_and_sparse_rows_are_searched_as_before():
    X = load_iris().data.copy()
    X[3] = 0
    for rows, metric in ((X, "cosine"), (sparse.csr_array(X), "euclidean")):
        model = UMAP(n_epochs=1, metric=metric, random_state=0, device="cpu").fit(rows)
        assert model.knn_.method in ("exact", "rows")


def test_a_model_works_where_its_device_is_not(digits, fitted, tmp_path):
    X = digits[0][:20] + 0.5
    expected = fitted.transform(X)
    model = UMAP(n_epochs=200, random_state=0, device="cpu").fit(digits[0])
    np.testing.assert_array_equal(model.embedding_, fitted.embedding_)
    model.device = torch.device("cuda:7")  # as if it came from a machine that has it
    model.save(tmp_path / "map.holonomy")
    for again in (holonomy.load_model(tmp_path / "map.holonomy"), pickle.loads(pickle.dumps(model))):  # noqa: S301
        assert str(again.device) == "cuda:7"
        np.testing.assert_array_equal(again.embedding_, fitted.embedding_)
        np.testing.assert_array_equal(again.transform(X), expected)
        assert again.inverse_transform(again.embedding_[:2]).shape == (2, 64)


def test_rows_are_added_and_models_combined_on_the_device(digits):
    X = digits[0][:120]
    one = UMAP(n_epochs=10, random_state=0, device="cpu").fit(X[:, :32])
    two = UMAP(n_epochs=10, random_state=0, device="cpu").fit(X[:, 32:])
    assert (one * two).device == "cpu"
    one.update(digits[0][120:130, :32])
    assert one.knn_.method == "torch"
    assert np.isfinite(one.embedding_).all()
    assert one.embedding_.shape == (130, 2)


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    X = load_iris().data
    with pytest.raises(ValueError, match=r"device='cuda' asks for a GPU, but .*pass device='cpu'"):
        UMAP(device="cuda").fit(X)
    with pytest.raises(ValueError, match="device must be 'auto', 'cpu', 'cuda' or 'cuda:N', got 'tpu'"):
        UMAP(device="tpu").fit(X)
    with pytest.raises(TypeError, match="device must be"):
        UMAP(device=0).fit(X)


def test_what_a_device_cannot_do_is_refused():
    X = load_iris().data
    for parameters in ({"densmap": True}, {"output_metric": "haversine"}):
        name = next(iter(parameters))
        with pytest.raises(ValueError, match=rf"device='cpu' makes Euclidean maps without densMAP, got {name}="):
            UMAP(device="cpu", **parameters).fit(X)
    with pytest.raises(TypeError, match="device"):
        AlignedUMAP(device="cpu")
    with pytest.raises(ValueError, match="graph must have shape"):
        laid_out(pair(), np.zeros((3, 2)), n_epochs=5)


def test_memory_without_a_device_is_told_as_before_and_with_one_is_more():
    X = np.broadcast_to(np.float32(0), (50_000, 30))
    assert UMAP(device="cpu", init="pca").peak_memory(X) > UMAP(init="pca").peak_memory(X)
