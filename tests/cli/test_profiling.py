import numpy as np
import pandas as pd
import pytest

import holonomy
from holonomy.cli.profiling import profile_of
from holonomy.datasets import as_table

X = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 3)), columns=["a", "b", "c"])


@pytest.mark.parametrize("n_neighbors", [None, 9])
def test_it_is_the_profile_of_the_columns_by_their_names(n_neighbors):
    found = profile_of(as_table(X.assign(same=1.0)), n_neighbors, 3)
    expected = holonomy.profile(X.assign(same=1.0), n_neighbors=n_neighbors, random_state=3)
    assert str(found) == str(expected)
    assert "same" in str(found)


def test_fewer_rows_than_usual_neighbours():
    assert profile_of(as_table(X[:6]), None, 0).graph.n_neighbors == 5
