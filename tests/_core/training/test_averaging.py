import pytest
import torch

from holonomy._core.training.averaging import exponential_average


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 0.999])
def test_the_average_equals_its_formula_at_every_step(decay):
    torch.manual_seed(0)
    module = torch.nn.Linear(3, 2).double()
    averaged = exponential_average(module, decay)
    seen = []
    for t in range(1, 30):
        with torch.no_grad():
            module.weight.normal_()
        seen.append(module.weight.detach().clone())
        averaged.update_parameters(module)
        weights = torch.tensor([decay ** (t - i) for i in range(1, t + 1)], dtype=torch.float64)
        expected = torch.einsum("i,ijk->jk", weights / weights.sum(), torch.stack(seen))
        torch.testing.assert_close(averaged.module.weight, expected, rtol=1e-12, atol=1e-12)


def test_buffers_are_copied_and_the_module_is_left_alone():
    module = torch.nn.BatchNorm1d(2)
    averaged = exponential_average(module, 0.9)
    module(torch.randn(8, 2, generator=torch.Generator().manual_seed(0)))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    averaged.update_parameters(module)
    assert torch.equal(averaged.module.running_mean, module.running_mean)
    assert int(averaged.module.num_batches_tracked) == 1
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_the_average_is_ready_for_use():
    averaged = exponential_average(torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Dropout()), 0.9)
    assert not averaged.module.training
    assert not any(parameter.requires_grad for parameter in averaged.parameters())
