"""The generic suite: every law of the room becomes a test of the ``spaces`` that a test class lists.

    class TestSphere(ManifoldSuite):
        spaces = [Sphere(2), Sphere(3, curvature=4.0)]

See :class:`holonomy.manifolds.ManifoldLaws` for what a class may override.
"""

import pytest
import torch

from holonomy.manifolds.laws import LAWS, ManifoldLaws


class ManifoldSuite(ManifoldLaws):
    spaces = ()

    @pytest.fixture
    def rng(self):
        return torch.Generator().manual_seed(0)


def _test(name):
    def test(self, space, rng):
        getattr(self, name)(space, rng)

    test.__name__ = f"test_{name}"
    return test


for _name in LAWS:
    setattr(ManifoldSuite, f"test_{_name}", _test(_name))
