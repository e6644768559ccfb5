"""Two vector instructions for numba: what a compiler cannot know is that lanes do not overlap.

Arrays are flat; block i of an array is its entries [LANES i, LANES (i + 1)), one a future. Written as loops over
lanes, each of these would be compiled to scalar code, because a store might alias the next load.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 8
"""Futures solved side by side: one AVX-512 register of doubles, two of AVX2."""

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)


def _block(context: Any, builder: Any, array_type: Any, array: Any, number: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(builder.bitcast(data, _VECTOR.as_pointer()), [number])


def _load(builder: Any, pointer: Any) -> Any:
    found = builder.load(pointer)
    found.align = 8
    return found


def _store(builder: Any, value: Any, pointer: Any) -> None:
    builder.store(value, pointer).align = 8


@intrinsic
def take(typing_context: Any, out: Any, i: Any, left: Any, j: Any, right: Any, k: Any) -> Any:
    """Subtract the product of two blocks: out[i] -= left[j] * right[k]."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        target = _block(context, builder, kinds[0], args[0], args[1])
        a = _load(builder, _block(context, builder, kinds[2], args[2], args[3]))
        b = _load(builder, _block(context, builder, kinds[4], args[4], args[5]))
        product = builder.fmul(a, b, flags=("fast",))
        _store(builder, builder.fsub(_load(builder, target), product, flags=("fast",)), target)
        return context.get_dummy_value()

    return types.void(out, i, left, j, right, k), generate


@intrinsic
def give(typing_context: Any, out: Any, i: Any, factor: Any, source: Any, k: Any) -> Any:
    """Add a multiple of a block, the same in every lane: out[i] += factor * source[k]."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        target = _block(context, builder, kinds[0], args[0], args[1])
        a = _load(builder, _block(context, builder, kinds[3], args[3], args[4]))
        spread = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), args[2], ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        factors = builder.shuffle_vector(spread, ir.Constant(_VECTOR, ir.Undefined), mask)
        product = builder.fmul(factors, a, flags=("fast",))
        _store(builder, builder.fadd(_load(builder, target), product, flags=("fast",)), target)
        return context.get_dummy_value()

    return types.void(out, i, factor, source, k), generate
