"""The ways on which a gradient comes to h_t where the readout looks back, as figures that add up.

    ∂L_k/∂h_t  =  from h_{t+1}  +  α_{k,t} W_cyᵀ ∂L_k/∂y_k  +  through the scores  +  at t = k: W_hyᵀ ∂L_k/∂y_k
                  loop             value                       score                  readout

Each is a vector. Its figure is its part along their sum g, ⟨way, g⟩ / ‖g‖, so that the figures add up to ‖g‖; one that
points against the others is negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.nn import Trace
from rnnviz.nn.masked import equations_of_layer
from rnnviz.nn.metrics import norm
from rnnviz.nn.readout import attends
from rnnviz.nn.records import layer_weights
from rnnviz.nn.types import Array, ReadOnly, frozen
from rnnviz.scene.gradient import Gradient

NAMES = ("loop", "value", "score", "readout")


@dataclass(frozen=True, eq=False)
class Along(ReadOnly):
    """(T+1,) each, t = 0..T: the part of each way along ∂L_k/∂h_t; 0 where that is 0."""

    loop: Array
    value: Array
    score: Array
    readout: Array


def along(trace: Trace, gradient: Gradient) -> Along | None:
    """Of one gradient row with a loss; None where the readout is linear."""
    if not attends(trace.spec) or not trace.has_loss:
        return None
    found, g = vectors(trace, gradient), gradient.states
    sizes = norm(g, axis=(1, 2))
    with np.errstate(all="ignore"):
        direction = np.where(sizes > 0, g.T / np.where(sizes > 0, sizes, 1), 0).T
        parts = {name: frozen((vector * direction).sum(axis=(1, 2))) for name, vector in found.items()}
    return Along(**parts)


@np.errstate(all="ignore")
def vectors(trace: Trace, gradient: Gradient) -> dict[str, Array]:
    """The ways by name, (T+1, B, H) each: they add up to gradient.states."""
    direct = trace.ways(gradient.loss_step)
    found = {"loop": _from_the_next(trace, gradient)}
    for name in NAMES[1:]:
        part = getattr(direct, name)
        found[name] = np.zeros_like(trace.h)
        if part is not None:
            found[name][1:] = part
    return found


def _from_the_next(trace: Trace, gradient: Gradient) -> Array:
    """(T+1, B, H): what step t+1 sends back to h_t of this gradient on h_{t+1} (and on c_{t+1})."""
    layer, w = trace.forward.layers[-1], layer_weights(trace.spec, trace.params, trace.L - 1)
    cell, lane = equations_of_layer(trace.spec.about_cell, layer), gradient.highway
    through_c = None
    if trace.c is not None:
        assert lane is not None
        carry = trace.spec.about_cell.carry
        assert carry is not None
        through_c = np.zeros_like(trace.h[1:])  # what comes to c_t from step t+1
        through_c[:-1] = carry.share(trace.gates[carry.gate])[1:] * lane.states[2:]
    out = np.zeros_like(trace.h)
    slopes = cell.slopes(trace.spec, layer)
    for t in range(trace.T if gradient.loss_step is None else gradient.loss_step, 0, -1):
        at_t, c = tuple(slope[t - 1] for slope in slopes), None if through_c is None else through_c[t - 1]
        out[t - 1] = cell.backward_step(w, at_t, gradient.states[t], c).grad_h
    return out
