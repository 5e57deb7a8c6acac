"""The points that one step moves together: a parameter, several of one manifold, or the touched rows of one."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from holonomy.manifolds import Manifold
from holonomy.optim._motion import Motion, batch_shape

SMALL = {"cpu": 1 << 14}
"""Most entries of a parameter that is worth copying to be moved together with others, by device."""

SMALL_ELSEWHERE = 1 << 20


@dataclass
class Source:
    """A parameter with what the optimiser knows of it.

    Attributes
    ----------
    parameter : Tensor
        The points (..., *manifold.shape), or numbers.
    label : str
        How errors call it.
    manifold : Manifold or None
        Where its points live.
    state : dict
        ``step``, a number or one for each row of sparse gradients; vectors (shape of the parameter); and moments.
    """

    parameter: Tensor
    label: str
    manifold: Manifold | None
    state: dict[str, Tensor]


@dataclass
class Rows:
    """Points that move in one go, with gradients and state.

    Attributes
    ----------
    points, derivatives : Tensor
        Of shape (..., *manifold.shape).
    step : float or Tensor
        Which step this is, counted from 1; one number for each row of a sparse gradient.
    state : dict of str to Tensor
        Vectors and moments of these points. What is written to them, and to the points, is kept by :meth:`store`.
    fresh : bool
        Whether state was created in this step.
    """

    sources: list[Source]
    motion: Motion
    points: Tensor
    derivatives: Tensor
    step: float | Tensor
    state: dict[str, Tensor]
    fresh: bool = False
    index: tuple[Tensor, ...] | None = None
    lengths: Tensor | None = field(default=None, repr=False)

    def column(self, numbers: float | Tensor, like: Tensor) -> float | Tensor:
        """Return a number, or the numbers of the rows shaped to broadcast against ``like``, in its dtype."""
        if not isinstance(numbers, Tensor) or numbers.ndim == 0:
            return numbers
        return numbers.reshape(*numbers.shape, *[1] * (like.ndim - numbers.ndim)).to(like.dtype)

    def accumulate_(self, moment: Tensor, g: Tensor, keep: float | Tensor, weight: float | Tensor) -> None:
        """Add ``weight`` times the squared lengths of g to ``keep`` times the moment, in place."""
        keep, weight = self.column(keep, moment), self.column(weight, moment)
        moment.mul_(keep)
        if isinstance(weight, Tensor):
            moment.add_(self._squared_lengths(g) * weight)
        elif moment.shape == g.shape and self.motion.factors.spread(moment) is moment:
            moment.addcmul_(g, g, value=weight)
        else:
            moment.add_(self._squared_lengths(g), alpha=weight)

    def _squared_lengths(self, g: Tensor) -> Tensor:
        return self.motion.factors.squared_lengths(self.points, g) if self.lengths is None else self.lengths

    def store(self) -> None:
        """Write points and state back to where they were copied from."""
        if self.index is not None:
            source = self.sources[0]
            pairs = [(source.parameter, self.points), *((source.state[n], t) for n, t in self.state.items())]
            for whole, new in pairs:
                if len(self.index) == 1:
                    whole.index_copy_(0, self.index[0], new)
                else:
                    whole.index_put_(self.index, new)
            return
        if len(self.sources) == 1:
            return
        for name, joined in [("", self.points), *self.state.items()]:
            kept = [source.state[name] if name else source.parameter for source in self.sources]
            counts = [batch_shape(source.manifold, source.parameter).numel() for source in self.sources]
            torch._foreach_copy_(
                kept, [part.reshape(k.shape) for part, k in zip(joined.split(counts), kept, strict=True)]
            )

    def check_finite(self) -> None:
        """Raise naming the parameter and the row, if a derivative is not a finite number.

        Raises
        ------
        ValueError
            If one is not.
        """
        if torch.compiler.is_compiling() or bool(torch.isfinite(self.derivatives.sum())):
            return
        wrong = ~torch.isfinite(self.derivatives)
        if not bool(wrong.any()):
            return
        place = [int(i) for i in wrong.nonzero()[0]]
        label, row = self._where(place)
        raise ValueError(
            f"The gradient of {label} holds NaN or infinity at index {row}; look at the loss there, or skip the step."
        )

    def _where(self, place: list[int]) -> tuple[str, tuple[int, ...]]:
        if self.index is not None:
            return self.sources[0].label, (*(int(axis[place[0]]) for axis in self.index), *place[1:])
        if len(self.sources) == 1:
            return self.sources[0].label, tuple(place)
        row = place[0]
        for source in self.sources:
            batch = batch_shape(source.manifold, source.parameter)
            if row < batch.numel():
                first = tuple(int(i) for i in torch.unravel_index(torch.tensor(row), batch)) if batch else ()
                return source.label, (*first, *place[1:])
            row -= batch.numel()
        raise AssertionError("the row belongs to none of the parameters")


def gather(members: list[tuple[Source, Motion, bool]], joint: bool | None) -> Iterator[Rows]:
    """Yield the rows of a parameter group, those of small parameters of one manifold together.

    Parameters
    ----------
    members : list of (Source, Motion, bool)
        Parameters with gradients, whose state exists, and whether it is new.
    joint : bool or None
        Whether parameters are joined; None joins small ones.
    """
    heaps: dict[tuple, list[tuple[Source, Motion, bool]]] = {}
    for number, (source, motion, fresh) in enumerate(members):
        parameter, step = source.parameter, source.state["step"]
        small = parameter.numel() <= SMALL.get(parameter.device.type, SMALL_ELSEWHERE)
        gradient = parameter.grad
        alone = gradient is None or gradient.is_sparse or step.ndim > 0 or joint is False
        if alone or not (small or joint):
            heaps[number,] = [(source, motion, fresh)]
        else:
            key = (id(source.manifold), parameter.dtype, parameter.device, float(step), fresh)
            heaps.setdefault(key, []).append((source, motion, fresh))
    for heap in heaps.values():
        source, motion, fresh = heap[0]
        if len(heap) > 1:
            yield _joined([one for one, _, _ in heap], motion, fresh)
        elif source.parameter.grad is not None and source.parameter.grad.is_sparse:
            yield _touched(source, motion, fresh)
        else:
            yield _whole(source, motion, fresh)


def _whole(source: Source, motion: Motion, fresh: bool) -> Rows:
    step = source.state["step"]
    step += 1
    state = {name: value for name, value in source.state.items() if name != "step"}
    gradient = source.parameter.grad
    count = step.double() if step.ndim else float(step)
    return Rows([source], motion, source.parameter, gradient, count, state, fresh)  # type: ignore[arg-type]


def _joined(sources: list[Source], motion: Motion, fresh: bool) -> Rows:
    """Copy the points of several parameters side by side, along one axis."""
    manifold = sources[0].manifold
    shape = () if manifold is None else manifold.shape
    points = torch.cat([source.parameter.reshape(-1, *shape) for source in sources])
    derivatives = torch.cat([source.parameter.grad.reshape(-1, *shape) for source in sources])  # type: ignore[union-attr]
    state = {}
    for name in sources[0].state:
        if name == "step":
            continue
        tail = shape if sources[0].state[name].shape == sources[0].parameter.shape else motion.factors.shape
        state[name] = torch.cat([source.state[name].reshape(-1, *tail) for source in sources])
    for source in sources:
        source.state["step"] += 1
    return Rows(sources, motion, points, derivatives, float(sources[0].state["step"]), state, fresh)


def _touched(source: Source, motion: Motion, fresh: bool) -> Rows:
    """Copy the rows that a sparse gradient names; each counts its own steps."""
    gradient = source.parameter.grad.coalesce()  # type: ignore[union-attr]
    axes = gradient.sparse_dim()
    rows = source.parameter.shape[:axes]
    index = tuple(gradient.indices())
    if source.state["step"].ndim == 0:
        source.state["step"] = source.state["step"].to(source.parameter.device).expand(rows).clone()
    counts = source.state["step"]
    counts.index_put_(index, counts[index] + 1)

    def pick(t: Tensor) -> Tensor:
        return t.index_select(0, index[0]) if axes == 1 else t[index]

    state = {name: pick(value) for name, value in source.state.items() if name != "step"}
    step = pick(counts).double()
    return Rows([source], motion, pick(source.parameter), gradient.values(), step, state, fresh, index)


def moment_shape(motion: Motion, manifold: Manifold | None, parameter: Tensor) -> tuple[int, ...]:
    """Return the shape of the second moments of a parameter."""
    return (*batch_shape(manifold, parameter), *motion.factors.shape)
