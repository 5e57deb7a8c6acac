import warnings

import numpy as np
import pytest

from holonomy.stats import PCASubspaceInference, leading_subspace_intervals, leading_subspace_test


def sample(n, p, seed=0):
    X = np.random.default_rng(seed).standard_normal((n, p)) + 3.0
    X[:, :3] *= [6.0, 4.0, 4.0]
    return X


@pytest.mark.parametrize("coordinates", ["log", "projector", "frame"])
@pytest.mark.parametrize("sizes", [1, (1, 2), (3,)])
def test_it_is_the_gaussian_statistic_of_the_whole_flag(sizes, coordinates):
    X = sample(200, 12)
    k = int(np.sum(sizes))
    Q0 = np.linalg.qr(np.eye(12)[:, :k] + 0.05 * np.random.default_rng(1).standard_normal((12, k)))[0]
    groups = (sizes,) if isinstance(sizes, int) else sizes
    whole = PCASubspaceInference((*groups, 12 - k), assume="gaussian", coordinates=coordinates).fit(X)
    expected = whole.test(Q0)
    found = leading_subspace_test(X, Q0, sizes, coordinates=coordinates)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-8)
    assert found.df == expected.df


def test_heavy_tails_divide_the_statistic():
    rng = np.random.default_rng(0)
    X = sample(500, 8) * np.sqrt(6.0 / rng.chisquare(8, (500, 1)))
    plain, heavy = (leading_subspace_test(X, np.eye(8)[:, :1], 1, assume=one) for one in ("gaussian", "elliptical"))
    assert heavy.statistic < plain.statistic


def test_thousands_of_variables_need_no_covariance_matrix():
    X = np.random.default_rng(0).standard_normal((500, 4000))
    X[:, :2] *= [300.0, 150.0]
    assert leading_subspace_test(X, np.eye(4000)[:, :2], (1, 1)).pvalue > 1e-3
    assert leading_subspace_test(X, np.eye(4000)[:, [1, 0]], (1, 1)).pvalue < 1e-9


@pytest.mark.parametrize(
    ("Q0", "sizes", "options", "message"),
    [
        (np.eye(5)[:, :1], 5, {}, "sizes must have"),
        (np.eye(5)[:, :1], 0, {}, "sizes must be"),
        (np.eye(5)[:, :2], 1, {}, "Q0 must have"),
        (2.0 * np.eye(5)[:, :1], 1, {}, "orthonormal"),
        (np.eye(5)[:, :1], 1, {"assume": "none"}, "assume"),
        (np.eye(5)[:, :1], 1, {"coordinates": "exp"}, "coordinates"),
    ],
)
def test_bad_input_is_refused(Q0, sizes, options, message):
    with pytest.raises(ValueError, match=message):
        leading_subspace_test(sample(50, 5), Q0, sizes, **options)


@pytest.mark.parametrize("sizes", [1, (1, 2), (2, 1), (3,)])
def test_intervals_are_those_of_the_whole_flag(sizes):
    X = sample(300, 9)
    groups = (sizes,) if isinstance(sizes, int) else sizes
    k = sum(groups)
    whole = PCASubspaceInference((*groups, 9 - k), assume="gaussian", level=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # (2, 1) splits two equal variances
        whole.fit(X)
    found = leading_subspace_intervals(X, sizes, level=0.9)
    np.testing.assert_allclose(found.flag, whole.flag_[:, :k], atol=1e-9)
    np.testing.assert_allclose(found.eigenvalues, whole.eigenvalues_[:k])
    assert found.rest == pytest.approx(whole.eigenvalues_[k:].mean())
    np.testing.assert_allclose(found.angles, whole.angles_interval()[:-1], rtol=1e-8)
    np.testing.assert_allclose(found.loadings, whole.loadings_interval()[:, :k], rtol=1e-8, atol=1e-9)


def test_heavy_tails_widen_the_intervals():
    rng = np.random.default_rng(0)
    X = sample(500, 8) * np.sqrt(6.0 / rng.chisquare(8, (500, 1)))
    plain, heavy = (leading_subspace_intervals(X, 1, assume=one).angles[0, 1] for one in ("gaussian", "elliptical"))
    assert heavy > plain


def test_intervals_hold_the_truth_as_often_as_they_say():
    """All loadings at once, and conservatively so: they bound the region, of probability 0.9, from outside."""
    rng, held = np.random.default_rng(5), 0
    for _ in range(100):
        X = rng.standard_normal((2000, 4)) * [3.0, 1.0, 1.0, 1.0]
        found = leading_subspace_intervals(X, 1, level=0.9)
        truth = np.eye(4)[:, :1]
        held += bool(((found.loadings[..., 0] <= truth) & (truth <= found.loadings[..., 1] + 1e-2)).all())
    assert held >= 85


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [(5, {}, "sizes must have"), (1, {"level": 1.0}, "level"), (1, {"assume": "none"}, "assume")],
)
def test_bad_input_of_intervals_is_refused(sizes, options, message):
    with pytest.raises(ValueError, match=message):
        leading_subspace_intervals(sample(50, 5), sizes, **options)
