"""A vector of doubles as one value in compiled code: several problems side by side, one a lane.

Kernels written with these values are vector instructions by construction, roots and quotients included, and compile
fast: there is no loop over lanes for a compiler to recognise. A lane never sees another one. Arrays of such values are
arrays of doubles whose last axis are the lanes, made by :func:`lane_array`.
"""

import operator
from typing import Any, ClassVar

import numpy as np
from llvmlite import ir
from numba import extending, njit, types
from numba.core import cgutils
from numba.core.imputils import lower_builtin
from numba.core.typing import signature
from numba.core.typing.templates import ConcreteTemplate, infer_global
from numba.extending import models, register_model
from numba.np.arrayobj import make_array

intrinsic: Any = extending.intrinsic

_INSIDE: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
part: Any = njit(**_INSIDE)
"""Decorator of what is called from compiled code alone, which spares compiling its ways in from Python."""

LANES = 8
"""Doubles in a value: as many as the widest vector registers hold. Where they are narrower, several are used."""

ROWS = 32
"""Rows whose numbers are collected before a scalar function is taken of all, so that no load waits for a store."""

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_FLAGS = ("contract",)


class _Lanes(types.Type):
    def __init__(self, element: ir.Type) -> None:
        self.vector = ir.VectorType(element, LANES)
        super().__init__(name=f"lanes{LANES}x{element}")


lanes, narrow = _Lanes(ir.DoubleType()), _Lanes(ir.FloatType())
"""Lanes of double precision, and of single, for what is not summed up."""


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, numba_type):
        super().__init__(manager, numba_type, numba_type.vector)


def _register(operation, instruction):
    class Template(ConcreteTemplate):
        cases: ClassVar = [signature(lanes, lanes, lanes), signature(narrow, narrow, narrow)]

    infer_global(operation)(Template)

    @lower_builtin(operation, lanes, lanes)
    @lower_builtin(operation, narrow, narrow)
    def lower(context, builder, sig, args):
        return getattr(builder, instruction)(*args, flags=_FLAGS)


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _register(_operation, _instruction)


def _entry(context, builder, array_type, array, index):
    zero = context.get_constant(types.intp, 0)
    made = make_array(array_type)(context, builder, array)
    pointer = cgutils.get_item_pointer(context, builder, array_type, made, [*index, zero], wraparound=False)
    return builder.bitcast(pointer, _VECTOR.as_pointer())


@intrinsic
def load(typing_context, array, *index):
    """Return the value at an index of an array of lanes."""

    def generate(context, builder, sig, args):
        array_type, index_type = sig.args
        where = [
            context.cast(builder, one, kind, types.intp)
            for one, kind in zip(cgutils.unpack_tuple(builder, args[1]), index_type, strict=True)
        ]
        return builder.load(_entry(context, builder, array_type, args[0], where), align=8 * LANES)

    return lanes(array, types.StarArgTuple(index)), generate


@intrinsic
def store(typing_context, value, array, *index):
    """Set the value at an index of an array of lanes."""

    def generate(context, builder, sig, args):
        _, array_type, index_type = sig.args
        where = [
            context.cast(builder, one, kind, types.intp)
            for one, kind in zip(cgutils.unpack_tuple(builder, args[2]), index_type, strict=True)
        ]
        builder.store(args[0], _entry(context, builder, array_type, args[1], where), align=8 * LANES)

    return types.void(value, array, types.StarArgTuple(index)), generate


@intrinsic
def spread(typing_context, number):
    """Return the value with this number in all lanes."""

    def generate(context, builder, sig, args):
        return _spread(builder, context.cast(builder, args[0], sig.args[0], types.float64), _VECTOR)

    return lanes(number), generate


@intrinsic
def spread_like(typing_context, number, array):
    """Return the value with this number in all lanes, in the precision of an array."""
    single = array.dtype == types.float32

    def generate(context, builder, sig, args):
        number = context.cast(builder, args[0], sig.args[0], sig.args[1].dtype)
        return _spread(builder, number, sig.return_type.vector)

    return (narrow if single else lanes)(number, array), generate


def _spread(builder, number, vector):
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), order)


def _function(name, count):
    def generate(context, builder, sig, args):
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * count)
        called = cgutils.get_or_insert_function(builder.module, kind, f"{name}.v{LANES}f64")
        return builder.call(called, args)

    return lanes(*[lanes] * count), generate


@intrinsic
def root(typing_context, x):
    """Return square roots."""
    return _function("llvm.sqrt", 1)


@intrinsic
def size(typing_context, x):
    """Return absolute values."""
    return _function("llvm.fabs", 1)


@intrinsic
def signed(typing_context, x, sign):
    """Return the size of x with the sign of the other."""
    return _function("llvm.copysign", 2)


@intrinsic
def where_less(typing_context, a, b, x, y):
    """Return x where a < b, and y elsewhere, also where one of a and b is not a number."""

    def generate(context, builder, sig, args):
        return builder.select(builder.fcmp_ordered("<", args[0], args[1]), args[2], args[3])

    return lanes(lanes, lanes, lanes, lanes), generate


@part
def lane_array(count):
    """Return an array (count, LANES) that starts where a vector register can be filled from at once."""
    room = np.empty((count + 1) * LANES)
    skip = (-room.ctypes.data // 8) % LANES
    return room[skip : skip + count * LANES].reshape(count, LANES)


def _bits(builder, x, mask, added):
    """Return the doubles whose bits are those of x, in the mask, joined with others."""
    kind = ir.VectorType(ir.IntType(64), LANES)
    kept = builder.and_(builder.bitcast(x, kind), ir.Constant(kind, [mask] * LANES))
    return builder.bitcast(builder.or_(kept, ir.Constant(kind, [added] * LANES)), _VECTOR)


@intrinsic
def fraction(typing_context, x):
    """Return f in [1, 2) of the positive normal number ``x = f 2^e``."""

    def generate(context, builder, sig, args):
        return _bits(builder, args[0], (1 << 52) - 1, 1023 << 52)

    return lanes(lanes), generate


@intrinsic
def exponent(typing_context, x):
    """Return e of the positive normal number ``x = f 2^e`` with f in [1, 2)."""

    def generate(context, builder, sig, args):
        kind = ir.VectorType(ir.IntType(64), LANES)
        bits = builder.lshr(builder.bitcast(args[0], kind), ir.Constant(kind, [52] * LANES))
        # As the last bits of 2^52 they are a whole number of doubles, without a conversion that few processors have.
        count = builder.bitcast(builder.or_(bits, ir.Constant(kind, [1075 << 52] * LANES)), _VECTOR)
        return builder.fsub(count, ir.Constant(_VECTOR, [2.0**52 + 1023.0] * LANES))

    return lanes(lanes), generate
