"""Products of small matrices outside torch."""

import pytest
import torch

from holonomy.manifolds.numerics import product


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_products_are_those_of_torch(dtype):
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 3, 7, 4, dtype=dtype, generator=generator)
    tolerance = {"rtol": 0.0, "atol": 1e-5 if dtype == torch.float32 else 1e-14}
    torch.testing.assert_close(product(a.mT, b), a.mT @ b, **tolerance)
    torch.testing.assert_close(product(a[0], b.mT), a[0] @ b.mT, **tolerance)


def test_derivatives_and_transforms_are_left_to_torch():
    a = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(product, (a, a.detach().clone().mT))
    assert torch.autograd.gradcheck(product, (a.detach().clone(), a.mT))
    rows = torch.func.vmap(product, in_dims=(None, 0))(a.detach(), a.detach().mT.expand(2, 3, 4))
    torch.testing.assert_close(rows[1], (a @ a.mT).detach())
    with torch.no_grad():
        assert not product(a, a.mT).requires_grad
