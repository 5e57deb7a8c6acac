"""Denoising by diffusion: its definition, what it removes and keeps, and its times."""

import numpy as np
import pytest

from holonomy.embed import DiffusionDenoiser


@pytest.fixture(scope="module")
def curve():
    x = np.linspace(0, 1, 400)
    clean = np.column_stack([np.cos(4 * x), np.sin(4 * x), x, 2 + np.cos(7 * x)])
    return clean, clean + 0.1 * np.random.default_rng(0).normal(size=clean.shape)


def error(a, b):
    return np.sqrt(((a - b) ** 2).mean())


def test_is_the_power_of_the_walk_times_the_data(curve):
    model = DiffusionDenoiser(t=4, random_state=0).fit(curve[1])
    walk = np.linalg.matrix_power(model.operator_.walk_matrix.toarray(), 4)
    np.testing.assert_allclose(model.denoised_, walk @ curve[1], atol=1e-10)


def test_noise_goes_and_the_curve_stays(curve):
    clean, noisy = curve
    model = DiffusionDenoiser(random_state=0).fit(noisy)
    assert error(model.denoised_, clean) < 0.65 * error(noisy, clean)
    fresh = clean + 0.1 * np.random.default_rng(1).normal(size=clean.shape)
    assert error(model.transform(fresh), clean) < 0.75 * error(fresh, clean)


def test_counts_dropped_out_are_filled_in():
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, 500)
    rates = 8 * np.exp(-(((x[:, None] - rng.random(60)) / 0.2) ** 2))
    counts = rng.poisson(rates) * (rng.random(rates.shape) < 0.5)
    denoised = DiffusionDenoiser(random_state=0).fit_transform(np.sqrt(counts))
    before, after = (
        np.corrcoef(values.ravel(), np.sqrt(rates).ravel())[0, 1] for values in (np.sqrt(counts), denoised)
    )
    assert after > 0.93 > before + 0.2


def test_constant_features_and_totals_are_kept(curve):
    X = np.column_stack([curve[1], np.full(400, 3.0)])
    model = DiffusionDenoiser(t=5, random_state=0).fit(X)
    np.testing.assert_allclose(model.denoised_[:, 4], 3.0)
    stationary = model.operator_.stationary
    np.testing.assert_allclose(stationary @ model.denoised_, stationary @ X)


def test_automatic_time_is_the_first_of_small_change(curve):
    model = DiffusionDenoiser(tol=0.002, random_state=0).fit(curve[1])
    assert len(model.changes_) == model.t_
    assert model.changes_[-1] < 0.002
    assert (model.changes_[:-1] >= 0.002).all()
    np.testing.assert_allclose(model.denoised_, model.operator_.walk(curve[1], model.t_), atol=1e-12)
    assert DiffusionDenoiser(tol=0.0001, random_state=0).fit(curve[1]).t_ > model.t_
    assert 1 <= DiffusionDenoiser(t="entropy", random_state=0).fit(curve[1]).t_ <= 100


def test_time_out_is_reported(curve):
    with pytest.warns(RuntimeWarning, match="stopped at max_t=2 steps with changes of"):
        assert DiffusionDenoiser(tol=1e-9, max_t=2, random_state=0).fit(curve[1]).t_ == 2


def test_rescaling_restores_a_percentile_of_non_negative_features(curve):
    X = np.column_stack([np.abs(curve[1]), curve[1][:, 0] - 5])
    model = DiffusionDenoiser(t=5, rescale=99, random_state=0).fit(X)
    np.testing.assert_allclose(np.percentile(model.denoised_[:, :4], 99, axis=0), np.percentile(X[:, :4], 99, axis=0))
    plain = DiffusionDenoiser(t=5, random_state=0).fit(X)
    np.testing.assert_array_equal(model.denoised_[:, 4], plain.denoised_[:, 4])
    stretch = model.denoised_[0] / plain.denoised_[0]
    np.testing.assert_allclose(model.transform(X[:4] + 0.01), plain.transform(X[:4] + 0.01) * stretch)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"t": 0}, ValueError, "t must be at least 1"),
        ({"t": 1.5}, TypeError, "t must be an integer"),
        ({"t": "best"}, ValueError, "t must be one of"),
        ({"tol": 0.0}, ValueError, r"tol must lie in \(0, 1\)"),
        ({"max_t": 0}, ValueError, "max_t must be at least 1"),
        ({"rescale": 0.0}, ValueError, "rescale must be a percentile"),
        ({"metric": "precomputed"}, ValueError, "features themselves are denoised"),
    ],
)
def test_bad_parameters_are_named(curve, parameters, error, message):
    with pytest.raises(error, match=message):
        DiffusionDenoiser(**parameters).fit(curve[1])
