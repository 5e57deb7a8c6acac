import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holonomy.datasets._table_columns import quoted, sort_columns, text_of, texts_of


def sorted_column(values, name="a", keep=()):
    return sort_columns(pd.DataFrame({name: values}), frozenset(keep))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([1, 2], dtype=np.int8), [1.0, 2.0]),
        (np.array([1.5, np.inf], dtype=np.float32), [1.5, np.inf]),
        (pd.array([1, None], dtype="Int64"), [1.0, np.nan]),
        (pd.array([1.5, None], dtype="Float32"), [1.5, np.nan]),
        ([decimal.Decimal("0.5"), decimal.Decimal(2)], [0.5, 2.0]),
        ([10**30, 1], [1e30, 1.0]),
        (pd.Series([1, 2.5, None], dtype=object), [1.0, 2.5, np.nan]),
        ([True, False], [1.0, 0.0]),
        (pd.array([True, None], dtype="boolean"), [1.0, np.nan]),
        (pd.Series([True, None, False], dtype=object), [1.0, np.nan, 0.0]),
    ],
)
def test_numbers(values, expected):
    columns = sorted_column(values)
    np.testing.assert_array_equal(columns.numbers["a"], expected)
    assert columns.numbers["a"].dtype == np.float64
    assert not columns.texts


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["x", "y"], ["x", "y"]),
        (["x", None], ["x", "(missing)"]),
        (["", np.nan], ["(missing)", "(missing)"]),
        (pd.array(["x", None], dtype="string"), ["x", "(missing)"]),
        (pd.Categorical([3, 1]), ["3", "1"]),
        (pd.Categorical(["b", None]), ["b", "(missing)"]),
        (pd.to_datetime(["2020-01-02", None]), ["2020-01-02 00:00:00", "(missing)"]),
        (pd.to_timedelta(["1 days", "2 days"]), ["1 days 00:00:00", "2 days 00:00:00"]),
        ([datetime.date(2020, 1, 2), None], ["2020-01-02", "(missing)"]),
        ([1, "x"], ["1", "x"]),
    ],
)
def test_texts(values, expected):
    columns = sorted_column(values)
    assert columns.texts["a"].tolist() == expected
    assert columns.texts["a"].dtype == object
    assert not columns.numbers


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1 + 2j, 3], "complex numbers"),
        ([[1], [2, 3]], "nested values"),
        ([{"a": 1}, None], "nested values"),
        ([b"x", b"y"], "bytes"),
        ([None, None], "nothing"),
    ],
)
def test_what_cannot_be_used_is_noted(values, reason):
    columns = sorted_column(values)
    assert not columns.numbers
    assert not columns.texts
    assert columns.notes == [f"Column 'a' is left out: it holds {reason}."]


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "ID",
        "Id",
        "index",
        "Unnamed: 0",
        "row_id",
        "row number",
        "customer_id",
        "PassengerId",
        "patientID",
        "idx",
        "row",
        "row_no",
        "sample no",
        "SampleNo",
    ],
)
def test_identifiers(name):
    columns = sorted_column([7, 3, 5], name)
    assert columns.texts[name].tolist() == ["7", "3", "5"]
    assert "numbers the rows" in columns.notes[0]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("id", [1, 1, 2]),
        ("id", [1.0, 2.0, 3.0]),
        ("grid", [1, 2, 3]),
        ("idea", [1, 2, 3]),
        ("x", [0, 1, 2]),
        ("acid", [1, 2, 3]),
        ("piano", [1, 2, 3]),
        ("x", range(49)),
        ("x", [*range(60), 62]),
        ("x", np.arange(60.0)),
    ],
)
def test_no_identifiers(name, values):
    assert name in sorted_column(values, name).numbers


def test_a_column_that_counts_many_rows_numbers_them_whatever_its_name():
    columns = sorted_column(range(7, 67), "x")
    assert columns.texts["x"][:2].tolist() == ["7", "8"]
    assert "numbers the rows" in columns.notes[0]
    assert "x" in sorted_column(range(60), "x", keep=["x"]).numbers


def test_identifier_that_the_caller_keeps():
    assert "id" in sorted_column([1, 2, 3], "id", keep=["id"]).numbers


def test_nearly_numeric_text_is_pointed_out():
    assert "because 1 of its 4 entries are no number, such as '?'" in sorted_column(["1", "2", "?", "3.5", ""]).notes[0]
    assert not sorted_column(["a", "b", "3"]).notes


def test_booleans_are_noted():
    assert sort_columns(pd.DataFrame({"p": [True, False], "q": [False, False]})).notes == [
        "Yes-or-no columns are coordinates of 0 and 1: 'p', 'q'."
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (np.float32(2.5), "2.5"),
        (7, "7"),
        (True, "True"),
        (None, "(missing)"),
        (pd.NaT, "(missing)"),
        (pd.NA, "(missing)"),
    ],
)
def test_text_of(value, text):
    assert text_of(value) == text


@given(st.lists(st.text(min_size=1), min_size=1))
def test_texts_are_kept_as_they_are(values):
    assert texts_of(values).tolist() == values


def test_long_lists_are_cut():
    assert quoted(list("abcdefg"), 2) == "'a', 'b' and 5 more"
    assert quoted([]) == ""
