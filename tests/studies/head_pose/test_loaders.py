"""Files in the published formats: what was written is read, faces are cropped, and damaged files are named."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from holonomy.datasets import PinholeCamera, make_rendered_poses
from holonomy.studies.head_pose import (
    angles_from_pose,
    load_300w_lp,
    load_aflw2000,
    load_biwi,
    pose_from_angles,
    save_300w_lp,
    save_biwi,
)
from holonomy.studies.head_pose.loaders import _face_box, _head_box

WEDGE = (
    np.array([[0.0, 0, 0], [2, 0, 0], [0, 1, 0], [0, 0, 1.5]]),
    np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]),
)


@pytest.fixture(scope="module")
def three():
    return make_rendered_poses([WEDGE], 3, camera=PinholeCamera(size=64), yaw=60, pitch=20, roll=20, random_state=0)


@pytest.mark.parametrize("load", [load_300w_lp, load_aflw2000])
def test_three_rendered_images_come_back_from_mat_files(three, load, tmp_path):
    save_300w_lp(tmp_path / "AFW", three.images, three.R)
    savemat(tmp_path / "AFW" / "image_landmarks.mat", {"pts_2d": np.zeros((68, 2))})
    data = load(tmp_path, size=64)
    assert len(data) == 3
    assert data.n_left_out == 0
    assert data.names == ("AFW/image00000", "AFW/image00001", "AFW/image00002")
    np.testing.assert_allclose(data.R, three.R, atol=1e-12)
    np.testing.assert_allclose(data.angles, angles_from_pose(three.R), atol=1e-9)
    image, R = data[1]
    assert image.shape == (3, 64, 64)
    np.testing.assert_allclose(R.numpy(), three.R[1], atol=1e-6)
    images, poses = data.arrays()
    assert images.shape == (3, 64, 64, 3)
    np.testing.assert_array_equal(poses, data.R)


def test_three_rendered_images_come_back_from_biwi_files(three, tmp_path):
    save_biwi(tmp_path, three.images, three.R)
    data = load_biwi(tmp_path, size=56)
    np.testing.assert_allclose(data.R, three.R, atol=1e-12)
    # All of the image is taken, and 7/8 of it in the middle are kept.
    np.testing.assert_array_equal(data.arrays()[0], three.images[:, 4:60, 4:60])


def test_the_biwi_matrix_gives_the_published_angles(tmp_path):
    angles = np.array([[25.0, -10.0, 5.0]])
    save_biwi(tmp_path, np.zeros((1, 8, 8, 3), np.uint8), pose_from_angles(angles))
    matrix = np.loadtxt(tmp_path / "01" / "frame_00000_pose.txt")[:3]
    R = matrix.T
    roll = -np.degrees(np.arctan2(R[1, 0], R[0, 0]))
    yaw = -np.degrees(np.arctan2(-R[2, 0], np.hypot(R[2, 1], R[2, 2])))
    pitch = np.degrees(np.arctan2(R[2, 1], R[2, 2]))
    np.testing.assert_allclose([[yaw, pitch, roll]], angles, atol=1e-9)
    np.testing.assert_allclose(load_biwi(tmp_path).angles, angles, atol=1e-9)


def test_npz_files_and_people_for_testing(tmp_path):
    rng = np.random.default_rng(0)
    images, angles = rng.integers(0, 255, (4, 16, 16, 3), dtype=np.uint8), rng.uniform(-50, 50, (4, 3))
    np.savez(tmp_path / "biwi.npz", image=images, pose=angles)
    data = load_biwi(tmp_path / "biwi.npz", size=14)
    np.testing.assert_allclose(data.angles, angles)
    np.testing.assert_allclose(data.R, pose_from_angles(angles))
    np.testing.assert_array_equal(data.arrays()[0], images[:, 1:15, 1:15])

    for person in range(10):
        save_biwi(tmp_path / "raw", images[:1], pose_from_angles(angles[:1]))
        (tmp_path / "raw" / "01").rename(tmp_path / "raw" / f"p{person}")
    train, test = (load_biwi(tmp_path / "raw", split=split) for split in ("train", "test"))
    assert (len(train), len(test)) == (7, 3)
    assert not set(train.names) & set(test.names)
    with pytest.raises(ValueError, match="split needs the folders"):
        load_biwi(tmp_path / "biwi.npz", split="test")
    with pytest.raises(ValueError, match="split must be one of"):
        load_biwi(tmp_path / "raw", split="validation")


def test_faces_are_cropped_as_published():
    landmarks = np.array([[100.0, 200.0, 150.0], [50.0, 60.0, 150.0]])
    # Left and top grow first; right and bottom by shares of the grown box.
    assert _face_box(landmarks, 2.0, 0.0) == (60, 10, 256, 166)
    assert _face_box(landmarks, 0.6, 1.0) == (76, -30, 229, 193)


def test_heads_of_known_distance_are_cropped_to_their_size(tmp_path):
    calibration = np.concatenate([[500, 0, 320, 0, 500, 240, 0, 0, 1], np.zeros(4), np.eye(3).ravel(), [-20.0, 0, 0]])
    assert _head_box(calibration, np.array([20.0, 100.0, 1000.0]), 0.0) == (255, 225, 385, 355)
    image = np.zeros((1, 480, 640, 3), np.uint8)
    image[0, 225:355, 255:385] = 200
    save_biwi(tmp_path, image, np.eye(3)[None])
    person = tmp_path / "01"
    lines = (person / "frame_00000_pose.txt").read_text().replace("0 0 1000", "20 100 1000")
    (person / "frame_00000_pose.txt").write_text(lines)
    (person / "rgb.cal").write_text("\n".join(map(str, calibration)))
    assert (load_biwi(tmp_path, size=32).arrays()[0] == 200).all()


def test_angles_out_of_range_are_left_out_and_counted(tmp_path):
    angles = np.array([[10.0, 0, 0], [10.0, 120.0, 0], [0, 0, -100.0]])
    save_300w_lp(tmp_path, np.zeros((3, 16, 16, 3), np.uint8), pose_from_angles(angles))
    data = load_300w_lp(tmp_path)
    assert (len(data), data.n_left_out) == (1, 2)
    assert len(load_300w_lp(tmp_path, largest_angle=180)) == 3
    with pytest.raises(ValueError, match="all 3 images"):
        load_300w_lp(tmp_path, largest_angle=1.0)


def test_damaged_files_are_named(tmp_path):
    for load in (load_300w_lp, load_aflw2000, load_biwi):
        with pytest.raises(FileNotFoundError, match="There is no folder"):
            load(tmp_path / "missing")
        with pytest.raises(FileNotFoundError, match="holds no"):
            load(tmp_path)
    image = Image.fromarray(np.zeros((8, 8, 3), np.uint8))
    image.save(tmp_path / "a.jpg")
    (tmp_path / "a.mat").write_bytes(b"not a mat file")
    with pytest.raises(ValueError, match=r"a\.mat is no \.mat file"):
        load_300w_lp(tmp_path)
    savemat(tmp_path / "a.mat", {"pt2d": np.zeros((2, 68))})
    with pytest.raises(ValueError, match=r"a\.mat lacks the entry 'Pose_Para'"):
        load_300w_lp(tmp_path)
    savemat(tmp_path / "a.mat", {"pt2d": np.zeros((68, 2)), "Pose_Para": np.zeros((1, 7))})
    with pytest.raises(ValueError, match="landmarks"):
        load_300w_lp(tmp_path)

    person = tmp_path / "biwi" / "01"
    person.mkdir(parents=True)
    pose = person / "frame_00003_pose.txt"
    pose.write_text("1 0 0\n0 1 0\n0 0 2\n\n0 0 1000\n")
    with pytest.raises(FileNotFoundError, match=r"no image frame_00003_rgb\.png"):
        load_biwi(tmp_path / "biwi")
    image.save(person / "frame_00003_rgb.png")
    with pytest.raises(ValueError, match="holds no rotation"):
        load_biwi(tmp_path / "biwi")
    pose.write_text("1 0 0 0 1 0")
    with pytest.raises(ValueError, match="at least 12 finite numbers, got 6"):
        load_biwi(tmp_path / "biwi")
    pose.write_text("one")
    with pytest.raises(ValueError, match="numbers only"):
        load_biwi(tmp_path / "biwi")

    (tmp_path / "bad.npz").write_bytes(b"zip")
    with pytest.raises(ValueError, match="damaged"):
        load_biwi(tmp_path / "bad.npz")
    np.savez(tmp_path / "bad.npz", image=np.zeros((2, 4, 4, 3)))
    with pytest.raises(ValueError, match="'image' and 'pose'"):
        load_biwi(tmp_path / "bad.npz")
    np.savez(tmp_path / "bad.npz", image=np.zeros((2, 4, 4, 3)), pose=np.zeros((3, 3)))
    with pytest.raises(ValueError, match="got shapes"):
        load_biwi(tmp_path / "bad.npz")

    save_300w_lp(tmp_path / "cut", np.zeros((1, 16, 16, 3), np.uint8), np.eye(3)[None])
    (tmp_path / "cut" / "image00000.jpg").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"image00000\.jpg is no image"):
        load_300w_lp(tmp_path / "cut")[0]
