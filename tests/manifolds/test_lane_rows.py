"""Rows read eight columns at a time: rows of any width, rows in doubt among others, and what is beyond them."""

import numpy as np
import pytest
import torch

from holonomy.manifolds import Hyperboloid, PoincareBall, Sphere
from holonomy.manifolds._lane_rows import entries, inside, put
from holonomy.manifolds._lanes import LANES, ROWS
from holonomy.manifolds._row_loops import kernel

WIDTHS = (1, 3, 7, 8, 9, 16, 17)
COUNT = 2 * ROWS + 3


@kernel
def _copy(x, y):
    for i in range(x.shape[0]):
        _copy_row(x, y, i)


@inside
def _copy_row(x, y, i):
    for j in range(0, x.shape[1], LANES):
        put(entries(x, i, j), y, i, j)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_row_ends_where_it_ends(width, dtype):
    x = np.random.default_rng(0).standard_normal((5, width)).astype(dtype)
    y = np.full((7, width), 7.0, dtype)
    _copy(x, y[1:6])
    assert np.array_equal(y[1:6], x)
    assert np.all(y[[0, 6]] == 7.0)


def _points(space):
    """Pairs near and far, one of the same points and one of points that only care can tell apart."""
    generator = torch.Generator().manual_seed(0)
    origin = space.origin(dtype=torch.float64).expand(COUNT, -1)
    scale = torch.logspace(-9, 0.4, COUNT, dtype=torch.float64).unsqueeze(-1)
    x = space.exp(origin, space.random_tangent(origin, random_state=generator))
    y = space.exp(x, scale * space.random_tangent(x, random_state=generator))
    y[5] = x[5]
    y[6] = (1.0 + 1e-9) * x[6]
    return x, y


@pytest.mark.parametrize("width", WIDTHS[1:])
@pytest.mark.parametrize("space", [PoincareBall, Hyperboloid, Sphere])
def test_gradients_of_a_row_do_not_depend_on_its_neighbours(space, width):
    space = space(width if space is PoincareBall else width - 1)
    x, y = (one.requires_grad_() for one in _points(space))
    together = torch.autograd.grad(space.dist(x, y).sum(), (x, y))
    alone = [torch.autograd.grad(space.dist(*pair), pair) for pair in zip(x.unbind(), y.unbind(), strict=True)]
    for index, gradient in enumerate(together):
        assert torch.equal(gradient, torch.stack([one[index] for one in alone]))


@pytest.mark.parametrize("width", WIDTHS[1:])
@pytest.mark.parametrize("space", [PoincareBall, Hyperboloid, Sphere])
def test_compiled_gradients_are_those_of_the_formula(space, width):
    space = space(width if space is PoincareBall else width - 1)
    x, y = (one.requires_grad_() for one in _points(space))
    weights = torch.linspace(-1.0, 1.0, COUNT, dtype=torch.float64)
    compiled = torch.autograd.grad((weights * space.dist(x, y)).sum(), (x, y))
    # Gradients that can be differentiated again come from the formula in plain torch.
    plain = torch.autograd.grad((weights * space.dist(x, y)).sum(), (x, y), create_graph=True)
    apart = torch.ones(COUNT, dtype=torch.bool)
    apart[[5, 6]] = False
    for a, b in zip(compiled, plain, strict=True):
        size = b.abs().amax(-1, keepdim=True)
        assert torch.all(((a - b).abs() <= 1e-6 * size)[apart])
        assert torch.all(a[5] == 0.0)
