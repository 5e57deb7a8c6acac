"""Gradient clipping by Riemannian length."""

import torch
from torch import Tensor, nn

from holonomy._core.validation import check_float
from holonomy.manifolds import Manifold
from holonomy.optim.registration import named_manifolds
from holonomy.optim.riemannian import RiemannianOptimizer


@torch.no_grad()
def clip_riemannian_norm_(
    target: RiemannianOptimizer | nn.Module, max_norm: float, *, per_point: bool = False
) -> Tensor:
    """Scale gradients, in place, so that their Riemannian length is at most ``max_norm``.

    The length of all gradients together is that in the product of all manifolds: ``clip_grad_norm_`` of torch where
    all is flat. What is scaled are the derivatives that ``backward`` has left, of which Riemannian gradients are
    multiples.

    Parameters
    ----------
    target : RiemannianOptimizer or Module
        Whose parameters, with their manifolds.
    max_norm : float
        Largest length, at least 0.
    per_point : bool, default False
        Whether each point is clipped by itself, instead of all together; parameters in flat space, which are no
        points, are then clipped each as a whole.

    Returns
    -------
    Tensor
        The length of all gradients together before.

    Raises
    ------
    TypeError
        If ``target`` is neither.
    ValueError
        If ``max_norm`` is negative or not finite.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import PoincareBall
    >>> from holonomy.optim import RiemannianSGD, clip_riemannian_norm_
    >>> x = torch.zeros(2, requires_grad=True)
    >>> optimizer = RiemannianSGD([x], manifold=PoincareBall(2))
    >>> x.grad = torch.tensor([6.0, 0.0])
    >>> clip_riemannian_norm_(optimizer, 1.0), x.grad
    (tensor(3.), tensor([2., 0.]))
    """
    limit = check_float(max_norm, "max_norm", minimum=0.0)
    if isinstance(target, RiemannianOptimizer):
        found = [(p, target.manifold_of(p)) for group in target.param_groups for p in group["params"]]
    elif isinstance(target, nn.Module):
        found = [(parameter, manifold) for _, parameter, manifold in named_manifolds(target)]
    else:
        raise TypeError(f"target must be a RiemannianOptimizer or a module, got {type(target).__name__}.")
    held = [(p, manifold) for p, manifold in found if p.grad is not None]
    squares = [_squared_lengths(p, manifold) for p, manifold in held]
    if not squares:
        return torch.zeros(())
    total = torch.stack([square.sum().to(squares[0].device, torch.float64) for square in squares]).sum().sqrt()
    for (parameter, manifold), square in zip(held, squares, strict=True):
        length = square.double().sqrt() if per_point else total
        _scale(parameter, manifold, torch.where(length > limit, limit / length, 1.0))
    return total.to(held[0][0].dtype)


def _values(parameter: Tensor) -> tuple[Tensor, Tensor]:
    """Return the points that have derivatives, and the derivatives, as tensors that share their memory."""
    gradient = parameter.grad
    if gradient is None or not gradient.is_sparse:
        return parameter, gradient  # type: ignore[return-value]
    if not gradient.is_coalesced():
        parameter.grad = gradient = gradient.coalesce()
    return parameter[tuple(gradient.indices())], gradient.values()


def _squared_lengths(parameter: Tensor, manifold: Manifold | None) -> Tensor:
    x, derivatives = _values(parameter)
    if manifold is None:
        return derivatives.double().square().sum()
    g = manifold.egrad_to_rgrad(x, derivatives)
    return manifold.inner(x, g, g).clamp_min(0.0)


def _scale(parameter: Tensor, manifold: Manifold | None, factor: Tensor) -> None:
    _, derivatives = _values(parameter)
    rank = 0 if manifold is None else len(manifold.shape)
    shaped = factor.reshape(*factor.shape, *[1] * rank) if factor.ndim else factor
    derivatives.mul_(shaped.to(derivatives.device, derivatives.dtype))
