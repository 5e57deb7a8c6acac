import numpy as np
import pytest

from holonomy.stats import PCASubspaceInference, leading_subspace_test


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
