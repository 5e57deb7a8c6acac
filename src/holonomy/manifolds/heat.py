"""Heat kernels for half the Laplacian as generator: of the unit sphere, and for short times of any space."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from holonomy.manifolds._hyperbolic_heat import hyperbolic_heat, hyperbolic_log_heat
from holonomy.manifolds._spherical_heat import spherical_log_heat

__all__ = ["hyperbolic_heat", "hyperbolic_log_heat", "short_time_heat", "spherical_heat", "spherical_log_heat"]

if TYPE_CHECKING:
    from holonomy.manifolds.base import Manifold


def spherical_heat(d: Tensor, s: Tensor, dim: int) -> Tensor:
    """Return the heat kernel (...) of the unit sphere at distances d and times s.

    Parameters
    ----------
    d : Tensor
        Distances in [0, pi], in double precision.
    s : Tensor
        Positive times.
    dim : int
        Dimension of the sphere, at least 1.

    Examples
    --------
    >>> import math, torch
    >>> from holonomy.manifolds.heat import spherical_heat
    >>> late = spherical_heat(torch.tensor(0.3).double(), torch.tensor(50.0).double(), 2)
    >>> math.isclose(float(late), 1 / (4 * math.pi))
    True
    """
    return torch.exp(spherical_log_heat(d, s, dim))


def short_time_heat(manifold: "Manifold", x: Tensor, y: Tensor, s: Tensor | float) -> Tensor:
    """Return the heat kernel (...) of any space for short times: a Gaussian with the volume correction of van Vleck.

    The first term of the expansion of Minakshisundaram and Pleijel along the shortest geodesic. The relative error is
    of the order of the time times the curvature, where no other geodesic is about as short.

    Parameters
    ----------
    manifold : Manifold
        A space with a logarithm and a volume element.
    x, y : Tensor of shape (..., *shape)
        Points.
    s : Tensor of shape (...) or float
        Positive times.

    Returns
    -------
    Tensor of shape (...)

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.manifolds.heat import short_time_heat
    >>> sphere = Sphere(2)
    >>> x, y = sphere.random_normal(2, std=0.1, random_state=0)
    >>> bool((short_time_heat(sphere, x, y, 0.01) / sphere.heat_kernel(x, y, 0.01) - 1).abs() < 0.01)
    True

    References
    ----------
    Minakshisundaram & Pleijel (1949). Some properties of the eigenfunctions of the Laplace-operator on Riemannian
    manifolds. Canadian Journal of Mathematics 1.
    """
    time = torch.as_tensor(s, dtype=x.dtype, device=x.device)
    v = manifold.log(x, y)
    volume = manifold.log_volume_element(x, v)
    square = manifold.squared_dist(x, y)
    return torch.exp(-0.5 * (square / time + volume + manifold.dim * torch.log(2.0 * math.pi * time)))
