"""The kernels as functions of C: what the app calls as finished machine code, without numba.

arguments.py says what each entry takes, and in which order. C sees one argument, a table of int64: for each array its
address and then its shape, for a number or a Plan the numbers themselves.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from rnnviz.nn.cell import Cell
from rnnviz.nn.cell_table import CELLS, ByCell
from rnnviz.nn.kernels import arguments
from rnnviz.nn.kernels.arguments import check_parameters
from rnnviz.nn.kernels.buffer_sizes import Plan, Rates
from rnnviz.nn.kernels.jit import kernel
from rnnviz.nn.kernels.layer import Back, Run, Scratch, Weights, make_weight_gradients
from rnnviz.nn.kernels.numba_untyped import carray, intrinsic, types
from rnnviz.nn.kernels.train import make
from rnnviz.nn.kernels.triangle import make_triangle
from rnnviz.nn.kernels.updates import update


@kernel
def as_rates(r: Any) -> Any:
    return Rates(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8])


@kernel
def update_entry(
    rule: Any, updates: Any, rates: Any, params: Any, grads: Any, first: Any, second: Any
) -> None:  # fmt: skip
    update(rule, as_rates(rates), updates, params, grads, first, second)


def make_entries(cell: Cell) -> dict[str, Any]:
    """The entries of a cell, from its passes over a layer in kernels/NAME.py. Raises TypeError where a kernel does not
    take what the table says."""
    passes: Any = import_module(f"rnnviz.nn.kernels.{cell.name}")
    forward, backward = passes.forward, passes.backward
    weight_gradients = make_weight_gradients(cell, passes.of_diagonal if cell.diagonal else None)
    train = make(cell, forward, backward, weight_gradients)
    triangle: Any = None if cell.diagonal else make_triangle(passes.errors, cell)

    @kernel
    def forward_entry(
        activation: Any, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any, panels: Any, room: Any, step: Any,
        x: Any, h: Any, c: Any, pre: Any, gates: Any, extra: Any,
    ) -> None:  # fmt: skip
        forward(
            activation,
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
        w = Weights(W_ih, W_hh, b_ih, b_hh)
        backward(activation, w, scratch, run, back)
        weight_gradients(run, back, w, scratch, Weights(grad_W_ih, grad_W_hh, grad_b_ih, grad_b_hh))

    @kernel
    def train_entry(
        plan: Any, updates: Any, positions: Any, rates: Any, params: Any, grads: Any, first: Any, second: Any,
        x: Any, targets: Any, classes: Any, mask: Any, order: Any, work: Any, out: Any,
    ) -> None:  # fmt: skip
        data = (x, targets, classes, mask, order)
        train(plan, updates, positions, as_rates(rates), params, grads, first, second, *data, work, out)

    @kernel
    def triangle_entry(
        activation: Any, W_hh: Any, panels: Any, x: Any, h: Any, c: Any, pre: Any, gates: Any, extra: Any,
        direct: Any, steps: Any, grad_h: Any, grad_c: Any, out: Any, norms: Any,
    ) -> None:  # fmt: skip
        run = Run(x, h, c, pre, gates, extra)
        triangle(activation, W_hh, panels, run, direct, steps, grad_h, grad_c, out, norms)

    all_entries = {
        "forward": forward_entry,
        "backward": backward_entry,
        "triangle": triangle_entry,
        "train": train_entry,
        "update": update_entry,
    }
    entries = {name: all_entries[name] for name in arguments.entries_of(cell.name)}
    for name, function in entries.items():
        check_parameters(name, function)
    return entries


#: cell -> name -> kernel
ENTRIES: ByCell[dict[str, Any]] = ByCell((name, make_entries(cell)) for name, cell in CELLS.items())


# -- to C ----------------------------------------------------------------------------------------------


@intrinsic
def _pointer(typingctx: Any, table: Any, at: Any, number: Any) -> Any:
    """table[at] as a pointer to numbers of this dtype. It is loaded as one: LLVM learns little of an integer that is
    made into a pointer."""
    pointer = types.CPointer(number.dtype)

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = builder.gep(args[0], [args[1]])
        return builder.load(builder.bitcast(place, context.get_value_type(pointer).as_pointer()))

    return pointer(table, types.intp, number), build


def for_table(cell: str, entry: str, dtype: str) -> Any:
    """The entry for one dtype as a Python function of `int64 *table`, to be compiled."""
    scope: dict[str, Any] = {"kernel": ENTRIES[cell][entry], "array": carray, "pointer": _pointer, "Plan": Plan}
    lines, names, at = ["def call(table):"], list[str](), 0
    for argument in arguments.ENTRIES[entry]:
        name = argument.name
        if argument.dtype == "int":
            lines.append(f"    {name} = table[{at}]")
            at += 1
        elif argument.dtype == "plan":
            lines.append(f"    {name} = Plan({', '.join(f'table[{at + n}]' for n in range(len(Plan._fields)))})")
            at += len(Plan._fields)
        else:
            scope[f"{name}_dtype"] = np.dtype(dtype if argument.dtype == "model" else argument.dtype).type
            count = len(argument.axes.split())
            shape = "".join(f"table[{at + 1 + axis}], " for axis in range(count))
            lines.append(f"    {name} = array(pointer(table, {at}, {name}_dtype), ({shape}))")
            at += 1 + count
        names.append(name)
    lines.append(f"    kernel({', '.join(names)})")
    exec("\n".join(lines), scope)
    return scope["call"]
