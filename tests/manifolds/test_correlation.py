"""Correlation matrices: the suite for every metric, and what defines each of them."""

import pytest
import torch

from holonomy.manifolds.correlation import Correlation
from tests.manifolds.suite import ManifoldSuite

FLAT = ("euclidean_cholesky", "log_euclidean_cholesky", "off_log", "log_scaled")


class TestFlat(ManifoldSuite):
    spaces = tuple(Correlation(n, metric) for metric in FLAT for n in (2, 4))
    std = 0.3


class TestPolyHyperbolic(ManifoldSuite):
    spaces = (Correlation(2, "poly_hyperbolic"), Correlation(4, "poly_hyperbolic"))


@pytest.mark.parametrize("metric", ["off_log", "log_scaled"])
def test_permutation_invariance(metric):
    space = Correlation(5, metric)
    x, y = space.random_normal(2, std=0.4, random_state=0, dtype=torch.float64)
    order = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(space.dist(x[order][:, order], y[order][:, order]), space.dist(x, y))


def test_charts_land_where_they_should():
    x = Correlation(5).random_normal(7, std=0.5, random_state=0, dtype=torch.float64)
    scaled = Correlation(5, "log_scaled").metric.chart(x)
    torch.testing.assert_close(scaled.sum(-1), torch.zeros(7, 5, dtype=torch.float64), atol=1e-13, rtol=0)
    hollow = Correlation(5, "off_log").metric.chart(x)
    assert (hollow.diagonal(dim1=-2, dim2=-1) == 0).all()
    for name in (*FLAT, "poly_hyperbolic"):
        chart = Correlation(5, name).metric.chart
        torch.testing.assert_close(chart.inverse(chart(x)), x, rtol=1e-12, atol=1e-13)


def test_two_variables_in_closed_form():
    r = torch.tensor([-0.999, -0.3, 0.0, 0.5, 0.99999], dtype=torch.float64)
    x = torch.stack([torch.ones_like(r), r, r, torch.ones_like(r)], -1).unflatten(-1, (2, 2))
    eye = torch.eye(2, dtype=torch.float64)
    expected = {
        "euclidean_cholesky": r.abs() / (1 - r**2).sqrt(),
        "log_euclidean_cholesky": r.abs() / (1 - r**2).sqrt(),
        "poly_hyperbolic": torch.atanh(r).abs(),
        "off_log": 2**0.5 * torch.atanh(r).abs(),
        "log_scaled": torch.log((1 - r) / (1 + r)).abs(),
    }
    for name, distance in expected.items():
        torch.testing.assert_close(Correlation(2, name).dist(eye, x), distance, rtol=1e-10, atol=1e-14)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="n must be at least 2"):
        Correlation(1)
    with pytest.raises(ValueError, match="metric"):
        Correlation(3, "log")
    with pytest.raises(ValueError, match="off it"):
        Correlation(2).check_point(2.0 * torch.eye(2))
