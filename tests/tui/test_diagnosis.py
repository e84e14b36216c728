"""The panel D: the findings of `rnnviz diagnose` for the sequence and the weights on the screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnviz.diagnosis import of_scene
from rnnviz.diagnosis.rules import RULES
from rnnviz.experiment.experiment import Experiment
from rnnviz.player.kinds.opening import Opening
from rnnviz.player.player import Player, open_player
from rnnviz.scene.commands import Change, Train
from rnnviz.tui import panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.view import View
from tests.diagnosis.networks import ADAM, of, recording_of, rules
from tests.tui.driving import press, rows, text

#: A linear RNN that keeps half of the gradient a step.
VANISHES = Experiment(task="recall", lag=20, activation="identity", init="orthogonal", gain=0.5, samples=40)


async def test_it_shows_the_findings_and_scrolls() -> None:
    app = RnnvizApp(VANISHES, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "D")
        shown = " ".join(text(app, "panel").split())
        assert "1. the gradient vanishes" in shown
        assert "0.50 a step: slope 1.00 × weights 0.50" in shown
        assert "Knobs: cell lstm." in shown
        assert "↓" in shown
        first = rows(app, "panel")
        await press(pilot, "down", "down")
        assert rows(app, "panel")[0].startswith(first[2].rstrip())
        await press(pilot, "up", "up")
        assert rows(app, "panel") == first


async def test_it_follows_a_change() -> None:
    app = RnnvizApp(Experiment(), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "D")
        assert "No findings for this sequence" in text(app, "panel")
        app.main.send(Change((("task", "recall"), ("lag", 40), ("cell", "lstm"))))
        await app.settled()
        await pilot.pause()
        assert "1. the gradient vanishes" in text(app, "panel")


@pytest.mark.parametrize("settings", [
    {}, {"cell": "lstm"}, {"task": "recall", "lag": 20, "cell": "gru", "samples": 40},
    {"task": "recall", "lag": 20, "activation": "identity", "init": "orthogonal", "gain": 2.0, "samples": 40},
    {"task": "recall", "lag": 20, "truncate": "5,5", "init": "orthogonal", "gain": 1.1, "samples": 40},
], ids=str)  # fmt: skip
def test_it_finds_what_the_command_finds_of_an_untrained_network(settings: dict[str, object]) -> None:
    player = Player(Experiment(**settings))  # type: ignore[arg-type]
    player.do(of_scene.wanted(player.frame))
    found = of_scene.of_frame(player.frame)
    assert found is not None
    assert rules(found) == rules(of(epochs=0, **settings))
    judged = {f.rule for f in found.findings} | set(found.not_judged)
    assert judged <= {rule.slug for rule in RULES}


def test_a_learnt_task_has_no_finding() -> None:
    player = Player(Experiment(task="recall", lag=6, samples=300, epochs=25, **ADAM))  # type: ignore[arg-type]
    player.do(Train("all"))
    player.do(of_scene.wanted(player.frame))
    found = of_scene.of_frame(player.frame)
    assert found is not None
    assert found.evidence.is_learnt
    assert rules(found) == []


def test_nan_is_found_and_the_loss_is_judged_with_the_newest_losses() -> None:
    player = Player(Experiment(learning_rate=1e30))
    player.do(Train("epoch"))
    player.do(of_scene.wanted(player.frame))
    found = of_scene.of_frame(player.frame)
    assert found is not None
    assert "not-finite" in rules(found)
    assert found.findings[0].what.endswith("in this sequence, the first value that is not finite.")
    flat = Player(Experiment(activation="relu", init="identity"))
    flat.do(Train("all"))
    flat.do(of_scene.wanted(flat.frame))
    found = of_scene.of_frame(flat.frame)
    assert found is not None
    assert rules(found) == ["flat-at-constant"]


def test_a_recording_has_a_diagnosis_as_well(tmp_path: Path) -> None:
    settings = {"task": "sine", "points": 120, "seq_len": 60, "init": "orthogonal", "loss_at": "last", "gain": 0.3}
    recording_of(tmp_path / "r", records=2, weights={"rnn.weight_ih_l0": 1e-5}, **settings)
    player = open_player(Opening(str(tmp_path / "r")))
    player.do(of_scene.wanted(player.frame))
    found = of_scene.of_frame(player.frame)
    assert found is not None
    assert "vanishing-gradient" in rules(found)
    panel = panels.BY_ID["diagnosis"]
    sheet = sheet_for(panel, player.frame, View(panel="diagnosis"), 100, 40, Palette())
    shown = "\n".join(sheet.plain())
    assert "PyTorch: nn.LSTM(1, 20)" in shown
    assert "Knobs" not in shown


def test_it_draws_at_any_size() -> None:
    player = Player(VANISHES)
    waiting = player.frame
    player.do(of_scene.wanted(player.frame))
    for frame in (waiting, player.frame):
        for width in (20, 40, 80, 200):
            for height in (3, 9, 40):
                sheet = sheet_for(panels.BY_ID["diagnosis"], frame, View(row=7), width, height, Palette())
                assert (sheet.width, sheet.height) == (width, height)
