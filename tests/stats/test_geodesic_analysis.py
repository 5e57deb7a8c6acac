import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from holonomy.manifolds import Euclidean, Hyperboloid, Sphere
from holonomy.stats import PrincipalGeodesicAnalysis, TangentPCA


def test_in_flat_space_it_is_pca():
    X = np.random.default_rng(0).standard_normal((50, 3)) @ np.diag([4.0, 2.0, 1.0])
    ours, theirs = PrincipalGeodesicAnalysis(Euclidean(3), 2).fit(X), PCA(2).fit(X)
    assert np.allclose(ours.explained_variance_ratio_, theirs.explained_variance_ratio_, atol=1e-8)
    assert np.allclose(np.abs(ours.components_), np.abs(theirs.components_), atol=1e-5)


def test_points_of_a_geodesic_are_explained_by_one_component():
    angles = np.linspace(-1.2, 1.2, 31)
    X = np.column_stack([np.cos(angles), np.sin(angles), 0.0 * angles])
    model = PrincipalGeodesicAnalysis(Sphere(2)).fit(X)
    assert model.residual_variance_ == pytest.approx([0.0], abs=1e-15)
    assert np.allclose(np.sort(model.transform(X)[:, 0]), angles, atol=1e-8)
    assert np.allclose(model.inverse_transform(model.transform(X)), X, atol=1e-8)


@pytest.mark.parametrize("space", [Sphere(2), Hyperboloid(3)], ids=repr)
def test_no_direction_comes_closer(space):
    x = space.random_normal(40, std=0.8, random_state=3, dtype=torch.float64)
    model = PrincipalGeodesicAnalysis(space).fit(x)
    linear = TangentPCA(space, 1).fit(x)
    m = model.mean_

    def distance(direction):
        t = torch.linspace(-4.0, 4.0, 4001, dtype=torch.float64)
        line = space.exp(m, t[:, None] * direction)
        return float(space.dist(x.unsqueeze(1), line.unsqueeze(0)).amin(1).square().mean())

    best = distance(model.components_[0])
    assert best == pytest.approx(float(model.residual_variance_[0]), rel=1e-4)
    assert best <= distance(linear.components_[0]) + 1e-6
    frame = space.frame(m)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        c = torch.randn(space.dim, generator=generator, dtype=torch.float64)
        direction = ((c / c.norm())[:, None] * frame).sum(0)
        assert best <= distance(direction) + 1e-6


def test_components_are_orthonormal_and_lower_the_residual():
    space = Sphere(3)
    x = space.random_normal(30, std=0.5, random_state=0, dtype=torch.float64)
    model = PrincipalGeodesicAnalysis(space, 3).fit(x)
    gram = space.inner(model.mean_, model.components_.unsqueeze(0), model.components_.unsqueeze(1))
    assert torch.allclose(gram, torch.eye(3, dtype=torch.float64), atol=1e-9)
    assert (np.diff(model.residual_variance_) < 0).all()
    assert model.residual_variance_[-1] < 1e-12


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="n_components"):
        PrincipalGeodesicAnalysis(Sphere(2), 3).fit(np.eye(3))
    with pytest.raises(ValueError, match="Z must have"):
        PrincipalGeodesicAnalysis(Sphere(2)).fit(np.eye(3)).inverse_transform(np.zeros((2, 2)))
