"""Neighbour search: agreement with brute force, ties, duplicates, metrics, recall, threads, and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from scipy.spatial.distance import cdist

from holonomy.graphs import NeighborIndex, neighbors
from holonomy.graphs._cells import CellIndex
from holonomy.graphs._exact import nearest_of_few
from holonomy.graphs._join import join_lists
from holonomy.graphs.search import METRICS


def brute_force(distances, k, own=None):
    """Order every row by (distance, index), leaving out the row's own point."""
    distances = np.array(distances, dtype=np.float64)
    if own is not None:
        distances[np.arange(len(distances)), own] = np.nan
    order = np.lexsort((np.broadcast_to(np.arange(distances.shape[1]), distances.shape), distances), axis=1)
    return order[:, :k], np.take_along_axis(distances, order[:, :k], axis=1)


@pytest.fixture(scope="module")
def cloud():
    rng = np.random.default_rng(0)
    return rng.normal(size=(400, 30)) @ rng.normal(size=(30, 30))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_exact_search_equals_brute_force(cloud, dtype, offset):
    X = (cloud + offset).astype(dtype)
    graph = neighbors(X, 12)
    indices, distances = brute_force(cdist(X.astype(np.float64), X.astype(np.float64)), 12, np.arange(len(X)))
    assert graph.method == "exact"
    assert graph.recall == 1.0
    np.testing.assert_array_equal(graph.indices, indices)
    np.testing.assert_allclose(graph.distances, distances, rtol=1e-6)


def test_tight_cluster_far_away_is_resolved():
    rng = np.random.default_rng(1)
    X = np.vstack([rng.normal(size=(50, 20)), 1e7 + 1e-3 * rng.normal(size=(50, 20))])
    graph = neighbors(X, 5)
    indices, _ = brute_force(cdist(X, X), 5, np.arange(len(X)))
    np.testing.assert_array_equal(graph.indices, indices)


@pytest.mark.parametrize(
    "metric", ["cosine", "correlation", "manhattan", "chebyshev", "canberra", "braycurtis", "sqeuclidean"]
)
def test_metrics_equal_scipy(cloud, metric):
    name = {"manhattan": "cityblock"}.get(metric, metric)
    indices, distances = brute_force(cdist(cloud, cloud, name), 7, np.arange(len(cloud)))
    graph = neighbors(cloud, 7, metric=metric)
    np.testing.assert_array_equal(graph.indices, indices)
    np.testing.assert_allclose(graph.distances, distances, rtol=2e-6, atol=1e-9)
    assert graph.metric == metric


def test_minkowski_takes_its_order(cloud):
    graph = neighbors(cloud, 3, metric="minkowski", metric_params={"p": 3})
    indices, _ = brute_force(cdist(cloud, cloud, "minkowski", p=3), 3, np.arange(len(cloud)))
    np.testing.assert_array_equal(graph.indices, indices)


@pytest.mark.parametrize("metric", ["hamming", "jaccard"])
def test_set_metrics_break_their_many_ties_by_index(metric):
    X = np.random.default_rng(2).integers(0, 2, size=(120, 9)).astype(float)
    rows = X.astype(bool) if metric == "jaccard" else X
    indices, distances = brute_force(cdist(rows, rows, metric), 6, np.arange(len(X)))
    graph = neighbors(X, 6, metric=metric)
    np.testing.assert_array_equal(graph.indices, indices)
    np.testing.assert_allclose(graph.distances, distances, rtol=1e-6)


def test_inner_product_ranks_by_largest_product(cloud):
    products = cloud @ cloud.T
    indices, _ = brute_force(-products, 6, np.arange(len(cloud)))
    graph = neighbors(cloud, 6, metric="inner_product")
    np.testing.assert_array_equal(graph.indices, indices)
    expected = (np.linalg.norm(cloud, axis=1) ** 2).max() - np.take_along_axis(products, indices, axis=1)
    np.testing.assert_allclose(graph.distances, expected, rtol=1e-5)


def test_haversine_is_the_great_circle():
    rng = np.random.default_rng(3)
    X = np.column_stack([rng.uniform(-1.5, 1.5, 60), rng.uniform(-3, 3, 60)])
    unit = np.column_stack([np.cos(X[:, 0]) * np.cos(X[:, 1]), np.cos(X[:, 0]) * np.sin(X[:, 1]), np.sin(X[:, 0])])
    _, distances = brute_force(np.arccos(np.clip(unit @ unit.T, -1, 1)), 4, np.arange(60))
    np.testing.assert_allclose(neighbors(X, 4, metric="haversine").distances, distances, rtol=1e-5)


def test_callable_metric_is_used_and_named(cloud):
    def taxicab(a, b):
        return np.abs(a - b).sum()

    graph = neighbors(cloud[:60], 4, metric=taxicab)
    np.testing.assert_array_equal(graph.indices, neighbors(cloud[:60], 4, metric="manhattan").indices)
    assert graph.metric == "taxicab"


def test_callable_metric_must_return_distances(cloud):
    with pytest.raises(ValueError, match="negative distance"):
        neighbors(cloud[:20], 3, metric=lambda a, b: -1.0)
    with pytest.raises(ValueError, match="NaN"):
        neighbors(cloud[:20], 3, metric=lambda a, b: np.nan)


def test_precomputed_dense_and_sparse_agree(cloud):
    distances = cdist(cloud, cloud)
    expected = neighbors(cloud, 5)
    dense = neighbors(distances, 5, metric="precomputed")
    stored = np.where(distances < np.median(distances), distances, 0)
    given = neighbors(sparse.csr_matrix(stored), 5, metric="precomputed")
    np.testing.assert_array_equal(dense.indices, expected.indices)
    np.testing.assert_array_equal(given.indices, expected.indices)


def test_sparse_points_equal_dense_points(cloud, monkeypatch):
    X = np.where(np.abs(cloud) > 2, cloud, 0)
    for metric in ("euclidean", "cosine", "inner_product"):
        dense = neighbors(X, 5, metric=metric)
        np.testing.assert_array_equal(neighbors(sparse.csr_matrix(X), 5, metric=metric).indices, dense.indices)
        with monkeypatch.context() as patch:
            patch.setattr("holonomy.graphs.search.DENSE_ENTRIES", 10)
            large = neighbors(sparse.csr_matrix(X), 5, metric=metric)
        np.testing.assert_array_equal(large.indices, dense.indices)
        np.testing.assert_allclose(large.distances, dense.distances, rtol=1e-4)


@pytest.mark.parametrize("n_features", [2, 30])
def test_duplicates_are_neighbours_at_zero_ordered_by_index(n_features):
    rng = np.random.default_rng(4)
    X = np.repeat(rng.normal(size=(300, n_features)), 4, axis=0)
    graph = neighbors(X, 6)
    indices, _ = brute_force(cdist(X, X), 6, np.arange(len(X)))
    np.testing.assert_array_equal(graph.indices[:, :3], indices[:, :3])
    assert (graph.distances[:, :3] == 0).all()
    assert (graph.distances[:, 3:] > 0).all()


def test_all_rows_equal():
    graph = neighbors(np.ones((2000, 3)), 4)
    assert (graph.distances == 0).all()
    np.testing.assert_array_equal(graph.indices[10], [0, 1, 2, 3])
    np.testing.assert_array_equal(graph.indices[1], [0, 2, 3, 4])


@settings(max_examples=40, deadline=None)
@given(arrays(np.int8, st.tuples(st.integers(5, 40), st.integers(1, 4)), elements=st.integers(-3, 3)))
def test_ties_on_a_grid_are_ordered_by_index(grid):
    X = grid.astype(float)
    indices, distances = brute_force(cdist(X, X, "sqeuclidean"), 4, np.arange(len(X)))
    graph = neighbors(X, 4)
    np.testing.assert_array_equal(graph.indices, indices)
    np.testing.assert_allclose(graph.distances, np.sqrt(distances), rtol=1e-6)


def test_tree_search_orders_ties_like_the_direct_search():
    X = np.stack(np.meshgrid(np.arange(40.0), np.arange(40.0)), axis=-1).reshape(-1, 2)
    for metric, name in [("euclidean", "euclidean"), ("manhattan", "cityblock"), ("chebyshev", "chebyshev")]:
        graph = neighbors(X, 5, metric=metric)
        indices, _ = brute_force(cdist(X, X, name), 5, np.arange(len(X)))
        assert graph.method == "tree"
        np.testing.assert_array_equal(graph.indices, indices)


def test_torch_search_equals_exact_search(cloud):
    exact, torch = neighbors(cloud, 9), neighbors(cloud, 9, method="torch")
    np.testing.assert_array_equal(torch.indices, exact.indices)
    assert torch.method == "torch"
    np.testing.assert_array_equal(neighbors(cloud, 9, method="torch", device="cpu").indices, exact.indices)
    with pytest.raises(ValueError, match="device must be 'auto', 'cpu', 'cuda' or 'cuda:N', got 'tpu'"):
        neighbors(cloud, 9, method="torch", device="tpu")


def test_approximate_search_reaches_its_recall_and_measures_it():
    rng = np.random.default_rng(5)
    X = (rng.normal(size=(6000, 20)) @ rng.normal(size=(20, 100))).astype(np.float32)
    graph, exact = neighbors(X, 10, method="approximate"), neighbors(X, 10, method="exact")
    recall = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(graph.indices, exact.indices, strict=True)])
    assert graph.recall >= 0.98
    assert abs(graph.recall - recall) < 0.01


def test_few_queries_are_compared_with_parts_of_the_points(cloud, monkeypatch):
    monkeypatch.setattr("holonomy.graphs._exact.POINTS_AT_ONCE", 50)
    rows = np.arange(0, 400, 7)
    np.testing.assert_array_equal(nearest_of_few(cloud[rows], cloud, rows, 9), neighbors(cloud, 9).indices[rows])


def test_wide_points_are_searched_by_axes_of_few_of_them():
    rng = np.random.default_rng(5)
    X = (rng.normal(size=(1500, 12)) @ rng.normal(size=(12, 3000))).astype(np.float32)
    index = NeighborIndex(X, method="approximate")
    assert index._search.axes.shape == (3000, 12)
    assert index.graph(10).recall >= 0.98
    assert (neighbors(np.ones((1100, 3000), dtype=np.float32), 3, method="approximate").distances == 0).all()


def test_approximate_search_widens_until_recall_suffices(monkeypatch):
    rng = np.random.default_rng(6)
    X = (rng.normal(size=(4000, 5)) @ rng.normal(size=(5, 60))).astype(np.float32)
    monkeypatch.setattr("holonomy.graphs._cells.SMALLEST_CELL", 40)
    monkeypatch.setattr(NeighborIndex, "_first_breadth", (2, 2))
    widths = []
    graph_of = CellIndex.graph
    monkeypatch.setattr(CellIndex, "graph", lambda *a: widths.append(a[2]) or graph_of(*a))
    index = NeighborIndex(X, method="approximate")
    graph = index.graph(10)
    assert len(widths) > 1
    assert widths == sorted(widths)
    assert graph.method == "approximate"
    assert graph.recall >= 0.98


def test_new_rows_are_searched_as_widely_as_their_recall_needs():
    rng = np.random.default_rng(5)
    X = (rng.normal(size=(9000, 20)) @ rng.normal(size=(20, 100))).astype(np.float32)
    index = NeighborIndex(X[:6000], method="approximate")
    index.graph(10)
    found, true = index.query(X[6000:], 10)[0], NeighborIndex(X[:6000], method="exact").query(X[6000:], 10)[0]
    assert np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(found, true, strict=True)]) >= 0.98


def test_lists_are_joined_to_the_best_of_what_they_are_linked_to():
    rng = np.random.default_rng(8)
    codes = rng.integers(-50, 50, size=(200, 6)).astype(np.float32)
    norms = np.einsum("ij,ij->i", codes, codes)
    lists = np.array([rng.choice(200, 12, replace=False) for _ in range(200)], dtype=np.int32)
    lists[rng.random(lists.shape) < 0.1] = -1
    joined = join_lists(lists, 4, codes, norms)
    links = [[j for j in row if j >= 0 and j != i][:4] for i, row in enumerate(lists)]
    back = [[] for _ in links]
    for rank in range(4):
        for i, row in enumerate(links):
            if rank < len(row) and len(back[row[rank]]) < 4:
                back[row[rank]].append(i)
    links = [row + more for row, more in zip(links, back, strict=True)]
    for i in range(200):
        pool = {j for j in lists[i] if j >= 0} | {j for near in links[i] for j in links[near]}
        value = {j: norms[j] - 2 * codes[i] @ codes[j] for j in pool}
        best = sorted(value.values())[:12]
        assert [value[j] for j in joined[i] if j >= 0] == best


def test_approximate_search_falls_back_to_exact_where_there_is_no_shortcut(monkeypatch):
    X = np.random.default_rng(6).normal(size=(2000, 60)).astype(np.float32)
    monkeypatch.setattr("holonomy.graphs._cells.SMALLEST_CELL", 40)
    monkeypatch.setattr(NeighborIndex, "_first_breadth", (1, 1))
    graph = neighbors(X, 10, method="approximate")
    assert graph.method == "exact"
    assert graph.recall == 1.0
    np.testing.assert_array_equal(graph.indices, neighbors(X, 10, method="exact").indices)


def test_large_data_is_searched_approximately(monkeypatch, cloud):
    monkeypatch.setattr("holonomy.graphs.search.EXACT_WORK", 1.0)
    assert neighbors(cloud, 5).method == "approximate"
    assert neighbors(cloud, 5, method="exact").method == "exact"


@pytest.mark.parametrize("method", ["exact", "approximate"])
def test_same_bits_for_any_number_of_threads(cloud, method):
    X = np.repeat(cloud, 5, axis=0) + 0.01 * np.random.default_rng(7).normal(size=(2000, 30))
    one, two = (neighbors(X, 8, method=method, n_jobs=jobs) for jobs in (1, 2))
    np.testing.assert_array_equal(one.indices, two.indices)
    np.testing.assert_array_equal(one.distances, two.distances)


@pytest.mark.parametrize("method", ["exact", "approximate"])
def test_query_answers_each_row_alone(cloud, method):
    index = NeighborIndex(cloud, method=method)
    Q = cloud[:50] + 0.1
    indices, distances = index.query(Q, 5)
    for row in (0, 17, 49):
        alone = index.query(Q[row : row + 1], 5)
        np.testing.assert_array_equal(alone[0][0], indices[row])
        np.testing.assert_array_equal(alone[1][0], distances[row])
    expected, _ = brute_force(cdist(Q, cloud), 5)
    assert np.mean(expected == indices) > (0.99 if method == "exact" else 0.95)


@pytest.mark.parametrize("metric", ["cosine", "correlation", "inner_product", "manhattan"])
def test_query_of_the_points_themselves_finds_them(cloud, metric):
    indices, distances = NeighborIndex(cloud, metric=metric).query(cloud, 3)
    name = {"manhattan": "cityblock"}.get(metric, metric)
    if metric == "inner_product":
        expected, _ = brute_force(-cloud @ cloud.T, 3)
    else:
        expected, _ = brute_force(cdist(cloud, cloud, name), 3)
        np.testing.assert_allclose(distances[:, 0], 0, atol=1e-7)
    np.testing.assert_array_equal(indices, expected)


def test_query_with_precomputed_distances(cloud):
    index = NeighborIndex(cdist(cloud, cloud), metric="precomputed")
    indices, _ = index.query(cdist(cloud[:3] + 0.01, cloud), 4)
    np.testing.assert_array_equal(indices[:, 0], [0, 1, 2])


def test_zero_rows_under_cosine_are_far_from_all_but_each_other(cloud):
    X = np.vstack([cloud[:20], np.zeros((2, 30))])
    graph = neighbors(X, 3, metric="cosine")
    assert graph.indices[20, 0] == 21
    assert graph.distances[20, 0] == 0
    np.testing.assert_allclose(graph.distances[20, 1:], 1)


def test_constant_rows_under_correlation(cloud):
    X = np.vstack([cloud[:20], np.full((2, 30), 3.0)])
    graph = neighbors(X, 2, metric="correlation")
    np.testing.assert_allclose(graph.distances[20], [0, 1])


def test_input_is_not_written_to(cloud):
    X = cloud.copy()
    X.setflags(write=False)
    for metric in ("euclidean", "cosine", "correlation"):
        neighbors(X, 3, metric=metric)
    np.testing.assert_array_equal(X, cloud)


def test_data_frames_and_tensors_are_accepted(cloud):
    pandas, torch = pytest.importorskip("pandas"), pytest.importorskip("torch")
    expected = neighbors(cloud, 3).indices
    np.testing.assert_array_equal(neighbors(pandas.DataFrame(cloud), 3).indices, expected)
    np.testing.assert_array_equal(neighbors(torch.from_numpy(cloud), 3).indices, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.array([[0.0, np.nan], [1, 2], [3, 4]])}, "NaN"),
        ({"X": np.array([[0.0, np.inf], [1, 2], [3, 4]])}, "infinity"),
        ({"X": np.ones(3)}, "2D"),
        ({"X": [["a", "b"], ["c", "d"]]}, "could not convert"),
        ({"X": [[1.0, 2.0], [3.0]]}, "inhomogeneous"),
        ({"X": np.ones((1, 2))}, "needs at least 3 rows"),
        ({"n_neighbors": 10}, "needs at least 11 rows"),
        ({"n_neighbors": 0}, "n_neighbors must be at least 1"),
        ({"X": np.arange(20.0).reshape(10, 2) * 1e30}, "largest value of X is 1.9e\\+31"),
        ({"X": np.arange(20.0).reshape(10, 2) * 1e-200}, "largest value of X is 1.9e-199"),
        ({"metric": "euclidian"}, "metric must be one of"),
        ({"method": "magic"}, "method must be one of"),
        ({"metric": "precomputed", "X": np.ones((3, 4))}, "must be square"),
        ({"metric": "manhattan", "method": "approximate"}, "method='approximate' needs"),
        ({"metric": "precomputed", "X": sparse.eye(5, format="csr")}, "stores 0 distances in row 0"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"X": np.arange(20.0).reshape(10, 2), "n_neighbors": 2} | change
    with pytest.raises(ValueError, match=message):
        neighbors(**arguments)


def test_query_bad_input(cloud):
    index = NeighborIndex(cloud)
    with pytest.raises(ValueError, match="Q has 2 features"):
        index.query(np.ones((4, 2)), 3)
    with pytest.raises(ValueError, match="Q contains NaN"):
        index.query(np.full((4, 30), np.nan), 3)
    with pytest.raises(ValueError, match="n_neighbors must be in"):
        index.query(cloud[:3], 1000)


def test_codes_stay_exact_in_single_precision():
    from holonomy.graphs._cells import LEVELS, N_AXES

    assert N_AXES * LEVELS**2 < 2**24
    rng = np.random.default_rng(8)
    index = CellIndex.build(rng.standard_t(2, size=(1500, 90)).astype(np.float32), seed=0)
    products = index.codes @ index.codes.T
    np.testing.assert_array_equal(products, index.codes.astype(np.float64) @ index.codes.astype(np.float64).T)


def test_every_metric_name_works():
    X = np.abs(np.random.default_rng(9).normal(size=(40, 2))) / 5
    for metric in METRICS:
        rows = cdist(X, X) if metric == "precomputed" else X
        moved = {"cost": 1 - np.eye(2)} if metric in {"kantorovich", "sinkhorn", "wasserstein"} else None
        assert neighbors(rows, 3, metric=metric, metric_params=moved).indices.shape == (40, 3)
