"""The mouse: what a click or a turn of the wheel means, by what it is over. Always something that a key does, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.geometry import Offset
from textual.widget import Widget

from rnnviz.scene.commands import Seek, SelectUnit
from rnnviz.tui import panels, score
from rnnviz.tui.geometry import columns_of

if TYPE_CHECKING:
    from rnnviz.tui.app import Main


def click(main: Main, event: events.Click) -> None:
    widget, at = event.widget, event.get_content_offset(event.widget) if event.widget is not None else None
    if widget is None or at is None or main.frame is None:
        return
    match widget.id:
        case "keys":
            for start, end, name in main.places:
                if start <= at.x < end:
                    main.action_panel(name) if name in panels.BY_ID else main.action_act(name)
        case "score":
            _score(main, widget, at)
        case "lesson" | "lesson-beside":
            if main.guide is not None:
                main.guide.clicked(at.x, at.y, widget.size.width)
        case "tabs" | "tabs-beside":
            if at.x >= widget.size.width // 2:  # `tab: ledger`, at the right end
                main.do_panel(1)
        case "panel" | "open":
            panel = panels.BY_ID.get(main.view.panel or "")
            if panel is not None and panel.clicked is not None and panel.why_not(main.frame) is None:
                main.take(panel.clicked(main.frame, main.view, at.x, at.y, widget.size.width, widget.size.height))


def _score(main: Main, widget: Widget, at: Offset) -> None:
    """A column is its time step, the name and the numbers of a row of units that unit."""
    assert main.frame is not None
    cols = columns_of(main.frame, widget.size.width)
    t = cols.first + (at.x - cols.left) // cols.width
    if t in cols and at.x >= cols.left:
        main.pause()
        main.send(Seek(t))
        return
    units = score.units_at(main.frame, at.y, widget.size.height, main.palette, main.view)
    if units:
        here = main.frame.cursor.unit
        again = here in units  # a click on the chosen unit's row leads to the other one in it
        unit = units[(units.index(here) + 1) % len(units)] if again else units[0]
        if unit != here:
            main.send(SelectUnit(unit - here))


def wheel(main: Main, event: events.MouseEvent, by: int) -> None:
    """Down (1) or up (-1) through an open panel's rows, a lesson's text, the units."""
    widget = event.widget
    if widget is None or main.frame is None:
        return
    name = "unit_down" if by > 0 else "unit_up"
    if widget.id in ("lesson", "lesson-beside"):
        if main.guide is not None and main.guide.can_scroll(by):
            main.guide.scroll(by, 1)
    elif widget.id in ("panel", "open"):
        panel = panels.BY_ID.get(main.view.panel or "")
        if panel is not None and name in panel.takes and main.view.typing is None:
            main.take(panel.takes[name](main.frame, main.view))
    elif widget.id == "score":
        at = event.get_content_offset(widget)
        if at and score.units_at(main.frame, at.y, widget.size.height, main.palette, main.view):
            main.send(SelectUnit(by))
