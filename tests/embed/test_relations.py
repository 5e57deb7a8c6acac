import numpy as np
import pytest
from scipy import sparse

from holonomy.embed._relations import check_relation, composed, inverted, neighborhood_agreement


def test_relations_are_read_from_dicts_and_pairs():
    for relation in ({0: 2, 3: 1}, [[3, 1], [0, 2]], np.array([[0, 2], [3, 1]])):
        np.testing.assert_array_equal(check_relation(relation, 4, 3, "relation"), [2, -1, -1, 1])


def test_inverse_and_composition():
    first = check_relation({0: 1, 1: 0, 2: 3}, 3, 4, "relation")
    second = check_relation({0: 1, 3: 0}, 4, 2, "relation")
    np.testing.assert_array_equal(inverted(first, 4), [1, 0, -1, 2])
    sizes = [3, 4, 2]
    np.testing.assert_array_equal(composed([first, second], sizes, 0, 2), [-1, 1, 0])
    np.testing.assert_array_equal(composed([first, second], sizes, 2, 0), [2, 1])
    np.testing.assert_array_equal(composed([first, second], sizes, 1, 1), np.arange(4))


def test_agreement_is_the_jaccard_index_of_sets_of_related_neighbours():
    rng = np.random.default_rng(0)
    graphs = [sparse.csr_array(np.triu(rng.random((n, n)) < 0.3, 1)) for n in (12, 15)]
    graphs = [sparse.csr_array(g + g.T, dtype=np.float32) for g in graphs]
    relation = np.full(12, -1)
    relation[:9] = rng.permutation(15)[:9]
    found = neighborhood_agreement(*graphs, relation)
    image = set(relation[:9])
    for i in range(12):
        if relation[i] < 0:
            assert found[i] == 0
            continue
        here = {int(relation[j]) for j in graphs[0][[i]].indices if relation[j] >= 0}
        there = {int(j) for j in graphs[1][[relation[i]]].indices if j in image}
        assert found[i] == pytest.approx(len(here & there) / len(here | there) if here | there else 1.0)


def test_equal_graphs_agree_wholly():
    graph = sparse.csr_array(np.ones((5, 5)) - np.eye(5))
    np.testing.assert_array_equal(neighborhood_agreement(graph, graph, np.arange(5)), 1.0)


@pytest.mark.parametrize(
    ("relation", "error", "message"),
    [
        ({}, ValueError, "relation is empty"),
        ({0: 3}, ValueError, "names row 3 of the later data set, which has 3"),
        ({-1: 0}, ValueError, "names row -1 of the earlier"),
        ({0: 1, 1: 1}, ValueError, "a row of the later data set more than once"),
        ([[0, 1], [0, 2]], ValueError, "a row of the earlier data set more than once"),
        ({0.5: 1}, TypeError, "must be a dict of row numbers"),
        ([0, 1], TypeError, "must be a dict of row numbers"),
    ],
)
def test_bad_relations_are_named(relation, error, message):
    with pytest.raises(error, match=message):
        check_relation(relation, 4, 3, "relation")
