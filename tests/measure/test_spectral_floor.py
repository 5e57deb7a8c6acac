"""The even floor of a spectrum."""

import numpy as np
import pytest

from holonomy.measure import effective_rank
from holonomy.measure._spectral_floor import find_floor


def find(X):
    return find_floor(X, effective_rank(X), 0)


def floor_of(deviations, n=1000, seed=0):
    return find(np.random.default_rng(seed).normal(size=(n, len(deviations))) * deviations)


@pytest.mark.parametrize("n", [200, 1000])
def test_noise_below_three_directions(n):
    found = floor_of([5, 3, 2] + [0.1] * 40, n)
    assert found is not None
    assert found.n_above == 3
    assert found.deviation == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize(
    "deviations",
    [
        [1] * 10,  # no drop
        [3, 2, 1.5, 1, 0.7, 0.5, 0.3, 0.2],  # a slope
        [3, 1, 1],  # too few directions to be called even
        [5, 3, 0.5, 0.2, 0.1, 0.05],  # uneven below the drop
        [5, 0, 0, 0, 0],  # nothing below the drop
    ],
)
def test_no_floor(deviations):
    assert floor_of(deviations) is None


def test_many_directions_for_few_points_have_no_floor():
    assert floor_of([5, 3, 2] + [0.1] * 200, n=50) is None
    assert floor_of([5, 3, 2] + [0.1] * 40, n=100) is None


@pytest.mark.parametrize("n", [100, 600, 5000])
def test_noise_is_told_from_what_the_data_extends_into(n):
    rng = np.random.default_rng(1)
    angle = rng.uniform(0, 2 * np.pi, n)
    circle = np.c_[np.cos(angle), np.sin(angle)] @ np.eye(2, 20) + 0.03 * rng.normal(size=(n, 20))
    clusters = rng.normal(size=(n, 6))
    clusters[:, 0] += 30 * (np.arange(n) % 2)
    assert (find(circle).n_above, find(circle).is_noise) == (2, True)
    assert (find(clusters).n_above, find(clusters).is_noise) == (1, False)
