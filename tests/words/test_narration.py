"""The moment in words: true, never longer than its line, and leading on to why and to what can be changed."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, Cut, Go, Measure, Next, Train
from rnnviz.scene.cursor import Phase
from rnnviz.scene.frame import Frame
from rnnviz.tui.voice import VOICE
from rnnviz.views.prepare import with_known
from rnnviz.words.narration import narrate, subjects

FADING = Experiment(seq_len=40, gain=0.7)
GROWING = Experiment(gain=1.6)


def back(frame: Frame, t: int) -> Frame:
    return replace(frame, cursor=replace(frame.cursor, phase=Phase.BACKWARD, t=t))


def said(experiment: Experiment, t: int) -> tuple[str, str]:
    return narrate(back(Player(experiment).frame, t), VOICE)


@pytest.mark.parametrize(
    "experiment",
    [Experiment(), FADING, GROWING, Experiment(activation="relu", gain=3.0, seq_len=40),
     Experiment(cell="lstm", seq_len=40), Experiment(cell="gru", seq_len=40),
     Experiment(cell="lstm", gain=5.0, forget_bias=5.0),
     Experiment(cell="lstm", seq_len=300, points=400, hidden_size=4),
     Experiment(cell="gru", init="chrono", seq_len=300, points=400, hidden_size=4)],
)  # fmt: skip
def test_every_sentence_of_the_way_back_fits_its_line(experiment: Experiment) -> None:
    frame = Player(experiment).frame
    for t in range(frame.T + 1):
        for line in narrate(back(frame, t), VOICE):
            assert len(line) <= 78, line
            assert line.endswith("."), line
            assert "  " not in line


def test_half_is_gone_only_once_it_is() -> None:
    frame = Player(FADING).frame
    half, most = frame.gradient.half_life, frame.gradient.horizon
    assert half is not None
    assert most is not None
    for t in range(1, 40):
        second, lag = narrate(back(frame, t), VOICE)[1], 40 - t
        assert (f"will be gone after {half:.1f}" in second) == (lag < half)
        assert (f"is gone after {half:.1f}" in second) == (lag >= half)
        assert (f"99 % will be after {most:.1f}" in second) == (half <= lag < most)
        assert (f"99 % after {most:.1f}" in second) == (lag >= most)
        assert "y: why" in second
        assert re.search("o: change", second)


def test_what_grows_is_not_said_to_be_left() -> None:
    norms = Player(GROWING).frame.gradient.norms
    for t in range(10):
        kept = norms[t] / norms[10]
        first, second = said(GROWING, t)
        assert (" is left" in first) == (kept < 1.005)
        assert ("times as large" in first) == (kept >= 1.005)
        if kept >= 1.005:
            assert f"multiplies it by {kept ** (1 / (10 - t)):.2f}" in first
        assert "grows" in second


def test_at_the_end_of_a_walk_that_hardly_faded_it_says_how_it_would() -> None:
    player = Player()
    assert "recurrent gain 0.7 it vanishes" in said(Experiment(), 0)[1]
    assert "recurrent gain 0.7" not in said(Experiment(), 1)[1]
    norms = player.do(Change((("gain", 0.7),))).gradient.norms
    assert norms[0] / norms[10] < 0.1, "and so it does"
    for kept_as_it_is in (FADING, Experiment(seq_len=3), Experiment(cell="lstm"), Experiment(init="pytorch")):
        assert "recurrent gain" not in said(kept_as_it_is, 0)[1]


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity", "sigmoid"])
@pytest.mark.parametrize("seed", range(5))
def test_what_is_said_of_gain_0_7_holds_for_any_network_it_is_said_of(activation: str, seed: int) -> None:
    for seq_len in (7, 12):
        experiment = Experiment(activation=activation, seed=seed, seq_len=seq_len, gain=1.3)
        if "recurrent gain 0.7" in said(experiment, 0)[1]:
            norms = Player(experiment.with_(gain=0.7)).frame.gradient.norms
            assert norms[0] / norms[seq_len] < 0.1


@pytest.mark.parametrize(
    ("cell", "ends", "words"),
    [("lstm", (0.3, 2.0, None, None), "Half is gone after 0.3 steps in h, 2.0 in c; 99 % neither in h nor in c."),
     ("lstm", (0.3, None, 4.0, None), "99 % is gone after 4.0 steps in h, not in c."),
     ("gru", (None, 1.0, None, 6.8), "99 % is gone in z after 6.8 steps, not in h."),
     ("gru", (1.0, 1.0, 9.0, 6.8), "Half is gone after 1.0 steps in h, 1.0 in z; 99 % after 9.0 in h, 6.8 in z.")],
)  # fmt: skip
def test_of_two_ways_back_each_figure_says_which_it_is_of(
    cell: str, ends: tuple[float | None, ...], words: str
) -> None:
    frame = Player(Experiment(cell=cell)).frame
    gradient = frame.gradient
    assert gradient.highway is not None
    lane = replace(gradient.highway, half_life=ends[1], horizon=ends[3])
    row = replace(gradient, half_life=ends[0], horizon=ends[2], highway=lane)
    frame = replace(frame, scene=with_known(frame.scene, {Measure("gradient", 10): row}))
    assert narrate(back(frame, 5), VOICE)[1] == words


def test_the_update_is_told_whole() -> None:
    for cell, optimizer, layers in itertools.product(("rnn", "lstm"), ("sgd", "adam", "rmsprop"), (1, 3)):
        player = Player(Experiment(cell=cell, optimizer=optimizer, num_layers=layers, learning_rate=1e-5, seq_len=3))
        player.do(Go("backward", 0))
        frame = player.do(Next())
        assert frame.update is not None
        for name, size, _ in frame.update.rows:
            only = replace(frame.update, rows=((name, size, 0.0123),))
            first = narrate(replace(frame, update=only), VOICE)[0]
            assert len(first) <= 78, first
            assert first.endswith(f"{name.removeprefix('rnn.')} moves most, 1.2e-02 of {size:.2f}."), first


def test_gradients_that_grow_say_so_of_themselves() -> None:
    assert Player(GROWING).frame.gradient.grows
    assert not Player(FADING).frame.gradient.grows
    assert not Player().do(Cut()).gradient.grows
    frame = Player(Experiment(learning_rate=100.0)).do(Train("all"))
    assert not frame.gradient.grows, "what is no number does not grow"
    assert np.isnan(frame.gradient.norms).any()


@pytest.mark.parametrize("truncate", ["1,1", "3,3", "3,5", "10,10"])
@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_a_walk_beyond_the_truncation_says_so(truncate: str, cell: str) -> None:
    frame = Player(Experiment(truncate=truncate, cell=cell)).frame  # T = 10, one loss a step
    first = {"1,1": 10, "3,3": 8, "3,5": 6, "10,10": 1}[truncate]
    used = "step 10" if first == 10 else f"steps {first} to 10"
    for t in range(10):
        words = f"Truncated: the update uses only {used}. The way back still continues."
        assert (narrate(back(frame, t), VOICE)[1] == words) is (t < first and first > 1)
    total = replace(back(frame, 5), loss_step=None)
    assert narrate(total, VOICE)[1].startswith("Truncated: the update takes each error back") is (first > 1)
    assert all(len(line) <= 78 for line in narrate(total, VOICE))


def test_a_gradient_that_shrank_and_has_grown_does_not_fade() -> None:
    frame = Player(Experiment(task="recall", lag=12, hidden_size=4, samples=20, gain=2.0, seed=0)).frame
    frame = replace(frame, cursor=replace(frame.cursor, phase=Phase.BACKWARD, t=1))
    assert frame.gradient.half_gone is not None
    words = " ".join(narrate(frame, VOICE))
    assert "times as large" in words
    assert "It shrinks at some steps and grows at others." in words
    assert "fades" not in words


def test_where_h0_comes_from_is_about_the_state() -> None:
    carried = Player(Experiment(task="characters", seq_len=5, batch_size=4, carry=True)).frame
    assert "h₀" in " ".join(narrate(carried, VOICE))
    assert "state" in subjects(carried)
    assert "state" not in subjects(Player(Experiment()).frame)


def test_a_tiny_share_is_a_power_of_ten_and_no_per_cent() -> None:
    fading = [said(FADING, t)[0] for t in range(1, 41)]
    assert not [first for first in fading if re.search(r"e-\d+ %", first)]
    assert any(re.search(r"\de-\d\d of it is left", first) for first in fading)
