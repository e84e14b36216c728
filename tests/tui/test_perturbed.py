"""The panel of a moved state: what the screen shows is what was computed."""

from dataclasses import replace

import pytest

from rnnviz.player.commands import Seek, Train
from rnnviz.player.experiment import Experiment
from rnnviz.player.perturb import PARTS, perturbation
from rnnviz.player.player import Player
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.panels.perturbed import PANEL
from rnnviz.tui.view import View

RECALL = Experiment(task="recall", lag=10, hidden_size=6, samples=20)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("size", [(60, 3), (60, 9), (64, 30), (80, 9), (160, 40)])
def test_each_row_ends_with_how_far_off_it_is_and_with_the_answer(cell: str, size: tuple[int, int]) -> None:
    frame = Player(RECALL.with_(cell=cell)).do(Seek(4))
    found = perturbation(frame.scene, 4)
    assert found is not None
    rows = sheet_for(PANEL, frame, View(), *size, Palette()).plain()
    shown = PARTS if size[1] >= 8 else PARTS[-(size[1] - 2) :]
    for part, row in zip(shown, rows[1:], strict=False):
        assert row.startswith(f"{part:3} %")
        p = found.at(part)
        sign = "=" if found.answers[p] == found.answer else "≠"
        assert row.rstrip().endswith(f"{100 * found.way[p, 11]:3.0f} % {sign} {found.answers[p]}")
    assert rows[0].strip(), "the first row says what is moved"
    assert rows[len(shown) + 1].strip().endswith((".", "%"))


def test_it_says_where_no_state_can_be_moved() -> None:
    player = Player(RECALL)
    assert PANEL.why_not(player.frame) == "Go to a step from 1 to 10: its state is moved, and followed to step 11."
    assert PANEL.why_not(player.do(Seek(11))) is not None
    assert PANEL.why_not(player.do(Seek(10))) is None


def test_numbers_that_are_none_are_drawn_as_such() -> None:
    frame = Player(RECALL.with_(activation="identity", learning_rate=1e200)).do(Train("epoch", 3))
    frame = replace(frame, cursor=replace(frame.cursor, t=4))
    rows = sheet_for(PANEL, frame, View(), 80, 9, Palette()).plain()
    assert all(" ?  " in row for row in rows[1:7])
    assert rows[7].strip() == "The states are not finite."
