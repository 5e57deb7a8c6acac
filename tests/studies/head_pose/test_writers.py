import numpy as np
import pytest
from scipy.io import loadmat

from holonomy.studies.head_pose import pose_from_angles, save_300w_lp, save_biwi


def test_mat_files_hold_what_the_format_says(tmp_path):
    save_300w_lp(tmp_path, np.full((1, 20, 30, 3), 7, np.uint8), pose_from_angles([[10.0, 20.0, 30.0]]))
    content = loadmat(tmp_path / "image00000.mat")
    np.testing.assert_allclose(np.degrees(content["Pose_Para"][0, :3]), [20.0, 10.0, 30.0])
    assert content["Pose_Para"].shape == (1, 7)
    assert content["pt2d"].shape == (2, 68)
    assert (content["pt2d"] > 0).all()
    assert (content["pt2d"] < [[30], [20]]).all()


@pytest.mark.parametrize("save", [save_300w_lp, save_biwi])
def test_bad_input_is_named(save, tmp_path):
    with pytest.raises(ValueError, match="images must be uint8"):
        save(tmp_path, np.zeros((1, 8, 8, 3)), np.eye(3)[None])
    with pytest.raises(ValueError, match="R must have shape"):
        save(tmp_path, np.zeros((2, 8, 8, 3), np.uint8), np.eye(3)[None])
    with pytest.raises(ValueError, match="rotations"):
        save(tmp_path, np.zeros((1, 8, 8, 3), np.uint8), 2 * np.eye(3)[None])
