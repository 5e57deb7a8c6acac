import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans

from holonomy.manifolds import SPD, Euclidean, Sphere
from holonomy.stats import ManifoldKMeans


@pytest.mark.parametrize("space", [Sphere(2), SPD(2)], ids=repr)
def test_separate_groups_are_found(space):
    centers = space.random_normal(3, std=1.0, random_state=4, dtype=torch.float64)
    x = space.random_normal(20, mean=centers, std=0.05, random_state=1)
    truth = np.tile(np.arange(3), 20)
    model = ManifoldKMeans(space, 3, random_state=0).fit(x.reshape(60, *space.shape))
    assert all(len(np.unique(model.labels_[truth == c])) == 1 for c in range(3))
    assert len(np.unique(model.labels_)) == 3
    assert (model.predict(x.reshape(60, *space.shape)) == model.labels_).all()
    distances = model.transform(x.reshape(60, *space.shape))
    assert model.inertia_ == pytest.approx((distances.min(1) ** 2).sum())


def test_in_flat_space_the_inertia_is_scikit_learns():
    X = np.random.default_rng(0).standard_normal((80, 2)) + 6.0 * np.random.default_rng(1).integers(0, 3, (80, 1))
    ours = ManifoldKMeans(Euclidean(2), 3, random_state=0).fit(X)
    assert ours.inertia_ == pytest.approx(KMeans(3, n_init=10, random_state=0).fit(X).inertia_, rel=1e-6)
    again = ManifoldKMeans(Euclidean(2), 3, random_state=0).fit(X)
    assert np.array_equal(ours.cluster_centers_, again.cluster_centers_)


def test_points_that_coincide_fill_all_clusters():
    model = ManifoldKMeans(Euclidean(1), 2, random_state=0).fit(np.zeros((4, 1)))
    assert model.inertia_ == 0.0
    assert np.isfinite(model.cluster_centers_).all()


def test_bad_input_is_refused():
    for options, message in (({"n_clusters": 5}, "n_clusters"), ({"n_init": 0}, "n_init"), ({"max_iter": 0}, "max_i")):
        with pytest.raises(ValueError, match=message):
            ManifoldKMeans(Sphere(2), **{"n_clusters": 2} | options).fit(np.eye(3))
