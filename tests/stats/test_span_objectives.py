import pytest
import torch

from holonomy.manifolds import SPD, AffineInvariant, Hyperboloid, Power, Sphere, check_gradient
from holonomy.stats import span_distance
from holonomy.stats._linear_spans import linear_spans
from holonomy.stats._span_objectives import LinearObjective, SolvedObjective

F64 = torch.float64


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("space", [Sphere(4), Hyperboloid(3)], ids=str)
def test_closed_objectives_are_mean_costs_with_right_slopes(space, p):
    y, x = (space.random_normal(n, std=0.6, random_state=n, dtype=F64) for n in (20, 3))
    spans = linear_spans(space)
    empty = spans.vectors(y)[:0]
    objective = LinearObjective(spans, spans.vectors(y), p, True, empty, 1.0)
    expected = sum(float(span_distance(y, x[:i], space).pow(p).mean()) for i in (1, 2, 3))
    assert float(objective(x)) == pytest.approx(expected, rel=1e-4 if p < 2 else 1e-12)
    batched = lambda z: torch.stack([objective(one) for one in z.reshape(-1, *x.shape)]).reshape(z.shape[:-2])  # noqa: E731
    assert check_gradient(Power(space, 3), batched, x, longest=0.05).holds


def test_fixed_points_come_first():
    space = Sphere(4)
    y, x = (space.random_normal(n, std=0.6, random_state=n, dtype=F64) for n in (20, 3))
    spans = linear_spans(space)
    objective = LinearObjective(spans, spans.vectors(y), 2.0, False, spans.vectors(x[:2]), 1.0)
    assert float(objective(x[2:])) == pytest.approx(float(span_distance(y, x, space).square().mean()), rel=1e-12)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_slopes_by_the_envelope_theorem_are_those_of_the_closed_form(p):
    space = Hyperboloid(3)
    y, x = (space.random_normal(n, std=0.5, random_state=n, dtype=F64) for n in (5, 3))
    spans = linear_spans(space)
    closed = LinearObjective(spans, spans.vectors(y), p, True, spans.vectors(y)[:0], 1.0)
    moving = x.clone().requires_grad_()
    value = closed(moving)
    (slope,) = torch.autograd.grad(value, moving)
    solved = SolvedObjective(space, y, p, True, y[:0], 1.0)
    for _ in range(2):  # the second call starts from what the first has found
        ours, by_envelope = solved(x)
        assert float(ours) == pytest.approx(value.item(), rel=1e-9)
        expected, found = (space.egrad_to_rgrad(x, g) for g in (slope, by_envelope))
        assert torch.allclose(found, expected, atol=1e-6)


def test_slopes_on_covariances_are_those_of_differences():
    space = SPD(2, metric=AffineInvariant())
    y, x = (space.random_normal(n, std=0.4, random_state=n, dtype=F64) for n in (4, 2))
    objective = SolvedObjective(space, y, 2.0, False, y[:0], 1.0)
    _, slope = objective(x)
    u = space.random_tangent(x, 0)
    h = 1e-4
    up, down = (float(objective(space.exp(x, s * h * u))[0]) for s in (1.0, -1.0))
    expected = float(space.inner(x, space.egrad_to_rgrad(x, slope), u).sum())
    assert (up - down) / (2 * h) == pytest.approx(expected, rel=1e-5)
