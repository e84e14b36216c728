"""How the screen is divided among its canvases; app.tcss says which of them are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.tui import beside, corner, geometry, panels, presenter, score, status_lines

if TYPE_CHECKING:
    from textual.geometry import Size
    from textual.screen import Screen

    from rnnviz.tui.guide import Guide
    from rnnviz.tui.stage import Stage

LEAST_PANEL = 4  # minimum rows of an open panel
NARROW_MOMENT = 2  # rows of the moment in words beside an open panel, on a narrow screen
TALL = 32  # rows from which the moment is put into words beside a lesson


def share_out(screen: Screen[None], stage: Stage, guide: Guide | None, *, is_lesson: bool) -> None:
    """Give every canvas its rows and columns. guide: of a lesson that is on; is_lesson: it is, or will be."""
    screen.set_class(is_lesson, "lesson")
    room, margins = presenter.room(screen.outer_size, stage.view.presenting)
    screen.set_class(stage.view.presenting, "presenting")
    screen.set_class(room.width >= (beside.WIDE_FOR_TEXT if is_lesson else beside.WIDE), "wide")
    screen.set_class(room.width < status_lines.NARROW, "narrow")
    screen.set_class(room.height >= TALL, "tall")
    screen.styles.padding = margins
    screen.query_one("#beside").styles.width = beside.column_width(room.width, stage.frame)
    panel = panels.BY_ID.get(stage.view.panel or "")
    wanted = panel.height if panel is not None else None
    if guide is not None:
        wanted = _with_lesson(screen, stage, guide, room, wanted)
    elif wanted:  # the score keeps a row of each
        around = 3 + (NARROW_MOMENT if screen.has_class("narrow") else 1)  # title, tabs, keys, and the moment in words
        wanted = min(wanted, max(LEAST_PANEL, room.height - around - geometry.LEAST))
    screen.query_one("#panel").styles.height = wanted


def _with_lesson(screen: Screen[None], stage: Stage, guide: Guide, room: Size, wanted: int | None) -> int | None:
    """Give a lesson's text its rows, and the corner those that nothing else needs. Returns the rows of an open panel
    below the score."""
    frame = stage.frame
    lesson, beside_it, most = guide.rows(*room, wanted is not None, beside.text_width(room.width, frame))
    screen.query_one("#lesson").styles.height = lesson
    screen.query_one("#lesson-beside").styles.height = beside_it
    panel = panels.BY_ID.get(stage.view.panel or "")
    rows = None if panel is None or panel.rows is None or frame is None else panel.rows(frame)
    screen.query_one("#open").styles.height = "1fr" if rows is None else rows
    screen.set_class(panel is None or rows is not None, "cornered-beside")
    if not screen.has_class("wide"):
        below = corner.rows_below(room.height - 2 - stage.moment_rows - lesson) if panel is None else 0
    else:
        height, view = room.height - 2, guide.limited(stage.view)
        free = 0 if frame is None else height - score.rows_used(frame, height, stage.palette, view) - 1
        below = free if free > corner.LEAST else 0
    screen.query_one("#corner").styles.height = below
    screen.set_class(below > 0, "cornered")
    return min(wanted, most) if wanted else None
