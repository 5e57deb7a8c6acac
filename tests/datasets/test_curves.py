"""The helix."""

import numpy as np
import pytest
from scipy import stats

from holonomy.datasets import make_helix


def test_helix_winds_round_its_cylinder_at_unit_speed():
    helix = make_helix(3000, n_turns=2.5, radius=2.0, pitch=0.7, random_state=0)
    assert np.allclose(np.hypot(helix.X[:, 0], helix.X[:, 1]), 2.0, rtol=1e-12)
    angle = 2 * np.pi * helix.X[:, 2] / 0.7
    assert np.allclose(helix.X[:, :2], 2.0 * np.column_stack([np.cos(angle), np.sin(angle)]), atol=1e-11)
    assert angle.max() <= 2.5 * 2 * np.pi
    assert stats.kstest(angle / (5 * np.pi), "uniform").pvalue > 0.01
    order = np.argsort(helix.latent[:, 0])
    polygon = np.linalg.norm(np.diff(helix.X[order], axis=0), axis=1).sum()
    assert polygon == pytest.approx(np.ptp(helix.latent), rel=1e-4)
    assert helix.geodesic_distances(order[0], order[-1]) == pytest.approx(np.ptp(helix.latent), rel=1e-12)


@pytest.mark.parametrize("name", ["n_turns", "radius", "pitch"])
def test_bad_parameters_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be positive"):
        make_helix(10, **{name: 0.0})
