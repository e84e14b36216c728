"""Where h₀ comes from, in words, and where its gradient ends."""

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.player.player import Player
from rnnviz.scene.commands import ShowSample, Train
from rnnviz.scene.cursor import Phase
from rnnviz.tui.voice import VOICE
from rnnviz.words.narration import narrate

SINE = Experiment(carry=True, points=123, seq_len=5, batch_size=3)


def back(frame, t):
    return narrate(replace(frame, cursor=replace(frame.cursor, phase=Phase.BACKWARD, t=t)), VOICE)


@pytest.mark.parametrize(("cell", "state"), [("rnn", "h₀ is"), ("gru", "h₀ is"), ("lstm", "h₀ and c₀ are")])
def test_the_beginning_says_where_the_first_state_comes_from(cell, state):
    player = Player(SINE.with_(cell=cell))
    frame = player.frame
    assert narrate(frame, VOICE)[0] == f"{state} all zeros: a row begins with this sequence."
    assert not frame.scene.trace.h[0].any()
    frame = player.do(ShowSample(1))
    assert narrate(frame, VOICE)[0] == f"{state} carried: the state after sequence 1, with the present weights."
    assert frame.scene.trace.h[0].any()
    frame = player.do(Train("batch"))
    assert narrate(frame, VOICE)[0] == f"{state} carried: the batch before left sequence 1 in this state."
    np.testing.assert_array_equal(
        frame.scene.trace.h[0, 0], player._now.run.timeline.training.start_of_batch()[0][0, 0]
    )
    frame = player.do(ShowSample(20))
    assert frame.scene.sample == 21
    assert narrate(frame, VOICE)[0] == f"{state} all zeros: validation begins with this sequence."


@pytest.mark.parametrize(
    ("cell", "ends"),
    [
        ("rnn", "∂L/∂h₀ is computed but goes no further: h₀ was carried as plain numbers."),
        ("lstm", "∂L/∂h₀ and ∂L/∂c₀ go no further: h₀ and c₀ were carried as plain numbers."),
    ],
)
def test_at_h0_the_gradient_ends(cell, ends):
    player = Player(SINE.with_(cell=cell))
    assert back(player.frame, 0)[1] != ends
    frame = player.do(ShowSample(1))
    assert back(frame, 0)[1] == ends
    assert back(frame, 1)[1] != ends
    assert frame.gradient.norms[0] > 0
    plain = Player(SINE.with_(cell=cell, carry=False)).do(ShowSample(1))
    assert back(plain, 0)[1] != ends
    assert "carried" not in narrate(plain, VOICE)[0]


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_every_sentence_fits_its_line_also_with_large_numbers(cell):
    experiment = Experiment(task="characters", cell=cell, carry=True, seq_len=1, batch_size=1)
    frame = Player(experiment).do(ShowSample(1700))
    assert frame.scene.sample > 1000
    for line in (*narrate(frame, VOICE), *back(frame, 0)):
        assert len(line) <= 78, line
    assert f" carried: the state after sequence {frame.scene.sample}" in narrate(frame, VOICE)[1]
