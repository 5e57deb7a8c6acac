"""Wedges of spheres. (The pinched torus is tested with the other surfaces.)"""

import numpy as np
import pytest
from scipy import stats

from holonomy.datasets import make_wedge_of_spheres


def test_wedge_is_two_spheres_that_touch_at_the_origin():
    wedge = make_wedge_of_spheres(4000, dims=(1, 2), radius=2.0, random_state=0)
    circle, sphere = wedge.X[wedge.labels == 0], wedge.X[wedge.labels == 1]
    assert np.allclose(np.linalg.norm(circle - [-2, 0, 0], axis=1), 2.0)
    assert (circle[:, 2] == 0).all()
    assert np.allclose(np.linalg.norm(sphere - [2, 0, 0], axis=1), 2.0)
    assert stats.kstest(sphere[:, 0] / 4, "uniform").pvalue > 0.01
    assert stats.binomtest(len(circle), 4000, 0.5).pvalue > 0.01
    assert np.array_equal(wedge.local_dim, wedge.labels + 1)
    assert np.allclose(wedge.distance_to_singularity, np.linalg.norm(wedge.X, axis=1))


def test_more_spheres_have_their_own_coordinates():
    wedge = make_wedge_of_spheres(2000, dims=(3, 1, 2), weights=[2, 1, 1], random_state=0)
    assert wedge.X.shape == (2000, 4 + 3)
    assert wedge.intrinsic_dim == 3
    assert (wedge.X[wedge.labels < 2, 4:] == 0).all()
    assert (wedge.X[wedge.labels == 2, :4] == 0).all()
    assert np.array_equal(np.array([3, 1, 2])[wedge.labels], wedge.local_dim)
    assert stats.chisquare(np.bincount(wedge.labels), [1000, 500, 500]).pvalue > 0.01


def test_distances_between_spheres_pass_the_common_point():
    wedge = make_wedge_of_spheres(200, dims=(1, 2), radius=2.0, random_state=0)
    to_origin = 4.0 * np.arcsin(np.linalg.norm(wedge.X, axis=1) / 4.0)
    rows = np.arange(200)
    distances = wedge.geodesic_distances(rows[:, None], rows)
    different = wedge.labels[:, None] != wedge.labels
    assert np.allclose(distances[different], (to_origin[:, None] + to_origin)[different])
    chords = np.linalg.norm(wedge.X[:, None] - wedge.X, axis=-1)
    assert np.allclose(distances[~different], 4.0 * np.arcsin(np.minimum(1, chords / 4.0))[~different], atol=1e-7)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"dims": (2,)}, ValueError, "at least two spheres"),
        ({"dims": 2}, TypeError, "dims must be a sequence"),
        ({"dims": "12"}, TypeError, "dims must be a sequence"),
        ({"dims": (0, 1)}, ValueError, "dims must be at least 1"),
        ({"dims": (1.5, 2)}, TypeError, "dims must be an integer"),
        ({"radius": -1.0}, ValueError, "radius must be positive"),
        ({"weights": [1.0]}, ValueError, "one number for each of 2 pieces"),
        ({"weights": [1.0, np.nan]}, ValueError, "finite"),
    ],
)
def test_bad_parameters_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        make_wedge_of_spheres(10, **options)
