"""One unit at one step as sums with their actual numbers: how its value came about, and how its gradient did.

    h[3] = tanh( 0.71·x 0.41 + 0.52·h[7] -0.83 + b 0.02 ) = tanh(-0.214) = -0.211

A number in brackets is a unit; a subscript, as everywhere, a time step. An Equation holds the addends in full
precision, largest first, with the total and the value the engine recorded itself, so that the two can be compared.
`words.equations` writes it in a given room, or as a column of
products; in both what is shown adds up to the total that is shown: what does not fit is one term, and it also
takes up what rounding has left over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnnviz.nn import Trace
from rnnviz.nn.cell import CHOSEN, Cell
from rnnviz.nn.equations import in_full
from rnnviz.nn.masked import equations_of_layer
from rnnviz.nn.readout import attends
from rnnviz.nn.records import LayerWeights, Paths, layer_weights
from rnnviz.nn.types import Array
from rnnviz.numbers import exponent, subscript
from rnnviz.scene.gradient import Gradient

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


def _weights(trace: Trace) -> LayerWeights:
    """Of the top layer, W_hh as the matrix that it acts as."""
    return in_full(trace.spec.about_cell, layer_weights(trace.spec, trace.params, trace.L - 1))


# -- the way forward -----------------------------------------------------------------------------------


def forward(trace: Trace, t: int, unit: int) -> tuple[Equation, ...]:
    """How h_t of one unit of the top layer came about, t = 1..T; the unit's h_t comes last. Sequence 0.

    Every h and c on the right is that of t-1, everything else that of t.
    """
    H, spec = trace.H, trace.spec
    w = _weights(trace)
    layer = trace.forward.layers[-1]
    x, h = layer.x[t - 1, 0], layer.h[t - 1, 0]
    pre, gates = layer.pre[t - 1, 0], layer.gates[t - 1, 0]
    here = f"[{unit}]"
    if _copies(trace, t):
        states = {"h": layer.h} if layer.c is None else {"c": layer.c, "h": layer.h}
        return tuple(
            Equation(f"{name}{here}", (Term(f"{name}{here}", 1.0, float(state[t - 1, 0, unit])),),
                     float(state[t, 0, unit]), "", float(state[t, 0, unit]), about="padding: the mask copies the state")
            for name, state in states.items()
        )  # fmt: skip
    cell = spec.about_cell
    below = "h'" if trace.L > 1 else "x"

    def block(index: int, *, reads: bool = True, recurs: bool = True) -> list[Term]:
        row = index * H + unit
        terms = []
        if reads:
            terms += _products(below, w.W_ih[row], x)
            terms.append(Term("b" if w.b_hh is None else "b_ih", None, float(w.b_ih[row])))
        if recurs:
            terms += _products("h", w.W_hh[row], h, units=_partners(cell, unit, H))
            if w.b_hh is not None:
                terms.append(Term("b_hh", None, float(w.b_hh[row])))
        return terms

    found: list[Equation] = []
    for index, own in enumerate(cell.blocks):
        row, name = index * H + unit, f"{own.name}{here}"
        function = _SIGNS.get(spec.activation, spec.activation) if own.function == CHOSEN else own.function
        if own.reset_by:
            assert layer.rec_n is not None
            seen = float(layer.rec_n[t - 1, 0, unit])
            past = f"u{here}"
            about = f"the past, for {own.name}"
            found.append(Equation(past, largest_first(block(index, reads=False)), seen, "", seen, about=about))
            opened = float(gates[cell.block_names.index(own.reset_by) * H + unit])
            terms = [*block(index, recurs=False), Term(past, opened, seen)]
        else:
            terms = block(index, recurs=cell.recurrent)
        found.append(
            Equation(name, largest_first(terms), float(pre[row]), function, float(gates[row]), about=own.about)
        )
    values = {name: float(gates[n * H + unit]) for n, name in enumerate(cell.gates)}
    states = {"h": layer.h} if layer.c is None else {"h": layer.h, "c": layer.c}
    for mix in cell.mixes:
        now = float(states[mix.name][t, 0, unit])
        terms = [
            Term(f"{of}{here}", _factor(values, factor), _mixed(states, values, of, t, unit))
            for factor, of in mix.terms
        ]
        found.append(Equation(f"{mix.name}{here}", tuple(terms), now, "", now, about=mix.about))
    return tuple(found)


def _factor(gates: dict[str, float], factor: str) -> float:
    """A gate's value, or 1 less it."""
    return 1.0 - gates[factor[2:]] if factor.startswith("1-") else gates[factor]


def _mixed(states: dict[str, Array], gates: dict[str, float], of: str, t: int, unit: int) -> float:
    """What a factor of a Mix multiplies."""
    if of == "tanh c":
        return math.tanh(float(states["c"][t, 0, unit]))
    return float(states[of][t - 1, 0, unit]) if of in states else gates[of]


#: How an activation is written.
_SIGNS = {"sigmoid": "σ", "identity": ""}


# -- the way back --------------------------------------------------------------------------------------


@np.errstate(all="ignore")
def backward(trace: Trace, t: int, unit: int, gradient: Gradient) -> tuple[Equation, ...]:
    """How ∂L_k/∂h_t, this gradient, of one unit of the top layer came about, t = 0..T. Sequence 0.

    Every δ on the right is that of t+1, everything else that of t. For k alone and t > k there is nothing.
    """
    k = gradient.loss_step
    if k is not None and t > k:
        return ()
    H, spec = trace.H, trace.spec
    w = _weights(trace)
    grad_h = gradient.states[:, 0]
    here, whose = f"[{unit}]", f"∂L{'' if k is None else subscript(k)}"
    value = float(grad_h[t, unit])

    readout: list[Term] = []
    carries_loss = t >= 1 and (t == k or (k is None and t in trace.loss_steps))
    if carries_loss and trace.loss_name == "direct":
        readout = [Term("direct", None, float(trace.direct[t - 1, 0, unit]))]
    elif carries_loss:
        names = ["ŷ"] if trace.O == 1 else [f"ŷ[{o}]" for o in range(trace.O)]
        readout = [
            Term(f"∂{name}", float(weight), float(error))
            for name, weight, error in zip(
                names, trace.params["readout.weight"][:, unit], trace.grad_y[t - 1, 0], strict=True
            )
        ]
    if t >= 1 and attends(trace.spec):
        ways = trace.ways(k)
        for name, part in (("value", ways.value), ("score", ways.score)):
            if part is not None:
                readout.append(Term(name, None, float(part[t - 1, 0, unit])))
    onward = t < (trace.T if k is None else k)
    copied = onward and _copies(trace, t + 1)  # then ∂h is passed on as it is, and no weight has a part in it
    walks = onward and not copied
    deltas = _deltas(trace, t + 1, gradient) if walks else np.zeros(0)
    if copied:
        readout.append(Term(f"∂h{here}", 1.0, float(grad_h[t + 1, unit])))

    def via(index: int, name: str) -> list[Term]:
        block = slice(index * H, (index + 1) * H)
        return _products(name, w.W_hh[block, unit], deltas[block], units=_partners(cell, unit, H))

    cell = spec.about_cell
    if not cell.gates:
        arriving = [*readout, *(via(0, "δ") if walks else [])]
        found = [_gradient(f"{whose}/∂h{here}", arriving, value)]
        if t and not _copies(trace, t):
            slope = float(_paths(trace, t).blocks[0, 0, unit])
            sent = (Term(f"∂h{here}", slope, value),)
            goes_on = "slope·∂L/∂h passes on"
            found.append(_gradient(f"δ{here}", sent, slope * value, ordered=True, about=goes_on))
        return tuple(found)

    gates: list[Equation] = []
    carry = cell.carry
    if walks and cell.recurrent:
        for index, gate in enumerate(spec.gates):
            terms = via(index, f"δ{gate}")
            total = float(deltas[index * H : (index + 1) * H] @ w.W_hh[index * H : (index + 1) * H, unit])
            gates.append(_gradient(f"via {gate}", terms, total, about=f"through the gate {gate} of t+1"))
    arriving = [*readout, *(Term(e.name, None, e.total) for e in gates)]
    if walks and carry is not None and carry.state == "h":
        kept = float(carry.share(trace.gates[carry.gate][t, 0, unit]))
        arriving.append(Term(f"∂h{here}", kept, float(grad_h[t + 1, unit])))
    found = [*gates, _gradient(f"{whose}/∂h{here}", arriving, value)]
    if trace.c is not None:
        assert carry is not None
        assert gradient.highway is not None
        paths, grad_c = [], gradient.highway.states[:, 0, unit]
        if t:
            h_by_c = _paths(trace, t).h_by_c
            assert h_by_c is not None
            paths.append(Term(f"∂h{here}", float(h_by_c[0, unit]), value))
        if onward:
            kept = float(carry.share(trace.gates[carry.gate][t, 0, unit]))
            paths.append(Term(f"∂c{here}", kept, float(grad_c[t + 1])))
        if carries_loss and trace.direct_c is not None:
            paths.append(Term("direct", None, float(trace.direct_c[t - 1, 0, unit])))
        total = float(grad_c[t])
        about = f"{cell.output_gate}·tanh'·∂h + {carry.label}·∂c of t+1"
        found.append(_gradient(f"{whose}/∂c{here}", paths, total, ordered=True, about=about))
    return tuple(found)


def _copies(trace: Trace, t: int) -> bool:
    """Whether a mask copies the state of sequence 0 through step t."""
    mask = trace.forward.mask
    return mask is not None and t >= 1 and not mask[t - 1, 0]


def _paths(trace: Trace, t: int) -> Paths:
    """The local derivatives of step t of the top layer, (B, …) each."""
    layer = trace.forward.window(t - 1, t).layers[-1]
    equations = equations_of_layer(trace.spec.about_cell, layer)
    return equations.paths(tuple(s[0] for s in equations.slopes(trace.spec, layer)))


@np.errstate(all="ignore")
def _deltas(trace: Trace, t: int, gradient: Gradient) -> Array:
    """(G*H,) ∂L_k/∂(W_hh h_{t-1} + b) of step t, sequence 0: what goes back through W_hh."""
    cell, lane = trace.spec.about_cell, gradient.highway
    if not cell.recurrent:
        return np.zeros(0)
    grads = {"h": gradient.states, "c": None if lane is None or lane.along != "c" else lane.states}
    arriving = [grad[t, 0] for block in cell.blocks if (grad := grads[block.state]) is not None]
    return np.asarray((_paths(trace, t).blocks[0] * np.stack(arriving)).ravel())


def _gradient(
    name: str, terms: list[Term] | tuple[Term, ...], total: float, *, ordered: bool = False, about: str = ""
) -> Equation:
    """A gradient's sum, in units of a power of ten that makes its largest term 1 to 10."""
    largest = max([abs(total), *(abs(term.product) for term in terms)], default=0.0)
    power = max(exponent(largest) or 0, SMALLEST)
    ordered_terms = tuple(terms) if ordered else largest_first(terms)
    return Equation(name, ordered_terms, total, "", total, power=power if not -2 < power < 3 else 0, about=about)


# -- terms ---------------------------------------------------------------------------------------------


def _products(name: str, weights: Array, values: Array, *, units: range | None = None) -> list[Term]:
    """weight · value for each, of units for those that are named; a single one needs no number, unless it is a unit."""
    chosen = range(len(values)) if units is None else units
    single = len(values) == 1 and units is None
    return [Term(name if single else f"{name}[{j}]", float(weights[j]), float(values[j])) for j in chosen]


def _partners(cell: Cell, unit: int, H: int) -> range:
    """The units that `unit` reads, and that read it, through W_hh."""
    return cell.diagonal.senders(unit, H) if cell.diagonal else range(H)


def largest_first(terms: list[Term] | tuple[Term, ...]) -> tuple[Term, ...]:
    def size(term: Term) -> float:
        return math.inf if math.isnan(term.product) else abs(term.product)

    return tuple(sorted(terms, key=size, reverse=True))
