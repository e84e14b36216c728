"""A scan in log₂ T rounds gives what T steps give."""

import numpy as np
import pytest

from rnnviz.nn import Model, cell_table, scan
from rnnviz.nn.equations import linear

LINEAR = [name for name, cell in cell_table.CELLS.items() if cell.is_linear]


def stepped(a, b, h0):
    h = [h0]
    for one, added in zip(a, b, strict=True):
        h.append(one * h[-1] + added)
    return np.stack(h)


@pytest.mark.parametrize("T", [1, 2, 3, 4, 7, 8, 9, 31, 200])
@pytest.mark.parametrize("kind", ["real", "complex"])
def test_a_scan_is_the_steps_one_by_one(T, kind):
    rng = np.random.default_rng(T)
    size, turn = rng.uniform(0.8, 1.0, (T, 2, 3)), np.exp(1j * rng.uniform(0, 7, (T, 2, 3)))
    a = size * turn if kind == "complex" else size * rng.choice((-1.0, 1.0), size.shape)
    b, h0 = rng.standard_normal((T, 2, 3)), rng.standard_normal((2, 3))
    before = a.copy(), b.copy()
    found, wanted = scan.scan(a, b + 0 * a, h0 + 0 * a[0]), stepped(a, b, h0)
    assert np.abs(found - wanted).max() <= 1e-12 * np.abs(wanted).max()
    assert (a == before[0]).all(), "the arrays given are left as they are"


def test_after_each_round_a_step_reaches_twice_as_far_back():
    assert [scan.rounds(T) for T in (1, 2, 3, 4, 5, 8, 9, 100, 1024, 1025)] == [0, 1, 2, 2, 3, 3, 4, 7, 10, 11]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("is_masked", [False, True])
@pytest.mark.parametrize("cell", LINEAR)
def test_the_states_of_a_linear_recurrence_can_be_scanned(cell, is_masked, layers):
    rng = np.random.default_rng(1)
    model = Model.create(cell, 2, 6, 1, num_layers=layers, init="pytorch", seed=3)
    mask = rng.random((50, 3)) < 0.7 if is_masked else None
    loss_at = "every" if mask is None else mask
    x, targets, h0 = (rng.standard_normal(shape) for shape in ((50, 3, 2), (50, 3, 1), (layers, 3, 6)))
    trace = model.trace(x, targets, loss_at=loss_at, h0=h0, mask=mask)
    apart = scan.difference(model.spec, model.params, trace.forward.layers)
    assert apart <= 1e-12
    assert apart > 0, "it is another order of the same sums"
    wrong = [layer.h.copy() for layer in trace.forward.layers]
    wrong[-1][30] += 1e-3
    moved = (*trace.forward.layers[:-1], scan.LayerForward(**{**vars(trace.forward.layers[-1]), "h": wrong[-1]}))
    assert scan.difference(model.spec, model.params, moved) > 1e-6


def test_only_linear_recurrences_have_terms():
    assert LINEAR == ["mingru", "lru"]
    for name, cell in cell_table.CELLS.items():
        assert hasattr(linear(cell), "terms") is cell.is_linear
        if not cell.is_linear:
            model = Model.create(name, 1, 4, 1)
            trace = model.trace(np.ones((3, 1, 1)), np.ones((3, 1, 1)))
            assert scan.difference(model.spec, model.params, trace.forward.layers) is None


def kept_of_two(cell, activation="tanh"):
    """How much step 5 changes h_9, after two different beginnings: (H,) each."""
    rng = np.random.default_rng(2)
    model = Model.create(cell, 3, 6, 1, activation=activation, init="pytorch", seed=3)
    x, other, moved = rng.standard_normal((9, 1, 3)), rng.standard_normal((4, 1, 3)), rng.standard_normal(3)
    found = []
    for beginning in (x[:4], other):
        one = np.concatenate([beginning, x[4:]])
        two = one.copy()
        two[4] += moved
        h = [model.trace(v, np.zeros((9, 1, 1))).h[9, 0] for v in (one, two)]
        found.append(h[1] - h[0])
    return found


def test_what_an_input_adds_to_an_lru_is_the_same_whatever_came_before():
    """Lesson "Linear recurrences". In a minGRU the gate multiplies the old state, too, and the others depend on it."""
    first, second = kept_of_two("lru")
    np.testing.assert_allclose(first, second, atol=1e-13)
    for cell in ("mingru", "rnn", "lstm", "gru", "indrnn"):
        first, second = kept_of_two(cell)
        assert np.abs(first - second).max() > 1e-5, cell


def test_how_much_a_min_gru_keeps_does_not_depend_on_what_it_has_read():
    """Its gates of later steps are the same after any beginning; those of an LSTM and a GRU are not."""
    rng = np.random.default_rng(2)
    x, other = rng.standard_normal((9, 1, 3)), rng.standard_normal((4, 1, 3))
    for cell, gate in (("mingru", "z"), ("gru", "z"), ("lstm", "f")):
        model = Model.create(cell, 3, 6, 1, init="pytorch", seed=3)
        gates = [
            model.trace(np.concatenate([beginning, x[4:]]), np.zeros((9, 1, 1))).gates[gate][4:]
            for beginning in (x[:4], other)
        ]
        assert bool((gates[0] == gates[1]).all()) is (cell == "mingru"), cell
