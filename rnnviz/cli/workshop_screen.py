"""The watching screen of `rnnviz workshop`: plain text that is drawn again when something changes.

It waits for a key and, twice a second, looks whether a file was saved. Files are run and compared in a thread. It needs
a terminal, but neither Textual nor rich: it is there at once, beside an editor, over SSH and in tmux.
"""

from __future__ import annotations

import ast
import contextlib
import os
import select
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnnviz.cli.surroundings import terminal_missing
from rnnviz.cli.workshop_terminal import FullScreen, keys_in
from rnnviz.errors import InputError
from rnnviz.glyphs import cells, cut, ljust, wrap
from rnnviz.saved_files import Saves
from rnnviz.session import Session
from rnnviz.terminal import size_of
from rnnviz.workshop.check import check
from rnnviz.workshop.checker import Checker
from rnnviz.workshop.exercise import Exercise
from rnnviz.workshop.exercises import EXERCISES
from rnnviz.workshop.report import Line, lines, row
from rnnviz.workshop.result import SOLVED, UNWRITTEN, Result

LOOK = 0.5  # seconds between two looks at the files
SETTLE = 0.1  # and after one of them has changed
WIDEST = 110
LAST = 10**6  # a line after every page's last: the screen shows the end
_KEYS = "h hint   s solution   n next   p previous   l list   c check   e edit   q quit"


def watch(folder: Path, session: Session) -> int:
    """Watch the files of a folder until q, in the session's colours and characters. Returns the exit code. Raises
    InputError without a terminal."""
    missing = terminal_missing("watching")
    try:
        import termios  # noqa: F401
    except ImportError:  # Windows
        missing = missing or "watching needs a POSIX terminal"
    if missing:
        raise InputError(f"{missing}; rnnviz workshop check runs the files once")
    return Watch(folder, session).run()


class Watch:
    """What is on the screen, and what a key or a saved file changes."""

    def __init__(self, folder: Path, session: Session) -> None:
        self.folder = folder
        self._screen = FullScreen(session)
        self.results: dict[Exercise, Result] = {}
        self.at = 0
        self.page = ""  # "", "list" or "solution"
        self.hints: dict[Exercise, int] = {}
        self.news = ""  # what the last key led to
        self.just_solved: Exercise | None = None
        self.seeks = True  # the first file that is not solved, at the start and after one is
        self.top = 0  # the first line that is shown of a page longer than the screen
        self.ended: int | None = None
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_in, False)
        self._finished: list[tuple[Exercise, Result]] = []
        self._checker = Checker(lambda one, stop: check(one, folder / one.file, stop=stop), self._done)
        self._saves = Saves({one: folder / one.file for one in EXERCISES})

    @property
    def exercise(self) -> Exercise:
        return EXERCISES[self.at]

    # -- the loop --------------------------------------------------------------------------------------

    def run(self) -> int:
        self._checker.request(self.exercise)
        try:
            with self._signals(), self._screen:
                self._draw()
                while self.ended is None:
                    self._turn()
        except KeyboardInterrupt:
            self.ended = 0
        finally:
            self._checker.end()
        return self.ended or 0

    def _turn(self) -> None:
        """Wait for a key, a result, a signal, or the time to look at the files; and draw if something changed."""
        wait = SETTLE if self._saves.is_settling else LOOK
        ready = select.select([0, self._wake_out], [], [], wait)[0]
        changed = False
        if 0 in ready:
            data = os.read(0, 1024)
            if not data:  # the terminal is gone
                self.ended = 129
            for key in keys_in(data):
                self._press(key)
                changed = True
        if self._wake_out in ready:
            os.read(self._wake_out, 1024)
            changed = True
        finished, self._finished = self._finished, []
        for exercise, result in finished:
            self._take(exercise, result)
        if not ready:
            saved = self._saves.look()
            for one in saved:
                self._saved(one)
            changed = changed or bool(saved)
        if changed and self.ended is None:
            self._draw()

    def _wake(self, *_: object) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self._wake_in, b"\0")

    def _done(self, exercise: Exercise, result: Result) -> None:
        """In the checker's thread."""
        self._finished.append((exercise, result))
        self._wake()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def end(number: int, _: object) -> None:
            self.ended = 128 + number
            self._wake()

        def suspend(*_: object) -> None:
            self._screen.leave()
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.kill(0, signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, suspend)
            self._screen.enter()
            self._wake()

        handlers: dict[int, Any] = {
            signal.SIGTERM: end, signal.SIGHUP: end, signal.SIGWINCH: self._wake, signal.SIGTSTP: suspend,
        }  # fmt: skip
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    # -- what happens ----------------------------------------------------------------------------------

    def _saved(self, exercise: Exercise) -> None:
        """A file was saved: it is the one that is being worked on."""
        if exercise is not self.exercise or self.page:
            self._go(EXERCISES.index(exercise))
        self.seeks = True
        self.news, self.just_solved = "", None
        self._checker.request(exercise, at_once=True)

    def _take(self, exercise: Exercise, result: Result) -> None:
        was_solved = self._is_solved(exercise)
        self.results[exercise] = result
        if exercise is not self.exercise or not self.seeks:
            return
        if not result.is_solved:
            self.seeks = False
            return
        if not was_solved:
            self.just_solved = exercise
        later = [(self.at + n) % len(EXERCISES) for n in range(1, len(EXERCISES))]
        following = next((n for n in later if not self._is_solved(EXERCISES[n])), None)
        if following is None:
            self.seeks = False
            return
        self._go(following, keep_news=True)
        self.seeks = self.exercise not in self.results
        if self.seeks:
            self._checker.request(self.exercise)

    def _is_solved(self, exercise: Exercise) -> bool:
        return exercise in self.results and self.results[exercise].is_solved

    def _go(self, at: int, keep_news: bool = False) -> None:
        self.at, self.page, self.top, self.seeks = at, "", 0, False
        if not keep_news:
            self.news, self.just_solved = "", None

    def _press(self, key: str) -> None:
        self.news = ""
        if key == "q":
            self.ended = 0
        elif key in ("up", "down"):
            self.top = max(0, self.top + (5 if key == "down" else -5))
        elif key == "esc" or (key == "l" and self.page == "list") or (key == "s" and self.page == "solution"):
            self.page, self.top = "", 0
        elif key in ("n", "p"):
            self._open((self.at + (1 if key == "n" else -1)) % len(EXERCISES))
        elif key.isdecimal() and self.page == "list":
            self._open((int(key) - 1) % 10)
        elif key == "l":
            self.page, self.top = "list", 0
            for one in EXERCISES:
                if one not in self.results:
                    self._checker.request(one)
        elif key == "c":
            self.page, self.top = "", 0
            self._checker.request(self.exercise, at_once=True)
        elif key == "h":
            self.page = ""
            self.hints[self.exercise] = min(self.hints.get(self.exercise, 0) + 1, len(self.exercise.hints))
            result = self.results.get(self.exercise)
            self.top = 0 if result is None or result.status == UNWRITTEN else LAST  # where the hints are
        elif key == "s":
            self._solution()
        elif key == "e":
            self._edit()

    def _open(self, at: int) -> None:
        self._go(at)
        if self.exercise not in self.results:
            self._checker.request(self.exercise)

    def _solved_exercise(self) -> Exercise | None:
        if self._is_solved(self.exercise):
            return self.exercise
        return self.just_solved

    def _solution(self) -> None:
        if self._solved_exercise() is None:
            self.news = f"The solution of {self.exercise.file} opens when yours is right. h gives a hint."
        else:
            self.page, self.top = "solution", 0

    def _edit(self) -> None:
        words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
        if not words:
            self.news = "No editor is set. Open the file in yours, or set EDITOR and start again."
            return
        self._screen.leave()
        try:
            subprocess.run([*words, str(self.folder / self.exercise.file)], check=False)
        except OSError as error:
            self.news = f"The editor {words[0]} could not be started: {error.strerror}."
        finally:
            self._screen.enter()

    # -- what is shown ---------------------------------------------------------------------------------

    def _draw(self) -> None:
        columns, rows = size_of(1, 0)
        width = min(columns, WIDEST) - 2
        head, body, foot = self._head(width), self._body(width), self._foot(width)
        room = max(1, rows - len(head) - len(foot))
        self.top = max(0, min(self.top, len(body) - room))
        shown = body[self.top : self.top + room]
        if self.top + room < len(body):
            shown[-1] = Line("↓ shows more", "dim")
        shown += [Line("")] * (room - len(shown))
        self._screen.show([*head, *shown, *foot][:rows], columns - 1)

    def _head(self, width: int) -> list[Line]:
        solved = sum(self._is_solved(one) for one in EXERCISES)
        right = f"{solved} of {len(EXERCISES)} solved"
        left = f"{self.exercise.file}: {self.exercise.title}"
        title = Line(ljust(cut(left, width - cells(right) - 2), width - cells(right)) + right, "title")
        return [title, Line("─" * width, "dim")]

    def _foot(self, width: int) -> list[Line]:
        return [Line("─" * width, "dim"), *(Line(part, "dim") for part in _in_columns(_KEYS, width))]

    def _body(self, width: int) -> list[Line]:
        if self.page == "list":
            return self._list(width)
        if self.page == "solution":
            shown = self._solved_exercise()
            if shown is not None:
                text = [Line(cut("  " + line, width)) for line in shown.solution().splitlines()]
                about = [Line(part, "dim") for part in wrap(shown.solved, width)]
                return [
                    Line(f"One solution of {shown.file}; yours is as good. s closes it.", "title"),
                    Line(""),
                    *text,
                    Line(""),
                    *about,
                ]
        found: list[Line] = []
        if self.just_solved is not None and self.just_solved is not self.exercise:
            found += [Line(f"✓ {self.just_solved.file} is solved.", "good")]
            found += [Line("  " + part) for part in wrap(self.just_solved.solved, width - 2)]
            now = f"s shows a solution. Now open {self.folder / self.exercise.file} in your editor."
            found += [*(Line("  " + part, "dim") for part in wrap(now, width - 2)), Line("")]
        if self.news:
            found += [*(Line(part, "title") for part in wrap(self.news, width)), Line("")]
        return found + self._result(width)

    def _result(self, width: int) -> list[Line]:
        exercise, result = self.exercise, self.results.get(self.exercise)
        found: list[Line] = []
        if self._checker.is_checking(exercise):
            found.append(Line(f"… checking {exercise.file}", "dim"))
        elif result is not None:
            found += lines(result, width)
        if result is not None and result.status == SOLVED:
            found += [Line("  " + part) for part in wrap(exercise.solved, width - 2)]
            if all(self._is_solved(one) for one in EXERCISES):
                found += [Line(""), Line("All ten are solved: the whole workshop is yours.", "good")]
        hints = self.hints.get(exercise, 0)
        for n, hint in enumerate(exercise.hints[:hints]):
            found += [Line("")] if n == 0 else []
            found += [Line(part) for part in wrap(f"Hint {n + 1} of {len(exercise.hints)}: {hint}", width)]
        if result is None or result.status == UNWRITTEN:
            found += [Line(""), *self._task(width)]
        return found

    def _task(self, width: int) -> list[Line]:
        """What to write: the file's own words."""
        text = ast.get_docstring(ast.parse(self.exercise.template())) or ""
        where = f"Write {self.exercise.function} in {self.folder / self.exercise.file}, and save."
        return [*(Line(cut(line, width)) for line in text.splitlines()[2:]), Line(""), Line(cut(where, width), "dim")]

    def _list(self, width: int) -> list[Line]:
        found = []
        for n, one in enumerate(EXERCISES):
            result = self.results.get(one)
            status = None if result is None else result.status
            mark = "›" if n == self.at else " "
            style = "good" if status == SOLVED else "title" if n == self.at else ""
            found.append(Line(f"{mark} {row(one, status, width - 2)}", style))
        return [*found, Line(""), Line("1 to 9 and 0 open one; l closes the list.", "dim")]


def _in_columns(text: str, width: int) -> list[str]:
    """Words that belong together stay together: three spaces separate the entries."""
    found = [""]
    for entry in text.split("   "):
        longer = f"{found[-1]}   {entry}" if found[-1] else entry
        if cells(longer) <= width:
            found[-1] = longer
        else:
            found.append(entry)
    return found
