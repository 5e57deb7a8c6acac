"""Alignment of maps."""

import numpy as np
import pytest
from scipy.spatial import procrustes

from holonomy.measure import align, align_all


@pytest.fixture(scope="module")
def Z():
    return np.random.default_rng(0).normal(size=(80, 3))


def turned(Z, seed, scale=1.0):
    rng = np.random.default_rng(seed)
    return scale * Z @ np.linalg.qr(rng.normal(size=(3, 3)))[0] + rng.normal(size=3)


def test_similar_maps_fall_together(Z):
    found = align(turned(Z, 1, 4.0), Z)
    np.testing.assert_allclose(found.aligned, Z, atol=1e-12)
    assert found.scale == pytest.approx(0.25)
    assert found.disparity == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(found.rotation @ found.rotation.T, np.eye(3), atol=1e-12)


def test_equals_scipy(Z):
    other = turned(Z, 1) + np.random.default_rng(2).normal(size=Z.shape)
    assert align(other, Z).disparity == pytest.approx(procrustes(Z, other)[2])


def test_without_scaling_sizes_stay(Z):
    found = align(3 * Z, Z, scaling=False)
    assert found.scale == 1.0
    np.testing.assert_allclose(found.aligned.var(axis=0).sum(), 9 * Z.var(axis=0).sum())


def test_missing_points_stay_missing(Z):
    part = turned(Z, 1)
    part[:10] = np.nan
    found = align(part, Z)
    assert np.isnan(found.aligned[:10]).all()
    np.testing.assert_allclose(found.aligned[10:], Z[10:], atol=1e-12)


def test_many_maps_fall_together(Z):
    aligned, mean = align_all([Z, *(turned(Z, seed, seed) for seed in range(1, 5))])
    np.testing.assert_allclose(aligned, np.broadcast_to(Z, aligned.shape), atol=1e-8)
    np.testing.assert_allclose(mean, Z, atol=1e-8)


def test_the_mean_of_noisy_maps_is_nearer_to_the_truth_than_any(Z):
    noisy = [turned(Z + 0.3 * np.random.default_rng(50 + seed).normal(size=Z.shape), seed) for seed in range(8)]
    _, mean = align_all(noisy)
    best = min(align(each, Z).disparity for each in noisy)
    assert align(mean, Z).disparity < best / 3


def test_maps_of_different_rows(Z):
    parts = []
    for seed in range(4):
        part = turned(Z, seed)
        part[np.random.default_rng(seed).random(80) < 0.3] = np.nan
        parts.append(part)
    aligned, mean = align_all(parts)
    there = np.isfinite(mean).all(axis=1)
    assert align(mean, Z).disparity < 1e-12
    np.testing.assert_allclose(np.nanstd(aligned[:, there], axis=0), 0, atol=1e-6)


def test_points_in_one_place(Z):
    assert align(np.zeros((80, 3)), Z).disparity == pytest.approx(1)
    assert align(Z, np.zeros((80, 3))).scale == 0
    assert "disparity" in align(Z, Z)._repr_html_()
    assert align(Z, Z).__rich__().row_count == 3


def test_bad_input(Z):
    with pytest.raises(ValueError, match="same points, got 79 and 80"):
        align(Z[1:], Z)
    with pytest.raises(ValueError, match="as many columns, got 2 and 3"):
        align(Z[:, :2], Z)
    with pytest.raises(ValueError, match="Z contains NaN"):
        align(np.where(np.arange(3) == 1, np.nan, Z), Z)
    with pytest.raises(ValueError, match="all rows are NaN"):
        align(np.full((80, 3), np.nan), Z)
    with pytest.raises(ValueError, match="at least two maps"):
        align_all([Z])
    with pytest.raises(ValueError, match="same shape"):
        align_all([Z, Z[1:]])
    lonely = np.full((80, 3), np.nan)
    lonely[0] = 1
    with pytest.raises(ValueError, match="at least 2 points in common, got 1"):
        align(lonely, Z)
