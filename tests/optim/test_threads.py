"""How many threads torch uses while a solver works."""

import pytest
import torch

from holonomy.manifolds import Sphere
from holonomy.optim import minimize
from holonomy.optim._threads import SMALL, all_threads, one_thread


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_solvers_side_by_side_bring_back_the_number_of_before():
    first, second = one_thread(torch.zeros(3)), one_thread(torch.zeros(3))
    with first:
        assert torch.get_num_threads() == 1
        with all_threads():
            assert torch.get_num_threads() == 3
        second.__enter__()
    assert torch.get_num_threads() == 1
    second.__exit__(None, None, None)
    assert torch.get_num_threads() == 3
    with all_threads():
        assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_large_points_are_left_alone():
    with one_thread(torch.zeros(SMALL + 1)):
        assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_functions_and_callbacks_have_all_threads():
    seen = set()

    def fun(x):
        seen.add(torch.get_num_threads())
        return x[0] + x[1] ** 2

    for method in ("conjugate_gradient", "trust_region"):
        minimize(fun, Sphere(2), torch.eye(3)[2], method, callback=lambda _: seen.add(torch.get_num_threads()))
    assert seen == {3}
    assert torch.get_num_threads() == 3
