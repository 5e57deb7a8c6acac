import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from holonomy.datasets import PinholeCamera, make_rendered_poses, render_mesh, unit_mesh

WEDGE = (
    np.array([[0.0, 0, 0], [2, 0, 0], [0, 1, 0], [0, 0, 1.5]]),
    np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]),
)
PLATE = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]])


def test_poses_are_the_angles_and_stay_within_their_limits():
    data = make_rendered_poses([WEDGE], 500, yaw=90, pitch=20, roll=5, random_state=0)
    expected = Rotation.from_euler("YXZ", data.angles, degrees=True).as_matrix()
    np.testing.assert_allclose(data.R, expected, atol=1e-12)
    assert (np.abs(data.angles).max(0) <= [90, 20, 5]).all()
    assert (np.abs(data.angles).max(0) > [88, 19, 4.8]).all()


def test_the_picture_shows_the_pose():
    camera = PinholeCamera(size=48)
    data = make_rendered_poses([WEDGE], 4, camera=camera, background="black", light="fixed", random_state=0)
    assert data.images.shape == (4, 48, 48, 3)
    for image, R in zip(data.images, data.R, strict=True):
        own = render_mesh(unit_mesh(WEDGE[0]), WEDGE[1], R, camera=camera, colors=1.0)
        np.testing.assert_array_equal(image.any(-1), own.max(-1) > 1e-3)
        seen = image.astype(float)[own.min(-1) > 0.2] / own[own.min(-1) > 0.2]
        assert (seen.std(0) < 3.0).all()


def test_uniform_poses_are_uniform_and_poses_do_not_depend_on_looks():
    data = make_rendered_poses([PLATE], 2000, poses="uniform", random_state=0, camera=PinholeCamera(size=2))
    assert np.isnan(data.angles).all()
    trace = np.trace(data.R, axis1=1, axis2=2)
    assert abs(trace.mean()) < 5 / 2000**0.5
    plain = make_rendered_poses(
        [PLATE], 20, poses="uniform", random_state=0, camera=PinholeCamera(size=8), background="black", noise=0.1
    )
    assert plain.images.shape == (20, 8, 8, 3)
    one = make_rendered_poses([WEDGE], 30, random_state=3)
    other = make_rendered_poses([WEDGE], 30, random_state=3, background="black", light="fixed", noise=0.2)
    np.testing.assert_array_equal(one.R, other.R)


def test_a_seed_repeats_and_every_mesh_is_drawn():
    data = make_rendered_poses([WEDGE, PLATE], 300, random_state=1)
    again = make_rendered_poses([WEDGE, PLATE], 300, random_state=1)
    np.testing.assert_array_equal(data.images, again.images)
    assert set(data.mesh) == {0, 1}
    assert not np.array_equal(data.images, make_rendered_poses([WEDGE, PLATE], 300, random_state=2).images)


def test_backgrounds_fill_the_corners_and_noise_spreads():
    plain = make_rendered_poses([WEDGE], 100, random_state=0)
    assert plain.images[:, 0, 0].std() > 50
    noisy = make_rendered_poses([WEDGE], 100, random_state=0, noise=0.05)
    difference = noisy.images.astype(float) - plain.images
    assert difference.std() == pytest.approx(0.05 * 255, rel=0.1)


def test_bad_input_is_named():
    for options, name in (
        ({"meshes": []}, "meshes"),
        ({"n_samples": 0}, "n_samples"),
        ({"yaw": 200.0}, "yaw"),
        ({"pitch": -1.0}, "pitch"),
        ({"poses": "all"}, "poses"),
        ({"background": "white"}, "background"),
        ({"light": "sun"}, "light"),
        ({"noise": -1.0}, "noise"),
        ({"meshes": [(np.ones((3, 2)), [[0, 1, 2]])]}, "vertices"),
    ):
        with pytest.raises(ValueError, match=name):
            make_rendered_poses(**{"meshes": [WEDGE], "n_samples": 2, **options})
