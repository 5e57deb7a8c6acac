"""Networks that map and map back, what they are trained on, and what for."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from holonomy._core.device import resolve_device
from holonomy._core.random import generator
from holonomy._core.training import FitResult, Step, TrainingOptions, fit_module

HIDDEN = (100, 100, 100)
"""Widths of the hidden layers of the networks of the paper."""

NEAR = 1e-4
"""Added to squared distances on the map, so that forces between coinciding points stay finite."""

ROWS_AT_ONCE = 256
"""Rows encoded together. Blocks are always filled up to this, so that a row's bits do not depend on its company."""


class Scaled(nn.Module):
    """A network whose inputs are centred and divided by one number, and whose outputs are shifted and stretched."""

    centre: Tensor
    scale: Tensor

    def __init__(self, network: nn.Module, centre: Tensor, scale: Tensor, *, is_inverse: bool) -> None:
        super().__init__()
        self.network = network
        self.is_inverse = is_inverse
        self.register_buffer("centre", centre)
        self.register_buffer("scale", scale)

    def forward(self, x: Float[Tensor, "b i"]) -> Float[Tensor, "b o"]:
        """Map a batch."""
        if self.is_inverse:
            return self.network(x) * self.scale + self.centre
        return self.network((x - self.centre) / self.scale)


def perceptron(n_in: int, n_out: int, seed: int) -> nn.Sequential:
    """Return a network of three hidden layers of 100 rectified units, initialised from a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        layers: list[nn.Module] = []
        for before, after in zip((n_in, *HIDDEN), (*HIDDEN, n_out), strict=True):
            layers += [nn.Linear(before, after), nn.ReLU()]
        return nn.Sequential(*layers[:-1])


def make_networks(
    encoder: Any, decoder: Any, n_features: int, n_components: int, moments: tuple[np.ndarray, float], seed: int
) -> nn.ModuleDict:
    """Return a copy of the given networks, or fresh ones where ``encoder`` is None and ``decoder`` is True."""
    centre = torch.as_tensor(moments[0], dtype=torch.float32)
    scale = torch.as_tensor(moments[1], dtype=torch.float32)
    made: nn.Module
    if encoder is None:
        made = Scaled(perceptron(n_features, n_components, seed), centre, scale, is_inverse=False)
    else:
        made = copy.deepcopy(_checked(encoder, "encoder"))
    networks = nn.ModuleDict({"encoder": made})
    if decoder is True:
        back = perceptron(n_components, n_features, seed + 1)
        networks["decoder"] = Scaled(back, centre, scale, is_inverse=True)
    elif decoder not in (None, False):
        networks["decoder"] = copy.deepcopy(_checked(decoder, "decoder"))
    return networks


def _checked(network: Any, name: str) -> nn.Module:
    if not isinstance(network, nn.Module):
        raise TypeError(f"{name} must be a torch.nn.Module, got {type(network).__name__}.")
    return network


class Rows:
    """Rows of data as tensors: dense ones live on the device, sparse ones are made dense batch by batch."""

    def __init__(self, X: Any, device: torch.device) -> None:
        self.device = device
        self.sparse = sparse.csr_array(X, dtype=np.float32) if sparse.issparse(X) else None
        self.dense = None if sparse.issparse(X) else torch.from_numpy(np.array(X, dtype=np.float32)).to(device)

    def __getitem__(self, rows: Int64[Tensor, " b"]) -> Float[Tensor, "b d"]:
        if self.sparse is not None:
            return torch.from_numpy(self.sparse[rows.cpu().numpy()].toarray()).to(self.device)
        assert self.dense is not None  # noqa: S101 - one of the two is there
        return self.dense[rows.to(self.device)]


class EdgeBatches:
    """The edges of a fuzzy graph, each in as many epochs as its membership is a share of the largest."""

    def __init__(self, graph: sparse.csr_array, batch_size: int, seed: int) -> None:
        edges = graph.tocoo()
        self._heads = edges.row.astype(np.int64)
        self._tails = edges.col.astype(np.int64)
        self._rates = edges.data.astype(np.float64) / max(float(edges.data.max(initial=0.0)), 1e-300)
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the edges of this epoch."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[tuple[Int64[Tensor, " b"], Int64[Tensor, " b"]]]:
        # A share of 1 must not be lost to rounding in any epoch.
        due = np.floor((self._epoch + 1) * self._rates + 1e-9) > np.floor(self._epoch * self._rates + 1e-9)
        order = generator(self._seed, "edges", self._epoch).permutation(np.flatnonzero(due))
        for first in range(0, len(order), self._batch_size):
            chosen = order[first : first + self._batch_size]
            yield torch.from_numpy(self._heads[chosen]), torch.from_numpy(self._tails[chosen])


@dataclass(frozen=True)
class Landmarks:
    """Rows that have a place already."""

    rows: Int64[Tensor, " l"]
    places: Float[Tensor, "l c"]
    loss: Callable[[Tensor, Tensor], Tensor]
    weight: float


@dataclass(frozen=True)
class Objective:
    """What the networks are trained for: a loss for `fit_module`.

    Attributes
    ----------
    data : Rows
        The rows that edges join.
    a, b : float
        Curve 1 / (1 + a d^(2b)) of the map.
    negative_sample_rate, repulsion_strength
        Negative samples for each edge, taken from the batch, and their weight.
    reconstruction : callable or None
        Loss of decoded rows against the rows themselves, where there is a decoder.
    reconstruction_weight, correlation_weight : float
        Weights of the reconstruction, and of the correlation of distances in the batch.
    is_autoencoder : bool
        Whether the reconstruction trains the encoder too.
    landmarks : Landmarks or None
        Rows to be kept at their places.
    """

    data: Rows
    a: float
    b: float
    negative_sample_rate: int
    repulsion_strength: float
    reconstruction: Callable[[Tensor, Tensor], Tensor] | None
    reconstruction_weight: float
    correlation_weight: float
    is_autoencoder: bool
    landmarks: Landmarks | None

    def __call__(self, module: nn.Module, batch: Any, step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch of edges, and its terms."""
        heads, tails = batch
        x = self.data[torch.cat([heads, tails])]
        z = module["encoder"](x)  # type: ignore[index]
        ends = z.chunk(2)
        total = cross_entropy(
            ends[0], ends[1], self.a, self.b, self.negative_sample_rate, self.repulsion_strength, step.generator
        )
        terms = {"umap": total}
        if self.correlation_weight > 0:
            terms["correlation"] = 1 - distance_correlation(x, z, step.generator)
            total = total + self.correlation_weight * terms["correlation"]
        if "decoder" in module:  # type: ignore[operator]
            assert self.reconstruction is not None  # noqa: S101 - goes with a decoder
            seen = z if self.is_autoencoder else z.detach()
            terms["reconstruction"] = self.reconstruction(module["decoder"](seen), x)  # type: ignore[index]
            total = total + self.reconstruction_weight * terms["reconstruction"]
        if self.landmarks is not None and self.landmarks.weight > 0:
            terms["landmarks"] = self._landmark_loss(module, len(heads), step.generator)
            total = total + self.landmarks.weight * terms["landmarks"]
        return total, terms

    def _landmark_loss(self, module: nn.Module, size: int, source: torch.Generator) -> Tensor:
        assert self.landmarks is not None  # noqa: S101 - checked by the caller
        count = len(self.landmarks.rows)
        chosen = torch.randperm(count, generator=source, device=source.device)[: min(size, count)]
        rows = self.landmarks.rows.to(chosen.device)[chosen]
        placed = module["encoder"](self.data[rows])  # type: ignore[index]
        return self.landmarks.loss(placed, self.landmarks.places.to(placed.device)[chosen.to(placed.device)])


def cross_entropy(
    heads: Float[Tensor, "b c"],
    tails: Float[Tensor, "b c"],
    a: float,
    b: float,
    n_negatives: int,
    repulsion: float,
    source: torch.Generator,
) -> Float[Tensor, ""]:
    """Return the fuzzy cross-entropy of edges against random pairs of the batch, for each pair.

    With memberships ``q = 1 / (1 + exp(s))`` and ``s = log(a d^(2b))``, the terms ``-log q`` and ``-log(1 - q)`` are
    softplus functions of s and -s, exact at every distance.
    """

    def logit(first: Tensor, second: Tensor) -> Tensor:
        return np.log(a) + b * torch.log((first - second).square().sum(dim=1) + NEAR)

    attraction = functional.softplus(logit(heads, tails)).mean()
    if n_negatives == 0:
        return attraction
    drawn = torch.randint(len(heads), (n_negatives * len(heads),), generator=source, device=source.device)
    others = heads[drawn.to(heads.device)]
    repelled = functional.softplus(-logit(tails.repeat(n_negatives, 1), others)).mean()
    return (attraction + n_negatives * repulsion * repelled) / (1 + n_negatives)


def distance_correlation(
    x: Float[Tensor, "b d"], z: Float[Tensor, "b c"], source: torch.Generator
) -> Float[Tensor, ""]:
    """Return Pearson's correlation of distances between random pairs of the batch, in the data and on the map."""
    partner = torch.randperm(len(x), generator=source, device=source.device).to(x.device)
    far, near = ((v.flatten(1) - v[partner].flatten(1)).square().sum(dim=1).add(NEAR).sqrt() for v in (x, z))
    far, near = far - far.mean(), near - near.mean()
    return (far * near).sum() / (far.square().sum() * near.square().sum()).clamp_min(NEAR**2).sqrt()


def distance_to_places(placed: Float[Tensor, "l c"], places: Float[Tensor, "l c"]) -> Float[Tensor, ""]:
    """Return the mean distance of landmarks from where they are to be: the default landmark loss."""
    return ((placed - places).square().sum(dim=1) + NEAR**2).sqrt().mean()


RECONSTRUCTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": functional.mse_loss,
    "bce": functional.binary_cross_entropy_with_logits,
}


def train(
    networks: nn.ModuleDict,
    objective: Objective,
    graph: sparse.csr_array,
    batch_size: int,
    learning_rate: float,
    options: TrainingOptions,
    seed: int,
) -> FitResult:
    """Train the networks on the edges of a graph."""
    return fit_module(
        networks,
        objective,
        EdgeBatches(graph, batch_size, seed),
        optimizer=lambda parameters: torch.optim.Adam(parameters, lr=learning_rate),
        options=options,
        random_state=seed,
    )


def apply(network: nn.Module, X: Any) -> np.ndarray:
    """Return the network's output for each row of an array or sparse matrix, a row the same whatever is beside it."""
    network.eval()
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    parts = []
    with torch.no_grad():
        for first in range(0, X.shape[0], ROWS_AT_ONCE):
            block = X[first : first + ROWS_AT_ONCE]
            rows = np.asarray(block.toarray() if sparse.issparse(block) else block, dtype=np.float32)
            padded = np.zeros((ROWS_AT_ONCE, rows.shape[1]), dtype=np.float32)
            padded[: len(rows)] = rows
            parts.append(network(torch.from_numpy(padded).to(device))[: len(rows)].float().cpu().numpy())
    return np.concatenate(parts)


def check_output(network: nn.Module, n_in: int, n_out: int, name: str) -> None:
    """Raise unless the network turns rows of ``n_in`` numbers into rows of ``n_out``."""
    try:
        found = tuple(apply(network, np.zeros((1, n_in), dtype=np.float32)).shape)
    except (RuntimeError, ValueError, TypeError) as error:
        raise ValueError(f"{name} cannot be applied to rows of {n_in} numbers: {error}") from error
    if found != (1, n_out):
        raise ValueError(
            f"{name} must return {n_out} numbers for each row, got an output of shape {found} for one row."
        )


def device_of(device: Any) -> torch.device:
    """Return the device to train on."""
    return resolve_device(device)
