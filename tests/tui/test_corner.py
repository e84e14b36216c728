"""A large screen: what stands below a lesson's text, and the panels that fill it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

from rnnviz.charts.plots import loss_curve
from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.course import Start
from rnnviz.numbers import factor, short, subscript
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, Go, Measure
from rnnviz.tui import beside, corner, panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas
from rnnviz.tui.palette import Palette
from rnnviz.tui.view import EVERYTHING, View
from tests.lessons.learner import Learner
from tests.tui.driving import rows, text

WEIGHTS, NETWORK = panels.BY_ID["weights"], panels.BY_ID["network"]


async def test_a_lesson_on_a_large_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    app = RnnvizApp(start=Start(slug="why-gradients-vanish"), compile=False)
    async with app.run_test(size=(160, 50)) as pilot:
        await app.settled()
        main, learner = app.main, Learner(app, pilot)
        guide = main.guide
        assert guide is not None

        def shown() -> str:
            canvases = [canvas for canvas in main.query(Canvas) if canvas.display and canvas.size]
            return "\n".join(line for canvas in canvases for line in canvas.plain())

        assert text(app, "corner-beside").startswith(" weights"), "the ledger would give the next answer away"
        assert "σ_max, the largest singular value of W_hh: 0.70." in shown()
        assert "fit" not in text(app, "corner-beside"), "of an untrained network it is noise"
        assert shown().count("at the last step.") == 1, "one voice says it once"
        assert "at the last step." in text(app, "telling-beside")
        guide.jump(2)
        await app.settled()
        assert text(app, "corner-beside").startswith(" ledger")
        assert "Backpropagating" not in text(app, "corner-beside"), "what it needs has been computed"
        for line in rows(app, "lesson-beside"):
            assert cell_len(line.rstrip()) <= 76 or "───" in line
        await pilot.click("#corner-beside", offset=(5, 4))
        await app.settled()
        assert main.view.panel == "ledger"
        assert main.query_one("#open").region in main.by_importance(), "over a slow line the corner comes last"
        await learner.press("escape")
        wide = main.query_one("#score").size.width
        main.send(Change((("seq_len", 45),)))
        await app.settled()
        assert main.query_one("#score").size.width > wide, "more steps, more room"
        assert main.query_one("#score").size.width == 160 - beside.column_width(160, main.frame)
        await learner.press("F")
        assert not main.query_one("#corner-beside").display, "free play has its own panels"
        await learner.press("r")
        await pilot.resize_terminal(120, 36)
        await app.settled()
        assert not main.has_class("wide"), "too narrow for lines of 60 characters beside a score"
        assert text(app, "corner").startswith(" ledger")
        assert main.query_one("#score").size.height >= corner.LEAST_SCORE
        assert main.query_one("#corner").region.y == main.query_one("#lesson").region.bottom
        await pilot.resize_terminal(80, 24)
        await app.settled()
        assert not main.query_one("#corner").display


async def test_rows_that_the_score_does_not_use_show_the_next_panels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    app = RnnvizApp(start=Start(slug="state-or-layer"), compile=False)
    async with app.run_test(size=(160, 50)) as pilot:
        await app.settled()
        assert text(app, "corner-beside").startswith(" network")
        assert text(app, "corner").startswith(" in words")
        assert " weights" in text(app, "corner")
        score, below = app.main.query_one("#score").region, app.main.query_one("#corner").region
        assert below.y == score.bottom + 1
        assert "time t" in rows(app, "score")[-1], "nothing of the score is empty"
        await pilot.click("#corner", offset=(5, 2))
        await app.settled()
        assert app.main.view.panel == "words"


async def test_steps_in_quick_succession_leave_the_corner_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    app = RnnvizApp(start=Start(slug="state-or-layer"), compile=False)
    async with app.run_test(size=(160, 50)):
        await app.settled()
        main, guide = app.main, app.main.guide
        assert guide is not None
        canvases = [(main.query_one(f"#{name}", Canvas), name == "corner") for name in ("corner", "corner-beside")]

        def is_fresh() -> bool:
            return all(canvas.plain() == main._corner(*canvas.size, second).plain() for canvas, second in canvases)

        def step(t: int) -> None:
            main.send(Go("forward", t))

        monkeypatch.setattr(corner, "MOMENT", 0.0)  # the last drawing is long ago
        step(1)
        assert is_fresh(), "a step at leisure shows everything"
        monkeypatch.setattr(corner, "MOMENT", 600.0)
        for t in (2, 3, 4):
            step(t)
        assert main.pace.waits
        assert not is_fresh(), "three steps in a moment are not drawn there"
        assert "t = 4" in text(app), "the score follows each"
        await app.settled()
        assert is_fresh(), "a picture waits for it"
        monkeypatch.setattr(corner, "MOMENT", 0.3)
        step(5)
        async with asyncio.timeout(30):
            while main.pace.waits:
                await asyncio.sleep(0.01)
        assert is_fresh(), "the last one is, without another key"
        monkeypatch.setattr(corner, "MOMENT", 600.0)
        for t in (1, 2):
            step(t)
        assert main.pace.waits
        guide.jump(2)
        assert main.view.hides("state")
        assert text(app, "corner-beside").startswith(" in words"), "an answer goes at once"
        assert "unrolled" not in text(app, "corner") + text(app, "corner-beside")


@pytest.mark.parametrize("height", [8, 12, 20, 36, 80])
def test_pictures_follow_one_another_in_the_corner(height: int) -> None:
    frame = Player(Experiment(hidden_size=4, seq_len=6)).frame
    for names in (("network",), ("weights", "neuron", "network"), ("fit", "loss"), ("ledger", "fit", "weights")):
        found = corner.places([panels.BY_ID[name] for name in names], frame, height)
        assert found[0][1] == 0
        assert all(y + n == following for (_, y, n), (_, following, _) in pairwise(found))
        assert found[-1][1] + found[-1][2] <= height
        assert all(n >= corner.LEAST or number == 0 for number, (_, _, n) in enumerate(found))
        assert [panel.id for panel, _, _ in found] == list(names[: len(found)])


def test_what_a_question_hides_and_what_is_noise_stays_out_of_it() -> None:
    player = Player(Experiment(hidden_size=4, seq_len=6, epochs=1))
    names = ("fit", "ledger", "weights")
    assert [panel.id for panel in corner.chosen(player.frame, EVERYTHING, names)] == ["ledger", "weights"]
    asks = replace(EVERYTHING, masked=frozenset(("gradient", "spectrum")))
    usual = corner.chosen(player.frame, asks, names)
    assert [panel.id for panel in usual] == ["summary"], "the first of the usual ones that may be seen"
    assert corner.chosen(player.frame, replace(EVERYTHING, panel="ledger"), names)[0].id == "weights"
    assert corner.chosen(player.frame, EVERYTHING, ("compare", "travel", "knobs", "network"))[0].id == "network"
    assert corner.chosen(player.frame, EVERYTHING, ()) == []


def test_the_weights_are_those_of_the_network() -> None:
    player = Player(Experiment(hidden_size=4, gain=1.3, init="pytorch"))
    player.do(Measure("weights"))
    drawn = WEIGHTS.draw(player.frame, EVERYTHING, 64, 12, Palette()).plain()
    W = player.frame.scene.trace.params["rnn.weight_hh_l0"]
    for row, values in zip(drawn[4:], W, strict=False):
        assert " ".join(short(float(value)) for value in values) in " ".join(row.split())
    shown = "\n".join(drawn)
    assert factor(float(np.linalg.svd(W)[1][0])) in shown
    assert factor(float(np.abs(np.linalg.eigvals(W)).max())) in shown


@pytest.mark.parametrize(("cell", "H", "size"), [("lstm", 16, (64, 30)), ("gru", 20, (64, 12)), ("rnn", 100, (64, 30))])
def test_large_layers_and_gates_fit_or_say_what_is_left_out(cell: str, H: int, size: tuple[int, int]) -> None:
    frame = Player(Experiment(cell=cell, hidden_size=H, seq_len=4)).frame
    drawn = "\n".join(WEIGHTS.draw(frame, EVERYTHING, *size, Palette()).plain())
    gates = frame.cell.gates
    left_out = re.search(r"… (\d+) more", drawn)
    assert (
        sum(f"W_hh {gate}" in drawn for gate in gates) + int(left_out[1] if left_out else 0) == len(gates) or not gates
    )
    below = re.search(r"↓(\d+)", drawn)
    assert (below is not None) == (2 * (size[1] - 2) < H)


def test_the_network_unrolls_as_many_steps_as_fit() -> None:
    player = Player(Experiment(seq_len=10, hidden_size=3))
    drawn = "\n".join(NETWORK.draw(player.frame, EVERYTHING, 100, 50, Palette()).plain())
    for t in range(11):
        assert drawn.count(f" h{subscript(t)} ") == 1
    assert "Total" in drawn
    player = Player(Experiment(seq_len=40, hidden_size=3))
    views = []
    for t in range(41):
        frame = player.do(Go("forward", t))
        drawn = "\n".join(NETWORK.draw(frame, EVERYTHING, 100, 46, Palette()).plain())
        assert f"┃ h{subscript(t)} " in drawn, "the present step is among them"
        views.append(tuple(re.findall(r"[│┃] (h[₀-₉]+) ", drawn)))
    assert sum(a != b for a, b in pairwise(views)) <= 10, "they stand still while the cursor moves"


@pytest.mark.parametrize("width", [52, 60, 62, 84])
def test_the_loss_curve_names_its_lines_where_there_is_room(width: int) -> None:
    drawn = loss_curve([0.5, 0.0656], [0.6, 0.064], 2, width, 10, baseline=0.517).plain()
    assert re.search("train(ing)? 0.0656 .*val(idation)? 0.064 .*guess 0.517", drawn[0])


def test_the_weights_of_an_exploded_network_have_no_scale() -> None:
    """Found while the panel is drawn, once for a network: a step asks nothing of the weights."""
    player = Player(Experiment(seq_len=4, hidden_size=3))
    bias = player.frame.scene.trace.params["rnn.bias_ih_l0"]  # the last block
    bias.setflags(write=True)
    bias[1] = np.nan
    panel = panels.BY_ID["weights"]
    assert panel.why_not(player.frame) is None
    assert "A weight is not finite" in panel.draw(player.frame, View(), 70, 20, Palette()).plain()[0]
