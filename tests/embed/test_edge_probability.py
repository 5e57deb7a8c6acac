"""The Fermi-Dirac curve and its fit, against scikit-learn's logistic regression."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from holonomy.embed import fermi_dirac
from holonomy.embed.edge_probability import FLATTEST, STEEPEST, fit_fermi_dirac


def test_curve_at_known_places():
    d = np.array([0.0, 1.5, 3.0, 800.0])
    np.testing.assert_allclose(fermi_dirac(d, 1.5, 0.5), [1 / (np.exp(-3) + 1), 0.5, 1 / (np.exp(3) + 1), 0.0])


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_fit_is_the_logistic_regression(scale):
    rng = np.random.default_rng(0)
    d = scale * rng.exponential(3.0, 4000)
    is_edge = rng.random(4000) < fermi_dirac(d, scale * 2.5, scale * 0.7)
    radius, temperature = fit_fermi_dirac(d, is_edge)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(d[:, None] / scale, is_edge)
    assert temperature == pytest.approx(-scale / model.coef_[0, 0], rel=1e-4)
    assert radius == pytest.approx(-scale * model.intercept_[0] / model.coef_[0, 0], rel=1e-4)


def test_fit_stays_within_its_bounds():
    d = np.linspace(0, 10, 200)
    _, steep = fit_fermi_dirac(d, d < 3)
    assert STEEPEST <= steep < 0.1
    _, flat = fit_fermi_dirac(d, d > 7)
    assert flat == pytest.approx(FLATTEST)


@pytest.mark.parametrize(
    ("curve", "message"), [((0.0, 0.0), "temperature must be positive"), ((np.nan, 1.0), "radius")]
)
def test_bad_curves_are_named(curve, message):
    with pytest.raises(ValueError, match=message):
        fermi_dirac(1.0, *curve)
