"""Effective rank, participation ratio, spectrum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from threadpoolctl import threadpool_limits

from holonomy.measure import effective_rank
from holonomy.measure.linear_span import leading_coordinates


def box(extents, n=400, seed=0):
    """Points whose sample covariance is exactly diag(extents squared)."""
    X = np.random.default_rng(seed).normal(size=(n, len(extents)))
    X -= X.mean(axis=0)
    X = np.linalg.svd(X, full_matrices=False)[0] * np.sqrt(n - 1)
    return X * extents


def test_closed_forms():
    span = effective_rank(box([3.0, 1.0]))
    np.testing.assert_allclose(span.spectrum, [9, 1])
    p = np.array([0.75, 0.25])
    assert span.effective_rank == pytest.approx(np.exp(-(p @ np.log(p))))
    assert span.participation_ratio == pytest.approx(100 / 82)
    assert float(span) == span.effective_rank


@pytest.mark.parametrize("d", [1, 2, 7])
def test_even_extents_have_full_rank(d):
    span = effective_rank(box(np.full(d, 2.0)) @ np.linalg.qr(np.random.default_rng(1).normal(size=(9, 9)))[0][:d])
    assert span.effective_rank == pytest.approx(d)
    assert span.participation_ratio == pytest.approx(d)
    assert span.rank == d


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 30), st.integers(1, 30), st.sampled_from([1e-100, 1.0, 1e100]), st.integers(0, 1000))
def test_the_spectrum_is_that_of_the_covariance_at_any_shape_and_scale(n, d, scale, seed):
    X = np.random.default_rng(seed).normal(size=(n, d))
    span = effective_rank(scale * X + 5 * scale)
    expected = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)[: min(n, d)] ** 2 / (n - 1)
    np.testing.assert_allclose(span.spectrum / scale**2, expected, rtol=1e-6, atol=1e-10)
    assert 1 - 1e-9 <= span.effective_rank <= min(n, d) + 1e-9


def test_directions_for_a_share():
    span = effective_rank(box(np.sqrt([6.0, 3.0, 1.0])))
    assert [span.directions_for(share) for share in (0.5, 0.6 - 1e-9, 0.7, 0.9 - 1e-9, 0.95, 1.0)] == [1, 1, 2, 2, 3, 3]


def test_equal_rows_have_rank_zero():
    span = effective_rank(np.full((10, 3), 7.0))
    assert (span.effective_rank, span.participation_ratio, span.rank, span.directions_for(0.95)) == (0, 0, 0, 0)


def test_large_problems_are_sampled(monkeypatch):
    X = box(np.arange(1.0, 21.0), n=300)
    monkeypatch.setattr("holonomy.measure.linear_span.LARGEST_EIGENPROBLEM", 15)
    span = effective_rank(X, random_state=1)
    assert span.n_used == 15
    assert len(span.spectrum) == 15
    np.testing.assert_array_equal(span.spectrum, effective_rank(X, random_state=1).spectrum)


def test_the_same_bits_for_any_number_of_threads():
    X = np.random.default_rng(0).normal(size=(1000, 200))
    spectra = []
    for n_threads in (1, 2, 4):
        with threadpool_limits(n_threads):
            spectra.append(effective_rank(X).spectrum)
    np.testing.assert_array_equal(spectra[1], spectra[0])
    np.testing.assert_array_equal(spectra[2], spectra[0])


@pytest.mark.parametrize("shape", [(60, 8), (8, 60)])
def test_leading_coordinates_are_those_of_the_singular_value_decomposition(shape):
    X = np.random.default_rng(0).normal(size=shape) * np.linspace(1, 3, shape[1]) + 7
    u, s, _ = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(leading_coordinates(X, 3)), np.abs(u[:, :3] * s[:3]), atol=1e-8)


def test_it_shows_itself():
    span = effective_rank(box([3.0, 1.0]))
    assert "2 of 2" in span._repr_html_()
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(span)
    assert "participation ratio" in console.export_text()


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_numbers_whose_squares_are_out_of_range(scale):
    with pytest.raises(ValueError, match="rescale X"):
        effective_rank(scale * np.eye(3))


def test_bad_input():
    with pytest.raises(ValueError, match="minimum of 2"):
        effective_rank([[1.0, 2.0]])
    with pytest.raises(ValueError, match="NaN"):
        effective_rank([[1.0], [np.nan]])
    with pytest.raises(ValueError, match="share must be in"):
        effective_rank(np.eye(3)).directions_for(1.5)
