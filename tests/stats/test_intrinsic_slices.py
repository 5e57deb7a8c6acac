import math

import numpy as np
import pytest
import torch
from scipy import sparse, special, stats

from holonomy.manifolds import Euclidean, Mesh, Product, Sphere, Torus
from holonomy.stats import IntrinsicSlices, intrinsic_sliced_wasserstein
from holonomy.stats._harmonics import spherical_harmonics
from tests.manifolds.meshes.shapes import grid, icosphere


def grid_graph(n):
    path = sparse.diags_array([np.ones(n - 1), np.ones(n - 1)], offsets=[-1, 1])
    return sparse.csr_array(sparse.kron(path, sparse.eye_array(n)) + sparse.kron(sparse.eye_array(n), path))


def uneven_graph(n=40, seed=0):
    """A connected graph without repeated eigenvalues."""
    rng = np.random.default_rng(seed)
    weights = np.triu(rng.uniform(0.1, 1.0, (n, n)) * (rng.uniform(size=(n, n)) < 0.15), 1)
    weights[np.arange(n - 1), np.arange(1, n)] = rng.uniform(0.5, 1.0, n - 1)
    return weights + weights.T


def sphere_points(n, seed, tilt=0.0):
    x = np.random.default_rng(seed).normal(size=(n, 3)) + np.array([0.0, 0.0, tilt])
    return x / np.linalg.norm(x, axis=1, keepdims=True)


MESH = Mesh(*icosphere(2))
DOMAINS = {
    "interval": (IntrinsicSlices("interval", 7), lambda n, s: np.random.default_rng(s).beta(2, 3 + s % 3, n)),
    "circle": (IntrinsicSlices("circle", 8), lambda n, s: np.random.default_rng(s).vonmises(s, 2.0, n)),
    "cylinder": (
        IntrinsicSlices("cylinder", 12),
        lambda n, s: np.random.default_rng(s).uniform(size=(n, 2)) * [2 * np.pi, 1.0],
    ),
    "sphere": (IntrinsicSlices("sphere", 15), lambda n, s: sphere_points(n, s, 0.3 * (s % 4))),
    "torus": (
        IntrinsicSlices(Torus([1.0, 24.0]), 9),
        lambda n, s: np.random.default_rng(s).uniform(size=(n, 2)) * [1.0, 24.0],
    ),
    "mesh": (IntrinsicSlices(MESH, 9), lambda n, s: MESH.project(torch.from_numpy(sphere_points(n, s))).numpy()),
    "graph": (IntrinsicSlices(uneven_graph(), 10), lambda n, s: np.random.default_rng(s).integers(0, 40, n)),
}


@pytest.mark.parametrize("name", DOMAINS)
def test_distances_match_scipy_and_the_embedding_up_to_quadrature(name):
    slices, draw = DOMAINS[name]
    P, Q = draw(50, 1), draw(30, 2)
    p, q = slices.functions(P), slices.functions(Q)
    one = [stats.wasserstein_distance(a, b) for a, b in zip(p.T, q.T, strict=True)]
    first = IntrinsicSlices(slices.domain, len(slices.eigenvalues), order=1)
    assert np.allclose(intrinsic_sliced_wasserstein(P, Q, first, per_slice=True), one)
    assert math.isclose(intrinsic_sliced_wasserstein(P, Q, first), float(first.weights @ one))
    # Squared W_2 by brute force over a common refinement of both step functions.
    fine = np.arange(150) // 3, np.arange(150) // 5
    squares = np.square(np.sort(p, axis=0)[fine[0]] - np.sort(q, axis=0)[fine[1]]).mean(axis=0)
    assert np.allclose(intrinsic_sliced_wasserstein(P, Q, slices, per_slice=True), squares)
    exact = math.sqrt(slices.weights @ squares)
    assert math.isclose(intrinsic_sliced_wasserstein(P, Q, slices), exact)
    assert abs(slices.distance(P, Q) - exact) < 0.15 * exact
    finer = IntrinsicSlices(slices.domain, len(slices.eigenvalues), n_quantiles=3000)
    assert abs(finer.distance(P, Q) - exact) < 2e-3 * exact


@pytest.mark.parametrize("name", DOMAINS)
def test_distances_are_a_euclidean_metric(name):
    slices, draw = DOMAINS[name]
    group = [draw(20 + s, s) for s in range(8)]
    D = slices.pairwise(group)
    assert np.allclose(np.diag(D), 0.0)
    assert np.allclose(D, D.T)
    assert (D[:, None] <= D[:, :, None] + D[None] + 1e-12).all()
    embedded = slices.transform(group)
    assert np.allclose(D, np.linalg.norm(embedded[:, None] - embedded, axis=2))
    assert np.linalg.eigvalsh(slices.kernel(group)).min() > -1e-12
    assert np.allclose(slices.pairwise(group, group[:3]), D[:, :3])


@pytest.mark.parametrize("name", DOMAINS)
def test_eigenfunctions_are_orthonormal_for_the_mean_over_the_domain(name):
    slices, _ = DOMAINS[name]
    if name == "mesh":
        values = slices.functions(MESH.surface.vertices)
        weights = MESH.vertex_areas / MESH.area
        tolerance = 1e-9
    elif name == "graph":
        values, weights, tolerance = slices.functions(np.arange(40)), np.full(40, 1.0 / 40.0), 1e-9
    else:
        axis = (np.arange(200) + 0.5) / 200
        u, v = (a.ravel() for a in np.meshgrid(axis, axis))
        height = 2.0 * u - 1.0
        ring = np.sqrt(1.0 - height**2)
        points = {
            "interval": axis,
            "circle": 2 * np.pi * axis,
            "cylinder": np.stack([2 * np.pi * u, v], axis=1),
            "sphere": np.stack([ring * np.cos(2 * np.pi * v), ring * np.sin(2 * np.pi * v), height], axis=1),
            "torus": np.stack([u, 24.0 * v], axis=1),
        }[name]
        values, tolerance = slices.functions(points), 2e-3
        weights = np.full(len(values), 1.0 / len(values))
    gram = values.T @ (weights[:, None] * values)
    assert np.abs(gram - np.eye(len(gram))).max() < tolerance
    assert np.abs(weights @ values).max() < tolerance
    assert (np.diff(slices.eigenvalues) >= -1e-9).all()


def test_spherical_harmonics_match_those_of_scipy():
    points = sphere_points(30, 0)
    values = spherical_harmonics(points, 12)
    polar, turn = np.arccos(points[:, 2]), np.arctan2(points[:, 1], points[:, 0])
    column = 0
    for degree in range(1, 13):
        for m in range(-degree, degree + 1):
            complex_ = special.sph_harm_y(degree, abs(m), polar, turn) * math.sqrt(4.0 * math.pi) * (-1.0) ** m
            part = complex_.imag if m < 0 else complex_.real
            expected = part * (math.sqrt(2.0) if m else 1.0)
            assert np.allclose(values[:, column], expected, atol=1e-11)
            column += 1
    assert column == values.shape[1]


def test_known_spectra():
    assert np.allclose(
        IntrinsicSlices("interval", 4, extent=(0.0, 2.0)).eigenvalues, (np.pi * np.arange(1, 5) / 2) ** 2
    )
    assert np.allclose(IntrinsicSlices("circle", 6).eigenvalues, [1, 1, 4, 4, 9, 9])
    assert np.allclose(IntrinsicSlices("sphere", 8).eigenvalues, [2] * 3 + [6] * 5)
    assert np.allclose(IntrinsicSlices(Sphere(2, curvature=4.0), 3).eigenvalues, 8.0)
    assert np.allclose(IntrinsicSlices(Sphere(1), 4).eigenvalues, [1, 1, 4, 4])
    cylinder = IntrinsicSlices("cylinder", 5, extent=(0.0, np.pi)).eigenvalues  # orders (0,1), (1,0) and (1,1)
    assert np.allclose(cylinder, [1, 1, 1, 2, 2])
    product = IntrinsicSlices(Product(Sphere(2), Torus(1)), 14).eigenvalues
    assert np.allclose(product, [1, 1, 2, 2, 2, *[3] * 6, 4, 4])  # those of eigenvalue 6 would make 24
    weighted = IntrinsicSlices(Product(Torus(1), Torus(1), weights=[4.0, 1.0]), 2).eigenvalues
    assert np.allclose(weighted, 0.25)
    path = np.diag(np.ones(4), 1) + np.diag(np.ones(4), -1)
    assert np.allclose(IntrinsicSlices(path, 4).eigenvalues, 2.0 - 2.0 * np.cos(np.pi * np.arange(1, 5) / 5))
    cycle = np.roll(np.eye(8), 1, axis=0) + np.roll(np.eye(8), -1, axis=0)
    walk = IntrinsicSlices(cycle, 4, normalization="random_walk")
    assert np.allclose(walk.eigenvalues, 1.0 - np.cos(np.pi * np.array([1, 1, 2, 2]) / 4))


def test_eigenspaces_are_kept_whole():
    assert len(IntrinsicSlices("sphere", 10).eigenvalues) == 8
    assert len(IntrinsicSlices("sphere", 2).eigenvalues) == 3
    assert len(IntrinsicSlices("circle", 5).eigenvalues) == 4
    assert len(IntrinsicSlices(MESH, 10).eigenvalues) == 8  # degrees 1 and 2 of the icosahedral sphere
    assert len(IntrinsicSlices(grid_graph(5), 3).eigenvalues) == 3
    assert len(IntrinsicSlices(grid_graph(5), 4).eigenvalues) == 3
    assert len(IntrinsicSlices(np.ones((6, 6)) - np.eye(6)).eigenvalues) == 5


def test_sparse_and_dense_graph_solvers_agree():
    from holonomy.stats import _harmonics

    graph = grid_graph(12)
    expected = IntrinsicSlices(graph, 15)
    before = _harmonics.DENSE_UP_TO
    try:
        _harmonics.DENSE_UP_TO = 10
        found = IntrinsicSlices(graph, 15)
    finally:
        _harmonics.DENSE_UP_TO = before
    assert np.allclose(found.eigenvalues, expected.eigenvalues)
    alone = np.bincount(expected.spaces)[expected.spaces] == 1
    nodes = np.arange(144)
    assert np.allclose(np.abs(found.functions(nodes)[:, alone]), np.abs(expected.functions(nodes)[:, alone]), atol=1e-8)


@pytest.mark.parametrize("name", ["circle", "sphere"])
def test_rotations_change_nothing_on_average_over_bases(name):
    rng = np.random.default_rng(0)
    if name == "circle":
        P, Q = rng.vonmises(0.0, 3.0, 60), rng.vonmises(1.0, 1.0, 60)
        turns = [(P + a, Q + a) for a in (0.4, 1.1, 2.0)]
    else:
        P, Q = sphere_points(60, 0, 1.0), sphere_points(60, 1)
        axes = [np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(3)]
        turns = [(P @ a, Q @ a) for a in axes]
    spreads = []
    for rotations in (0, 200):
        slices = IntrinsicSlices(name, 8, average_rotations=rotations)
        here = slices.distance(P, Q)
        spreads.append(max(abs(slices.distance(*pair) / here - 1.0) for pair in turns))
    assert spreads[1] < 0.01
    assert spreads[1] < spreads[0]


def test_a_flip_of_eigenfunctions_and_an_order_of_nodes_change_nothing():
    graph = uneven_graph()
    rng = np.random.default_rng(0)
    H = rng.uniform(size=(6, 40))
    order = rng.permutation(40)
    expected = IntrinsicSlices(graph, 12).pairwise(H)
    assert np.allclose(IntrinsicSlices(graph[np.ix_(order, order)], 12).pairwise(H[:, order]), expected)
    flipped = IntrinsicSlices(graph, 12)
    flipped._harmonics._at_nodes = -flipped._harmonics._at_nodes
    assert np.allclose(flipped.pairwise(H), expected)


def test_the_difference_of_means_is_at_most_the_distance():
    """The kernel sum alpha phi phi compares means of eigenfunctions only."""
    for slices, draw in DOMAINS.values():
        P, Q = draw(40, 3), draw(40, 5)
        gap = slices.functions(P).mean(axis=0) - slices.functions(Q).mean(axis=0)
        assert math.sqrt(slices.weights @ gap**2) <= intrinsic_sliced_wasserstein(P, Q, slices) + 1e-12


def test_samples_weights_and_histograms_are_one_thing():
    graph = IntrinsicSlices(uneven_graph(), 10)
    nodes = np.array([3, 3, 7, 20])
    counts = np.bincount(nodes, minlength=40).astype(float)
    weighted = (np.array([3, 7, 20]), np.array([2.0, 1.0, 1.0]))
    rows = graph.transform([nodes, weighted, counts])
    assert np.allclose(rows[1:], rows[0])
    assert np.allclose(graph.transform(counts[None]), rows[:1])
    assert np.allclose(graph.transform(sparse.csr_array(np.stack([counts, 5.0 * counts]))), rows[:2])
    circle = IntrinsicSlices("circle", 4)
    hours = np.zeros((1, 24))
    hours[0, [3, 4]] = 1.0, 3.0
    points = (np.array([3, 4]) + 0.5) * 2.0 * np.pi / 24
    assert np.allclose(circle.transform(hours), circle.transform([(points, [1.0, 3.0])]))
    assert np.allclose(circle.transform([torch.from_numpy(points)]), circle.transform([points]))
    assert np.allclose(circle.transform(hours[:, 3:5], support=points), circle.transform(hours))
    bumps = np.random.default_rng(0).uniform(size=(2, MESH.n_vertices))
    mesh = IntrinsicSlices(MESH, 8)
    at_vertices = [(MESH.surface.vertices, row) for row in bumps]
    assert np.allclose(mesh.transform(bumps), mesh.transform(at_vertices))
    assert math.isclose(mesh.distance(bumps[0], bumps[1]), mesh.pairwise(bumps)[0, 1])


def test_quantiles_are_those_of_numpy():
    values = np.random.default_rng(0).uniform(size=37)
    for quantiles, method in (("exact", "inverted_cdf"), ("linear", "hazen")):
        slices = IntrinsicSlices("interval", 3, n_quantiles=11, quantiles=quantiles, alpha=np.ones_like)
        expected = np.quantile(slices.functions(values), slices.levels, axis=0, method=method).T
        assert np.allclose(slices.transform([values]).reshape(3, 11) * math.sqrt(11.0), expected)
    published = IntrinsicSlices("circle", 4, alpha="biharmonic", n_quantiles=20, quantiles="reference")
    assert np.allclose(published.levels, np.arange(20) / 20)
    rows = np.sort(published.functions(values), axis=0)
    first = published.transform([values]).reshape(4, 20)[:, 0]
    assert np.allclose(first, rows[0] * np.sqrt(published.weights / 20.0))


def test_reference_quantiles_on_graphs():
    graph = IntrinsicSlices(uneven_graph(), 5, "biharmonic", n_quantiles=5, quantiles="reference")
    mass = np.random.default_rng(0).dirichlet(np.ones(40))
    assert np.allclose(graph.levels, np.arange(1, 6) / 6.0)
    expected = []
    for phi, weight in zip(graph.functions(np.arange(40)).T, graph.eigenvalues**-2.0, strict=True):
        order = np.argsort(phi)
        shares = np.cumsum(mass[order]) - 1e-8
        expected += [math.sqrt(weight / 5.0) * phi[order][np.argmax(shares >= s)] for s in graph.levels]
    assert np.allclose(graph.transform(mass[None])[0], expected)


def test_weights_by_eigenvalue():
    values = IntrinsicSlices("circle", 6).eigenvalues
    assert np.allclose(IntrinsicSlices("circle", 6).weights[-1], 0.05)
    assert np.allclose(IntrinsicSlices("circle", 6, t=0.5).weights, np.exp(-0.5 * values))
    assert np.allclose(IntrinsicSlices("circle", 6, "biharmonic").weights, values**-2)
    assert np.allclose(IntrinsicSlices("circle", 6, "commute").weights, 1 / values)
    assert np.allclose(IntrinsicSlices("circle", 6, lambda v: 1 / (1 + v)).weights, 1 / (1 + values))


def test_many_distributions_come_in_pieces_and_repeat(monkeypatch):
    slices, draw = DOMAINS["circle"]
    group = [draw(10 + s, s) for s in range(40)]
    expected = slices.transform(group)
    monkeypatch.setattr("holonomy.stats._collections.ROWS_AT_ONCE", 64)
    assert np.array_equal(slices.transform(group), expected)
    assert np.array_equal(slices.transform(group[7:8]), expected[7:8])


def test_bad_domains_are_refused():
    with pytest.raises(ValueError, match="domain must be one of"):
        IntrinsicSlices("plane")
    with pytest.raises(TypeError, match="harmonics are known"):
        IntrinsicSlices(Euclidean(2))
    blocks = sparse.block_diag([np.ones((3, 3)), np.ones((4, 4))])
    with pytest.raises(ValueError, match="2 components"):
        IntrinsicSlices(blocks, 2)
    points, faces = grid(3)
    with pytest.raises(ValueError, match="2 components"):
        IntrinsicSlices(Mesh(np.concatenate([points, points + 9.0]), np.concatenate([faces, faces + 9])))
    with pytest.raises(ValueError, match="n_slices must be at most 39"):
        IntrinsicSlices(uneven_graph(), 40)
    with pytest.raises(ValueError, match="n_slices must be at most 8"):
        IntrinsicSlices(Mesh(points, faces), 9)
    for options, message in [
        ({"alpha": "fast"}, "alpha must be one of"),
        ({"alpha": lambda v: -v}, "alpha must return"),
        ({"t": -1.0}, "t must be"),
        ({"n_slices": 0}, "n_slices"),
        ({"n_quantiles": 0}, "n_quantiles"),
        ({"quantiles": "fast"}, "quantiles"),
        ({"order": 3}, "order"),
        ({"average_rotations": -1}, "average_rotations"),
        ({"extent": (1.0, 1.0)}, "extent"),
        ({"extent": (1.0,)}, "extent"),
        ({"normalization": "none"}, "normalization"),
    ]:
        with pytest.raises(ValueError, match=message):
            IntrinsicSlices("interval", **options)


def test_bad_distributions_are_refused():
    interval, circle = IntrinsicSlices("interval", 3), IntrinsicSlices("circle", 4)
    graph = IntrinsicSlices(uneven_graph(), 5)
    for slices, given, message in [
        (interval, [[0.5, 1.5]], "must lie in"),
        (interval, [], "at least one sample"),
        (interval, [[]], "at least one point"),
        (interval, [np.zeros((2, 2))], "must hold numbers"),
        (circle, [[float("nan")]], "NaN"),
        (circle, [(np.zeros(2), [1.0])], "one weight for each"),
        (circle, [(np.zeros(2), [0.0, 0.0])], "not all 0"),
        (circle, [(np.zeros(2), [1.0, -1.0])], "not negative"),
        (circle, -np.ones((2, 3)), "not negative"),
        (circle, np.zeros((2, 3)), "row 0 has none"),
        (graph, np.ones((2, 39)), "column for each of the 40 nodes"),
        (graph, [np.array([40])], "nodes 0 to 39"),
        (IntrinsicSlices("sphere", 3), [np.ones((2, 3))], "vectors of length 1"),
        (IntrinsicSlices("sphere", 3), [np.ones((2, 2))], "shape"),
    ]:
        with pytest.raises(ValueError, match=message):
            slices.transform(given)
    with pytest.raises(TypeError, match="node numbers"):
        graph.transform([np.ones((3, 3))])
    with pytest.raises(TypeError, match="support"):
        IntrinsicSlices("sphere", 3).transform(np.ones((2, 5)))
    with pytest.raises(ValueError, match="support must hold a point for each"):
        circle.transform(np.ones((2, 5)), support=[0.0, 1.0])
    with pytest.raises(ValueError, match="order must be 2"):
        IntrinsicSlices("circle", 4, order=1).kernel([[0.0], [1.0]])
    with pytest.raises(ValueError, match="bandwidth"):
        circle.kernel([[0.0], [1.0]], bandwidth=0.0)
