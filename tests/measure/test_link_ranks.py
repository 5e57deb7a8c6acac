"""Ranks and average precisions of links: brute force, scikit-learn, samples, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import average_precision_score

from holonomy.measure import LinkRanking, link_ranking


def by_hand(distances, links, known):
    """Ranks and average precisions by definition, for each node with links."""
    ranks, precisions = [], []
    for node, row in enumerate(links):
        if not row.any():
            continue
        negatives = [w for w in range(len(links)) if w != node and not links[node, w] and not known[node, w]]
        own = []
        for d in sorted(distances[node, row]):
            nearer = sum(distances[node, w] < d for w in negatives)
            own.append(1 + nearer + 0.5 * sum(distances[node, w] == d for w in negatives))
        ranks += own
        precisions.append(np.mean([(i + 1) / (i + rank) for i, rank in enumerate(own)]))
    return ranks, precisions


@given(st.integers(2, 12), st.integers(0, 10**6), st.booleans())
@settings(max_examples=60, deadline=None)
def test_equals_brute_force_with_ties(n, seed, with_known):
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, 6, (n, n)).astype(float)
    links = rng.random((n, n)) < 0.3
    known = (rng.random((n, n)) < 0.3) & with_known
    for matrix in (links, known):
        np.fill_diagonal(matrix, False)
    links[0, 1] = True
    found = link_ranking(distances, sparse.csr_array(links), known=sparse.csr_array(known))
    ranks, precisions = by_hand(distances, links, known)
    np.testing.assert_allclose(found.ranks, ranks)
    np.testing.assert_allclose(found.average_precisions, precisions)
    assert found.mean_rank == pytest.approx(np.mean(ranks))
    assert found.mean_average_precision == pytest.approx(np.mean(precisions))


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(400, 3))
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    links = (distances < 1.0) & (rng.random(distances.shape) < 0.5)
    np.fill_diagonal(links, False)
    return distances, sparse.csr_array(links)


def test_average_precision_is_that_of_scikit_learn(many):
    distances, links = many
    found = link_ranking(distances, links)
    for node, value in zip(found.nodes[:40], found.average_precisions, strict=False):
        others = np.arange(400) != node
        expected = average_precision_score(links[[node]].toarray()[0, others], -distances[node, others])
        assert value == pytest.approx(expected)


def test_any_form_of_input_gives_the_same(many):
    distances, links = many
    whole = link_ranking(distances, links)
    pairs = np.column_stack(links.nonzero())
    for found in (
        link_ranking(lambda rows: distances[rows], links, n_jobs=1),
        link_ranking(lambda rows: distances[rows] ** 2, pairs[::-1], n_nodes=400, n_jobs=2),
        link_ranking(distances, np.vstack([pairs, pairs])),
    ):
        np.testing.assert_array_equal(found.ranks, whole.ranks)
        np.testing.assert_array_equal(found.average_precisions, whole.average_precisions)


def test_samples_cover_the_whole(many):
    distances, links = many
    whole = link_ranking(distances, links)
    found = [link_ranking(distances, links, subsample=100, random_state=seed) for seed in range(20)]
    for name in ("mean_rank", "mean_average_precision"):
        intervals = [getattr(one, f"{name}_estimate") for one in found]
        assert sum(i.low <= getattr(whole, name) <= i.high for i in intervals) >= 16
        one = getattr(whole, f"{name}_estimate")
        assert one.low == one.high == pytest.approx(getattr(whole, name))


def test_links_nearer_than_all_else_are_perfect(many):
    distances, links = many
    found = link_ranking(np.where(links.toarray(), 0.0, 1.0 + distances), links)
    assert (found.mean_rank, found.mean_average_precision, found.hits_at(1)) == (1.0, 1.0, 1.0)
    assert isinstance(found, LinkRanking)
    assert "mean rank" in found._repr_html_()
    assert found.__rich__().row_count == 4


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((np.zeros((3, 3)), np.empty((0, 2), int)), {}, "at least one link"),
        ((np.zeros((3, 3)), [[1, 1]]), {}, "join a node to itself, as node 1"),
        ((np.zeros((3, 3)), [[0, 3]]), {}, r"nodes in \[0, 3\)"),
        ((np.zeros((3, 3)), [[0.0, 1.0]]), {}, "pairs of node numbers"),
        ((np.zeros((3, 4)), [[0, 1]]), {}, "square matrix"),
        ((np.zeros((3, 3)), sparse.eye_array(4, k=1)), {}, "links must have shape"),
        ((np.zeros((3, 3)), [[0, 1]]), {"known": sparse.eye_array(4, k=1)}, "known must have shape"),
        ((np.full((3, 3), np.nan), [[0, 1]]), {}, "must not be NaN"),
        ((lambda rows: np.zeros((1, 2)), [[0, 1]]), {"n_nodes": 3}, "must return shape"),
        ((lambda rows: np.zeros((1, 3)), [[0, 1]]), {}, "n_nodes must be given"),
        ((np.zeros((3, 3)), [[0, 1]]), {"n_nodes": 4}, "n_nodes must be the 3 rows"),
        ((np.zeros((40, 40)), [[0, 1]]), {"subsample": 5}, "subsample must be"),
    ],
)
def test_bad_input_is_named(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        link_ranking(*arguments, **options)


def test_number_of_hits_is_checked(many):
    with pytest.raises(ValueError, match="k must be"):
        link_ranking(*many).hits_at(0)
