"""The descent on pairs: threads, the same by torch, isometries, charts, draws."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy import sparse

from holonomy.embed import _ranking_kernels as kernels
from holonomy.embed import _ranking_terms as terms
from holonomy.embed import ranking_descent as descent
from holonomy.embed._manifold_descent import descend_on
from holonomy.graphs import transitive_closure
from holonomy.manifolds import Euclidean, Hyperboloid, PoincareBall, Sphere, gyro_add

N = 300


@pytest.fixture(scope="module")
def tree():
    """The closure of a binary tree, each node with its ancestors."""
    nodes = np.arange(1, N)
    links = transitive_closure(sparse.csr_array((np.ones(N - 1), (nodes, (nodes - 1) // 2)), shape=(N, N)))
    heads, tails = (ends.astype(np.int64) for ends in links.nonzero())
    return descent.Pairs(N, heads, tails, np.ones(len(heads)), links)


def options(**changes):
    base = descent.DescentOptions(
        space=terms.BALL, objective=kernels.RANKING, scale=1.0, n_negatives=10, lr=0.3, epochs=3, burn_in=1,
        burn_in_factor=0.1, dampening=0.75, batch_size=50, edge=1e-9,
    )  # fmt: skip
    return dataclasses.replace(base, **changes)


def start_of(seed=0, dim=3, size=0.3, dtype=np.float64):
    return np.random.default_rng(seed).uniform(-size, size, (N, dim)).astype(dtype)


def lifted(ball):
    return ball * 2 / (1 - (ball**2).sum(1, keepdims=True))


def ball_distances(x):
    x = torch.from_numpy(x)
    return PoincareBall(x.shape[1]).dist(x[:, None], x[None]).numpy()


@pytest.mark.parametrize("space", [terms.BALL, terms.HYPERBOLOID, terms.FLAT])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_bits_for_any_number_of_threads(tree, space, dtype):
    start = start_of(dtype=dtype)
    before = start.copy()
    runs = [descent.descend(start, tree, options(space=space, batch_size=700, n_jobs=jobs), 7) for jobs in (1, 2, 3, 7)]
    for other in runs[1:]:
        np.testing.assert_array_equal(runs[0], other)
    assert runs[0].dtype == dtype
    assert np.isfinite(runs[0]).all()
    np.testing.assert_array_equal(start, before)
    assert (descent.descend(start, tree, options(space=space, batch_size=700), 8) != runs[0]).any()


CASES = [
    (PoincareBall(3), terms.BALL, 1.0, kernels.RANKING, False),
    (PoincareBall(3), terms.BALL, 1.0, kernels.FERMI_DIRAC, False),
    (PoincareBall(3, curvature=-2.0), terms.BALL, 0.5**0.5, kernels.RANKING, False),
    (Hyperboloid(3), terms.HYPERBOLOID, 1.0, kernels.RANKING, False),
    (Hyperboloid(3, curvature=-0.5), terms.HYPERBOLOID, 2.0**0.5, kernels.FERMI_DIRAC, False),
    (Euclidean(3), terms.FLAT, 1.0, kernels.RANKING, False),
]


@pytest.mark.parametrize(("manifold", "space", "scale", "objective", "is_retraction"), CASES)
def test_compiled_steps_are_those_of_automatic_differentiation(tree, manifold, space, scale, objective, is_retraction):
    """One epoch of each, from the same start and with the same draws; batches large enough that hubs are averaged."""
    chosen = options(space=space, scale=scale, objective=objective, is_retraction=is_retraction, epochs=2)
    start = start_of()
    places = lifted(start) if space == terms.HYPERBOLOID else start
    points = torch.from_numpy(places * scale)
    if space == terms.HYPERBOLOID:
        points = manifold.project(torch.cat([torch.zeros(N, 1), points], 1))
    curve = (lambda *_: (1.5, 0.8)) if objective == kernels.FERMI_DIRAC else None
    ours = descent.descend(places, tree, chosen, 3, curve) * scale
    theirs = descend_on(manifold, points, tree, chosen, 3, curve=curve).numpy()[:, -3:]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


def test_ball_and_hyperboloid_agree_for_a_hundred_steps(tree):
    few = options(batch_size=len(tree.heads) // 25, epochs=4, lr=0.1)
    assert 100 <= 4 * len(descent.Schedule(tree, few, 0).epoch(0).bounds[:-1]) <= 104
    start = start_of(size=1e-3)
    ball = descent.descend(start, tree, few, 1)
    sheet = descent.descend(lifted(start), tree, dataclasses.replace(few, space=terms.HYPERBOLOID), 1)
    inside = sheet / (1 + np.sqrt(1 + (sheet**2).sum(1, keepdims=True)))
    np.testing.assert_allclose(ball_distances(inside), ball_distances(ball), atol=1e-6)


def test_isometries_commute_with_the_descent(tree):
    """Turn and move all points before or after: the same, and so is the loss, which sees distances alone."""
    start = start_of(size=0.2)
    ball, shift = PoincareBall(3), torch.tensor([0.2, -0.1, 0.3], dtype=torch.float64)
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]

    def isometry(x):
        return gyro_add(ball, shift, torch.from_numpy(x @ turn)).numpy()

    np.testing.assert_allclose(ball_distances(isometry(start)), ball_distances(start), atol=1e-9)
    before = descent.descend(isometry(start), tree, options(), 2)
    after = isometry(descent.descend(start, tree, options(), 2))
    np.testing.assert_allclose(before, after, atol=1e-7)
    assert ball.belongs(torch.from_numpy(before)).all()


def test_other_manifolds_descend_by_torch(tree):
    sphere = Sphere(3)
    start = sphere.random_uniform(N, random_state=0, dtype=torch.float64)
    for optimizer in ("rsgd", "radagrad", "radam", "ramsgrad"):
        chosen = options(epochs=2, lr=0.05, space=-1, batch_size=200)
        runs = [descend_on(sphere, start, tree, chosen, 1, optimizer) for _ in range(2)]
        assert torch.equal(*runs)
        assert sphere.belongs(runs[0]).all()
        assert not torch.equal(runs[0], start)


def test_negatives_are_never_linked_and_are_drawn_as_asked(tree):
    schedule = descent.Schedule(tree, options(n_negatives=40, burn_in=1), 0)
    drawn = []
    for number in (0, 1):
        epoch = schedule.epoch(number)
        targets, counts = np.zeros((len(tree.heads), 41), dtype=np.int64), np.zeros(len(tree.heads), dtype=np.int64)
        kernels.draw_batch(schedule.sampling(epoch), N, 0, len(tree.heads), targets, counts)
        assert (counts == 41).all()
        np.testing.assert_array_equal(targets[:, 0], epoch.tails)
        sources = np.repeat(epoch.heads, 40)
        negatives = targets[:, 1:].ravel()
        assert not np.asarray(tree.joined[sources, negatives]).any()
        assert (sources != negatives).all()
        drawn.append(np.bincount(negatives, minlength=N))
    degrees = np.bincount(np.r_[tree.heads, tree.tails], minlength=N)
    never = np.diff(tree.joined.tocsc().indptr) == 0
    # Leaves are no ancestors, and rejected for nobody but themselves.
    share = drawn[0][never] / (degrees[never] ** 0.75)
    assert np.std(share) / share.mean() < 0.1
    assert np.std(drawn[1][never]) / drawn[1][never].mean() < 0.1


def test_nodes_linked_to_all_others_have_no_negatives():
    links = sparse.csr_array(np.ones((4, 4)) - np.eye(4))
    heads, tails = (ends.astype(np.int64) for ends in links.nonzero())
    pairs = descent.Pairs(4, heads, tails, np.ones(12), links)
    start = np.random.default_rng(0).uniform(-0.3, 0.3, (4, 2))
    moved = descent.descend(start, pairs, options(batch_size=5), 0)
    # The softmax of a single candidate is one, and has no slope.
    np.testing.assert_array_equal(moved, start)


def test_visits_follow_the_weights():
    weights = np.array([1.0, 2.0, 3.0, 0.5, 5.5])
    rng = np.random.default_rng(0)
    counts = np.mean([np.bincount(descent.visited(weights, rng), minlength=5) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(counts, weights * 5 / 12, atol=0.04)
    assert sorted(descent.visited(np.ones(6), rng)) == list(range(6))


def test_alias_tables_have_the_chances():
    chances = np.array([0.0, 1.0, 2.0, 7.0])
    stays, aliases = descent.alias_table(chances)
    share = stays / 2.0**32
    found = share / 4 + np.bincount(aliases, (1 - share) / 4, minlength=4)
    np.testing.assert_allclose(found, chances / 10, atol=1e-8)


def test_batches_that_are_chosen_grow_with_the_nodes():
    assert [descent.auto_batch(n) for n in (5, 1_182, 10**6)] == [10, 147, descent.LARGEST_BATCH]


def test_rows_are_ordered_as_their_distances():
    start = start_of(size=0.55)
    expected = np.sinh(ball_distances(start) / 2) ** 2
    ball = descent.row_order(terms.BALL, start)(np.arange(N))
    sheet = descent.row_order(terms.HYPERBOLOID, lifted(start))(np.arange(N))
    np.testing.assert_allclose(ball, expected, rtol=1e-6, atol=1e-10)
    np.testing.assert_allclose(sheet, 4 * expected, rtol=1e-6, atol=1e-10)
