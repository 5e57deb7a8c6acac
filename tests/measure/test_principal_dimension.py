"""Dimension by local principal components."""

import numpy as np
import pytest
from skdim.id import lPCA

from holonomy.graphs import neighbors
from holonomy.measure import local_pca_dimension


def normal(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def sphere(n, d):
    X = normal(n, d + 1)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("criterion", "version", "options"),
    [
        ("largest_share", "FO", {"alphaFO": 0.05}),
        ("participation", "participation_ratio", {}),
        ("gap", "maxgap", {}),
    ],
)
def test_equals_scikit_dimension_on_each_neighbourhood(criterion, version, options):
    X = sphere(150, 2) @ normal(3, 6) + 0.01 * normal(150, 6, 2)
    graph = neighbors(X, 20)
    found = local_pca_dimension(X, graph=graph, criterion=criterion).per_point
    for row in range(0, 150, 10):
        around = np.r_[X[[row]], X[graph.indices[row]]]
        assert found[row] == pytest.approx(lPCA(ver=version, **options).fit(around).dimension_, rel=1e-6)


@pytest.mark.parametrize("criterion", ["largest_share", "gap", "explained"])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_flat_spaces(criterion, d):
    X = normal(1200, d) @ np.linalg.qr(normal(12, 12))[0][:d]
    found = local_pca_dimension(X, 60, criterion=criterion)
    assert found.value == pytest.approx(d, abs=0.01)
    assert found.low <= found.value <= found.high


def test_participation_is_a_real_number():
    X = normal(2000, 2) * [1, 1]
    assert local_pca_dimension(X, 100, criterion="participation").value == pytest.approx(2, abs=0.1)


def test_mixed_dimensions_are_told_per_point():
    line, sheet = np.outer(normal(300, 1)[:, 0], [0, 0, 1.0]), np.random.default_rng(1).random((300, 2)) @ np.eye(2, 3)
    found = local_pca_dimension(np.r_[line + 9.0, sheet], 15).per_point
    assert np.median(found[:300]) == 1
    assert np.median(found[300:]) == 2


def test_turning_and_scaling_change_nothing():
    X = sphere(300, 2)
    turned = 100 * X @ np.linalg.qr(normal(3, 3))[0]
    np.testing.assert_array_equal(local_pca_dimension(X).per_point, local_pca_dimension(turned).per_point)


def test_repeated_rows_have_no_direction():
    X = np.r_[np.zeros((40, 3)), normal(40, 3) + 20]
    found = local_pca_dimension(X, 10)
    assert np.isnan(found.per_point[:40]).all()
    assert np.isfinite(found.value)


@pytest.mark.parametrize(
    ("X", "arguments", "message"),
    [
        (np.full((5, 2), np.nan), {}, "X contains NaN"),
        (np.eye(3), {}, "minimum of 4"),
        (np.ones((30, 2)), {}, "coincide"),
        (normal(30, 2), {"criterion": "elbow"}, "criterion must be one of"),
        (normal(30, 2), {"threshold": 1.0}, "between 0 and 1"),
        (normal(30, 2), {"n_neighbors": 30}, "needs at least 31 rows"),
        (normal(30, 2), {"graph": neighbors(normal(20, 2), 5)}, "same points, got 30 and 20"),
    ],
)
def test_bad_input(X, arguments, message):
    with pytest.raises(ValueError, match=message):
        local_pca_dimension(X, **arguments)
