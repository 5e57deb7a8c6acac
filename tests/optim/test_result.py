import numpy as np
import pytest
from rich.console import Console

from holonomy.manifolds import Euclidean
from holonomy.optim import minimize


@pytest.fixture
def found():
    return minimize(lambda x: ((x - 1) ** 4).sum(), Euclidean(2), np.zeros(2), "trust_region")


def test_the_result_says_in_words_what_was_found(found):
    console = Console(width=200, record=True)
    console.print(found)
    text = console.export_text()
    for words in ("Minimum", "length of gradient", "products, by automatic differentiation", "at most gtol"):
        assert words in text
    assert "<table" in found._repr_html_()


def test_the_representation_is_short(found):
    assert "history" not in repr(found)
    assert f"nit={found.nit}" in repr(found)


def test_a_search_that_did_not_converge_says_so():
    found = minimize(lambda x: ((x - 1) ** 4).sum(), Euclidean(2), np.zeros(2), max_iter=1)
    assert not found.success
    assert "Not converged" in found._repr_html_()
    assert found.nhev == 0
