"""The same descent on any manifold, by automatic differentiation and the optimisers for manifolds."""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy._core.progress import track
from holonomy.embed import _ranking_kernels as kernels
from holonomy.embed.ranking_descent import MOST_FULL, Curve, DescentOptions, Pairs, Schedule

if TYPE_CHECKING:
    from torch import Tensor

    from holonomy.manifolds import Manifold

OPTIMIZERS = {
    "rsgd": "RiemannianSGD",
    "radagrad": "RiemannianAdagrad",
    "radam": "RiemannianAdam",
    "ramsgrad": "RiemannianAMSGrad",
}
"""Names of the optimisers, and their classes in `holonomy.optim`."""


def descend_on(
    manifold: "Manifold",
    start: "Tensor",
    pairs: Pairs,
    options: DescentOptions,
    seed: int,
    optimizer: str = "rsgd",
    curve: Callable[[int, Any], Curve] | None = None,
) -> "Tensor":
    """Move points (n, *shape) of a manifold as `ranking_descent.descend` does, on the device that they are on.

    The pairs, their order and their negatives are the same; only the nodes of a batch have a gradient and move.
    """
    import torch

    from holonomy import optim

    places = start.detach().clone().requires_grad_()
    method = getattr(optim, OPTIMIZERS[optimizer])(
        [places], lr=options.lr, manifold=manifold, step="retract" if options.is_retraction else "exp"
    )
    schedule = Schedule(pairs, options, seed)
    targets = np.zeros((options.batch_size, options.n_negatives + 1), dtype=np.int64)
    counts = np.zeros(options.batch_size, dtype=np.int64)
    for number in track(range(options.epochs), "Embedding"):
        epoch = schedule.epoch(number)
        radius, temperature = curve(number, places.detach()) if curve is not None else (0.0, 1.0)
        method.param_groups[0]["lr"] = epoch.step
        sampling = schedule.sampling(epoch)
        for first, last in pairwise(epoch.bounds):
            kernels.draw_batch(sampling, pairs.n_nodes, first, last, targets, counts)
            size = last - first
            ends = torch.from_numpy(np.column_stack([epoch.heads[first:last], targets[:size]])).to(places.device)
            is_absent = torch.from_numpy(np.arange(targets.shape[1]) >= counts[:size, None]).to(places.device)
            points = places.detach()[ends].requires_grad_()
            distances = manifold.dist(points[:, :1], points[:, 1:])
            if options.objective == kernels.RANKING:
                loss = ranking_loss(distances, is_absent)
            else:
                loss = fermi_dirac_loss(distances, is_absent, radius, temperature)
            (slopes,) = torch.autograd.grad(loss, points)
            places.grad = _gathered(ends, slopes, places)
            method.step()
    return places.detach()


def ranking_loss(distances: "Tensor", is_absent: "Tensor") -> "Tensor":
    """Return the sum over pairs of -log of the softmax of -distance at the first of each row's targets."""
    import torch

    nearness = torch.where(is_absent, -torch.inf, -distances)
    return (torch.logsumexp(nearness, dim=1) - nearness[:, 0]).sum()


def fermi_dirac_loss(distances: "Tensor", is_absent: "Tensor", radius: float, temperature: float) -> "Tensor":
    """Return the cross-entropy of edges of probability 1 / (exp((d - radius) / temperature) + 1); first one true."""
    import torch

    logits = (radius - distances) / temperature
    negatives = torch.where(is_absent, 0.0, torch.nn.functional.softplus(logits))[:, 1:]
    return torch.nn.functional.softplus(-logits[:, 0]).sum() + negatives.sum()


def _gathered(ends: "Tensor", slopes: "Tensor", places: "Tensor") -> "Tensor":
    """Return the gradients of all nodes of a batch as a sparse tensor, those of hubs averaged as compiled steps do."""
    import torch

    shape = tuple(places.shape)
    whole = torch.sparse_coo_tensor(ends.reshape(1, -1), slopes.flatten(0, 1), shape, check_invariants=False).coalesce()
    nodes = whole.indices()[0]
    full = torch.bincount(ends[:, :2].flatten(), minlength=len(places))[nodes].to(slopes.dtype)
    share = MOST_FULL / full.clamp(min=MOST_FULL)
    values = whole.values() * share.reshape(-1, *[1] * (slopes.ndim - 2))
    return torch.sparse_coo_tensor(whole.indices(), values, shape, is_coalesced=True, check_invariants=False)
