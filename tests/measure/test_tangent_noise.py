"""The level of noise."""

import numpy as np
import pytest

from holonomy.measure import noise_level


def sphere(n, d, ambient, noise, seed=0):
    rng = np.random.default_rng(seed)
    X = np.zeros((n, ambient))
    X[:, : d + 1] = rng.normal(size=(n, d + 1))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    return X + noise * rng.normal(size=X.shape)


@pytest.mark.parametrize("noise", [0.01, 0.03, 0.1])
@pytest.mark.parametrize("ambient", [3, 10])
def test_noise_on_a_sphere_is_told_from_its_curvature(noise, ambient):
    found = noise_level(sphere(3000, 2, ambient, noise), 2)
    assert found.deviation == pytest.approx(noise, rel=0.2)
    assert found.is_resolved
    assert found.low <= found.deviation <= found.high


def test_no_noise():
    assert float(noise_level(sphere(3000, 2, 3, 0), 2)) < 0.006
    flat = np.random.default_rng(0).random((500, 2)) @ np.eye(2, 4)
    assert float(noise_level(flat, 2)) < 1e-12
    assert float(noise_level(flat[:, :2], 2)) == 0.0


def test_noise_larger_than_neighbourhoods_is_said_to_be_a_lower_bound():
    assert not noise_level(sphere(2000, 1, 4, 0.4), 1, n_neighbors=30).is_resolved


def test_units_and_rotations():
    X = sphere(1000, 2, 5, 0.05)
    turned = 20 * X @ np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0] + 7
    one, other = noise_level(X, 2), noise_level(turned, 2)
    assert other.deviation == pytest.approx(20 * one.deviation, rel=1e-6)
    assert other.relative == pytest.approx(one.relative, rel=1e-6)


def test_it_shows_itself():
    found = noise_level(sphere(500, 1, 2, 0.05), 1)
    assert "off the surface" in found._repr_html_()
    assert found.__rich__().row_count == 5


@pytest.mark.parametrize(
    ("X", "dimension", "arguments", "message"),
    [
        (np.full((50, 2), np.nan), 1, {}, "X contains NaN"),
        (np.eye(20), 5, {}, "too few"),
        (np.ones((50, 2)), 3, {}, r"dimension must be in \[1, 2\]"),
        (np.eye(20), 1, {"n_neighbors": 20}, "too few"),
    ],
)
def test_bad_input(X, dimension, arguments, message):
    with pytest.raises(ValueError, match=message):
        noise_level(X, dimension, **arguments)
