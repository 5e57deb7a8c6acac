"""Flat tori and the ring torus."""

import numpy as np
import pytest
from scipy import stats

from holonomy.datasets import make_flat_torus, make_torus


def test_flat_torus_is_a_product_of_uniform_circles():
    torus = make_flat_torus(3000, dim=3, radii=[1.0, 2.0, 0.5], random_state=0)
    circles = torus.X.reshape(3000, 3, 2)
    assert np.allclose(np.linalg.norm(circles, axis=2), [1.0, 2.0, 0.5])
    assert np.allclose(np.mod(np.arctan2(circles[..., 1], circles[..., 0]), 2 * np.pi), torus.latent)
    for angle in torus.latent.T:
        assert stats.kstest(angle / (2 * np.pi), "uniform").pvalue > 0.01


def test_flat_torus_distances_are_the_least_over_all_images():
    torus = make_flat_torus(60, dim=2, radii=[1.0, 2.0], random_state=0)
    shifts = 2 * np.pi * np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), axis=-1).reshape(-1, 2)
    difference = torus.latent[:, None, None] - torus.latent[None, :, None] + shifts
    brute = np.linalg.norm(difference * [1.0, 2.0], axis=-1).min(axis=-1)
    rows = np.arange(60)
    assert np.allclose(torus.geodesic_distances(rows[:, None], rows), brute, atol=1e-13)


def test_torus_satisfies_its_equation():
    X = make_torus(500, major_radius=3.0, minor_radius=0.5, random_state=0).X
    assert np.allclose((np.hypot(X[:, 0], X[:, 1]) - 3.0) ** 2 + X[:, 2] ** 2, 0.25, rtol=1e-12)


def test_torus_tube_angle_has_the_law_of_the_area():
    torus = make_torus(5000, major_radius=1.5, minor_radius=1.0, random_state=0)
    around, tube = torus.latent.T
    assert stats.kstest(around / (2 * np.pi), "uniform").pvalue > 0.01
    assert stats.kstest(tube, lambda v: (v + np.sin(v) / 1.5) / (2 * np.pi)).pvalue > 0.01
    assert torus.geodesic_distances is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minor_radius": 2.0}, "minor_radius must be smaller than major_radius = 2"),
        ({"minor_radius": -1.0}, "minor_radius must be positive"),
        ({"major_radius": 0.0}, "major_radius must be positive"),
    ],
)
def test_bad_torus_radii_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make_torus(10, **options)


@pytest.mark.parametrize(
    ("radii", "message"),
    [([1.0, 2.0, 3.0], "one number or 2 numbers"), ([1.0, -1.0], "positive and finite"), (np.nan, "positive")],
)
def test_bad_flat_torus_radii_are_refused(radii, message):
    with pytest.raises(ValueError, match=message):
        make_flat_torus(10, radii=radii)
