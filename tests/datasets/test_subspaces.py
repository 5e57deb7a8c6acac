"""Gaussian clouds in subspaces."""

import numpy as np
import pytest

from holonomy.datasets import make_subspace


def test_subspace_has_its_dimension_and_spectrum():
    cloud = make_subspace(5000, dim=3, scales=[3.0, 2.0, 1.0], ambient_dim=8, noise=0.1, random_state=0)
    assert cloud.X.shape == (5000, 8)
    spectrum = np.linalg.eigvalsh(np.cov(cloud.X.T))[::-1]
    assert spectrum[:3] == pytest.approx([9.01, 4.01, 1.01], rel=0.08)
    assert spectrum[3:] == pytest.approx(0.01, rel=0.15)
    assert np.allclose(cloud.X_clean, cloud.latent @ cloud.frame.T)


def test_frames_are_uniform():
    firsts = np.array([make_subspace(1, dim=1, ambient_dim=3, random_state=seed).frame[:, 0] for seed in range(300)])
    assert np.abs(firsts.mean(axis=0)).max() < 4 / np.sqrt(3 * 300)
    assert np.allclose(firsts.T @ firsts / 300, np.eye(3) / 3, atol=0.09)


def test_whole_space_is_a_subspace():
    assert make_subspace(20, dim=4, ambient_dim=4, random_state=0).X.shape == (20, 4)
    assert make_subspace(20, dim=4, ambient_dim=None, random_state=0).X.shape == (20, 4)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"dim": 0}, ValueError, "dim must be in"),
        ({"dim": 11}, ValueError, r"dim must be in \[1, 10\]"),
        ({"dim": "two"}, TypeError, "dim must be an integer"),
        ({"scales": [1.0, 2.0, 3.0]}, ValueError, "scales must be one or 2"),
        ({"scales": 0.0}, ValueError, "scales must be one or 2 positive"),
    ],
)
def test_bad_parameters_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        make_subspace(10, **options)
