import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holonomy.report.columns import (
    MAX_TEXT,
    MISSING,
    clean_text,
    informative,
    make_column,
    number_column,
    pack_numbers,
)


def texts(column):
    return [column.categories[code] for code in column.values]


def test_texts_become_codes_and_categories():
    column = make_column("kind", ["b", "a", None, "b"], 4)
    assert column.is_class
    assert texts(column) == ["b", "a", MISSING, "b"]
    assert column.values.dtype == np.uint8
    assert dict(zip(column.categories, column.counts, strict=True)) == {"a": 1, "b": 2, MISSING: 1}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, False, True], ["True", "False", "True"]),
        (np.array([2.0, 10.0, 1.0]), ["2", "10", "1"]),
        (pd.Categorical(["u", "v", "u"]), ["u", "v", "u"]),
        (pd.Series([datetime.date(2020, 1, 2)] * 3), ["2020-01-02"] * 3),
        (np.array([3, 1, 2]), ["3", "1", "2"]),
        ([float("nan"), "x", "x"], [MISSING, "x", "x"]),
    ],
)
def test_what_holds_few_values_is_a_class(values, expected):
    assert texts(make_column("c", values, 3)) == expected


def test_classes_are_in_natural_order_and_many_by_frequency():
    assert make_column("c", ["x10", "x9", "a"], 3).categories == ("a", "x9", "x10")
    values = [f"v{i}" for i in range(40)] + ["v7"] * 3
    assert make_column("c", values, 43).categories[0] == "v7"


@pytest.mark.parametrize("values", [np.arange(60), np.array([0.5, 1.0, 2.0]), np.array([1.0, np.nan, 2.0])])
def test_other_numbers_are_quantities(values):
    assert not make_column("q", values, len(values)).is_class


def test_number_columns_stay_quantities_however_few_values_they_have():
    assert not number_column("pixel", np.array([0, 1, 1])).is_class


@pytest.mark.parametrize("values", [[1, 2], [[1], [2], [3]], np.zeros((3, 2))])
def test_one_value_a_point(values):
    with pytest.raises(ValueError, match=r"'c' must hold one value for each of the 3 points"):
        make_column("c", values, 3)


def test_numbers_are_packed_as_small_as_they_stay_right():
    assert pack_numbers(np.array([1.0, 2.0])).dtype == np.int32
    assert pack_numbers(np.array([1.5, np.nan])).dtype == np.float32
    assert pack_numbers(np.array([2.0**40])).dtype == np.float64
    assert pack_numbers(np.array([1e300, 0.5])).dtype == np.float64
    assert pack_numbers(np.array([np.inf, 1.0])).dtype == np.float32
    assert pack_numbers(np.array([], dtype=float)).dtype == np.int32


@given(st.text())
@settings(max_examples=50, deadline=None)
def test_cleaned_text_is_one_printable_line_of_bounded_length(text):
    cleaned = clean_text(text)
    assert len(cleaned) <= MAX_TEXT
    assert "\n" not in cleaned
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert clean_text(cleaned) == cleaned


def test_hostile_texts_are_kept_readable():
    assert clean_text("<script>alert(1)</script>") == "<script>alert(1)</script>"
    assert clean_text("\ud800bad") == "?bad"
    assert clean_text("a\x00b\x1bc") == "a\ufffdb\ufffdc"
    assert clean_text("שלום 👩‍🔬") == "שלום 👩‍🔬"
    assert len(clean_text("x" * 10_000)) == MAX_TEXT


def test_informative_columns_are_those_that_neighbours_share():
    rng = np.random.default_rng(0)
    slow = np.arange(200.0)
    indices = np.clip(np.arange(200)[:, None] + np.array([-2, -1, 1, 2]), 0, 199)
    numeric = {f"noise {i}": rng.normal(size=200) for i in range(5)} | {"slow": slow, "flat": np.ones(200)}
    assert informative(numeric, indices, 1) == ["slow"]
    assert informative(numeric, indices, 10) == list(numeric)
