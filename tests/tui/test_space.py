"""The panel of the state space: it shows what was computed, at every size, and computes nothing itself."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.dynamics.principal import principal_components
from rnnviz.numbers import subscript
from rnnviz.plain.panels import space as plain
from rnnviz.player.kinds.opening import Opening
from rnnviz.player.kinds.recording import RecordingRun
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, Left, Measure, Seek, Train
from rnnviz.scene.frame import Frame
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.panels.space import PANEL
from rnnviz.tui.status_lines import key_bar
from rnnviz.tui.view import View
from rnnviz.views import state_space
from rnnviz.views.prepare import prepare
from tests import recordings_here
from tests.tui.driving import press, rows
from tests.views.test_state_space import UNIT

SMALL = Experiment(task="flipflop", hidden_size=4, samples=30)
SIZES = [(20, 3), (60, 4), (60, 12), (80, 12), (62, 40), (100, 38)]


def ready(frame: Frame) -> Frame:
    return replace(frame, scene=prepare(frame.scene, Measure("space"), Measure("fixed_points")))


def drawn(frame: Frame, size: tuple[int, int], view: View = View(), palette: Palette = Palette()) -> list[str]:  # noqa: B008
    return sheet_for(PANEL, frame, view, *size, palette).plain()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "experiment", [SMALL, UNIT, SMALL.with_(cell="lstm", task="recall", lag=5)], ids=lambda e: e.task
)
def test_it_fits_any_size_with_and_without_fixed_points(experiment: Experiment, size: tuple[int, int]) -> None:
    player = Player(experiment)
    for frame in (player.frame, player.do(Seek(4)), ready(player.frame)):
        for palette in (Palette(), Palette("none", ascii=True)):
            lines = drawn(frame, size, palette=palette)
            assert len(lines) == size[1]
            assert all(len(line) <= size[0] for line in lines)
    if size[1] >= 7:
        assert f"h{subscript(4)}" in lines[-1]
    assert any("◆" in line or "◈" in line for line in drawn(ready(player.frame), size)), (
        "the present state is always seen"
    )


def test_the_head_is_never_cut() -> None:
    frame = ready(Player(SMALL).frame)
    heads = [drawn(frame, (width, 12))[0].strip() for width in (30, 62, 80)]
    assert heads[0].startswith("→ PC 1, ")
    assert heads[1].startswith("across: PC 1, ")
    assert heads[2].startswith("16 sequences · across: PC 1, ")
    assert all(head.endswith((" %", "of the variance")) for head in heads)


@pytest.mark.parametrize(
    ("settings", "axes", "line"),
    [
        ({"num_layers": 2}, "across: h", "h +0.00."),
        ({"cell": "lstm", "spectral_radius": None}, "across: h · up: c", "h +0.00, c +0.00."),
        ({"hidden_size": 2}, "across: PC 1, 0 % · up: PC 2, 0 %", "component 1 +0.00, component 2 +0.00."),
    ],
)
def test_an_axis_is_a_number_that_the_state_has(settings: dict[str, Any], axes: str, line: str) -> None:
    frame = ready(Player(UNIT.with_(**settings)).frame)
    found = state_space.space(frame.scene)
    assert found is not None
    still = np.zeros((frame.scene.T + 1, 2))  # states that are all the same
    found = replace(found, paths=(still,) * len(found.samples), plane=principal_components(still))
    frame = replace(frame, scene=replace(frame.scene, known={**frame.scene.known, Measure("space"): found}))
    head = drawn(frame, (80, 12))[0].strip()
    assert head.removesuffix(" of the variance").endswith(f" sequences · {axes}")
    assert plain.here(frame) == f"The state lies at {line}"


def test_without_braille_no_dot_is_a_mark() -> None:
    lines = drawn(ready(Player(UNIT).do(Seek(4))), (80, 12), palette=Palette("none", ascii=True))
    plot = "".join(line[1:42] for line in lines[1:-1])
    assert plot.count("@") == 2
    assert plot.count("o") + plot.count("&") == 1
    assert all(ord(glyph) < 0x2800 for glyph in plot)


def test_the_path_grows_with_the_cursor_and_stays_behind_it() -> None:
    player = Player(SMALL)
    player.do(Train("epoch", 2))

    def ink(t: int) -> int:
        frame = ready(player.do(Seek(t)))
        sheet = sheet_for(PANEL, frame, View(), 60, 20, Palette())
        accent = Palette().accent
        return sum(style == accent and "⠀" < glyph <= "⣿" for row in sheet.cells for glyph, style in row)

    grown = [ink(t) for t in (0, 6, 20)]
    assert grown[0] <= 1
    assert grown[0] < grown[1] < grown[2]


@pytest.mark.parametrize("cell", CELLS)
def test_each_line_of_the_list_is_a_point_with_its_figures(cell: str) -> None:
    frame = ready(Player(SMALL.with_(cell=cell, gain=2.5)).frame)
    points = state_space.points(frame.scene)
    assert points is not None
    lines = [line[44:] for line in drawn(frame, (80, 40), View())]
    listed = [line for line in lines if line[1:2] in ("●", "○", "◇", "◌")]
    assert len(listed) == min(len(points), 36)
    for line, radius, kind in zip(listed, points.radius, points.kinds, strict=False):
        assert f"{radius:.2f}" in line
        assert ("<1e-20" in line) == (kind != "slow")
        assert line[1] == {"attractor": "●", "saddle": "○", "repeller": "○", "marginal": "◇", "slow": "◌"}[kind]


def test_down_selects_the_next_point_and_stops_at_the_last() -> None:
    frame = ready(Player(UNIT).frame)
    view = View()
    for _ in range(5):
        view = replace(view, **PANEL.actions["unit_down"](frame, view))  # type: ignore[arg-type]
    assert view.row == 2
    lines = drawn(frame, (80, 12), view)
    assert [line[44:46] for line in lines if "▸" in line] == ["▸○"]
    assert PANEL.actions["unit_up"](frame, view) == {"row": 1}
    assert PANEL.actions["unit_down"](Player(SMALL).frame, View()) is None, "no point, no choice"


def test_the_points_before_a_change_stay_behind_those_after_it() -> None:
    player = Player(UNIT)
    player.do(Measure("space"))
    player.do(Measure("fixed_points"))
    frame = ready(player.do(Change((("spectral_radius", 3.0),))))
    lines = drawn(frame, (80, 16))
    assert "✕ before" in lines[-1]
    assert sum(line[:42].count("✕") for line in lines[:-1]) >= 1
    other = ready(player.do(Change((("hidden_size", 2),))))
    assert "before" not in drawn(other, (80, 16))[-1], "states of another size lie in another space"


def test_on_the_way_back_the_path_goes_back_with_it() -> None:
    player = Player(UNIT)
    player.do(Seek(7))
    for _ in range(3):
        player.do(Left())
    frame = ready(player.frame)
    assert f"◆ h{subscript(frame.cursor.t)}" in drawn(frame, (80, 12))[-1]


def test_numbers_that_are_none_are_a_sentence() -> None:
    frame = Player(SMALL.with_(activation="identity", learning_rate=1e200)).do(Train("epoch"))
    assert drawn(ready(frame), (80, 12))[0].strip() == "The states are not finite: there is no plane to draw them in."


async def test_the_search_is_a_job_beside_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[threading.Thread] = []
    search = state_space.fixed_points

    def watched(*given: Any) -> Any:
        seen.append(threading.current_thread())
        return search(*given)

    monkeypatch.setattr(state_space, "fixed_points", watched)
    monkeypatch.setattr("rnnviz.tui.panels.space.UNASKED", 0)
    monkeypatch.setattr("rnnviz.views.prepare.AT_ONCE", 0)
    app = RnnvizApp(SMALL, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "O")
        assert "sequences" in rows(app)[0]
        assert "/ searches for fixed points" in " ".join(line[43:] for line in rows(app))
        assert not seen
        await press(pilot, "slash")
        assert "1 marginal point" in rows(app)[1], "its untrained weights are orthogonal"
        await press(pilot, "right", "right")
        assert "◆ h₂" in rows(app)[-1]
    assert len(seen) == 1
    assert threading.main_thread() not in seen


@pytest.mark.parametrize("task", ["names", "recall", "adding", "characters"])
def test_classes_are_letters_and_tasks_without_have_none(task: str) -> None:
    settings = {"samples": 40} if task != "characters" else {}
    frame = ready(Player(Experiment(task=task, hidden_size=3, **settings)).do(Seek(4)))  # type: ignore[arg-type]
    plot = "".join(line[:42] for line in drawn(frame, (80, 24))[1:-1])
    letters = {glyph for glyph in plot if glyph.isalpha() and ord(glyph) < 0x2800}
    marks = {frame.scene.task.class_mark(i, 4) for i in range(16)} - {""}
    assert bool(letters) == (task in ("names", "recall"))
    assert letters <= marks


def test_in_a_recording_its_own_key_is_no_refused_one(tmp_path: Path) -> None:
    recordings_here.made(tmp_path / "run", records=1)
    frame = Player(RecordingRun(Opening(str(tmp_path / "run")))).frame
    assert "find" in frame.cannot, "it finds no knob there"
    sheet, _ = key_bar(frame, View(panel="space"), 80, Palette("none"))
    assert sheet.plain()[0].startswith(" / fixed points ")
    assert "(/" not in sheet.plain()[0]
    assert "(x cut loop)" not in sheet.plain()[0]
