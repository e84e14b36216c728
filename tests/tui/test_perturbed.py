"""The panel of a moved state: what the screen shows is what was computed."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.check import check
from rnnviz.lessons.course import Start
from rnnviz.nn.spec import CELLS
from rnnviz.numbers import scientific
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, Measure, Seek, Train
from rnnviz.tui import panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.panels.perturbed import PANEL
from rnnviz.tui.view import View
from rnnviz.tui.voice import MEASURE
from rnnviz.views import perturbation as perturbation_module
from rnnviz.views import prepare as preparing
from rnnviz.views.perturbation import PARTS, known
from rnnviz.views.prepare import prepare
from tests.tui.driving import press, rows, text

RECALL = Experiment(task="recall", lag=10, hidden_size=6, samples=20)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("size", [(60, 3), (60, 9), (64, 30), (80, 9), (160, 40)])
def test_each_row_ends_with_how_far_off_it_is_and_with_the_answer(cell: str, size: tuple[int, int]) -> None:
    player = Player(RECALL.with_(cell=cell))
    player.do(Seek(4))
    frame = player.do(Measure("perturbed", 4, PARTS))
    found = known(frame.scene, 4)
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
    assert (
        PANEL.why_not(player.frame)
        == "Go to a step from 1 to 10: this panel moves its state and follows it to step 11."
    )
    assert PANEL.why_not(player.do(Seek(11))) is not None
    assert PANEL.why_not(player.do(Seek(10))) is None


def test_numbers_that_are_none_are_drawn_as_such() -> None:
    frame = Player(RECALL.with_(activation="identity", learning_rate=1e200)).do(Train("epoch", 3))
    scene = prepare(frame.scene, Measure("perturbed", 4, PARTS))
    frame = replace(frame, scene=scene, cursor=replace(frame.cursor, t=4))
    rows = sheet_for(PANEL, frame, View(), 80, 9, Palette()).plain()
    assert all(" ?  " in row for row in rows[1:7])
    assert rows[7].strip() == "The states are not finite."


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """Every network counts as large; the threads on which moved states are followed."""
    seen: list[threading.Thread] = []
    forward = perturbation_module._forward

    def watched(*given: Any) -> Any:
        seen.append(threading.current_thread())
        return forward(*given)

    monkeypatch.setattr(preparing, "AT_ONCE", 0)
    monkeypatch.setattr(perturbation_module, "_forward", watched)
    return seen


async def test_a_large_network_s_is_followed_beside_the_screen(threads: list[threading.Thread]) -> None:
    app = RnnvizApp(RECALL, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "4", "enter", "X")
        assert rows(app)[1].startswith("  1 %")
        await press(pilot, "right")
        assert "t = 5" in rows(app)[0]
        assert rows(app)[1].startswith("  1 %"), "another step, another job"
    assert threads
    assert threading.main_thread() not in threads


LESSON = """+++
title = "A push"
summary = "What becomes of a moved state."
sources = ["Bengio, Simard and Frasconi 1994"]

[experiment]
task = "recall"
lag = 10
hidden_size = 6
samples = 20
gain = 0.5
+++

## A push

The state of step 4 is moved.

```toml
[do]
seek = 4

[predict]
question = "Is a hundredth of it left?"
choices = [
  { say = "yes", if = "perturb_left[4, 1] >= 0.01" },
  { say = "no", if = "perturb_left[4, 1] < 0.01" },
]
```

Of it {perturb_left[4, 1]:.0e} is left, and of one at this step {perturb_left[t, 33]}.

## Your turn

Keep more of it.

```toml
[exercise]
goal = "Keep a tenth."
solved = ["perturb_left[4, 2] >= 0.1"]
hints = []

[[exercise.solution]]
settings = { gain = 1.0, init = "orthogonal", activation = "identity" }
```

Now {perturb_left[4, 2]:.0e} is left.
"""


async def test_a_lesson_waits_for_what_it_asks(
    threads: list[threading.Thread], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "01-a-push.md").write_text(LESSON, encoding="utf-8")
    assert check([tmp_path / "01-a-push.md"], tuple(panels.BY_ID), MEASURE) == []
    threads.clear()
    app = RnnvizApp(start=Start(tmp_path), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "2")
        assert "of one at this step " in text(app, "lesson")
        assert "–" not in text(app, "lesson")
        await press(pilot, "right")
        assert app.main.frame is not None
        left = known(app.main.frame.scene, 5, (33, 100))
        assert left is not None
        assert f"of one at this step {scientific(float(left.left[0]))}" in text(app, "lesson")
        await press(pilot, "n")
        assert "Keep a tenth" in text(app, "lesson")
        app.main.send(Change((("gain", 1.0), ("init", "orthogonal"), ("activation", "identity"))))
        await app.settled()
        await pilot.pause()
        assert "Now 1" in text(app, "lesson"), "solved once it is known"
    assert threads
    assert threading.main_thread() not in threads
