"""Curves in closed form against the retractions that they are curves of."""

import pytest
import torch

from holonomy.manifolds import FixedRank, Grassmann, Projection, Sphere, Stiefel
from holonomy.optim._curves import AnyCurve, FrameCurve, OrthographicCurve, curve_of
from holonomy.optim._moves import default_retraction

SPACES = [Stiefel(7, 3), Stiefel(7, 3, "euclidean"), Grassmann(7, 3), Grassmann(2, 1), FixedRank(8, 7, 2)]


def case(space, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    x = space.random_normal(std=0.5, random_state=generator, dtype=dtype)
    return x, space.random_tangent(x, generator), torch.randn(x.shape, generator=generator, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("t", [0.0, 1e-8, 0.3, 5.0])
@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_points_and_slopes_are_those_of_the_retraction(space, t, dtype):
    x, v, egrad = case(space, dtype)
    retraction = default_retraction(space)
    curve = curve_of(space, retraction, x, v)
    assert isinstance(curve, FrameCurve | OrthographicCurve)
    point, slope = curve.at(t)
    expected, other = AnyCurve(space, retraction, x, v).at(t)
    assert point.dtype == dtype
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(point, expected, rtol=tolerance, atol=tolerance)
    assert slope(egrad) == pytest.approx(other(egrad), rel=100 * tolerance, abs=100 * tolerance)


@pytest.mark.parametrize("space", [Stiefel(30, 4), Grassmann(30, 4)], ids=repr)
@pytest.mark.parametrize("t", [1.0, 3e3, 1e6])
def test_frames_stay_orthonormal_to_rounding(space, t):
    x, v, _ = case(space)
    for _ in range(30):
        x, _ = curve_of(space, Projection(), x, space.project_tangent(x, v)).at(t)
    torch.testing.assert_close(x.mT @ x, torch.eye(4, dtype=torch.float64), rtol=0.0, atol=3e-15)


def test_other_spaces_differentiate():
    space = Sphere(3)
    x, v, _ = case(space)
    assert isinstance(curve_of(space, Projection(), x, v), AnyCurve)
    assert isinstance(curve_of(Stiefel(4, 2), Projection(), torch.eye(4, 2).expand(3, 4, 2), v), AnyCurve)
