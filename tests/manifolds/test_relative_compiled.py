"""Decompositions of several matrices at once against those of LAPACK."""

import math

import pytest
import torch

from holonomy.manifolds import _relative_compiled as compiled
from holonomy.manifolds import _relative_parts as plain
from holonomy.manifolds._divided_differences import Log
from holonomy.manifolds.spd import SPD


def _batch(count, n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    factors = torch.randn(count, n, n, generator=generator, dtype=torch.float64)
    return factors @ factors.mT / n + 0.5 * torch.eye(n, dtype=torch.float64)


def _close(found, expected, tolerance=1e-12):
    return (found - expected).abs().amax() <= tolerance * expected.abs().amax()


def _exact(A, B):
    """Return the logarithm from LAPACK alone."""
    return plain.function_parts(Log(), A, B)[0]


@pytest.mark.parametrize("n", [1, 2, 3, 9, 16, 33, 48])
@pytest.mark.parametrize("count", [1, 8, 11])
def test_parts_and_slopes_are_those_of_lapack(n, count):
    A, B = _batch(count, n), _batch(count, n, seed=1)
    value, _, U, values, logarithms = compiled.logarithm_parts(A, B, kept=True, filled=True)
    expected = plain.function_parts(Log(), A, B)
    assert _close(value, expected[0])
    assert _close(values.sort().values, expected[3])
    assert _close((U * logarithms[..., None, :]) @ U.mT, (expected[2] * expected[4][..., None, :]) @ expected[2].mT)
    grad = _batch(count, n, seed=2) - A
    slopes = compiled.logarithm_slopes(grad, A, U, values, logarithms)
    assert all(map(_close, slopes, plain.function_slopes(Log(), grad, *expected[1:])))
    weights, others = torch.cos(values), torch.cos(expected[3])
    assert all(
        map(
            _close,
            compiled.distance_slopes(A, U, values, weights),
            plain.distance_slopes(*expected[1:4], others),
        )
    )


def test_a_matrix_does_not_depend_on_its_neighbours():
    A, B = _batch(19, 12), _batch(19, 12, seed=1)
    together = compiled.logarithm_parts(A, B, kept=True, filled=True)
    for i in (0, 7, 18):
        alone = compiled.logarithm_parts(A[i : i + 1], B[i : i + 1], kept=True, filled=True)
        assert all(torch.equal(one[i : i + 1], other) for one, other in zip(together, alone, strict=True))


def test_repeated_eigenvalues_and_equal_matrices():
    A = _batch(9, 16)
    assert (compiled.logarithm_parts(A, A, kept=False, filled=True)[0] == 0).all()
    eye = torch.eye(16, dtype=torch.float64).expand(9, 16, 16)
    assert _close(SPD(16).log(A, 3.0 * A), math.log(3.0) * A)
    scaled = torch.linspace(0.5, 4.0, 9, dtype=torch.float64)[:, None, None] * eye
    assert torch.equal(compiled.logarithm_parts(eye, scaled, kept=False, filled=True)[3], scaled.diagonal(0, -2, -1))


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e12, 1e200])
def test_scales_far_from_one(scale):
    A, B = _batch(9, 12), scale * _batch(9, 12, seed=1)
    A.requires_grad_()
    log = SPD(12).log(A, B)
    assert _close(log.detach(), _exact(A.detach(), B))
    grad = _batch(9, 12, seed=2) - A.detach()
    (found,) = torch.autograd.grad(log, A, grad)
    expected, _ = plain.function_slopes(Log(), grad, *plain.function_parts(Log(), A.detach(), B)[1:])
    assert _close(found, expected, 1e-11)


def test_wide_spectra_are_decomposed_by_factors():
    A, B = _batch(11, 12), _batch(11, 12, seed=1)
    wide = torch.diag(torch.logspace(0, -13, 12, dtype=torch.float64))
    B[3], A[7] = wide, wide
    for found, expected in zip(
        compiled.logarithm_parts(A, B, kept=True, filled=True), plain.function_parts(Log(), A, B), strict=True
    ):
        assert len(found) == 0 or torch.equal(found[[3, 7]], expected[[3, 7]])


@pytest.mark.parametrize("row", [0, 10])
def test_matrices_without_a_factor_are_refused(row):
    A, B = _batch(11, 12), _batch(11, 12, seed=1)
    A[row, 2, 2] = -1.0
    with pytest.raises(torch.linalg.LinAlgError):
        SPD(12).log(A, B)
    with pytest.raises(torch.linalg.LinAlgError):
        SPD(12).dist(B, A)


def test_an_empty_batch():
    A = torch.empty(0, 12, 12, dtype=torch.float64, requires_grad=True)
    assert SPD(12).dist(A, A).shape == (0,)
    assert SPD(12).log(A, A).shape == (0, 12, 12)
