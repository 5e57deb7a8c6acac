import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from holonomy.manifolds import SPD, Euclidean, Sphere
from holonomy.stats import TangentPCA


def test_in_flat_space_it_is_pca():
    X = np.random.default_rng(0).standard_normal((50, 4)) @ np.diag([4.0, 3.0, 2.0, 1.0])
    ours, theirs = TangentPCA(Euclidean(4), 3).fit(X), PCA(3).fit(X)
    assert np.allclose(ours.explained_variance_, theirs.explained_variance_)
    assert np.allclose(ours.explained_variance_ratio_, theirs.explained_variance_ratio_)
    assert np.allclose(np.abs(ours.transform(X)), np.abs(theirs.transform(X)))
    assert np.allclose(ours.inverse_transform(ours.transform(X)), theirs.inverse_transform(theirs.transform(X)))
    assert list(ours.get_feature_names_out()) == ["tangentpca0", "tangentpca1", "tangentpca2"]


@pytest.mark.parametrize("space", [Sphere(3), SPD(3)], ids=repr)
def test_all_components_give_the_points_back(space):
    x = space.random_normal(30, std=0.3, random_state=0, dtype=torch.float64)
    model = TangentPCA(space).fit(x)
    assert isinstance(model.components_, torch.Tensor)
    gram = space.inner(model.mean_, model.components_.unsqueeze(0), model.components_.unsqueeze(1))
    assert torch.allclose(gram, torch.eye(len(gram), dtype=torch.float64), atol=1e-9)
    assert float(space.dist(model.inverse_transform(model.transform(x)), x).max()) < 1e-7
    assert model.explained_variance_ratio_.sum() == pytest.approx(1.0)
    assert model.residual_ < 1e-9


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="n_components must be at most"):
        TangentPCA(Sphere(2), 3).fit(np.eye(3))
    with pytest.raises(TypeError, match="manifold"):
        TangentPCA(None).fit(np.eye(3))
    with pytest.raises(ValueError, match="Z must have"):
        TangentPCA(Sphere(2), 1).fit(np.eye(3)).inverse_transform(np.zeros((2, 2)))
