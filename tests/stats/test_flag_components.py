import numpy as np
import pytest
from rich.console import Console
from sklearn.decomposition import PCA

from holonomy.stats import chordal_distance, flag_pca

SPREADS = np.array([9.0, 5.0, 2.5, 0.2, 0.2, 0.2, 0.2, 0.2])


def rows(n=300, outliers=0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 8)) * SPREADS + 3.0
    X[:outliers] = 60.0 * rng.standard_normal((outliers, 8))
    return X


def error(components, dims):
    return float(chordal_distance(components, np.eye(8)[:, : dims[-1]], dims))


def test_without_outliers_the_flag_is_that_of_principal_axes():
    X = rows()
    found = flag_pca(X, (1, 3), robust=False, block_size=150)
    axes = PCA(3).fit(X).components_.T
    assert float(chordal_distance(found.components, axes, (1, 3))) < 0.05
    np.testing.assert_allclose(found.center, X.mean(axis=0))
    assert np.all(np.diff(found.spread[1:]) <= 0)
    assert found.spread[0] == pytest.approx(9.0, rel=0.2)


def test_with_the_whole_sample_as_the_block_it_is_principal_component_analysis():
    X = rows()
    found = flag_pca(X, (2,), robust=False, block_size=300, n_blocks=1)
    axes = PCA(2).fit(X).components_.T
    assert float(chordal_distance(found.components, axes, (2,))) < 1e-7
    np.testing.assert_allclose(np.abs(found.components.T @ axes), np.eye(2), atol=1e-6)


def test_outliers_turn_principal_axes_but_not_the_robust_flag():
    X = rows(outliers=30)
    dims = (1, 3)
    assert error(flag_pca(X, dims).components, dims) < 0.3
    assert error(PCA(3).fit(X).components_.T, dims) > 0.9


def test_coordinates_are_along_the_components():
    X = rows()
    found = flag_pca(X, (1, 2))
    np.testing.assert_allclose(found.transform(X[:5]), (X[:5] - found.center) @ found.components)
    np.testing.assert_allclose(found.components.T @ found.components, np.eye(2), atol=1e-9)


def test_the_same_seed_gives_the_same_bits_and_rows_stay():
    X = rows(60)
    before = X.copy()
    one, two = (flag_pca(X, (1, 2), n_blocks=20, random_state=4) for _ in range(2))
    assert np.array_equal(one.components, two.components)
    assert np.array_equal(X, before)


@pytest.mark.parametrize("robust", [True, False])
def test_the_result_prints(robust):
    found = flag_pca(rows(60), (1, 2), n_blocks=20, robust=robust)
    console = Console(width=100, record=True)
    console.print(found)
    assert ("by a median" if robust else "by a mean") in console.export_text()
    assert "<table" in found._repr_html_()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"X": np.full((5, 4), np.nan)}, "NaN"),
        ({"dims": ()}, "dims must name"),
        ({"dims": (1, 8)}, "dims must be in"),
        ({"dims": (2, 1)}, "increasing"),
        ({"block_size": 1}, "block_size must be in"),
        ({"block_size": 1000}, "block_size must be in"),
        ({"n_blocks": 0}, "n_blocks must be at least 1"),
    ],
)
def test_bad_arguments_are_named(change, words):
    with pytest.raises(ValueError, match=words):
        flag_pca(**({"X": rows(40), "dims": (1, 2)} | change))
