"""The kernels as functions of C: what the app calls as finished machine code, without numba.

Each entry is a kernel whose arguments are all arrays, written down as one letter and one digit: f the model's
dtype, d float64, i int64, b bool; the number of axes. C sees one argument, a table of int64: for each array
its address and then its shape.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from rnnviz.nn.cells import CELLS, ByCell
from rnnviz.nn.cells.cell import Cell
from rnnviz.nn.kernels.buffer_sizes import Plan, Rates
from rnnviz.nn.kernels.jit import kernel
from rnnviz.nn.kernels.layer import Back, Run, Scratch, Weights, make_weight_gradients
from rnnviz.nn.kernels.numba_untyped import carray, intrinsic, types
from rnnviz.nn.kernels.train import make
from rnnviz.nn.kernels.triangle import make_triangle
from rnnviz.nn.kernels.updates import update

FORWARD = "i1 f2 f2 f1 f1 f1 f1 f1 f3 f3 f3 f3 f3 f3"
BACKWARD = f"{FORWARD} f3 f3 f3 f3 f2 f2 f1 f1"
TRIANGLE = "i1 f2 f1 f3 f3 f3 f3 f3 f3 f3 i1 f3 f3 f3 d2"
TRAIN = "i1 d1 f1 f1 f1 f1 f3 f3 i2 b2 i2 f1 d1"
UPDATE = "i1 d1 f1 f1 f1 f1"


class Entry(NamedTuple):
    function: Any
    arguments: str


@kernel
def as_plan(s: Any) -> Any:
    return Plan(
        s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9],
        s[10], s[11], s[12], s[13], s[14], s[15], s[16], s[17], s[18], s[19], s[20],
    )  # fmt: skip


@kernel
def as_rates(r: Any) -> Any:
    return Rates(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8])


@kernel
def update_entry(sizes: Any, rates: Any, params: Any, grads: Any, first: Any, second: Any) -> None:
    update(sizes[0], as_rates(rates), sizes[1], params, grads, first, second)


def make_entries(cell: Cell) -> dict[str, Entry]:
    """The entries of a cell, from its passes over a layer in kernels/NAME.py."""
    passes: Any = import_module(f"rnnviz.nn.kernels.{cell.name}")
    forward, backward, weight_gradients = passes.forward, passes.backward, make_weight_gradients(cell)
    train = make(cell, forward, backward, weight_gradients)
    triangle = make_triangle(passes.errors, cell)

    @kernel
    def forward_entry(
        activation: Any, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any, panels: Any, room: Any, step: Any,
        x: Any, h: Any, c: Any, pre: Any, gates: Any, extra: Any,
    ) -> None:  # fmt: skip
        forward(
            activation[0],
            Weights(W_ih, W_hh, b_ih, b_hh),
            Scratch(panels, room, step),
            Run(x, h, c, pre, gates, extra),
        )

    @kernel
    def backward_entry(
        activation: Any, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any, panels: Any, room: Any, step: Any,
        x: Any, h: Any, c: Any, pre: Any, gates: Any, extra: Any,
        grad_h: Any, grad_c: Any, grad_pre: Any, grad_rec: Any,
        grad_W_ih: Any, grad_W_hh: Any, grad_b_ih: Any, grad_b_hh: Any,
    ) -> None:  # fmt: skip
        scratch, run = Scratch(panels, room, step), Run(x, h, c, pre, gates, extra)
        back = Back(grad_h, grad_c, grad_pre, grad_rec)
        backward(activation[0], Weights(W_ih, W_hh, b_ih, b_hh), scratch, run, back)
        weight_gradients(run, back, scratch, Weights(grad_W_ih, grad_W_hh, grad_b_ih, grad_b_hh))

    @kernel
    def train_entry(
        sizes: Any, rates: Any, params: Any, grads: Any, first: Any, second: Any, x: Any, targets: Any,
        classes: Any, mask: Any, order: Any, work: Any, out: Any,
    ) -> None:  # fmt: skip
        train(
            as_plan(sizes), as_rates(rates), params, grads, first, second, x, targets, classes, mask, order,
            work, out,
        )  # fmt: skip

    @kernel
    def triangle_entry(
        activation: Any, W_hh: Any, panels: Any, x: Any, h: Any, c: Any, pre: Any, gates: Any, extra: Any,
        direct: Any, steps: Any, grad_h: Any, grad_c: Any, out: Any, norms: Any,
    ) -> None:  # fmt: skip
        run = Run(x, h, c, pre, gates, extra)
        triangle(activation[0], W_hh, panels, run, direct, steps, grad_h, grad_c, out, norms)

    return {
        "forward": Entry(forward_entry, FORWARD),
        "backward": Entry(backward_entry, BACKWARD),
        "triangle": Entry(triangle_entry, TRIANGLE),
        "train": Entry(train_entry, TRAIN),
        "update": Entry(update_entry, UPDATE),
    }


#: cell -> name -> entry
ENTRIES: ByCell[dict[str, Entry]] = ByCell((name, make_entries(cell)) for name, cell in CELLS.items())


# -- to C ----------------------------------------------------------------------------------------------


@intrinsic
def _pointer(typingctx: Any, address: Any, number: Any) -> Any:
    """An address as a pointer to numbers of this dtype."""
    pointer = types.CPointer(number.dtype)

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(pointer))

    return pointer(types.int64, number), build


def for_table(entry: Entry, dtype: str) -> Any:
    """The entry for one dtype as a Python function of `int64 *table`, to be compiled."""
    dtypes = {"f": np.dtype(dtype).type, "d": np.float64, "i": np.int64, "b": np.bool_}
    scope: dict[str, Any] = {"kernel": entry.function, "array": carray, "pointer": _pointer}
    lines, names, at = ["def call(table):"], list[str](), 0
    for argument in entry.arguments.split():
        name, letter, count = f"a{len(names)}", argument[0], int(argument[1])
        scope[f"{name}_dtype"] = dtypes[letter]
        shape = "".join(f"table[{at + 1 + axis}], " for axis in range(count))
        lines.append(f"    {name} = array(pointer(table[{at}], {name}_dtype), ({shape}))")
        names.append(name)
        at += 1 + count
    lines.append(f"    kernel({', '.join(names)})")
    exec("\n".join(lines), scope)
    return scope["call"]
