"""In words: the sequence, the network's answer and its probabilities, for tasks whose symbols are words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.glyphs import cells, cut, lines_at_most, ljust, visible
from rnnviz.numbers import fixed, percent
from rnnviz.sheet import Sheet
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View
from rnnviz.words.no_panel import no_words

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

LEFT = 1
PARTS = " ▏▎▍▌▋▊▉█"


def draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, height)
    scene, room = frame.scene, width - 2 * LEFT
    y = _paragraph(sheet, 0, scene.describe(answered=frame.read == frame.T), room, 2, palette)
    if scene.outcome is not None and scene.outcome.continuation is not None:
        text = visible(scene.outcome.continuation)
        y = _paragraph(sheet, y, f"Continued by the network: “{text}”", room, max(1, min(3, height - y - 4)), palette)
    for note in scene.task.notes:
        y = _paragraph(sheet, y, note, room, 1, palette)
    picture = scene.task.picture(scene.sample)
    if picture is not None:
        _picture(sheet, y, width, picture.tolist(), palette)
    t = frame.cursor.t
    if not 1 <= t <= frame.read:
        sheet.put(y, LEFT, "Predictions appear after the first step.", palette.faint)
    elif scene.probabilities is None:
        _number(sheet, y, t, frame, palette)
    else:
        _expected(sheet, y, t, frame, palette)
    return sheet


def _paragraph(sheet: Sheet, y: int, text: str, room: int, most: int, palette: Palette) -> int:
    lines = lines_at_most(text, room, most) or [""]
    for i, line in enumerate(lines):
        sheet.put(y + i, LEFT, line, palette.text)
    return y + len(lines)


def _expected(sheet: Sheet, y: int, t: int, frame: Frame, palette: Palette) -> None:
    """The classes, the likeliest first, with a bar for each; the right one is marked, and never left out."""
    scene = frame.scene
    judged = t in scene.loss_steps
    right = scene.answer(t)
    what = "has a loss" if judged else "has no loss"
    sheet.put(y, LEFT, f"Prediction after step {t}, which {what}:", palette.dim)
    guesses = list(scene.guesses(t))
    room = max(1, sheet.height - y - 1)
    if len(guesses) > room:
        at = next(i for i, (label, _) in enumerate(guesses) if label == right)
        guesses = guesses[:room] if at < room else [*guesses[: room - 1], guesses[at]]
    name = min(max(cells(_symbol(label)) for label in scene.task.labels), max(4, sheet.width - 42))
    most = max(10, min(40, sheet.width - name - 32))
    for row, (label, share) in enumerate(guesses, start=y + 1):
        style = palette.output if judged and label == right else palette.text
        x = sheet.put(row, LEFT + 1, ljust(cut(_symbol(label), name), name), style) + 1
        sheet.put(row, x, _bar(share, most), style)
        x = sheet.put(row, x + most + 1, percent(share).rjust(7), style)
        if judged and label == right:
            sheet.put(row, x + 1, "◂ right", palette.target)


def _bar(share: float, cells: int) -> str:
    if not math.isfinite(share):
        return "?"
    eighths = round(share * cells * 8)
    return "█" * (eighths // 8) + PARTS[eighths % 8].strip()


def _number(sheet: Sheet, y: int, t: int, frame: Frame, palette: Palette) -> None:
    scene = frame.scene
    value, target = float(scene.trace.y[t - 1, 0, 0]), float(scene.target_values[t - 1, 0])
    sheet.put(y, LEFT, f"Prediction after step {t}: {fixed(value)}.", palette.output)
    if t in scene.loss_steps:
        sheet.put(y + 1, LEFT, f"The target is {fixed(target)}: the error is {fixed(value - target)}.", palette.target)
    else:
        judged = [k for k in scene.loss_steps if k > t]
        later = f"; the next loss is at step {judged[0]}" if judged else ""
        sheet.put(y + 1, LEFT, f"This step has no loss{later}.", palette.dim)
    if scene.task.baseline is not None:
        sheet.put(y + 2, LEFT, f"Always predicting the mean costs {scene.task.baseline:.4f}.", palette.dim)


def _picture(sheet: Sheet, y: int, width: int, pixels: list[list[float]], palette: Palette) -> None:
    """The pixels, in the right upper corner: three cells each, with their values."""
    left = width - 16
    for row, values in enumerate(pixels):
        for column, value in enumerate(values):
            style = palette.heat_text(value) if palette.has_color else palette.text
            sheet.put(y + 1 + row, left + 5 * column, fixed(value, 1).center(5), style)


def _symbol(label: str) -> str:
    """A class by its name, with a visible space."""
    return "␣" if label == " " else visible(label)


def _rows(frame: Frame) -> int:
    """The sequence, the answer in words, and a row for each class."""
    return 5 + max(3, len(frame.scene.task.labels))


WORDS = Panel("words", "in words", "sequence and answer, with probabilities", draw,
              why_not=no_words, rows=_rows, shows=frozenset(("output", "judged", "baseline")))  # fmt: skip
