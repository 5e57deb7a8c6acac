"""Products of sets."""

from functools import partial

import numpy as np
import pytest
from scipy import stats
from sklearn.utils import Bunch

from holonomy.datasets import (
    make_balanced_tree,
    make_crossing_lines,
    make_gaussian_mixture,
    make_helix,
    make_product,
    make_sphere,
    make_torus,
    make_wedge_of_spheres,
)

CIRCLE = partial(make_sphere, dim=1)


def test_product_of_finished_sets_pairs_them_row_by_row():
    sphere, helix = make_sphere(50, random_state=0), make_helix(50, random_state=1)
    product = make_product(50, factors=[sphere, helix])
    assert np.array_equal(product.X, np.hstack([sphere.X, helix.X]))
    assert np.array_equal(product.latent, np.hstack([sphere.latent, helix.latent]))
    assert product.intrinsic_dim == 3
    i, j = np.arange(50), np.arange(50)[:, None]
    expected = np.hypot(sphere.geodesic_distances(i, j), helix.geodesic_distances(i, j))
    assert np.allclose(product.geodesic_distances(i, j), expected, rtol=1e-14)


def test_circles_make_a_flat_torus_with_independent_angles():
    torus = make_product(3000, factors=[CIRCLE, CIRCLE], random_state=0)
    counts = np.histogram2d(*torus.latent.T, bins=6, range=[[0, 2 * np.pi]] * 2)[0]
    assert stats.chisquare(counts.ravel()).pvalue > 0.01


def test_dimensions_and_labels_combine():
    product = make_product(500, factors=[make_wedge_of_spheres, CIRCLE, make_crossing_lines], random_state=0)
    assert product.intrinsic_dim == 4
    assert set(product.local_dim.tolist()) == {3, 4}
    assert product.X.shape == (500, 3 + 2 + 2)
    wedge, circle, lines = product.factor_labels.T
    assert (circle == 0).all()
    assert np.array_equal(product.labels, 2 * wedge + lines)
    assert np.array_equal(product.local_dim, wedge + 3)


def test_product_without_a_closed_form_has_no_distances():
    assert make_product(20, factors=[make_torus, CIRCLE], random_state=0).geodesic_distances is None


def test_noise_of_factors_is_kept_and_turned():
    factors = [partial(CIRCLE, noise=0.1), make_helix]
    own, turned = (make_product(400, factors=factors, ambient_dim=dim, random_state=0) for dim in (None, 9))
    noise = own.X - own.X_clean
    assert noise[:, :2].std() == pytest.approx(0.1, rel=0.1)
    assert (noise[:, 2:] == 0).all()
    assert np.allclose(turned.X @ turned.frame, own.X, atol=1e-12)


def test_numeric_density_falls_along_the_mean_height():
    product = make_product(3000, factors=[make_helix, make_helix], density=np.exp(4.0), random_state=0)
    length = 2 * np.pi * 3 * np.hypot(1, 1 / (2 * np.pi))
    for column in product.latent.T:
        assert stats.kstest(column / length, lambda h: np.expm1(-2 * h) / np.expm1(-2)).pvalue > 0.01


def test_callable_density_sees_all_coordinates():
    product = make_product(
        1000, factors=[CIRCLE, CIRCLE], density=lambda z: np.abs(z[:, 0] - z[:, 1]) < 0.1, random_state=0
    )
    assert product.X.shape == (1000, 4)
    assert (np.abs(product.latent[:, 0] - product.latent[:, 1]) < 0.1).all()
    assert stats.kstest(product.latent[:, 0], stats.uniform(0, 2 * np.pi).cdf).pvalue > 0.01
    rows = np.arange(30)
    flat = np.abs(product.latent[:30, None] - product.latent[:30])
    expected = np.linalg.norm(np.minimum(flat, 2 * np.pi - flat), axis=-1)
    assert np.allclose(product.geodesic_distances(rows[:, None], rows), expected, atol=1e-12)


def test_trees_and_mixtures_are_factors_too():
    factors = [partial(make_balanced_tree, depth=5), partial(make_gaussian_mixture, space="hyperboloid")]
    product = make_product(40, factors=factors, random_state=0)
    assert product.intrinsic_dim == 3
    assert product.geodesic_distances(0, 1) > 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"factors": [CIRCLE]}, ValueError, "factors must be a sequence of two"),
        ({"factors": CIRCLE}, ValueError, "factors must be a sequence of two"),
        ({"factors": [CIRCLE, "sphere"]}, TypeError, r"factors\[1\] must be a maker or a Bunch, got str"),
        ({"factors": [CIRCLE, make_helix(7)]}, ValueError, r"factors\[1\] has 7 points, and n_samples is 10"),
        ({"factors": [Bunch(X=np.ones((10, 2))), CIRCLE]}, ValueError, r"factors\[0\] lacks the ground truth X_clean"),
        ({"factors": [make_helix(10), CIRCLE], "density": 2.0}, ValueError, "density needs makers"),
        ({"factors": [lambda n_samples, random_state: 3, CIRCLE]}, TypeError, r"factors\[0\] must be a maker, which"),
    ],
)
def test_bad_factors_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        make_product(10, **options)
