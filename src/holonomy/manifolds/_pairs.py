"""What the constant-curvature spaces do to coordinates: sums over pairs of vectors, and linear combinations of them.

Sums are accumulated, and coefficients kept, in double precision whatever the dtype of the vectors. Each operation has
one fused pass on a CPU, forward and backward, and the same formula in plain torch for everything else: other devices,
``torch.func``, ``torch.compile``, and derivatives of derivatives.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from holonomy.manifolds._fused import run_rows
from holonomy.manifolds.numerics import safe_divide, safe_sqrt, widen

_FUSED_DTYPES = (torch.float32, torch.float64)
_SMALL = 4096
_BLOCK_ROWS = 8192


def lengths(x: Tensor, y: Tensor, first: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Return |x|^2, |y|^2 and |y - x|^2 (...) over the columns from ``first`` on."""
    x, y = torch.broadcast_tensors(x, y)
    return _Lengths.apply(x, y, first) if _fused(x, y) else _lengths(x, y, first)


def angles(x: Tensor, y: Tensor, first: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return |x|^2, |y|^2, |y| - |x|, and |x||y| times the squares of |u - w| and |u + w| for the directions (...).

    Each is accurate relative to itself for near, opposite and very unequal vectors; for a zero vector the chords are 0.
    """
    x, y = torch.broadcast_tensors(x, y)
    return _Angles.apply(x, y, first) if _fused(x, y) else _angles(x, y, first)


def dots(v: Tensor, x: Tensor, y: Tensor, first: int = 0) -> tuple[Tensor, Tensor]:
    """Return <v, x> and <v, y - x> (...)."""
    v, x, y = torch.broadcast_tensors(v, x, y)
    return _Dots.apply(v, x, y, first) if _fused(v, x, y) else _dots(v, x, y, first)


def combine(x: Tensor, y: Tensor, p: Tensor, q: Tensor, s: Tensor | float) -> Tensor:
    """Return p x + q (y + s x), in the dtype of x; p, q and s are in double precision (...)."""
    x, y = torch.broadcast_tensors(x, y)
    if _fused(x, y):
        shape = x.shape[:-1]
        factors = (torch.as_tensor(f, dtype=torch.float64).expand(shape) for f in (p, q, s))
        return _Combine.apply(x, y, *factors)
    return _combine(x, y, p, q, s)


def shift(v: Tensor, x: Tensor, y: Tensor, e: Tensor | float, p: Tensor, q: Tensor) -> Tensor:
    """Return e v + p x + q (y - x), in the dtype of v; e, p and q are in double precision (...)."""
    v, x, y = torch.broadcast_tensors(v, x, y)
    if _fused(v, x, y):
        shape = x.shape[:-1]
        factors = (torch.as_tensor(f, dtype=torch.float64).expand(shape) for f in (e, p, q))
        return _Shift.apply(v, x, y, *factors)
    return _shift(v, x, y, e, p, q)


def in_blocks(verb: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Make a verb work through large batches in fixed blocks of rows, whose numbers stay in the cache."""

    @functools.wraps(verb)
    def blocked(self: Any, *tensors: Tensor) -> Tensor:
        first = tensors[0]
        if first.numel() <= 2 * _BLOCK_ROWS * first.shape[-1] or first.device.type != "cpu":
            return verb(self, *tensors)
        if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
            return verb(self, *tensors)
        full = torch.broadcast_tensors(*tensors)
        shape = full[0].shape
        blocks = zip(*(t.reshape(-1, shape[-1]).split(_BLOCK_ROWS) for t in full), strict=True)
        joined = torch.cat([verb(self, *block) for block in blocks])
        return joined.reshape(*shape[:-1], *joined.shape[1:])

    return blocked


def _fused(*tensors: Tensor) -> bool:
    """Say whether the fused kernels serve these tensors of one shape."""
    first = tensors[0]
    return (
        first.numel() > _SMALL
        and first.dtype in _FUSED_DTYPES
        and all(t.device.type == "cpu" and t.dtype == first.dtype for t in tensors)
        and not torch.compiler.is_compiling()
        and not torch._C._are_functorch_transforms_active()
    )


def _lengths(x: Tensor, y: Tensor, first: int) -> tuple[Tensor, Tensor, Tensor]:
    a, b = widen(x[..., first:]), widen(y[..., first:])
    return a.square().sum(-1), b.square().sum(-1), (b - a).square().sum(-1)


def _angles(x: Tensor, y: Tensor, first: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    a, b = widen(x[..., first:]), widen(y[..., first:])
    xx, yy = a.square().sum(-1), b.square().sum(-1)
    nx, ny = safe_sqrt(xx), safe_sqrt(yy)
    d, s = b - a, b + a
    gap = safe_divide((d * s).sum(-1), nx + ny)
    swap = nx > ny
    small, scale = torch.where(swap.unsqueeze(-1), b, a), torch.where(swap, safe_divide(ny, nx), safe_divide(nx, ny))
    part = safe_divide(gap, torch.where(swap, ny, nx)).unsqueeze(-1) * small
    near = scale * (d - part).square().sum(-1)
    far = scale * (s + torch.where(swap.unsqueeze(-1), -part, part)).square().sum(-1)
    return xx, yy, gap, _slope_of(near, d.square().sum(-1) - gap**2), _slope_of(far, s.square().sum(-1) - gap**2)


def _slope_of(value: Tensor, smooth: Tensor) -> Tensor:
    return value.detach() + (smooth - smooth.detach())


def with_slope(value: Tensor, smooth: Callable[[], Tensor]) -> Tensor:
    """Return ``value`` with the derivatives of ``smooth()``, the same number in a form that rounds worse.

    The accurate form may have norms in it, whose second derivatives at 0 are lost.
    """
    if value.requires_grad or torch._C._are_functorch_transforms_active():
        return _slope_of(value, smooth())
    return value


def _dots(v: Tensor, x: Tensor, y: Tensor, first: int) -> tuple[Tensor, Tensor]:
    a, b, c = widen(x[..., first:]), widen(y[..., first:]), widen(v[..., first:])
    return (c * a).sum(-1), (c * (b - a)).sum(-1)


def _combine(x: Tensor, y: Tensor, p: Any, q: Any, s: Any) -> Tensor:
    a, b = widen(x), widen(y)
    return (_column(p) * a + _column(q) * (b + _column(s) * a)).to(x.dtype)


def _shift(v: Tensor, x: Tensor, y: Tensor, e: Any, p: Any, q: Any) -> Tensor:
    a, b = widen(x), widen(y)
    return (_column(e) * widen(v) + _column(p) * a + _column(q) * (b - a)).to(v.dtype)


def _column(factor: Tensor | float) -> Tensor | float:
    return factor.unsqueeze(-1) if isinstance(factor, Tensor) else factor


def _vectors(*tensors: Tensor) -> list[Any]:
    """Return tensors (..., n) as contiguous arrays (m, n) on the same memory where possible."""
    return [t.detach().reshape(-1, t.shape[-1]).contiguous().numpy() for t in tensors]


def _numbers(*tensors: Tensor) -> list[Any]:
    return [t.detach().reshape(-1).contiguous().numpy() for t in tensors]


def _fill(
    kernel: Callable[..., None], arguments: list[Any], like: Tensor, vectors: int = 0, numbers: int = 0
) -> tuple[Tensor, ...]:
    """Run a kernel that fills new ``vectors`` shaped like ``like`` and new double-precision ``numbers``, one a row."""
    rows, width = like[..., 0].numel(), like.shape[-1]
    outputs = [torch.empty(like.shape, dtype=like.dtype) for _ in range(vectors)]
    outputs += [torch.empty(like.shape[:-1], dtype=torch.float64) for _ in range(numbers)]
    arrays: list[Any] = [t.numpy().reshape(rows, width) for t in outputs[:vectors]]
    arrays += [t.numpy().reshape(rows) for t in outputs[vectors:]]
    run_rows(kernel, [*arguments, *arrays], rows, width)
    return tuple(outputs)


def _again(function: Callable[..., Any], inputs: Sequence[Any], gradients: Sequence[Tensor]) -> tuple[Any, ...]:
    """Return gradients that can be differentiated again, from the formula in plain torch.

    The formula is applied to views, so that an input computed from another one counts as independent of it.
    """
    wanted = [t for t in inputs if isinstance(t, Tensor)]
    copies = [t.view_as(t) if t.requires_grad else t.detach().requires_grad_() for t in wanted]
    fresh = iter(copies)
    outputs = function(*[next(fresh) if isinstance(t, Tensor) else t for t in inputs])
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    found = torch.autograd.grad(outputs, copies, gradients, create_graph=True, allow_unused=True)
    return (*found, *[None] * (len(inputs) - len(wanted)))


class _Lengths(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, first: int) -> tuple[Tensor, ...]:
        from holonomy.manifolds._pair_kernels import lengths_rows

        ctx.save_for_backward(x, y)
        ctx.first = first
        return _fill(lengths_rows, [*_vectors(x, y), first], x, numbers=3)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        from holonomy.manifolds._pair_kernels import lengths_slopes

        x, y = ctx.saved_tensors
        if torch.is_grad_enabled():
            return _again(_lengths, (x, y, ctx.first), gradients)
        return *_fill(lengths_slopes, [*_vectors(x, y), ctx.first, *_numbers(*gradients)], x, vectors=2), None


class _Angles(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, first: int) -> tuple[Tensor, ...]:
        from holonomy.manifolds._pair_kernels import angles_rows

        outputs = _fill(angles_rows, [*_vectors(x, y), first], x, numbers=5)
        ctx.save_for_backward(x, y, *outputs[:3])
        ctx.first = first
        return outputs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        from holonomy.manifolds._pair_kernels import angles_slopes

        x, y, *norms = ctx.saved_tensors
        if torch.is_grad_enabled():
            return _again(_angles, (x, y, ctx.first), gradients)
        arguments = [*_vectors(x, y), ctx.first, *_numbers(*norms, *gradients)]
        return *_fill(angles_slopes, arguments, x, vectors=2), None


class _Dots(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, v: Tensor, x: Tensor, y: Tensor, first: int) -> tuple[Tensor, ...]:
        from holonomy.manifolds._pair_kernels import dots_rows

        ctx.save_for_backward(v, x, y)
        ctx.first = first
        return _fill(dots_rows, [*_vectors(v, x, y), first], x, numbers=2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        from holonomy.manifolds._pair_kernels import dots_slopes

        v, x, y = ctx.saved_tensors
        if torch.is_grad_enabled():
            return _again(_dots, (v, x, y, ctx.first), gradients)
        return *_fill(dots_slopes, [*_vectors(v, x, y), ctx.first, *_numbers(*gradients)], x, vectors=3), None


class _Combine(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, p: Tensor, q: Tensor, s: Tensor) -> Tensor:
        from holonomy.manifolds._pair_kernels import combine_rows

        ctx.save_for_backward(x, y, p, q, s)
        return _fill(combine_rows, [*_vectors(x, y), *_numbers(p, q, s)], x, vectors=1)[0]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        from holonomy.manifolds._pair_kernels import combine_slopes

        x, y, *factors = ctx.saved_tensors
        if torch.is_grad_enabled():
            return _again(_combine, (x, y, *factors), (gradient,))
        arguments = [*_vectors(x, y), *_numbers(*factors), *_vectors(gradient)]
        return _fill(combine_slopes, arguments, x, vectors=2, numbers=3)


class _Shift(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, v: Tensor, x: Tensor, y: Tensor, e: Tensor, p: Tensor, q: Tensor) -> Tensor:
        from holonomy.manifolds._pair_kernels import shift_rows

        ctx.save_for_backward(v, x, y, e, p, q)
        return _fill(shift_rows, [*_vectors(v, x, y), *_numbers(e, p, q)], x, vectors=1)[0]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        from holonomy.manifolds._pair_kernels import shift_slopes

        v, x, y, *factors = ctx.saved_tensors
        if torch.is_grad_enabled():
            return _again(_shift, (v, x, y, *factors), (gradient,))
        arguments = [*_vectors(v, x, y), *_numbers(*factors), *_vectors(gradient)]
        return _fill(shift_slopes, arguments, x, vectors=3, numbers=3)
