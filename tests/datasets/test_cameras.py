import math

import numpy as np
import pytest

from holonomy.datasets import PinholeCamera


def test_points_are_seen_where_similar_triangles_say():
    camera = PinholeCamera(size=100, distance=5.0, field_of_view=60.0)
    assert camera.focal == pytest.approx(50.0 / math.tan(math.pi / 6))
    pixels, depth = camera.project(np.array([[1.0, 2.0, 1.0], [0.0, 0.0, -3.0]]))
    np.testing.assert_allclose(depth, [4.0, 8.0])
    np.testing.assert_allclose(pixels, [[50 + camera.focal / 4, 50 - camera.focal / 2], [50, 50]])


def test_a_pose_turns_the_points_and_the_border_is_at_half_the_field_of_view():
    camera = PinholeCamera(size=64, distance=2.0, field_of_view=90.0)
    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    pixels, _ = camera.project(np.array([2.0, 0.0, 0.0]), quarter)
    np.testing.assert_allclose(pixels, [32.0, 0.0], atol=1e-12)
    several, _ = camera.project(np.eye(3), np.stack([np.eye(3), quarter, quarter]))
    assert several.shape == (3, 2)


@pytest.mark.parametrize(
    ("options", "name"),
    [({"size": 0}, "size"), ({"distance": 0.0}, "distance"), ({"field_of_view": 180.0}, "field_of_view")],
)
def test_bad_input_is_named(options, name):
    with pytest.raises(ValueError, match=name):
        PinholeCamera(**options)
