"""Edges in every form give the same pairs, and what is wrong with them is named."""

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse

from holonomy.embed._edge_inputs import known_numbers, read_edges

PAIRS = [(3, 1), (1, 0), (3, 1), (2, 0)]
WEIGHTS = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 2, 0, 0]])


def directed(edges):
    graph = nx.DiGraph()
    graph.add_nodes_from(range(4))
    for a, b in edges:
        weight = graph[a][b]["weight"] + 1.0 if graph.has_edge(a, b) else 1.0
        graph.add_edge(a, b, weight=weight)
    return graph


@pytest.mark.parametrize(
    "edges",
    [
        PAIRS,
        [(a, b, 1.0) for a, b in PAIRS],
        np.array(PAIRS),
        np.array(PAIRS, dtype=float),
        np.column_stack([np.array(PAIRS), np.ones(4)]),
        np.array([[3, 1, 2], [1, 0, 1], [2, 0, 1]]),
        torch.tensor(PAIRS),
        pd.DataFrame(PAIRS, columns=["from", "to"]),
        pd.DataFrame({"weight": np.ones(4), "id2": [1, 0, 1, 0], "more": "x", "id1": [3, 1, 3, 2]}),
        pl.DataFrame({"id1": [3, 1, 3, 2], "id2": [1, 0, 1, 0]}),
        directed(PAIRS),
        sparse.csr_array(WEIGHTS),
        sparse.coo_matrix(WEIGHTS),
        (pair for pair in PAIRS),
    ],
)
def test_every_form_gives_the_same_pairs(edges):
    found = read_edges(edges)
    assert found.labels.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(found.links.toarray(), WEIGHTS)


def test_files_have_columns_by_name(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("id1,id2,weight\ndog,mammal,1\ncat,mammal,2\ndog,mammal,3\n")
    for place in (path, str(path)):
        found = read_edges(place)
        assert found.labels.tolist() == ["cat", "dog", "mammal"]
        assert found.links.toarray().tolist() == [[0, 0, 2], [0, 0, 4], [0, 0, 0]]


def test_undirected_graphs_have_pairs_in_both_directions_and_keep_lone_nodes():
    graph = nx.Graph([("b", "a")])
    graph.add_node("c")
    found = read_edges(graph)
    assert found.labels.tolist() == ["b", "a", "c"]
    assert found.links.toarray().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_labels_of_mixed_kinds_are_kept():
    found = read_edges([("a", 1), (2.5, "a"), (("x", "y"), 1)])
    assert set(found.labels.tolist()) == {"a", 1, 2.5, ("x", "y")}
    assert found.links.nnz == 3


def test_numbers_of_known_labels():
    numbers = {"a": 0, "b": 1, "c": 2}
    assert known_numbers([("c", "a"), ("b", "c")], numbers, "edges").tolist() == [[1, 2], [2, 0]]
    with pytest.raises(ValueError, match="edges must name fitted nodes; unknown: 'd'"):
        known_numbers([("c", "d")], numbers, "edges")
    with pytest.raises(ValueError, match="unknown: 'd', 'e', 'f' and 1 more"):
        known_numbers([("f", "d"), ("g", "e")], numbers, "edges")


@pytest.mark.parametrize(
    ("edges", "error", "message"),
    [
        ([], ValueError, "at least one pair"),
        ([(1, 1)], ValueError, "join a node to itself, as 1 is"),
        ([("a", "a")], ValueError, "join a node to itself, as 'a' is"),
        ([(1, 2), (1, 2, 3.0)], ValueError, "all triples"),
        ([(1,)], ValueError, "must be pairs"),
        ("no such file", FileNotFoundError, "no such file"),
        (np.zeros((2, 4)), ValueError, r"got shape \(2, 4\)"),
        (np.zeros(3), ValueError, r"got shape \(3,\)"),
        (np.array([[0.0, np.nan]]), ValueError, "two nodes in every row"),
        (np.array([[0.5, 1.0]]), ValueError, "whole numbers of nodes, got 0.5"),
        (np.array([[0.0, 1.0, np.nan]]), ValueError, "weights that are finite"),
        (np.array([[0.0, 1.0, -1.0]]), ValueError, "not negative, got -1.0"),
        (np.array([[0.0, 1.0, 0.0]]), ValueError, "positive weight"),
        ([("a", "b", "heavy")], ValueError, "numbers for weights"),
        ([("a", None)], ValueError, "missing one"),
        (pd.DataFrame(np.zeros((2, 4))), ValueError, "columns id1 and id2"),
        (sparse.csr_array((2, 3)), ValueError, "square matrix"),
        (sparse.csr_array(np.eye(2) * 1j), ValueError, "real numbers"),
        (7, TypeError, "got int"),
    ],
)
def test_bad_edges_are_named(edges, error, message):
    with pytest.raises(error, match=message):
        read_edges(edges)


def test_inputs_are_not_written_to():
    matrix = sparse.csr_array(WEIGHTS)
    before = matrix.copy()
    read_edges(matrix).links.data[:] = 7
    np.testing.assert_array_equal(matrix.toarray(), before.toarray())
