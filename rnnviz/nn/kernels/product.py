"""Matrix products of a network's sizes: from 8 × 20 × 20 to thousands, faster than a general BLAS at them.

    W (K, N) ──pack──► panels of PANEL columns: (K, PANEL), (K, PANEL), …, the last filled up with zeros
    multiply:  C[r:r+ROWS, panel] = Σ_k A[r:r+ROWS, k] panel[k]          one tile, held in registers

A recurrent step multiplies a few rows of states by the same weights again and again. BLAS would repack the
weights at every step; here they are packed once per batch. A tile keeps ROWS × VECTORS vectors of sums in
registers, loads VECTORS of the panel and ROWS numbers of A per k, and so is bound by the multipliers alone
(Goto & van de Geijn 2008, 10.1145/1356052.1356053).

Why not np.dot: it calls numba's own library and scipy's BLAS, and the process that runs the kernels loads neither. A
training step with np.dot and plain loops took so many times as long (benchmarks/products.py; rnn, lstm and gru on one
thread of a Zen 3): 4.3, 4.8, 3.3 for 8 sequences, 10 steps, 20 units; 3.5, 2.6, 2.1 for 32, 100, 64; 2.3, 1.9, 1.5 for
32, 200, 128; 1.7, 1.5, 1.3 for 64, 200, 256.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rnnviz.nn.kernels.buffer_sizes import BLOCK
from rnnviz.nn.kernels.jit import address, compiled_as, flat, kernel, view
from rnnviz.nn.kernels.numba_untyped import cgutils, intrinsic, ir, llvm, types
from rnnviz.nn.kernels.simd import REGISTER, lane_count, lanes_of_row, load, store, store_masked

#: Rows of a tile: ROWS · VECTORS sums and what they are made of must fit in the registers.
ROWS = 8 if REGISTER == 64 or llvm.get_host_cpu_features().get("neon") else 4
VECTORS = 3
#: Up to this many columns a matrix is read as it lies.
NARROW = 128
#: Whether a tile's loads may be masked at no cost: elsewhere the mask would take one of the 16 registers that sums and
#: factors need, and all of them would go to memory and back in the innermost loop.
MASKED = REGISTER == 64


class Left(NamedTuple):
    """A (M, K): element (m, k) is array[start + m·row + k·step], counted through all axes of the array."""

    array: Any
    start: int
    row: int
    step: int


class Right(NamedTuple):
    """B (K, N), panel by panel: element (k, first + n) of the panel that begins with column `first` is
    array[start + first·panel + k·step + n]; step 0 stands for the panel's own width."""

    array: Any
    start: int
    panel: int
    step: int


@kernel
def panel_width(columns: int, lanes: int) -> int:
    """How many of the `columns` that are left the next panel takes, in whole registers. A last panel of one
    register would keep the multipliers waiting, so four are split evenly."""
    registers = (columns + lanes - 1) // lanes
    return (2 if registers == 4 else min(registers, VECTORS)) * lanes


@kernel
def packed(room: Any, B: Any, start: int, row: int, column: int, K: int, N: int) -> Any:
    """B[start + k·row + n·column] (K, N) copied into panels, the last filled up with zeros."""
    lanes = lane_count(B)
    first = 0
    while first < N:
        width = panel_width(N - first, lanes)
        columns = min(width, N - first)
        for k in range(K):
            at = start + k * row + first * column
            to = view(room, first * K + k * width, (width,))
            if column == 1:
                for n in range(0, columns, lanes):
                    begin, some = lanes_of_row(B, n, columns)
                    store(to, begin, load(B, at + begin, some), some)
            else:
                for n in range(columns):
                    to[n] = B[at + n * column]
            for n in range(columns, width):
                to[n] = 0
        first += width
    return Right(room, 0, K, 0)


@kernel
def packed_if_wide(room: Any, B: Any, start: int, K: int, N: int) -> Any:
    """The row-major B[start:] (K, N) as it lies, unless its rows are so long that they fall over one another in the
    cache, or shorter than a register that cannot be loaded in part."""
    if N <= NARROW and (MASKED or lane_count(B) <= N):
        return Right(B, start, 1, N)
    return packed(room, B, start, N, 1, K, N)


def multiply(left: Any, right: Any, M: int, K: int, N: int, C: Any, c: int, add: bool) -> None:
    """C[c:] (M, N) = A B, or += A B, with A (M, K) as a Left and B (K, N) as a Right."""
    m, k = np.arange(M)[:, None], np.arange(K)[:, None]
    A = left.array.reshape(-1)[left.start + m * left.row + k.T * left.step]
    first = 0
    while first < N:
        width = panel_width(N - first, lane_count(C))
        n = np.arange(min(width, N - first))
        B = right.array.reshape(-1)[right.start + first * right.panel + k * (right.step or width) + n]
        flat, places = C.reshape(-1), c + m * N + first + n
        flat[places] = A @ B + (flat[places] if add else 0)
        first += width


@compiled_as(multiply)
def _multiply_overload(left: Any, right: Any, M: Any, K: Any, N: Any, C: Any, c: Any, add: Any) -> Any:
    def implementation(left: Any, right: Any, M: Any, K: Any, N: Any, C: Any, c: Any, add: Any) -> None:
        lanes = lane_count(C)
        first = 0
        while first < N:
            width = panel_width(N - first, lanes)
            columns = min(width, N - first)
            step = right.step if right.step else width
            b = address(right.array, right.start + first * right.panel)
            m = 0
            while m < M:
                rows = ROWS if M - m >= ROWS else (4 if M - m >= 4 else 1)
                a, to = address(left.array, left.start + m * left.row), address(C, c + m * N + first)
                tile(rows, width // lanes, a, left.row, left.step, b, step, K, to, N, columns, add)
                m += rows
            first += width

    return implementation


@kernel
def sum_of_products(A: Any, M: int, B: Any, N: int, room: Any, C: Any) -> None:
    """C (M, N) = Aᵀ B over all rows of A (rows, M) and as many of B (rows, N): a weight gradient. `room` holds
    BLOCK rows of both, packed."""
    rows = A.size // M
    a, b, c = flat(A), view(B, 0, (rows * N,)), view(C, 0, (M * N,))
    if M == 1 or N == 1:
        for n in range(M * N):
            c[n] = 0
        for r in range(rows):
            one, many = (a[r], view(b, r * N, (N,))) if M == 1 else (b[r], view(a, r * M, (M,)))
            for n in range(M * N):
                c[n] += one * many[n]
        return
    lanes = lane_count(A)
    size = BLOCK * ((N + lanes - 1) // lanes * lanes)
    rest = view(room, size, (room.size - size,))
    for first in range(0, rows, BLOCK):
        K = min(BLOCK, rows - first)
        right = packed_if_wide(room, b, first * N, K, N)
        turned = packed(rest, a, first * M, M, 1, K, M) if M > NARROW else Right(a, first * M, 1, M)
        m = 0
        while m < M:
            width = panel_width(M - m, lanes)
            left = Left(turned.array, turned.start + m * turned.panel, 1, turned.step if turned.step else width)
            multiply(left, right, min(width, M - m), K, N, c, m * N, first > 0)
            m += width


# -- one tile ------------------------------------------------------------------------------------------


def _make_tile(rows: int, vectors: int) -> Any:
    """C[m·c_row + n] (+)= Σ_k A[m·row + k·step] P[k·p_step + n] for m < rows, n < columns ≤ vectors · lanes.

    The last of several vectors ends with the last column, so that it may overlap the one before: what both of them
    compute is the same to the last bit, and no load or store has to be cut.
    """

    @intrinsic
    def build_tile(
        typingctx: Any, a: Any, row: Any, step: Any, p: Any, p_step: Any, K: Any, c: Any, c_row: Any,
        columns: Any, add: Any,
    ) -> Any:  # fmt: skip
        numbers, count = a.dtype, types.intp
        signature = types.void(a, count, count, p, count, count, c, count, count, types.boolean)
        bits, size = numbers.bitwidth, numbers.bitwidth // 8
        lane = REGISTER // size

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            a, row, step, p, p_step, K, c, c_row, columns, add = args
            number, index, short = context.get_value_type(numbers), ir.IntType(64), ir.IntType(32)
            vector = ir.VectorType(number, lane)

            def at(start: Any, offset: Any, kind: Any) -> Any:
                return builder.bitcast(builder.gep(start, [offset]), kind.as_pointer())

            def plus(value: Any, constant: int) -> Any:
                return builder.add(value, ir.Constant(index, constant))

            def times(value: Any, constant: int) -> Any:
                return builder.mul(value, ir.Constant(index, constant))

            def spread(value: Any) -> Any:
                kind = ir.VectorType(value.type, lane)
                empty = ir.Constant(kind, ir.Undefined)
                first = builder.insert_element(empty, value, ir.Constant(short, 0))
                return builder.shuffle_vector(first, empty, ir.Constant(ir.VectorType(short, lane), [0] * lane))

            def masked(name: str, result: Any, values: list[Any]) -> Any:
                shape = ir.FunctionType(result, [value.type for value in values])
                full = f"llvm.masked.{name}.v{lane}f{bits}.p0"
                return builder.call(cgutils.get_or_insert_function(builder.module, shape, full), values)

            # a vector alone can reach beyond `columns`
            places_in_row = ir.Constant(ir.VectorType(index, lane), list(range(lane)))
            mask = builder.icmp_signed("<", places_in_row, spread(columns))
            nothing, alignment = ir.Constant(vector, None), ir.Constant(short, size)
            begins = [ir.Constant(index, v * lane) for v in range(vectors)]
            if vectors > 1:
                begins[-1] = plus(columns, -lane)

            def load_lanes(place: Any, whole: bool) -> Any:
                if vectors > 1 or whole:
                    return builder.load(place, align=size)
                return masked("load", vector, [place, alignment, mask, nothing])

            def store_lanes(value: Any, place: Any) -> None:
                if vectors > 1:
                    builder.store(value, place, align=size)
                else:
                    store_masked(builder, value, place, mask)

            # the sums live in registers: LLVM turns these places on the stack into values
            cells = [(m, v) for m in range(rows) for v in range(vectors)]
            places = {(m, v): at(c, builder.add(times(c_row, m), begins[v]), vector) for m, v in cells}
            with builder.if_then(builder.icmp_signed(">", K, ir.Constant(index, 64))):
                byte = ir.IntType(8).as_pointer()
                kind = ir.FunctionType(ir.VoidType(), [byte, short, short, short])
                fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
                for place in places.values():
                    hints = [ir.Constant(short, hint) for hint in (0, 3, 1)]  # to read, keep close, data
                    builder.call(fetch, [builder.bitcast(place, byte), *hints])
            sums = {cell: cgutils.alloca_once(builder, vector) for cell in cells}
            for place in sums.values():
                builder.store(nothing, place)
            with cgutils.for_range(builder, K, intp=index) as loop:
                start, along = builder.mul(loop.index, p_step), builder.mul(loop.index, step)
                right = [load_lanes(at(p, builder.add(start, begin), vector), not MASKED) for begin in begins]
                for m in range(rows):
                    left = spread(builder.load(at(a, builder.add(times(row, m), along), number)))
                    for v in range(vectors):
                        term = builder.fmul(left, right[v], flags=("contract",))
                        total = builder.fadd(builder.load(sums[m, v]), term, flags=("contract",))
                        builder.store(total, sums[m, v])

            with builder.if_then(builder.trunc(add, ir.IntType(1))):
                for m, v in cells:
                    total = builder.fadd(load_lanes(places[m, v], False), builder.load(sums[m, v]))
                    builder.store(total, sums[m, v])
            for m, v in cells:
                store_lanes(builder.load(sums[m, v]), places[m, v])
            return context.get_dummy_value()

        return signature, build

    return build_tile


if ROWS == 8:
    _8_1, _8_2, _8_3 = (_make_tile(8, vectors) for vectors in (1, 2, 3))
_4_1, _4_2, _4_3 = (_make_tile(4, vectors) for vectors in (1, 2, 3))
_1_1, _1_2, _1_3 = (_make_tile(1, vectors) for vectors in (1, 2, 3))


@kernel
def tile(
    rows: int, vectors: int, a: Any, row: int, step: int, p: Any, p_step: int, K: int, c: Any, c_row: int,
    columns: int, add: bool,
) -> None:  # fmt: skip
    """The tile of this size; a, p and c are pointers."""
    if rows == ROWS and ROWS == 8:
        if vectors == 3:
            _8_3(a, row, step, p, p_step, K, c, c_row, columns, add)
        elif vectors == 2:
            _8_2(a, row, step, p, p_step, K, c, c_row, columns, add)
        else:
            _8_1(a, row, step, p, p_step, K, c, c_row, columns, add)
    elif rows == 4:
        if vectors == 3:
            _4_3(a, row, step, p, p_step, K, c, c_row, columns, add)
        elif vectors == 2:
            _4_2(a, row, step, p, p_step, K, c, c_row, columns, add)
        else:
            _4_1(a, row, step, p, p_step, K, c, c_row, columns, add)
    elif vectors == 3:
        _1_3(a, row, step, p, p_step, K, c, c_row, columns, add)
    elif vectors == 2:
        _1_2(a, row, step, p, p_step, K, c, c_row, columns, add)
    else:
        _1_1(a, row, step, p, p_step, K, c, c_row, columns, add)
