"""∂L/∂x_t: by finite differences of the loss, for one loss step and for all; and which input mattered most."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.nn import Model
from rnnviz.player.kinds.opening import Opening
from rnnviz.player.player import open_player
from rnnviz.scene.commands import Measure
from rnnviz.views import inputs
from rnnviz.views.prepare import prepare
from tests.networks_here import file_of, layer_of
from tests.recordings_here import made


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("k", [None, 3, 6])
def test_the_loss_changes_by_it_when_one_input_moves(cell, k):
    rng = np.random.default_rng(3)
    model = Model.create(cell, 2, 4, 1, num_layers=2, seed=1)
    x, targets = rng.standard_normal((6, 1, 2)), rng.standard_normal((6, 1, 1))
    trace = model.trace(x, targets)
    found = trace.grad_x_of(k)

    def loss(moved):
        steps = model.trace(moved, targets).step_loss
        return steps.sum() if k is None else steps[k - 1]

    for t in range(6):
        for i in range(2):
            up, down = x.copy(), x.copy()
            up[t, 0, i] += 1e-5
            down[t, 0, i] -= 1e-5
            assert found[t, 0, i] == pytest.approx((loss(up) - loss(down)) / 2e-5, rel=1e-5, abs=1e-10)
    if k is None:
        np.testing.assert_array_equal(found, trace.grad_x)


def test_the_most_is_the_largest_of_all_and_a_recording_has_it_too(tmp_path):
    made(tmp_path / "run", records=1)
    scene = open_player(Opening(str(tmp_path / "run"))).frame.scene
    assert inputs.known(scene, 12) is None
    scene = prepare(scene, Measure("inputs", 12))
    found = inputs.known(scene, 12)
    np.testing.assert_array_equal(found.values, scene.trace.grad_x_of(12)[:, 0])
    step, number = found.most
    assert abs(found.values[step - 1, number]) == np.abs(found.values).max()
    np.testing.assert_allclose(found.norms, np.linalg.norm(found.values, axis=1))


def test_without_a_loss_there_is_none():
    from rnnviz.player.kinds.network import NetworkRun
    from rnnviz.player.kinds.opening import NetworkOpening

    run = NetworkRun(NetworkOpening("model.pt"), file_of(layer_of()))
    with pytest.raises(InputError, match="no loss"):
        run.scene(0).trace.grad_x_of(3)
    assert "inputs" in run.cannot
