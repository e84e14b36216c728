"""A result as lines of text, for the watching screen and for a command."""

from __future__ import annotations

from typing import NamedTuple

from rnnviz.glyphs import cut, escaped, ljust, wrap
from rnnviz.workshop.exercise import Exercise
from rnnviz.workshop.picture import picture
from rnnviz.workshop.result import ERROR, MISSING, SOLVED, STOPPED, UNWRITTEN, WRONG, Result

MARKS = {SOLVED: "✓", UNWRITTEN: "·", WRONG: "✗", ERROR: "✗", STOPPED: "✗", MISSING: "·"}
PRINTED = 6  # lines of what a file printed


class Line(NamedTuple):
    """style: "title", "good", "bad", "dim" or "" """

    text: str
    style: str = ""


def lines(result: Result, width: int) -> list[Line]:
    """The result in lines of at most `width` cells."""
    style = {SOLVED: "good", UNWRITTEN: "title"}.get(result.status, "bad")
    found = [Line(text, style) for text in wrap(f"{MARKS[result.status]} {escaped(result.headline)}", width)]
    for text in result.details:
        if text.startswith(("yours", "exact", "     ")):
            found.append(Line(cut("  " + text, width)))
        else:
            found += [Line("  " + part, "dim") for part in wrap(escaped(text), width - 2)]
    if result.score is not None:
        found += [Line(""), *(Line(cut(text, width)) for text in picture(result.score, width))]
    if result.printed:
        shown = result.printed[-PRINTED:]
        label = "The file printed" + (", at its end:" if len(result.printed) > PRINTED else ":")
        found += [Line(""), Line(cut(label, width), "dim")]
        found += [Line(cut("  " + escaped(text[:500]), width)) for text in shown]
    return found


def row(exercise: Exercise, status: str | None, width: int) -> str:
    """An exercise in a list; status None: it is not known yet."""
    mark = " " if status is None else MARKS[status]
    words = {None: "", SOLVED: "solved", UNWRITTEN: "not written yet", MISSING: "the file is missing"}.get(
        status, "not right yet"
    )
    return cut(f"{mark} {ljust(exercise.file, 21)} {ljust(exercise.title, 32)} {words}".rstrip(), width)
