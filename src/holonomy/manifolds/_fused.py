"""Verbs as one pass over memory: compiled kernels for rows of coordinates on a CPU, forward and backward.

A verb decorated with :func:`fused` stays the formula that it is, in plain torch, for everything the kernels do not
serve: other devices and dtypes, a curvature that is learned, ``torch.func``, ``torch.compile``, and derivatives of
derivatives.
"""

import functools
import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from holonomy._core.parallel import in_threads

_DTYPES = (torch.float32, torch.float64)
_THREADED_WORK, _BLOCK_WORK, _BLOCK_ROWS = 1 << 19, 1 << 18, 32
"""From how much work on other threads help, how much of it a block is, and what its number of rows is a multiple of."""
_ROW_WORK = 16
"""What is done once a row takes about as long as this many of its entries."""
_MATRIX_ENTRIES = 1 << 15
"""Up to this many entries torch does not divide an operation among threads of its own."""


def fused(formula: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Make a verb use the kernels of its name in the module that ``self._kernels()`` names, wherever they can serve."""
    name = formula.__name__[1:]
    number = name in ("dist", "squared_dist")

    @functools.wraps(formula)
    def verb(self: Any, *tensors: Tensor) -> Tensor:
        module = self._kernels()
        if module is None or not served(*tensors):
            return formula(self, *tensors)
        first = tensors[0]
        for one in tensors[1:]:
            if one.shape != first.shape:
                tensors = torch.broadcast_tensors(*tensors)
                break
        options = self._kernel_options(name, first.dtype)
        if torch.is_grad_enabled():
            for one in tensors:
                if one.requires_grad:
                    job = _Job(module, name, number, options, functools.partial(formula, self))
                    return _Fused.apply(job, *tensors)
        return _value(_kernel(module, name), number, options, tensors)

    return verb


def served(*tensors: Tensor) -> bool:
    """Say whether compiled kernels can serve these tensors."""
    dtype = tensors[0].dtype
    if dtype not in _DTYPES or torch._C._are_functorch_transforms_active() or torch.compiler.is_compiling():
        return False
    for one in tensors:  # noqa: SIM110 - a call for a single point takes a few microseconds, and all() half of one
        if not one.is_cpu or one.dtype != dtype:
            return False
    return True


def run_rows(kernel: Callable[..., None], arguments: Sequence[Any], rows: int, work: int) -> None:
    """Run a kernel over fixed blocks of rows, in as many threads as torch may use.

    ``work`` is what a row takes, in entries that are read and added up.
    """
    total = rows * (work + _ROW_WORK)
    if total <= _THREADED_WORK:
        kernel(*arguments, 0, rows)
        return
    # An even number, so that two threads are done at the same time where there are few.
    count = 2 * math.ceil(0.5 * total / _BLOCK_WORK)
    block = math.ceil(rows / count / _BLOCK_ROWS) * _BLOCK_ROWS
    bounds = [(start, min(start + block, rows)) for start in range(0, rows, block)]
    in_threads(lambda bound: kernel(*arguments, *bound), bounds, torch.get_num_threads())


def in_matrix_blocks(work: Callable[..., tuple[Tensor, ...]], *tensors: Tensor) -> tuple[Tensor, ...]:
    """Apply work without derivatives to fixed blocks of a batch of matrices, in as many threads as torch may use.

    The tensors have the same leading axes as the first, whose last two axes are a matrix; so have the results.
    """
    first = tensors[0]
    shape, size = first.shape[:-2], first.shape[-2] * first.shape[-1]
    count, block = math.prod(shape), max(1, _MATRIX_ENTRIES // max(size, 1))
    if first.device.type != "cpu" or count <= block or torch._C._are_functorch_transforms_active():
        return work(*tensors)
    flat = [one.reshape(count, *one.shape[len(shape) :]) for one in tensors]
    pieces = list(zip(*(one.split(block) for one in flat), strict=True))
    results: list[tuple[Tensor, ...]] = [()] * len(pieces)

    def fill(index: int) -> None:
        with torch.no_grad():
            results[index] = work(*pieces[index])

    in_threads(fill, range(len(pieces)), torch.get_num_threads())
    joined = (torch.cat(parts) for parts in zip(*results, strict=True))
    return tuple(one.reshape(*shape, *one.shape[1:]) for one in joined)


def again(formula: Callable[..., Tensor], inputs: Sequence[Tensor], gradient: Tensor) -> tuple[Tensor, ...]:
    """Return gradients that can be differentiated again, from the formula in plain torch.

    The formula is applied to views, so that an input computed from another one counts as independent of it.
    """
    views = [one.view_as(one) if one.requires_grad else one.detach().requires_grad_() for one in inputs]
    return torch.autograd.grad(formula(*views), views, gradient, create_graph=True, allow_unused=True)


@dataclass(frozen=True)
class _Job:
    """What a verb needs: its kernels, the numbers they take first, and the formula behind them."""

    module: str
    name: str
    number: bool
    options: tuple[float, ...]
    formula: Callable[..., Tensor]


@functools.cache
def _kernel(module: str, name: str) -> Callable[..., None]:
    return getattr(importlib.import_module(module), name)


@functools.cache
def _count(module: str, name: str) -> int | None:
    return getattr(importlib.import_module(module), "SUMS", {}).get(name)


def _sums(job: _Job, like: Tensor) -> tuple[Tensor, ...]:
    """Return room for what the gradients of a verb take from its value, if its kernels keep any."""
    count = _count(job.module, job.name)
    return () if count is None else (torch.empty((count, like[..., 0].numel()), dtype=torch.float64),)


def _value(
    kernel: Callable[..., None],
    number: bool,
    options: tuple[float, ...],
    tensors: Sequence[Tensor],
    kept: Sequence[Tensor] = (),
) -> Tensor:
    like = tensors[0]
    shape = like.shape
    width = shape[-1]
    rows = like.numel() // max(width, 1)
    out = like.new_empty(shape[:-1] if number else shape)
    filled = out.numpy().reshape(rows if number else (rows, width))
    arrays = [*(_rows(one, rows, width) for one in tensors), *(one.numpy() for one in kept), filled]
    run_rows(kernel, [*options, *arrays], rows, width)
    return out


def _rows(x: Tensor, rows: int, width: int) -> Any:
    """Return a tensor (..., n) as a contiguous array (m, n) on the same memory where possible."""
    if x.requires_grad:
        x = x.detach()
    if not x.is_contiguous():
        x = x.contiguous()
    array = x.numpy()
    return array if array.ndim == 2 else array.reshape(rows, width)


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, job: _Job, *tensors: Tensor) -> Tensor:
        kept = _sums(job, tensors[0])
        ctx.job, ctx.count = job, len(tensors)
        ctx.save_for_backward(*tensors, *kept)
        name = f"{job.name}_with_sums" if kept else job.name
        return _value(_kernel(job.module, name), job.number, job.options, tensors, kept)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        job, tensors, kept = ctx.job, ctx.saved_tensors[: ctx.count], ctx.saved_tensors[ctx.count :]
        if torch.is_grad_enabled():
            return None, *again(job.formula, tensors, gradient)
        like = tensors[0]
        rows, width = like.numel() // max(like.shape[-1], 1), like.shape[-1]
        given = gradient.contiguous().numpy().reshape(rows if job.number else (rows, width))
        found = [torch.empty(like.shape, dtype=like.dtype) for _ in tensors]
        arrays = [_rows(one, rows, width) for one in tensors]
        arrays += [*(one.numpy() for one in kept), given, *(one.numpy().reshape(rows, width) for one in found)]
        run_rows(_kernel(job.module, f"{job.name}_slopes"), [*job.options, *arrays], rows, width)
        return None, *found
