"""Crossing lines and planes."""

import numpy as np
import pytest
from scipy import optimize, stats

from holonomy.datasets import make_crossing_line_and_plane, make_crossing_lines, make_crossing_planes


def test_lines_lie_at_their_angles_and_share_points_evenly():
    lines = make_crossing_lines(3000, n_lines=3, angle=0.5, half_length=2.0, random_state=0)
    directions = np.column_stack([np.cos(0.5 * lines.labels), np.sin(0.5 * lines.labels)])
    assert np.allclose(lines.X, lines.latent * directions)
    assert stats.kstest(lines.latent[:, 0], stats.uniform(-2, 4).cdf).pvalue > 0.01
    assert stats.chisquare(np.bincount(lines.labels)).pvalue > 0.01
    assert np.allclose(lines.distance_to_singularity, np.linalg.norm(lines.X, axis=1))


def test_distances_between_lines_pass_the_crossing():
    lines = make_crossing_lines(200, random_state=0)
    rows = np.arange(200)
    s, same = lines.latent[:, 0], lines.labels[:, None] == lines.labels
    expected = np.where(same, np.abs(s[:, None] - s), np.abs(s[:, None]) + np.abs(s))
    assert np.array_equal(lines.geodesic_distances(rows[:, None], rows), expected)


def test_planes_share_their_middle_line():
    planes = make_crossing_planes(3000, n_planes=2, angle=1.0, half_length=3.0, random_state=0)
    normals = np.column_stack([-np.sin(planes.labels), np.cos(planes.labels), 0 * planes.labels])
    assert np.allclose((planes.X * normals).sum(axis=1), 0, atol=1e-14)
    assert np.allclose(planes.distance_to_singularity, np.hypot(planes.X[:, 0], planes.X[:, 1]))
    counts = np.histogram2d(*planes.latent.T, bins=6, range=[[-3, 3], [-3, 3]])[0]
    assert stats.chisquare(counts.ravel()).pvalue > 0.01


def test_distances_between_planes_are_least_over_points_of_the_crossing():
    planes = make_crossing_planes(60, random_state=0)
    checked = 0
    for i, j in zip(range(30), range(30, 60), strict=True):
        if planes.labels[i] == planes.labels[j]:
            assert planes.geodesic_distances(i, j) == pytest.approx(np.linalg.norm(planes.X[i] - planes.X[j]))
            continue
        through = optimize.minimize_scalar(
            lambda z, i=i, j=j: sum(np.linalg.norm(planes.X[k] - [0, 0, z]) for k in (i, j)),
            bounds=(-1, 1),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert planes.geodesic_distances(i, j) == pytest.approx(through.fun, rel=1e-9)
        checked += 1
    assert checked > 5


def test_line_and_plane_cross_at_their_angle():
    crossing = make_crossing_line_and_plane(4000, angle=0.3, weights=[1, 3], random_state=0)
    line, plane = crossing.X[crossing.labels == 0], crossing.X[crossing.labels == 1]
    assert np.allclose(line, crossing.latent[crossing.labels == 0, :1] * [np.cos(0.3), 0, np.sin(0.3)])
    assert (plane[:, 2] == 0).all()
    assert np.array_equal(crossing.local_dim, np.where(crossing.labels == 0, 1, 2))
    assert stats.binomtest(len(line), 4000, 0.25).pvalue > 0.01
    i, j = np.flatnonzero(crossing.labels == 0)[0], np.flatnonzero(crossing.labels == 1)[0]
    expected = np.linalg.norm(crossing.X[i]) + np.linalg.norm(crossing.X[j])
    assert crossing.geodesic_distances(i, j) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (make_crossing_lines, {"n_lines": 1}, "n_lines must be at least 2"),
        (make_crossing_lines, {"n_lines": 3, "angle": 1.6}, "angle must be less than"),
        (make_crossing_lines, {"half_length": 0}, "half_length must be positive"),
        (make_crossing_planes, {"n_planes": 0}, "n_planes must be at least 2"),
        (make_crossing_planes, {"angle": 4.0}, "angle must be less than"),
        (make_crossing_planes, {"angle": 0.0}, "angle must be positive"),
        (make_crossing_line_and_plane, {"angle": 0.0}, "angle must lie in"),
        (make_crossing_line_and_plane, {"angle": 2.0}, "angle must be at most"),
        (make_crossing_line_and_plane, {"weights": [1, 2, 3]}, "weights must hold one number for each of 2"),
        (make_crossing_line_and_plane, {"weights": [0, 0]}, "not all zero"),
        (make_crossing_line_and_plane, {"weights": [-1, 2]}, "non-negative"),
    ],
)
def test_bad_parameters_are_refused(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(10, **options)
