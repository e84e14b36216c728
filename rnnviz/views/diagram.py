"""What flows along the edges of the network around the cursor: x_t → h_t → ŷ_t, and h_{t-1} → h_t.

    >>> node = node_at(frame, 4)
    >>> node.h[-1], node.from_before[-1], node.from_below[-1]     # ‖h_4‖, ‖W_hh·h_3‖, ‖W_ih·x_4‖
    (1.20, 0.83, 0.41)

Reading fills it in from the left, the walk back from the right, exactly as far as the score is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.numbers import fixed
from rnnviz.tasks.catalog import PAD

if TYPE_CHECKING:
    from rnnviz.nn.types import Array
    from rnnviz.scene.frame import Frame
    from rnnviz.scene.gradient import Gradient


@dataclass(frozen=True)
class Node:
    """Time step t. Tuples have an entry per layer, bottom first; None is not read yet, or not reached going back.

    x, y         the input and the output in words; "" where the step has none (t = 0)
    h            ‖h_t‖
    c            ‖c_t‖ of the top layer of an LSTM
    from_before  ‖W_hh·h_{t-1}‖, over all gates: what arrives from the step before; None without W_hh
    from_below   ‖W_ih·x_t‖, x_t what the layer reads
    keeps        mean share of the top layer's old state that stays: f of an LSTM, z of a GRU
    gradient     ‖∂L/∂h_t‖ as the score shows it; highway: ‖∂L/∂c_t‖ of an LSTM
    factor       what the step back from here to t-1 keeps of it; highway_factor: the same on the highway
    has_loss     the error enters here: the loss step shown, or for the total every one
    """

    t: int
    x: str
    y: str
    h: tuple[float, ...] | None
    c: float | None
    from_before: tuple[float, ...] | None
    from_below: tuple[float, ...] | None
    keeps: float | None
    gradient: float | None
    highway: float | None
    factor: float | None
    highway_factor: float | None
    has_loss: bool


def node_at(frame: Frame, t: int) -> Node | None:
    """None for a step the sequence does not have."""
    trace = frame.scene.trace
    if not 0 <= t <= trace.T:
        return None
    read = t <= frame.read
    step = read and t >= 1
    acts = step and not frame.scene.copies(t)  # no weight acts where a mask copies the state
    layers = range(trace.L)
    cell = trace.spec.about_cell
    gradient, lane = frame.gradient, frame.gradient.highway
    k = frame.loss_step
    reached = frame.reached is not None and t >= frame.reached and (k is None or t <= k)
    beyond = reached and t >= 1 and frame.reached is not None and t - 1 >= frame.reached
    is_c = lane is not None and lane.along == "c"
    carry = cell.carry
    return Node(
        t=t,
        x=_input(frame, t) if step else "",
        y=_output(frame, t) if step else "",
        h=tuple(_size(trace.layers[n].h[t]) for n in layers) if read else None,
        c=_size(trace.c[t]) if read and trace.c is not None else None,
        from_before=_arriving(frame, "hh", [trace.layers[n].h[t - 1] for n in layers])
        if acts and cell.recurrent
        else None,
        from_below=_arriving(frame, "ih", [trace.layers[n].x[t - 1] for n in layers])
        if acts and not cell.is_own
        else None,
        keeps=float(carry.share(trace.gates[carry.gate][t - 1]).mean()) if step and carry else None,
        gradient=float(gradient.norms[t]) if reached else None,
        highway=float(lane.norms[t]) if reached and lane is not None and is_c else None,
        factor=_factor(gradient, t) if beyond else None,
        highway_factor=_factor(lane, t) if beyond and lane is not None and is_c else None,
        has_loss=t in frame.scene.loss_steps if k is None else t == k,
    )


def _factor(path: Gradient, t: int) -> float | None:
    """None where nothing is left of which a step could keep a part."""
    return None if path.norms[t] == 0 else float(path.factors[t - 1])


def _size(state: Array) -> float:
    from rnnviz.nn.metrics import norm  # not above: the panel's name needs no NumPy

    return float(norm(state))


def _arriving(frame: Frame, side: str, what: list[Array]) -> tuple[float, ...]:
    import numpy as np

    from rnnviz.nn.equations import in_full
    from rnnviz.nn.records import layer_weights

    trace = frame.scene.trace
    weights = [layer_weights(trace.spec, trace.params, n) for n in range(trace.L)]
    matrices = [w.W_ih if side == "ih" else in_full(trace.spec.about_cell, w).W_hh for w in weights]
    with np.errstate(all="ignore"):
        return tuple(_size(a @ matrix.T) for a, matrix in zip(what, matrices, strict=True))


def _input(frame: Frame, t: int) -> str:
    scene = frame.scene
    if scene.is_blank(t):
        return PAD
    if scene.input_curve is not None and not scene.task.has_marker:
        return fixed(float(scene.input_curve[t - 1]))
    return scene.task.tokens(scene.sample)[t - 1]


def _output(frame: Frame, t: int) -> str:
    scene = frame.scene
    if not scene.task.has_readout:
        return ""
    if scene.task.loss == "mse":
        return fixed(float(scene.trace.y[t - 1, 0, 0]))
    return scene.task.answers(scene.trace.y[t - 1 : t, 0])[0]
