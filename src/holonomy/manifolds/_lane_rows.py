"""Rows of coordinates in compiled code, eight columns at a time, in double precision whatever they are stored in.

A row lies in a C-contiguous array (m, n) of float32 or float64. What is beyond its end is read as 0, and not written.
"""

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.np.arrayobj import make_array

from holonomy.manifolds._lanes import LANES, ROWS, intrinsic, lane_array, lanes, load, narrow, part, spread, store

_INSIDE: dict[str, Any] = {"error_model": "numpy", "forceinline": True, "_nrt": False}
inside: Any = njit(**_INSIDE)
"""Decorator of what is called for each row: it allocates nothing, so arrays given to it need not be counted."""


def _stored(context, element):
    """Return the vector type of this many array elements."""
    return ir.VectorType(context.get_value_type(element), LANES)


def _place(context, builder, array_type, array, i, j):
    made = make_array(array_type)(context, builder, array)
    pointer = cgutils.get_item_pointer(context, builder, array_type, made, [i, j], wraparound=False)
    return builder.bitcast(pointer, _stored(context, array_type.dtype).as_pointer())


def _size(context, element):
    return context.get_abi_sizeof(context.get_value_type(element))


def _mask(builder, count):
    """Say of each lane whether its number is below the count."""
    kind = ir.VectorType(count.type, LANES)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), count, ir.Constant(ir.IntType(32), 0))
    order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    counts = builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), order)
    return builder.icmp_signed("<", ir.Constant(kind, list(range(LANES))), counts)


def _masked(name, element):
    return f"llvm.masked.{name}.v{LANES}f{element.bitwidth}.p0"


def _wide(builder, value):
    double = ir.VectorType(ir.DoubleType(), LANES)
    return value if value.type == double else builder.fpext(value, double)


def _as_stored(array):
    """Return the type of the lanes of what an array holds."""
    return narrow if array.dtype == types.float32 else lanes


def _generate_read(context, builder, sig, args):
    array_type, *kinds = sig.args
    where = [context.cast(builder, *one, types.intp) for one in zip(args[1:], kinds, strict=True)]
    place = _place(context, builder, array_type, args[0], *where)
    value = builder.load(place, align=_size(context, array_type.dtype))
    return _wide(builder, value) if sig.return_type == lanes else value


@intrinsic
def _read(typing_context, array, i, j):
    return lanes(array, i, j), _generate_read


@intrinsic
def _read_stored(typing_context, array, i, j):
    return _as_stored(array)(array, i, j), _generate_read


def _generate_read_some(context, builder, sig, args):
    array_type, *kinds = sig.args
    *where, left = (context.cast(builder, *one, types.intp) for one in zip(args[1:], kinds, strict=True))
    place, stored = _place(context, builder, array_type, args[0], *where), _stored(context, array_type.dtype)
    mask, align = _mask(builder, left), ir.Constant(ir.IntType(32), _size(context, array_type.dtype))
    kind = ir.FunctionType(stored, [place.type, align.type, mask.type, stored])
    called = cgutils.get_or_insert_function(builder.module, kind, _masked("load", array_type.dtype))
    value = builder.call(called, [place, align, mask, ir.Constant(stored, [0.0] * LANES)])
    return _wide(builder, value) if sig.return_type == lanes else value


@intrinsic
def _read_some(typing_context, array, i, j, count):
    return lanes(array, i, j, count), _generate_read_some


@intrinsic
def _read_some_stored(typing_context, array, i, j, count):
    return _as_stored(array)(array, i, j, count), _generate_read_some


@intrinsic
def _write(typing_context, value, array, i, j):
    def generate(context, builder, sig, args):
        _, array_type, *kinds = sig.args
        where = [context.cast(builder, *one, types.intp) for one in zip(args[2:], kinds, strict=True)]
        place, stored = _place(context, builder, array_type, args[1], *where), _stored(context, array_type.dtype)
        value = args[0] if args[0].type == stored else builder.fptrunc(args[0], stored)
        builder.store(value, place, align=_size(context, array_type.dtype))

    return types.void(value, array, i, j), generate


@intrinsic
def _write_some(typing_context, value, array, i, j, count):
    def generate(context, builder, sig, args):
        _, array_type, *kinds = sig.args
        *where, left = (context.cast(builder, *one, types.intp) for one in zip(args[2:], kinds, strict=True))
        place, stored = _place(context, builder, array_type, args[1], *where), _stored(context, array_type.dtype)
        mask, align = _mask(builder, left), ir.Constant(ir.IntType(32), _size(context, array_type.dtype))
        value = args[0] if args[0].type == stored else builder.fptrunc(args[0], stored)
        kind = ir.FunctionType(ir.VoidType(), [stored, place.type, align.type, mask.type])
        called = cgutils.get_or_insert_function(builder.module, kind, _masked("store", array_type.dtype))
        builder.call(called, [value, place, align, mask])

    return types.void(value, array, i, j, count), generate


@intrinsic
def total(typing_context, x):
    """Return the sum of the lanes, halves added to halves."""

    def generate(context, builder, sig, args):
        double = ir.DoubleType()
        kind = ir.FunctionType(double, [double, args[0].type])
        called = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.fadd.v{LANES}f64")
        return builder.call(called, [ir.Constant(double, -0.0), args[0]], fastmath=("reassoc",))

    return types.float64(x), generate


def _folding(stride):
    """Return a function that adds neighbours this far apart in two vectors: those of the first, then of the second."""
    kind = ir.VectorType(ir.IntType(32), LANES)
    low = [(k // stride % 2) * LANES + k // (2 * stride) * 2 * stride + k % stride for k in range(LANES)]

    @intrinsic
    def fold(typing_context, a, b):
        def generate(context, builder, sig, args):
            halves = (builder.shuffle_vector(*args, ir.Constant(kind, [k + s for k in low])) for s in (0, stride))
            return builder.fadd(*halves)

        return lanes(a, b), generate

    return fold


_ones, _twos, _fours = _folding(1), _folding(2), _folding(4)


@inside
def totals(parts, i, q):
    """Return the sums of the lanes of the vectors (8 i, q), (8 i + 1, q), ..., each in a lane."""
    r = LANES * i
    a = _ones(load(parts, r, q), load(parts, r + 1, q))
    b = _ones(load(parts, r + 2, q), load(parts, r + 3, q))
    c = _ones(load(parts, r + 4, q), load(parts, r + 5, q))
    d = _ones(load(parts, r + 6, q), load(parts, r + 7, q))
    return _fours(_twos(a, b), _twos(c, d))


@inside
def entries(x, i, j):
    """Return columns j, j + 1, ... of row i, and 0 beyond its end."""
    left = x.shape[1] - j
    if left >= LANES:
        return _read(x, i, j)
    return _read_some(x, i, j, left)


@inside
def stored_entries(x, i, j):
    """Return the same in the precision in which they are stored."""
    left = x.shape[1] - j
    if left >= LANES:
        return _read_stored(x, i, j)
    return _read_some_stored(x, i, j, left)


@inside
def put(value, x, i, j):
    """Set columns j, j + 1, ... of row i, as far as there are any."""
    left = x.shape[1] - j
    if left >= LANES:
        _write(value, x, i, j)
    else:
        _write_some(value, x, i, j, left)


@inside
def collect_lengths(x, y, first, count, column, parts, lanes):
    """Fill |x|^2, |y|^2, |y|^2 - |x|^2 and |y - x|^2 of some rows over the columns from this one on."""
    for r in range(count):
        xx, yy, rise, dd = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
        for j in range(column, x.shape[1], LANES):
            a, b = entries(x, first + r, j), entries(y, first + r, j)
            d = b - a
            xx, yy = xx + a * a, yy + b * b
            rise, dd = rise + d * (b + a), dd + d * d
        store(xx, parts, r, 0), store(yy, parts, r, 1), store(rise, parts, r, 2), store(dd, parts, r, 3)
    for i in range((count + LANES - 1) // LANES):
        for q in range(4):
            store(totals(parts, i, q), lanes, q, i)


@part
def room(count):
    """Return arrays for ``count`` numbers of each of some rows: (count, ROWS // LANES, LANES), and (count, ROWS)."""
    vectors = lane_array(count * (ROWS // LANES))
    return vectors.reshape(count, ROWS // LANES, LANES), vectors.reshape(count, ROWS)


@part
def parts_room(count):
    """Return an array (ROWS, count, LANES) for sums of each of some rows whose lanes are not added up yet."""
    return lane_array(count * ROWS).reshape(ROWS, count, LANES)
