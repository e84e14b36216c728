"""The mouse: a click or a turn of the wheel, by the widget under it. Keys can do everything the mouse can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.geometry import Offset
from textual.widget import Widget

from rnnviz.scene.commands import Seek, SelectUnit
from rnnviz.tui import corner, dispatch, panels, score
from rnnviz.tui.dispatch import Press
from rnnviz.tui.geometry import columns_of

if TYPE_CHECKING:
    from rnnviz.tui.screen import ScoreScreen


def click(screen: ScoreScreen, event: events.Click) -> None:
    widget, at = event.widget, event.get_content_offset(event.widget) if event.widget is not None else None
    if widget is None or at is None or screen.frame is None:
        return
    match widget.id:
        case "keys":
            for start, end, name in screen.places:
                if start <= at.x < end:
                    dispatch.dispatch(screen, Press.of(name))
        case "score":
            _score(screen, widget, at)
        case "lesson" | "lesson-beside":
            if screen.guide is not None:
                screen.guide.clicked(at.x, at.y, widget.size.width)
        case "tabs" | "tabs-beside":
            if at.x >= widget.size.width // 2:  # `tab: ledger`, at the right end
                dispatch.dispatch(screen, Press.of("panel"))
        case "panel" | "open":
            panel = panels.BY_ID.get(screen.view.panel or "")
            if panel is not None and panel.click is not None and panels.why_not(panel, screen.frame) is None:
                screen.apply(panel.click(screen.frame, screen.view, at.x, at.y, widget.size.width, widget.size.height))
        case "corner" | "corner-beside":
            places = screen.corner_places(widget.size.height, widget.id == "corner")
            screen.open_panel(corner.panel_at(places, at.y) or screen.view.panel)
        case str(name) if name.startswith("beside-"):  # a curve beside the score
            screen.open_panel(name.removeprefix("beside-"))


def _score(screen: ScoreScreen, widget: Widget, at: Offset) -> None:
    """Handle a click in the score: a column goes to its time step, a row of units selects a unit."""
    assert screen.frame is not None
    cols = columns_of(screen.frame, widget.size.width)
    t = cols.step_at(at.x)
    if t in cols and at.x >= cols.left:
        screen.pause()
        screen.send(Seek(t))
        return
    units = score.units_at(screen.frame, at.y, widget.size.height, screen.palette, screen.view)
    if units:
        here = screen.frame.cursor.unit
        again = here in units  # a click on the selected unit's row selects the other unit in it
        unit = units[(units.index(here) + 1) % len(units)] if again else units[0]
        if unit != here:
            screen.send(SelectUnit(unit - here))


def wheel(screen: ScoreScreen, event: events.MouseEvent, by: int) -> None:
    """Scroll down (1) or up (-1) an open panel's rows, a lesson's text, or the units."""
    widget = event.widget
    if widget is None or screen.frame is None:
        return
    name = "unit_down" if by > 0 else "unit_up"
    if widget.id in ("lesson", "lesson-beside"):
        if screen.guide is not None and screen.guide.can_scroll(by):
            screen.guide.scroll(by, 1)
    elif widget.id in ("panel", "open"):
        panel = panels.BY_ID.get(screen.view.panel or "")
        is_dead = panel is not None and panel.id in screen.frame.cannot
        if panel is not None and name in panel.actions and screen.view.typing is None and not is_dead:
            screen.apply(panel.actions[name](screen.frame, screen.view))
    elif widget.id == "score":
        at = event.get_content_offset(widget)
        if at and score.units_at(screen.frame, at.y, widget.size.height, screen.palette, screen.view):
            screen.send(SelectUnit(by))
