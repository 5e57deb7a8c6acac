"""Connected parts of a neighbour graph."""

import numpy as np
import pytest
from rich.console import Console

from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure import connectedness


@pytest.fixture
def islands():
    rng = np.random.default_rng(0)
    return np.r_[rng.normal(size=(30, 2)), 100 + rng.normal(size=(50, 2)), -100 + rng.normal(size=(20, 2))]


def test_parts_are_found_and_ordered_by_size(islands):
    parts = connectedness(neighbors(islands, 5))
    assert (parts.n_components, parts.is_connected) == (3, False)
    assert parts.sizes.tolist() == [50, 30, 20]
    assert parts.labels.tolist() == [1] * 30 + [0] * 50 + [2] * 20
    assert connectedness(islands, 5).sizes.tolist() == [50, 30, 20]


def test_one_part(islands):
    parts = connectedness(islands[:30])
    assert parts.is_connected
    assert parts.n_neighbors == 15


def test_distance_zero_joins_and_infinity_does_not():
    indices = np.array([[1], [0], [1], [2]])
    joined = connectedness(NeighborGraph(indices, np.zeros((4, 1))))
    assert joined.is_connected
    cut = connectedness(NeighborGraph(indices, np.array([[0.0], [0], [np.inf], [1]])))
    assert cut.labels.tolist() == [0, 0, 1, 1]


def test_it_shows_itself(islands):
    parts = connectedness(islands, 5)
    assert "50, 30, 20" in parts._repr_html_()
    console = Console(width=80, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(parts)
    assert "50, 30, 20" in console.export_text()


def test_bad_input(islands):
    with pytest.raises(ValueError, match="n_neighbors"):
        connectedness(islands, 100)
    with pytest.raises(ValueError, match="NaN"):
        connectedness([[0.0], [np.nan]], 1)
