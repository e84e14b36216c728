"""Bidirectional layers: PyTorch's numbers, every gradient by a complex step, and both engines alike.

The oracle (tests/nn/naive.py) goes through time itself, h'_t from h'_{t+1}; nothing in it is reversed.
"""

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.nn import Data, Model, ModelSpec, Optimizer, Training, numba_engine, numpy_engine
from tests.nn import golden, naive
from tests.nn.cells_here import CELLS
from tests.nn.test_numba_engine import assert_same, assert_same_training, both_trained, random_data

PYTORCH = golden.load("bidirectional")
WAYS = ("forward", "backward")
T, B, INPUTS, H, OUTPUTS = 4, 2, 2, 2, 2
CASES = [("rnn", 1), ("rnn", 2), ("lstm", 1), ("gru", 1), ("mingru", 1), ("mingru", 2), ("indrnn", 1), ("lru", 2)]
CASES += [pytest.param((cell, 2), marks=pytest.mark.slow) for cell in ("lstm", "gru")]


def agree(ours, theirs, scale=None):
    """To 1e-12 of the largest element."""
    assert np.shape(ours) == np.shape(theirs)
    scale = np.abs(theirs).max() if scale is None else scale
    assert np.abs(ours - theirs).max() <= 1e-12 * scale


@pytest.mark.parametrize("where", ["every", "last"])
@pytest.mark.parametrize("case", PYTORCH)
def test_pytorch(case, where):
    cell, layers = case.split(".")
    given, size = PYTORCH[case], PYTORCH[case]["h"].shape[-1] // 2
    model = Model.create(cell, 2, size, 2, num_layers=int(layers), bidirectional=True)
    params = golden.under("params/", given)
    assert list(params) == list(model.params)
    model = model.with_params(params)
    c0 = given["c0"] if cell == "lstm" else None
    np.testing.assert_allclose(model.forward(given["x"], given["h0"], c0), given["y"], rtol=0, atol=1e-12)
    for side, way in enumerate(WAYS):
        trace = model.trace(given["x"], given["targets"], loss_at=where, h0=given["h0"], c0=c0, direction=way)
        own = given["h"][..., side * size : (side + 1) * size]
        turned = slice(None, None, -1) if side else slice(None)
        np.testing.assert_allclose(trace.h[1:][turned], own, rtol=0, atol=1e-12)
        np.testing.assert_allclose(trace.y[turned], given["y"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(trace.grad_x[turned], given[f"{where}/grad_x"], rtol=0, atol=1e-12)
        assert trace.loss == pytest.approx(float(given[f"{where}/loss"]), rel=1e-12)
        for name, theirs in golden.under(f"{where}/grads/", given).items():
            np.testing.assert_allclose(trace.whole.backward.grads[name], theirs, rtol=0, atol=1e-12, err_msg=name)
            assert name.endswith("_reverse") or np.abs(theirs).max() > 1e-4


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(map(str, case)))
def both(request):
    """(model, x, targets, {way: trace}), each way's trace in the order in which it reads."""
    cell, layers = request.param
    rng = np.random.default_rng(layers)
    model = Model.create(cell, INPUTS, H, OUTPUTS, num_layers=layers, init="pytorch", bidirectional=True, seed=1)
    x, targets = rng.standard_normal((T, B, INPUTS)), rng.standard_normal((T, B, OUTPUTS))
    return model, x, targets, {way: model.trace(x, targets, direction=way) for way in WAYS}


def wanted(both, *quantity, shape=(B, H)):
    """dL_k / d(quantity) by complex steps, k = 1 .. T in the order of time: (*shape, T)."""
    model, x, targets, _ = both
    mask = np.ones((T, B), bool)

    def shares(v):
        return naive.shares(naive.run_both(model.spec, model.params, x, {quantity: v}), targets, mask, "mse")

    return naive.derivative(shares, shape)


def time_of(way, step):
    """The time of a direction's own step: the backward direction begins at T + 1."""
    return step if way == "forward" else T + 1 - step


def test_the_outputs_are_those_of_two_layers_that_read_in_two_ways(both):
    model, x, targets, traces = both
    y = naive.run_both(model.spec, model.params, x).real
    agree(model.forward(x), y)
    agree(traces["forward"].y, y)
    agree(traces["backward"].y, y[::-1])
    assert traces["forward"].loss == pytest.approx(((y - targets) ** 2).mean(), rel=1e-14)
    for way, trace in traces.items():
        agree(trace.y, trace.h[1:] @ trace.params["readout.weight"].T + trace.params["readout.bias"] + trace.rest)
        assert (trace.loss_steps, trace.H, trace.L) == ((1, 2, 3, 4), H, 1), way


@pytest.mark.parametrize("way", WAYS)
def test_the_gradient_of_each_loss_step_on_each_state_of_each_direction(both, way):
    """The forward direction's goes back to t = 1, the backward direction's forward in time to T."""
    model, trace = both[0], both[3][way]
    suffix = model.spec.suffixes[-2 if way == "forward" else -1]
    for step in range(T + 1):
        moved = wanted(both, "h", suffix, time_of(way, step))
        agree(trace.grad_h[step], moved.sum(-1), np.abs(trace.grad_h).max())
        for k in range(1, T + 1):
            theirs = moved[..., time_of(way, k) - 1]
            agree(trace.item(k).grad_h[step], theirs, np.abs(trace.item(k).grad_h).max())
            assert trace.triangle[k, step] == pytest.approx(np.linalg.norm(theirs), rel=1e-12)
            assert (step <= k) == bool(np.abs(theirs).max() > 0)  # later in time than k, of the backward direction
        if trace.grad_c is not None:
            moved = wanted(both, "c", suffix, time_of(way, step))
            agree(trace.grad_c[step], moved.sum(-1), np.abs(trace.grad_c).max())


@pytest.mark.parametrize("way", WAYS)
def test_the_gradient_on_the_inputs_comes_through_both_directions(both, way):
    trace = both[3][way]
    for step in range(1, T + 1):
        moved = wanted(both, "x", time_of(way, step), shape=(B, INPUTS))
        agree(trace.grad_x[step - 1], moved.sum(-1), np.abs(trace.grad_x).max())
        for k in range(1, T + 1):
            theirs = moved[..., time_of(way, k) - 1]
            agree(trace.grad_x_of(k)[step - 1], theirs, np.abs(trace.grad_x).max())
            assert np.abs(theirs).max() > 0  # before k as well as after it


def test_the_gradient_of_every_weight_and_each_steps_share_of_it(both):
    model, _, _, traces = both
    grads = traces["forward"].whole.backward.grads
    assert list(grads) == list(model.params)
    scale = max(np.abs(g).max() for g in grads.values())
    for name, gradient in grads.items():
        by_time = [wanted(both, name, t, shape=gradient.shape).sum(-1) for t in range(1, T + 1)]
        agree(gradient, sum(by_time), scale)
        for way, trace in traces.items():
            suffix, own = model.spec.suffixes[-2 if way == "forward" else -1], name
            if name.startswith("rnn."):
                if not name.endswith(suffix):
                    continue
                own = name.replace(suffix, "_l0")
            side = slice(None) if name != "readout.weight" else slice(H) if way == "forward" else slice(H, None)
            agree(trace.grads[own], gradient[..., side], scale)
            for step in range(1, T + 1):
                agree(trace.share(own)[step - 1], by_time[time_of(way, step) - 1][..., side], scale)


def test_the_traces_own_check(both):
    for trace in both[3].values():
        assert trace.check() < 1e-8
        for array in (trace.grads["rnn.weight_ih_l0"], trace.grad_h):
            array.flags.writeable = True
            array *= 1.01
            assert trace.check() > 1e-5
            array /= 1.01


def test_ledger_and_gain_are_of_the_states_of_one_direction(both):
    for trace in both[3].values():
        for t in range(1, T + 1):
            alone = replace(trace, x=trace.x)
            theirs = [naive.state_jacobian(alone, t, b) for b in range(B)]
            assert trace.gain[t - 1] == pytest.approx(max(np.linalg.norm(j, 2) for j in theirs), rel=1e-9)
        norms = trace.grad_norm(T)
        np.testing.assert_allclose(trace.ledger.factor, norms[:-1] / norms[1:], rtol=1e-12)


def test_a_loss_at_the_last_step_is_one_step_from_the_backward_directions_start():
    model = Model.create("rnn", 1, 3, 1, bidirectional=True)
    x = np.random.default_rng(0).standard_normal((6, 1, 1))
    ahead, back = (model.trace(x, np.ones((1, 1)), loss_at="last", direction=way) for way in WAYS)
    assert ahead.loss_steps == (6,)
    assert back.loss_steps == (1,)
    assert (ahead.grad_norm(6) > 0).all()
    assert (back.grad_norm(1)[:2] > 0).all()
    assert not back.grad_norm(1)[2:].any()


@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_each_direction_begins_at_a_sequences_own_end(after, engine):
    """Masked padding, as PyTorch's packed sequences: every number is that of the sequence alone."""
    model = Model.create("rnn", INPUTS, H, OUTPUTS, num_layers=2, bidirectional=True, init="pytorch", seed=1)
    rng, steps = np.random.default_rng(5), (4, 2, 3)
    x, targets = rng.standard_normal((T, 3, INPUTS)), rng.standard_normal((T, 3, OUTPUTS))
    mask = np.arange(T)[:, None] < np.array(steps) if after else np.arange(T)[:, None] >= T - np.array(steps)
    traces = {way: model.trace(x, targets, loss_at=mask, mask=mask, direction=way, engine=engine) for way in WAYS}
    total, loss = dict.fromkeys(model.params, 0.0), 0.0
    for b in range(3):
        own, share = mask[:, b], steps[b] / sum(steps)
        alone = {way: model.trace(x[own, b, None], targets[own, b, None], direction=way) for way in WAYS}
        for way, trace in traces.items():
            reads = own if way == "forward" else own[::-1]
            np.testing.assert_allclose(trace.h[1:][reads, b], alone[way].h[1:, 0], rtol=0, atol=1e-13)
            np.testing.assert_allclose(trace.grad_h[1:][reads, b], share * alone[way].grad_h[1:, 0], rtol=0, atol=1e-13)
            np.testing.assert_allclose(trace.grad_x[reads, b], share * alone[way].grad_x[:, 0], rtol=0, atol=1e-13)
            assert not trace.grad_x[~reads, b].any()
        loss += share * alone["forward"].loss
        for name, gradient in alone["forward"].whole.backward.grads.items():
            total[name] = total[name] + share * gradient
    assert traces["forward"].loss == pytest.approx(loss, rel=1e-13)
    for name, gradient in traces["forward"].whole.backward.grads.items():
        np.testing.assert_allclose(gradient, total[name], rtol=0, atol=1e-13, err_msg=name)
    assert all(trace.check() < 1e-8 for trace in traces.values())


# -- the compiled engine -----------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_both_engines_agree(cell, layers):
    H = 6 if cell == "lru" else 7  # an LRU pairs its units
    model = Model.create(cell, 3, H, 2, num_layers=layers, init="pytorch", bidirectional=True, seed=1)
    spec, rng = model.spec, np.random.default_rng(0)
    x, grad_y = rng.standard_normal((6, 5, 3)), rng.standard_normal((6, 5, 2))
    h0, c0 = rng.standard_normal((2, 2 * layers, 5, H))
    c0 = c0 if spec.has_cell_state else None
    one, other = (engine.forward(spec, model.params, x, h0, c0) for engine in (numpy_engine, numba_engine))
    assert_same(one.y, other.y, "y")
    assert len(one.layers) == 2 * layers
    for mine, theirs in zip(one.layers, other.layers, strict=True):
        for name in ("x", "h", "c", "pre", "gates", "rec_n"):
            assert_same(getattr(mine, name), getattr(theirs, name), name)
    one, other = (engine.backward(spec, model.params, one, grad_y) for engine in (numpy_engine, numba_engine))
    for name, gradient in one.grads.items():
        assert_same(gradient, other.grads[name], name)
    for mine, theirs in zip(one.layers, other.layers, strict=True):
        for name in ("grad_h", "grad_c", "grad_pre", "grad_rec"):
            assert_same(getattr(mine, name), getattr(theirs, name), name)
    one, other = (model.trace(x, grad_y, engine=name, direction="backward") for name in ("numpy", "numba"))
    assert_same(one.triangle, other.triangle, "triangle")
    assert_same(one.grad_x_of(3), other.grad_x_of(3), "grad_x")


@pytest.mark.parametrize(
    "rule", [Optimizer("sgd", 0.05, momentum=0.9, clip_norm=0.05), Optimizer("adam", 0.003, clip_each=0.01)]
)
@pytest.mark.parametrize("cell", CELLS)
def test_both_engines_train_alike(cell, rule):
    model = Model.create(cell=cell, hidden_size=6, output_size=3, num_layers=2, bidirectional=True, seed=1)
    data = random_data(model.spec, 10, 5, "cross_entropy", every_step=False)
    assert_same_training(both_trained(model, data, rule, batch_size=4))
    without = both_trained(model, data, rule, batch_size=4, loop=False)
    assert_same_training(without)
    assert not any(w.any() for name, w in without[0].model.params.items() if "weight_hh" in name)


def test_training_goes_down_the_whole_gradient():
    """One step of SGD is the step along PyTorch's gradient."""
    given = PYTORCH["lstm.2"]
    model = Model.create("lstm", 2, 3, 2, num_layers=2, bidirectional=True)
    model = model.with_params(golden.under("params/", given))
    data = Data(given["x"].swapaxes(0, 1), given["targets"].swapaxes(0, 1))
    whole = model.trace(given["x"], given["targets"], engine="numpy").whole
    training = Training(model, data, None, Optimizer("sgd", 0.1), batch_size=2, engine="numpy")
    training.run_batch()
    for name, now in training.model.params.items():
        np.testing.assert_allclose(now, model.params[name] - 0.1 * whole.backward.grads[name], rtol=0, atol=1e-14)


# -- its shape ---------------------------------------------------------------------------------------------


def test_names_shapes_and_counts():
    spec = ModelSpec("lstm", 3, 5, 2, num_layers=2, bidirectional=True)
    shapes = spec.parameter_shapes
    assert shapes["rnn.weight_ih_l0_reverse"] == (20, 3)
    assert shapes["rnn.weight_ih_l1"] == shapes["rnn.weight_ih_l1_reverse"] == (20, 10)
    assert shapes["readout.weight"] == (2, 10)
    assert spec.parameter_count == 2 * (20 * 3 + 20 * 5 + 40) + 2 * (20 * 10 + 20 * 5 + 40) + 2 * 10 + 2
    rows = Model.create("lstm", 3, 5, 2, num_layers=2, bidirectional=True).summary()
    assert [(row.kind, row.output_shape[-1]) for row in rows] == [("Bidirectional(LSTM)", 10)] * 2 + [("Dense", 2)]
    assert sum(row.parameters for row in rows) == spec.parameter_count


def test_each_direction_starts_as_a_layer_of_its_own():
    params = Model.create("lstm", 3, 5, 2, bidirectional=True, spectral_radius=0.8, forget_bias=2.0).params
    for end in ("_l0", "_l0_reverse"):
        assert (params[f"rnn.bias_ih{end}"][5:10] == 2.0).all()
        radii = [np.abs(np.linalg.eigvals(W)).max() for W in params[f"rnn.weight_hh{end}"].reshape(4, 5, 5)]
        np.testing.assert_allclose(radii, 0.8, rtol=1e-12)
    assert not np.array_equal(params["rnn.weight_ih_l0"], params["rnn.weight_ih_l0_reverse"])


def test_what_it_cannot_do_is_refused_in_one_line():
    model = Model.create(hidden_size=3, bidirectional=True)
    x = np.zeros((4, 1, 1))
    with pytest.raises(InputError, match="direction: 'sideways' is unknown; choose from forward, backward"):
        model.trace(x, x, direction="sideways")
    with pytest.raises(InputError, match="direction: 'backward' is unknown; choose from forward"):
        Model.create(hidden_size=3).trace(x, x, direction="backward")
    with pytest.raises(InputError, match="truncate: a bidirectional layer reads each sequence whole"):
        Training(model, Data(x, x), truncate=(1, 2))
    with pytest.raises(InputError, match="previous: the backward direction begins at the end of each sequence"):
        Training(model, Data(x, x, previous=np.array([-1, 0, 1, 2])))
    with pytest.raises(InputError, match=r"h0: .* does not fit .* = \(2, 1, 3\)"):
        model.forward(x, np.zeros((1, 1, 3)))
    with pytest.raises(InputError, match="bidirectional: 1 is neither True nor False"):
        ModelSpec(bidirectional=1)
