"""Every recorded gradient, against a complex-step derivative that moves exactly the quantity it is defined by."""

import numpy as np
import pytest

from rnnviz.nn import CELLS, Model
from rnnviz.nn.make_trace import direct_trace
from rnnviz.nn.state_jacobian import StateJacobian
from tests.nn import naive

CASES = [
    ("rnn", "tanh", 1, 2),
    ("rnn", "tanh", 2, 1),
    ("rnn", "sigmoid", 1, 1),
    ("rnn", "relu", 2, 2),
    ("rnn", "identity", 1, 2),
    ("lstm", "tanh", 1, 1),
    pytest.param(("lstm", "tanh", 3, 2), marks=pytest.mark.slow),
    ("gru", "tanh", 1, 2),
    pytest.param(("gru", "tanh", 3, 2), marks=pytest.mark.slow),
    ("mingru", "identity", 1, 1),
    ("mingru", "identity", 2, 1),
    ("indrnn", "relu", 1, 1),
    ("indrnn", "tanh", 2, 1),
    ("lru", "identity", 1, 1),
    ("lru", "identity", 2, 1),
    ("rnn", "relu", 1, 1, "direct"),
    ("lstm", "tanh", 1, 2, "direct"),
    pytest.param(("lstm", "tanh", 2, 1, "direct"), marks=pytest.mark.slow),
    ("gru", "tanh", 1, 2, "direct"),
    ("mingru", "identity", 1, 1, "direct"),
    ("lru", "identity", 1, 1, "direct"),
]
T, B, INPUTS, H, OUTPUTS = 4, 2, 2, 4, 2


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(map(str, case)))
def traced(request):
    return make(*request.param)


def make(cell, activation, layers, biases, loss="mse", loss_at="every"):
    rng = np.random.default_rng([layers, biases])
    outputs = H if loss == "direct" else OUTPUTS
    model = Model.create(
        cell, INPUTS, H, outputs, num_layers=layers, activation=activation, biases=biases, init="pytorch", seed=1
    )
    x = rng.standard_normal((T, B, INPUTS))
    if loss == "direct":
        return make_direct(model, x, rng)
    targets = rng.standard_normal((T, B, OUTPUTS)) if loss == "mse" else rng.integers(0, OUTPUTS, (T, B))
    h0 = 0.5 * rng.standard_normal((layers, B, H))
    c0 = 0.5 * rng.standard_normal((layers, B, H)) if cell == "lstm" else None
    return model.trace(x, targets, loss, loss_at, h0=h0, c0=c0), h0, c0


def make_direct(model, x, rng):
    """With a gradient on c where there is one."""
    params = {**model.params, "readout.weight": np.eye(H), "readout.bias": np.zeros(H)}
    layers = model.spec.num_layers
    h0, direct, c0, direct_c = (rng.standard_normal((length, B, H)) for length in (layers, T, layers, T))
    if model.spec.cell != "lstm":
        c0 = direct_c = None
    return direct_trace(model.spec, params, x, direct, direct_c, h0=h0, c0=c0), h0, c0


def wanted(traced, *quantity, shape=(B, H)):
    """dL_k / d(quantity) by complex steps: (*shape, T)."""
    trace, h0, c0 = traced
    return naive.derivative(lambda v: naive.trace_shares(trace, {quantity: v}, h0, c0), shape)


def agree(ours, theirs, scale=None):
    scale = np.abs(theirs).max() if scale is None else scale
    assert np.abs(ours - theirs).max() <= 1e-12 * scale


def test_forward(traced):
    trace, h0, c0 = traced
    plain = naive.run(trace.spec, trace.params, trace.x, h0, c0)
    agree(trace.y, plain.y.real)
    for n, layer in enumerate(trace.layers):
        agree(layer.h, np.stack([h[n] for h in plain.h]).real)
        if layer.c is not None:
            agree(layer.c, np.stack([c[n] for c in plain.c]).real)
    agree(trace.step_loss, naive.trace_shares(trace, {}, h0, c0).real)
    assert trace.loss == pytest.approx(trace.step_loss.sum(), rel=1e-15)


def test_gates_and_pre_activations(traced):
    trace = traced[0]
    gates = {"lstm": set("ifgo"), "gru": set("rzn"), "mingru": set("zn")}
    assert set(trace.gates) == gates.get(trace.spec.cell, set())
    blocks = np.split(trace.pre, len(trace.spec.gates), axis=-1)
    for name, pre in zip(trace.spec.gates, blocks, strict=True):
        if name == "h":
            agree(trace.h[1:], naive.ACTIVATIONS[trace.spec.activation](pre))
        else:
            content = pre if trace.spec.cell == "mingru" else np.tanh(pre)
            agree(trace.gates[name], content if name in "gn" else naive.sigmoid(pre))
    if trace.spec.cell == "lstm":
        agree(trace.c[1:], trace.gates["f"] * trace.c[:-1] + trace.gates["i"] * trace.gates["g"])
        agree(trace.h[1:], trace.gates["o"] * np.tanh(trace.c[1:]))
    if trace.spec.cell == "gru":
        z, n = trace.gates["z"], trace.gates["n"]
        agree(trace.h[1:], (1 - z) * n + z * trace.h[:-1])
    if trace.spec.cell == "mingru":
        z, n = trace.gates["z"], trace.gates["n"]
        agree(trace.h[1:], (1 - z) * trace.h[:-1] + z * n)


def test_grad_y(traced):
    trace = traced[0]
    for t in range(1, T + 1):
        agree(trace.grad_y[t - 1], wanted(traced, "y", t, shape=(B, trace.O)).sum(-1))


def test_what_the_loss_sends_directly(traced):
    trace = traced[0]
    for t in range(1, T + 1):
        by_y = naive.derivative(lambda v, t=t: naive.trace_shares(trace, {("y", t): v}, *traced[1:]), (B, trace.O)).sum(
            -1
        )
        agree(trace.direct[t - 1], by_y @ trace.params["readout.weight"], np.abs(trace.direct).max())


def test_grad_x(traced):
    trace = traced[0]
    assert trace.grad_x.shape == (T, B, INPUTS)
    for t in range(1, T + 1):
        agree(trace.grad_x[t - 1], wanted(traced, "x", t, shape=(B, INPUTS)).sum(-1), np.abs(trace.grad_x).max())
    assert not trace.grad_x.flags.writeable


def test_grad_h_of_every_layer(traced):
    for n, layer in enumerate(traced[0].layers):
        for t in range(T + 1):
            agree(layer.grad_h[t], wanted(traced, "h", n, t).sum(-1), np.abs(layer.grad_h).max())


def test_grad_c_of_every_layer(traced):
    if traced[0].spec.cell != "lstm":
        assert traced[0].grad_c is None
        return
    for n, layer in enumerate(traced[0].layers):
        for t in range(T + 1):
            agree(layer.grad_c[t], wanted(traced, "c", n, t).sum(-1), np.abs(layer.grad_c).max())


def test_gradients_of_both_sides_of_the_pre_activation(traced):
    width = (B, H * len(traced[0].spec.gates))
    for n, back in enumerate(traced[0].backward.layers):
        for t in range(1, T + 1):
            scale = np.abs(back.grad_pre).max()
            agree(back.grad_pre[t - 1], wanted(traced, "input side", n, t, shape=width).sum(-1), scale)
            cell = traced[0].spec.about_cell
            if cell.recurrent and (not cell.diagonal or cell.diagonal.units == 1):
                agree(back.grad_rec[t - 1], wanted(traced, "recurrent side", n, t, shape=width).sum(-1), scale)


def test_gradient_of_one_loss_step_and_the_triangle(traced):
    trace, top = traced[0], traced[0].L - 1
    assert trace.loss_steps == (1, 2, 3, 4)
    for t in range(T + 1):
        theirs = wanted(traced, "h", top, t)
        for k in range(1, T + 1):
            item = trace.item(k)
            agree(item.grad_h[t], theirs[..., k - 1], np.abs(item.grad_h).max())
            assert trace.triangle[k, t] == pytest.approx(np.linalg.norm(theirs[..., k - 1]), rel=1e-12)
            assert trace.grad_norm(k)[t] == pytest.approx(trace.triangle[k, t], rel=1e-13)
        if trace.spec.cell == "lstm":
            theirs = wanted(traced, "c", top, t)
            for k in range(1, T + 1):
                agree(trace.item(k).grad_c[t], theirs[..., k - 1], np.abs(trace.item(k).grad_c).max())
    assert (trace.triangle[0] == 0).all()
    assert (np.triu(trace.triangle, 1) == 0).all()


def test_items_add_up_to_the_total(traced):
    trace = traced[0]
    agree(sum(trace.item(k).grad_h for k in range(1, T + 1)), trace.grad_h)
    assert (trace.grad_norm() == np.linalg.norm(trace.grad_h, axis=(1, 2))).all()


def test_weight_gradients_and_each_steps_share(traced):
    trace, h0, c0 = traced
    scale = max(np.abs(g).max() for g in trace.grads.values())
    for name, gradient in trace.grads.items():
        share = trace.share(name)
        assert share.shape == (T, *gradient.shape)
        for t in range(1, T + 1):
            agree(share[t - 1], wanted(traced, name, t, shape=gradient.shape).sum(-1), scale)
        agree(share.sum(axis=0), gradient, scale)
        moved_always = naive.derivative(
            lambda v, name=name: naive.trace_shares(trace, {(name, t): v for t in range(1, T + 1)}, h0, c0),
            gradient.shape,
        )
        agree(gradient, moved_always.sum(-1), scale)


def test_state_jacobian_and_gain(traced):
    trace = traced[0]
    J = StateJacobian.of(trace.spec, trace.params, trace.forward).formed()
    J = J.reshape(T, B, *J.shape[1:])
    for t in range(1, T + 1):
        theirs = [naive.state_jacobian(trace, t, b) for b in range(B)]
        agree(J[t - 1], np.stack(theirs))
        assert trace.gain[t - 1] == pytest.approx(max(np.linalg.norm(j, 2) for j in theirs), rel=1e-9)


def test_the_traces_own_check(traced):
    assert traced[0].check() < 1e-8
    assert traced[0].check(seed=1) != traced[0].check(seed=2)


def test_the_traces_own_check_sees_a_wrong_gradient():
    trace, *_ = make("lstm", "tanh", 1, 2)
    for array in (trace.grads["rnn.weight_hh_l0"], trace.grad_h, trace.grad_c):
        array.flags.writeable = True
        array *= 1.01
        assert trace.check() > 1e-4
        array /= 1.01
    assert trace.check() < 1e-8


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize(
    "loss_at", ["last", (2, 3), np.array([[1, 0], [1, 1], [0, 1], [0, 1]], bool)], ids=["last", "2,3", "mask"]
)
def test_loss_positions(cell, loss, loss_at):
    traced = make(cell, "tanh", 2, 2, loss, loss_at)
    trace, h0, c0 = traced
    plain = naive.run(trace.spec, trace.params, trace.x, h0, c0)
    agree(trace.step_loss, naive.shares(plain.y, trace.targets, trace.loss_mask, loss).real)
    for t in range(T + 1):
        theirs = wanted(traced, "h", 1, t)
        agree(trace.grad_h[t], theirs.sum(-1), np.abs(trace.grad_h).max())
        for k in range(1, T + 1):
            assert trace.triangle[k, t] == pytest.approx(np.linalg.norm(theirs[..., k - 1]), rel=1e-12)
    parts = [wanted(traced, "readout.weight", t, shape=(OUTPUTS, H)).sum(-1) for t in range(1, T + 1)]
    agree(trace.grads["readout.weight"], sum(parts))
    assert trace.check() < 1e-8


def test_targets_without_loss_do_not_matter():
    model = Model.create("gru", INPUTS, H, OUTPUTS)
    rng = np.random.default_rng(0)
    x, targets = rng.standard_normal((T, B, INPUTS)), rng.standard_normal((T, B, OUTPUTS))
    elsewhere = targets.copy()
    elsewhere[:-1] = np.nan
    a, b, c = (model.trace(x, y, loss_at="last") for y in (targets, elsewhere, targets[-1]))
    assert a.loss == b.loss == c.loss
    assert (a.grad_h == b.grad_h).all()
    classes = rng.integers(0, OUTPUTS, (T, B))
    full, short = (model.trace(x, y, "cross_entropy", "last") for y in (classes, classes[-1]))
    assert full.loss == short.loss


def test_steps_after_a_sequences_last_loss_have_no_influence():
    mask = np.array([[1, 1], [1, 1], [0, 1], [0, 1]], bool)
    model = Model.create("lstm", INPUTS, H, OUTPUTS, num_layers=2)
    rng = np.random.default_rng(0)
    x, targets = rng.standard_normal((T, B, INPUTS)), rng.standard_normal((T, B, OUTPUTS))
    other = x.copy()
    other[2:, 0] = 9.0
    a, b = (model.trace(inputs, targets, loss_at=mask) for inputs in (x, other))
    assert a.loss == b.loss
    assert all((a.grads[name] == b.grads[name]).all() for name in a.grads)
    assert (a.grad_h[3:, 0] == 0).all()
    assert (a.grad_h[2, 0] != 0).all()


def test_a_float32_model_is_traced_in_float64():
    model = Model.create("lstm", INPUTS, H, OUTPUTS, dtype="float32")
    x = np.random.default_rng(0).standard_normal((T, B, INPUTS))
    trace = model.trace(x, np.zeros((T, B, OUTPUTS)))
    assert model.forward(x).dtype == np.float32
    arrays = (trace.y, trace.h, trace.grad_h, trace.triangle, *trace.grads.values(), *trace.params.values())
    assert {a.dtype for a in arrays} == {np.dtype("float64")}
    assert trace.check() < 1e-8
    np.testing.assert_allclose(trace.y, model.forward(x), rtol=1e-4, atol=1e-6)


def test_recorded_arrays_are_read_only(traced):
    trace = traced[0]
    for array in (trace.h, trace.grad_h, trace.y, trace.triangle, trace.ledger.gain, trace.step_loss, trace.x):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_the_loss_direct_has_no_mean():
    model = Model.create("gru", INPUTS, H, OUTPUTS)
    targets = np.arange(T * B * OUTPUTS, dtype=float).reshape(T, B, OUTPUTS)
    trace = model.trace(np.ones((T, B, INPUTS)), targets, "direct", loss_at=(2, 4))
    assert (trace.grad_y[[1, 3]] == targets[[1, 3]]).all()
    assert (trace.grad_y[[0, 2]] == 0).all()
    assert trace.loss == pytest.approx((targets * trace.y)[[1, 3]].sum())
    assert trace.check() < 1e-8


@pytest.mark.parametrize("where", ["h", "c", "both"])
def test_a_loss_that_reads_the_last_states_alone(where):
    """As in a decoder that begins with (h_n, c_n)."""
    rng = np.random.default_rng(3)
    model = Model.create("lstm", INPUTS, H, H, seed=2)
    params = {**model.params, "readout.weight": np.eye(H), "readout.bias": np.zeros(H)}
    last = [np.zeros((T, B, H)) for _ in "hc"]
    for state, direct in zip("hc", last, strict=True):
        if where in (state, "both"):
            direct[-1] = rng.standard_normal((B, H))
    trace = direct_trace(model.spec, params, rng.standard_normal((T, B, INPUTS)), *last)
    assert trace.loss_steps == (T,)
    for t in range(T + 1):
        theirs = naive.derivative(lambda v, t=t: naive.trace_shares(trace, {("h", 0, t): v}), (B, H)).sum(-1)
        agree(trace.grad_h[t], theirs, np.abs(trace.grad_h).max())
        agree(trace.item(T).grad_h[t], theirs, np.abs(trace.grad_h).max())
        assert trace.triangle[T, t] == pytest.approx(np.linalg.norm(theirs), rel=1e-12)
    assert trace.check() < 1e-8
    weights = [name for name in trace.grads if name.startswith("rnn.")]
    moved = {(name, t): trace.share(name)[t - 1] for name in weights for t in range(1, T + 1)}
    sent = [np.sqrt(sum((moved[name, t] ** 2).sum() for name in weights)) for t in range(1, T + 1)]
    np.testing.assert_allclose(trace.sent(T), sent, rtol=1e-12)


def test_a_loss_far_from_the_end_leaves_the_triangle_whole():
    trace, *_ = make("rnn", "tanh", 1, 2, loss_at=(2,))
    assert trace.triangle.shape == (T + 1, T + 1)
    assert (trace.triangle[3:] == 0).all()
    assert trace.triangle[2, 2] > 0


@pytest.mark.parametrize("bad", [np.inf, np.nan])
@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_one_gradient_that_is_not_finite_stays_in_its_unit(bad, engine):
    """The identity as readout is no product, in which 0 · inf would spread a nan over all units."""
    model = Model.create("rnn", INPUTS, H, H, seed=2)
    params = {**model.params, "readout.weight": np.eye(H), "readout.bias": np.zeros(H)}
    direct = np.ones((T, B, H))
    direct[-1, 0, 1] = bad
    x = np.ones((T, B, INPUTS))
    trace = direct_trace(model.spec, params, x, direct, engine=engine)
    np.testing.assert_array_equal(trace.grad_h[-1], direct[-1])
    assert np.isfinite(trace.grad_h[1:, 1]).all()
    assert not np.isfinite(trace.grad_h[-2, 0]).any()
    assert not np.isfinite(trace.loss)
