"""Networks from rows, images or points to rotations, and what they are trained for."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from holonomy._core.training import Step
from holonomy.manifolds import matrix_to_euler
from holonomy.nn import ImageEncoder, PointNet, RotationHead
from holonomy.objectives import binned_angle_loss, chordal_loss, geodesic_loss, rotation_parameter_loss
from holonomy.objectives.rotation_parameters import WIDTHS

LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"geodesic": geodesic_loss, "chordal": chordal_loss}
NAMED = (*LOSSES, "likelihood", "parameters")
CHANNELS = (1, 3, 4)


class Prepared(nn.Module):
    """Rows as a default encoder takes them: floating-point, images with channels first, in units of their spread."""

    mean: Tensor
    spread: Tensor

    def __init__(self, kind: str, shape: Sequence[int]) -> None:
        super().__init__()
        self.kind = kind
        width = {"rows": shape[0], "images": shape[-1] if len(shape) == 3 else 1, "points": 1}[kind]
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))

    def learn(self, X: Tensor) -> None:
        """Take mean and spread of every column or channel; points keep their origin and get a spread of 1."""
        if self.kind == "points":
            self.spread.fill_(_or_one(X.double().square().mean().sqrt()))
            return
        flat = X.double().reshape(-1, len(self.mean))
        self.mean.copy_(flat.mean(0))
        self.spread.copy_(_or_one(flat.std(0, correction=0)))

    def forward(self, x: Tensor) -> Tensor:
        """Prepare a batch."""
        x = x.to(self.mean.dtype)
        if self.kind == "images" and x.ndim == 3:
            x = x.unsqueeze(-1)
        x = (x - self.mean) / self.spread
        return x.movedim(-1, 1) if self.kind == "images" else x


def _or_one(spread: Tensor) -> Tensor:
    return torch.where(spread > 0, spread, 1.0)


class RotationNetwork(nn.Module):
    """An encoder, and a head that puts out rotations."""

    def __init__(self, prepared: nn.Module, backbone: nn.Module, head: RotationHead) -> None:
        super().__init__()
        self.prepared, self.backbone, self.head = prepared, backbone, head

    def numbers(self, x: Tensor) -> Tensor:
        """Return what the head puts out for a batch."""
        return self.head.numbers(self.backbone(self.prepared(x)))

    def forward(self, x: Tensor) -> Tensor:
        """Return rotations (b, 3, 3) for a batch."""
        return self.head.rotations(self.numbers(x))


def kind_of(shape: Sequence[int]) -> str:
    """Return what rows of a shape are: "rows" of numbers, "images", or "points".

    Raises
    ------
    ValueError
        If they are none of these, or images that are not square.
    """
    if len(shape) == 1:
        return "rows"
    if len(shape) == 2:
        kind = "points" if shape[1] == 3 else "images"
    elif len(shape) == 3 and shape[2] in CHANNELS:
        kind = "images" if shape[0] == shape[1] or shape[2] != 3 else "points"
    else:
        kind = "images" if len(shape) == 3 else ""
    if kind == "points" or (kind == "images" and shape[0] == shape[1] and (len(shape) == 2 or shape[2] in CHANNELS)):
        return kind
    raise ValueError(
        "X must hold rows (n, d), square images (n, s, s) or (n, s, s, c) with c of 1, 3 or 4, or points (n, p, 3) or "
        f"(n, sets, p, 3), got rows of shape {tuple(shape)}; pass a backbone of your own for others."
    )


def default_backbone(kind: str, shape: Sequence[int]) -> nn.Module:
    """Return the encoder for rows of a kind and shape."""
    if kind == "images":
        halvings = min(3, int(math.log2(shape[0])))
        return ImageEncoder(shape[2] if len(shape) == 3 else 1, shape[0], (32, 64, 128)[:halvings])
    if kind == "points":
        return PointNet(3, n_sets=shape[0] if len(shape) == 3 else 1)
    return nn.Sequential(nn.Linear(shape[0], 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())


def make_network(backbone: Any, kind: str, row: Tensor, head: dict[str, Any], seed: int) -> RotationNetwork:
    """Return a fresh network for rows such as ``row``; a given backbone is copied.

    Raises
    ------
    TypeError
        If the backbone is no module.
    ValueError
        If it cannot be applied to a row, or does not return one vector of features for it.
    """
    if backbone is not None and not isinstance(backbone, nn.Module):
        raise TypeError(f"backbone must be a torch.nn.Module, got {type(backbone).__name__}.")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        if backbone is None:
            prepared: nn.Module = Prepared(kind, row.shape)
            made = default_backbone(kind, row.shape)
        else:
            prepared, made = _AsFloat(), copy.deepcopy(backbone)
        width = _count_features(prepared, made, row)
        return RotationNetwork(prepared, made, RotationHead(width, **head))


class _AsFloat(nn.Module):
    """Rows as they are, in single precision."""

    def forward(self, x: Tensor) -> Tensor:
        return x.float()


def _count_features(prepared: nn.Module, backbone: nn.Module, row: Tensor) -> int:
    was_training = backbone.training
    backbone.eval()
    try:
        with torch.no_grad():
            device = next((p.device for p in backbone.parameters()), torch.device("cpu"))
            features = backbone(prepared(row[None]).to(device))
    except (RuntimeError, ValueError, TypeError) as error:
        raise ValueError(f"backbone cannot be applied to a row of shape {tuple(row.shape)}: {error}") from error
    finally:
        backbone.train(was_training)
    if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != 1:
        shape = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise ValueError(f"backbone must return one vector of features for each row, got {shape} for one row.")
    return int(features.shape[1])


@dataclass(frozen=True)
class RotationObjective:
    """What a network is trained for: a loss for `fit_module`."""

    loss: str | Callable[[Tensor, Tensor], Tensor]

    def __call__(self, module: RotationNetwork, batch: Any, step: Step) -> Tensor:
        """Return the loss of a batch of inputs and rotations."""
        x, R = batch[0], batch[1].float()
        numbers, head = module.numbers(x), module.head
        if self.loss == "likelihood":
            return -head.distribution(numbers).log_prob(R).mean()
        if self.loss == "parameters":
            if head.bins is None:
                return rotation_parameter_loss(numbers, R, head.representation, order=head.order)
            return binned_angle_loss(numbers, matrix_to_euler(R, head.order), bin_degrees=head.bin_degrees)
        function = LOSSES[self.loss] if isinstance(self.loss, str) else self.loss
        return function(head.rotations(numbers), R)


def check_loss(loss: Any, representation: str) -> None:
    """Raise unless a network with these outputs can be trained for this loss.

    Raises
    ------
    TypeError
        If ``loss`` is neither a name nor callable.
    ValueError
        If there is no such loss, or it needs another representation.
    """
    if callable(loss):
        return
    if not isinstance(loss, str):
        raise TypeError(f"loss must be a name or callable as loss(R, R_true), got {type(loss).__name__}.")
    if loss not in NAMED:
        raise ValueError(f"loss must be one of {', '.join(map(repr, sorted(NAMED)))} or callable, got {loss!r}.")
    if loss == "parameters" and representation not in WIDTHS:
        raise ValueError(
            f"loss='parameters' is not defined for representation={representation!r}, where many parameters stand for "
            "the same rotation; use 'geodesic' or 'likelihood'."
        )
    if loss == "likelihood" and representation not in ("9d_svd", "10d"):
        raise ValueError(f"loss='likelihood' needs representation='9d_svd' or '10d', got {representation!r}.")
