import torch

from holonomy._core.training.application import apply_in_blocks


def test_rows_do_not_depend_on_their_company():
    network = torch.nn.Sequential(torch.nn.Linear(7, 50), torch.nn.Tanh(), torch.nn.Linear(50, 3)).eval()
    rows = torch.randn(23, 7, generator=torch.Generator().manual_seed(0))
    cpu = torch.device("cpu")
    together = apply_in_blocks(network, rows, size=8, device=cpu)
    assert together.shape == (23, 3)
    assert not together.requires_grad
    torch.testing.assert_close(together, network(rows).detach())
    # At the same place in a block the bits are the same; at another one, kernels may round differently.
    assert torch.equal(apply_in_blocks(network, rows[8:9], size=8, device=cpu)[0], together[8])
    torch.testing.assert_close(apply_in_blocks(network, rows[22:], size=8, device=cpu)[0], together[22])


def test_bytes_stay_bytes():
    seen = []

    def function(x):
        seen.append(x.dtype)
        return x.float()

    apply_in_blocks(function, torch.ones(3, 2, dtype=torch.uint8), size=2, device=torch.device("cpu"))
    assert seen == [torch.uint8] * 2
