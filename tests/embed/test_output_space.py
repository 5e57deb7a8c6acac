"""Spaces of maps: distances against closed forms and peers, gradients, geodesic steps, coordinates, layouts."""

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.optimize import approx_fprime
from scipy.spatial.distance import cdist
from scipy.stats import multivariate_normal
from sklearn.metrics.pairwise import haversine_distances

from holonomy.embed import LayoutOptions, optimize_layout, output_geometry
from holonomy.embed._output_kernels import GAUSSIAN, HYPERBOLOID, SPHERE, follow, spread_and_gradient
from holonomy.embed.output_space import OutputGeometry, given_start
from holonomy.graphs import fuzzy_simplicial_set, neighbors

RNG = np.random.default_rng(0)
NONE = np.ones((1, 1))


def units(m):
    points = RNG.normal(size=(m, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def distance(code, x, y):
    return spread_and_gradient(code, x, y, 2.0, NONE, np.empty(len(x)))


def covariance(g):
    first, second = g[2], g[3] if len(g) > 3 else g[2]
    angle = g[4] if len(g) > 4 else 0.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turn @ np.diag([first, second]) @ turn.T


def gaussians(m, dim):
    return np.column_stack([RNG.normal(size=(m, 2)), RNG.uniform(0.2, 2, size=(m, 2)), RNG.uniform(-1.5, 1.5, m)])[
        :, :dim
    ]


def test_distances_on_the_sphere_are_haversine_distances():
    places = np.column_stack([RNG.uniform(-1.5, 1.5, 20), RNG.uniform(-3, 3, 20)])
    geometry = output_geometry("haversine", None, 2)
    np.testing.assert_allclose(geometry.distances(places, places), haversine_distances(places), atol=1e-7)


def test_distances_on_the_hyperboloid_are_those_of_the_definition():
    places = RNG.normal(size=(20, 3)) * 3
    time = np.sqrt(1 + (places**2).sum(axis=1))
    expected = np.arccosh(np.maximum(np.outer(time, time) - places @ places.T, 1))
    got = output_geometry("hyperboloid", None, 3).distances(places, places)
    np.testing.assert_allclose(got, expected, atol=1e-6)
    near = np.array([[50.0, 20.0], [50.0, 20.0 + 1e-9]])
    assert 0 < output_geometry("hyperboloid", None, 2).distances(near[:1], near[1:])[0, 0] < 1e-9


@pytest.mark.parametrize(("metric", "dim"), [("spherical_gaussian_energy", 3), ("diagonal_gaussian_energy", 4)])
def test_energies_of_gaussians_equal_umap_learn(metric, dim):
    peer = pytest.importorskip("umap.distances").named_distances_with_gradients[metric]
    places = gaussians(8, dim)
    expected = [[peer(x.copy(), y.copy())[0] for y in places] for x in places]
    np.testing.assert_allclose(output_geometry(metric, None, dim).distances(places, places), expected, rtol=1e-5)


def test_energy_of_gaussians_is_minus_log_of_their_overlap():
    x, y = gaussians(2, 5)
    got = output_geometry("gaussian_energy", None, 5).distances(x[None], y[None])[0, 0]
    closed = -multivariate_normal(np.zeros(2), covariance(x) + covariance(y)).logpdf(x[:2] - y[:2])
    np.testing.assert_allclose(got, closed, rtol=1e-10)
    p, q = (multivariate_normal(g[:2], covariance(g)) for g in (x, y))
    overlap, _ = dblquad(lambda s, t: p.pdf([s, t]) * q.pdf([s, t]), -12, 12, -12, 12, epsabs=1e-8)
    np.testing.assert_allclose(got, -np.log(overlap), rtol=1e-4)


def test_round_gaussians_are_a_case_of_all_gaussians():
    places = gaussians(6, 3)
    widened = np.column_stack([places, places[:, 2]])
    turned = np.column_stack([widened, RNG.uniform(-1, 1, 6)])
    one = output_geometry("spherical_gaussian_energy", None, 3).distances(places, places)
    two = output_geometry("diagonal_gaussian_energy", None, 4).distances(widened, widened)
    three = output_geometry("gaussian_energy", None, 5).distances(turned, turned)
    np.testing.assert_allclose(one, two, rtol=1e-12)
    np.testing.assert_allclose(one, three, rtol=1e-12)


@pytest.mark.parametrize("dim", [3, 4, 5])
def test_gradient_of_energy_equals_differences(dim):
    for _ in range(5):
        x, y, gradient = RNG.normal(size=dim), RNG.normal(size=dim), np.empty(dim)
        spread_and_gradient(GAUSSIAN, x, y, 2.0, NONE, gradient)
        expected = approx_fprime(x, lambda z: distance(GAUSSIAN, z, y), 1e-7)  # noqa: B023
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("code", [SPHERE, HYPERBOLOID])
def test_steps_along_the_gradient_change_the_distance_by_their_length(code):
    points = units(12) if code == SPHERE else RNG.normal(size=(12, 3)) * 2
    for x, y in zip(points[::2], points[1::2], strict=True):
        gradient = np.empty(3)
        before = spread_and_gradient(code, x, y, 2.0, NONE, gradient)
        for length in (max(-0.7 * before, -1.9), -1e-3, 0.1):
            place = x.copy()
            follow(code, place, length * gradient)
            np.testing.assert_allclose(distance(code, place, y), min(before + length, np.pi if code == SPHERE else 99))
            np.testing.assert_allclose(distance(code, place, x), abs(length), atol=1e-7)


def test_long_steps_on_the_hyperboloid_are_limited():
    place = np.array([1.0, 2.0])
    follow(HYPERBOLOID, place, np.array([500.0, 100.0]))
    np.testing.assert_allclose(distance(HYPERBOLOID, place, np.array([1.0, 2.0])), 2.0)


@pytest.mark.parametrize("code", [SPHERE, HYPERBOLOID, GAUSSIAN])
def test_coinciding_and_opposite_points_give_finite_gradients(code):
    x, gradient = units(1)[0], np.empty(3)
    for y in (x, -x):
        assert np.isfinite(spread_and_gradient(code, x, y, 2.0, NONE, gradient))
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
    ("metric", "places"),
    [
        ("haversine", np.column_stack([RNG.uniform(-1.5, 1.5, 9), RNG.uniform(-3, 3, 9)])),
        ("hyperboloid", RNG.normal(size=(9, 4))),
        ("gaussian_energy", gaussians(9, 5)),
        ("cosine", RNG.normal(size=(9, 3))),
    ],
)
def test_coordinates_go_in_and_out(metric, places):
    geometry = output_geometry(metric, None, places.shape[1])
    np.testing.assert_allclose(geometry.leave(geometry.enter(places)), places, atol=1e-12)
    np.testing.assert_allclose(given_start(geometry, places, *places.shape), geometry.enter(places))


@pytest.mark.parametrize("metric", ["haversine", "hyperboloid"])
def test_a_flat_start_is_wrapped_around_a_point(metric):
    flat = RNG.normal(size=(40, 2))
    geometry = output_geometry(metric, None, 2)
    centre = np.array([[np.pi / 2, 0.0]]) if metric == "haversine" else np.zeros((1, 2))
    reached = geometry.distances(centre, geometry.leave(geometry.start(flat)))[0]
    radius = np.linalg.norm(flat - flat.mean(axis=0), axis=1)
    np.testing.assert_allclose(reached / radius, (reached / radius)[0], rtol=1e-6)


def test_means_stay_in_the_space():
    sphere = output_geometry("haversine", None, 2)
    weights = RNG.uniform(size=(5, 9))
    means = sphere.mean(weights / weights.sum(axis=1, keepdims=True), units(9))
    np.testing.assert_allclose(np.linalg.norm(means, axis=1), 1)
    opposite = sphere.mean(np.array([[0.5, 0.5]]), np.array([[1.0, 0, 0], [-1.0, 0, 0]]))
    np.testing.assert_allclose(np.linalg.norm(opposite), 1)


def test_nearest_places_are_found_in_any_space():
    geometry = output_geometry("hyperboloid", None, 2)
    places = RNG.normal(size=(300, 2))
    indices, distances = geometry.nearest(places[:270], places, 3)
    expected = np.sort(geometry.distances(places[:270], places), axis=1)[:, :3]
    np.testing.assert_allclose(distances, expected, atol=1e-6)
    np.testing.assert_array_equal(indices[:, 0], np.arange(270))


def test_generic_steps_equal_the_euclidean_ones():
    X = RNG.normal(size=(200, 4))
    graph, options = fuzzy_simplicial_set(neighbors(X, 8)), LayoutOptions(1.58, 0.9, n_epochs=4)
    flat = OutputGeometry("euclidean", 0, 2.0, NONE)
    fast = optimize_layout(graph, 5 * X[:, :2], options, random_state=0)
    generic = optimize_layout(graph, 5 * X[:, :2], options, random_state=0, steps=flat.steps)
    np.testing.assert_allclose(generic, fast, atol=5e-3)


@pytest.mark.parametrize(("metric", "dim"), [("haversine", 2), ("hyperboloid", 2), ("gaussian_energy", 5)])
def test_layouts_are_the_same_for_any_number_of_threads(metric, dim):
    X = RNG.normal(size=(150, 4))
    graph, geometry = fuzzy_simplicial_set(neighbors(X, 8)), output_geometry(metric, None, dim)
    start = geometry.start(RNG.normal(size=(150, dim)))
    one, two = (
        optimize_layout(graph, start, LayoutOptions(1.58, 0.9, 20, n_jobs=jobs), random_state=0, steps=geometry.steps)
        for jobs in (1, 3)
    )
    np.testing.assert_array_equal(one, two)
    assert np.isfinite(one).all()


def test_flat_metrics_measure_what_their_names_say():
    places = RNG.normal(size=(7, 3))
    got = output_geometry("minkowski", {"p": 3}, 3).distances(places, places)
    np.testing.assert_allclose(got, cdist(places, places, "minkowski", p=3), rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("jaccard", None, 2), "output_metric must be one of"),
        ((print, None, 2), "output_metric must be one of"),
        (("haversine", None, 3), "output_metric='haversine' has 2 coordinates"),
        (("gaussian_energy", None, 2), "output_metric='gaussian_energy' has 5 coordinates"),
        (("mahalanobis", None, 2), "needs the parameter 'VI'"),
    ],
)
def test_bad_spaces_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        output_geometry(*arguments)


def test_bad_starts_are_named():
    geometry = output_geometry("spherical_gaussian_energy", None, 3)
    with pytest.raises(ValueError, match="init must have shape"):
        given_start(geometry, np.ones((4, 2)), 4, 3)
    with pytest.raises(ValueError, match="init must have positive variances"):
        given_start(geometry, -np.ones((4, 3)), 4, 3)
