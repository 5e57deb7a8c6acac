"""The layout on manifolds against automatic differentiation, the compiled layout, and isometries."""

import numpy as np
import pytest
import torch
from scipy import sparse

from holonomy.embed import LayoutOptions, optimize_layout
from holonomy.embed._manifold_layout import FULL, filled_up, longest_step, manifold_layout, manifold_placement
from holonomy.graphs import fuzzy_simplicial_set, neighbors
from holonomy.manifolds import SPD, Euclidean, Hyperboloid, PoincareBall, Product, Sphere, Stiefel, Torus, convert

A, B = 1.58, 0.9
SPACES = [Euclidean(2), Sphere(2), PoincareBall(2), Torus(2), SPD(2), Product(Sphere(1), Hyperboloid(1))]


def points_of(space, n, std=0.5):
    return space.random_normal(n, std=std, random_state=0, dtype=torch.float64)


@pytest.fixture(scope="module")
def graph():
    return fuzzy_simplicial_set(neighbors(np.random.default_rng(0).normal(size=(120, 4)), 8))


def cross_entropy(space, points, graph):
    """Return the fuzzy cross-entropy over all pairs."""
    with torch.no_grad():
        distance = space.dist(points[:, None], points[None]).numpy()
    wanted, found = graph.toarray(), 1 / (1 + A * np.maximum(distance, 1e-3) ** (2 * B))
    np.fill_diagonal(found, 0.5)
    return -(wanted * np.log(found) + (1 - wanted) * np.log1p(-found)).sum()


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_an_edge_pulls_along_the_gradient_of_the_cross_entropy(space):
    start = points_of(space, 2).requires_grad_()
    (-torch.log(1 / (1 + A * space.dist(start[0], start[1]) ** (2 * B)))).backward()
    gradient = space.egrad_to_rgrad(start.detach(), start.grad)
    edge = sparse.csr_array(np.array([[0.0, 1.0], [1.0, 0.0]]))
    # The strongest edge is sampled from the second epoch on, when the step is half of the first; both ends pull.
    options = LayoutOptions(A, B, n_epochs=2, learning_rate=1e-4, negative_sample_rate=0)
    moved, _ = manifold_layout(space, edge, start.detach(), options)
    expected = space.exp(start.detach(), -1e-4 * gradient)
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_drawn_point_pushes_along_the_gradient_of_the_cross_entropy(space):
    place, fixed = points_of(space, 2)[:, None]
    place = place.clone().requires_grad_()
    (-torch.log(1 - 1 / (1 + A * space.dist(place, fixed) ** (2 * B)))).sum().backward()
    gradient = space.egrad_to_rgrad(place.detach(), place.grad)
    # An edge to a place that is its own pulls by nothing, and every draw is of the only other point.
    start = torch.cat([place.detach(), fixed])
    loops = sparse.csr_array(np.eye(2))
    options = LayoutOptions(A, B, n_epochs=2, learning_rate=2e-4, negative_sample_rate=3)
    moved, _ = manifold_layout(space, loops, start, options, random_state=0)
    d = space.dist(place.detach(), fixed)
    near = d**2 / (0.001 + d**2)
    expected = space.exp(place.detach(), -3e-4 * near.reshape(-1, *[1] * len(space.shape)) * gradient)
    torch.testing.assert_close(moved[:1], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_points_stay_on_the_manifold_and_the_cross_entropy_falls(space, graph):
    start = points_of(space, 120)
    options = LayoutOptions(A, B, n_epochs=30)
    moved, kept = manifold_layout(space, graph, start, options, random_state=0, kept=(7, 30))
    assert bool(space.belongs(moved).all())
    assert bool(space.belongs(kept[7]).all())
    assert torch.equal(kept[30], moved)
    assert cross_entropy(space, moved, graph) < 0.8 * cross_entropy(space, start, graph)


def test_flat_space_takes_the_steps_of_the_compiled_layout(graph):
    # Far enough apart that no force is limited, which is done by length here and by coordinate there.
    start = 3.0 * torch.cartesian_prod(torch.arange(12.0), torch.arange(10.0)).double()
    options = LayoutOptions(A, B, n_epochs=4, learning_rate=0.05)
    expected = optimize_layout(graph, start.numpy(), options, random_state=5)
    moved, _ = manifold_layout(Euclidean(2), graph, start, options, random_state=5)
    np.testing.assert_allclose(moved, expected, atol=1e-4)
    assert np.abs(moved.numpy() - start.numpy()).max() > 0.1


@pytest.mark.parametrize("curvature", [-1.0, -0.3])
def test_models_of_one_space_take_the_same_steps(graph, curvature):
    ball, hyperboloid = PoincareBall(2, curvature), Hyperboloid(2, curvature)
    start, options = points_of(ball, 120), LayoutOptions(A, B, n_epochs=10)
    one, _ = manifold_layout(ball, graph, start, options, random_state=0)
    two, _ = manifold_layout(hyperboloid, graph, convert(start, ball, hyperboloid), options, random_state=0)
    torch.testing.assert_close(convert(one, ball, hyperboloid), two, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_blocks_and_company_leave_the_bits(space, graph, monkeypatch):
    start, maps = points_of(space, 120), []
    for rows in (32, 4096):
        monkeypatch.setattr("holonomy.embed._manifold_layout.ROWS", rows)
        maps.append(manifold_layout(space, graph, start, LayoutOptions(A, B, n_epochs=5), random_state=0)[0])
    assert torch.equal(maps[0], maps[1])
    edges, keys = graph[:7], np.arange(7, dtype=np.uint32)
    options = LayoutOptions(A, B, n_epochs=5)
    together = manifold_placement(space, edges, start[:7], maps[0], options, keys)
    alone = [
        manifold_placement(space, edges[[i]], start[i : i + 1], maps[0], options, keys[i : i + 1]) for i in range(7)
    ]
    assert torch.equal(torch.cat(alone), together)


def test_moves_are_bounded():
    assert longest_step(Euclidean(2)) == longest_step(Hyperboloid(2)) == 2.0
    assert longest_step(Torus([1.0])) == 0.25
    assert longest_step(Stiefel(3, 2)) <= 2.0
    start = torch.tensor([[0.0, 0.0], [1e-3, 0.0]], dtype=torch.float64)
    edges = sparse.csr_array(np.array([[0.0, 1.0], [1.0, 0.0]]))
    options = LayoutOptions(A, B, n_epochs=2, learning_rate=50.0, negative_sample_rate=1)
    moved, _ = manifold_layout(Euclidean(2), edges, start, options, random_state=0)
    assert (moved - start).norm(dim=1).max() <= 4.0


def test_indices_are_filled_up():
    assert filled_up(torch.arange(3)).tolist() == [0, 1, 2] + [2] * (FULL - 3)
    assert len(filled_up(torch.arange(FULL))) == FULL
    assert len(filled_up(torch.arange(0))) == 0
