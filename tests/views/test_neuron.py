"""One unit's sums are the engine's own numbers, and what is written of them adds up to what is written."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest

from rnnviz.nn import Model, Trace, cell_table
from rnnviz.recordings import passes
from rnnviz.views import neuron
from rnnviz.views.gradient import gradient_of
from rnnviz.views.neuron import Equation, Term
from rnnviz.words import equations
from tests.recordings.records import random_record

T, H = 6, 6
CELLS = [
    ("rnn", "tanh"),
    ("rnn", "relu"),
    ("rnn", "identity"),
    ("rnn", "sigmoid"),
    ("lstm", "tanh"),
    ("gru", "tanh"),
    ("mingru", "identity"),
    ("indrnn", "tanh"),
    ("lru", "identity"),
]


def a_trace(
    cell: str, activation: str = "tanh", *, layers: int = 1, biases: int = 2, loss_at: object = "every"
) -> Trace:
    rng = np.random.default_rng(3)
    model = Model.create(
        cell=cell, input_size=3, hidden_size=H, output_size=2, num_layers=layers, activation=activation,
        biases=biases, init="pytorch", seed=1,
    )  # fmt: skip
    x, targets = rng.standard_normal((T, 1, 3)), rng.standard_normal((T, 1, 2))
    return model.trace(x, targets, loss_at=loss_at)


def a_recorded_trace(cell: str, activation: str) -> Trace:
    """With direct gradients on the states, those of the last step's c included."""
    more = {"activation": activation} if cell in ("rnn", "indrnn") else {}
    return passes.trace_of(random_record(cell, T=T, H=H, B=1, states=True, last=True, **more))


def total(equation: Equation) -> float:
    return math.fsum(term.product for term in equation.terms)


@pytest.mark.parametrize(("cell", "activation"), CELLS)
@pytest.mark.parametrize(("layers", "biases"), [(1, 1), (1, 2), (2, 2)])
def test_the_terms_add_up_to_what_the_engine_recorded(cell: str, activation: str, layers: int, biases: int) -> None:
    trace = a_trace(cell, activation, layers=layers, biases=biases)
    for t, unit in itertools.product(range(1, T + 1), range(H)):
        equations = neuron.forward(trace, t, unit)
        for equation in equations:
            assert total(equation) == pytest.approx(equation.total, abs=1e-12)
        assert equations[-1].value == trace.h[t, 0, unit]
        by_name = {equation.name[0]: equation for equation in equations}
        for name, gate in trace.gates.items():
            assert by_name[name].value == gate[t - 1, 0, unit]
        for index, name in enumerate(trace.spec.gates):
            assert by_name[name].total == trace.pre[t - 1, 0, index * H + unit]
        if trace.c is not None:
            assert by_name["c"].value == trace.c[t, 0, unit]


@pytest.mark.parametrize(("cell", "activation"), CELLS)
@pytest.mark.parametrize("k", [None, 4, T])
@pytest.mark.parametrize("is_recorded", [False, True])
def test_the_gradients_terms_add_up_to_the_gradient(
    cell: str, activation: str, k: int | None, is_recorded: bool
) -> None:
    if is_recorded and cell == "rnn" and activation not in ("tanh", "relu"):
        pytest.skip("frameworks have no such layer")
    trace = a_recorded_trace(cell, activation) if is_recorded else a_trace(cell, activation)
    item = trace.item(k)
    for t, unit in itertools.product(range((k or T) + 1), range(H)):
        equations = neuron.backward(trace, t, unit, gradient_of(trace, k))
        for equation in equations:
            assert total(equation) == pytest.approx(equation.total, abs=1e-12)
        named = {equation.name.partition("/")[2][:2]: equation for equation in equations if "/" in equation.name}
        assert named["∂h"].value == item.grad_h[t, 0, unit]
        if item.grad_c is not None:
            assert named["∂c"].value == item.grad_c[t, 0, unit]


def test_what_goes_on_back_is_what_the_engine_sends() -> None:
    trace = a_trace("rnn")
    for t, unit in itertools.product(range(1, T + 1), range(H)):
        sent = neuron.backward(trace, t, unit, gradient_of(trace, None))[-1]
        assert sent.name.startswith("δ")
        assert sent.value == pytest.approx(trace.backward.layers[-1].grad_pre[t - 1, 0, unit], abs=1e-15)


def test_a_loss_does_not_reach_later_steps() -> None:
    assert neuron.backward(a_trace("lstm"), 5, 0, gradient_of(a_trace("lstm"), 4)) == ()


def test_the_readout_joins_in_at_loss_steps_alone() -> None:
    trace = a_trace("rnn", loss_at=[3, T])
    for t in range(1, T + 1):
        names = [term.name for term in neuron.backward(trace, t, 0, gradient_of(trace, None))[0].terms]
        assert any(name.startswith("∂ŷ") for name in names) == (t in (3, T))


def test_the_largest_terms_come_first() -> None:
    sizes = [abs(term.product) for term in neuron.forward(a_trace("rnn"), 4, 2)[0].terms]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 3 + H + 2


# -- what is written -----------------------------------------------------------------------------------


def added_up(written: str) -> float:
    """What a reader gets who multiplies and adds what stands there."""
    body, _, rest = written.partition("…")
    value = float(re.search(r"[+-]\d+\.\d+", rest)[0]) if rest else 0.0  # type: ignore[index]
    # `0.71·x -0.41 - 0.52·h[7] 0.83`: split at the signs that stand between blanks
    parts = re.split(r" ([+-]) ", body.strip())
    signs = [1, *(1 if sign == "+" else -1 for sign in parts[1::2])]
    for sign, part in zip(signs, parts[0::2], strict=True):
        if not part:
            continue
        lead, _, number = part.strip().rpartition(" ")
        weight = re.match(r"(-?)(\d+\.\d+)·", lead)
        minus = -1 if lead.startswith("-") else 1
        value += sign * minus * float(number) * (float(weight[2]) if weight else 1.0)
    return value


@pytest.mark.parametrize("cell", list(cell_table.CELLS))
@pytest.mark.parametrize("room", [40, 62, 78, 200])
def test_a_reader_who_adds_up_gets_the_total(cell: str, room: int) -> None:
    trace = a_trace(cell)
    for t, unit in itertools.product(range(1, T + 1), range(H)):
        for equation in (*neuron.forward(trace, t, unit), *neuron.backward(trace, t, unit, gradient_of(trace, T))):
            told = equations.write_equation(equation, room)
            assert len(told.text) <= max(room, 56), "what is not written out takes some room, too"
            scaled = equation.total / 10.0**equation.power
            shown = re.search(r"= [σtanh]*\(?(-?\d+\.\d+)", told.result)
            assert shown is not None
            assert float(shown[1]) == pytest.approx(scaled, abs=0.0005001)
            body = told.sum.partition(")")[0]
            assert added_up(body) == pytest.approx(float(shown[1]), abs=0.00051), told.text


@pytest.mark.parametrize("count", [1, 3, 7, 30])
def test_a_list_adds_up_exactly(count: int) -> None:
    trace = a_trace("rnn")
    for t, unit in itertools.product(range(1, T + 1), range(H)):
        for equation in (*neuron.forward(trace, t, unit), *neuron.backward(trace, t, unit, gradient_of(trace, T))):
            lines = equations.list_terms(equation, count)
            assert len(lines) <= count
            total = sum(round(1000 * float(line.product)) for line in lines)
            assert total == round(1000 * float(f"{equation.total / 10.0**equation.power:.3f}"))


def test_what_is_left_out_is_counted() -> None:
    terms = tuple(Term(f"h{j}", 0.5, 0.1 * (9 - j)) for j in range(9))
    equation = Equation("h", terms, sum(t.product for t in terms), "tanh", 0.0)
    assert equations.list_terms(equation, 4)[-1].name == "… 6 more"
    assert "more" not in "".join(line.name for line in equations.list_terms(equation, 9))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300, 5e-324, 0.0])
def test_any_number_can_be_written(bad: float) -> None:
    equation = Equation("h", (Term("x", 1.0, bad), Term("b", None, 0.5)), bad + 0.5, "tanh", bad)
    for room in (10, 40, 78):
        assert equations.write_equation(equation, room).text
    assert len(equations.list_terms(equation, 2)) <= 2
