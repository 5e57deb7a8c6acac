"""Stability of maps over runs."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA

from holonomy.measure import map_stability, rerun_map


class Jitter(TransformerMixin, BaseEstimator):
    """The first two columns with noise, and rows after ``loose`` anywhere."""

    def __init__(self, noise=0.0, loose=None, random_state=None):
        self.noise = noise
        self.loose = loose
        self.random_state = random_state

    def fit_transform(self, X, y=None):
        rng = np.random.default_rng(self.random_state)
        Z = X[:, :2] + self.noise * rng.normal(size=(len(X), 2))
        if self.loose is not None:
            Z[self.loose :] = rng.normal(size=(len(X) - self.loose, 2))
        return Z


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).normal(size=(300, 4))


def test_the_spread_is_the_noise_over_the_extent(X):
    found = map_stability(rerun_map(Jitter(0.1), X, 8))
    assert found.spread.mean() == pytest.approx(0.1, rel=0.1)
    assert found.maps.shape == (8, 300, 2)
    assert not found.is_unstable
    assert 0.4 < found.kept.value < 0.95
    assert "keeps its arrangement" in found.sentences[0]


def test_points_that_wander_are_told(X):
    found = map_stability(rerun_map(Jitter(0.02, 250), X, 6))
    assert np.median(found.spread[250:]) > 5 * np.median(found.spread[:250])
    assert np.nanmean(found.neighbors_kept[:250]) > 3 * np.nanmean(found.neighbors_kept[250:])
    assert found.wandering == pytest.approx(50 / 300, abs=0.03)
    assert map_stability(rerun_map(Jitter(0.02, 50), X, 6)).is_unstable


def test_random_maps_are_at_chance(X):
    rng = np.random.default_rng(0)
    found = map_stability([rng.normal(size=(300, 2)) for _ in range(5)])
    assert found.is_unstable
    assert found.kept.value == pytest.approx(10 / 299, abs=0.02)
    assert found.spread.mean() == pytest.approx(1, abs=0.15)
    assert "means nothing" in found.sentences[0]


def test_moved_clusters_keep_their_neighbours():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(6), 50)
    inside = rng.normal(size=(300, 2))
    found = map_stability([inside + 100 * rng.normal(size=(6, 2))[labels] for _ in range(5)])
    assert found.is_unstable
    assert found.kept.value > 0.95


def test_the_interval_holds_other_runs(X):
    found = map_stability(rerun_map(Jitter(0.2), X, 6))
    others = [map_stability(rerun_map(Jitter(0.2), X, 2, random_state=seed)).kept.value for seed in range(1, 11)]
    assert found.kept.low - 0.02 <= np.mean(others) <= found.kept.high + 0.02
    assert 0 < found.kept.high - found.kept.low < 0.2


@pytest.mark.parametrize(("resample", "share"), [(0.7, 0.7), ("bootstrap", 0.632), (None, 1.0)])
def test_resamples(X, resample, share):
    maps = rerun_map(PCA(2), X * [9, 5, 1, 1], 4, resample=resample)
    there = np.mean([np.isfinite(Z).all(axis=1) for Z in maps])
    assert there == pytest.approx(share, abs=0.04)
    found = map_stability(maps)
    assert np.nanmedian(found.spread) < 0.1
    assert not found.is_unstable


def test_equal_seeds_give_equal_maps(X):
    one, other = rerun_map(Jitter(0.1), X, 2), rerun_map(Jitter(0.1), X, 2)
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one[0], one[1])
    estimator = Jitter(0.1, random_state=7)
    rerun_map(estimator, X, 2)
    assert estimator.random_state == 7


def test_it_shows_itself(X):
    found = map_stability(rerun_map(Jitter(0.1), X, 2))
    assert "neighbours kept" in found._repr_html_()
    assert found.__rich__().row_count == 4


def test_bad_input(X):
    with pytest.raises(ValueError, match="at least two maps"):
        map_stability([X])
    with pytest.raises(ValueError, match="n_runs must be at least 2"):
        rerun_map(PCA(2), X, 1)
    with pytest.raises(ValueError, match="resample must lie between 0 and 1"):
        rerun_map(PCA(2), X, 2, resample=1.0)
    with pytest.raises(TypeError, match="resample must be a number"):
        rerun_map(PCA(2), X, 2, resample="half")
    with pytest.raises(ValueError, match="too few for 10 neighbours"):
        map_stability([X[:8], X[:8]])
