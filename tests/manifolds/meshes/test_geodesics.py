"""Distances from vertices: exact ones against closed forms and finer and finer graphs, heat against exact ones."""

import itertools
import math

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from holonomy.manifolds import Mesh
from tests.manifolds.meshes.shapes import cube, grid, icosphere, saddle


def graph_distances(mesh, sources, cuts):
    """Shortest ways along straight segments between vertices and ``cuts`` points on each edge: never too short."""
    points, faces = mesh.surface.vertices, mesh.surface.faces
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    unique, place = np.unique(edges, axis=0, return_inverse=True)
    t = (np.arange(cuts) + 1.0)[:, None, None] / (cuts + 1.0)
    between = (1.0 - t) * points[unique[:, 0]] + t * points[unique[:, 1]]
    everything = np.concatenate([points, between.reshape(-1, 3)])
    on_edges = len(points) + place.ravel().reshape(-1, 3)[..., None] + len(unique) * np.arange(cuts)
    members = np.concatenate([faces, on_edges.reshape(len(faces), -1)], axis=1)
    a, b = (np.concatenate([members[:, i] for i in side]) for side in np.triu_indices(members.shape[1], 1))
    lengths = np.linalg.norm(everything[a] - everything[b], axis=1)
    graph = sparse.coo_array((lengths, (a, b)), shape=(len(everything),) * 2).tocsr()
    counts = sparse.coo_array((np.ones(len(a)), (a, b)), shape=graph.shape).tocsr()
    graph.data /= counts.data  # an edge that two triangles share was summed
    return dijkstra(graph, directed=False, indices=sources)[:, : len(points)]


@pytest.mark.parametrize("source", [0, 10, 144])
def test_distances_in_a_plane_are_straight(source):
    mesh = Mesh(*grid(17))
    straight = np.linalg.norm(mesh.surface.vertices - mesh.surface.vertices[source], axis=1)
    assert np.allclose(mesh.exact_distances(source), straight, rtol=1e-13, atol=1e-13)


def test_distances_in_a_plane_with_irregular_and_thin_triangles():
    points, faces = grid(12)
    inner = np.all((points[:, :2] > 0) & (points[:, :2] < 11), axis=1)
    points[inner, :2] += np.random.default_rng(0).uniform(-0.2, 0.2, size=(inner.sum(), 2))
    points *= [1.0, 0.01, 1.0]
    mesh = Mesh(points, faces)
    for source in range(0, 144, 13):
        straight = np.linalg.norm(points - points[source], axis=1)
        assert np.allclose(mesh.exact_distances(source), straight, rtol=1e-12, atol=1e-12)


def test_distances_on_a_cube_are_the_shortest_unfoldings():
    """From a corner to points of the opposite sides: the least over the two ways over one edge."""
    mesh = Mesh(*cube(6))
    x, y, z = mesh.surface.vertices.T
    corner = int(np.flatnonzero((x == 0) & (y == 0) & (z == 0))[0])
    far = np.full(len(x), np.inf)
    for u, v, w in ((x, y, z), (y, x, z), (x, z, y), (z, x, y), (y, z, x), (z, y, x)):
        near_side = w == 0
        far[near_side] = np.minimum(far[near_side], np.hypot(u, v)[near_side])
        opposite = w == 1
        far[opposite] = np.minimum(far[opposite], np.hypot(u, 1.0 + v)[opposite])
    assert np.allclose(mesh.exact_distances(corner), far, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("shape", [saddle(7), icosphere(1), cube(2)], ids=["saddle", "sphere", "cube"])
def test_graphs_with_points_on_edges_come_down_to_the_exact_distances(shape):
    mesh = Mesh(*shape)
    sources = np.array([0, 11, 23])
    exact = mesh.exact_distances(sources, separately=True)
    gaps = [np.max(graph_distances(mesh, sources, cuts) - exact) for cuts in (1, 4, 16)]
    assert all(np.min(graph_distances(mesh, sources, cuts) - exact) > -1e-12 for cuts in (1, 4))
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 6e-3


def test_random_bumpy_surfaces_agree_with_fine_graphs_and_are_metrics():
    for seed in range(3):
        points, faces = icosphere(1)
        rng = np.random.default_rng(seed)
        mesh = Mesh(points * rng.uniform(0.4, 1.0, size=(len(points), 1)), faces)
        every = np.arange(mesh.n_vertices)
        exact = mesh.exact_distances(every, separately=True)
        assert np.allclose(exact, exact.T, rtol=1e-12, atol=1e-12)
        assert (exact[:, None] <= exact[:, :, None] + exact[None] + 1e-12).all()
        above = graph_distances(mesh, every, 20)
        assert (above > exact - 1e-12).all()
        assert np.max(above - exact) < 5e-3


def test_several_sources_give_the_nearest():
    mesh = Mesh(*saddle(9))
    sources = [3, 40, 77]
    each = mesh.exact_distances(sources, separately=True)
    assert np.allclose(mesh.exact_distances(sources), each.min(axis=0), rtol=1e-12)
    assert np.allclose(mesh.exact_distances([3, 3]), each[0])
    near = mesh.heat_distances(sources)
    assert (near >= 0.0).all()
    assert mesh.heat_distances(sources, separately=True).shape == (3, 81)


def test_heat_distances_converge_to_those_of_the_sphere():
    errors = []
    for divisions in (2, 3, 4, 5):
        mesh = Mesh(*icosphere(divisions))
        great = np.arccos(np.clip(mesh.surface.vertices @ mesh.surface.vertices[0], -1.0, 1.0))
        errors.append(np.abs(mesh.heat_distances(0) - great).mean())
    assert errors[-1] < 0.01
    assert all(coarse > 1.5 * fine for coarse, fine in itertools.pairwise(errors))


@pytest.mark.parametrize("stretch", [1.0, 4.0])
def test_heat_distances_are_near_the_exact_ones_on_bad_triangles_too(stretch):
    points, faces = icosphere(3)
    x, y, _ = points.T
    mesh = Mesh(points * (1.0 + 0.3 * np.sin(3.0 * x) * y)[:, None] * [stretch, 1.0, 1.0], faces)
    exact = mesh.exact_distances([5, 300], separately=True)
    heat = mesh.heat_distances([5, 300], separately=True)
    assert np.abs(heat - exact).mean() < 0.02 * exact.max()
    assert np.array_equal(heat[0], mesh.heat_distances(5))


def test_more_time_smooths():
    mesh = Mesh(*grid(21, 0.05))
    exact = mesh.exact_distances(0)
    short, long = mesh.heat_distances(0), mesh.heat_distances(0, time=0.1)
    assert np.abs(short - exact).mean() < np.abs(long - exact).mean()
    assert math.isclose(short.min(), 0.0)


def test_bad_sources_are_refused():
    mesh = Mesh(*grid(3))
    for distances in (mesh.exact_distances, mesh.heat_distances):
        for sources in (9, -1, [], [[0]]):
            with pytest.raises(ValueError, match="sources must be"):
                distances(sources)
        with pytest.raises(TypeError, match="sources must hold integers"):
            distances(0.5)
    for time in (0.0, -1.0):
        with pytest.raises(ValueError, match="time must be"):
            mesh.heat_distances(0, time=time)
