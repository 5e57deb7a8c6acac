import numpy as np
import pytest
import torch
from scipy.stats import f as fisher

from holonomy.manifolds import SPD, Euclidean, Hyperboloid, Sphere
from holonomy.stats import center_confidence, frechet_mean, variance_confidence


def test_in_flat_space_the_region_is_hotellings():
    X = np.random.default_rng(0).standard_normal((40, 3)) @ np.diag([1.0, 2.0, 3.0])
    region = center_confidence(X, Euclidean(3))
    assert np.allclose(region.covariance, np.cov(X.T))
    mu = np.array([0.1, 0.2, -0.1])
    d = X.mean(0) - mu
    assert region.statistic(mu) == pytest.approx(40 * d @ np.linalg.solve(np.cov(X.T), d))
    assert region.critical == pytest.approx(3 * 39 / 37 * fisher.ppf(0.95, 3, 37))
    low, high = region.radii
    assert low < high
    assert "F" in region._repr_html_()
    assert region.__rich__().row_count == 3


@pytest.mark.parametrize("kind", ["mean", "median"])
@pytest.mark.parametrize("space", [Sphere(2), Hyperboloid(2), SPD(2)], ids=repr)
def test_regions_cover_the_truth(space, kind):
    center = space.origin(dtype=torch.float64)
    inside, samples = 0, 40 if isinstance(space, SPD) else 100
    for seed in range(samples):
        x = space.random_normal(60, std=0.5, random_state=seed, dtype=torch.float64)
        inside += center_confidence(x, space, kind=kind).contains(center)
    assert (0.88 if samples == 100 else 0.85) <= inside / samples
    # Never to miss the truth is likely in few samples only.
    assert samples < 100 or inside < samples


def test_curvature_enters_through_the_hessian():
    space = Sphere(2)
    x = space.random_normal(4000, std=0.6, random_state=0, dtype=torch.float64)
    V = center_confidence(x, space).covariance
    centers = space.random_normal(300, 200, std=0.6, random_state=1, dtype=torch.float64)
    logs = space.log(space.origin(dtype=torch.float64), frechet_mean(centers, space).point)
    assert np.trace(V) == pytest.approx(200 * float(logs.square().sum(-1).mean()), rel=0.15)


def test_the_bootstrap_is_reproducible_and_close_to_the_limit():
    x = SPD(2).random_normal(150, std=0.4, random_state=0, dtype=torch.float64)
    for kind in ("mean", "median"):
        first = center_confidence(x, SPD(2), kind=kind, method="bootstrap", n_resamples=99, random_state=0)
        again = center_confidence(x, SPD(2), kind=kind, method="bootstrap", n_resamples=99, random_state=0)
        assert first.critical == again.critical
        assert first.critical == pytest.approx(center_confidence(x, SPD(2), kind=kind).critical, rel=0.4)


@pytest.mark.parametrize("method", ["asymptotic", "bootstrap"])
def test_intervals_of_the_variance_cover_it(method):
    space, inside = Euclidean(2), 0
    for seed in range(60):
        X = np.random.default_rng(seed).standard_normal((200, 2))
        found = variance_confidence(X, space, method=method, n_resamples=99, random_state=0)
        inside += found.low <= 2.0 <= found.high
    assert inside >= 52


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "mode"}, "kind"),
        ({"method": "exact"}, "method"),
        ({"level": 1.0}, "level"),
        ({"n_resamples": 1}, "n_r"),
    ],
)
def test_bad_options_are_refused(options, message):
    X = np.random.default_rng(0).standard_normal((20, 2))
    with pytest.raises(ValueError, match=message):
        center_confidence(X, Euclidean(2), **options)


def test_bad_samples_are_refused():
    with pytest.raises(ValueError, match="at least 4"):
        center_confidence(np.zeros((3, 2)), Euclidean(2))
    with pytest.raises(ValueError, match="does not vary"):
        center_confidence(np.column_stack([np.arange(9.0), np.zeros(9)]), Euclidean(2))
    with pytest.raises(ValueError, match="one sample"):
        center_confidence(np.zeros((2, 9, 2)), Euclidean(2))
    with pytest.raises(ValueError, match="one sample"):
        variance_confidence(np.zeros((2, 9, 2)), Euclidean(2))
    with pytest.raises(ValueError, match="one dimension"):
        center_confidence(np.array([[-2.0], [-1.0], [0.0], [1.0], [3.0]]), Euclidean(1), kind="median")
