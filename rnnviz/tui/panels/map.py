"""The map around the present experiment: which networks like it learn, with smaller gains and shorter lags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.glyphs import lines_at_most
from rnnviz.scene.commands import Command
from rnnviz.sheet import Sheet
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View
from rnnviz.words.no_panel import no_map

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    from rnnviz.maps import of_scene
    from rnnviz.tui.maps import painter
    from rnnviz.words.map import around

    sheet = Sheet(width, height)
    found = of_scene.of_frame(frame)
    if found is None or frame.experiment is None:
        sheet.put(0, 1, "Training a network at each point of the map …", palette.dim)
        return sheet
    about = lines_at_most(around(frame.experiment), width - 2, 1 if height < 11 else 2)
    for y, line in enumerate(about):
        sheet.put(y, 1, line, palette.dim)
    sheet.paste(len(about), 0, painter.draw(found.chart, "share", width, height - len(about), palette), 0, width)
    return sheet


def _needs(frame: Frame) -> Command | None:
    from rnnviz.maps import of_scene

    wanted = of_scene.wanted(frame)
    return None if no_map(frame) is not None or wanted in frame.scene.known else wanted


PANEL = Panel(
    "map", "map", "which networks like this one learn, by gain and lag", _draw, why_not=no_map, needs=_needs,
    depends_on=lambda frame, view: frame.scene, shows=frozenset(("map",)), opens_beside=lambda frame: False,
    rows=lambda frame: 13,
)  # fmt: skip
