"""Constant and dominating columns."""

import numpy as np

from holonomy.measure._columns import examine_columns


def examine(variances, n=200):
    X = np.random.default_rng(0).normal(size=(n, len(variances))) * np.sqrt(variances)
    return examine_columns(X, tuple("abcdefgh"[: len(variances)]))


def test_constant_columns_are_named():
    assert examine([1, 0, 2, 0]).constant == ("b", "d")
    assert examine([0, 0]).constant == ("a", "b")
    assert examine([0, 0]).largest_share == 0


def test_a_column_dominates_by_share_and_by_ratio():
    assert examine([1, 100, 1]).dominating == "b"
    assert examine([1, 1.2, 1]).dominating is None
    assert examine([1, 4, 1]).dominating is None
    assert examine([1, 100]).dominating is None
    assert examine([1, 100, 0]).dominating is None
