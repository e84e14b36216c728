"""Why a gradient is exactly 0, held against an oracle: the same step back with its factors replaced, or its gradient
scaled up, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rnnviz.nn import Model, Trace
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.equations import equations as equations_of
from rnnviz.nn.records import layer_weights
from rnnviz.views.gradient import along_gate, gradient_of
from rnnviz.views.zero_gradients import Zero, zero_because, zeros
from rnnviz.words.zero_gradients import clause, short

T, H = 12, 4
RNG = np.random.default_rng(3)
X, Y = RNG.standard_normal((T, 1, 1)), RNG.standard_normal((T, 1, 1))


def make(cell: str, change: Callable[[dict[str, Any]], None] = lambda p: None, x: Any = X, **how: Any) -> Trace:
    settings = dict(biases=2, hidden_size=H, seed=1, **{k: how.pop(k) for k in ("activation", "gain") if k in how})
    model = Model.create(cell=cell, **settings)
    params = model.copy_params()
    change(params)
    return model.with_params(params).trace(x, how.pop("y", Y), loss_at=how.pop("loss_at", "last"))


def put(name: str, value: float, gate: int | None = None) -> Callable[[dict[str, Any]], None]:
    def change(params: dict[str, Any]) -> None:
        rows = slice(None) if gate is None else slice(gate * H, (gate + 1) * H)
        params[name][rows] = value

    return change


def both(*changes: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    return lambda params: [change(params) for change in changes] and None


def loud(t: int) -> np.ndarray:
    """An input so large at step t that a tanh of it is exactly ±1."""
    x = X.copy()
    x[t - 1] = 1e6
    return x


HH, IH, BIAS, OUT = "rnn.weight_hh_l0", "rnn.weight_ih_l0", "rnn.bias_ih_l0", "readout.weight"
PERFECT = make("rnn").y

#: (trace, k, t, along) -> (kind, t of the factor, its clause)
CASES: dict[str, tuple[Callable[[], Trace], int | None, int, str, tuple[str, int, str]]] = {
    "rnn, W_hh 0": (lambda: make("rnn", gain=0.0), 12, 3, "h", ("W_hh", 12, "W_hh is 0")),
    "rnn, W_hh 0, just before": (lambda: make("rnn", gain=0.0), 12, 11, "h", ("W_hh", 12, "W_hh is 0")),
    "tanh saturated": (lambda: make("rnn", x=loud(7)), 12, 3, "h", ("slope", 7, "the slope of tanh is 0 at t = 7")),
    "tanh saturated twice": (
        lambda: make("rnn", x=np.maximum(loud(7), loud(9))), 12, 0, "h",
        ("slope", 9, "the slope of tanh is 0 at t = 9"),
    ),
    "sigmoid saturated": (
        lambda: make("rnn", x=loud(5), change=put(IH, 1.0), activation="sigmoid"), 12, 4, "h",
        ("slope", 5, "the slope of sigmoid is 0 at t = 5"),
    ),
    "relu dead": (
        lambda: make("rnn", put(BIAS, -100.0), activation="relu"), 12, 6, "h",
        ("slope", 12, "the slope of relu is 0 at t = 12"),
    ),
    "relu dead, in the total": (
        lambda: make("rnn", put(BIAS, -100.0), activation="relu"), None, 6, "h",
        ("slope", 12, "the slope of relu is 0 at t = 12"),
    ),
    "W_hh 0 where the gradient enters": (
        lambda: make("rnn", both(put(OUT, 0.0), lambda p: p[OUT].__setitem__((0, 2), 1.0),
                                 lambda p: p[HH].__setitem__(2, 0.0))), 12, 5, "h",
        ("W_hh", 12, "W_hh is 0 in the rows that the gradient enters"),
    ),
    "underflow": (
        lambda: make("rnn", put(HH, 1e-40)), 12, 1, "h",
        ("underflow", 3, "it underflowed at t = 3, too small for float64"),
    ),
    "underflow of the slope's product": (
        lambda: make("rnn", both(put(HH, 1e-40), put(OUT, 1e-200))), 12, 1, "h",
        ("underflow", 8, "it underflowed at t = 8, too small for float64"),
    ),
    "terms that cancel": (
        lambda: make("rnn", both(put(HH, 0.0), put(IH, 0.0), put(BIAS, 0.0), put("rnn.bias_hh_l0", 0.0),
                                 lambda p: p[HH].__setitem__((slice(0, 2), slice(None)), [[1.0] * H, [-1.0] * H]),
                                 put(OUT, 1.0))), 12, 3, "h",
        ("cancelled", 11, "its terms cancel each other at t = 11"),
    ),
    "no error": (lambda: make("rnn", y=PERFECT), 12, 4, "h", ("error", 12, "the error of step 12 is 0")),
    "no error at all": (
        lambda: make("rnn", y=PERFECT, loss_at="every"), None, 4, "h",
        ("errors", 12, "every error is 0"),
    ),
    "no loss": (lambda: make("rnn"), 9, 4, "h", ("no loss", 9, "step 9 carries no loss")),
    "no readout": (
        lambda: make("gru", put(OUT, 0.0)), 12, 12, "h", ("readout", 12, "the weights of the readout are 0"),
    ),
    "lstm, W_hh 0": (lambda: make("lstm", put(HH, 0.0)), 12, 3, "h", ("W_hh", 12, "W_hh is 0")),
    "lstm, f closed": (
        lambda: make("lstm", both(put(BIAS, -1e4, gate=1), put(HH, 0.0))), 12, 5, "c",
        ("gate", 12, "the gate f is 0 at t = 12"),
    ),
    "lstm, o closed, along c": (
        lambda: make("lstm", put(BIAS, -1e4, gate=3)), 12, 12, "c", ("gate", 12, "o·tanh'(c) is 0 at t = 12"),
    ),
    "lstm, all saturated": (
        lambda: make("lstm", both(put(IH, 0.0), put(BIAS, 1e4))), 12, 5, "h",
        ("slopes", 12, "the slopes of all gates are 0 at t = 12"),
    ),
    "lstm, f small": (
        lambda: make("lstm", both(put(BIAS, -230.0, gate=1), put(HH, 0.0))), 12, 5, "c",
        ("underflow", 8, "it underflowed at t = 8, too small for float64"),
    ),
    "gru, W_hh and z 0": (
        lambda: make("gru", both(put(HH, 0.0), put(BIAS, -1e4, gate=1))), 12, 3, "h",
        ("W_hh", 12, "W_hh and z are 0"),
    ),
    "gru, all closed": (
        lambda: make("gru", both(put(BIAS, -1e4, gate=1), put(BIAS, 1e4, gate=2))), 12, 3, "h",
        ("slopes", 12, "z and the slopes of all gates are 0 at t = 12"),
    ),
    "gru, z closed, along z": (
        lambda: make("gru", put(BIAS, -1e4, gate=1)), 12, 3, "z", ("gate", 12, "the gate z is 0 at t = 12"),
    ),
    "gru, z small, along z": (
        lambda: make("gru", both(put(IH, 0.0), put(HH, 0.0), put(BIAS, -230.0, gate=1))), 12, 3, "z",
        ("underflow", 8, "it underflowed at t = 8, too small for float64"),
    ),
    "indrnn, u 0 where the gradient enters": (
        lambda: make("indrnn", both(put(OUT, 0.0), lambda p: p[OUT].__setitem__((0, 2), 1.0),
                                    lambda p: p[HH].__setitem__((0, 2), 0.0))), 12, 5, "h",
        ("W_hh", 12, "W_hh is 0 in the rows that the gradient enters"),
    ),
    "indrnn, relu dead": (
        lambda: make("indrnn", put(BIAS, -100.0), activation="relu"), 12, 6, "h",
        ("slope", 12, "the slope of relu is 0 at t = 12"),
    ),
    "lru, underflow": (
        lambda: make("lru", both(lambda p: p[HH].__setitem__(0, np.log(90.0)), put(OUT, 1.0))), 12, 0, "h",
        ("underflow", 3, "it underflowed at t = 3, too small for float64"),
    ),
    "mingru, z open": (
        lambda: make("mingru", put(BIAS, 1e4, gate=0)), 12, 3, "h", ("gate", 12, "1−z is 0 at t = 12"),
    ),
    "mingru, z nearly open": (
        lambda: make("mingru", both(put(IH, 0.0), put(BIAS, 36.0, gate=0), put(OUT, 1e-200))), 12, 0, "h",
        ("underflow", 4, "it underflowed at t = 4, too small for float64"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_first_factor_on_the_way_back_is_named(name: str) -> None:
    make_it, k, t, along, (kind, at, words) = CASES[name]
    found = zero_because(make_it(), gradient_of(make_it(), k), t, along)
    assert found is not None
    assert (found.kind, found.t, clause(found)) == (kind, at, words)
    assert len(short(found)) <= 20
    assert zeros(make_it(), gradient_of(make_it(), k))[t] == found or along != "h"


def test_what_is_not_zero_has_no_cause() -> None:
    for cell in CELLS:
        trace = make(cell)
        assert all(zero_because(trace, gradient_of(trace, 12), t) is None for t in range(T + 1))
        assert zero_because(make(cell, gain=0.0), gradient_of(make(cell, gain=0.0), 9), 11) is None  # time runs one way
        assert zero_because(make("rnn", gain=0.0), gradient_of(make("rnn", gain=0.0), None), 12) is None


@pytest.mark.parametrize("name", [n for n, case in CASES.items() if case[4][0] in ("W_hh", "slope", "underflow")])
def test_an_oracle_agrees(name: str) -> None:
    """One step of the cell backwards, from where the gradient was last there: with the named factor put to 1 something
    comes through, with the other one nothing; and an underflow comes through once the gradient is scaled up."""
    make_it, k, _, along, (kind, at, _) = CASES[name]
    trace = make_it()
    cell, spec = equations_of(CELLS[trace.spec.cell]), trace.spec
    t = at if kind in ("W_hh", "slope") else at + 1  # the step that is walked back
    item = trace.item(k)
    weights = layer_weights(spec, trace.params, 0)
    slopes = tuple(s[0] for s in cell.slopes(spec, trace.forward.window(t - 1, t).layers[-1]))
    grad_h, grad_c = item.grad_h[t], None
    if item.grad_c is not None:
        grad_c = item.grad_c[t] - slopes[2] * grad_h  # what step t+1 sent

    def arrives(w: Any = weights, s: Any = slopes, scale: float = 1.0) -> bool:
        if along == "z":
            return bool((s[2] * (along_gate(trace, k)[t] * scale)).any())
        step = cell.backward_step(w, s, grad_h * scale, None if grad_c is None else grad_c * scale)
        found = step.grad_c if along == "c" else step.grad_h
        return bool(found.any())

    open_weights = weights._replace(W_hh=RNG.standard_normal(weights.W_hh.shape))
    open_slopes = tuple(np.full_like(s, 0.5) for s in slopes)
    assert not arrives()
    if kind == "underflow":
        assert arrives(scale=1e250)
    else:
        assert not arrives(scale=1e250)
        assert arrives(w=open_weights) == (kind == "W_hh")
        assert arrives(s=open_slopes) == (kind == "slope" or "and z" in CASES[name][4][2])


def test_it_is_a_record_of_its_own() -> None:
    found = zero_because(make("rnn", gain=0.0), gradient_of(make("rnn", gain=0.0), 12), 3)
    assert found == Zero("W_hh", 12)
