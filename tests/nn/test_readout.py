"""Attention as the readout: outputs and gradients against PyTorch's autograd, complex steps, and the other engine."""

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.nn import CELLS, Data, Model, Optimizer, Training, readout
from tests.nn import golden, naive
from tests.nn.cells_here import CELLS as OF_THIS_RUN

GOLDEN = golden.load("attention")
KINDS = ("attention", "additive")
T, B, INPUTS, H, OUTPUTS = 4, 2, 2, 3, 2
#: Steps that are read, (T, B): in the second sequence a step is left out in the middle, in the first the beginning.
MASK = np.array([[0, 1], [0, 1], [1, 0], [1, 1]], bool)


def agree(ours, theirs, tolerance=1e-12, scale=None):
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= tolerance * (np.abs(theirs).max() if scale is None else scale)


def made(cell, kind, layers=1, loss_at="every", mask=None, loss="mse"):
    rng = np.random.default_rng(3)
    model = Model.create(cell, INPUTS, H, OUTPUTS, num_layers=layers, init="pytorch", readout=kind, seed=1)
    x = rng.standard_normal((T, B, INPUTS))
    targets = rng.standard_normal((T, B, OUTPUTS)) if loss == "mse" else rng.integers(0, OUTPUTS, (T, B))
    return model.trace(x, targets, loss, loss_at, mask=mask)


def shares(trace, moves):
    found = naive.run(trace.spec, trace.params, trace.x, moves=moves, mask=trace.forward.mask)
    return naive.shares(found.y, trace.targets, trace.loss_mask, trace.loss_name)


def wanted(trace, *quantity, shape=(B, H)):
    return naive.derivative(lambda v: shares(trace, {quantity: v}), shape)


@pytest.mark.parametrize("case", GOLDEN)
def test_pytorch(case):
    cell, kind = case.split(".")
    given = GOLDEN[case]
    model = Model.create(cell, given["x"].shape[-1], given["every/grad_h"].shape[-1], 3, readout=kind)
    model = model.with_params(golden.under("params/", given))
    for where in ("every", "last"):
        trace = model.trace(given["x"], given["targets"], loss_at=where)
        agree(trace.y, given["y"], 1e-9)
        agree(trace.attention(trace.T), given["alpha"], 1e-9)
        assert trace.loss == pytest.approx(float(given[f"{where}/loss"]), rel=1e-12)
        agree(trace.grad_h[1:], given[f"{where}/grad_h"], 1e-9)
        theirs = golden.under(f"{where}/grads/", given)
        assert set(theirs) == set(trace.grads)
        for name, gradient in theirs.items():
            agree(trace.grads[name], gradient, 1e-9)


@pytest.mark.parametrize(
    ("cell", "layers", "kind", "mask"),
    [("rnn", 1, "additive", MASK), ("rnn", 2, "attention", None), ("lstm", 1, "attention", MASK)],
    ids=lambda value: "mask" if value is MASK else str(value),
)
def test_every_gradient_by_complex_steps(cell, layers, kind, mask):
    trace = made(cell, kind, layers, mask=mask)
    plain = naive.run(trace.spec, trace.params, trace.x, mask=trace.forward.mask)
    agree(trace.y, plain.y.real)
    assert trace.check() < 1e-8
    for n, layer in enumerate(trace.layers):
        for t in range(T + 1):
            theirs = wanted(trace, "h", n, t)
            agree(layer.grad_h[t], theirs.sum(-1), scale=np.abs(layer.grad_h).max())
            if n == layers - 1:
                for k in range(1, T + 1):
                    agree(trace.item(k).grad_h[t], theirs[..., k - 1], scale=np.abs(trace.item(k).grad_h).max())
                    assert trace.triangle[k, t] == pytest.approx(np.linalg.norm(theirs[..., k - 1]), abs=1e-14)
    for t in range(1, T + 1):
        agree(trace.grad_x[t - 1], wanted(trace, "x", t, shape=(B, INPUTS)).sum(-1), scale=np.abs(trace.grad_x).max())
    scale = max(np.abs(g).max() for g in trace.grads.values())
    names = set(trace.grads) - {f"rnn.weight_{side}_l{n}" for side in ("ih", "hh") for n in range(layers)}
    for name in sorted(names):
        share, gradient = trace.share(name), trace.grads[name]
        for t in range(1, T + 1):
            agree(share[t - 1], wanted(trace, name, t, shape=gradient.shape).sum(-1), scale=scale)
        agree(share.sum(axis=0), gradient, scale=scale)


@pytest.mark.parametrize("kind", KINDS)
def test_the_ways_of_one_loss_add_up(kind):
    """With the states held, a moved h_s reaches y_k as its query, as a key, and as a value."""
    trace = made("rnn", kind, loss="cross_entropy")
    params, h = trace.params, trace.h[1:]
    for k in range(1, T + 1):
        ways = trace.ways(k)
        agree(ways.direct, ways.readout + ways.value + ways.score)
        agree(ways.direct[:k], trace.item(k).grad_h[1 : k + 1] - through_the_loop(trace, trace.item(k).grad_h)[:k])
        assert not ways.readout[: k - 1].any()
        assert not ways.direct[k:].any()
        sent = trace.grad_y[k - 1] @ params["readout.context"]
        agree(ways.value[:k], trace.attention(k)[..., None] * sent)
    agree(sum(trace.ways(k).direct for k in range(1, T + 1)), trace.direct)
    assert readout.weights(trace.spec, params, h, 1).tolist() == [[1.0] * B]


def through_the_loop(trace, grad_h):
    """(T, B, H): what comes to h_t from h_{t+1}, of a tanh RNN; entry t-1 is that of h_t."""
    onward = ((1 - trace.h[2:] ** 2) * grad_h[2:]) @ trace.params["rnn.weight_hh_l0"]
    return np.concatenate([onward, np.zeros((1, B, H))])


def test_the_weights_in_a_closed_form():
    """Identity, W_q = W_k = 1, and the three states of readout.py's own example."""
    spec = Model.create("rnn", 1, 2, 1, readout="attention").spec
    params = {"readout.query": np.eye(2), "readout.key": np.eye(2)}
    h = np.array([[1, 0], [0, 2], [1, 0]], float)[:, None]
    e = np.exp(2**-0.5)
    np.testing.assert_allclose(readout.weights(spec, params, h, 3)[:, 0], np.array([e, 1, e]) / (2 * e + 1), rtol=1e-15)
    left_out = np.array([[True], [False], [True]])
    np.testing.assert_allclose(readout.weights(spec, params, h, 3, left_out)[:, 0], [0.5, 0, 0.5], rtol=1e-15)
    assert not readout.weights(spec, params, h, 1, ~left_out & False).any()  # a step that sees nothing


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", OF_THIS_RUN)
def test_the_engines_agree(cell, kind):
    rng = np.random.default_rng(5)
    model = Model.create(cell, 3, 6, 2, num_layers=2, init="pytorch", readout=kind, seed=2)
    x, targets = rng.standard_normal((9, 3, 3)), rng.standard_normal((9, 3, 2))
    read = rng.random((9, 3)) < 0.7
    for mask in (None, read):
        ours, theirs = (
            model.trace(x, targets, loss_at=(4, 9), mask=mask, engine=engine) for engine in ("numba", "numpy")
        )
        agree(ours.y, theirs.y)
        agree(ours.triangle, theirs.triangle)
        for name in ours.grads:
            agree(ours.grads[name], theirs.grads[name], scale=max(np.abs(g).max() for g in theirs.grads.values()))
    data = Data(x.swapaxes(0, 1), targets.swapaxes(0, 1))
    runs = [
        Training(model, data, optimizer=Optimizer("adam", clip_norm=0.5), batch_size=2, engine=engine)
        for engine in ("numba", "numpy")
    ]
    for run in runs:
        run.run_epoch()
        run.run_epoch()
    for name, weights in runs[0].model.params.items():
        np.testing.assert_allclose(weights, runs[1].model.params[name], rtol=0, atol=1e-10, err_msg=name)
        assert not np.array_equal(weights, model.params[name])


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_that_explodes_is_in_no_earlier_sum(kind):
    model = Model.create("rnn", 1, 3, 1, activation="identity", readout=kind)
    x = np.ones((5, 1, 1))
    plain = model.forward(x)
    x[3:] = 1e308
    y = model.forward(x)
    assert (y[:3] == plain[:3]).all()
    assert not np.isfinite(y[4]).any()


def test_many_steps_are_taken_in_parts(monkeypatch):
    whole = made("rnn", "additive")
    monkeypatch.setattr(readout, "_AT_ONCE", 1)
    parts = made("rnn", "additive")
    agree(parts.y, whole.y)
    for name in whole.grads:
        agree(parts.grads[name], whole.grads[name])


def test_float32_stays_float32():
    for kind in KINDS:
        model = Model.create("rnn", INPUTS, H, OUTPUTS, dtype="float32", readout=kind)
        x = np.random.default_rng(0).standard_normal((T, B, INPUTS))
        assert model.forward(x).dtype == np.float32
        training = Training(model, Data(np.float32(x), np.zeros((T, B, OUTPUTS), np.float32)), batch_size=2)
        training.run_epoch()
        assert all(w.dtype == np.float32 for w in training.model.params.values())
        assert model.trace(x, np.zeros((T, B, OUTPUTS))).check() < 1e-8


@pytest.mark.parametrize("cell", CELLS)
def test_the_other_weights_are_those_of_the_linear_network(cell):
    linear, *others = (Model.create(cell, 2, 6, 3, readout=kind, seed=4) for kind in ("linear", *KINDS))
    for model in others:
        assert all((model.params[name] == w).all() for name, w in linear.params.items())
        assert model.params["readout.key"].any()
    assert others[1].parameter_count - others[0].parameter_count == 6


def test_what_attention_is_not_combined_with(tmp_path):
    linear, model = (Model.create("rnn", INPUTS, H, OUTPUTS, readout=kind) for kind in ("linear", "attention"))
    data = Data(np.zeros((4, T, INPUTS)), np.zeros((4, T, OUTPUTS)))
    linked = Data(data.x, data.targets, previous=np.array([-1, 0, 1, 2]))
    for refused, why in (
        (lambda: Model.create("rnn", readout="dot"), "readout: 'dot' is unknown; choose from linear, attention, add"),
        (lambda: Model.create("rnn", bidirectional=True, readout="additive"), "readout: additive looks back in one"),
        (lambda: Training(model, data, truncate=(2, 2)), "truncate: attention sends each error straight to all"),
        (lambda: Training(model, linked, batch_size=2), "previous: attention sees the states of one sequence"),
        (lambda: model.save(tmp_path / "a.npz"), "a file of weights holds a linear readout, and this model's is att"),
        (lambda: linear.trace(data.x, data.targets).attention(1), "attention: the readout of this network is linear"),
    ):
        with pytest.raises(InputError, match=why):
            refused()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_in_training_only_the_steps_that_carry_loss_look_back(kind):
    model = Model.create("gru", INPUTS, H, OUTPUTS, readout=kind)
    h = np.random.default_rng(2).standard_normal((T, B, H))
    needed = np.array([False, True, False, True])
    whole, some = (readout.read_out(model.spec, model.params, h, None, which) for which in (None, needed))
    agree(some[needed], whole[needed])
    assert not np.allclose(some[~needed], whole[~needed])
    x = np.random.default_rng(1).standard_normal((B, T, INPUTS))
    data = Data(x, np.zeros((B, T, OUTPUTS)), np.tile(needed, (B, 1)))
    training = Training(model, data, optimizer=Optimizer("sgd", learning_rate=1.0), batch_size=B)
    training.run_epoch()
    trace = model.trace(x.swapaxes(0, 1), np.zeros((T, B, OUTPUTS)), loss_at=(2, 4))
    for name, w in training.model.params.items():
        agree(model.params[name] - w, trace.grads[name], 1e-10, scale=max(1, np.abs(trace.grads[name]).max()))
