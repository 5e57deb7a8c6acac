import numpy as np
import pytest

from holonomy.report.colorings import column_coloring, dimension_coloring, short, trust_coloring
from holonomy.report.columns import make_column, number_column


def test_trust_has_the_same_scale_for_every_map():
    for values in ([0.99, 1.0, 0.98], [0.1, 0.2, 0.95]):
        coloring = trust_coloring("c0", number_column("Trust", np.array(values)))
        assert (coloring["low"], coloring["high"]) == (0.8, 1.0)
        assert sum(coloring["histogram"]) == 3
    assert coloring["ticks"][0] == "≤ 0.8"


def test_quantities_leave_out_extremes():
    values = np.r_[np.linspace(0, 1, 99), 1e6]
    coloring = column_coloring("c1", number_column("q", values))
    assert coloring["high"] < 2
    assert coloring["ticks"][-1].startswith("≥ ")
    assert coloring["palette"] == "viridis"


@pytest.mark.parametrize("values", [[1.5, 1.5, 1.5], [np.nan, np.nan, np.nan], [0.5, np.nan, np.inf]])
def test_quantities_without_extent(values):
    coloring = dimension_coloring("c0", number_column("d", np.array(values)))
    assert len(coloring["ticks"]) == 1
    assert np.isfinite([coloring["low"], coloring["high"]]).all()


def test_rare_values_do_not_vanish():
    coloring = column_coloring("c0", number_column("q", np.r_[np.zeros(999), 7]))
    assert (coloring["low"], coloring["high"]) == (0, 7)


def test_classes_have_names_counts_and_colours():
    coloring = column_coloring("c0", make_column("kind", ["b", "a", "b"], 3))
    assert (coloring["classes"], coloring["counts"]) == (("a", "b"), [1, 2])
    assert coloring["palette"] == "classes"


@pytest.mark.parametrize(("n_names", "offered"), [(9, False), (5, False), (4, True), (2, True)])
def test_names_of_single_points_are_no_colouring(n_names, offered):
    column = make_column("name", [f"p{i % n_names}" for i in range(9)], 9)
    assert (column_coloring("c0", column) is not None) == offered


def test_many_classes_say_that_colours_repeat():
    coloring = column_coloring("c0", make_column("kind", [f"k{i % 500}" for i in range(1000)], 1000))
    assert coloring["hint"].startswith("500 classes, so that colours repeat.")


@pytest.mark.parametrize(("value", "text"), [(0.123456, "0.123"), (1234.5, "1,234"), (2e12, "2e+12"), (0, "0")])
def test_short_numbers(value, text):
    assert short(value) == text
