import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse

from holonomy._core.validation import as_numpy, check_float, check_int, check_option, check_points

POINTS = np.array([[1.0, 2.0], [3.0, 4.5], [-1.0, 0.0]])


@pytest.mark.parametrize(
    "X",
    [
        POINTS,
        POINTS.tolist(),
        pd.DataFrame(POINTS, columns=["a", "b"]),
        pl.DataFrame(POINTS, schema=["a", "b"]),
        torch.tensor(POINTS, requires_grad=True),
        np.asfortranarray(POINTS),
    ],
)
def test_anything_array_like_becomes_the_same_array(X):
    checked = check_points(X)
    assert type(checked) is np.ndarray
    assert checked.dtype == np.float64
    assert np.array_equal(checked, POINTS)


def test_listed_types_are_kept_and_others_converted_to_the_first():
    assert check_points(POINTS.astype(np.float32)).dtype == np.float32
    assert check_points(POINTS.astype(np.int8)).dtype == np.float64
    assert check_points(POINTS, dtype=np.float32).dtype == np.float32
    assert check_points(POINTS.astype(np.float32), dtype=np.float64).dtype == np.float64


def test_sparse_points_become_csr_where_accepted():
    checked = check_points(sparse.coo_array(POINTS), accept_sparse=True)
    assert checked.format == "csr"
    assert np.array_equal(checked.toarray(), POINTS)
    with pytest.raises(TypeError, match=r"points is sparse.*pass points\.toarray\(\)"):
        check_points(sparse.csr_array(POINTS), name="points")


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0, np.nan]], "points contains NaN"),
        ([[1.0, np.inf]], "points contains infinity"),
        ([1.0, 2.0], "1D array"),
        (np.zeros((2, 2, 2)), "dim 3"),
        ([[1.0, 2.0], [3.0]], "inhomogeneous"),
        ([["a", "b"]], "could not convert string to float"),
        (np.zeros((0, 2)), r"0 sample\(s\)"),
        (np.zeros((2, 0)), r"0 feature\(s\)"),
        (sparse.csr_array([[np.nan, 0.0]]), "points contains NaN"),
    ],
)
def test_points_that_are_none_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        check_points(X, name="points", accept_sparse=True)


def test_too_few_rows_are_refused():
    assert check_points(POINTS, min_samples=3).shape == (3, 2)
    with pytest.raises(ValueError, match=r"3 sample\(s\) .* minimum of 4"):
        check_points(POINTS, min_samples=4)


def test_input_is_not_written_to():
    X = POINTS.copy()
    X.flags.writeable = False
    assert np.array_equal(check_points(X), POINTS)


def test_as_numpy_leaves_everything_but_tensors_alone():
    frame = pd.DataFrame(POINTS)
    assert as_numpy(frame) is frame
    assert np.array_equal(as_numpy(torch.tensor(POINTS)), POINTS)


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_integers_of_any_width_pass(value):
    checked = check_int(value, "k", minimum=3, maximum=3)
    assert checked == 3
    assert type(checked) is int


@pytest.mark.parametrize("value", [3.0, True, np.True_, "3", None, np.float64(3)])
def test_what_is_no_integer_is_refused(value):
    with pytest.raises(TypeError, match="k must be an integer"):
        check_int(value, "k")


@pytest.mark.parametrize("value", [2, 0.5, np.float32(0.5), np.int32(2)])
def test_numbers_of_any_width_pass(value):
    checked = check_float(value, "t")
    assert checked == float(value)
    assert type(checked) is float


@pytest.mark.parametrize("value", [True, np.False_, "1", None, 1j, [1.0]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="t must be a number"):
        check_float(value, "t")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(value):
    with pytest.raises(ValueError, match="t must be finite"):
        check_float(value, "t")


@pytest.mark.parametrize(
    ("bounds", "value", "message"),
    [
        ({"minimum": 1}, 0, "at least 1, got 0"),
        ({"maximum": 1}, 2, "at most 1, got 2"),
        ({"minimum": 1, "maximum": 3}, 4, r"in \[1, 3\], got 4"),
        ({"minimum": 1, "maximum": 3}, 0, r"in \[1, 3\], got 0"),
    ],
)
def test_numbers_outside_their_bounds_are_refused(bounds, value, message):
    for check in (check_int, check_float):
        with pytest.raises(ValueError, match=f"k must be {message}"):
            check(value, "k", **bounds)


def test_options_pass_or_are_listed():
    assert check_option("b", "mode", ["b", "a"]) == "b"
    for value in ("c", 1, None):
        with pytest.raises(ValueError, match=f"mode must be one of 'a', 'b', got {value!r}"):
            check_option(value, "mode", {"b", "a"})
