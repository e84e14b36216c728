"""The knobs: every setting of the experiment, its value and its range; ↑↓ choose one, ←→ turn it, enter types.

The run before the first turn stays behind the present one as a ghost, until it is dismissed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnviz.glyphs import cells, cut, cut_before, lines_at_most, rjust
from rnnviz.player.ghost import words
from rnnviz.player.knobs import BY_NAME, FIELDS, KNOBS, asked, range_of, turned, typed, value_of, why_not
from rnnviz.tui.canvas import Sheet
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.player.commands import Command
    from rnnviz.player.frame import Frame

GROUP, LABEL, VALUE = 10, 17, 13  # cells


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, height)
    lines = 1 if height < 14 else 3
    n = min(height - lines, len(KNOBS))
    chosen = _row(view)
    first = min(max(0, chosen - n // 2), len(KNOBS) - n)
    group = GROUP if width >= 56 else 1
    for y, row in enumerate(range(first, first + n)):
        knob = KNOBS[row]
        if group > 1 and (y == 0 or KNOBS[row - 1].group != knob.group):
            sheet.put(y, 1, knob.group, palette.dim)
        _one(sheet, y, group, frame, view, knob.name, row == chosen, palette)
    if first > 0:
        sheet.put(0, width - 1, "↑", palette.dim)
    if first + n < len(KNOBS):
        sheet.put(n - 1, width - 1, "↓", palette.dim)
    about = _about(frame, view, KNOBS[chosen].name, whole=lines > 1)
    _wrapped(sheet, n + (lines > 1 and n + lines < height), about, palette)
    return sheet


def _about(frame: Frame, view: View, name: str, *, whole: bool) -> str:
    """What the chosen knob means; where there is room also all it can be, or why it does nothing."""
    about = f"{FIELDS[name].metadata['help']}."
    if BY_NAME[name].open == "auto":
        about += " auto: left to the task." if BY_NAME[name].group == "task" else " auto: left to the initialiser."
    if BY_NAME[name].redraws:
        about += " New random weights are drawn."
    if whole:
        more = _why_not(frame, view, name) or range_of(frame, name)
        about += f" {more[0].upper()}{more[1:]}." if more else ""
    return about[0].upper() + about[1:]


def _one(
    sheet: Sheet, y: int, x: int, frame: Frame, view: View, name: str, chosen: bool, palette: Palette
) -> None:
    reason = _why_not(frame, view, name)
    value = value_of(frame, name) if why_not(frame, name) is None else "–"
    style = palette.faint if reason else palette.text
    if chosen:
        sheet.put(y, x, "▸", palette.accent)
        style = palette.dim if reason else palette.accent
    sheet.put(y, x + 2, BY_NAME[name].label, style)
    at = x + 2 + LABEL
    if chosen and view.typing is not None:
        sheet.put(y, at, rjust(cut_before(f"{view.typing}▏", VALUE), VALUE), palette.accent)
    else:
        value = cut(value, VALUE)
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
    return "this exercise keeps it" if name in view.locked else why_not(frame, name)


def _was(frame: Frame, name: str) -> str:
    """What it was in the run that stands behind as a ghost, if it was something else."""
    if frame.ghost is None:
        return ""
    before = getattr(frame.ghost.asked, name)
    if before == getattr(asked(frame), name):
        return ""
    return f"was {BY_NAME[name].open if before is None else words(before)}  "


def _wrapped(sheet: Sheet, y: int, text: str, palette: Palette) -> None:
    for line in lines_at_most(text, sheet.width - 2, sheet.height - y):
        sheet.put(y, 1, line, palette.dim)
        y += 1


def _row(view: View) -> int:
    return min(max(view.row, 0), len(KNOBS) - 1)


def _choose(by: int) -> Any:
    def take(frame: Frame, view: View) -> dict[str, Any]:
        return {"row": min(max(_row(view) + by, 0), len(KNOBS) - 1), "message": ""}

    return take


def _turn(by: int) -> Any:
    def take(frame: Frame, view: View) -> Command | dict[str, Any]:
        name = KNOBS[_row(view)].name
        if name in view.locked:
            return {"message": f"{BY_NAME[name].label}: {_why_not(frame, view, name)}."}
        asked_for = turned(frame, name, by)
        return {"message": asked_for} if isinstance(asked_for, str) else asked_for

    return take


def _type(frame: Frame, view: View) -> dict[str, Any]:
    name = KNOBS[_row(view)].name
    reason = _why_not(frame, view, name)
    if reason is not None:
        return {"message": f"{BY_NAME[name].label}: {reason}."}
    return {"typing": "", "message": ""}


def _typed(frame: Frame, view: View, text: str) -> Command | dict[str, Any]:
    asked_for = typed(frame, KNOBS[_row(view)].name, text)
    return {"message": asked_for} if isinstance(asked_for, str) else asked_for


KNOBS_PANEL = Panel(
    "knobs", "knobs", "change the cause, watch the effect", _draw, key="o",
    takes={"unit_up": _choose(-1), "unit_down": _choose(1), "left": _turn(-1), "right": _turn(1), "next": _type},
    words={"unit_down": "choose", "left": "less", "right": "more", "next": "type", "undo": "undo",
           "ghost": "ghost away"},
    typed=_typed, height=10,
)  # fmt: skip
