"""Closures, reductions, depths and splits of hierarchies, against networkx; cycles are named."""

import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from holonomy.graphs import hierarchy_depths, split_closure, transitive_closure, transitive_reduction
from holonomy.graphs.hierarchies import find_cycle


def random_hierarchy(seed, n=40, density=0.08):
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    upper = np.triu(rng.random((n, n)) < density, k=1)
    return upper[np.ix_(order, order)]


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_networkx(seed):
    dense = random_hierarchy(seed)
    graph = nx.from_numpy_array(dense, create_using=nx.DiGraph)
    closure, reduction = (nx.to_numpy_array(f(graph)) != 0 for f in (nx.transitive_closure, nx.transitive_reduction))
    np.testing.assert_array_equal(transitive_closure(sparse.csr_array(dense)).toarray(), closure)
    np.testing.assert_array_equal(transitive_reduction(dense).toarray(), reduction)
    np.testing.assert_array_equal(transitive_reduction(closure).toarray(), reduction)
    np.testing.assert_array_equal(transitive_closure(reduction).toarray(), closure)
    longest = [nx.dag_longest_path_length(graph.subgraph({v, *nx.descendants(graph, v)})) for v in graph]
    np.testing.assert_array_equal(hierarchy_depths(dense), longest)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_held_out_follows_from_what_is_kept(seed):
    closure = transitive_closure(random_hierarchy(seed))
    kept, held_out = split_closure(closure, 0.3, random_state=seed)
    assert not (kept.multiply(held_out)).nnz
    np.testing.assert_array_equal((kept + held_out).toarray(), closure.toarray())
    np.testing.assert_array_equal(transitive_closure(kept).toarray(), closure.toarray())
    spare = closure.nnz - transitive_reduction(closure).nnz
    assert held_out.nnz == round(0.3 * spare)
    again = split_closure(closure, 0.3, random_state=seed)[1]
    np.testing.assert_array_equal(held_out.toarray(), again.toarray())


def test_closure_with_cycles_allowed_and_without_edges():
    cycle = sparse.csr_array(np.roll(np.eye(5, dtype=bool), 1, axis=1))
    assert transitive_closure(cycle, allow_cycles=True).toarray().all()
    assert transitive_closure(sparse.csr_array((3, 3), dtype=bool)).nnz == 0
    assert find_cycle(cycle) == [0, 1, 2, 3, 4]
    assert find_cycle(sparse.csr_array((3, 3), dtype=bool)) is None


@pytest.mark.parametrize("function", [transitive_closure, transitive_reduction, hierarchy_depths, split_closure])
def test_cycles_and_bad_input_are_named(function):
    tail = np.zeros((4, 4))
    tail[0, 1] = tail[1, 2] = tail[2, 3] = tail[3, 1] = 1
    with pytest.raises(ValueError, match="no directed cycle, got 1 -> 2 -> 3 -> 1"):
        function(tail)
    long = np.roll(np.eye(9), 1, axis=1)
    with pytest.raises(ValueError, match=r"0 -> 1 -> 2 -> 3 -> 4 -> 5 -> \.\.\."):
        function(long)
    with pytest.raises(ValueError, match="must be square"):
        function(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="must hold numbers"):
        function(np.array([["a", "b"], ["c", "d"]]))


def test_inputs_are_not_written_to_and_shares_are_checked():
    closure = sparse.csr_array(np.triu(np.ones((4, 4)), 1))
    before = closure.copy()
    split_closure(closure, 0.5, random_state=0)
    np.testing.assert_array_equal(closure.toarray(), before.toarray())
    with pytest.raises(ValueError, match="test_share must be in"):
        split_closure(closure, 1.5)
