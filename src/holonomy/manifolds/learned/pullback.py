"""The geometry that a decoder gives its latent space."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from holonomy.manifolds.base import Manifold
from holonomy.manifolds.learned.metric_field import STEPS, MetricField


class PullbackManifold(MetricField):
    """The latent space of a decoder, with the metric its image has in the output space: g = J^T J.

    Parameters
    ----------
    decoder : callable or torch.nn.Module
        From latent coordinates (..., n) to outputs (..., m), differentiable.
    n : int
        Number of latent coordinates, at least 1.
    ambient : Manifold, optional
        Where outputs live; Euclidean by default.
    regularization : float, default 0.0
        Multiple of the identity added to the metric, at least 0; keeps it positive where the decoder folds.
    steps : int, default 64
        Runge-Kutta steps along a geodesic.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    TypeError
        If ``decoder`` is not callable.
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import PullbackManifold
    >>> bowl = PullbackManifold(lambda z: torch.cat([z, (z**2).sum(-1, keepdim=True)], dim=-1), 2)
    >>> bowl.metric_tensor(torch.tensor([1.0, 0.0]))
    tensor([[5., 0.],
            [0., 1.]])

    References
    ----------
    Arvanitidis, Hansen, Hauberg (2018). Latent space oddity: on the curvature of deep generative models. ICLR.
    """

    _references = ("arvanitidis2018latent",)

    def __init__(
        self,
        decoder: Callable[[Tensor], Tensor],
        n: int,
        *,
        ambient: Manifold | None = None,
        regularization: float = 0.0,
        steps: int = STEPS,
        check: bool = False,
    ) -> None:
        if not callable(decoder):
            raise TypeError(f"decoder must be callable, got {type(decoder).__name__}.")
        if not (math.isfinite(regularization) and regularization >= 0):
            raise ValueError(f"regularization must be a number of at least 0, got {regularization}.")
        super().__init__(self._pulled_back, n, steps=steps, check=check)
        if isinstance(decoder, nn.Module):
            self.add_module("decoder_module", decoder)
        self.__dict__["decoder"] = decoder
        self.ambient, self.regularization = ambient, float(regularization)

    def _pulled_back(self, z: Tensor) -> Tensor:
        decoder: Callable[[Tensor], Tensor] = self.__dict__["decoder"]
        flat = z.reshape(-1, self.dim)
        jacobian = torch.func.vmap(torch.func.jacfwd(decoder))(flat)
        if self.ambient is None:
            metric = jacobian.mT @ jacobian
        else:
            columns = jacobian.movedim(-1, 1)
            rank = len(self.ambient.shape)
            at = decoder(flat).unsqueeze(-rank - 1).unsqueeze(-rank - 1)
            metric = self.ambient._inner(at, columns.unsqueeze(2), columns.unsqueeze(1))
        metric = metric + self.regularization * torch.eye(self.dim, dtype=z.dtype, device=z.device)
        return metric.reshape(*z.shape[:-1], self.dim, self.dim)
