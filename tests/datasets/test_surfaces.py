"""Klein bottles, Moebius bands and the pinched torus: parametrisations, area laws, flat metrics."""

from functools import partial

import numpy as np
import pytest
from scipy import stats
from scipy.sparse.csgraph import dijkstra
from sklearn.neighbors import kneighbors_graph

from holonomy import datasets as ds

TURN = 2 * np.pi


def torus(u, v):
    return [(2 + np.cos(v)) * np.cos(u), (2 + np.cos(v)) * np.sin(u), np.sin(v)]


def klein(u, v):
    r = 2 + 1.5 * np.cos(v)
    return [r * np.cos(u), r * np.sin(u), 1.5 * np.sin(v) * np.cos(u / 2), 1.5 * np.sin(v) * np.sin(u / 2)]


def immersed(u, v):
    r = 2 + 1.5 * (np.cos(u / 2) * np.sin(v) - np.sin(u / 2) * np.sin(2 * v))
    return [r * np.cos(u), r * np.sin(u), 1.5 * (np.sin(u / 2) * np.sin(v) + np.cos(u / 2) * np.sin(2 * v))]


def moebius(u, t):
    r = 1 + t * np.cos(u / 2)
    return [r * np.cos(u), r * np.sin(u), t * np.sin(u / 2)]


def flat(x, y):
    s, v = x / 4, y / 2
    rows = [np.cos(s) * np.cos(v), np.cos(s) * np.sin(v), 2 * np.sin(s) * np.cos(v / 2), 2 * np.sin(s) * np.sin(v / 2)]
    return [2 * row for row in [*rows, np.sqrt(3) * np.cos(s)]]


def pinched(u, v):
    tube = 1.9 * np.abs(np.sin(u / 2))
    r = 2 + tube * np.cos(v)
    return [r * np.cos(u), r * np.sin(u), tube * np.sin(v)]


def sphere(u, v):
    return [np.cos(u), np.sin(u) * np.cos(v), np.sin(u) * np.sin(v)]


SURFACES = {
    "torus": (ds.make_torus, torus, [[0, TURN], [0, TURN]]),
    "klein": (partial(ds.make_klein_bottle, minor_radius=1.5), klein, [[0, TURN], [0, TURN]]),
    "immersed": (
        partial(ds.make_klein_bottle, minor_radius=1.5, immersed=True),
        immersed,
        [[0, TURN], [0, TURN]],
    ),
    "moebius": (partial(ds.make_moebius_band, half_width=0.9), moebius, [[0, TURN], [-0.9, 0.9]]),
    "flat_klein": (
        partial(ds.make_flat_klein_bottle, radius=2.0),
        flat,
        [[-2 * TURN, 2 * TURN], [0, 2 * TURN]],
    ),
    "flat_moebius": (
        partial(ds.make_flat_moebius_band, radius=2.0, half_width=5.0),
        flat,
        [[-5, 5], [0, 2 * TURN]],
    ),
    "pinched": (partial(ds.make_pinched_torus, minor_radius=1.9), pinched, [[0, TURN], [0, TURN]]),
    "sphere": (ds.make_sphere, sphere, [[0, np.pi], [0, TURN]]),
}


def cell_areas(parametrise, box, cells, fine=24):
    """Areas of latent cells, from a fine mesh of parallelograms."""
    (u0, u1), (v0, v1) = box
    u, v = np.linspace(u0, u1, cells * fine + 1), np.linspace(v0, v1, cells * fine + 1)
    grid = np.stack(parametrise(*np.meshgrid(u, v, indexing="ij")), axis=-1)
    a, b = grid[1:, :-1] - grid[:-1, :-1], grid[:-1, 1:] - grid[:-1, :-1]
    squared = (a**2).sum(-1) * (b**2).sum(-1) - (a * b).sum(-1) ** 2
    return np.sqrt(np.maximum(squared, 0)).reshape(cells, fine, cells, fine).sum(axis=(1, 3))


@pytest.mark.parametrize("name", SURFACES)
def test_points_follow_the_parametrisation(name):
    make, parametrise, box = SURFACES[name]
    b = make(300, random_state=0)
    assert np.allclose(b.X, np.column_stack(parametrise(*b.latent.T)), atol=1e-12)
    for column, (low, high) in zip(b.latent.T, box, strict=True):
        assert (low <= column).all()
        assert (column <= high).all()


@pytest.mark.parametrize("name", SURFACES)
def test_points_are_uniform_in_area(name):
    make, parametrise, box = SURFACES[name]
    b = make(20000, random_state=1)
    areas = cell_areas(parametrise, box, 8)
    counts = np.histogram2d(*b.latent.T, bins=8, range=box)[0]
    assert stats.chisquare(counts.ravel(), 20000 * areas.ravel() / areas.sum()).pvalue > 0.01


@pytest.mark.parametrize("parametrise", [klein, immersed, moebius, flat])
def test_half_a_turn_closes_each_surface(parametrise):
    x = np.linspace(-0.8, 0.8, 9)
    turn = 2 * TURN if parametrise is flat else TURN
    first, last = (0 * x, 0 * x + turn)
    if parametrise is flat:
        start, end = parametrise(x, first), parametrise(-x, last)
    else:
        start, end = parametrise(first, x), parametrise(last, -x)
    assert np.allclose(start, end, atol=1e-14)


def test_flat_parametrisation_is_isometric():
    x, y = np.random.default_rng(0).uniform(0, 12, (2, 200))
    step = 1e-6
    du = (np.array(flat(x + step, y)) - flat(x - step, y)) / (2 * step)
    dv = (np.array(flat(x, y + step)) - flat(x, y - step)) / (2 * step)
    assert np.allclose((du**2).sum(0), 1, atol=1e-8)
    assert np.allclose((dv**2).sum(0), 1, atol=1e-8)
    assert np.allclose((du * dv).sum(0), 0, atol=1e-8)


def images(latent, length, width):
    """All images of points under glide reflections and, for the bottle, translations, near the fundamental domain."""
    for k in range(-3, 4):
        for m in range(-2, 3) if width else [0]:
            yield np.column_stack([(-1) ** k * latent[:, 0] + m * (width or 0), latent[:, 1] + k * length])


@pytest.mark.parametrize(
    ("make", "width"),
    [(ds.make_flat_klein_bottle, 2 * TURN), (partial(ds.make_flat_moebius_band, half_width=3.0), None)],
)
def test_flat_distances_are_the_least_over_all_images(make, width):
    b = make(150, random_state=0)
    brute = np.min(
        [np.linalg.norm(b.latent[:, None] - image, axis=-1) for image in images(b.latent, TURN, width)], axis=0
    )
    rows = np.arange(150)
    assert np.allclose(b.geodesic_distances(rows[:, None], rows), brute, atol=1e-12)


@pytest.mark.parametrize(
    "make", [ds.make_flat_klein_bottle, ds.make_flat_moebius_band, ds.make_flat_torus, ds.make_sphere]
)
def test_distances_match_shortest_paths_in_a_fine_graph(make):
    b = make(5000, random_state=0)
    sources = np.arange(20)
    paths = dijkstra(kneighbors_graph(b.X, 20, mode="distance"), directed=False, indices=sources)
    exact = b.geodesic_distances(sources[:, None], np.arange(5000))
    far = exact > 0.3 * exact.max()
    ratio = paths[far] / exact[far]
    assert 1.0 < np.median(ratio) < 1.03
    assert ratio.min() > 0.99
    assert ratio.max() < 1.08


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (ds.make_klein_bottle, {"minor_radius": 2.0}, "minor_radius must be smaller than 2"),
        (ds.make_klein_bottle, {"minor_radius": 1.7, "immersed": True}, "minor_radius must be smaller than 1.6"),
        (ds.make_klein_bottle, {"major_radius": -1}, "major_radius must be positive"),
        (ds.make_flat_klein_bottle, {"radius": 0.0}, "radius must be positive"),
        (ds.make_moebius_band, {"half_width": 1.0}, "half_width must be smaller than radius = 1"),
        (ds.make_flat_moebius_band, {"half_width": 3.2}, "half_width must be smaller than pi"),
        (ds.make_flat_moebius_band, {"radius": np.inf}, "radius must be finite"),
        (ds.make_pinched_torus, {"minor_radius": 2.5}, "minor_radius must be smaller than major_radius"),
    ],
)
def test_bad_parameters_are_refused(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(10, **options)


def test_immersed_must_be_a_truth_value():
    with pytest.raises(TypeError, match="immersed must be True or False"):
        ds.make_klein_bottle(10, immersed="yes")


def test_pinched_torus_names_its_singularity():
    b = ds.make_pinched_torus(2000, random_state=0)
    assert np.allclose(b.distance_to_singularity, np.linalg.norm(b.X - [2, 0, 0], axis=1))
    tube = np.sqrt((np.hypot(b.X[:, 0], b.X[:, 1]) - 2) ** 2 + b.X[:, 2] ** 2)
    assert np.allclose(tube, np.abs(np.sin(np.arctan2(b.X[:, 1], b.X[:, 0]) / 2)), atol=1e-12)
