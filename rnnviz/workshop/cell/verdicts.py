"""The file's own backward_step beside the exact gradients, at every step of a sequence.

Each step gets the exact ∂L/∂h_t, so that a mistake at one step does not go on to the others, as in the workshop: the
first quantity that differs, from the last step back, is where the mistake is.
"""

from __future__ import annotations

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn.equations import Verdict
from rnnviz.nn.records import LayerForward
from rnnviz.nn.types import Array, Params
from rnnviz.numbers import counted, subscript
from rnnviz.workshop.cell.derivatives import Derivatives
from rnnviz.workshop.exercise import Quantity
from rnnviz.workshop.mistakes import relation, same
from rnnviz.workshop.wording import difference

#: How near two equal gradients are; the second where the exact ones are central differences.
NEAR = {"complex": 1e-8, "differences": 1e-5}
LEAST = 1e-9  # a difference smaller than this is none where the exact ones are central differences

EXACT = {
    "complex": "exact gradients, by a complex step through your step",
    "differences": "gradients right to 9 digits: your step is not made for complex numbers",
}


def verdict(its: Derivatives, layer: LayerForward, grad_h: Array) -> Verdict:
    """layer: its record. grad_h (T, B, H): the exact ∂L/∂h_t, t = 1 .. T. Of sequence 0."""
    if not its.connection.has_backward:
        return Verdict(EXACT[its.by])
    assert layer.own is not None
    read = np.ones(len(layer.x), bool) if layer.mask is None else layer.mask[:, 0]
    t = np.flatnonzero(read)
    x, h, g = layer.x[t, 0], layer.h[:-1][t, 0], grad_h[t, 0]
    try:
        given = its.backward(layer.own, x, h, g)
    except InputError as error:
        reason = str(error).removeprefix(f"{its.connection.path}: ").removeprefix("backward_step ")
        return Verdict(f"backward_step {reason}" if reason.startswith("returns") else f"backward_step: {reason}", False)
    form = next((name.removeprefix("wrong.") for name in given if name.startswith("wrong.")), "")
    exact = _exact(its, layer, t, g)
    wrong: dict[int, str] = {}
    for n in reversed(range(len(t))):
        for name, numbers in exact.items():
            if name in given and not _same(its, given[name][n], numbers[n]):
                wrong[int(t[n]) + 1] = _difference(its, name, int(t[n]) + 1, given[name][n], numbers[n])
                break
    if wrong:
        return Verdict(wrong[max(wrong)], False, tuple(sorted(wrong)))
    if form:
        return Verdict(f"backward_step: {form}", False)
    return Verdict(f"your backward_step gives the exact gradients at {_all(len(t))}")


def _all(steps: int) -> str:
    return f"all {counted(steps, 'step')}" if steps > 1 else counted(steps, "step")


def _exact(its: Derivatives, layer: LayerForward, t: Array, g: Array) -> Params:
    """By the names of `Derivatives.backward`, (N, …) each, in the order in which they are compared."""
    assert layer.own is not None
    x, h, new = layer.x[t, 0], layer.h[:-1][t, 0], layer.h[1:][t, 0]
    J_h, J_x = its.jacobians(layer.own, x, h, new)
    found = {"grad_h_before": np.einsum("tij,ti->tj", J_h, g), "grad_x": np.einsum("tij,ti->tj", J_x, g)}
    shares = its.shares_of(layer.own, x[:, None], h[:, None], new[:, None], g[:, None])
    return found | {f"grad_params[{name}]": share for name, share in shares.items()}


def _same(its: Derivatives, mine: Array, exact: Array) -> bool:
    if same(mine, exact, NEAR[its.by]):
        return True
    return its.by == "differences" and bool(np.abs(mine - exact).max(initial=0.0) < LEAST)


def _difference(its: Derivatives, name: str, t: int, mine: Array, exact: Array) -> str:
    """`∂L/∂h₉ differs first: yours is 2.6 × too large, as if …`"""
    symbol = _symbol(name, t)
    as_if = relation(Quantity(name, symbol), None, mine, exact, {}, NEAR[its.by])
    return f"{symbol} differs first: {difference(mine, exact, NEAR[its.by])}{f', as if {as_if}' if as_if else ''}"


def _symbol(name: str, t: int) -> str:
    if name == "grad_h_before":
        return f"∂L/∂h{subscript(t - 1)}"
    if name == "grad_x":
        return f"∂L/∂x{subscript(t)}"
    return f"∂L/∂{name.removeprefix('grad_params[').removesuffix(']')} of step {t}"
