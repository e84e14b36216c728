"""Our backward pass through a record, against complex steps of a forward pass that goes one sequence at a time."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.errors import InputError
from rnnviz.recordings import passes
from tests.nn import naive
from tests.recordings.records import random_record, replaced


def outputs(record, weights=None, moves=None):
    """The loss Σ direct · output + Σ direct_h · h_n + Σ direct_c · c_n on complex numbers. moves: {(level, direction,
    sequence): moves of naive.run}, with time as the direction counts it."""
    weights, moves = weights or record.weights, moves or {}
    loss, D = 0.0, len(record.directions)
    for b, steps in enumerate(record.steps):
        inputs = record.x[:steps, b].astype(complex)
        for level in range(record.levels):
            halves = []
            for side, direction in enumerate(record.directions):
                end = f"_l{level}{'_reverse' if side else ''}"
                params = {"readout.weight": np.zeros((1, record.H)), "readout.bias": np.zeros(1)}
                for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    if kind + end in weights:
                        params[f"rnn.{kind}_l0"] = weights[kind + end]
                params.setdefault("rnn.bias_ih_l0", 0.0)
                spec = SimpleNamespace(cell=record.cell, activation=record.activation, num_layers=1,
                                       hidden_size=record.H, readout="linear")  # fmt: skip
                at, order = level * D + side, slice(None, None, -1 if side else 1)
                h0, c0 = (None if s is None else s[at : at + 1, b : b + 1] for s in (record.h0, record.c0))
                found = naive.run(spec, params, inputs[order][:, None], h0, c0, moves.get((level, direction, b)))
                if record.direct_h is not None:
                    loss += (record.direct_h[at, b] * found.h[-1][0][0]).sum()
                if record.direct_c is not None:
                    loss += (record.direct_c[at, b] * found.c[-1][0][0]).sum()
                halves.append(np.stack([h[0][0] for h in found.h[1:]])[order])
            inputs = np.concatenate(halves, axis=1)
        loss += (record.direct[:steps, b] * inputs).sum()
    return loss


def close(ours, theirs, tolerance=1e-12):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(np.abs(theirs).max(), 1e-300))


CASES = {
    "rnn": dict(cell="rnn"),
    "relu": dict(cell="rnn", activation="relu", states=True),
    "lstm": dict(cell="lstm", states=True, last=True),
    "gru": dict(cell="gru", states=True, last=True),
    "mingru": dict(cell="mingru", biases=1, last=True),
    "no bias": dict(cell="lstm", biases=0),
    "gru without bias": dict(cell="gru", biases=0, states=True),
    "gru with one bias": dict(cell="gru", biases=1),
    "stacked": dict(cell="lstm", levels=2, H=2, B=2, states=True, last=True),
    "bidirectional": dict(cell="gru", directions=2, H=2, B=2, states=True, last=True),
    "packed": dict(cell="lstm", lengths=[2, 5, 1], states=True, last=True),
    "everything": dict(cell="lstm", levels=2, directions=2, H=2, B=2, T=4, lengths=[3, 1], states=True, last=True),
}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES)
def record(request):
    return random_record(**request.param)


def test_weight_gradients(record):
    ours = passes.weight_gradients(record)
    assert list(ours) == list(record.weights)
    for name, weight in record.weights.items():
        theirs = naive.derivative(
            lambda v, name=name: outputs(record, {**record.weights, name: record.weights[name] + v}), weight.shape
        )
        close(ours[name], theirs)


def test_gradients_of_every_state_and_input(record):
    for level in range(record.levels):
        for direction in record.directions:
            for sample in range(record.B):
                trace = passes.trace_of(record, sample, level, direction)
                assert trace.x.shape[:2] == (record.steps[sample], 1)
                states = [("h", trace.grad_h)] + ([("c", trace.grad_c)] if trace.grad_c is not None else [])
                for state, ours in states:
                    for t in {0, 1, trace.T}:
                        where = (level, direction, sample)
                        theirs = naive.derivative(
                            lambda v, t=t, where=where, state=state: outputs(record, moves={where: {(state, 0, t): v}}),
                            (record.H,),
                        )
                        close(ours[t, 0], theirs, 1e-12 * max(1, np.abs(ours).max() / max(np.abs(theirs).max(), 1e-9)))
                for t in {1, trace.T}:
                    theirs = naive.derivative(
                        lambda v, t=t, where=where: outputs(record, moves={where: {("x", t): v}}), trace.x.shape[2:]
                    )
                    close(trace.grad_x[t - 1, 0], theirs, 1e-11)


def test_a_trace_is_a_trace_like_any_other(record):
    trace = passes.trace_of(record, 1)
    steps = record.steps[1]
    y = trace.h[1:]
    assert (trace.y == y).all()
    assert (trace.grad_y == trace.targets).all()
    assert trace.loss == pytest.approx(trace.step_loss.sum())
    if record.activation == "tanh":
        assert trace.check() < 1e-8
    assert trace.triangle.shape == (steps + 1, steps + 1)
    close(sum(trace.item(k).grad_h for k in trace.loss_steps), trace.grad_h)
    norms = [np.linalg.norm(trace.item(k).grad_h[0]) for k in trace.loss_steps]
    close(trace.triangle[list(trace.loss_steps), 0], np.array(norms))
    assert trace.ledger.gain.shape == (steps,)
    assert trace.sent(int(steps)).shape == (steps,)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_agreement_of_random_shapes(data):
    """The gradients of the weights along a random direction, for any shape and options."""
    draw = data.draw
    B, T = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    record = random_record(
        draw(st.sampled_from(["rnn", "lstm", "gru"])),
        T=T, B=B, I=draw(st.integers(1, 3)), H=draw(st.integers(1, 4)),
        levels=draw(st.integers(1, 3)), directions=draw(st.integers(1, 2)), biases=draw(st.integers(0, 2)),
        lengths=draw(st.none() | st.lists(st.integers(1, T), min_size=B, max_size=B)),
        states=draw(st.booleans()), last=draw(st.booleans()), seed=draw(st.integers(0, 99)),
    )  # fmt: skip
    ours = passes.weight_gradients(record)
    rng = np.random.default_rng(1)
    along = {name: rng.standard_normal(weight.shape) for name, weight in record.weights.items()}
    moved = {name: weight + 1j * naive.EPSILON * along[name] for name, weight in record.weights.items()}
    theirs = outputs(record, moved).imag / naive.EPSILON
    size = sum(np.abs(ours[name] * along[name]).sum() for name in along)
    assert abs(sum((ours[name] * along[name]).sum() for name in along) - theirs) <= 1e-12 * size
    assert passes.agreement(replaced(record, grads=ours)) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e308])
@pytest.mark.parametrize("options", [CASES["everything"], {**CASES["packed"], "cell": "rnn", "activation": "relu"}])
def test_what_lies_behind_the_end_of_a_sequence_acts_on_nothing(bad, options):
    options = {name: value for name, value in options.items() if options.get("cell") == "lstm" or name != "last"}
    plain = random_record(**options)
    behind = np.arange(plain.T)[:, None] >= plain.steps
    x, direct = plain.x.copy(), plain.direct.copy()
    x[behind] = direct[behind] = bad
    dirty = replaced(plain, x=x, direct=direct)
    ours = passes.weight_gradients(dirty)
    for name, gradient in passes.weight_gradients(plain).items():
        np.testing.assert_array_equal(ours[name], gradient)
    assert (passes.trace_of(dirty, 1).grad_h == passes.trace_of(plain, 1).grad_h).all()


def test_states_that_explode_behind_the_end_act_on_nothing():
    plain = random_record("rnn", activation="relu", T=900, B=2, H=2, lengths=[900, 2])
    weights = {name: np.full_like(weight, 2.0) for name, weight in plain.weights.items()}
    direct = plain.direct.copy()
    direct[:, 0] = 0.0
    direct[0, 0] = 1.0
    grads = passes.weight_gradients(replaced(plain, weights=weights, direct=direct, lengths=[1, 2]))
    assert all(np.isfinite(gradient).all() for gradient in grads.values())


def test_a_record_may_hold_inf_and_nan():
    """As a training that has exploded: a trace shows them, and where they began."""
    x = random_record().x.copy()
    x[2] = np.nan
    trace = passes.trace_of(random_record())
    broken = passes.trace_of(replaced(random_record(), x=x))
    assert (broken.h[:3] == trace.h[:3]).all()
    assert np.isnan(broken.h[3:]).all()
    assert np.isnan(broken.loss)


# -- agreement -----------------------------------------------------------------------------------------


def test_agreement_is_the_largest_relative_difference():
    record = random_record("gru")
    grads = {name: gradient.copy() for name, gradient in passes.weight_gradients(record).items()}
    largest = np.unravel_index(np.abs(grads["weight_hh_l0"]).argmax(), grads["weight_hh_l0"].shape)
    grads["weight_hh_l0"][largest] *= 1.25
    assert passes.agreement(replaced(record, grads=grads)) == pytest.approx(0.2)
    some = {"bias_ih_l0": grads["bias_ih_l0"]}
    assert passes.agreement(replaced(record, grads=some)) == 0
    assert passes.agreement(record) is None
    assert passes.agreement(replaced(record, grads=grads, total=17)) is None


def test_agreement_where_there_are_zeros_and_what_is_not_finite():
    record = random_record("rnn", dtype=np.float32)
    silent = replaced(record, direct=np.zeros_like(record.direct))
    zeros = {name: np.zeros_like(weight) for name, weight in record.weights.items()}
    assert passes.agreement(replaced(silent, grads=zeros)) == 0
    assert passes.agreement(replaced(record, grads=zeros)) > 1e30
    faint = replaced(record, direct=np.float64(1e-60) * record.direct.astype(float))
    assert passes.agreement(replaced(faint, grads=zeros)) < 1e-15, "lost below the range of float32"
    nan = {name: np.full_like(weight, np.nan) for name, weight in record.weights.items()}
    assert passes.agreement(replaced(record, grads=nan)) == np.inf
    direct = record.direct.copy()
    direct[-1] = np.inf
    exploded = replaced(record, direct=direct)
    assert not np.isfinite(passes.weight_gradients(exploded)["bias_ih_l0"]).any()
    assert passes.agreement(replaced(exploded, grads=nan)) == 0
    assert passes.agreement(replaced(exploded, grads=zeros)) == np.inf


def test_what_proves_a_record():
    single, double = random_record(dtype=np.float32), random_record()
    mixed = replaced(single, weights={**single.weights, "bias_ih_l0": double.weights["bias_ih_l0"]})
    assert [passes.is_proved(single, figure) for figure in (0, 1e-4, 2e-4, np.nan, np.inf, None)] == [
        True, True, False, False, False, False,
    ]  # fmt: skip
    assert [passes.is_proved(double, figure) for figure in (1e-9, 2e-9)] == [True, False]
    assert passes.is_proved(mixed, 1e-5)


def test_the_direct_gradient_is_what_carries_loss():
    direct = np.zeros((5, 3, 3))
    direct[3, 1] = 1.0
    record = replaced(random_record(), direct=direct)
    assert passes.trace_of(record, 1).loss_steps == (4,)
    assert passes.trace_of(record, 0).loss_steps == (5,), "the last step where there is none"
    last = np.ones((1, 3, 3))
    assert passes.trace_of(replaced(record, direct_c=last), 1).loss_steps == (4, 5)
    assert passes.trace_of(replaced(record, direct_h=last), 0).horizon != 0


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ({"sample": 3}, "sample: 3 is not one of the 3 sequences, 0 to 2"),
        ({"sample": -4}, "sample: -4 is not"),
        ({"sample": True}, "sample: True is not"),
        ({"sample": "a"}, "sample: 'a' is not"),
        ({"level": 1}, "level: 1 is not one of the 1 levels, 0 to 0"),
        ({"direction": "backward"}, "direction: 'backward' is unknown; choose from forward"),
    ],
)
def test_what_a_record_does_not_have(which, message):
    with pytest.raises(InputError, match=message):
        passes.trace_of(random_record(), **which)


def test_too_large_a_record_is_refused_before_memory_is_taken(monkeypatch):
    record = random_record(T=60, H=8)
    monkeypatch.setattr("rnnviz.nn.checks.memory_limit", lambda: 100_000)
    with pytest.raises(InputError, match="record: would take"):
        passes.weight_gradients(record)


@pytest.mark.filterwarnings("error")
def test_a_record_that_explodes_gives_no_warning():
    plain = random_record("rnn", activation="relu", levels=2, directions=2)
    weights = {name: 1e200 * weight for name, weight in plain.weights.items()}
    huge = replaced(plain, weights=weights, grads=plain.weights)
    assert not all(np.isfinite(gradient).all() for gradient in passes.weight_gradients(huge).values())
    assert passes.agreement(huge) == np.inf
    trace = passes.trace_of(huge, level=0, direction="backward")
    assert not np.isfinite(trace.grad_h).all()
    assert not np.isfinite(trace.grad_x).all()
