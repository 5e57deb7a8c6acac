"""Knees of curves whose bend is known, and against lines fitted one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holonomy.graphs import knee_point


@pytest.mark.parametrize("method", ["chord", "lines"])
@pytest.mark.parametrize("bend", [2, 5, 7])
def test_two_straight_lines_bend_where_they_meet(method, bend):
    x = np.arange(11.0)
    y = np.where(x < bend, 10 - 3 * x, 10 - 3 * bend - 0.1 * (x - bend))
    assert knee_point(x, y, method) == bend


def test_lines_are_the_best_pair_of_least_squares_lines():
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.uniform(0.1, 1, size=30))
    y = np.exp(-x / 4) + 0.01 * rng.normal(size=30)

    def error(part):
        return np.sum(np.abs(np.polyval(np.polyfit(x[part], y[part], 1), x[part]) - y[part]))

    errors = [error(slice(0, j + 1)) + error(slice(j, None)) for j in range(1, 29)]
    assert knee_point(x, y, "lines") == 1 + np.argmin(errors)


@given(
    st.lists(st.floats(-100, 100), min_size=3, max_size=20), st.floats(0.1, 10), st.floats(0.1, 10), st.floats(-5, 5)
)
def test_units_do_not_move_the_knee(values, scale_x, scale_y, shift):
    y = np.round(np.array(values), 3)
    x = np.arange(len(y))
    deviation = np.sort(np.abs(y - (y[0] + (y[-1] - y[0]) * x / x[-1])))
    if deviation[-1] - deviation[-2] > 1e-6:
        assert knee_point(x, y) == knee_point(scale_x * x + shift, scale_y * y + shift)


@pytest.mark.parametrize(
    ("x", "y", "method", "message"),
    [
        ([0, 1], [0, 1], "chord", "one length >= 3"),
        ([0, 1, 2], [0, 1], "chord", "one length >= 3"),
        ([0, 2, 1], [0, 1, 2], "chord", "strictly ascending"),
        ([0, 1, 2], [0, np.nan, 2], "chord", "finite"),
        ([0, 1, 2], [0, 1, 2], "angle", "method must be one of"),
    ],
)
def test_bad_curves_are_named(x, y, method, message):
    with pytest.raises(ValueError, match=message):
        knee_point(x, y, method)
