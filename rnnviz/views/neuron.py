"""One unit at one step as sums with their actual numbers: how its value came about, and how its gradient did.

    h[3] = tanh( 0.71·x 0.41 + 0.52·h[7] -0.83 + b 0.02 ) = tanh(-0.214) = -0.211

A number in brackets is a unit; a subscript, as everywhere, a time step. An Equation holds the addends in full
precision, largest first, with the total and the value the engine recorded itself, so that the two can be compared.
`spelled` writes it in a given room, and `listed` as a column of
products; in both what is shown adds up to the total that is shown: what does not fit is one term, and it also
takes up what rounding has left over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnnviz.nn import Trace
from rnnviz.nn.cells import CELLS
from rnnviz.nn.records import layer_weights
from rnnviz.nn.types import Array
from rnnviz.words.numbers import exponent, subscript

SMALLEST = -307  # powers of ten below are 0, or lose digits, as numbers to divide by


@dataclass(frozen=True)
class Term:
    """An addend: weight · value, where `name` says whose value it is; or, with no weight, the value itself."""

    name: str
    weight: float | None
    value: float

    @property
    def product(self) -> float:
        return self.value if self.weight is None else self.weight * self.value


@dataclass(frozen=True)
class Equation:
    """name = function( terms ) = function( total ) = value.

    terms     largest first, where there are many
    total     their sum, as the engine recorded it (or, where it does not, the sum itself)
    function  "" where there is none; then value is the total
    power     the numbers are written in units of 10^power, for gradients far from 1
    about     a few words
    """

    name: str
    terms: tuple[Term, ...]
    total: float
    function: str
    value: float
    power: int = 0
    about: str = ""


# -- the way forward -----------------------------------------------------------------------------------


def forward(trace: Trace, t: int, unit: int) -> tuple[Equation, ...]:
    """How h_t of one unit of the top layer came about, t = 1..T; the unit's h_t comes last. Sequence 0.

    Every h and c on the right is that of t-1, everything else that of t.
    """
    H, spec = trace.H, trace.spec
    w = layer_weights(spec, trace.params, trace.L - 1)
    layer = trace.forward.layers[-1]
    x, h = layer.x[t - 1, 0], layer.h[t - 1, 0]
    pre, gates = layer.pre[t - 1, 0], layer.gates[t - 1, 0]
    here = f"[{unit}]"
    below = "h'" if trace.L > 1 else "x"

    def block(index: int, *, reads: bool = True, recurs: bool = True) -> list[Term]:
        row = index * H + unit
        terms = []
        if reads:
            terms += _products(below, w.W_ih[row], x)
            terms.append(Term("b" if w.b_hh is None else "b_ih", None, float(w.b_ih[row])))
        if recurs:
            terms += _products("h", w.W_hh[row], h, always=True)
            if w.b_hh is not None:
                terms.append(Term("b_hh", None, float(w.b_hh[row])))
        return terms

    def gate(index: int, function: str, terms: list[Term], about: str) -> Equation:
        row = index * H + unit
        name = f"{spec.gates[index]}{here}"
        return Equation(name, largest_first(terms), float(pre[row]), function, float(gates[row]), about=about)

    value = float(layer.h[t, 0, unit])
    if spec.cell == "rnn":
        function = "" if spec.activation == "identity" else _SIGNS.get(spec.activation, spec.activation)
        return (Equation(f"h{here}", largest_first(block(0)), float(pre[unit]), function, value),)
    if spec.cell == "lstm":
        assert layer.c is not None
        i, f, g, o = (float(gates[n * H + unit]) for n in range(4))
        before, c = float(layer.c[t - 1, 0, unit]), float(layer.c[t, 0, unit])
        kept = (Term(f"c{here}", f, before), Term(f"g{here}", i, g))
        return (
            gate(0, "σ", block(0), "how much is written"),
            gate(1, "σ", block(1), "how much is kept"),
            gate(2, "tanh", block(2), "what is written"),
            gate(3, "σ", block(3), "how much is shown"),
            Equation(f"c{here}", kept, c, "", c, about="f·c before + i·g"),
            Equation(f"h{here}", (Term(f"tanh c{here}", o, math.tanh(c)),), value, "", value, about="o·tanh c"),
        )
    assert layer.rec_n is not None
    r, z, n = (float(gates[k * H + unit]) for k in range(3))
    seen = float(layer.rec_n[t - 1, 0, unit])
    reset = [*block(2, recurs=False), Term(f"u{here}", r, seen)]
    mixed = (Term(f"n{here}", 1.0 - z, n), Term(f"h{here}", z, float(h[unit])))
    return (
        gate(0, "σ", block(0), "how much of the past n sees"),
        gate(1, "σ", block(1), "how much is kept"),
        Equation(f"u{here}", largest_first(block(2, reads=False)), seen, "", seen, about="the past, for n"),
        gate(2, "tanh", reset, "what is new: r·u joins in"),
        Equation(f"h{here}", mixed, value, "", value, about="(1-z)·n + z·h before"),
    )


_SIGNS = {"sigmoid": "σ"}


# -- the way back --------------------------------------------------------------------------------------


@np.errstate(all="ignore")
def backward(trace: Trace, t: int, unit: int, k: int | None) -> tuple[Equation, ...]:
    """How ∂L_k/∂h_t (k None: the total) of one unit of the top layer came about, t = 0..T. Sequence 0.

    Every δ on the right is that of t+1, everything else that of t. For k alone and t > k there is nothing.
    """
    if k is not None and t > k:
        return ()
    H, spec = trace.H, trace.spec
    w = layer_weights(spec, trace.params, trace.L - 1)
    item = trace.item(k)
    grad_h = item.grad_h[:, 0]
    here, whose = f"[{unit}]", f"∂L{'' if k is None else subscript(k)}"
    value = float(grad_h[t, unit])

    readout: list[Term] = []
    if t >= 1 and (t == k or (k is None and t in trace.loss_steps)):
        names = ["ŷ"] if trace.O == 1 else [f"ŷ[{o}]" for o in range(trace.O)]
        readout = [
            Term(f"∂{name}", float(weight), float(error))
            for name, weight, error in zip(
                names, trace.params["readout.weight"][:, unit], trace.grad_y[t - 1, 0], strict=True
            )
        ]
    walks = t < (trace.T if k is None else k)
    deltas = _deltas(trace, t + 1, k) if walks else np.zeros(0)

    def via(index: int, name: str) -> list[Term]:
        block = slice(index * H, (index + 1) * H)
        return _products(name, w.W_hh[block, unit], deltas[block], always=True)

    if spec.cell == "rnn":
        arriving = [*readout, *(via(0, "δ") if walks else [])]
        found = [_gradient(f"{whose}/∂h{here}", arriving, value)]
        if t:
            slope = float(CELLS["rnn"].slopes(spec, trace.forward.window(t - 1, t).layers[-1])[0][0, 0, unit])
            sent = (Term(f"∂h{here}", slope, value),)
            goes_on = "slope·∂L/∂h goes on back"
            found.append(_gradient(f"δ{here}", sent, slope * value, ordered=True, about=goes_on))
        return tuple(found)

    gates: list[Equation] = []
    if walks:
        for index, gate in enumerate(spec.gates):
            terms = via(index, f"δ{gate}")
            total = float(deltas[index * H : (index + 1) * H] @ w.W_hh[index * H : (index + 1) * H, unit])
            gates.append(_gradient(f"via {gate}", terms, total, about=f"through the gate {gate} of t+1"))
    arriving = [*readout, *(Term(e.name, None, e.total) for e in gates)]
    if spec.cell == "gru" and walks:
        z = float(trace.gates["z"][t, 0, unit])
        arriving.append(Term(f"∂h{here}", z, float(grad_h[t + 1, unit])))
    found = [*gates, _gradient(f"{whose}/∂h{here}", arriving, value)]
    if spec.cell == "lstm":
        assert item.grad_c is not None
        assert trace.c is not None
        paths = []
        if t:
            shown = math.tanh(float(trace.c[t, 0, unit]))
            paths.append(Term(f"∂h{here}", float(trace.gates["o"][t - 1, 0, unit]) * (1.0 - shown * shown), value))
        if walks:
            paths.append(Term(f"∂c{here}", float(trace.gates["f"][t, 0, unit]), float(item.grad_c[t + 1, 0, unit])))
        total = float(item.grad_c[t, 0, unit])
        found.append(_gradient(f"{whose}/∂c{here}", paths, total, ordered=True, about="o·tanh'·∂h + f·∂c of t+1"))
    return tuple(found)


@np.errstate(all="ignore")
def _deltas(trace: Trace, t: int, k: int | None) -> Array:
    """(G*H,) ∂L_k/∂(W_hh h_{t-1} + b) of step t, sequence 0: what goes back through W_hh."""
    item = trace.item(k)
    grad_h = item.grad_h[t, 0]
    slopes = [s[0, 0] for s in CELLS[trace.spec.cell].slopes(trace.spec, trace.forward.window(t - 1, t).layers[-1])]
    if trace.spec.cell == "rnn":
        return np.asarray(slopes[0] * grad_h)
    if trace.spec.cell == "gru":
        return np.asarray((slopes[1] * grad_h).ravel())
    assert item.grad_c is not None
    c_by_ifg, h_by_o = slopes[0], slopes[1]
    return np.concatenate([(c_by_ifg * item.grad_c[t, 0]).ravel(), h_by_o * grad_h])


def _gradient(
    name: str, terms: list[Term] | tuple[Term, ...], total: float, *, ordered: bool = False, about: str = ""
) -> Equation:
    """A gradient's sum, in units of a power of ten that makes its largest term 1 to 10."""
    largest = max([abs(total), *(abs(term.product) for term in terms)], default=0.0)
    power = max(exponent(largest) or 0, SMALLEST)
    told = tuple(terms) if ordered else largest_first(terms)
    return Equation(name, told, total, "", total, power=power if not -2 < power < 3 else 0, about=about)


# -- terms ---------------------------------------------------------------------------------------------


def _products(name: str, weights: Array, values: Array, *, always: bool = False) -> list[Term]:
    """weight · value for each; a single one needs no number, unless it is one unit of many layers' (`always`)."""
    single = len(values) == 1 and not always
    return [
        Term(name if single else f"{name}[{j}]", weight, value)
        for j, (weight, value) in enumerate(zip(weights.tolist(), values.tolist(), strict=True))
    ]


def largest_first(terms: list[Term] | tuple[Term, ...]) -> tuple[Term, ...]:
    def size(term: Term) -> float:
        return math.inf if math.isnan(term.product) else abs(term.product)

    return tuple(sorted(terms, key=size, reverse=True))
