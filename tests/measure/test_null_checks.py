"""Comparison with permuted columns."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_digits, make_swiss_roll
from sklearn.decomposition import PCA

from holonomy.measure import null_check
from holonomy.measure.null_checks import _permuted


class Rows(TransformerMixin, BaseEstimator):
    """The first two columns, and how many rows were seen."""

    seen = 0

    def fit_transform(self, X, y=None):
        Rows.seen = len(X)
        return X[:, :2]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("d", [3, 10, 40])
def test_independent_columns_have_no_structure(seed, d):
    rng = np.random.default_rng(seed)
    found = null_check(rng.normal(size=(300, d)) * rng.uniform(0.5, 3, d), PCA(2), random_state=seed)
    assert found.is_structure_missing
    assert "As much structure" in found.sentence


def test_clusters_in_one_column_are_in_the_column():
    rng = np.random.default_rng(0)
    X = np.c_[rng.normal(size=(400, 6)), 50 * rng.integers(0, 3, 400)]
    assert null_check(X, PCA(2)).is_structure_missing


@pytest.mark.parametrize(
    "X",
    [
        make_swiss_roll(500, random_state=0)[0],
        load_digits().data[:600],
        np.random.default_rng(0).normal(size=(400, 2)) @ np.random.default_rng(1).normal(size=(2, 10)),
    ],
)
def test_structure_is_seen(X):
    found = null_check(X, PCA(2, random_state=0), n_permutations=2)
    # PCA of a roll is a poor map, and of its permuted columns a poorer one.
    assert found.excess.value > 0
    if X.shape[1] > 3:
        assert not found.is_structure_missing
        assert "is in the data" in found.sentence


def test_permuting_keeps_every_column():
    X = np.random.default_rng(0).normal(size=(50, 4))
    permuted = _permuted(X, 3)
    np.testing.assert_array_equal(np.sort(permuted, axis=0), np.sort(X, axis=0))
    assert abs(np.corrcoef(permuted.T)[0, 1]) < 0.5
    assert not np.array_equal(np.argsort(permuted[:, 0]), np.argsort(permuted[:, 1]))


def test_large_data_are_sampled():
    X = np.random.default_rng(0).normal(size=(500, 3))
    assert null_check(X, Rows(), 2, subsample=100).n_points == 100
    assert Rows.seen == 100
    assert null_check(X[:200], Rows(), 2, subsample=None).n_points == 200


def test_the_same_seed_gives_the_same_and_the_data_stay():
    X = np.random.default_rng(0).normal(size=(100, 5))
    before = X.copy()
    one, other = null_check(X, PCA(2)), null_check(X, PCA(2))
    assert one.excess == other.excess
    np.testing.assert_array_equal(X, before)
    assert "of permuted data" in one._repr_html_()
    assert one.__rich__().row_count == 4


@pytest.mark.parametrize(
    ("X", "arguments", "message"),
    [
        (np.full((9, 2), np.nan), {}, "X contains NaN"),
        (np.eye(3), {}, "minimum of 4"),
        (np.arange(9.0)[:, None], {}, "at least 2 columns"),
        (np.eye(9), {"n_permutations": 1}, "n_permutations must be at least 2"),
    ],
)
def test_bad_input(X, arguments, message):
    with pytest.raises(ValueError, match=message):
        null_check(X, PCA(2), **arguments)
