"""Gyrovector structure: addition, scalar product, gyration and inverse on any space with an origin and a log there."""

from torch import Tensor

from holonomy.manifolds.base import Manifold


def gyro_add(manifold: Manifold, x: Tensor, y: Tensor) -> Tensor:
    """Return ``x + y`` of the gyrogroup: the geodesic from the origin to y, carried along to x.

    On the Poincare ball this is Mobius addition; on symmetric positive definite matrices with the affine-invariant
    metric it is ``x^(1/2) y x^(1/2)``.

    Parameters
    ----------
    manifold : Manifold
        A symmetric space.
    x, y : Tensor of shape (..., *shape)
        Points.

    Returns
    -------
    Tensor of shape (..., *shape)
        Points.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import PoincareBall, gyro_add
    >>> x = torch.tensor([0.5, 0.0])
    >>> gyro_add(PoincareBall(2), x, x)
    tensor([0.8000, 0.0000])

    References
    ----------
    Ungar (2008). A gyrovector space approach to hyperbolic geometry. Morgan & Claypool.
    """
    origin = _origin(manifold, x)
    return manifold.exp(x, manifold.transport(origin, x, manifold.log(origin, y)))


def gyro_inverse(manifold: Manifold, x: Tensor) -> Tensor:
    """Return the point that ``gyro_add`` takes x to the origin with: x mirrored at the origin.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import PoincareBall, gyro_inverse
    >>> gyro_inverse(PoincareBall(2), torch.tensor([0.5, 0.25]))
    tensor([-0.5000, -0.2500])
    """
    origin = _origin(manifold, x)
    return manifold.exp(origin, -manifold.log(origin, x))


def gyro_scale(manifold: Manifold, r: Tensor | float, x: Tensor) -> Tensor:
    """Return ``r`` times x: the point at r times the distance on the geodesic from the origin through x.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import PoincareBall, gyro_scale
    >>> gyro_scale(PoincareBall(2), 2.0, torch.tensor([0.5, 0.0]))
    tensor([0.8000, 0.0000])
    """
    return manifold.geodesic(_origin(manifold, x), x, r)


def gyration(manifold: Manifold, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """Return ``gyr[x, y] z = -(x + y) + (x + (y + z))``: by what addition fails to be associative.

    It turns points around the origin, and keeps distances.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import PoincareBall, gyration
    >>> x, y = torch.tensor([0.3, 0.0]), torch.tensor([0.0, 0.3])
    >>> gyration(PoincareBall(2), x, y, x).norm()
    tensor(0.3000)
    """
    outer = gyro_add(manifold, x, gyro_add(manifold, y, z))
    return gyro_add(manifold, gyro_inverse(manifold, gyro_add(manifold, x, y)), outer)


def _origin(manifold: Manifold, x: Tensor) -> Tensor:
    return manifold.origin(dtype=x.dtype, device=x.device)
