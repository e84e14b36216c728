"""The panel of eigenvalues: a round circle, points where they belong, and the figures that were computed."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.player.kinds.opening import NetworkOpening, Opening
from rnnviz.player.player import Player, open_player
from rnnviz.scene.commands import Change, Seek
from rnnviz.sheet import Sheet
from rnnviz.tui import plane
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.panels.eigenvalues import PANEL
from rnnviz.tui.view import View
from rnnviz.views import prepare as preparing
from rnnviz.views import spectrum as views
from rnnviz.words import spectrum as words
from tests import recordings_here
from tests.networks_here import layer_of
from tests.tui.driving import press, rows, text

SMALL = Experiment(hidden_size=6, seq_len=8, loss_at="last")


def drawn(points: list[complex], before: list[complex], height: int = 9, palette: Palette | None = None) -> list[str]:
    sheet = Sheet(plane.width_of(height), height)
    palette = palette or Palette()
    plane.draw(sheet, height, points, before, palette, palette.text)
    return sheet.plain()


@pytest.mark.parametrize("height", [5, 9, 16, 21])
def test_the_circle_is_round(height: int) -> None:
    """As many dots high as wide, and each dot at the same distance from the middle."""
    dots = []
    for y, row in enumerate(drawn([], [], height)):
        for x, char in enumerate(row):
            bits = ord(char) - 0x2800 if 0x2800 <= ord(char) < 0x2900 else 0
            for r in range(4):
                for c in range(2):
                    if bits & (0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80)[4 * c + r]:
                        dots.append((4 * y + r - (2 * height - 0.5), 2 * x + c - (2 * height - 0.5)))
    distances = [math.hypot(*dot) for dot in dots]
    assert max(distances) - min(distances) < 1.5
    assert np.ptp([y for y, _ in dots]) == np.ptp([x for _, x in dots])


def test_points_are_where_they_belong_and_their_marks_differ_without_colour() -> None:
    picture = drawn([1, 1j, -0.5, -0.5 + 0.001j], [-1, -0.5j, 1j], palette=Palette(colors="none"))
    middle = picture[4]
    assert middle[17] == "●" or middle[16] == "●"
    assert middle[:2].strip("⡇⢸ ") == "○"
    assert "2" in middle[:9]
    assert picture[0][8:10].count("◉") == 1
    assert picture[6][8:10].count("○") == 1
    lines = drawn([1, 1j], [1j, -1], palette=Palette(colors="none", ascii=True))
    assert all(line.isascii() for line in lines)
    assert set("".join(lines)) == set(" .*@o+")


def test_a_point_far_out_shrinks_the_circle_and_one_that_is_none_is_left_out() -> None:
    far = drawn([10, complex(math.nan, 0), complex(math.inf, 0)], [])
    assert "".join(far).count("●") == 1
    assert far[0].strip() == ""


def frame_with_all(player: Player) -> Any:
    while (measure := views.needs(player.frame)) is not None:
        player.do(measure)
    return player.frame


@pytest.mark.parametrize("size", [(58, 9), (60, 6), (80, 9), (80, 4), (76, 30), (30, 9)])
@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_each_matrix_has_its_figures(cell: str, size: tuple[int, int]) -> None:
    player = Player(SMALL.with_(cell=cell, init="pytorch", gain=2.0))
    player.do(Seek(5))
    player.do(Change((("gain", 3.0),)))
    frame = frame_with_all(player)
    for page, matrix in enumerate(views.matrices(frame)):
        lines = sheet_for(PANEL, frame, View(page=page), *size, Palette()).plain()
        found = views.known(frame.scene, matrix)
        assert found is not None
        assert found.spectrum is not None
        if size[0] >= 58:
            assert f"▸{words.name(frame, matrix)}" in lines[0]
            assert words.lengths(found.spectrum) in "\n".join(lines if size[1] >= 30 else lines[1:2])
            assert "Lyapunov" in "".join(lines)
        if size[0] >= 80:
            assert "○ before" in lines[0]
        assert all(len(line) == size[0] for line in lines)


async def test_keys_open_it_and_go_through_the_matrices() -> None:
    app = RnnvizApp(SMALL, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "V")
        assert "▸W_hh" in rows(app)[0]
        await press(pilot, "5", "enter", "down")
        assert "▸∂h₅/∂h₄" in rows(app)[0]
        sigma = app.main.frame.scene.trace.gain[4]  # type: ignore[union-attr]
        assert f"σ_max {sigma:.2f}" in rows(app)[1]
        await press(pilot, "right", "down")
        assert "▸∂h₆/∂h₀" in rows(app)[0]
        await press(pilot, "down", "up", "end", "right", "left", "left", "left")
        assert "▸∂h₈/∂h₆" in rows(app)[0]
        await press(pilot, "down")
        before = rows(app)[1]
        app.main.send(Change((("gain", 0.5),)))
        await app.settled()
        await pilot.pause()
        assert rows(app)[1] != before
        assert "○" in text(app, "panel")


async def test_a_slow_one_is_computed_beside_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[threading.Thread] = []
    make, rates = views.make, views.make_lyapunov

    def watched(work: Any) -> Any:
        def run(*given: Any) -> Any:
            seen.append(threading.current_thread())
            return work(*given)

        return run

    monkeypatch.setattr(preparing, "AT_ONCE", 0)
    monkeypatch.setattr(views, "make", watched(make))
    monkeypatch.setattr(views, "make_lyapunov", watched(rates))
    app = RnnvizApp(SMALL, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "V", "4", "enter", "down")
        assert "spectral radius" in text(app, "panel")
    assert len(seen) >= 4
    assert threading.main_thread() not in seen


def test_networks_and_recordings_have_them(tmp_path: Path) -> None:
    arrays = {f"rnn.{name}": np.asarray(array) for name, array in layer_of("rnn").weights.items()}
    np.savez(tmp_path / "model.npz", **arrays)
    network = open_player(NetworkOpening(str(tmp_path / "model.npz")))
    recordings_here.made(tmp_path / "run")
    for player in (network, open_player(Opening(str(tmp_path / "run")))):
        player.do(Seek(3))
        frame = frame_with_all(player)
        lines = "\n".join(sheet_for(PANEL, frame, View(page=1), 80, 9, Palette()).plain())
        assert "spectral radius" in lines
        assert "Lyapunov" in lines
