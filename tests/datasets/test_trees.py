"""The branching and the balanced tree."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from scipy import sparse, stats
from scipy.sparse.csgraph import dijkstra

from holonomy.datasets import make_balanced_tree, make_branching_tree


@pytest.mark.parametrize(("branching", "depth"), [(1, 4), (2, 3), (3, 2)])
def test_branching_tree_distances_are_those_of_the_graph_of_all_points(branching, depth):
    tree = make_branching_tree(300, branching=branching, depth=depth, branch_length=1.5, random_state=0)
    n_branches = len(tree.parents)
    graph = nx.Graph()
    for branch in range(n_branches):
        level = round((tree.latent[tree.labels == branch, 0].max()) // 1.5)
        start = ("end", tree.parents[branch])
        stops = [(level * 1.5, start)]
        stops += [(s, int(row)) for row, s in enumerate(tree.latent[:, 0]) if tree.labels[row] == branch]
        stops += [((level + 1) * 1.5, ("end", branch))]
        stops.sort(key=lambda stop: stop[0])
        for (s, a), (t, b) in pairwise(stops):
            graph.add_edge(a, b, weight=t - s)
    rows = np.arange(300)
    for i in range(0, 300, 30):
        lengths = nx.single_source_dijkstra_path_length(graph, i)
        assert np.allclose(tree.geodesic_distances(i, rows), [lengths[int(j)] for j in rows], atol=1e-12)


def test_branches_are_orthogonal_segments_with_even_shares():
    tree = make_branching_tree(4000, branching=2, depth=3, random_state=0)
    assert tree.X.shape == (4000, 14)
    assert stats.chisquare(np.bincount(tree.labels)).pvalue > 0.01
    assert tree.parents.tolist() == [-1, -1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    for branch in range(14):
        on_it = tree.X[tree.labels == branch]
        assert stats.kstest(on_it[:, branch], "uniform").pvalue > 0.001
        path = []
        ancestor = tree.parents[branch]
        while ancestor >= 0:
            path.append(ancestor)
            ancestor = tree.parents[ancestor]
        assert (on_it[:, path] == 1.0).all()
        assert (np.delete(on_it, [*path, branch], axis=1) == 0.0).all()
    assert np.allclose(tree.X.sum(axis=1), tree.latent[:, 0])


@pytest.mark.parametrize(("branching", "depth"), [(1, 5), (2, 5), (3, 3), (5, 2)])
def test_balanced_tree_is_the_one_of_networkx(branching, depth):
    tree = make_balanced_tree(branching=branching, depth=depth)
    theirs = nx.path_graph(depth + 1) if branching == 1 else nx.balanced_tree(branching, depth)
    assert isinstance(tree.graph, sparse.csr_array)
    assert np.array_equal(tree.graph.toarray(), nx.to_numpy_array(theirs))
    rows = np.arange(len(tree.X))
    distances = tree.geodesic_distances(rows[:, None], rows)
    assert np.array_equal(distances, dijkstra(tree.graph))
    squared = np.square(tree.X[:, None] - tree.X).sum(axis=-1)
    assert np.array_equal(squared, distances)
    assert np.array_equal(tree.latent[:, 0], distances[0])
    assert tree.labels[0] == 0
    assert np.array_equal(tree.labels[1 : branching + 1], np.arange(1, branching + 1))
    assert (tree.labels[branching + 1 :] == tree.labels[tree.parents[branching + 1 :]]).all()


def test_drawn_nodes_are_different_and_lean_to_the_dense_end():
    near_root, near_leaves = (
        make_balanced_tree(60, branching=2, depth=7, density=density, random_state=0) for density in (1e4, 1e-4)
    )
    for tree in (near_root, near_leaves):
        assert len(set(tree.nodes.tolist())) == 60
        assert np.array_equal(np.square(tree.X[3] - tree.X[4]).sum(), tree.geodesic_distances(3, 4))
        assert tree.graph.shape == (255, 255)
    assert near_root.latent.mean() < near_leaves.latent.mean() - 0.5
    assert not np.array_equal(near_root.nodes, np.sort(near_root.nodes))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"branching": 0}, ValueError, "branching must be at least 1"),
        ({"depth": 0}, ValueError, "depth must be at least 1"),
        ({"depth": 2.0}, TypeError, "depth must be an integer"),
    ],
)
@pytest.mark.parametrize("make", [make_balanced_tree, make_branching_tree])
def test_bad_parameters_are_refused(make, options, error, message):
    with pytest.raises(error, match=message):
        make(**options)


def test_bad_samples_of_nodes_are_refused():
    with pytest.raises(ValueError, match="n_samples must be in"):
        make_balanced_tree(100, depth=4)
    with pytest.raises(ValueError, match="density has no effect"):
        make_balanced_tree(depth=4, density=3.0)
    with pytest.raises(ValueError, match="positive at 16 nodes"):
        make_balanced_tree(20, depth=4, density=lambda level: level[:, 0] == 4)
    with pytest.raises(ValueError, match="branch_length must be positive"):
        make_branching_tree(10, branch_length=0.0)


def test_trees_too_large_for_memory_name_their_size():
    with pytest.raises(ValueError, match=r"would take 8\.0 GiB; reduce depth"):
        make_balanced_tree(depth=14)
    assert make_balanced_tree(5, depth=14, random_state=0).X.shape == (5, 32766)
