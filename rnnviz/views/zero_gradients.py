"""Why a gradient is exactly 0: a factor on its way back is 0, or a product of small factors underflowed.

    >>> zero_because(trace, gradient_of(trace, 10), t=3)         # a tanh RNN, saturated at step 7: h = ±1
    Zero(kind='slope', t=7, subject='tanh')

The way back from h_t to h_{t-1} multiplies by the slopes of step t and by W_hh (a GRU also by z alone); along c it
multiplies by f. Which of them are 0 is asked of the numbers themselves: where no product of non-zero numbers leads on,
a factor is to blame; where one does and the result is still 0, the product was too small for float64.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rnnviz.nn import Trace
from rnnviz.nn.equations import in_full
from rnnviz.nn.masked import equations_of_layer
from rnnviz.nn.readout import attends
from rnnviz.nn.records import Paths, layer_weights
from rnnviz.nn.types import Array
from rnnviz.scene.gradient import Gradient
from rnnviz.scene.scene import Scene

Kind = Literal[
    "no loss",
    "errors",
    "error",
    "readout",
    "slope",
    "slopes",
    "gate",
    "W_hh",
    "step",
    "underflow",
    "cancelled",
    "padding",
]


@dataclass(frozen=True)
class Zero:
    """Why a gradient is exactly 0; words/zero_gradients.py says it in words.

    kind      which factor is 0, or "underflow", or "cancelled" where its terms cancel each other;
              "padding" where a mask copies h_t, so that nothing goes back to c_t through it
    t         the time step that the factor belongs to
    subject   its symbol: the activation of a slope, the gate; for "W_hh" and "slopes" the gate that is 0 as well
    is_part   only some rows of W_hh are 0: those that the gradient enters
    is_attended  there is attention, and what it brings is 0 as well
    """

    kind: Kind
    t: int
    subject: str = ""
    is_part: bool = False
    is_attended: bool = False


def zero_because(trace: Trace, gradient: Gradient, t: int, along: str = "h") -> Zero | None:
    """Why this gradient of the top layer, ∂L_k/∂h_t, is exactly 0: the first cause on the way back to t.

    along: "h", or its highway: "c" of an LSTM or "z" of a GRU, or the "loop" alone, beside attention. None where it is
    not 0, and for t > k, which no error of step k reaches.
    """
    if along == "loop":
        return None if gradient.loop is None else zero_because(trace, gradient.loop, t)
    end = gradient.loss_step or trace.loss_steps[-1]
    path = gradient if along == "h" else gradient.highway
    if t > end or path is None or path.states[t].any():
        return None
    grad = path.states
    last = t  # the first of these zeros on the way back
    while last < end and not grad[last + 1].any():
        last += 1
    if last == end:
        return _direct(trace, gradient, t, end, along)
    step = _Step(trace, gradient, last)
    if along == "h":
        found = step.back()
        return replace(found, is_attended=attends(trace.spec) and gradient.along == "h")
    return step.through(grad[last + 1])


def zero_at(scene: Scene, loss_step: int | None, t: int, along: str = "h") -> Zero | None:
    """The same of the scene's gradient of this loss step (None: the total)."""
    found = zero_because(scene.trace, scene.gradient(loss_step), t, along)
    return None if found is None else replace(found, t=scene.time(found.t))


def zeros(trace: Trace, gradient: Gradient) -> list[Zero | None]:
    """zero_because for t = 0..T, along h: one look at each stretch of zeros."""
    out: list[Zero | None] = [None] * (trace.T + 1)
    for t in range(gradient.loss_step or trace.loss_steps[-1], -1, -1):
        if gradient.norms[t] == 0:
            out[t] = out[t + 1] if t < trace.T and out[t + 1] is not None else zero_because(trace, gradient, t)
    return out


def _direct(trace: Trace, gradient: Gradient, t: int, end: int, along: str) -> Zero:
    """Nothing arrives even at the loss step, where the walk back begins."""
    if not trace.has_loss:  # ∂h_k/∂h_k is the identity
        return _Step(trace, gradient, end).from_h()
    error, readout = trace.grad_y[end - 1], trace.params["readout.weight"]
    if not error.any():
        if not trace.loss_mask[end - 1].any():
            return Zero("no loss", end)
        if gradient.loss_step is None and not trace.grad_y.any():
            return Zero("errors", end)
        return Zero("error", end)
    if along == "c" and gradient.states[end].any():
        return _Step(trace, gradient, end).from_h()
    if attends(trace.spec):  # the query and the scores have no part in it: without W_cy they send nothing
        readout = np.concatenate([readout, trace.params["readout.context"]], axis=1)
    if not ((error != 0)[..., None] & (readout != 0)).any():
        return Zero("readout", end)
    return _product(end, error[..., None] * readout)


def _product(t: int, products: Array) -> Zero:
    """Products of non-zero numbers lead to time t, and yet their sum is 0."""
    if products.any():
        return Zero("cancelled", t)
    return Zero("underflow", t)


class _Step:
    """The step back from time t + 1 to t, where the gradient is lost."""

    def __init__(self, trace: Trace, gradient: Gradient, t: int) -> None:
        self.trace, self.t, self.gradient = trace, t, gradient
        self.cell = trace.spec.about_cell
        self.W_hh = in_full(self.cell, layer_weights(trace.spec, trace.params, trace.L - 1)).W_hh

    def paths(self, t: int) -> Paths:
        """(B, …) each: the local derivatives of step t."""
        layer = self.trace.forward.window(t - 1, t).layers[-1]
        equations = equations_of_layer(self.cell, layer)
        return equations.paths(tuple(slope[0] for slope in equations.slopes(self.trace.spec, layer)))

    def from_h(self) -> Zero:
        """∂L/∂c_t = o ⊙ tanh'(c_t) ⊙ ∂L/∂h_t, at the loss step."""
        mask = self.trace.forward.mask
        if mask is not None and not mask[self.t - 1].any():
            return Zero("padding", self.t)
        h_by_c, grad_h = self.paths(self.t).h_by_c, self.gradient.states[self.t]
        assert h_by_c is not None
        if ((h_by_c != 0) & (grad_h != 0)).any():
            return _product(self.t, h_by_c * grad_h)
        return Zero("gate", self.t, f"{self.cell.output_gate}·tanh'(c)")

    def through(self, grad: Array) -> Zero:
        """Along c by f, or by z alone. What h adds to c is 0 here, if c is."""
        share, carry = self.paths(self.t + 1).carry, self.cell.carry
        assert share is not None
        assert carry is not None
        if ((share != 0) & (grad != 0)).any():
            return _product(self.t, share * grad)
        return Zero("gate", self.t + 1, carry.label)

    def by_derivative(self) -> Zero:
        """Through the derivative of a person's own step, of which no parts are known."""
        layer = self.trace.forward.window(self.t, self.t + 1).layers[-1]
        J = equations_of_layer(self.cell, layer).slopes(self.trace.spec, layer)[0][0]  # (B, H, H)
        grad_h = self.gradient.states[self.t + 1]
        if ((J != 0) & (grad_h != 0)[..., None]).any():
            return _product(self.t, J * grad_h[..., None])
        return Zero("step", self.t + 1)

    def back(self) -> Zero:
        """Through the rows of W_hh, a block for each gate; where a gate carries h, through that, too."""
        if self.cell.is_own:
            return self.by_derivative()
        t, paths, carry, lane = self.t + 1, self.paths(self.t + 1), self.cell.carry, self.gradient.highway
        factors = paths.blocks  # (B, G, H)
        grad_h = self.gradient.states[t]
        grads = {"h": grad_h, "c": None if lane is None or lane.along != "c" else lane.states[t]}
        arriving = np.zeros_like(factors)
        for n in range(factors.shape[1]):
            arriving[:, n] = grads[self.cell.blocks[n].state]
        rows = (len(factors), -1)
        sent = ((factors != 0) & (arriving != 0)).reshape(rows)
        beside = carry.label if carry is not None and carry.state == "h" else ""
        share = paths.carry if beside and paths.carry is not None else np.zeros_like(grad_h)
        if (sent[..., None] & (self.W_hh != 0)).any() or ((share != 0) & (grad_h != 0)).any():
            with np.errstate(all="ignore"):
                products = (factors * arriving).reshape(rows)[..., None] * self.W_hh
            return _product(self.t, np.append(products, share * grad_h))
        if not self.cell.recurrent:
            return Zero("gate", t, beside)
        if sent.any():
            return Zero("W_hh", t, beside, is_part=bool(self.W_hh.any()))
        if not self.cell.gates:
            return Zero("slope", t, self.trace.spec.activation)
        return Zero("slopes", t, beside)
