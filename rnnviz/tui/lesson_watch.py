"""A lesson's file, watched while it is open: on save the page is read again, and what is wrong appears beside it.

    every half second  was the file saved? → read again → the same step of the new version, or the problems
    then               rnnviz lessons check, in a process of its own, which takes seconds → its problems

Nothing is drawn while nothing is saved.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from time import sleep
from typing import TYPE_CHECKING

from rnnviz.lessons.reading import read
from rnnviz.lessons.renewal import renewed, with_problems
from rnnviz.saved_files import Saves
from rnnviz.tui.follower import Follower

if TYPE_CHECKING:
    from rnnviz.lessons.lesson import Lesson
    from rnnviz.tui.guide import Guide

EVERY = 0.5  # seconds between two looks
SETTLE = 0.1  # seconds to the second look at a file that has changed


class LessonWatch:
    """tell: has a function called on the thread of the app."""

    def __init__(self, guide: Guide, tell: Callable[[Callable[[], None]], object]) -> None:
        self._guide, self._tell = guide, tell
        self._follower = Follower(self._look, self._read, EVERY)
        self._path: Path | None = None
        self._saves: Saves[Path] = Saves({})
        self._lock = Lock()
        self._check: subprocess.Popen[str] | None = None
        self._has_ended = False

    def start(self) -> None:
        self._follower.start()

    def stop(self) -> None:
        self._follower.stop()
        with self._lock:
            self._has_ended = True
            self._end_check()

    # -- on the watching thread ----------------------------------------------------------------------------

    def _look(self) -> bool:
        """Whether the open lesson's file was saved. One that has just been opened is checked as it is."""
        run = self._guide.run
        if run is not None and run.lesson.path != self._path:
            self._path = run.lesson.path
            self._saves = Saves({self._path: self._path})
            self._begin_check(run.lesson)
        saved = self._saves.look()
        if self._saves.is_settling:
            sleep(SETTLE)
            saved = self._saves.look()
        return bool(saved)

    def _read(self) -> None:
        assert self._path is not None
        lesson, problems = read(self._path)
        if lesson is None:
            with self._lock:
                self._end_check()
            path = self._path
            self._tell(lambda: self._show_problems(path, [_line(str(one), path) for one in problems]))
        else:
            self._tell(lambda: self._renew(lesson))
            self._begin_check(lesson)

    def _begin_check(self, lesson: Lesson) -> None:
        """Check a version of a lesson; the check of the version before ends."""
        words = [sys.executable, "-m", "rnnviz", "lessons", "check", str(lesson.path)]
        with self._lock:
            self._end_check()
            if self._has_ended:
                return
            with suppress(OSError):  # no process can be started: the page is read again all the same
                self._check = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                    encoding="utf-8", errors="replace", start_new_session=True,
                )  # fmt: skip
                Thread(target=self._await, args=(self._check, lesson), daemon=True).start()

    def _end_check(self) -> None:
        if self._check is not None and self._check.poll() is None:
            self._check.kill()
        self._check = None

    def _await(self, check: subprocess.Popen[str], lesson: Lesson) -> None:
        out, _ = check.communicate()
        with self._lock:
            if check is not self._check:
                return
            self._check = None
        if check.returncode in (0, 1):
            problems = [_line(line, lesson.path) for line in out.splitlines()] if check.returncode else []
            self._tell(lambda: self._show_problems(lesson.path, problems))

    # -- on the app's thread -------------------------------------------------------------------------------

    def _renew(self, lesson: Lesson) -> None:
        run = self._guide.run
        if run is not None and run.lesson.path == lesson.path:
            self._guide.become(renewed(run, lesson, self._guide.progress))
            self._guide.stage.say(f"{lesson.path.name} was saved and read again.")

    def _show_problems(self, path: Path, problems: list[str]) -> None:
        run = self._guide.run
        if run is None or run.lesson.path != path:
            return
        new = with_problems(run, problems)
        if new != run:
            self._guide.take_over(new)


def _line(problem: str, path: Path) -> str:
    """A problem without the path of its file: `line 34: …`"""
    _, sign, rest = problem.partition(f"{path.name}:")
    return f"line {rest}" if sign else problem
