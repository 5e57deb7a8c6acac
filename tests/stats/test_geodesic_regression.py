import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

from holonomy.manifolds import Euclidean, Hyperboloid, Sphere
from holonomy.stats import GeodesicRegression


def test_in_flat_space_it_is_least_squares():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((30, 2)), rng.standard_normal((30, 3))
    ours, theirs = GeodesicRegression(Euclidean(3)).fit(X, Y), LinearRegression().fit(X, Y)
    assert np.allclose(ours.coef_, theirs.coef_.T, atol=1e-8)
    assert np.allclose(ours.intercept_, theirs.intercept_, atol=1e-8)
    total = ((Y - Y.mean(0)) ** 2).sum()
    assert ours.r2_ == pytest.approx(1.0 - ((Y - theirs.predict(X)) ** 2).sum() / total)
    assert ours.score(X, Y) == pytest.approx(ours.r2_)


@pytest.mark.parametrize("space", [Sphere(3), Hyperboloid(2)], ids=repr)
def test_geodesics_are_found_exactly(space):
    p = space.random_normal(std=0.5, random_state=0, dtype=torch.float64)
    slopes = 0.4 * torch.stack([space.random_tangent(p, seed) for seed in (1, 2)])
    X = np.random.default_rng(0).uniform(-1.0, 1.0, (25, 2))
    v = torch.einsum("nj,j...->n...", torch.from_numpy(X), slopes)
    model = GeodesicRegression(space).fit(X, space.exp(p, v))
    assert model.converged_
    assert model.r2_ == pytest.approx(1.0, abs=1e-10)
    assert float(space.dist(model.intercept_, p)) < 1e-6
    assert torch.allclose(model.coef_, slopes, atol=1e-5)


def test_nothing_near_the_fit_is_better():
    space, rng = Sphere(2), np.random.default_rng(0)
    t = rng.uniform(-1.5, 1.5, (60, 1))
    line = torch.from_numpy(np.column_stack([np.cos(t[:, 0]), np.sin(t[:, 0]), 0.0 * t[:, 0]]))
    y = space.exp(line, 0.3 * space.random_tangent(line, 1))
    model = GeodesicRegression(space).fit(t, y)
    assert model.converged_
    assert model.residual_ < 1e-8

    def loss(p, slope):
        return float(space.squared_dist(space.exp(p, torch.from_numpy(t) * slope), y).mean())

    p, slope = model.intercept_, model.coef_[0]
    for seed in range(10):
        u, w = 1e-3 * space.random_tangent(p, seed), 1e-3 * space.random_tangent(p, seed + 100)
        q = space.exp(p, u)
        assert loss(q, space.transport(p, q, slope + w)) > loss(p, slope)


def test_dependence_is_told_from_independence():
    space = Sphere(2)
    y = space.random_normal(40, std=0.4, random_state=0, dtype=torch.float64)
    t = np.random.default_rng(1).standard_normal((40, 1))
    model = GeodesicRegression(space)
    independent = model.fit(t, y).test(199, random_state=0)
    assert independent.pvalue > 0.01
    assert independent == model.test(199, random_state=0)
    dependent = model.fit(y[:, 1:2].numpy(), y).test(199, random_state=0)
    assert dependent.pvalue == pytest.approx(1 / 200)
    assert dependent.calibration == "permutation"


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="same length"):
        GeodesicRegression(Sphere(2)).fit(np.zeros((2, 1)), np.eye(3))
    with pytest.raises(ValueError, match="more rows"):
        GeodesicRegression(Sphere(2)).fit(np.zeros((3, 2)), np.eye(3))
    with pytest.raises(ValueError, match="max_iter"):
        GeodesicRegression(Sphere(2), max_iter=0).fit(np.zeros((3, 1)), np.eye(3))
    model = GeodesicRegression(Euclidean(1)).fit(np.arange(5.0)[:, None], np.arange(5.0)[:, None])
    with pytest.raises(ValueError, match="1 columns"):
        model.predict(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="n_permutations"):
        model.test(1)
