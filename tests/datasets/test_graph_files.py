import numpy as np

from holonomy.datasets._graph_files import read_pajek, undirected

PROJECT = """*Network Small.net\r
*Vertices   3\r
  1 "Ada Lovelace 1843"   0.0 0.0 0.5\r
  2 "---"                 0.0 0.0 0.5\r
  3 "Alan \\"A\\" Turing" 0.0 0.0 0.5\r
*Arcs\r
  1 3 2\r
  3 2 1\r
*Edges\r
\r
*Partition Small.clu\r
*Vertices 3\r
  1843\r
  0\r
  1938\r
"""


def test_pajek(tmp_path):
    path = tmp_path / "small.txt"
    path.write_bytes(PROJECT.encode())
    names, arcs, years = read_pajek(path)
    assert names.tolist() == ["Ada Lovelace 1843", "---", 'Alan "A" Turing']
    np.testing.assert_array_equal(arcs, [[0, 2, 2], [2, 1, 1]])
    np.testing.assert_array_equal(years, [1843, 0, 1938])


def test_undirected_counts_an_edge_once():
    adjacency = undirected(np.array([[0, 1], [1, 0], [2, 1], [2, 1], [3, 3]]), 5)
    np.testing.assert_array_equal(
        adjacency.toarray(),
        [[0, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0]],
    )
    assert adjacency.has_sorted_indices
