import pytest
import torch

from holonomy._core.training.loss_module import LossModule, Work, evaluate
from holonomy._core.training.results import Step

WORK = Work(torch.ones(2, 1), Step(torch.Generator(), 0, 0))


def test_scalars_are_collected_in_double_precision():
    module = torch.nn.Linear(1, 1)
    extras = {"number": 2, "tensor": torch.tensor([3.0])}
    value, scalars = evaluate(lambda m, b, s: (m(b).mean(), extras), module, WORK)
    assert value.requires_grad
    assert {name: scalar.item() for name, scalar in scalars.items()} == {
        "loss": pytest.approx(value.item()),
        "number": 2,
        "tensor": 3,
    }
    assert all(scalar.dtype == torch.float64 and not scalar.requires_grad for scalar in scalars.values())


def test_a_loss_that_is_a_module_is_part_of_what_is_trained():
    class Temperature(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.log = torch.nn.Parameter(torch.zeros(()))

        def forward(self, module, batch, step):
            return (module(batch) * self.log.exp()).mean()

    loss_module = LossModule(torch.nn.Linear(1, 1, bias=False), Temperature())
    assert {name for name, _ in loss_module.named_parameters()} == {"module.weight", "loss.log"}
    assert loss_module(WORK).requires_grad


@pytest.mark.parametrize(
    ("output", "error", "message"),
    [
        (1.0, TypeError, "got float"),
        ((torch.tensor(1.0), 2.0), TypeError, "got Tensor and float"),
        (torch.zeros(2), ValueError, r"of shape \(2,\); average it over the rows"),
        (torch.tensor(1), ValueError, "torch.int64"),
        (torch.tensor(1j), ValueError, "torch.complex64"),
        ((torch.tensor(1.0), {"x": torch.zeros(3)}), ValueError, r"'x' of shape \(3,\)"),
        ((torch.tensor(1.0), {"loss": 1.0}), ValueError, "reserved names: loss"),
    ],
)
def test_a_loss_that_returns_something_else_is_told_so(output, error, message):
    with pytest.raises(error, match=message):
        evaluate(lambda m, b, s: output, torch.nn.Linear(1, 1), WORK)


def test_a_loss_without_a_gradient_is_told_so():
    with pytest.raises(ValueError, match=r"does not depend on any parameter .* \.detach\(\)"):
        LossModule(torch.nn.Linear(1, 1), lambda m, b, s: m(b).detach().mean())(WORK)
