"""The knobs: every setting that does something here, its value and its range; ↑↓ choose one, ←→ turn it, enter types,
/ finds one by its name.

The run before the first turn stays behind the present one as a ghost, until it is dismissed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnviz.experiment.experiment import BY_GROUP, SETTINGS
from rnnviz.experiment.experiment_file import PATHS
from rnnviz.glyphs import cells, cut, cut_before, lines_at_most, rjust
from rnnviz.sheet import Sheet
from rnnviz.tui.notice import Kind, Notice
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View
from rnnviz.views.knobs import (
    beside_group,
    called,
    group_of,
    listed,
    range_of,
    requested,
    turned,
    typed,
    value_of,
    why_not,
)

if TYPE_CHECKING:
    from rnnviz.experiment.setting import Setting
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame

GROUP, LABEL, VALUE = 10, 17, 13  # cells
GROUPED = 56  # cells from which the groups have a column of their own
PAGE = 7  # rows: as many as are in view under the score


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, height)
    lines = _words(height)
    knobs, n = _in_view(frame, view, height)
    chosen = _chosen(frame, view)
    first = first_in_view(knobs.index(chosen), len(knobs), n)
    group = GROUP if width >= GROUPED else 1
    for y, knob in enumerate(knobs[first : first + n]):
        if group > 1 and (y == 0 or group_of(knobs[first + y - 1], view.locked) != group_of(knob, view.locked)):
            sheet.put(y, 1, group_of(knob, view.locked), palette.dim)
        _one(sheet, y, group, frame, view, knob.name, knob is chosen, palette)
    if first > 0:
        sheet.put(0, width - 1, "↑", palette.dim)
    if first + n < len(knobs):
        sheet.put(n - 1, width - 1, "↓", palette.dim)
    below = n + (lines > 1 and n + lines < height)
    if view.typing is not None and view.finding:
        _sought(sheet, below, frame, view, palette)
    else:
        _wrapped(sheet, below, _about(frame, view, chosen.name, whole=lines > 1), palette)
    return sheet


def first_in_view(chosen: int, rows: int, room: int) -> int:
    return min(max(0, chosen - room // 2), rows - room)


def _sought(sheet: Sheet, y: int, frame: Frame, view: View, palette: Palette) -> None:
    """What is looked for, and what it means; of a knob that does nothing here, why."""
    x = sheet.put(y, 1, f"/{view.typing}▏", palette.accent) + 2
    text = "type a part of a knob's name; enter selects it"
    if view.typing:
        means = called(view.typing)
        alive = any(knob in listed(frame, view.locked) for knob in means)
        text = "no knob has this name"
        if means:
            text = means[0].label + ("" if alive else f": {why_not(frame, means[0].name)}")
    sheet.put(y, x, cut(text, sheet.width - x - 1), palette.dim)


def _about(frame: Frame, view: View, name: str, *, whole: bool) -> str:
    """What the chosen knob means; where there is room also all it can be, or why it does nothing."""
    about = f"{SETTINGS[name].help}."
    if SETTINGS[name].open == "auto":
        about += " auto: the task decides." if SETTINGS[name].group == "task" else " auto: the initialiser decides."
    if SETTINGS[name].redraws:
        about += " A change draws new random weights."
    if whole:
        more = _why_not(frame, view, name) or range_of(frame, name)
        about += f" {more[0].upper()}{more[1:]}." if more else ""
    return about[0].upper() + about[1:]


def _one(sheet: Sheet, y: int, x: int, frame: Frame, view: View, name: str, chosen: bool, palette: Palette) -> None:
    reason = _why_not(frame, view, name)
    value = value_of(frame, name) if why_not(frame, name) is None else "–"
    style = palette.faint if reason else palette.text
    if chosen:
        sheet.put(y, x, "▸", palette.accent)
        style = palette.dim if reason else palette.accent
    sheet.put(y, x + 2, SETTINGS[name].label, style)
    at = x + 2 + LABEL
    if chosen and view.typing is not None and not view.finding:
        sheet.put(y, at, rjust(cut_before(f"{view.typing}▏", VALUE), VALUE), palette.accent)
    else:
        value = cut_before(value, VALUE) if name in PATHS else cut(value, VALUE)  # of a path its end
        left = at + VALUE - cells(value)
        sheet.put(y, left, value, style)
        if chosen and reason is None:
            sheet.put(y, left - 2, "◂", palette.accent)
            sheet.put(y, at + VALUE + 1, "▸", palette.accent)
    at += VALUE + 3
    if reason is None:
        at = sheet.put(y, at, _was(frame, name), palette.dim)
    sheet.put(y, at, cut(reason or range_of(frame, name), sheet.width - at - 1), palette.faint)


def _why_not(frame: Frame, view: View, name: str) -> str | None:
    """Why a knob cannot be turned now: a lesson's exercise may keep it, or it has nothing to act on."""
    return "locked by this exercise" if name in view.locked else why_not(frame, name)


def _was(frame: Frame, name: str) -> str:
    """What it was in the run that stands behind as a ghost, if it was something else."""
    if frame.ghost is None:
        return ""
    before = getattr(frame.ghost.requested, name)
    if before == getattr(requested(frame), name):
        return ""
    return f"was {SETTINGS[name].show(before)}  "


def _wrapped(sheet: Sheet, y: int, text: str, palette: Palette) -> None:
    for line in lines_at_most(text, sheet.width - 2, sheet.height - y):
        sheet.put(y, 1, line, palette.dim)
        y += 1


def _chosen(frame: Frame, view: View) -> Setting:
    """By its place in BY_GROUP; the next one where that does nothing here."""
    knobs = listed(frame, view.locked)
    if view.row < 0:
        return knobs[0]
    return next((knob for knob in BY_GROUP[view.row :] if knob in knobs), knobs[-1])


def _at(frame: Frame, view: View, row: int) -> dict[str, Any]:
    """A row of the list becomes the chosen one."""
    knobs = listed(frame, view.locked)
    return {"row": BY_GROUP.index(knobs[min(max(row, 0), len(knobs) - 1)]), "notice": None}


def _choose(by: int) -> Any:
    return lambda frame, view: _at(frame, view, listed(frame, view.locked).index(_chosen(frame, view)) + by)


def _choose_group(by: int) -> Any:
    """The first knob of the next group, or of the one before."""

    def take(frame: Frame, view: View) -> dict[str, Any]:
        knobs = listed(frame, view.locked)
        return _at(frame, view, beside_group(knobs, knobs.index(_chosen(frame, view)), by, view.locked))

    return take


def _find(frame: Frame, view: View) -> dict[str, Any]:
    return {"typing": "", "finding": True, "notice": None}


def _find_knob(frame: Frame, view: View, text: str) -> dict[str, Any]:
    knobs = listed(frame, view.locked)
    row = next((knobs.index(knob) for knob in called(text) if knob in knobs), None)
    return {} if row is None else _at(frame, view, row)


def _click(frame: Frame, view: View, x: int, y: int, width: int, height: int) -> Command | dict[str, Any]:
    """A row is chosen; of the chosen one the signs ◂ and ▸ turn it."""
    knobs, n = _in_view(frame, view, height)
    here = knobs.index(_chosen(frame, view))
    row = first_in_view(here, len(knobs), n) + y
    if y >= n or view.typing is not None:
        return {}
    value = (GROUP if width >= GROUPED else 1) + 2 + LABEL
    if row == here and value - 2 <= x <= value + VALUE + 1:
        left = value + VALUE - cells(cut(value_of(frame, knobs[here].name), VALUE))
        return _turn(-1 if x < left else 1)(frame, view) if x < left or x >= value + VALUE else {}
    return _at(frame, view, row)


def _in_view(frame: Frame, view: View, height: int) -> tuple[tuple[Setting, ...], int]:
    """The list, and how many of it there is room for."""
    knobs = listed(frame, view.locked)
    return knobs, min(height - _words(height), len(knobs))


def _words(height: int) -> int:
    """Rows for what the chosen one is about."""
    return 1 if height < 14 else 3


def _refusal(text: str) -> Notice:
    return Notice(text, Kind.WARNING)


def _turn(by: int) -> Any:
    def take(frame: Frame, view: View) -> Command | dict[str, Any]:
        name = _chosen(frame, view).name
        if name in view.locked:
            return {"notice": _refusal(f"{SETTINGS[name].label}: {_why_not(frame, view, name)}.")}
        asked_for = turned(frame, name, by)
        return {"notice": _refusal(asked_for)} if isinstance(asked_for, str) else asked_for

    return take


def _type(frame: Frame, view: View) -> dict[str, Any]:
    name = _chosen(frame, view).name
    reason = _why_not(frame, view, name)
    if reason is not None:
        return {"notice": _refusal(f"{SETTINGS[name].label}: {reason}.")}
    return {"typing": "", "notice": None}


def _submit(frame: Frame, view: View, text: str) -> Command | dict[str, Any]:
    asked_for = typed(frame, _chosen(frame, view).name, text)
    return {"notice": _refusal(asked_for)} if isinstance(asked_for, str) else asked_for


KNOBS_PANEL = Panel(
    "knobs", "knobs", "change the cause, watch the effect", _draw, key="o",
    actions={"unit_up": _choose(-1), "unit_down": _choose(1), "left": _turn(-1), "right": _turn(1), "next": _type,
           "start": _choose(-99), "end": _choose(99), "page_up": _choose(-PAGE), "page_down": _choose(PAGE),
           "group_up": _choose_group(-1), "group_down": _choose_group(1), "find": _find},
    key_labels={"unit_down": "choose", "left": "less", "right": "more", "next": "type", "find": "find", "undo": "undo",
           "ghost": "hide ghost"},
    submit=_submit, find=_find_knob, click=_click, keeps_row=True, height=10,
)  # fmt: skip
