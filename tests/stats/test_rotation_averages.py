import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from holonomy.stats import motion_average, rotation_average
from holonomy.stats.rotation_averages import METHODS

TRUTH = Rotation.from_rotvec([0.4, -1.0, 2.0])


def turns(n, noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    return (TRUTH * Rotation.from_rotvec(noise * rng.standard_normal((n, 3)))).as_matrix()


def error(R, truth=TRUTH):
    return float((truth.inv() * Rotation.from_matrix(R)).magnitude())


def motions(n, noise=0.1, seed=0):
    rng = np.random.default_rng(seed + 1)
    T = np.tile(np.eye(4), (n, 1, 1))
    T[:, :3, :3] = turns(n, noise, seed)
    T[:, :3, 3] = [5.0, -2.0, 1.0] + noise * rng.standard_normal((n, 3))
    return T


@pytest.mark.parametrize("method", METHODS)
def test_averages_are_rotations_near_the_truth(method):
    found = rotation_average(turns(60), method)
    assert np.abs(found.T @ found - np.eye(3)).max() < 1e-9
    assert np.linalg.det(found) == pytest.approx(1.0)
    assert error(found) < 0.05


@pytest.mark.parametrize("method", METHODS)
def test_the_average_of_equal_rotations_is_that_rotation(method):
    assert error(rotation_average(turns(3, noise=0.0), method)) < 1e-6


@pytest.mark.parametrize("method", METHODS)
def test_turning_all_turns_the_average(method):
    R, turn = turns(10, 0.4), Rotation.from_rotvec([1.0, 0.3, -0.2]).as_matrix()
    one, other = rotation_average(R, method), rotation_average(turn @ R, method)
    np.testing.assert_allclose(other, turn @ one, atol=1e-6)


def test_the_mean_of_scipy_is_the_chordal_one():
    R = turns(40, 0.5)
    np.testing.assert_allclose(rotation_average(R, "chordal_l2"), Rotation.from_matrix(R).mean().as_matrix(), atol=1e-9)


@pytest.mark.parametrize("method", ["flag_median", "geodesic_median"])
def test_medians_withstand_outliers(method):
    R = turns(50, 0.05)
    R[:15] = Rotation.from_rotvec([0.0, 0.0, -0.5]).as_matrix()
    assert error(rotation_average(R, method)) < 0.05
    assert error(rotation_average(R, "chordal_l2")) > 0.2


@pytest.mark.parametrize("n", [2, 4])
def test_rotations_of_other_dimensions_are_averaged(n):
    from holonomy.manifolds import SpecialOrthogonal

    space = SpecialOrthogonal(n)
    truth = space.random_uniform(random_state=0, dtype=torch.float64)
    R = space.random_normal(30, mean=truth, std=0.05, random_state=1)
    found = rotation_average(R, "flag_mean")
    assert isinstance(found, torch.Tensor)
    assert float(space.dist(found, truth)) < 0.05


@pytest.mark.parametrize("method", METHODS)
def test_motions_are_averaged(method):
    found = motion_average(motions(60), method)
    assert error(found[:3, :3]) < 0.05
    np.testing.assert_allclose(found[:3, 3], [5.0, -2.0, 1.0], atol=0.06)
    np.testing.assert_allclose(found[3], [0.0, 0.0, 0.0, 1.0])


@pytest.mark.parametrize("method", ["flag_mean", "flag_median", "chordal_l2"])
def test_moving_all_motions_moves_their_average(method):
    T = motions(12, 0.3)
    move = np.eye(4)
    move[:3, :3] = Rotation.from_rotvec([0.2, 0.5, 0.0]).as_matrix()
    whole = motion_average(T, method, scale=20.0)
    T_turned = T.copy()
    T_turned[:, :3, 3] += [3.0, 0.0, -7.0]
    shifted = motion_average(T_turned, method, scale=20.0)
    np.testing.assert_allclose(shifted[:3, :3], whole[:3, :3], atol=1e-6)
    np.testing.assert_allclose(shifted[:3, 3], whole[:3, 3] + [3.0, 0.0, -7.0], atol=1e-5)


def test_pure_translations_average_nearly_as_in_flat_space():
    T = np.tile(np.eye(4), (5, 1, 1))
    T[:, :3, 3] = np.random.default_rng(0).standard_normal((5, 3))
    found = motion_average(T, scale=1e3)
    np.testing.assert_allclose(found[:3, 3], T[:, :3, 3].mean(0), atol=1e-4)
    np.testing.assert_allclose(motion_average(T[:1])[:3, 3], T[0, :3, 3], atol=1e-9)


def test_median_motions_withstand_outliers():
    T = motions(50, 0.05)
    T[:15, :3, 3] += 100.0
    T[:15, :3, :3] = np.eye(3)
    found = motion_average(T, "flag_median")
    np.testing.assert_allclose(found[:3, 3], [5.0, -2.0, 1.0], atol=0.1)
    assert error(found[:3, :3]) < 0.05


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: rotation_average(np.eye(3)), ValueError, "R must have shape"),
        (lambda: rotation_average(np.eye(9)[None]), ValueError, "n <= 8"),
        (lambda: rotation_average(-np.eye(3)[None]), ValueError, "R must hold points"),
        (lambda: rotation_average(turns(2), "mode"), ValueError, "method must be one of"),
        (lambda: rotation_average(turns(2), weights=[-1.0, 1.0]), ValueError, "weights must be"),
        (lambda: rotation_average([["a"]]), TypeError, "real numbers"),
        (lambda: motion_average(np.eye(4)), ValueError, "T must have shape"),
        (lambda: motion_average(2.0 * np.eye(4)[None]), ValueError, "homogeneous"),
        (lambda: motion_average(np.diag([-1.0, 1.0, 1.0, 1.0])[None]), ValueError, "rotations of T"),
        (lambda: motion_average(motions(5), scale=1e-3), ValueError, "scale must exceed"),
        (lambda: motion_average(motions(5), "mode"), ValueError, "method must be one of"),
    ],
)
def test_bad_arguments_are_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
