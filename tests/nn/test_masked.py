"""A mask: the state is copied through steps that are not read. Compared with PyTorch's packed sequences, Keras' masks,
the sequence without its padding, and derivatives by complex numbers."""

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.nn import Model
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.state_jacobian import StateJacobian
from tests.nn import golden, naive
from tests.nn.cells_here import CELLS as COMPILED
from tests.nn.test_golden import agree

MASKED = golden.load("masked")
LENGTHS = np.array([6, 2, 4])
T, B = 6, 3
AFTER = np.arange(T)[:, None] < LENGTHS
BEFORE = AFTER[::-1]
HOLES = np.array([[1, 0, 1], [0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 0], [0, 1, 0]], bool)


def engines(*cells):
    """(cell, engine), for the cells whose kernels these tests compile."""
    return [(cell, engine) for cell in cells for engine in ("numpy", "numba") if engine == "numpy" or cell in COMPILED]


@pytest.mark.parametrize(("cell", "engine"), engines("rnn", "lstm", "gru"))
def test_a_packed_sequence_of_pytorch(cell, engine):
    given = MASKED[cell]
    model = Model.create(cell, 2, 4, 3, num_layers=2).with_params(golden.under("params/", given))
    ends = np.where(np.arange(T)[:, None] == LENGTHS - 1, AFTER, False)
    for where, judged in (("every", AFTER), ("last", ends)):
        trace = model.trace(given["x"], given["targets"], loss_at=judged, mask=AFTER, engine=engine)
        agree(np.where(AFTER[..., None], trace.h[1:], 0), given["h"])
        agree(trace.h[-1], given["h_n"])  # the copy that Keras reads at the end is the h_n that PyTorch returns
        assert trace.loss == pytest.approx(float(given[f"{where}/loss"]), rel=1e-12)
        agree(trace.grad_x, given[f"{where}/grad_x"])
        for name, gradient in golden.under(f"{where}/grads/", given).items():
            agree(trace.grads[name], gradient)


@pytest.mark.parametrize("where", ["after", "before"])
@pytest.mark.parametrize(("cell", "engine"), engines("rnn", "lstm", "gru"))
def test_a_mask_of_keras(cell, engine, where):
    given = MASKED[f"{ {'rnn': 'SimpleRNN', 'lstm': 'LSTM', 'gru': 'GRU'}[cell] }.{where}"]
    weights, gradients = (
        golden.from_keras(cell, [given[f"{what}/{n}"] for n in range(5)]) for what in ("weights", "grads")
    )
    model = Model.create(cell, 2, 4, 3, biases=1).with_params(weights)
    mask = AFTER if where == "after" else BEFORE
    trace = model.trace(given["x"].swapaxes(0, 1), given["targets"], loss_at="last", mask=mask, engine=engine)
    agree(trace.h[1:], given["h"].swapaxes(0, 1))
    assert trace.loss == pytest.approx(float(given["loss"]), rel=1e-12)
    for name, gradient in gradients.items():
        agree(trace.grads[name], gradient)


def drawn(cell, layers=2, seed=0):
    rng = np.random.default_rng(seed)
    model = Model.create(cell, 2, 6, 2, num_layers=layers, seed=seed)
    return model, rng.standard_normal((T, B, 2)), rng.standard_normal((T, B, 2))


@pytest.mark.parametrize("mask", [AFTER, BEFORE, HOLES], ids=["after", "before", "holes"])
@pytest.mark.parametrize("cell", CELLS)
class TestEveryCell:
    def test_the_engines_agree_and_the_gradients_are_those_of_the_pass(self, cell, mask):
        model, x, targets = drawn(cell)
        slow = model.trace(x, targets, mask=mask, engine="numpy")
        assert slow.check() < 1e-7
        if cell not in COMPILED:
            return
        fast = model.trace(x, targets, mask=mask, engine="numba")
        for one, other in ((slow.h, fast.h), (slow.y, fast.y), (slow.grad_h, fast.grad_h), (slow.grad_x, fast.grad_x)):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
        np.testing.assert_allclose(slow.triangle, fast.triangle, rtol=0, atol=1e-12)
        for name, gradient in slow.grads.items():
            np.testing.assert_allclose(gradient, fast.grads[name], rtol=0, atol=1e-12)
        assert fast.check() < 1e-7

    def test_a_move_of_any_state_does_to_the_loss_what_the_gradient_says(self, cell, mask):
        """h_t and c_t of the top layer, each step, by complex numbers and not by the engine."""
        model, x, targets = drawn(cell)
        trace = model.trace(x, targets, mask=mask)
        rng = np.random.default_rng(1)

        def derivative(kind, t, direction):
            moves = {(kind, 1, t): 1j * naive.EPSILON * direction}
            y = naive.run(trace.spec, trace.params, x, moves=moves, mask=mask).y
            return ((y - targets) ** 2).sum().imag / naive.EPSILON / targets.size

        for t in range(T + 1):
            move = rng.standard_normal((B, trace.H))
            assert derivative("h", t, move) == pytest.approx(np.vdot(trace.grad_h[t], move), rel=1e-10, abs=1e-14)
            if trace.grad_c is not None:
                assert derivative("c", t, move) == pytest.approx(np.vdot(trace.grad_c[t], move), rel=1e-10, abs=1e-14)

    def test_a_padded_input_changes_nothing_and_gets_no_gradient(self, cell, mask):
        model, x, targets = drawn(cell)
        trace, moved = (model.trace(a, targets, mask=mask) for a in (x, np.where(mask[..., None], x, x + 5)))
        assert np.array_equal(trace.h, moved.h)
        assert all(np.array_equal(gradient, moved.grads[name]) for name, gradient in trace.grads.items())
        assert not trace.grad_x[~mask].any()
        assert not trace.backward.layers[0].grad_pre[~mask].any()
        assert not trace.backward.layers[-1].grad_rec[~mask].any()
        assert trace.grad_x[mask].all()

    def test_each_sequence_is_as_if_its_padding_were_cut_out(self, cell, mask):
        model, x, targets = drawn(cell)
        trace = model.trace(x, targets, loss_at=mask, mask=mask)
        for b in range(B):
            own = np.flatnonzero(mask[:, b])
            alone = model.trace(x[own, b : b + 1], targets[own, b : b + 1])
            np.testing.assert_allclose(trace.h[own + 1, b], alone.h[1:, 0], rtol=0, atol=1e-14)
            share = len(own) / mask.sum()
            np.testing.assert_allclose(trace.grad_x[own, b], alone.grad_x[:, 0] * share, rtol=0, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_the_factor_of_a_padded_step_is_1(cell):
    """In the row, the ledger, the triangle, the gain and ∂h_k/∂h_t; and nothing is sent to the weights."""
    model, x, targets = drawn(cell, layers=1)
    for mask, padded in ((AFTER[:, 2:], (5, 6)), (BEFORE[:, 2:], (1, 2))):
        trace = model.trace(x[:, :1], targets[:, :1], loss_at="last", mask=mask)
        ledger, row = trace.ledger, trace.triangle[T]
        for t in padded:
            assert np.array_equal(trace.h[t], trace.h[t - 1])
            assert np.array_equal(trace.grad_h[t], trace.grad_h[t - 1])
            assert row[t] == row[t - 1] > 0
            assert ledger.factor[t - 1] == ledger.slope[t - 1] == 1
            assert trace.gain[t - 1] == pytest.approx(1, rel=1e-12)
            assert trace.sent(T)[t - 1] == 0
        depends = trace.sensitivity_of(T).h.largest
        for t in padded:
            assert depends[t] == pytest.approx(depends[t - 1], rel=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_the_products_with_a_masked_jacobian_are_those_of_the_matrix(cell):
    """As they are asked for where the state is large."""
    model, x, targets = drawn(cell)
    jacobian = StateJacobian.of(model.spec, model.params, model.trace(x, targets, mask=HOLES).forward)
    J, v = jacobian.formed(), np.random.default_rng(2).standard_normal((jacobian.N, jacobian.S))
    np.testing.assert_allclose(jacobian.times(v), np.einsum("nij,nj->ni", J, v), rtol=0, atol=1e-12)
    np.testing.assert_allclose(jacobian.transposed_times(v), np.einsum("nij,ni->nj", J, v), rtol=0, atol=1e-12)
    assert np.array_equal(J[~HOLES.ravel()], np.broadcast_to(np.eye(jacobian.S), J[~HOLES.ravel()].shape))


def test_a_mask_that_leaves_out_nothing_changes_no_number():
    model, x, targets = drawn("lstm")
    plain, masked = model.trace(x, targets), model.trace(x, targets, mask=np.ones((T, B), bool))
    assert masked.forward.mask is None
    assert np.array_equal(plain.grad_h, masked.grad_h)


def test_a_mask_of_another_shape_or_kind_is_refused():
    model, x, targets = drawn("rnn")
    with pytest.raises(InputError, match=r"^mask: shape \(6, 2\) does not fit \(T, B\) = \(6, 3\)"):
        model.trace(x, targets, mask=AFTER[:, :2])
    with pytest.raises(InputError, match=r"^mask: is not an array of True and False"):
        model.forward(x, mask=AFTER.astype(float))
