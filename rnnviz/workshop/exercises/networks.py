"""Random networks of the engine, whose numbers are the exact ones."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.equations import equations
from rnnviz.nn.model import Model
from rnnviz.nn.records import LayerWeights, StepBack
from rnnviz.nn.trace import Trace
from rnnviz.nn.types import Array
from rnnviz.workshop.exercise import Sizes


class Network(NamedTuple):
    """One sequence through a random network: its weights, inputs x (T, I), start h_0 (H,) and c_0 (H,)."""

    W_ih: Array
    W_hh: Array
    b_ih: Array
    b_hh: Array | None
    W_out: Array
    b_out: Array
    x: Array
    h_0: Array
    c_0: Array | None
    trace: Trace


def network(
    cell: str, sizes: Sizes, rng: np.random.Generator, biases: int = 1, targets: Array | None = None
) -> Network:
    """A network with weights large enough that no factor is near 1, so that a mistake shows."""
    T, I, H, O = sizes  # noqa: E741
    model = Model.create(cell, I, H, O, biases=biases)
    drawn = {name: rng.normal(0.2, 0.7, a.shape) / np.sqrt(a.shape[-1]) for name, a in model.params.items()}
    model = model.with_params(drawn)
    x, h_0 = rng.normal(size=(T, I)), rng.uniform(-0.9, 0.9, H)
    c_0 = rng.normal(size=H) if CELLS[cell].has_cell_state else None
    trace = model.trace(
        x[:, None],
        None if targets is None else targets[:, None],
        h0=h_0[None],
        c0=None if c_0 is None else c_0[None],
        engine="numpy",
    )
    p = {name: a.copy() for name, a in model.params.items()}
    return Network(
        p["rnn.weight_ih_l0"], p["rnn.weight_hh_l0"], p["rnn.bias_ih_l0"], p.get("rnn.bias_hh_l0"),
        p["readout.weight"], p["readout.bias"], x, h_0, c_0, trace,
    )  # fmt: skip


def step_back(net: Network, grad_h: Array, grad_c: Array | None) -> tuple[StepBack, tuple[Array, ...]]:
    """The engine's backward step through the last step, and the slopes that it used; grad_h and grad_c (H,)."""
    spec, layer = net.trace.spec, net.trace.forward.layers[0]
    cell = equations(spec.about_cell)
    at_t: tuple[Array, ...] = tuple(slope[-1] for slope in cell.slopes(spec, layer))
    weights = LayerWeights(net.W_ih, net.W_hh, net.b_ih, net.b_hh)
    return cell.backward_step(weights, at_t, grad_h[None], None if grad_c is None else grad_c[None]), at_t


def one(array: Any) -> Array:
    """Without the axis of the sequences in a batch, of which there is one."""
    return np.ascontiguousarray(np.asarray(array)[..., 0, :])
