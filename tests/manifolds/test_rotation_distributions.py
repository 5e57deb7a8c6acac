"""Distributions of rotations: normalised, by quadrature, and sampled as they say."""

import math

import mpmath as mp
import pytest
import torch

from holonomy.manifolds.rotation_conversions import matrix_to_axis_angle, matrix_to_quaternion
from holonomy.manifolds.rotation_distributions import Bingham, IsotropicGaussian, bingham_log_normalizer
from holonomy.manifolds.special_orthogonal import SpecialOrthogonal

COUNT = 40_000


@pytest.mark.parametrize(
    "values", [(0, 0, 0, 0), (-3, -1, 0, 2), (-50, -50, -50, 0), (-400, -3, -1, 0), (-900, -800, -700, 0)]
)
def test_bingham_normalizer_equals_mpmath(values):
    a, b, c, d = values

    def shell(t):
        first = mp.exp((a + b) * t / 2) * mp.besseli(0, (b - a) * t / 2)
        second = mp.exp((c + d) * (1 - t) / 2) * mp.besseli(0, (d - c) * (1 - t) / 2)
        return first * second

    exact = mp.log(mp.quad(shell, [0, 0.001, 0.01, 0.1, 0.5, 0.9, 1]))
    ours = bingham_log_normalizer(torch.tensor(values, dtype=torch.float64))
    assert float(ours) == pytest.approx(float(exact), abs=1e-10)


def test_bingham_density_integrates_to_one():
    A = torch.diag(torch.tensor([1.0, -2.0, 0.5, 0.0], dtype=torch.float64))
    x = SpecialOrthogonal(3).random_uniform(COUNT, random_state=0, dtype=torch.float64)
    mass = Bingham(A).log_prob(x).exp() * 8 * math.pi**2
    assert float(mass.mean()) == pytest.approx(1.0, abs=5 * float(mass.std()) / COUNT**0.5)


@pytest.mark.parametrize("strength", [0.0, 3.0, 300.0])
def test_bingham_samples_have_the_second_moments_of_the_density(strength):
    values = strength * torch.tensor([-3.0, -1.0, -0.5, 0.0], dtype=torch.float64)
    Q, _ = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    q = matrix_to_quaternion(Bingham((Q * values) @ Q.T).sample(COUNT, random_state=1))
    variable = values.clone().requires_grad_()
    (moments,) = torch.autograd.grad(bingham_log_normalizer(variable), variable)
    seen = (q @ Q).square()
    assert ((seen.mean(0) - moments).abs() < 5 * seen.std(0) / COUNT**0.5).all()


@pytest.mark.parametrize("s", [1e-4, 0.3, 5.0])
def test_isotropic_gaussian_samples_follow_the_density(s):
    mean = SpecialOrthogonal(3).random_uniform(random_state=2, dtype=torch.float64)
    x = IsotropicGaussian(mean, s).sample(COUNT, random_state=0)
    w = matrix_to_axis_angle(mean.mT @ x)
    # The trace of a rotation is 1 + 2 cos, a character of the group: its mean decays with rate 1.
    trace = (mean.mT @ x).diagonal(dim1=-2, dim2=-1).sum(-1)
    assert float(trace.mean()) == pytest.approx(3 * math.exp(-s), abs=5 * float(trace.std()) / COUNT**0.5 + 1e-5)
    assert float(w.mean(0).norm()) < 5 * float(w.std()) * (3 / COUNT) ** 0.5
    if s < 0.01:
        assert float(w.var()) == pytest.approx(s, rel=0.03)
    again = IsotropicGaussian(mean, s).sample(3, random_state=0)
    assert torch.equal(again, IsotropicGaussian(mean, s).sample(3, random_state=0))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="s must be positive"):
        IsotropicGaussian(torch.eye(3), 0.0)
    with pytest.raises(ValueError, match="mean"):
        IsotropicGaussian(2.0 * torch.eye(3), 1.0)
    with pytest.raises(ValueError, match="A must be"):
        Bingham(torch.eye(3))
