"""Interpolated populations: ends, pairs, and the optimum in one dimension."""

import numpy as np
import pytest

from holonomy.embed import displacement_interpolation


def test_ends_are_the_populations():
    rng = np.random.default_rng(0)
    start, stop = rng.normal(size=(30, 3)), rng.normal(size=(30, 3)) + 2
    found = displacement_interpolation(start, stop, [0.0, 1.0])
    for population, expected in zip(found, (start, stop), strict=True):
        np.testing.assert_allclose(np.sort(population, axis=0), np.sort(expected, axis=0), atol=1e-12)


def test_on_a_line_order_is_kept():
    rng = np.random.default_rng(0)
    start, stop = rng.normal(size=(40, 1)), rng.exponential(size=(40, 1))
    found = displacement_interpolation(start, stop, [0.25])[0]
    expected = 0.75 * np.sort(start, axis=0) + 0.25 * np.sort(stop, axis=0)
    np.testing.assert_allclose(np.sort(found, axis=0), expected, atol=1e-12)


def test_populations_of_different_size_and_number_of_paths():
    start, stop = np.zeros((7, 2)), np.ones((3, 2))
    assert displacement_interpolation(start, stop, [0.1, 0.2]).shape == (2, 3, 2)
    assert displacement_interpolation(start, stop, 0.5, n_paths=2).shape == (1, 2, 2)


@pytest.mark.parametrize(
    ("start", "stop", "times", "options", "message"),
    [
        ([[0.0]], [[1.0, 2.0]], [0.5], {}, "as many columns"),
        ([[0.0]], [[1.0]], [1.5], {}, "times must lie"),
        ([[0.0]], [[1.0]], [0.5], {"n_paths": 2}, "n_paths must be"),
        ([[np.nan]], [[1.0]], [0.5], {}, "start contains NaN"),
    ],
)
def test_bad_input_is_named(start, stop, times, options, message):
    with pytest.raises(ValueError, match=message):
        displacement_interpolation(start, stop, times, **options)
