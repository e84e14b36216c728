"""Several numbers in one register: a value that kernels load, compute with and store as if it were one number.

    some = lanes_left(h, H - n)                 the first min(LANES, H - n) lanes
    value = load(h, row + n, some)              h[row + n], h[row + n + 1], …
    store(out, row + n, 1 - value * value, some)

The compiler vectorises a loop by itself only if it can prove, or cheaply check, that its arrays do not overlap, and
leaves the last few of 20 units to be done one at a time. Written like this there is nothing to prove, and the
rest of a row is one masked instruction.

Without the compiler (NUMBA_DISABLE_JIT=1) a value is a short NumPy array, and the same code runs.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from rnnviz.nn.kernels.jit import compiled_as, kernel
from rnnviz.nn.kernels.numba_private import data_of
from rnnviz.nn.kernels.numba_untyped import (
    cgutils,
    intrinsic,
    ir,
    llvm,
    lower_builtin,
    models,
    register_model,
    type_callable,
    types,
)


def _register_bytes() -> int:
    features = llvm.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


#: Bytes of this machine's vector register.
REGISTER = _register_bytes()
_SHORT = ir.IntType(32)


class Lanes(types.Type):  # type: ignore[misc]
    """The numba type of a register full of `element`s; of booleans: a mask."""

    def __init__(self, element: Any, count: int) -> None:
        self.element, self.count = element, count
        super().__init__(name=f"Lanes({element}, {count})")


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, lanes: Any) -> None:
        bit = lanes.element == types.boolean
        element = ir.IntType(1) if bit else manager.lookup(lanes.element).get_value_type()
        super().__init__(manager, lanes, ir.VectorType(element, lanes.count))


def _spread(builder: Any, value: Any, count: int) -> Any:
    """`value` in every lane."""
    empty = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(_SHORT, 0))
    return builder.shuffle_vector(first, empty, ir.Constant(ir.VectorType(_SHORT, count), [0] * count))


def _masked(builder: Any, name: str, result: Any, values: list[Any], vector: Any, bits: int) -> Any:
    shape = ir.FunctionType(result, [value.type for value in values])
    full = f"llvm.masked.{name}.v{vector.count}f{bits}.p0"
    return builder.call(cgutils.get_or_insert_function(builder.module, shape, full), values)


def store_masked(builder: Any, value: Any, place: Any, mask: Any) -> None:
    """Writes the first lanes of a vector, as many as `mask` has set, to `place`.

    Where a masked store is slow (AMD before Zen 4 takes 12 cycles and more, and what it wrote cannot be read back
    from the store buffer) a whole register is stored as one, and the last of a row as its half, its quarter, …
    """
    vector = value.type
    count, number = vector.count, vector.element
    size = 8 if number == ir.DoubleType() else 4
    if REGISTER == 64:
        kind = ir.FunctionType(ir.VoidType(), [vector, vector.as_pointer(), _SHORT, mask.type])
        name = f"llvm.masked.store.v{count}f{8 * size}.p0"
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        builder.call(function, [value, builder.bitcast(place, vector.as_pointer()), ir.Constant(_SHORT, size), mask])
        return
    place = builder.bitcast(place, number.as_pointer())
    bits = builder.bitcast(mask, ir.IntType(count))
    with builder.if_else(builder.icmp_signed("==", bits, ir.Constant(bits.type, -1)), likely=True) as (all_of, some_of):
        with all_of:
            builder.store(value, builder.bitcast(place, vector.as_pointer()), align=size)
        with some_of:
            left = builder.ctpop(bits)
            half = count // 2
            while half:
                low = _part(builder, value, 0, half)
                fits = builder.icmp_unsigned("!=", builder.and_(left, ir.Constant(left.type, half)), left.type(0))
                with builder.if_then(fits):
                    builder.store(low, builder.bitcast(place, low.type.as_pointer()), align=size)
                value = builder.select(fits, _part(builder, value, half, half), low)
                place = builder.select(fits, builder.gep(place, [_SHORT(half)]), place)
                half //= 2


def _part(builder: Any, vector: Any, first: int, count: int) -> Any:
    """Some lanes of a vector as a shorter one."""
    lanes = ir.Constant(ir.VectorType(_SHORT, count), list(range(first, first + count)))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), lanes)


# -- arithmetic ----------------------------------------------------------------------------------------


def _binary(symbol: Any, build: Any, mask: bool = False) -> None:
    """Lanes ∘ Lanes, Lanes ∘ number, number ∘ Lanes; the number is taken in the lanes' precision."""

    @type_callable(symbol)
    def typer(context: Any) -> Any:
        def typed(left: Any, right: Any) -> Any:
            lanes = left if isinstance(left, Lanes) else right
            other = right if lanes is left else left
            if isinstance(lanes, Lanes) and (other == lanes or isinstance(other, types.Number)):
                return Lanes(types.boolean, lanes.count) if mask else lanes
            return None

        return typed

    def lower(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = next(kind for kind in signature.args if isinstance(kind, Lanes))
        sides = [
            side
            if isinstance(kind, Lanes)
            else _spread(builder, context.cast(builder, side, kind, lanes.element), lanes.count)
            for side, kind in zip(args, signature.args, strict=True)
        ]
        return build(builder, *sides)

    for kinds in ((Lanes, Lanes), (Lanes, types.Number), (types.Number, Lanes)):
        lower_builtin(symbol, *kinds)(lower)


_binary(operator.add, lambda b, x, y: b.fadd(x, y, flags=("contract",)))
_binary(operator.sub, lambda b, x, y: b.fsub(x, y, flags=("contract",)))
_binary(operator.mul, lambda b, x, y: b.fmul(x, y, flags=("contract",)))
_binary(operator.truediv, lambda b, x, y: b.fdiv(x, y))
_binary(operator.gt, lambda b, x, y: b.fcmp_ordered(">", x, y), mask=True)
_binary(operator.lt, lambda b, x, y: b.fcmp_ordered("<", x, y), mask=True)


@type_callable(operator.neg)
def _type_neg(context: Any) -> Any:
    return lambda value: value if isinstance(value, Lanes) else None


@lower_builtin(operator.neg, Lanes)
def _lower_neg(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.fneg(args[0])


# -- what has no operator ------------------------------------------------------------------------------


def where(mask: Any, yes: Any, no: Any) -> Any:
    """`yes` in the lanes where `mask` is true, `no` elsewhere; either may be a number."""
    return np.where(mask, yes, no).astype(np.result_type(yes if np.ndim(yes) else no))


def copysign(size: Any, sign: Any) -> Any:
    """The size of one with the sign of the other."""
    return np.copysign(size, sign)


def exponent_bits(shifted: Any) -> Any:
    """2ⁿ, where `shifted` = n + 1.5·2⁵² + 1023 in float64 (1.5·2²³ + 127 in float32): the sum has put n + bias
    into the lowest bits of the mantissa; moved up, they are the exponent of 2ⁿ."""
    bits, places = (np.int64, 52) if shifted.dtype == np.float64 else (np.int32, 23)
    return np.left_shift(shifted.view(bits), bits(places)).view(shifted.dtype)


def precision(value: Any) -> int:
    """64 or 32: the bits of each number. A constant to the compiler."""
    return int(value.dtype.itemsize * 8)


@intrinsic
def _where(typingctx: Any, mask: Any, yes: Any, no: Any) -> Any:
    lanes = yes if isinstance(yes, Lanes) else no

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        sides = [
            side
            if isinstance(kind, Lanes)
            else _spread(builder, context.cast(builder, side, kind, lanes.element), lanes.count)
            for side, kind in zip(args[1:], (yes, no), strict=True)
        ]
        return builder.select(args[0], *sides)

    return lanes(mask, yes, no), build


@intrinsic
def _copysign(typingctx: Any, size: Any, sign: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        shape = ir.FunctionType(args[0].type, [args[0].type] * 2)
        name = f"llvm.copysign.v{size.count}f{size.element.bitwidth}"
        return builder.call(cgutils.get_or_insert_function(builder.module, shape, name), args)

    return size(size, sign), build


@intrinsic
def _exponent_bits(typingctx: Any, shifted: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        width = shifted.element.bitwidth
        integer = ir.VectorType(ir.IntType(width), shifted.count)
        places = ir.Constant(integer, [52 if width == 64 else 23] * shifted.count)
        return builder.bitcast(builder.shl(builder.bitcast(args[0], integer), places), args[0].type)

    return shifted(shifted), build


@compiled_as(where)
def _where_overload(mask: Any, yes: Any, no: Any) -> Any:
    return lambda mask, yes, no: _where(mask, yes, no)


@compiled_as(copysign)
def _copysign_overload(size: Any, sign: Any) -> Any:
    return lambda size, sign: _copysign(size, sign)


@compiled_as(exponent_bits)
def _exponent_bits_overload(shifted: Any) -> Any:
    return lambda shifted: _exponent_bits(shifted)


@compiled_as(precision)
def _precision_overload(value: Any) -> Any:
    bits = value.element.bitwidth
    return lambda value: bits


# -- memory --------------------------------------------------------------------------------------------


def lane_count(array: Any) -> int:
    """Numbers of this array's dtype in one register."""
    return int(REGISTER // array.itemsize)


def lanes_left(array: Any, left: int) -> Any:
    """The first `left` lanes, or all if there are more: what the other functions take as `some`."""
    return min(left, REGISTER // array.itemsize)


@kernel
def lanes_of_row(array: Any, n: int, columns: int) -> Any:
    """Where the register of column n begins in a row of `columns`, and its lanes. The last one ends with the row, where
    the row is long enough, and may overlap the one before: only for what may be computed twice."""
    begin = max(0, min(n, columns - lane_count(array)))
    return begin, lanes_left(array, columns - begin)


def load(array: Any, start: int, some: Any) -> Any:
    """The numbers of the contiguous `array` (of any shape) from `start` on."""
    return array.reshape(-1)[start : start + some].copy()


def store(array: Any, start: int, value: Any, some: Any) -> None:
    """Writes them back."""
    array.reshape(-1)[start : start + some] = value


def spread(array: Any, number: Any) -> Any:
    """`number` in every lane, in the precision of `array`."""
    return array.dtype.type(number)


def _lanes_of(array: Any) -> Lanes:
    return Lanes(array.dtype, REGISTER * 8 // array.dtype.bitwidth)


@intrinsic
def _lanes_left(typingctx: Any, array: Any, left: Any) -> Any:
    lanes = _lanes_of(array)

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        numbers = ir.Constant(ir.VectorType(_SHORT, lanes.count), list(range(lanes.count)))
        return builder.icmp_signed("<", numbers, _spread(builder, builder.trunc(args[1], _SHORT), lanes.count))

    return Lanes(types.boolean, lanes.count)(array, types.intp), build


@intrinsic
def _load(typingctx: Any, array: Any, start: Any, some: Any) -> Any:
    lanes = _lanes_of(array)

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = context.get_value_type(lanes)
        data = data_of(context, builder, array, args[0])
        place = builder.bitcast(builder.gep(data, [args[1]]), vector.as_pointer())
        alignment = ir.Constant(_SHORT, array.dtype.bitwidth // 8)
        values = [place, alignment, args[2], ir.Constant(vector, None)]
        return _masked(builder, "load", vector, values, lanes, array.dtype.bitwidth)

    return lanes(array, types.intp, some), build


@intrinsic
def _store(typingctx: Any, array: Any, start: Any, value: Any, some: Any) -> Any:
    lanes = _lanes_of(array)

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = data_of(context, builder, array, args[0])
        store_masked(builder, args[2], builder.gep(data, [args[1]]), args[3])
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes, some), build


@intrinsic
def _spread_number(typingctx: Any, array: Any, number: Any) -> Any:
    lanes = _lanes_of(array)

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _spread(builder, context.cast(builder, args[1], number, array.dtype), lanes.count)

    return lanes(array, number), build


@compiled_as(lane_count)
def _lane_count_overload(array: Any) -> Any:
    count = _lanes_of(array).count
    return lambda array: count


@compiled_as(lanes_left)
def _lanes_left_overload(array: Any, left: Any) -> Any:
    return lambda array, left: _lanes_left(array, left)


@compiled_as(load)
def _load_overload(array: Any, start: Any, some: Any) -> Any:
    return lambda array, start, some: _load(array, start, some)


@compiled_as(store)
def _store_overload(array: Any, start: Any, value: Any, some: Any) -> Any:
    return lambda array, start, value, some: _store(array, start, value, some)


@compiled_as(spread)
def _spread_overload(array: Any, number: Any) -> Any:
    return lambda array, number: _spread_number(array, number)
