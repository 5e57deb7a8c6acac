import copy
import io

import pytest
import torch
from torch import nn

from holonomy.manifolds import PoincareBall, Sphere
from holonomy.optim import RiemannianAdam, named_manifolds, register_manifold
from tests.optim.problems import points


def layer():
    module = nn.Linear(3, 4)
    register_manifold(module, "weight", Sphere(2), points(Sphere(2), 4, dtype=torch.float32))
    return module


def manifolds(module):
    return {name: str(manifold) for name, _, manifold in named_manifolds(module)}


def test_a_registered_parameter_is_a_plain_one():
    module = layer()
    assert type(module.weight) is nn.Parameter
    assert set(module.state_dict()) == {"weight", "bias"}
    assert len(list(module.parameters())) == 2
    assert module(torch.zeros(2, 3)).shape == (2, 4)


def test_new_parameters_are_made_of_data():
    module, x = nn.Module(), points(Sphere(2), 5)
    parameter = register_manifold(module, "directions", Sphere(2), x)
    assert module.directions is parameter
    assert torch.equal(parameter.detach(), x)
    parameter.data.zero_()
    assert bool(x.any())


def test_values_that_are_points_need_no_data():
    module = layer()
    before = module.weight.detach().clone()
    assert register_manifold(module, "weight", Sphere(2)) is module.weight
    assert torch.equal(module.weight.detach(), before)
    assert manifolds(module) == {"weight": str(Sphere(2)), "bias": "None"}


def test_copies_and_files_keep_the_manifold_for_holders_of_parameters_too():
    model = nn.Sequential(layer(), nn.Linear(4, 4))
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    for other in (copy.deepcopy(model), torch.load(file, weights_only=False)):
        assert manifolds(other)["0.weight"] == str(Sphere(2))
        optimizer = RiemannianAdam(list(other.parameters()))
        assert str(optimizer.manifold_of(other[0].weight)) == str(Sphere(2))
        assert other[0].weight is not model[0].weight


def test_a_learnable_curvature_belongs_to_the_module():
    module, ball = nn.Module(), PoincareBall(2, learnable=True)
    register_manifold(module, "words", ball, points(ball, 3))
    assert any("log_curvature" in name for name in dict(module.named_parameters()))
    assert any("log_curvature" in name for name in module.state_dict())
    module.to(torch.float32)
    assert module.words.dtype == torch.float32
    assert RiemannianAdam(module).manifold_of(module.words) is ball


def test_a_second_registration_replaces_the_first():
    module = layer()
    register_manifold(module, "weight", PoincareBall(3), torch.zeros(4, 3))
    assert manifolds(module)["weight"] == str(PoincareBall(3))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("weight", Sphere(2)), TypeError, "module must be a torch module, got str"),
        ((None, "weight", "sphere"), TypeError, "manifold must be a holonomy.manifolds.Manifold, got str"),
        (
            (None, "weights", Sphere(2)),
            ValueError,
            "must be a parameter of the module itself .there: weight, bias",
        ),
        ((None, "weight", Sphere(2), torch.ones(4, 3)), ValueError, "data must hold points of Sphere"),
        ((None, "weight", Sphere(2), torch.eye(3)), ValueError, r"data must have the shape \(4, 3\) of weight"),
        ((None, "bias", Sphere(3)), ValueError, "bias must hold points"),
        ((None, "weight", Sphere(2), [[1.0, 0.0, 0.0]]), TypeError, "data must be a floating-point tensor"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    first = layer() if arguments[0] is None else "module"
    rest = arguments[1:] if arguments[0] is None else arguments
    with pytest.raises(error, match=message):
        register_manifold(first, *rest)
