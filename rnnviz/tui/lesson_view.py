"""A lesson on the screen: its text and its keys. Pure: a run and a size in, a Sheet
out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.glyphs import cells, cut, lines_at_most
from rnnviz.lessons.introductions import tools
from rnnviz.lessons.pages import page
from rnnviz.sheet import Sheet
from rnnviz.tui.palette import Palette
from rnnviz.tui.voice import KEYS, MEASURE, PRINTED, VOICE
from rnnviz.words.voice import Voice

if TYPE_CHECKING:
    from rnnviz.lessons.prose import Line
    from rnnviz.lessons.run import LessonRun
    from rnnviz.scene.frame import Frame
    from rnnviz.tui.notice import Notice

DIGITS = "0123456789"
LOW = 24  # rows below which a panel beside a lesson takes more rows from the score
LEAST_SCORE = 8  # minimum rows of the score beside lesson and panel
GATE_ROWS = 3  # more rows, to make room for a gate
LEAST_PANEL = 5  # minimum rows of an open panel
ROOMY = 100  # cells from which a line has at most COMFORTABLE ones
COMFORTABLE = 75
LEAST_TEXT = 4  # rows of a lesson, its rule included
#: The keys of the tools that an exercise needs.
_TOOL_KEYS = {"knobs": ("knobs", "knobs"), "train": ("all", "train"), "cut": ("cut", "loop")}


def draw(run: LessonRun, frame: Frame | None, width: int, height: int, palette: Palette, *, typed: str = "",
         note: Notice | None = None, top: int = 0) -> Sheet:  # fmt: skip
    """A rule with the step's heading, or a note in its place, and the step's text below it, from line `top` on. The
    rule says how many lines there are above and below. A note longer than the rule takes the rows it needs."""
    sheet = Sheet(width, height)
    shown = page(run, frame, measure(width), typed)
    place = f" {run.at + 1}/{len(run.lesson.steps)} "
    if shown.standing and len(shown.heading) + len(shown.standing) + len(place) + 8 <= width and note is None:
        place = f" {shown.standing} ·{place}"
    top, above, below = scrolled(len(shown.lines), height - 1, top)
    if above or below:
        place = f" {KEYS['page_up']} ↑{above} ─{place}" if above else place
        place = f" {KEYS['page_down']} ↓{below} ─{place}" if below else place
    sheet.put(0, 0, "─" * width, palette.faint)
    room = width - cells(place) - 5
    heading, style = (shown.heading, palette.accent) if note is None else (VOICE.say(note.line), note.style(palette))
    sheet.put(0, 1, f" {cut(heading, room)} ", style)
    sheet.right(0, place + "─", palette.accent if below else palette.dim)
    for y, line in enumerate(shown.lines[top : top + max(0, height - 1)], start=1):
        put(sheet, y, 1, line, palette)
    if note is not None and cells(heading) > room:
        for y, row in enumerate(lines_at_most(heading, width - 2, height)):
            sheet.put(y, 0, f" {row}".ljust(width), note.style(palette))
    return sheet


def scrolled(lines: int, room: int, top: int) -> tuple[int, int, int]:
    """The first visible line, and the numbers of lines above and below the visible ones."""
    top = min(max(0, top), max(0, lines - room))
    return top, top, max(0, lines - room - top)


def choices_in(run: LessonRun, lines: tuple[Line, ...]) -> list[tuple[int, int, str]]:
    """Where the choices of the open question begin: (line, cell, digit)."""
    question = run.open_question
    found = []
    for y, line in enumerate(lines):
        x = 0
        for text, style in line:
            if style == "code" and text in DIGITS:
                found.append((y, x, text))
            x += cells(text)
    return found[-len(question.choices) :] if question is not None and question.choices else []


def put(sheet: Sheet, y: int, x: int, line: Line, palette: Palette) -> None:
    strong = palette.text + Style(bold=True)
    styles = {
        "": palette.text, "bold": strong, "em": palette.text + Style(italic=True), "code": palette.accent,
        "formula": strong, "typed": palette.accent, "quiet": palette.dim, "warn": palette.warn,
    }  # fmt: skip
    for text, style in line:
        x = sheet.put(y, x, text, styles[style])


def measure(width: int) -> Voice:
    """The voice for text of this width, limited because long lines are hard to read."""
    return Voice(COMFORTABLE if width >= ROOMY else max(20, min(MEASURE.width, width - 2)), KEYS, PRINTED)


def needed(run: LessonRun, frame: Frame | None, width: int, typed: str = "") -> int:
    """Rows the step needs now, its rule included."""
    return 1 + len(page(run, frame, measure(width), typed).lines)


def rows(run: LessonRun, frame: Frame | None, width: int, height: int, *, moment: int, panel_open: bool,
         typed: str = "") -> tuple[int, int]:  # fmt: skip
    """Rows for the lesson under the score, and at most for an open panel below it. moment: rows of the moment in
    words, above it."""
    wanted = needed(run, frame, width, typed)
    score = LEAST_SCORE if height >= LOW else LEAST_SCORE - 2
    if panel_open:  # on a low screen the score loses rows, and the text scrolls
        below = min(wanted, max(LEAST_TEXT, height - 3 - moment - score - LEAST_PANEL))
    else:
        gates = GATE_ROWS if frame is not None and frame.scene.trace.gates else 0
        below = max(1 + MEASURE.lines, min(wanted, height - 2 - moment - LEAST_SCORE - gates))
    return below, max(3, height - 3 - moment - below - score)


def keys(run: LessonRun, onward: str) -> list[tuple[str, str]]:
    """The keys a lesson adds to the key bar, the most useful first. onward: the word for what follows this step."""
    if run.is_free_play:
        return [("lesson_return", "back to the lesson")]
    skip = ("lesson_next", "skip")
    if run.open_question is not None:
        if run.is_retry:
            skip = ("lesson_next", "keep answer")
        return [skip] if run.open_question.choices else [("next", "answer"), skip]
    if run.open_exercise is not None:
        hints = run.open_exercise.hints
        keys = {**_TOOL_KEYS, "train": ("epoch", "next record")} if run.target.has_recording else _TOOL_KEYS
        more = [keys[tool] for tool in tools(run)]
        more += [("lesson_hint", "hint")] if len(run.hints_given) < len(hints) else []
        return [*more, ("lesson_return", "restore"), skip]
    again = [("lesson_return", "try again")] if run.answer is not None else []
    return [("lesson_next", onward), *again]
