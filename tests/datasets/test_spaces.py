"""Charts and distances, against high precision."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from holonomy.datasets import _spaces

vectors = arrays(np.float64, 3, elements=st.floats(-5.0, 5.0, allow_subnormal=False))


def precise_hyperbolic(p, q, curvature):
    with mpmath.workdps(120):
        scale = mpmath.sqrt(-mpmath.mpf(curvature))

        def lift(v):
            v = [mpmath.mpf(float(x)) * scale for x in v]
            r = mpmath.sqrt(sum(x * x for x in v))
            return mpmath.cosh(r), [mpmath.sinh(r) / r * x if r else x for x in v]

        (a, x), (b, y) = lift(p), lift(q)
        product = a * b - sum(s * t for s, t in zip(x, y, strict=True))
        return float(mpmath.acosh(product if product > 1 else mpmath.mpf(1)) / scale)


@settings(max_examples=100, deadline=None)
@given(p=vectors, q=vectors, curvature=st.sampled_from([-1.0, -0.01, -4.0]))
def test_hyperbolic_distance_matches_high_precision(p, q, curvature):
    exact = precise_hyperbolic(p, q, curvature)
    assert _spaces.hyperbolic(p, q, curvature) == pytest.approx(exact, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("gap", [1e-12, 1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("size", [0.01, 1.0, 10.0])
def test_hyperbolic_distance_of_near_points_keeps_its_digits(gap, size):
    # Along the ray, the difference of the coordinates is the distance; across, it grows by sinh(r) / r.
    p = np.array([size, 0.0])
    along, across = np.array([size + gap, 0.0]), np.array([size, gap])
    assert _spaces.hyperbolic(p, along) == pytest.approx(along[0] - size, rel=1e-6)
    # The coordinates themselves carry an error of 1e-16 * size, so compare with what they say in high precision.
    assert _spaces.hyperbolic(p, across) == pytest.approx(precise_hyperbolic(p, across, -1.0), rel=1e-8)


def test_hyperbolic_distance_survives_the_largest_radius():
    p, q = np.array([300.0, 0.0]), np.array([-300.0, 0.0])
    assert _spaces.hyperbolic(p, q) == pytest.approx(600.0, rel=1e-14)


@settings(max_examples=50, deadline=None)
@given(v=vectors)
def test_hyperbolic_charts_agree(v):
    for curvature in (-1.0, -0.25):
        x = _spaces.hyperboloid_points(v, curvature)
        assert x[0] ** 2 - (x[1:] ** 2).sum() == pytest.approx(-1.0 / curvature, rel=1e-14 * x[0] ** 2)
        # The hyperboloid projects to the Poincare ball from (-1 / sqrt(-curvature), 0).
        ball = x[1:] / (1.0 + np.sqrt(-curvature) * x[0])
        assert np.allclose(_spaces.poincare_points(v, curvature), ball, rtol=1e-12, atol=1e-15)
    assert np.allclose(_spaces.normal_coordinates(_spaces.hyperboloid_points(v)), v, rtol=1e-12, atol=1e-15)


@settings(max_examples=50, deadline=None)
@given(dim=st.integers(1, 6), seed=st.integers(0, 1000))
def test_sphere_angles_are_inverted(dim, seed):
    directions = _spaces.random_directions(np.random.default_rng(seed), 20, dim)
    angles = _spaces.sphere_angles(directions)
    assert angles.shape == (20, dim)
    assert (angles[:, :-1] <= np.pi).all()
    assert (angles >= 0.0).all()
    assert np.allclose(_spaces.sphere_points(angles), directions, atol=1e-14)


@pytest.mark.parametrize("angle", [1e-12, 1e-6, 1.0, 3.0, np.pi - 1e-6, np.pi - 1e-12])
def test_great_circle_is_exact_near_and_opposite(angle):
    p, q = np.array([1.0, 0.0]), np.array([np.cos(angle), np.sin(angle)])
    assert _spaces.great_circle(p, q) == pytest.approx(angle, rel=1e-13)


def test_flat_torus_takes_the_shorter_way_round():
    p, q = np.array([0.1, 3.0]), np.array([6.2, 3.0 + 1e-13])
    assert _spaces.flat_torus(p, np.array([0.1, 3.0 + 1e-13])) == pytest.approx((3.0 + 1e-13) - 3.0, rel=1e-12)
    assert _spaces.flat_torus(p, q, np.array([2.0, 1.0])) == pytest.approx(2.0 * (2 * np.pi - 6.1), rel=1e-12)
