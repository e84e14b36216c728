"""The ledger, driven by keys: its products lead from the start to every row, and it follows the cursor."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import Any

import pytest

from rnnviz.experiment.build import trace_of
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import gain
from rnnviz.nn.spec import CELLS
from rnnviz.player.player import Player
from rnnviz.scene.commands import Measure
from rnnviz.scene.cursor import Phase
from rnnviz.tui import panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.view import View
from rnnviz.views.ledger import make_table
from rnnviz.views.prepare import prepare, read
from rnnviz.words.ledger import sentence
from tests.tui.driving import press, rows

FADING = Experiment(seq_len=40, gain=0.7)


def entries(lines: list[str]) -> dict[int, list[str]]:
    """t -> what stands in its row."""
    cells = (line.replace("▸", " ").split() for line in lines)
    return {int(row[0]): row for row in cells if row and row[0].isdigit()}


@pytest.mark.parametrize(
    "experiment", [FADING, Experiment(cell="lstm"), Experiment(cell="gru"), Experiment(activation="relu", gain=30.0)]
)
async def test_start_times_product_is_every_rows_gradient(experiment: Experiment) -> None:
    app = RnnvizApp(experiment, compile=False)
    async with app.run_test(size=(160, 60)) as pilot:
        await app.settled()
        await press(pilot, "y")
        frame = app.main.frame
        assert frame is not None
        table = entries(rows(app, "open"))
        T = frame.T
        assert set(table) == set(range(T + 1))
        simple = frame.experiment.cell == "rnn"
        start = float(table[T][1])
        for t in range(T):
            shown, left = table[t][1], float(table[t][5 if simple else 3])
            digit = 10.0 ** (math.floor(math.log10(float(shown))) - 2)
            assert float(shown) == pytest.approx(float(frame.gradient.norms[t]), abs=0.501 * digit)
            assert start * left == pytest.approx(float(shown), abs=0.52 * digit), f"t = {t}"


async def test_factor_is_slope_times_weight_and_both_are_the_traces() -> None:
    app = RnnvizApp(FADING, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "right", "y", *["left"] * 12)
        frame = app.main.frame
        assert frame is not None
        ledger = frame.scene.trace.ledger_of(40)
        table = entries(rows(app))
        assert 29 in table
        for t, row in table.items():
            if t < 40:
                factor, slope, weight = map(float, row[2:5])
                assert factor == pytest.approx(ledger.factor[t], abs=0.0051)
                assert slope == pytest.approx(ledger.slope_share[t], abs=0.0051)
                assert weight == pytest.approx(ledger.weight_share[t], abs=0.0051)
                assert slope * weight == pytest.approx(factor, abs=0.015)


async def test_the_cursors_row_stands_out_and_stays_in_view() -> None:
    app = RnnvizApp(FADING, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "right", "y", "left")
        for t in range(39, -1, -1):
            await press(pilot, "down" if t % 2 else "left")
            marked = [row for row in rows(app) if row.startswith("▸")]
            assert len(marked) == 1
            assert marked[0].replace("▸", " ").split()[0] == str(t)
        await press(pilot, "up")
        assert app.main.frame is not None
        assert app.main.frame.cursor.t == 1


async def test_the_sentence_says_what_the_table_says() -> None:
    app = RnnvizApp(FADING, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "y")
        frame = app.main.frame
        assert frame is not None
        norms = frame.gradient.norms
        mean = float(norms[1] / norms[40]) ** (1 / 39)
        assert f"Mean to h₁: a step keeps {mean:.2f}" in rows(app)[0]
        assert f"half is gone after {frame.gradient.half_life:.1f} steps" in rows(app)[0]
        await press(pilot, "t")
        assert "The total" in rows(app)[0]


async def test_gated_cells_say_why_there_is_no_slope_times_weight() -> None:
    for cell, gate in (("lstm", "f"), ("gru", "z")):
        app = RnnvizApp(Experiment(cell=cell), compile=False)
        async with app.run_test(size=(80, 24)) as pilot:
            await app.settled()
            await press(pilot, "end", "y")
            text = "\n".join(rows(app))
            assert "No slope × weight here" in text
            assert f"mean {gate}" in text
            frame = app.main.frame
            assert frame is not None
            row = entries(rows(app))[8]
            assert float(row[5]) == pytest.approx(frame.scene.gate_means[gate][8], abs=0.0051)


async def test_a_large_networks_gain_is_worked_out_beside_and_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, gains = threading.Event(), gain.gains

    def slow(*arguments: Any) -> Any:
        go_on.wait(20)
        return gains(*arguments)

    monkeypatch.setattr(gain, "gains", slow)
    app = RnnvizApp(Experiment(hidden_size=64, seq_len=20), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("end", "y", "down")
        await pilot.pause()
        assert app.main.frame is not None
        assert app.main.frame.cursor.t == 19, "the app goes on while it is being worked out"
        assert entries(rows(app))[19][6] == "…"
        first = app.main.frame.scene
        await pilot.press("e")  # what a person asks for goes first
        go_on.set()
        await app.settled()
        await pilot.pause()
        frame = app.main.frame
        assert frame.cursor.epoch == 1
        assert frame.scene is not first
        known = frame.scene.trace.ledger_of(20).gain
        assert float(entries(rows(app))[19][6]) == pytest.approx(known[19], abs=0.0051), "then it is worked out anew"


async def test_a_gradient_that_vanished_altogether_says_so() -> None:
    app = RnnvizApp(Experiment(gain=0.0), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "y")
        assert "From t = 9 back the gradient is 0: W_hh is 0." in rows(app)[0]


@pytest.mark.parametrize("cell", CELLS)
async def test_beside_the_score_of_a_wide_screen_it_has_all_its_columns_too(cell: str) -> None:
    said = {}
    for size, name in (((80, 24), "panel"), ((160, 50), "open")):
        app = RnnvizApp(FADING.with_(cell=cell), compile=False)
        async with app.run_test(size=size) as pilot:
            await app.settled()
            await press(pilot, "end", "y")
            table = entries(rows(app, name))
            head = "\n".join(rows(app, name)[:8])
            assert "bound" in head
            assert "slope" in head.replace("= slope", "").replace("slope × weight", "") or cell != "rnn"
            said[name] = table[39]
    assert said["panel"] == said["open"]
    # slope × weight where there is one block; a minGRU has no way back beside another
    assert len(said["open"]) == {"rnn": 8, "indrnn": 8, "lru": 8, "mingru": 6}.get(cell, 7)


def test_of_a_gradient_that_sets_out_as_0_nothing_is_left_and_no_nan() -> None:
    player = Player(Experiment())
    scene = player.frame.scene
    params = scene.model.copy_params()
    params["readout.weight"][...] = 0.0
    trace = trace_of(scene.model.with_params(params), scene.task)
    frame = replace(player.frame, scene=prepare(read(scene.task, 0, scene.model, trace), Measure("ledger", scene.T)))
    frame = replace(frame, cursor=replace(frame.cursor, phase=Phase.BACKWARD, t=5))
    text = "\n".join(sheet_for(panels.BY_ID["ledger"], frame, View(panel="ledger"), 80, 14, Palette("none")).plain())
    assert "From t = 10 back the gradient is 0: the weights of the readout are 0." in text
    assert "nan" not in text


def test_what_is_left_of_a_gradient_that_fades_slowly_fits_its_line() -> None:
    scene = Player(Experiment(task="recall", lag=20)).frame.scene
    assert sentence(make_table(scene, 21), scene.gradient(21)).endswith("more than 1 % is left at h₀.")
    assert len(sentence(make_table(scene, 21), scene.gradient(21))) <= 78
