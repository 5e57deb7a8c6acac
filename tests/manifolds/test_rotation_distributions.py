"""Distributions of rotations: normalised, by quadrature, and sampled as they say."""

import math

import mpmath as mp
import pytest
import torch

from holonomy.manifolds.rotation_conversions import matrix_to_axis_angle, matrix_to_quaternion
from holonomy.manifolds.rotation_distributions import Bingham, IsotropicGaussian, MatrixFisher, bingham_log_normalizer
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


def test_matrix_fisher_is_its_density_and_integrates_to_one():
    F = torch.tensor([[2.0, 0.3, -1.0], [0.0, -1.5, 0.4], [0.7, 0.2, 1.0]], dtype=torch.float64)
    x = SpecialOrthogonal(3).random_uniform(COUNT, random_state=0, dtype=torch.float64)
    log_prob = MatrixFisher(F).log_prob(x)
    shift = log_prob - (F * x).sum((-2, -1))
    torch.testing.assert_close(shift, shift[:1].expand(COUNT))
    mass = log_prob.exp() * 8 * math.pi**2
    assert float(mass.mean()) == pytest.approx(1.0, abs=5 * float(mass.std()) / COUNT**0.5)


def test_a_sharp_matrix_fisher_distribution_is_normal_about_its_mode():
    strengths = torch.tensor([900.0, 400.0, 100.0], dtype=torch.float64)
    Q = SpecialOrthogonal(3).random_uniform(random_state=1, dtype=torch.float64)
    fisher = MatrixFisher(Q @ torch.diag(strengths))
    torch.testing.assert_close(fisher.mode(), Q)
    w = matrix_to_axis_angle(Q.mT @ fisher.sample(COUNT, random_state=0))
    variance = 1.0 / (strengths.sum() - strengths)
    torch.testing.assert_close(w.var(0), variance, rtol=0.05, atol=0.0)


def test_batches_are_their_members_and_differentiable():
    F = torch.randn(2, 3, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    x = SpecialOrthogonal(3).random_uniform(2, 3, random_state=0, dtype=torch.float64)
    batch = MatrixFisher(F)
    single = torch.stack([MatrixFisher(f).log_prob(r) for f, r in zip(F.flatten(0, 1), x.flatten(0, 1), strict=True)])
    torch.testing.assert_close(batch.log_prob(x).flatten(), single)
    assert batch.sample(5, random_state=0).shape == (5, 2, 3, 3, 3)
    assert batch.sample(0).shape == (0, 2, 3, 3, 3)
    assert batch.mode().shape == (2, 3, 3, 3)
    assert torch.autograd.gradcheck(lambda F: MatrixFisher(F).log_prob(x), F)
    flat = MatrixFisher(0.0 * F[0, 0]).log_prob(x[0, 0])
    (gradient,) = torch.autograd.grad(flat, F)
    assert torch.isfinite(gradient).all()


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="F must hold"):
        MatrixFisher(torch.eye(4))
    with pytest.raises(ValueError, match="s must be positive"):
        IsotropicGaussian(torch.eye(3), 0.0)
    with pytest.raises(ValueError, match="mean"):
        IsotropicGaussian(2.0 * torch.eye(3), 1.0)
    with pytest.raises(ValueError, match="A must hold"):
        Bingham(torch.eye(3))
