"""Where the batches of a run come from, and in which order.

The order of the rows is a function of (seed, epoch) alone, so any batch of any epoch can be found again.
"""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from jaxtyping import Int64, Shaped
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset, TensorDataset, default_collate

from holonomy._core.random import derive_seed
from holonomy._core.training.options import TrainingOptions
from holonomy._core.training.randomness import seed_default_generators

Data: TypeAlias = Any
"""A tensor, a tuple or dict of tensors, a map-style ``Dataset``, or an iterable of batches."""

Batch: TypeAlias = Any
"""What the loss is given: some rows of the data, in the same form."""


@dataclass(frozen=True)
class LoadedBatch:
    """A batch and where it comes from.

    Attributes
    ----------
    data : Batch
        This process's part of the batch.
    rows : Tensor of shape (b,) or None
        Rows of the data that this part holds, on the CPU; None when the data are batches already.
    all_rows : Tensor of shape (B,) or None
        Rows that all processes together hold.
    weight : float
        How much the batch counts in the mean loss of its epoch: its number of rows where known, and 1 elsewhere.
    share : float
        How much this process's mean loss counts in the mean over processes; 1 when all parts are of one size.
    """

    data: Batch
    rows: Int64[Tensor, " b"] | None
    all_rows: Int64[Tensor, " B"] | None
    weight: float
    share: float = 1.0


@dataclass(frozen=True)
class Process:
    """One process among all that train together, and where its tensors live."""

    device: torch.device
    rank: int = 0
    world_size: int = 1

    def part(self, rows: Int64[Tensor, " b"]) -> Int64[Tensor, " own"]:
        """Return the rows of a batch that this process takes."""
        return rows if self.world_size == 1 else rows.tensor_split(self.world_size)[self.rank]


class BatchSource(ABC):
    """Yields the batches of an epoch, from any batch of it on.

    What the data draw at random for a batch comes from default generators seeded for that batch.
    """

    n_batches: int | None
    n_rows: int | None

    @abstractmethod
    def batches(self, seed: int, epoch: int, skip: int) -> Iterator[LoadedBatch]:
        """Yield the batches ``skip``, ``skip + 1``, ... of ``epoch`` (both counted from 0)."""


class RowBatches(BatchSource):
    """Batches of rows of tensors or of a map-style data set."""

    def __init__(
        self,
        data: Data,
        n_rows: int,
        name: str,
        options: TrainingOptions,
        *,
        shuffle: bool,
        drop_last: bool,
        limit: int | None,
        process: Process,
    ) -> None:
        self._data = data
        self._name = name
        self._batch_size = options.batch_size
        self._shuffle = shuffle
        self._process = process
        self.n_rows = n_rows
        n_batches = n_rows // self._batch_size if drop_last else -(-n_rows // self._batch_size)
        self.n_batches = n_batches if limit is None else min(n_batches, limit)

    def batches(self, seed: int, epoch: int, skip: int) -> Iterator[LoadedBatch]:
        order = self._order(seed, epoch)
        for index in range(skip, self.n_batches or 0):
            rows = order[index * self._batch_size : (index + 1) * self._batch_size]
            own = self._process.part(rows)
            share = len(own) * self._process.world_size / len(rows)
            # A process without a row of its own takes one that counts nothing: every process has to take every step.
            own = own if len(own) else rows[:1]
            seed_default_generators(self._process.device, seed, self._name, epoch, index)
            yield LoadedBatch(_take(self._data, own), own, rows, float(len(rows)), share)

    def _order(self, seed: int, epoch: int) -> Int64[Tensor, " n"]:
        if not self._shuffle:
            return torch.arange(self.n_rows or 0)
        generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
        return torch.randperm(self.n_rows or 0, generator=generator)


class StreamBatches(BatchSource):
    """Batches that an iterable makes itself."""

    def __init__(self, batches: Iterable[Batch], name: str, *, limit: int | None, process: Process) -> None:
        self._stream = batches
        self._name = name
        self._limit = limit
        self._process = process
        self.n_rows = None
        self.n_batches = self._count()

    def _count(self) -> int | None:
        try:
            n_batches = len(self._stream) // self._process.world_size  # type: ignore[arg-type]
        except TypeError:
            return self._limit
        return n_batches if self._limit is None else min(n_batches, self._limit)

    def batches(self, seed: int, epoch: int, skip: int) -> Iterator[LoadedBatch]:
        if hasattr(self._stream, "set_epoch"):
            self._stream.set_epoch(epoch)
        stream = iter(self._stream)
        for index in itertools.count() if self._limit is None else range(self._limit):
            seed_default_generators(self._process.device, seed, self._name, epoch, index)
            one_each = list(itertools.islice(stream, self._process.world_size))
            if len(one_each) < self._process.world_size:
                return
            if index >= skip:
                yield LoadedBatch(one_each[self._process.rank], None, None, 1.0)


def batch_source(
    data: Data, name: str, options: TrainingOptions, *, is_training: bool, process: Process
) -> BatchSource:
    """Return the batches that ``data`` stands for.

    Parameters
    ----------
    data : Data
        As `fit_module` takes it.
    name : str
        How error messages call it, and the random stream it draws from: training and validation data that are made
        at random must not be the same.
    options : TrainingOptions
        Batch size, and for training whether to shuffle, to drop a short batch and to cut an epoch short.
    is_training : bool
        False goes through all rows in their own order.
    process : Process
        Rows of a batch are dealt out to the processes in contiguous parts; ready batches one to each.

    Raises
    ------
    TypeError
        If ``data`` is none of the accepted kinds.
    ValueError
        If the tensors differ in their number of rows, or there is no batch in them.
    """
    limit = options.steps_per_epoch if is_training else None
    if isinstance(data, TensorDataset):
        data = data.tensors
    n_rows = _count_rows(data, name)
    if n_rows is None:
        return StreamBatches(data, name, limit=limit, process=process)
    drop_last = options.drop_last and is_training
    if n_rows == 0 or (drop_last and n_rows < options.batch_size):
        hint = f", fewer than batch_size={options.batch_size}, and drop_last=True" if n_rows else ""
        raise ValueError(f"{name} has {n_rows} rows{hint}: there is no batch to train on.")
    return RowBatches(
        data,
        n_rows,
        name,
        options,
        shuffle=options.shuffle and is_training,
        drop_last=drop_last,
        limit=limit,
        process=process,
    )


def _count_rows(data: Data, name: str) -> int | None:
    """Return the number of rows, or None when ``data`` yields batches; raise when it is neither."""
    if isinstance(data, Tensor):
        return _count_rows_of([data], name)
    if isinstance(data, Mapping | tuple):
        return _count_rows_of(list(data.values()) if isinstance(data, Mapping) else list(data), name)
    if isinstance(data, Dataset) and not isinstance(data, IterableDataset):
        return len(data)  # type: ignore[arg-type]
    if isinstance(data, str | bytes) or hasattr(data, "__array__") or not isinstance(data, Iterable):
        raise TypeError(
            f"{name} must be a tensor, a tuple or dict of tensors, a torch Dataset or an iterable of batches, "
            f"got {type(data).__name__}; arrays become tensors with torch.as_tensor."
        )
    if isinstance(data, Iterator):
        raise TypeError(
            f"{name} is an iterator, which can be read only once, but every epoch reads it anew; "
            "pass an object whose __iter__ starts over, such as a list of batches or a DataLoader."
        )
    return None


def _count_rows_of(parts: list[Any], name: str) -> int:
    for part in parts:
        if not isinstance(part, Tensor):
            raise TypeError(
                f"{name} must hold tensors only, got {type(part).__name__}; arrays become tensors with torch.as_tensor."
            )
        if part.ndim == 0:
            raise ValueError(f"{name} holds a tensor without rows: a scalar has no first axis to take batches along.")
    counts = sorted({len(part) for part in parts})
    if len(counts) != 1:
        raise ValueError(f"{name} must hold tensors with the same number of rows, got {counts or 'no tensor'}.")
    return counts[0]


def _take(data: Data, rows: Int64[Tensor, " b"]) -> Batch:
    """Copy ``rows`` out of ``data``; the loss may write to what it gets."""
    if isinstance(data, Tensor):
        return _take_tensor(data, rows)
    if isinstance(data, Mapping):
        return {key: _take_tensor(value, rows) for key, value in data.items()}
    if isinstance(data, tuple):
        return tuple(_take_tensor(value, rows) for value in data)
    indices = rows.tolist()
    samples = data.__getitems__(indices) if hasattr(data, "__getitems__") else [data[index] for index in indices]
    return default_collate(samples)


def _take_tensor(tensor: Shaped[Tensor, "n ..."], rows: Int64[Tensor, " b"]) -> Shaped[Tensor, "b ..."]:
    return tensor[rows.to(tensor.device)]
