import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score

from holonomy.stats import FlagKMeans, chordal_distance, flag_mean

DIMS = (1, 3)


def clusters(count=3, each=15, noise=0.15, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.linalg.qr(rng.standard_normal((count, 8, 3)))[0]
    flags = np.linalg.qr(truth.repeat(each, 0) + noise * rng.standard_normal((count * each, 8, 3)))[0]
    return flags, np.arange(count).repeat(each)


@pytest.mark.parametrize("center", ["mean", "median"])
def test_separate_clusters_are_found(center):
    flags, labels = clusters()
    model = FlagKMeans(3, DIMS, center=center, n_init=3).fit(flags)
    assert adjusted_rand_score(labels, model.labels_) == 1.0
    distances = model.transform(flags)
    power = 2 if center == "mean" else 1
    assert model.inertia_ == pytest.approx((distances.min(axis=1) ** power).sum())
    assert np.array_equal(model.predict(flags), model.labels_)


def test_centers_are_the_means_of_their_flags():
    flags, _ = clusters(noise=0.6)
    model = FlagKMeans(3, DIMS, n_init=2).fit(flags)
    for label, center in enumerate(model.cluster_centers_):
        mean = flag_mean(flags[model.labels_ == label], DIMS, n_starts=1).point
        assert float(chordal_distance(mean, center, DIMS)) < 1e-6


def test_nesting_tells_clusters_apart_that_have_the_same_largest_subspace():
    rng = np.random.default_rng(0)
    frames = np.stack([np.eye(6)[:, [0, 1, 2]], np.eye(6)[:, [2, 0, 1]]]).repeat(12, 0)
    flags = np.linalg.qr(frames + 0.1 * rng.standard_normal(frames.shape))[0]
    labels = np.arange(2).repeat(12)
    assert adjusted_rand_score(labels, FlagKMeans(2, DIMS).fit_predict(flags)) == 1.0


def test_one_cluster_for_each_flag_leaves_nothing_over():
    flags, _ = clusters(1, 5, noise=1.0)
    model = FlagKMeans(5, DIMS).fit(flags)
    assert sorted(model.labels_) == [0, 1, 2, 3, 4]
    assert model.inertia_ == pytest.approx(0.0, abs=1e-12)


def test_equal_flags_fill_all_clusters():
    model = FlagKMeans(2, (2,)).fit(np.eye(4)[None, :, :2].repeat(5, 0))
    assert set(model.labels_) == {0, 1}


def test_the_estimator_clones_pickles_and_repeats():
    import pickle

    flags, _ = clusters()
    model = FlagKMeans(3, DIMS, random_state=7, n_init=2)
    one, two = clone(model).fit(flags), clone(model).fit(torch.from_numpy(flags))
    assert np.array_equal(one.cluster_centers_, two.cluster_centers_)
    restored = pickle.loads(pickle.dumps(one))  # noqa: S301 - made here
    assert np.array_equal(restored.predict(flags), one.labels_)


def test_rounds_that_do_not_suffice_warn():
    from sklearn.exceptions import ConvergenceWarning

    with pytest.warns(ConvergenceWarning, match="still change after 1 rounds"):
        FlagKMeans(3, DIMS, max_iter=1, n_init=1).fit(clusters(noise=1.0)[0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_clusters": 0}, "n_clusters must be in"),
        ({"n_clusters": 99}, "n_clusters must be in"),
        ({"center": "mode"}, "center must be one of"),
        ({"n_init": 0}, "n_init must be at least 1"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
        ({"tol": -1.0}, "tol must be at least 0"),
        ({"dims": (3, 1)}, "increasing"),
        ({"dims": (1, 2)}, "must have 2 columns"),
    ],
)
def test_bad_options_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        FlagKMeans(**({"n_clusters": 2, "dims": DIMS} | options)).fit(clusters()[0])


def test_bad_flags_are_named():
    flags, _ = clusters()
    with pytest.raises(ValueError, match="orthonormalise=True"):
        FlagKMeans(2, DIMS).fit(2.0 * flags)
    assert FlagKMeans(2, DIMS, orthonormalise=True).fit(2.0 * flags).labels_.shape == (45,)
    with pytest.raises(ValueError, match="X must have shape"):
        FlagKMeans(2, DIMS).fit(flags[0])
    with pytest.raises(NotFittedError):
        FlagKMeans(2, DIMS).predict(flags)
    with pytest.raises(ValueError, match="as those of fit"):
        FlagKMeans(2, DIMS).fit(flags).predict(np.eye(5)[None, :, :3])
