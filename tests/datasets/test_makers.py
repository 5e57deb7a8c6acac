"""What holds for every synthetic set."""

import pickle
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from holonomy import datasets as ds


def first_angle(b):
    return 0.5 * (1.0 - np.cos(b.latent[:, 0]))


HELIX_LENGTH = 2.0 * np.pi * 3.0 * np.hypot(1.0, 1.0 / (2.0 * np.pi))
CENTERS = [[0.5, 0.5, 0.5], [1.5, 1.0, 4.0]]
PAIR = (partial(ds.make_sphere, dim=1), ds.make_helix)

# Maker, dimension of its own coordinates, and what a numeric density falls along.
MAKERS = {
    "swiss_roll": (ds.make_swiss_roll, 3, lambda b: b.latent[:, 0] / 90.0),
    "swiss_roll_hole": (partial(ds.make_swiss_roll, hole=True), 3, lambda b: b.latent[:, 0] / 90.0),
    "s_curve": (ds.make_s_curve, 3, lambda b: 0.5 + b.latent[:, 0] / (3.0 * np.pi)),
    "circle": (partial(ds.make_sphere, dim=1, radius=2.0), 2, first_angle),
    "sphere": (ds.make_sphere, 3, first_angle),
    "sphere_5": (partial(ds.make_sphere, dim=5), 6, first_angle),
    "interval": (partial(ds.make_ball, dim=1), 1, lambda b: 0.5 * (1.0 - b.latent[:, 0])),
    "ball": (partial(ds.make_ball, dim=4, radius=2.0), 4, lambda b: 0.5 * (1.0 - b.latent[:, 0] / 2.0)),
    "flat_torus": (partial(ds.make_flat_torus, radii=[1.0, 0.5]), 4, first_angle),
    "torus": (ds.make_torus, 3, first_angle),
    "klein_bottle": (ds.make_klein_bottle, 4, first_angle),
    "klein_bottle_immersed": (partial(ds.make_klein_bottle, immersed=True), 3, first_angle),
    "flat_klein_bottle": (ds.make_flat_klein_bottle, 5, lambda b: 0.5 * (1.0 - np.cos(b.latent[:, 1]))),
    "moebius_band": (ds.make_moebius_band, 3, first_angle),
    "flat_moebius_band": (ds.make_flat_moebius_band, 5, lambda b: 0.5 * (1.0 - np.cos(b.latent[:, 1]))),
    "helix": (ds.make_helix, 3, lambda b: b.latent[:, 0] / HELIX_LENGTH),
    "branching_tree": (partial(ds.make_branching_tree, branching=3, depth=2), 12, lambda b: b.latent[:, 0] / 2.0),
    "balanced_tree": (partial(ds.make_balanced_tree, depth=7), 254, None),
    "hyperbolic_ball": (ds.make_hyperbolic_ball, 3, lambda b: np.linalg.norm(b.latent, axis=1) / 2.0),
    "hyperbolic_poincare": (
        partial(ds.make_hyperbolic_ball, dim=3, curvature=-0.25, radius=3.0, coordinates="poincare"),
        3,
        lambda b: np.linalg.norm(b.latent, axis=1) / 3.0,
    ),
    "wedge": (ds.make_wedge_of_spheres, 3, first_angle),
    "wedge_3": (partial(ds.make_wedge_of_spheres, dims=(3, 1, 2), weights=[3, 1, 2]), 7, first_angle),
    "pinched_torus": (ds.make_pinched_torus, 3, first_angle),
    "crossing_lines": (partial(ds.make_crossing_lines, n_lines=3), 2, lambda b: np.abs(b.latent[:, 0])),
    "crossing_planes": (partial(ds.make_crossing_planes, angle=1.0), 3, lambda b: np.abs(b.latent[:, 0])),
    "line_and_plane": (
        partial(ds.make_crossing_line_and_plane, angle=0.7),
        3,
        lambda b: np.linalg.norm(b.latent, axis=1) / np.sqrt(2.0),
    ),
    "product": (partial(ds.make_product, factors=PAIR), 5, None),
    "mixture_sphere": (partial(ds.make_gaussian_mixture, dim=3, centers=CENTERS, scale=0.5), 4, first_angle),
    "mixture_torus": (partial(ds.make_gaussian_mixture, space="torus", dim=3, centers=CENTERS), 6, first_angle),
    "mixture_hyperboloid": (
        partial(ds.make_gaussian_mixture, space="hyperboloid", dim=3, centers=CENTERS),
        4,
        lambda b: np.tanh(0.5 * np.linalg.norm(b.latent, axis=1)),
    ),
    "subspace": (
        partial(ds.make_subspace, dim=3, scales=[3.0, 2.0, 1.0], ambient_dim=None),
        3,
        lambda b: ndtr(b.latent[:, 0] / 3.0),
    ),
}
WITHOUT_DISTANCES = {"torus", "klein_bottle", "klein_bottle_immersed", "moebius_band", "pinched_torus"}
NOT_EMBEDDED_ISOMETRICALLY = {"hyperbolic_ball", "hyperbolic_poincare", "mixture_hyperboloid", "balanced_tree"}

every_maker = pytest.mark.parametrize("name", MAKERS)
every_metric = pytest.mark.parametrize("name", [name for name in MAKERS if name not in WITHOUT_DISTANCES])


@every_maker
def test_entries_have_the_documented_shapes_and_types(name):
    make, own_dim, _ = MAKERS[name]
    b = make(200, random_state=0)
    assert isinstance(b, Bunch)
    assert b.X.shape == b.X_clean.shape == (200, own_dim)
    assert b.X.dtype == b.latent.dtype == np.float64
    assert b.latent.shape == (200, b.intrinsic_dim)
    assert b.labels.shape == b.local_dim.shape == (200,)
    assert b.labels.dtype.kind == b.local_dim.dtype.kind == "i"
    assert b.local_dim.max() == b.intrinsic_dim
    assert b.frame is None
    assert np.isfinite(b.X).all()
    assert np.isfinite(b.latent).all()
    assert np.array_equal(b.X, b.X_clean)
    assert not np.shares_memory(b.X, b.X_clean)
    assert not np.shares_memory(b.X, b.latent)
    assert "200 points" in b.DESCR
    assert (b.geodesic_distances is None) == (name in WITHOUT_DISTANCES)


@every_maker
def test_one_seed_gives_the_same_bits_and_another_gives_others(name):
    make = partial(MAKERS[name][0], 100, noise=0.1, density=2.0, ambient_dim=260)
    first, again, other = make(random_state=3), make(random_state=3), make(random_state=4)
    assert np.array_equal(first.X, again.X)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.X, other.X)
    assert np.array_equal(make(random_state=np.random.default_rng(0)).X, make(random_state=np.random.default_rng(0)).X)


@every_maker
def test_noise_has_its_level_and_moves_nothing_else(name):
    make = partial(MAKERS[name][0], 250, ambient_dim=260, random_state=1)
    clean, noisy = make(), make(noise=0.3)
    assert np.array_equal(clean.X, noisy.X_clean)
    assert np.array_equal(clean.latent, noisy.latent)
    deviations = noisy.X - noisy.X_clean
    assert deviations.std() == pytest.approx(0.3, rel=0.01)
    assert abs(deviations.mean()) < 0.005


@every_maker
def test_frame_turns_the_set_without_changing_it(name):
    make, own_dim, _ = MAKERS[name]
    own, turned = make(50, random_state=2), make(50, ambient_dim=own_dim + 3, random_state=2)
    assert turned.X.shape == (50, own_dim + 3)
    assert np.array_equal(own.latent, turned.latent)
    assert np.allclose(turned.frame.T @ turned.frame, np.eye(own_dim), atol=1e-12)
    assert np.allclose(turned.X_clean @ turned.frame, own.X_clean, atol=1e-10 * np.abs(own.X_clean).max())
    assert np.linalg.matrix_rank(turned.X) <= own_dim


@every_maker
def test_too_small_ambient_dimension_is_refused(name):
    make, own_dim, _ = MAKERS[name]
    if own_dim > 1:
        with pytest.raises(ValueError, match=r"ambient_dim|dim must be"):
            make(20, ambient_dim=own_dim - 1)


@pytest.mark.parametrize("name", [name for name, (_, _, height) in MAKERS.items() if height])
@pytest.mark.parametrize("ratio", [20.0, 0.2])
def test_numeric_density_falls_along_the_documented_height(name, ratio):
    make, _, height = MAKERS[name]
    uniform, tilted = height(make(4000, random_state=5)), height(make(2000, density=ratio, random_state=6))
    assert uniform.min() >= -1e-12
    assert uniform.max() <= 1.0 + 0.02  # the swiss roll's length is rounded up here
    weights = ratio**-uniform
    expected = np.average(uniform, weights=weights)
    spread = np.sqrt(np.average((uniform - expected) ** 2, weights=weights))
    assert abs(tilted.mean() - expected) < 5.0 * spread * np.sqrt(1 / 1500 + 1 / 2000)
    assert abs(tilted.mean() - uniform.mean()) > 2.0 * spread / np.sqrt(2000)


@every_maker
def test_callable_density_keeps_points_where_it_is_positive(name):
    make = MAKERS[name][0]
    middle = np.median(make(200, random_state=0).latent[:, 0])
    b = make(100, density=lambda latent: latent[:, 0] >= middle, random_state=0)
    assert b.X.shape[0] == 100
    assert (b.latent[:, 0] >= middle).all()


@every_maker
def test_one_point_is_a_set(name):
    b = MAKERS[name][0](1, random_state=0)
    assert len(b.X) == len(b.labels) == 1
    if b.geodesic_distances is not None:
        assert b.geodesic_distances(0, 0) == 0.0


@every_maker
def test_sets_survive_pickling(name):
    b = MAKERS[name][0](30, random_state=0)
    copy = pickle.loads(pickle.dumps(b))  # noqa: S301 - our own bytes
    assert np.array_equal(copy.X, b.X)
    if b.geodesic_distances is not None:
        assert np.array_equal(copy.geodesic_distances(0, np.arange(30)), b.geodesic_distances(0, np.arange(30)))


@pytest.mark.parametrize("name", ["balanced_tree", "sphere_5", "branching_tree", "product"])
def test_bits_do_not_depend_on_the_number_of_threads(name):
    results = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            results.append(MAKERS[name][0](200, noise=0.1, ambient_dim=300, random_state=0).X)
    assert np.array_equal(*results)


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "balanced_tree"])
def test_local_dimension_shows_in_the_distances_to_two_neighbours(name):
    b = MAKERS[name][0](3000, random_state=9)
    for dim in np.unique(b.local_dim):
        piece = b.X[b.local_dim == dim]
        first, second = NearestNeighbors(n_neighbors=3).fit(piece).kneighbors()[0][:, :2].T
        ratio = np.log(second / first)
        estimate = 1.0 / np.mean(ratio[ratio <= np.quantile(ratio, 0.95)])
        # The mean of the lower 95 % of an exponential law is smaller than its mean by this factor.
        estimate *= 1.0 - 0.05 * np.log(20.0) / 0.95
        assert estimate == pytest.approx(dim, rel=0.15)


CACHE: dict[str, Bunch] = {}


def sample_of(name):
    if name not in CACHE:
        CACHE[name] = MAKERS[name][0](200, random_state=7)
    return CACHE[name]


@every_metric
@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.integers(0, 199), min_size=3, max_size=3))
def test_geodesic_distance_is_a_metric(name, rows):
    d = sample_of(name).geodesic_distances
    i, j, k = rows
    assert d(i, i) == 0.0
    assert d(i, j) == d(j, i)
    assert (d(i, j) > 0.0) == (i != j)
    assert d(i, k) <= (d(i, j) + d(j, k)) * (1 + 1e-12)


@every_metric
def test_geodesic_distances_broadcast(name):
    d = sample_of(name).geodesic_distances
    rows, columns = np.arange(7), np.arange(11)
    matrix = d(rows[:, None], columns)
    assert matrix.shape == (7, 11)
    assert matrix.dtype == np.float64
    assert matrix[3, 5] == d(3, 5)
    assert np.array_equal(matrix[2], d(2, columns))
    assert np.array_equal(matrix[:7, :7], matrix[:7, :7].T)


@pytest.mark.parametrize("name", sorted(MAKERS.keys() - WITHOUT_DISTANCES - NOT_EMBEDDED_ISOMETRICALLY))
def test_geodesics_are_as_long_as_chords_up_close_and_no_shorter_far_off(name):
    b = MAKERS[name][0](1000, random_state=8)
    rows, compared = np.arange(1000), 0
    for i in range(0, 1000, 50):
        chord = np.linalg.norm(b.X_clean - b.X_clean[i], axis=1)
        geodesic = b.geodesic_distances(i, rows)
        assert (geodesic >= chord * (1 - 1e-12) - 1e-12).all()
        same_piece = (b.labels == b.labels[i]) & (rows != i)
        near = rows[same_piece][np.argmin(chord[same_piece])]
        if chord[near] < 0.3 * chord.max():
            assert geodesic[near] == pytest.approx(chord[near], rel=0.03)
            compared += 1
    assert compared >= 15


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_samples": 0}, ValueError, "n_samples"),
        ({"n_samples": 10.0}, TypeError, "n_samples"),
        ({"noise": -0.1}, ValueError, "noise"),
        ({"noise": np.nan}, ValueError, "noise"),
        ({"noise": "much"}, TypeError, "noise"),
        ({"density": 0.0}, ValueError, "density"),
        ({"density": np.inf}, ValueError, "density"),
        ({"density": "uniform"}, TypeError, "density"),
        ({"ambient_dim": 0}, ValueError, "ambient_dim"),
        ({"ambient_dim": 1000.5}, TypeError, "ambient_dim"),
        ({"random_state": -1}, ValueError, "random_state"),
        ({"random_state": "zero"}, TypeError, "random_state"),
    ],
)
@every_maker
def test_bad_input_is_refused_by_name(name, options, error, message):
    with pytest.raises(error, match=message):
        MAKERS[name][0](**({"n_samples": 10} | options))


@every_maker
def test_bad_densities_are_refused(name):
    make = partial(MAKERS[name][0], 10, random_state=0)
    with pytest.raises(ValueError, match="one number for each"):
        make(density=lambda latent: latent.ravel()[:3])
    with pytest.raises(ValueError, match=r"numbers in \[0, 1\]"):
        make(density=lambda latent: np.full(len(latent), 1.5))
    with pytest.raises(ValueError, match=r"numbers in \[0, 1\]"):
        make(density=lambda latent: np.full(len(latent), np.nan))
    with pytest.raises(ValueError, match=r"density"):
        make(density=lambda latent: np.zeros(len(latent)))
