"""The Swiss roll with and without a hole, and the S-curve."""

import numpy as np
import pytest
import sklearn.datasets
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import ConvexHull
from sklearn.neighbors import kneighbors_graph

from holonomy.datasets import make_s_curve, make_swiss_roll
from holonomy.datasets.rolls import _around_rectangle

LENGTH = 0.5 * (lambda t: t * np.sqrt(1 + t**2) + np.arcsinh(t))(np.array([1.5, 4.5]) * np.pi)
LENGTH = LENGTH[1] - LENGTH[0]


def on_the_spiral(X):
    """Distance in the (x, z) plane is the angle, up to whole turns."""
    angle = np.hypot(X[:, 0], X[:, 2])
    return np.allclose(X[:, [0, 2]], angle[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), atol=1e-9)


def test_swiss_roll_lies_on_the_sheet_of_scikit_learn():
    roll = make_swiss_roll(500, random_state=0)
    theirs, _ = sklearn.datasets.make_swiss_roll(500, random_state=0)
    assert on_the_spiral(theirs)
    assert on_the_spiral(roll.X)
    radius, their_radius = np.hypot(*roll.X[:, [0, 2]].T), np.hypot(*theirs[:, [0, 2]].T)
    assert radius.min() >= 1.5 * np.pi
    assert radius.max() <= 4.5 * np.pi
    assert (radius.min(), radius.max()) == pytest.approx((their_radius.min(), their_radius.max()), abs=0.2)
    assert (roll.X[:, 1] >= 0).all()
    assert (roll.X[:, 1] <= 21).all()


def test_swiss_roll_is_uniform_in_area_where_scikit_learn_is_not():
    roll = make_swiss_roll(4000, random_state=0)
    assert stats.kstest(roll.latent[:, 0] / LENGTH, "uniform").pvalue > 0.01
    assert stats.kstest(roll.X[:, 1] / 21.0, "uniform").pvalue > 0.01
    counts = np.histogram2d(*roll.latent.T, bins=10, range=[[0, LENGTH], [0, 21]])[0]
    assert stats.chisquare(counts.ravel()).pvalue > 0.01


def test_latent_coordinate_is_the_length_of_the_spiral():
    roll = make_swiss_roll(200, random_state=0)
    for angle, length in zip(np.hypot(*roll.X[:, [0, 2]].T)[:20], roll.latent[:20, 0], strict=True):
        t = np.linspace(1.5 * np.pi, angle, 20001)
        polygon = np.column_stack([t * np.cos(t), t * np.sin(t)])
        assert np.linalg.norm(np.diff(polygon, axis=0), axis=1).sum() == pytest.approx(length, rel=1e-7, abs=1e-6)


def test_hole_is_empty_and_the_rest_uniform():
    latent = make_swiss_roll(4000, hole=True, random_state=0).latent
    counts = np.histogram2d(*latent.T, bins=9, range=[[0, LENGTH], [0, 21]])[0]
    assert (counts[3:6, 3:6] == 0).all()
    counts[3:6, 3:6] = np.nan
    assert stats.chisquare(counts[np.isfinite(counts)]).pvalue > 0.01


@pytest.mark.parametrize("make", [make_swiss_roll, lambda *a, **k: make_swiss_roll(*a, hole=True, **k), make_s_curve])
def test_geodesic_distances_match_shortest_paths_in_a_fine_graph(make):
    sheet = make(6000, random_state=0)
    sources = np.arange(20)
    paths = dijkstra(kneighbors_graph(sheet.X, 20, mode="distance"), directed=False, indices=sources)
    exact = sheet.geodesic_distances(sources[:, None], np.arange(6000))
    far = exact > 0.2 * exact.max()
    ratio = paths[far] / exact[far]
    # Paths along edges zigzag by a few per cent. A graph may also cut a corner of the hole by less than an edge.
    assert 1.0 < np.median(ratio) < 1.03
    assert ratio.min() > 0.99
    assert ratio.max() < 1.08


coordinate = st.floats(-2.0, 3.0, allow_nan=False)
point = st.tuples(coordinate, coordinate)


@settings(max_examples=200, deadline=None)
@given(p=point, q=point)
def test_detour_round_a_rectangle_runs_along_the_convex_hull(p, q):
    lower, upper = np.array([0.0, 0.0]), np.array([1.0, 0.7])
    p, q = np.array(p), np.array(q)
    assume(not any(((z > lower - 1e-6) & (z < upper + 1e-6)).all() for z in (p, q)))
    along = np.linspace(0, 1, 2001)[:, None]
    line = p + along * (q - p)
    depth = np.minimum(line - lower, upper - line).min(axis=1).max()
    distance = _around_rectangle(p, q, lower=lower, upper=upper)
    assert distance == _around_rectangle(q, p, lower=lower, upper=upper)
    if depth < -1e-3:
        assert distance == pytest.approx(np.linalg.norm(p - q), rel=1e-14)
    elif depth > 1e-3:
        cloud = np.array([p, q, [0, 0], [1, 0], [1, 0.7], [0, 0.7]])
        ring = ConvexHull(cloud).vertices.tolist()
        ring = ring[ring.index(0) :] + ring[: ring.index(0)] + [0]
        lengths = np.linalg.norm(np.diff(cloud[ring], axis=0), axis=1)
        first_way = lengths[: ring.index(1)].sum()
        assert distance == pytest.approx(min(first_way, lengths.sum() - first_way), rel=1e-9)


def test_points_at_the_rectangle_see_along_its_sides():
    lower, upper = np.zeros(2), np.ones(2)
    cases = [((0, 0), (1, 0), 1.0), ((0, 0), (1, 1), 2.0), ((-1, 0), (2, 0), 3.0), ((0.5, 0), (0.5, 1), 2.0)]
    for p, q, expected in cases:
        p, q = np.array(p, dtype=float), np.array(q, dtype=float)
        assert _around_rectangle(p, q, lower=lower, upper=upper) == pytest.approx(expected, rel=1e-15)


def test_s_curve_lies_on_two_circles_and_is_uniform():
    curve = make_s_curve(4000, width=3.0, random_state=0)
    upper = curve.X[:, 2] > 0
    centre = np.where(upper, 1.0, -1.0)
    assert np.allclose(np.hypot(curve.X[:, 0], curve.X[:, 2] - centre), 1.0, atol=1e-12)
    assert stats.kstest((curve.latent[:, 0] / (3 * np.pi) + 0.5), "uniform").pvalue > 0.01
    assert stats.kstest(curve.X[:, 1] / 3.0, "uniform").pvalue > 0.01
    theirs, t = sklearn.datasets.make_s_curve(50, random_state=0)
    ours = np.column_stack([np.sin(t), theirs[:, 1], np.sign(t) * (np.cos(t) - 1)])
    assert np.allclose(ours, theirs)


@pytest.mark.parametrize("make", [make_swiss_roll, make_s_curve])
def test_width_must_be_positive(make):
    with pytest.raises(ValueError, match="width must be positive"):
        make(10, width=0.0)


def test_hole_must_be_a_truth_value():
    with pytest.raises(TypeError, match="hole must be True or False"):
        make_swiss_roll(10, hole=0.3)
