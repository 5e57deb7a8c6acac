import torch

from holonomy.manifolds import Hyperboloid, PoincareBall, Sphere, Stereographic
from tests.manifolds.suite import ManifoldSuite

DECADES = (1e-3, 1e-2, 0.1, 1.0, 10.0, 1e3)


class ConstantCurvatureSuite(ManifoldSuite):
    def scale(self, space):
        return min(1.0, abs(float(torch.as_tensor(space.curvature).detach())) ** -0.5) if space.curvature else 1.0

    @staticmethod
    def sectional(space, x, u, v):
        return torch.full(x.shape[:-1], float(torch.as_tensor(space.curvature).detach()), dtype=x.dtype)


class TestSphere(ConstantCurvatureSuite):
    spaces = (Sphere(1), Sphere(2), Sphere(5), *(Sphere(3, k) for k in DECADES), Sphere(2, 2.0, learnable=True))


class TestHyperboloid(ConstantCurvatureSuite):
    spaces = (
        Hyperboloid(1),
        Hyperboloid(2),
        Hyperboloid(5),
        *(Hyperboloid(3, -k) for k in DECADES),
        Hyperboloid(2, -2.0, learnable=True),
    )


class TestPoincareBall(ConstantCurvatureSuite):
    spaces = (
        PoincareBall(1),
        PoincareBall(2),
        PoincareBall(5),
        *(PoincareBall(3, -k) for k in DECADES),
        PoincareBall(2, -2.0, learnable=True),
    )


class TestStereographic(ConstantCurvatureSuite):
    spaces = (
        *(Stereographic(2, k) for k in (-10.0, -1.0, -1e-6, 0.0, 1e-6, 1.0, 10.0)),
        *(Stereographic(2, k, learnable=True) for k in (-1.0, 0.0, 1.0)),
    )
