import warnings

import numpy as np
import pytest
from scipy.linalg import logm
from scipy.stats import chi2, ortho_group
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from holonomy.stats import PCASubspaceInference, subspace_statistics

VARIANCES = np.array([6.0, 3.0, 1.0, 1.0, 1.0])


def sample(n, seed=0, variances=VARIANCES):
    return np.random.default_rng(seed).standard_normal((n, len(variances))) * np.sqrt(variances)


def turned(Q, amount, seed=1):
    A = np.random.default_rng(seed).standard_normal(Q.shape)
    return Q @ np.linalg.qr(np.eye(len(Q)) + amount * (A - A.T))[0]


@pytest.fixture(scope="module")
def fitted():
    return PCASubspaceInference((1, 1, 3)).fit(sample(400))


def test_the_gaussian_test_of_one_eigenvector_is_andersons_exactly():
    X = sample(200, variances=np.array([7.0, 4.0, 2.0, 1.0]))
    S, q = np.cov(X.T), turned(np.eye(4), 0.05)[:, 0]
    largest = np.linalg.eigvalsh(S)[-1]
    anderson = len(X) * (largest * q @ np.linalg.solve(S, q) + q @ S @ q / largest - 2.0)
    inference = PCASubspaceInference((1, 1, 1, 1), assume="gaussian", coordinates="frame").fit(X)
    assert inference.test(q, which=0).statistic == pytest.approx(anderson, rel=1e-10)


def test_the_gaussian_statistic_is_the_closed_form_of_eigenvalue_ratios():
    X = sample(300, variances=np.array([5.0, 2.0, 1.0]))
    inference = PCASubspaceInference((1, 1, 1), assume="gaussian").fit(X)
    Q0, values = turned(inference.flag_, 0.02), inference.eigenvalues_
    U = inference.flag_.T @ Q0
    B = logm(U * np.sign(np.diag(U))).real
    pairs = [(0, 1), (0, 2), (1, 2)]
    terms = [(values[a] - values[b]) ** 2 / (values[a] * values[b]) * B[a, b] ** 2 for a, b in pairs]
    expected = 300 * sum(terms)
    assert inference.test(Q0).statistic == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("coordinates", ["log", "projector", "frame"])
@pytest.mark.parametrize(("assume", "kind"), [("gaussian", "normal"), ("elliptical", "t"), ("none", "skewed")])
def test_regions_cover_the_truth_as_often_as_they_say(coordinates, assume, kind):
    rng = np.random.default_rng(3)
    if kind == "skewed":
        raw = (rng.standard_gamma(4.0, (400, 1500, 5)) - 4.0) / 2.0
    else:
        raw = rng.standard_normal((400, 1500, 5))
    if kind == "t":
        raw = raw * np.sqrt(6.0 / rng.chisquare(8, (400, 1500, 1)))
    statistics, df = subspace_statistics(
        raw * np.sqrt(VARIANCES), np.eye(5), (1, 1, 3), assume=assume, coordinates=coordinates
    )
    assert df == 7
    assert 0.91 <= (statistics <= chi2.ppf(0.95, df)).mean() <= 0.985


def test_the_estimate_has_statistic_zero_and_the_degrees_of_freedom_are_the_dimension(fitted):
    result = fitted.test(fitted.flag_)
    assert (result.statistic, result.df, result.pvalue) == (pytest.approx(0.0, abs=1e-12), 7, pytest.approx(1.0))
    assert fitted.test(fitted.flag_[:, :1], which=0).df == 4
    assert fitted.test(fitted.flag_[:, 2:], which=2).df == 6
    assert fitted.covariance_.shape == (7, 7)


@pytest.mark.parametrize("assume", ["gaussian", "elliptical", "none"])
def test_the_answer_does_not_depend_on_basis_scale_or_position(assume):
    X, Q0 = sample(300), turned(np.eye(5), 0.03)
    R = ortho_group.rvs(5, random_state=0)
    expected = PCASubspaceInference((1, 1, 3), assume=assume).fit(X).test(Q0).statistic
    moved = PCASubspaceInference((1, 1, 3), assume=assume).fit(3.0 * X @ R + 5.0).test(R.T @ Q0).statistic
    assert moved == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("coordinates", ["log", "projector", "frame"])
def test_the_basis_chosen_inside_a_group_does_not_matter(fitted, coordinates):
    inference = PCASubspaceInference((1, 1, 3), coordinates=coordinates).fit(sample(400))
    Q0, mixed = turned(np.eye(5), 0.03), np.eye(5)
    mixed[2:, 2:] = ortho_group.rvs(3, random_state=0)
    mixed[0, 0] = -1.0
    assert inference.test(Q0 @ mixed).statistic == pytest.approx(inference.test(Q0).statistic, rel=1e-9)


@pytest.mark.parametrize("assume", ["gaussian", "none"])
def test_one_subspace_is_the_flag_of_two(assume):
    X, Q0 = sample(300, variances=np.array([5.0, 5.0, 1.0, 1.0])), turned(np.eye(4), 0.03)
    whole = PCASubspaceInference(2, assume=assume).fit(X).test(Q0)
    assert whole == PCASubspaceInference((2, 2), assume=assume).fit(X).test(Q0[:, :2], which=0)


def test_coordinates_agree_to_first_order():
    X = sample(400)
    Q0 = turned(PCASubspaceInference((1, 1, 3)).fit(X).flag_, 1e-4)
    found = [
        PCASubspaceInference((1, 1, 3), coordinates=kind).fit(X).test(Q0).statistic
        for kind in ("log", "projector", "frame")
    ]
    assert found == pytest.approx([found[0]] * 3, rel=1e-2)


def test_the_boundary_of_the_region_has_the_critical_statistic(fitted):
    for Q in fitted.sample_region(4, boundary=True, random_state=0):
        assert fitted.test(Q).statistic == pytest.approx(chi2.ppf(0.95, 7), rel=1e-8)
    inside = fitted.sample_region(6, random_state=1)
    assert np.allclose(inside.swapaxes(1, 2) @ inside, np.eye(5))
    assert all(fitted.contains(Q) for Q in inside)
    assert np.array_equal(inside, fitted.sample_region(6, random_state=1))


def test_radii_angles_and_loadings_bound_the_region(fitted):
    inner, outer = fitted.region_radii()
    assert 0.0 < inner < outer
    angles, loadings = fitted.angles_interval(), fitted.loadings_interval()
    for Q in fitted.sample_region(200, boundary=True, random_state=2):
        for a, columns in enumerate(([0], [1], [2, 3, 4])):
            cosines = np.linalg.svd(fitted.flag_[:, columns].T @ Q[:, columns], compute_uv=False)
            assert np.arccos(min(cosines.min(), 1.0)) <= angles[a, 1] * 1.02 + 1e-9
        for column in (0, 1):
            low, high = loadings[:, column].T
            slack = 0.06  # the bounds are those of first order
            assert (Q[:, column] >= low - slack).all()
            assert (Q[:, column] <= high + slack).all()
    assert np.isnan(loadings[:, 2:]).all()
    low, high = loadings[:, :2, 0], loadings[:, :2, 1]
    assert ((low <= fitted.flag_[:, :2]) & (fitted.flag_[:, :2] <= high)).all()


def test_the_type_is_proposed_and_ties_are_warned_of():
    assert PCASubspaceInference().fit(sample(500)).type_ == (1, 1, 3)
    with pytest.warns(UserWarning, match=r"may be equal.*standard error"):
        PCASubspaceInference((1, 1, 1, 1, 1)).fit(sample(500))
    with pytest.raises(ValueError, match="all eigenvalues were taken for equal"):
        PCASubspaceInference().fit(np.random.default_rng(0).standard_normal((200, 3)))


def test_the_bootstrap_is_reproducible_and_close_to_the_limit_for_large_samples():
    X, Q0 = sample(400), np.eye(5)
    make = PCASubspaceInference((1, 1, 3), method="bootstrap", n_resamples=199, random_state=0)
    result = make.fit(X).test(Q0)
    assert result.calibration == "bootstrap"
    assert result == clone(make).fit(X).test(Q0)
    assert result.pvalue == pytest.approx(PCASubspaceInference((1, 1, 3)).fit(X).test(Q0).pvalue, abs=0.12)
    assert make.contains(make.flag_)


def test_two_samples_with_equal_subspaces_are_told_from_others():
    inference = PCASubspaceInference((1, 1, 3), coordinates="projector")
    pairs = [(sample(300, 2 * k), sample(250, 2 * k + 1, 2.0 * VARIANCES)) for k in range(120)]
    assert 0.01 <= np.mean([inference.two_sample(*pair).rejects() for pair in pairs]) <= 0.1
    X, Y = pairs[1]
    inference = PCASubspaceInference((1, 1, 3))
    assert inference.two_sample(X, Y @ turned(np.eye(5), 0.3)).pvalue < 1e-6
    drawn = PCASubspaceInference((1, 1, 3), method="bootstrap", n_resamples=59, random_state=0)
    assert drawn.two_sample(X, Y).pvalue > 0.05
    assert drawn.two_sample(X, Y @ turned(np.eye(5), 0.3)).pvalue < 0.05


def test_correlation_matrices_do_not_see_the_units():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 1)) + rng.standard_normal((400, 4))
    inference = PCASubspaceInference(1, correlation=True).fit(X)
    scaled = PCASubspaceInference(1, correlation=True).fit(X * [1.0, 10.0, 100.0, 0.1])
    q = np.full((4, 1), 0.5)
    assert scaled.test(q).statistic == pytest.approx(inference.test(q).statistic, rel=1e-9)
    reps = [
        PCASubspaceInference(1, correlation=True)
        .fit(rng.standard_normal((600, 1)) + rng.standard_normal((600, 4)))
        .contains(q)
        for _ in range(300)
    ]
    assert 0.91 <= np.mean(reps) <= 0.99


def test_small_samples_shrink_the_covariance_or_say_what_to_do():
    X = sample(30)
    assert PCASubspaceInference((1, 1, 3)).fit(X).covariance_used_ == "shrunk"
    assert PCASubspaceInference((1, 1, 3), covariance="block").fit(X).covariance_used_ == "block"
    with pytest.raises(ValueError, match='covariance="shrunk"'):
        PCASubspaceInference((1, 1, 3), covariance="full").fit(sample(8))
    with pytest.warns(UserWarning, match="more rows than columns"):
        PCASubspaceInference((1, 4)).fit(sample(12))


def test_more_columns_than_rows_still_have_a_leading_subspace():
    X = np.random.default_rng(0).standard_normal((40, 60))
    X[:, 0] *= 12.0
    with pytest.warns(UserWarning, match="more rows than columns"):
        inference = PCASubspaceInference(1).fit(X)
    assert inference.test(np.eye(60)[:, :1]).df == 59
    assert inference.test(np.eye(60)[:, 1:2]).pvalue < 1e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"type": (1, 1)}, "type must be"),
        ({"type": 5}, "type must be"),
        ({"level": 1.0}, "level must lie"),
        ({"level": 2.0}, "level must be"),
        ({"assume": "normal"}, "assume must be"),
        ({"method": "exact"}, "method must be"),
        ({"coordinates": "exp"}, "coordinates must be"),
        ({"covariance": "diag"}, "covariance must be"),
        ({"n_resamples": 3}, "n_resamples must be"),
        ({"correlation": True, "assume": "gaussian"}, "correlation=True needs"),
    ],
)
def test_bad_parameters_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        PCASubspaceInference(**options).fit(sample(100))


@pytest.mark.parametrize(
    ("Q0", "which", "message"),
    [
        (np.eye(4), None, "Q0 must have shape"),
        (2.0 * np.eye(5), None, "orthonormal"),
        (np.full((5, 5), np.nan), None, "orthonormal"),
        (np.eye(5), 3, "which must be"),
        (np.eye(5), (0, 0), "which must name"),
        (np.eye(5), (), "which must name"),
    ],
)
def test_bad_hypotheses_are_refused(fitted, Q0, which, message):
    with pytest.raises(ValueError, match=message):
        fitted.test(Q0, which)


def test_other_bad_inputs_are_refused(fitted):
    with pytest.raises(ValueError, match="same columns"):
        fitted.two_sample(sample(50), sample(50)[:, :4])
    with pytest.raises(ValueError, match="must vary"):
        PCASubspaceInference(1).fit(np.ones((20, 3)))
    with pytest.raises(ValueError, match="samples must be finite"):
        subspace_statistics(np.zeros((3, 4)), np.eye(4), 1)
    with pytest.raises(ValueError, match="n must be"):
        fitted.sample_region(0)


def test_it_is_an_estimator():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        check_estimator(PCASubspaceInference(1))


def test_batches_give_what_all_rows_do_however_far_the_mean_is():
    X = sample(400) + 1e6
    whole = PCASubspaceInference((1, 1, 3), assume="gaussian").fit(X)
    parts = PCASubspaceInference((1, 1, 3), assume="gaussian")
    for batch in (X[:50], X[50:51], X[51:400]):
        parts.partial_fit(batch)
    after = PCASubspaceInference((1, 1, 3), assume="gaussian").fit(X[:100]).partial_fit(X[100:])
    Q0 = turned(whole.flag_, 0.05)
    for one in (parts, after):
        assert one.n_samples_ == 400
        np.testing.assert_allclose(one.eigenvalues_, whole.eigenvalues_, rtol=1e-9)
        np.testing.assert_allclose(one.flag_[:, :2], whole.flag_[:, :2], atol=1e-9)
        np.testing.assert_allclose(one.covariance_, whole.covariance_, rtol=1e-8)
        assert one.test(Q0).statistic == pytest.approx(whole.test(Q0).statistic, rel=1e-8)
        np.testing.assert_allclose(one.angles_interval(), whole.angles_interval(), rtol=1e-8)
        assert np.isnan(one.kurtosis_)


def test_fit_forgets_batches():
    X = sample(300)
    inference = PCASubspaceInference((1, 1, 3), assume="gaussian").partial_fit(sample(300, seed=1)).fit(X)
    assert inference.n_samples_ == 300
    np.testing.assert_array_equal(
        inference.eigenvalues_, PCASubspaceInference((1, 1, 3), assume="gaussian").fit(X).eigenvalues_
    )


@pytest.mark.parametrize("options", [{}, {"assume": "elliptical"}, {"assume": "gaussian", "method": "bootstrap"}])
def test_batches_are_refused_where_rows_are_needed(options):
    inference = PCASubspaceInference((1, 4), **options)
    assert not hasattr(inference, "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit") as error:
        inference.partial_fit(sample(50))
    assert "use fit on all rows" in str(error.value.__cause__)


def test_bad_batches_are_refused():
    inference = PCASubspaceInference((1, 4), assume="gaussian")
    with pytest.raises(ValueError, match="minimum of 3"):
        inference.partial_fit(sample(2))
    inference.partial_fit(sample(50))
    with pytest.raises(ValueError, match="features"):
        inference.partial_fit(np.ones((5, 4)))
    with pytest.raises(ValueError, match="NaN"):
        inference.partial_fit(np.full((5, 5), np.nan))
    assert inference.n_samples_ == 50
