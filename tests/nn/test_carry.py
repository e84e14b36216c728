"""State carried between batches: PyTorch's numbers with h.detach(), what the carried state changes, and what the
gradient loses at the border."""

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.nn import Data, Model, Optimizer, Training, carry, engine, evaluate, levels, losses, numpy_engine
from rnnviz.nn.carry import Carried
from tests.nn import golden
from tests.nn.cells_here import on_either_engine, slow_but_one

GOLDEN = golden.load("carried")
X, TARGETS = GOLDEN["x"][""], GOLDEN["targets"][""]
ROWS, LENGTH, H = 3, 4, 4
TRAINED = ROWS * LENGTH
#: Rows of 4 sequences each; then three more, to validate with.
PREVIOUS = np.where(np.arange(TRAINED + 3) % LENGTH == 0, -1, np.arange(TRAINED + 3) - 1)


def data(previous=PREVIOUS, x=X, dtype="float64"):
    return Data(x.astype(dtype), TARGETS.astype(dtype), None, "mse", previous)


def model(cell, dtype="float64"):
    made = Model.create(cell, 2, H, 3, num_layers=2, dtype=dtype)
    given = GOLDEN.get(cell)
    return made if given is None else made.with_params(golden.under("params/", given))


def training(cell="lstm", given=None, dtype="float64", **options):
    given = data(dtype=dtype) if given is None else given
    parts = given.select(slice(TRAINED)), given.select(slice(TRAINED, None))
    options = {"optimizer": Optimizer("adam", 0.02, clip_norm=0.5), "batch_size": ROWS} | options
    return Training(model(cell, dtype), *parts, **options)


def trained(one, epochs=4):
    for _ in range(epochs):
        one.run_epoch()
    return one


@pytest.mark.parametrize(("cell", "name"), on_either_engine("rnn", "lstm", "gru"))
def test_training_equals_pytorchs_with_detach(cell, name):
    given, ours = GOLDEN[cell], trained(training(cell, engine=name))
    for what in ("loss", "val_loss"):
        np.testing.assert_allclose(ours.history[what], given[what], rtol=1e-10)
    for key, w in golden.under("trained/", given).items():
        np.testing.assert_allclose(ours.model.params[key], w, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_state_after_a_batch_is_pytorchs(cell):
    given, ours = GOLDEN[cell], trained(training(cell), 3)
    for _ in range(LENGTH - 1):
        ours.run_batch()
    here = ours.start_of_batch()  # of the epoch's last batch
    x, *_ = ours.train.time_major(ours.batch_indices(3, LENGTH - 1))
    last = Carried.after(numpy_engine.forward(ours.spec, ours.model.params, x, *here))
    np.testing.assert_allclose(last.h, given["h"], atol=1e-9)
    if cell == "lstm":
        np.testing.assert_allclose(last.c, given["c"], atol=1e-9)
    else:
        assert last.c is None


@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=pytest.mark.slow)])
@pytest.mark.parametrize("truncate", [None, (2, 3)])
@pytest.mark.parametrize("cell", slow_but_one("rnn", "lstm", "gru", "mingru"))
def test_both_engines_give_the_same_numbers(cell, truncate, dtype):
    one, two = (trained(training(cell, truncate=truncate, dtype=dtype, engine=name), 2) for name in engine.NAMES)
    tolerance = 1e-12 if dtype == "float64" else 1e-4
    for what in ("loss", "val_loss"):
        np.testing.assert_allclose(one.history[what], two.history[what], rtol=tolerance)
    for key, w in one.model.params.items():
        np.testing.assert_allclose(two.model.params[key], w, rtol=0, atol=tolerance)


# -- what the gradient loses at the border ------------------------------------------------------------------


def two_batches(cell):
    """(x, targets) (T, B, ...) of the first two batches, and their weights."""
    one = training(cell)
    first, second = (one.train.time_major(one.batch_indices(0, n))[:2] for n in (0, 1))
    return one.model, first, second


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_update_takes_the_gradient_that_is_cut(cell):
    """Plain gradient descent by 1 moves the weights by the cut gradient of PyTorch, and not by the full one."""
    given = GOLDEN[cell]
    one = training(cell, optimizer=Optimizer("sgd", 1.0))
    first = one.snapshot()
    one.run_batch()
    carried = one.start_of_batch()
    one.restore(first)  # the golden gradients are those of the first weights, with the state of the first batch
    one.run_batch()
    one._params = {key: w.copy() for key, w in first.params.items()}
    np.testing.assert_array_equal(one.start_of_batch()[0], carried[0])
    one.run_batch()
    worst = 0.0
    for key, w in first.params.items():
        moved = w - one.model.params[key]
        np.testing.assert_allclose(moved, given[f"grads/{key}"], atol=1e-12)
        worst = max(worst, float(np.abs(moved - given[f"full/{key}"]).max()))
    assert worst > 1e-4


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_missing_part_is_what_dl_dh0_would_give_in_the_batch_before(cell):
    """full - cut = the gradient of the batch before, of a loss whose only gradient is ∂L/∂h₀ at its last states."""
    given = GOLDEN[cell]
    net, (x1, _), (x2, targets2) = two_batches(cell)
    before = numpy_engine.forward(net.spec, net.params, x1)
    start = Carried.after(before)
    after = numpy_engine.forward(net.spec, net.params, x2, start.h, start.c)
    grad_y = losses.evaluate("mse", after.y, targets2, np.ones(targets2.shape[:2], bool)).grad_y
    cut = numpy_engine.backward(net.spec, net.params, after, grad_y)
    missing = {name: np.zeros_like(w) for name, w in net.params.items()}
    from_above = np.zeros_like(before.layers[0].h[1:])
    for index in (1, 0):  # what stops at the border: into each layer's last state, and from there down and back
        stopped = cut.layers[index]
        direct, direct_c = from_above.copy(), None
        direct[-1] += stopped.grad_h[0]
        w, layer = numpy_engine.layer_weights(net.spec, net.params, index), before.layers[index]
        if stopped.grad_c is not None:
            direct_c = np.zeros_like(direct)
            direct_c[-1] = stopped.grad_c[0]
        back = numpy_engine.layer_backward(net.spec, w, layer, direct, direct_c)
        missing |= levels.named_gradients(numpy_engine.weight_gradients(net.spec, w, layer, back), f"_l{index}")
        from_above = back.grad_pre @ w.W_ih
    for name in net.params:
        np.testing.assert_allclose(cut.grads[name], given[f"grads/{name}"], atol=1e-12)
        np.testing.assert_allclose(cut.grads[name] + missing[name], given[f"full/{name}"], atol=1e-12)
    assert max(np.abs(g).max() for g in missing.values()) > 1e-4


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_dl_dh0_is_what_a_change_of_the_carried_state_does(cell):
    """Central differences: h₀ moves the loss of the next batch by ∂L/∂h₀, row by row and unit by unit."""
    net, (x1, _), (x2, targets2) = two_batches(cell)
    start = Carried.after(numpy_engine.forward(net.spec, net.params, x1))
    trace = net.trace(x2, targets2, h0=start.h, c0=start.c)
    for layer in range(2):
        for row, unit in ((0, 0), (2, 3)):
            step = np.zeros_like(start.h)
            step[layer, row, unit] = 1e-5
            up, down = (net.trace(x2, targets2, h0=start.h + d, c0=start.c).loss for d in (step, -step))
            assert (up - down) / 2e-5 == pytest.approx(trace.layers[layer].grad_h[0, row, unit], rel=1e-5, abs=1e-9)
    assert trace.check() < 1e-7


# -- what is carried, and from where ------------------------------------------------------------------------


def test_another_first_batch_changes_the_second_only_through_its_state():
    """Without updates (learning rate next to 0) the loss of row 0's second sequence moves when its first one does, and
    no other row's."""
    other = X.copy()
    other[0] += 1.0

    def second_losses(x, previous=PREVIOUS):
        given = data(previous, x).select(slice(TRAINED))
        one = Training(model("gru"), given, optimizer=Optimizer("sgd", 1e-300), batch_size=ROWS)
        one.run_batch()
        x2, targets2, _ = given.time_major(one.batch_indices(0, 1))
        y = numpy_engine.forward(one.spec, one.model.params, x2, *one.start_of_batch()).y
        return ((y - targets2) ** 2).mean(axis=(0, 2))

    moved = second_losses(other) - second_losses(X)
    assert abs(moved[0]) > 1e-5
    np.testing.assert_array_equal(moved[1:], 0)
    alone = np.full(len(PREVIOUS), -1)
    np.testing.assert_array_equal(second_losses(other, alone), second_losses(X, alone))


def test_a_row_that_continues_nothing_begins_from_zeros():
    previous = PREVIOUS.copy()
    previous[2] = -1  # a gap in the middle of row 0
    one = training(given=data(previous))
    one.run_batches(2)
    h0, c0 = one.start_of_batch()
    assert not h0[:, 0].any()
    assert not c0[:, 0].any()
    assert h0[:, 1].any()
    assert c0[:, 2].any()


def test_states_are_zero_again_at_the_start_of_an_epoch():
    one = training()
    assert not one.start_of_batch()[0].any()
    one.run_batch()
    assert one.start_of_batch()[0].any()
    one.run_epoch()
    assert (one.epoch, one.batch) == (1, 0)
    assert not one.start_of_batch()[0].any()
    assert training("rnn", given=data(None)).start_of_batch() == (None, None)


def test_a_snapshot_holds_the_carried_state_exactly():
    one, two = trained(training(), 1), trained(training(), 2)
    one.run_batches(2)
    here, state = one.snapshot(), one.start_of_batch()
    one.run_batches(2)
    one.restore(here)
    for before, now in zip(state, one.start_of_batch(), strict=True):
        np.testing.assert_array_equal(now, before)
    one.run_batches(2)
    assert one.history == two.history
    for name, w in two.model.params.items():
        np.testing.assert_array_equal(one.model.params[name], w)
    assert here.nbytes > 8 * 2 * 2 * ROWS * H  # h and c of two layers, and the rest


def test_evaluation_reads_in_the_order_of_time():
    """As one long sequence; without `previous` each begins from zeros."""
    net, given = model("lstm"), data().select(slice(TRAINED, None))
    whole = Data(X[TRAINED:].reshape(1, -1, 2), TARGETS[TRAINED:].reshape(1, -1, 3))
    assert evaluate(net, given) == pytest.approx(evaluate(net, whole), rel=1e-12)
    alone = data(None).select(slice(TRAINED, None))
    assert abs(evaluate(net, alone) - evaluate(net, whole)) > 1e-4


def test_order_of_the_rows():
    one = training()
    assert [one.batch_indices(5, n).tolist() for n in range(LENGTH)] == [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]
    assert carry.chain(PREVIOUS, [6]).tolist() == [4, 5, 6]
    assert carry.of_part(PREVIOUS, slice(5, 10)).tolist() == [-1, 0, 1, -1, 3]


@pytest.mark.parametrize(
    ("previous", "options", "message"),
    [
        (PREVIOUS[:-1], {}, "previous: shape"),
        (np.arange(TRAINED + 3), {}, "previous: sequence 0 cannot continue 0; only an earlier one, or -1"),
        (PREVIOUS, {"batch_size": 5}, "batch_size: 12 sequences do not fill batches of 5 rows"),
        (PREVIOUS + 3 * (PREVIOUS == -1) * (np.arange(TRAINED + 3) == 4), {}, "previous: sequence 4 does not continue"),
        (PREVIOUS, {"order": np.arange(TRAINED)}, "order: sequences that continue one another"),
    ],
)
def test_what_cannot_be_carried_is_refused(previous, options, message):
    with pytest.raises(InputError) as refused:
        training(given=data(previous), **options)
    assert str(refused.value).startswith(message)
