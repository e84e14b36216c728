"""∂h_k/∂h_t without a loss: against backward passes of one unit each, finite differences, and PyTorch's autograd."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.nn import CELLS, Model, horizon, sensitivity
from rnnviz.nn.make_trace import direct_trace, states_trace
from tests import peers
from tests.nn import golden

T = 11


def network(cell, hidden, scale=1.0, **settings):
    biases = 1 if cell == "mingru" else 2
    model = Model.create(cell, 2, hidden, hidden, biases=biases, seed=2, **settings)
    params = {**model.params, "readout.weight": np.eye(hidden), "readout.bias": np.zeros(hidden)}
    for name in params:
        if name.startswith("rnn.weight_hh"):
            params[name] = params[name] * scale
    return model.spec, params


def states(cell, hidden, steps=T, batch=1, scale=1.0, **settings):
    spec, params = network(cell, hidden, scale, **settings)
    x = np.random.default_rng(hidden).standard_normal((steps, batch, 2))
    return states_trace(spec, params, x)


def jacobians(trace, k, b=0):
    """The oracle: a backward pass for each unit of h_k. (T+1, H, H) each, of h and of c."""
    found = []
    for unit in range(trace.H):
        direct = np.zeros((trace.T, trace.B, trace.H))
        direct[k - 1, b, unit] = 1.0
        back = direct_trace(trace.spec, trace.params, trace.x, direct)
        found.append((back.grad_h[:, b], back.grad_h[:, b] * 0 if back.grad_c is None else back.grad_c[:, b]))
    return np.stack([h for h, _ in found], axis=1), np.stack([c for _, c in found], axis=1)


def is_like(norms, J, b=0):
    np.testing.assert_allclose(norms.largest, np.linalg.svd(J, compute_uv=False)[:, 0], rtol=2e-10, atol=1e-300)
    np.testing.assert_allclose(norms.by_unit[:, b], np.linalg.norm(J, axis=1), rtol=1e-10, atol=1e-300)
    np.testing.assert_allclose(norms.frobenius, np.linalg.norm(J, axis=(1, 2)), rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("k", [T, 4, 1])
@pytest.mark.parametrize("layers", [1, 2])
def test_it_is_what_a_backward_pass_of_each_unit_says(cell, k, layers):
    trace = states(cell, 6, scale=2.0, num_layers=layers)
    h, c = jacobians(trace, k)
    found = trace.sensitivity_of(k)
    is_like(found.h, h)
    assert (found.c is None) == (trace.c is None)
    if found.c is not None:
        is_like(found.c, c)
    assert found.h.largest[k] == 1.0
    assert not found.h.largest[k + 1 :].any()
    np.testing.assert_array_equal(trace.grad_norm(k), found.h.largest)
    np.testing.assert_array_equal(trace.triangle[k], found.h.largest)


@pytest.mark.parametrize("cell", CELLS)
def test_a_state_that_is_moved_moves_the_last_by_no_more_and_in_one_direction_by_as_much(cell):
    """The definition itself, by finite differences: h_t moves, c_t stays, and everything after it follows."""
    trace, move = states(cell, 6, scale=2.0), 1e-6
    for t in (0, 4, 9):
        J = np.empty((6, 6))
        for unit in range(6):
            ends = []
            for sign in (1, -1):
                h = trace.h[t].copy()
                h[0, unit] += sign * move
                c = None if trace.c is None else trace.c[t][None]
                run = trace.engine.forward(trace.spec, trace.params, trace.x[t:], h[None], c)
                ends.append(run.layers[-1].h[-1, 0])
            J[:, unit] = (ends[0] - ends[1]) / (2 * move)
        assert trace.grad_norm(T)[t] == pytest.approx(np.linalg.svd(J, compute_uv=False)[0], rel=1e-7)
        assert trace.sensitivity_of(T).h.frobenius[t] == pytest.approx(np.linalg.norm(J), rel=1e-7)


@pytest.mark.parametrize("cell", CELLS)
def test_no_loss_of_that_step_sends_back_more(cell):
    trace = states(cell, 6, scale=2.0)
    for seed in range(5):
        direct = np.zeros((T, 1, 6))
        direct[T - 1] = np.random.default_rng(seed).standard_normal((1, 6))
        norms = direct_trace(trace.spec, trace.params, trace.x, direct).grad_norm(T)
        assert (norms <= trace.grad_norm(T) * norms[T] * (1 + 1e-12)).all()


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_large_state_whose_rank_is_reduced_on_the_way(cell, monkeypatch):
    """By products, with directions dropped early and often."""
    monkeypatch.setattr(sensitivity, "_FIRST_TRIED", 8)
    monkeypatch.setattr(sensitivity, "_REDUCED_FROM", 0)
    monkeypatch.setattr(sensitivity.gain, "IMPLICIT_FROM", 0)
    trace = states(cell, 24, steps=120, init="pytorch")
    h, c = jacobians(trace, 120)
    found = trace.sensitivity_of(120)
    is_like(found.h, h)
    if found.c is not None:
        is_like(found.c, c)
    ranks = {len(step[2][0]) for step in sensitivity._jacobians(trace.spec, trace.params, trace.forward, 120, 0)}
    assert len(ranks) > 1, "nothing was dropped"


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_very_large_state_in_float32(cell, monkeypatch):
    exact = states(cell, 24, steps=120, init="pytorch").sensitivity_of(120)
    monkeypatch.setattr(sensitivity, "NARROW_FROM", 0)
    monkeypatch.setattr(sensitivity, "_FIRST_TRIED", 8)
    monkeypatch.setattr(sensitivity, "_REDUCED_FROM", 0)
    found = states(cell, 24, steps=120, init="pytorch").sensitivity_of(120)
    assert exact.h.largest[0] < 1e-8
    for name in ("h", "c") if cell == "lstm" else ("h",):
        np.testing.assert_allclose(getattr(found, name).largest, getattr(exact, name).largest, rtol=1e-4)
        np.testing.assert_allclose(getattr(found, name).frobenius, getattr(exact, name).frobenius, rtol=1e-4)


def test_each_sequence_of_a_batch_counts():
    trace = states("lstm", 4, batch=3)
    h = [jacobians(trace, T, b)[0] for b in range(3)]
    largest = np.max([np.linalg.svd(J, compute_uv=False)[:, 0] for J in h], axis=0)
    np.testing.assert_allclose(trace.grad_norm(T), largest, rtol=1e-12)


def test_it_is_0_from_where_it_underflows_and_inf_from_where_it_overflows():
    small = states("rnn", 3, steps=600, scale=1e-3)
    norms = small.grad_norm(600)
    assert norms[600] == 1
    assert norms[0] == 0
    assert (np.diff((norms == 0).astype(int)) <= 0).all()
    spec, params = network("rnn", 3)  # the state stays 0, where the slope is 1
    large = states_trace(
        spec, {**params, "rnn.weight_hh_l0": 50.0 * np.eye(3), "rnn.bias_ih_l0": np.zeros(9)[:3]}, np.zeros((400, 1, 2))
    )
    found = large.grad_norm(400)
    np.testing.assert_allclose(found[230:], 50.0 ** np.arange(170, -1, -1), rtol=1e-12)
    assert np.isinf(found[0])


def test_the_work_can_be_stopped():
    trace = states("gru", 5, steps=200)

    def stop(done, total):
        assert 0 < done <= total == 200
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trace.sensitivity_of(200, stop)


def test_a_trace_without_a_loss_says_so():
    trace = states("rnn", 5)
    assert not trace.has_loss
    assert "no loss" in repr(trace)
    assert np.isnan(trace.loss)
    for name in ("grad_h", "grad_c", "grad_x", "direct"):
        with pytest.raises(InputError, match=f"{name}: this trace has no loss"):
            getattr(trace, name)
    assert trace.loss_steps == tuple(range(1, T + 1))
    assert states("rnn", 5, scale=0.3).horizon == horizon(states("rnn", 5, scale=0.3).grad_norm(T)) is not None
    for ask in (lambda: trace.item(T), lambda: trace.grad_norm(None), lambda: trace.sent(T)):
        with pytest.raises(InputError, match="loss"):
            ask()
    ledger = trace.ledger_of(T)
    assert np.isnan(ledger.slope_share).all()
    np.testing.assert_allclose(ledger.product, trace.grad_norm(T))
    assert (ledger.product <= ledger.bound * (1 + 1e-12)).all()
    assert trace.check() < 1e-7
    assert (pickle.loads(pickle.dumps(trace)).grad_norm(T) == trace.grad_norm(T)).all()


@pytest.mark.slow
def test_it_is_what_autograd_of_pytorch_says(tmp_path):
    peers.run(
        Path(__file__).with_name("sensitivity_in_pytorch.py"), str(tmp_path / "out.npz"), needs=("torch", "numpy")
    )
    with np.load(tmp_path / "out.npz") as file:
        found = {name: file[name] for name in file.files}
    for cell in ("rnn", "lstm", "gru"):
        own = golden.under(f"{cell}.", found)
        steps, hidden = len(own["x"]), own["weight_hh_l0"].shape[1]
        spec, params = network(cell, hidden)
        spec = Model.create(cell, own["x"].shape[1], hidden, hidden).spec
        params = {**params, **{f"rnn.{name}": a for name, a in own.items() if "_l0" in name}}
        trace = states_trace(spec, params, own["x"][:, None])
        norms = trace.sensitivity_of(steps)
        is_like(norms.h, np.stack([own[f"h.{t}"] for t in range(steps + 1)]))
        if norms.c is not None:
            is_like(norms.c, np.stack([own[f"c.{t}"] for t in range(steps + 1)]))
