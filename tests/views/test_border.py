"""What the gradient loses at the border of a batch, against the same gradient taken apart step by step."""

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.player.player import Player
from rnnviz.scene.commands import ShowSample, Train, TypeSequence
from rnnviz.views.border import both_traces, lost_share
from rnnviz.views.metrics import value

SINE = Experiment(carry=True, points=123, seq_len=5, batch_size=3, hidden_size=4)
TEXT = Experiment(task="characters", carry=True, seq_len=5, batch_size=4, hidden_size=6)


@pytest.mark.parametrize("experiment", [SINE, SINE.with_(cell="lstm", num_layers=2), TEXT.with_(cell="gru")])
def test_the_lost_part_is_that_of_the_steps_before_the_border(experiment):
    player = Player(experiment)
    player.do(Train("epoch"))
    scene = player.do(ShowSample(2)).scene
    full, cut = both_traces(scene)
    T = scene.T
    assert full.loss == pytest.approx(cut.loss, rel=1e-12)
    np.testing.assert_allclose(full.y[T:], cut.y, atol=1e-12)
    np.testing.assert_allclose(full.layers[-1].grad_h[T], cut.layers[-1].grad_h[0], atol=1e-14)
    for level, (whole, part) in enumerate(zip(full.backward.layers, cut.backward.layers, strict=True)):
        bias = whole.grad_pre[:T].sum(axis=(0, 1))  # of the steps of the sequence before
        name = f"rnn.bias_ih_l{level}"
        np.testing.assert_allclose(full.grads[name] - cut.grads[name], bias, atol=1e-14)
        np.testing.assert_allclose(whole.grad_pre[T:], part.grad_pre, atol=1e-14)
    lost = sum(((full.grads[name] - g) ** 2).sum() for name, g in cut.grads.items())
    whole = sum((g**2).sum() for g in full.grads.values())
    assert lost_share(scene) == pytest.approx((lost / whole) ** 0.5, rel=1e-9)
    assert 0 < lost_share(scene) < 2
    assert value(player.frame, "border_lost") == lost_share(scene)
    assert value(player.frame, "start_size") == pytest.approx(np.abs(scene.trace.h[0]).mean())


def test_nothing_is_lost_where_nothing_is_carried():
    player = Player(SINE)
    assert value(player.frame, "border_lost") is None  # a row begins
    assert value(player.frame, "start_size") == 0
    plain = Player(SINE.with_(carry=False)).do(ShowSample(1))
    assert value(plain, "border_lost") is None
    player.do(ShowSample(1))
    assert value(player.do(TypeSequence("0.1 0.2 0.3 0.4")), "border_lost") is None
