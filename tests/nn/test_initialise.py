"""The initialisers are what their names promise, and the same seed gives the same weights."""

import numpy as np
import pytest

from rnnviz.nn import CELLS, INITIALISERS, Model, cell_table

H = 24
#: With a full matrix W_hh.
RECURRENT = [name for name, cell in cell_table.CELLS.items() if cell.recurrent and not cell.diagonal]


def blocks(model, layer=0):
    return model.params[f"rnn.weight_hh_l{layer}"].reshape(-1, H, H)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("init", INITIALISERS)
def test_the_seed_decides(cell, init):
    if init == "chrono" and not cell_table.CELLS[cell].chrono:
        return
    first, again, other = (Model.create(cell, 3, H, 2, num_layers=2, init=init, seed=seed) for seed in (1, 1, 2))
    for name, a in first.params.items():
        np.testing.assert_array_equal(a, again.params[name])
    assert any((a != other.params[name]).any() for name, a in first.params.items())


@pytest.mark.parametrize("biases", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_keras(cell, biases):
    model = Model.create(cell, 3, H, 2, num_layers=2, biases=biases)
    gates = len(model.spec.gates)
    for layer, inputs in enumerate((3, H)):
        if cell in RECURRENT:
            W_hh = model.params[f"rnn.weight_hh_l{layer}"]
            np.testing.assert_allclose(W_hh.T @ W_hh, np.eye(H), atol=1e-13)  # joint (H, G*H): orthonormal rows
        W_ih, limit = model.params[f"rnn.weight_ih_l{layer}"], np.sqrt(6 / (inputs + gates * H))
        assert 0.8 * limit < np.abs(W_ih).max() <= limit
        assert W_ih.std() == pytest.approx(limit / np.sqrt(3), rel=0.2)
        bias = model.params[f"rnn.bias_ih_l{layer}"].reshape(gates, H)
        wanted = {"i": 0, "f": 1, "g": 0, "o": 0}
        assert (bias == np.array([[wanted.get(gate, 0)] for gate in model.spec.gates])).all()
        assert (f"rnn.bias_hh_l{layer}" in model.params) is ((cell_table.CELLS[cell].biases or biases) == 2)
        assert (model.params.get(f"rnn.bias_hh_l{layer}", np.zeros(1)) == 0).all()
    assert np.abs(model.params["readout.weight"]).max() <= np.sqrt(6 / (H + 2))


@pytest.mark.parametrize("cell", CELLS)
def test_pytorch(cell):
    model = Model.create(cell, 3, H, 2, init="pytorch")
    own = cell_table.CELLS[cell].fixed_loop and "weight_hh"  # it draws these itself
    every = np.concatenate([a.ravel() for name, a in model.params.items() if not own or own not in name])
    assert 0.95 / np.sqrt(H) < np.abs(every).max() <= 1 / np.sqrt(H)
    assert all(a.any() for a in model.params.values())


@pytest.mark.parametrize("cell", RECURRENT)
def test_identity(cell):
    model = Model.create(cell, 3, H, 2, activation="relu", init="identity")
    assert (blocks(model) == np.eye(H)).all()
    assert (model.params["rnn.bias_ih_l0"] == 0).all()
    assert 0.0005 < model.params["rnn.weight_ih_l0"].std() < 0.002


@pytest.mark.parametrize("cell", RECURRENT)
def test_orthogonal_in_each_gate(cell):
    for block in blocks(Model.create(cell, 3, H, 2, init="orthogonal")):
        np.testing.assert_allclose(block @ block.T, np.eye(H), atol=1e-13)


def test_orthogonal_is_uniform():
    """Haar: the trace has mean 0 and variance 1; without the sign correction the mean is far from 0."""
    traces = [np.trace(blocks(Model.create("rnn", 1, H, 1, init="orthogonal", seed=s))[0]) for s in range(300)]
    assert np.mean(traces) == pytest.approx(0, abs=0.25)
    assert np.var(traces) == pytest.approx(1, abs=0.4)


def test_chrono():
    lstm = Model.create("lstm", 3, 300, 2, init="chrono", max_lag=50)
    i, f, g, o = lstm.params["rnn.bias_ih_l0"].reshape(4, 300)
    lags = np.exp(f)  # a gate σ(log τ) forgets in about τ steps
    assert 1 <= lags.min() < 3 < 46 < lags.max() <= 49
    assert lags.mean() == pytest.approx(25, abs=2)
    assert (i == -f).all()
    assert (g == 0).all()
    assert (o == 0).all()
    gru = Model.create("gru", 3, 300, 2, init="chrono", max_lag=50)
    r, z, n = gru.params["rnn.bias_ih_l0"].reshape(3, 300)
    assert np.exp(z).mean() == pytest.approx(25, abs=2)
    assert (r == 0).all()
    assert (n == 0).all()


def test_chrono_opens_the_gate_of_a_min_gru_to_the_new_seldom():
    z, n = Model.create("mingru", 3, 300, 2, init="chrono", max_lag=50).params["rnn.bias_ih_l0"].reshape(2, 300)
    assert np.exp(-z).mean() == pytest.approx(25, abs=2)  # 1 - z = σ(log τ) keeps for about τ steps
    assert (n == 0).all()


def test_what_is_set_of_recurrent_weights_means_nothing_without_them():
    plain = Model.create("mingru", 3, H, 2)
    for scaled in (Model.create("mingru", 3, H, 2, gain=3.0), Model.create("mingru", 3, H, 2, spectral_radius=0.5)):
        assert set(scaled.params) == {"rnn.weight_ih_l0", "rnn.bias_ih_l0", "readout.weight", "readout.bias"}
        assert all((a == scaled.params[name]).all() for name, a in plain.params.items())


@pytest.mark.parametrize("cell", RECURRENT)
def test_gain_and_spectral_radius(cell):
    plain, scaled = (Model.create(cell, 3, H, 2, gain=gain) for gain in (1.0, 1.5))
    np.testing.assert_allclose(blocks(scaled), 1.5 * blocks(plain), rtol=1e-15)
    for block in blocks(Model.create(cell, 3, H, 2, gain=1.5, spectral_radius=0.8)):
        assert np.abs(np.linalg.eigvals(block)).max() == pytest.approx(0.8, rel=1e-12)
    assert (blocks(Model.create(cell, 3, H, 2, gain=0.0, spectral_radius=0.8)) == 0).all()


def test_an_ind_rnn_starts_from_a_diagonal():
    drawn = {
        init: Model.create("indrnn", 3, 400, 2, init=init).params["rnn.weight_hh_l0"]
        for init in ("keras", "orthogonal", "identity", "pytorch")
    }
    assert {u.shape for u in drawn.values()} == {(1, 400)}
    for init in ("keras", "orthogonal"):
        assert set(drawn[init].ravel()) == {-1.0, 1.0}
        assert abs(drawn[init].mean()) < 0.2
    assert (drawn["identity"] == 1).all()
    assert 0.95 / 20 < np.abs(drawn["pytorch"]).max() <= 1 / 20
    np.testing.assert_array_equal(
        Model.create("indrnn", 3, 400, 2, gain=1.5).params["rnn.weight_hh_l0"], 1.5 * drawn["keras"]
    )
    scaled = Model.create("indrnn", 3, 400, 2, init="pytorch", spectral_radius=0.8).params["rnn.weight_hh_l0"]
    np.testing.assert_allclose(scaled, drawn["pytorch"] * (0.8 / np.abs(drawn["pytorch"]).max()), rtol=1e-14)
    assert (Model.create("indrnn", 3, 4, 2, gain=0.0, spectral_radius=0.8).params["rnn.weight_hh_l0"] == 0).all()


@pytest.mark.parametrize("init", INITIALISERS)
@pytest.mark.parametrize("biases", [1, 2])
def test_forget_bias(init, biases):
    model = Model.create("lstm", 3, H, 2, init=init, forget_bias=2.5, biases=biases)
    f = slice(H, 2 * H)
    assert (model.params["rnn.bias_ih_l0"][f] == 2.5).all()
    assert (model.params.get("rnn.bias_hh_l0", np.zeros(4 * H))[f] == 0).all()
    plain, asked = (Model.create("gru", 3, H, 2, forget_bias=value) for value in (None, 2.5))
    assert all((a == asked.params[name]).all() for name, a in plain.params.items())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_have_the_dtype_and_are_read_only(dtype):
    model = Model.create("gru", 3, H, 2, dtype=dtype)
    assert {a.dtype for a in model.params.values()} == {np.dtype(dtype)}
    with pytest.raises(ValueError, match="read-only"):
        model.params["readout.bias"][0] = 1
    copies = model.copy_params()
    copies["readout.bias"][0] = 1
    assert model.params["readout.bias"][0] == 0
    assert model.with_params(copies).params["readout.bias"][0] == 1


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (dict(cell="rnn", biases=1), 461),
        (dict(cell="rnn"), 481),
        (dict(cell="lstm", biases=1), 1781),
        (dict(cell="gru", biases=1), 1401),
        (dict(cell="lstm", num_layers=2), 5221),
    ],
)
def test_parameter_counts(options, count):
    model = Model.create(**options)
    assert model.parameter_count == count == sum(a.size for a in model.params.values())
    assert sum(row.parameters for row in model.summary()) == count
