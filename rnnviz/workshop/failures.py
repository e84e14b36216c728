"""A file whose function did not return: why, and at which line."""

from __future__ import annotations

import re
import signal
from typing import Any

from rnnviz.workshop import running
from rnnviz.workshop.exercise import Exercise
from rnnviz.workshop.result import ERROR, STOPPED, UNWRITTEN, Result
from rnnviz.workshop.running import Ran

UNREADABLE = "The results could not be read: the file writes where they are written, or it returns too much."

#: The kind of an exception, and what it most often means here.
_MEANINGS = {
    "EOFError": "The file waits for a key (input()): there is no keyboard here.",
    "MemoryError": f"It needs more than {running.MEMORY >> 30} GB of memory: is a size or a loop too large?",
    "RecursionError": "The function calls itself without end.",
    "SystemExit": "The file ends its process (sys.exit or exit): remove that.",
    "ModuleNotFoundError": "The exercises need NumPy and the standard library; nothing else can be imported here.",
    "NameError": "A name has no value here: a typing error, or a missing line or import. Each file stands alone.",
    "UnboundLocalError": "A name is used before it has a value.",
    "IndexError": "Python counts from 0: of T rows the last is row T - 1.",
    "ZeroDivisionError": "A divisor is 0.",
}
_SHAPES = "Look at the shapes: W (H, I) @ x (I,) gives (H,); W.T has rows and columns exchanged."
_KINDS_OF_SHAPES = ("mismatch in its core dimension", "could not be broadcast", "not aligned", "could not broadcast")


def failed(exercise: Exercise, source: str, ran: Ran) -> Result:
    """The result of a run without returned values. Raises KeyError, TypeError or ValueError for an answer that is
    none."""
    answer = ran.answer
    if "raised" in answer:
        return _raised(exercise, source, answer["raised"])
    if "missing" in answer:
        name = str(answer["missing"])[:80]
        return Result(exercise, ERROR, f"The function {name} is missing: keep its name and its arguments.")
    if "stopped" in answer or ran.timed_out:
        line = answer.get("stopped")
        where = f" It was in line {int(line)}." if line else ""
        headline = f"It was still running after {running.SECONDS:g} seconds: a loop without end?{where}"
        return Result(exercise, STOPPED, headline, _quoted(source, line), line=line)
    if ran.code and ran.code < 0:
        if -ran.code in (getattr(signal, "SIGXCPU", None), getattr(signal, "SIGKILL", None)):
            return Result(exercise, STOPPED, "Its process was ended: it used too much time or memory.")
        return Result(exercise, ERROR, f"Its process was ended by signal {-ran.code}: Python itself crashed.")
    if answer:
        return Result(exercise, ERROR, "The file ended its process before the function returned (os._exit, or fork).")
    return Result(exercise, ERROR, UNREADABLE)


def _raised(exercise: Exercise, source: str, raised: dict[str, Any]) -> Result:
    kind, words, line = str(raised["kind"])[:80], str(raised["words"]), raised["line"]
    line = int(line) if line else None
    kinds = [str(one) for one in raised["kinds"]]
    text = _line(source, line)
    if raised["unwritten"]:
        name = str(raised["unwritten"])[:40]
        return Result(
            exercise, UNWRITTEN, f"{name} is not written yet, and line {line} uses it.", place=name, line=line
        )
    if "NotImplementedError" in kinds or "ellipsis" in words or (line and _is_unwritten(text)):
        where = f": replace the … in line {line}" if "..." in text else f": line {line}" if line else ""
        return Result(exercise, UNWRITTEN, f"{exercise.function} is not written yet{where}.", line=line)
    at = f"Line {line}: " if line else ""
    if "SyntaxError" in kinds:
        return Result(exercise, ERROR, f"{at}this is not Python: {words}.", _quoted(source, line), line=line)
    meaning = next((_MEANINGS[one] for one in kinds if one in _MEANINGS), "")
    if any(one in words for one in _KINDS_OF_SHAPES):
        meaning = _SHAPES
    if kind == "OSError" and "too large" in words:
        meaning = "It prints or writes more than 16 MB: a loop without end?"
    if kind == "TypeError" and "NoneType" in words:
        meaning = "A value is None: does a function in the file have no return?"
    if kind == "TypeError" and exercise.function + "()" in words:
        meaning = "Keep the function's arguments as they were."
    sizes = re.search(r"size (\d+) is different from (\d+)|shapes? (\([\d,]*\)),? (?:into shape )?(\([\d,]*\))", words)
    if sizes and meaning == _SHAPES:
        words = "the {} {} and {} do not fit".format("sizes" if sizes[1] else "shapes", *filter(None, sizes.groups()))
    headline = f"{at}{kind}: {words}".strip() if words else f"{at}{kind}"
    details = (*_quoted(source, line), *((meaning,) if meaning else ()))
    return Result(exercise, ERROR, headline.rstrip(".") + ".", details, line=line)


def _line(source: str, line: int | None) -> str:
    lines = source.splitlines()
    return lines[line - 1] if line and 0 < line <= len(lines) else ""


def _is_unwritten(text: str) -> bool:
    code = text.partition("#")[0].rstrip()
    return code.endswith("...")


def _quoted(source: str, line: int | None) -> tuple[str, ...]:
    text = _line(source, line).strip()
    return (f"{line} | {text}",) if text else ()
