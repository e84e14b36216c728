"""The fast engine against the textbook engine: the same numbers for every cell, shape, loss and rule."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnviz.nn import Data, Model, Optimizer, Training, engine, loaded_kernels, numba_engine, numpy_engine
from rnnviz.nn.compiler import IN_PROCESS, compiled
from tests.nn.cells_here import CELLS, fitting, slow_but_one

COMPILED = not IN_PROCESS
#: Without the compiler the kernels' inner loops run in Python.
EXAMPLES = 40 if os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0") else 8
QUICK = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True, scope="module")
def kernels():
    """All cells compiled by one process; nothing in the background."""
    loaded_kernels.in_background(None)
    if COMPILED:
        list(compiled([(cell, "float64") for cell in CELLS]))


@st.composite
def models(draw, dtype="float64", largest_hidden=50):
    cell = draw(st.sampled_from(CELLS))
    sizes = {name: draw(st.integers(1, 4)) for name in ("input_size", "output_size")}
    return Model.create(
        cell=cell,
        hidden_size=fitting(cell, draw(st.integers(1, largest_hidden))),
        num_layers=draw(st.integers(1, 3)),
        activation=draw(st.sampled_from(("tanh", "relu", "identity", "sigmoid")))
        if cell in ("rnn", "indrnn")
        else "tanh",
        biases=draw(st.sampled_from((1, 2))),
        init="pytorch",
        dtype=dtype,
        seed=draw(st.integers(0, 100)),
        **sizes,
    )


lengths = st.integers(1, 9)
batches = st.one_of(st.integers(1, 9), st.just(17))


def assert_same(expected, found, what, tolerance=1e-12):
    if expected is None or found is None:
        assert expected is found, what
        return
    assert expected.shape == found.shape, what
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale, err_msg=what)


def random_pass(model, T, B, seed=0):
    rng = np.random.default_rng(seed)
    spec, dtype = model.spec, model.spec.dtype
    states = (spec.num_layers, B, spec.hidden_size)
    return (
        rng.standard_normal((T, B, spec.input_size)).astype(dtype),
        rng.standard_normal((T, B, spec.output_size)).astype(dtype),
        rng.standard_normal(states).astype(dtype),
        rng.standard_normal(states).astype(dtype) if spec.has_cell_state else None,
    )


@QUICK
@given(models(), lengths, batches, st.booleans())
def test_every_recorded_array_agrees(model, T, B, from_zero):
    x, grad_y, h0, c0 = random_pass(model, T, B)
    if from_zero:
        h0 = c0 = None
    expected = numpy_engine.forward(model.spec, model.params, x, h0, c0)
    found = numba_engine.forward(model.spec, model.params, x, h0, c0)
    assert_same(expected.y, found.y, "y")
    for number, (one, other) in enumerate(zip(expected.layers, found.layers, strict=True)):
        for name in ("x", "h", "c", "pre", "gates", "rec_n"):
            assert_same(getattr(one, name), getattr(other, name), f"layer {number}: {name}")

    expected_back = numpy_engine.backward(model.spec, model.params, expected, grad_y)
    # the fast engine goes back through what either engine recorded
    for run in (expected, found):
        found_back = numba_engine.backward(model.spec, model.params, run, grad_y)
        assert list(expected_back.grads) == list(found_back.grads)
        for name, grad in expected_back.grads.items():
            assert_same(grad, found_back.grads[name], name)
        for number, (one, other) in enumerate(zip(expected_back.layers, found_back.layers, strict=True)):
            for name in ("grad_h", "grad_c", "grad_pre", "grad_rec"):
                assert_same(getattr(one, name), getattr(other, name), f"layer {number}: {name}")


@QUICK
@given(models(largest_hidden=24), lengths, batches, st.data())
def test_the_triangle_agrees(model, T, B, data):
    steps = sorted(data.draw(st.sets(st.integers(1, T), min_size=1)))
    x, grad_y, h0, c0 = random_pass(model, T, B)
    run = numpy_engine.forward(model.spec, model.params, x, h0, c0)
    expected = numpy_engine.triangle(model.spec, model.params, run, grad_y, steps)
    assert_same(expected, numba_engine.triangle(model.spec, model.params, run, grad_y, steps), "triangle")


@pytest.mark.parametrize("size", [1e-250, 1e-160, 1e160, np.inf, np.nan])
@pytest.mark.parametrize("cell", CELLS)
def test_norms_of_a_triangle_survive_what_their_squares_do_not(cell, size):
    model = Model.create(cell=cell, hidden_size=6, seed=1)
    x, grad_y, _, _ = random_pass(model, 4, 2)
    run = numpy_engine.forward(model.spec, model.params, x)
    expected = numpy_engine.triangle(model.spec, model.params, run, grad_y * size, [2, 4])
    found = numba_engine.triangle(model.spec, model.params, run, grad_y * size, [2, 4])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert not np.isfinite(size) or (expected[4, 1:] > 0).all()


# -- training ------------------------------------------------------------------------------------------

RULES = (
    Optimizer("sgd", 0.05),
    Optimizer("sgd", 0.05, momentum=0.9, clip_norm=0.05),
    Optimizer("sgd", 0.05, clip_value=0.001),
    Optimizer("sgd", 0.05, momentum=0.9, clip_each=0.01),
    Optimizer("adam", 0.003, epsilon=1e-3, clip_each=0.01, clip_value=0.005, clip_norm=0.02, convention="keras"),
    Optimizer("adam", 0.003, epsilon=1e-3),
    Optimizer("rmsprop", 0.003, epsilon=1e-3, clip_norm=1e9),
    Optimizer("adam", 0.003, epsilon=1e-3, clip_norm=0.05, convention="keras"),
    Optimizer("rmsprop", 0.003, epsilon=1e-3, convention="keras"),
)


def random_data(spec, N, T, loss, every_step, seed=0):
    rng = np.random.default_rng(seed)
    mask = np.ones((N, T), bool) if every_step else rng.random((N, T)) < 0.5
    mask[:, -1] = True
    targets = (
        rng.standard_normal((N, T, spec.output_size)) if loss == "mse" else rng.integers(0, spec.output_size, (N, T))
    )
    return Data(rng.standard_normal((N, T, spec.input_size)), targets, mask, loss)


def both_trained(model, data, optimizer, epochs=2, batch_size=8, **options):
    runs = []
    for name in ("numpy", "numba"):
        training = Training(model, data, None, optimizer, batch_size=batch_size, engine=name, **options)
        for _ in range(epochs):
            training.run_epoch()
        runs.append(training)
    return runs


def assert_same_training(runs, tolerance=1e-12):
    one, other = runs
    np.testing.assert_allclose(other.history["loss"], one.history["loss"], rtol=tolerance)
    for name, expected in one.model.params.items():
        assert_same(expected, other.model.params[name], name, tolerance)
    snapshots = [run.snapshot().state for run in runs]
    assert snapshots[0].step == snapshots[1].step
    for memory in ("first", "second"):
        expected, found = (getattr(state, memory) for state in snapshots)
        assert expected.keys() == found.keys()
        for name in expected:
            assert_same(expected[name], found[name], f"{memory} of {name}", tolerance)


@QUICK
@given(
    models(largest_hidden=24),
    st.sampled_from(RULES),
    st.sampled_from(("mse", "cross_entropy")),
    st.booleans(),
    st.integers(1, 6),
    st.integers(1, 7),
)
def test_training_agrees(model, optimizer, loss, every_step, T, batch_size):
    data = random_data(model.spec, 8, T, loss, every_step)  # 8 sequences: the last batch is often smaller
    assert_same_training(both_trained(model, data, optimizer, batch_size=batch_size))


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("batch_size", [16, 19])
@pytest.mark.parametrize("cell", CELLS)
def test_two_threads_share_a_batch_and_agree(cell, batch_size, loss, monkeypatch):
    monkeypatch.setattr(numba_engine, "SHARED_ABOVE", 0)
    shared = []
    once = numba_engine._train_shared
    monkeypatch.setattr(numba_engine, "_train_shared", lambda *a: (shared.append(1), once(*a)))
    model = Model.create(cell=cell, hidden_size=6, output_size=3, num_layers=2, seed=1)
    data = random_data(model.spec, 40, 4, loss, every_step=False)
    assert_same_training(both_trained(model, data, RULES[1], batch_size=batch_size))
    assert shared


@pytest.mark.parametrize("cell", CELLS)
def test_truncated_training_agrees(cell):
    model = Model.create(cell=cell, hidden_size=6, num_layers=2, seed=1)
    data = random_data(model.spec, 10, 7, "mse", every_step=True)
    assert_same_training(both_trained(model, data, Optimizer("adam", 0.01), truncate=(2, 5)))


@pytest.mark.parametrize("cell", slow_but_one("rnn", "gru"))
def test_batch_by_batch_is_the_same_as_epoch_by_epoch(cell):
    model = Model.create(cell=cell, hidden_size=6, seed=1)
    data = random_data(model.spec, 20, 5, "mse", every_step=True)
    whole, single = (
        Training(model, data, None, Optimizer("adam", 0.01), batch_size=8, engine="numba") for _ in range(2)
    )
    whole.run_epoch()
    for _ in range(single.batches_per_epoch):
        single.run_batch()
    assert whole.history["loss"] == single.history["loss"]
    for name, expected in whole.model.params.items():
        np.testing.assert_array_equal(single.model.params[name], expected)


@pytest.mark.parametrize("cell", CELLS)
def test_an_explosion_passes_through(cell):
    model = Model.create(cell=cell, hidden_size=6, seed=1)
    data = random_data(model.spec, 16, 6, "mse", every_step=True)
    runs = both_trained(model, data, Optimizer("sgd", 1e200), epochs=3)
    losses = [run.history["loss"] for run in runs]
    assert not np.isfinite(losses[0][-1])
    if cell in ("mingru", "lru"):  # what has no bounds overflows in one rounding less, where a·b + c is one instruction
        assert np.isfinite(losses[1]).tolist() == np.isfinite(losses[0]).tolist()
        return
    # states without a bound overflow within a sum: inf - inf is nan, unless product and sum are one rounding (FMA)
    same = np.isfinite if cell in ("mingru", "lru") else str
    assert [same(loss) for loss in losses[1]] == [same(loss) for loss in losses[0]]


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
def test_float32_agrees_within_float32(cell):
    for H, batch_size in ((20, 8), (64, 32)):
        model = Model.create(cell=cell, hidden_size=H, num_layers=2, dtype="float32", seed=1)
        x, grad_y, h0, c0 = random_pass(model, 12, batch_size)
        expected = numpy_engine.forward(model.spec, model.params, x, h0, c0)
        found = numba_engine.forward(model.spec, model.params, x, h0, c0)
        assert found.y.dtype == np.float32
        assert_same(expected.y, found.y, "y", 2e-6)
        one = numpy_engine.backward(model.spec, model.params, expected, grad_y)
        other = numba_engine.backward(model.spec, model.params, found, grad_y)
        for name, grad in one.grads.items():
            assert_same(grad, other.grads[name], name, 2e-5)
        data = random_data(model.spec, 40, 9, "mse", every_step=False)
        assert_same_training(both_trained(model, data, RULES[0], batch_size=batch_size), 2e-5)


# -- tanh and σ ----------------------------------------------------------------------------------------


def activated(activation, values, dtype="float64"):
    """φ(values) as the simple cell computes it: one unit, one step, a = x."""
    model = Model.create(hidden_size=1, activation=activation, biases=1, dtype=dtype)
    ones = {name: np.zeros_like(p) for name, p in model.params.items()}
    ones["rnn.weight_ih_l0"] = np.ones((1, 1), dtype)
    x = np.asarray(values, dtype).reshape(1, -1, 1)
    with np.errstate(all="ignore"):
        return numba_engine.forward(model.spec, ones, x).layers[0].h[1].reshape(-1)


def units_off(found, truth):
    dtype = found.dtype
    usable = np.abs(truth) >= np.finfo(dtype).tiny
    off = np.abs(found.astype(np.longdouble) - truth) / np.spacing(np.abs(truth).astype(dtype))
    return float(off[usable].max())


def check_accuracy(dtype, count):
    lowest, highest = (-300, 2.86) if dtype == "float64" else (-36, 1.95)
    underflow = float(np.log(np.finfo(dtype).tiny))  # of σ
    small = np.logspace(lowest, highest, count)
    edge = np.linspace(underflow, 0.98 * underflow, count)
    values = np.concatenate([np.linspace(-20, 20, 2 * count), small, -small, edge]).astype(dtype)
    exact = values.astype(np.longdouble)
    assert units_off(activated("tanh", values, dtype), np.tanh(exact)) <= 3
    truth = np.where(exact < 0, np.exp(exact) / (1 + np.exp(exact)), 1 / (1 + np.exp(-exact)))
    assert units_off(activated("sigmoid", values, dtype), truth) <= 3


def check_extremes(dtype):
    huge = 1e300 if dtype == "float64" else 1e38
    values = [np.nan, np.inf, -np.inf, 0.0, -0.0, huge, -huge, 1e-30, -1e-30]
    found = activated("tanh", values, dtype)
    np.testing.assert_array_equal(found, np.asarray([np.nan, 1, -1, 0, 0, 1, -1, 1e-30, -1e-30], dtype))
    found = activated("sigmoid", values, dtype)
    np.testing.assert_array_equal(found, np.asarray([np.nan, 1, 0, 0.5, 0.5, 1, 0, 0.5, 0.5], dtype))
    found = activated("relu", values, dtype)
    np.testing.assert_array_equal(found, np.asarray([np.nan, np.inf, 0, 0, 0, huge, 0, 1e-30, 0], dtype))


def test_activations_are_accurate_to_three_units_in_the_last_place():
    check_accuracy("float64", 20_000 if COMPILED else 500)


def test_activations_at_their_extremes():
    check_extremes("float64")


@pytest.mark.slow
def test_activations_in_float32():
    check_accuracy("float32", 20_000 if COMPILED else 500)
    check_extremes("float32")


# -- the engine as such --------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_a_float32_model_is_traced_in_float64_by_either_engine(cell):
    model = Model.create(cell=cell, input_size=3, hidden_size=18, output_size=2, num_layers=2, dtype="float32", seed=2)
    rng = np.random.default_rng(0)
    x, targets = rng.standard_normal((7, 2, 3)), rng.standard_normal((7, 2, 2))
    expected, found = (model.trace(x, targets, engine=name) for name in ("numpy", "numba"))
    for name in ("h", "y", "grad_h", "triangle", "gain"):
        assert_same(getattr(expected, name), getattr(found, name), name)
    for name, grad in expected.grads.items():
        assert_same(grad, found.grads[name], name)


@pytest.mark.parametrize("cell", slow_but_one("rnn", "lstm"))
def test_a_model_trace_takes_either_engine(cell):
    model = Model.create(cell=cell, hidden_size=4, seed=1)
    x, targets = np.random.default_rng(0).standard_normal((2, 6, 2, 1))
    one, other = (model.trace(x, targets, engine=name) for name in ("numpy", "numba"))
    assert other.engine is engine.load_numba()
    assert_same(one.grad_h, other.grad_h, "grad_h")
    assert_same(one.triangle, other.triangle, "triangle")
    np.testing.assert_allclose(other.ledger.gain, one.ledger.gain, rtol=1e-10)


# -- large networks --------------------------------------------------------------------------------------

#: Beyond a tile, a panel and a register: 129 leaves a rest in each, 256 fills all; the batch of 17 is shared by two
#: threads in training.
LARGE = [(cell, fitting(cell, hidden), batch) for cell in CELLS for hidden, batch in ((129, 3), (256, 17))]


def check_large(cell, hidden, batch, dtype, tolerance):
    model = Model.create(cell, 2, hidden, 3, num_layers=2, init="pytorch", dtype=dtype, seed=1)
    x, grad_y, h0, c0 = random_pass(model, 3, batch)
    expected = numpy_engine.forward(model.spec, model.params, x, h0, c0)
    found = numba_engine.forward(model.spec, model.params, x, h0, c0)
    assert_same(expected.y, found.y, "y", tolerance)
    for one, other in zip(expected.layers, found.layers, strict=True):
        for name in ("h", "c", "pre", "gates", "rec_n"):
            assert_same(getattr(one, name), getattr(other, name), name, tolerance)
    expected_back = numpy_engine.backward(model.spec, model.params, expected, grad_y)
    found_back = numba_engine.backward(model.spec, model.params, found, grad_y)
    for name, grad in expected_back.grads.items():
        assert_same(grad, found_back.grads[name], name, tolerance)
    for one, other in zip(expected_back.layers, found_back.layers, strict=True):
        for name in ("grad_h", "grad_c", "grad_pre", "grad_rec"):
            assert_same(getattr(one, name), getattr(other, name), name, tolerance)
    triangles = [e.triangle(model.spec, model.params, expected, grad_y, [1, 3]) for e in (numpy_engine, numba_engine)]
    assert_same(*triangles, "triangle", tolerance)
    data = random_data(model.spec, 2 * batch, 3, "mse", every_step=False)
    assert numba_engine._shared(model.spec, data, np.arange(batch)[None]) is (batch == 17)
    assert_same_training(both_trained(model, data, RULES[1], epochs=1, batch_size=batch), tolerance)


@pytest.mark.skipif(EXAMPLES < 40, reason="inner loops of this size take minutes in Python")
@pytest.mark.parametrize(("cell", "hidden", "batch"), LARGE)
def test_large_networks_agree(cell, hidden, batch):
    check_large(cell, hidden, batch, "float64", 1e-12)


@pytest.mark.slow
@pytest.mark.skipif(EXAMPLES < 40, reason="inner loops of this size take minutes in Python")
@pytest.mark.parametrize(("cell", "hidden", "batch"), LARGE)
def test_large_networks_agree_in_float32(cell, hidden, batch):
    check_large(cell, hidden, batch, "float32", 2e-5)
