"""Progress: the learner's place and answers in each course, as JSON in the user's data directory.

    {"version": 1, "courses": {"rnnviz": {"last": "slug", "lessons": {"slug": {"step": "half-is-gone", …}}}}}

It is written atomically, one lesson at a time into the existing file, so that two sessions keep each other's progress,
also in the same lesson (progress_merge.py).
A damaged file is set aside; if nothing can be written, a note says so and the app continues. It never waits for a lock
that another program holds: progress not saved then is saved later (`flush`). Does not import NumPy.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnviz import files
from rnnviz.errors import InputError
from rnnviz.lessons.progress_merge import merged
from rnnviz.lessons.results import Answer, Mistake, standing, tally

if TYPE_CHECKING:
    from rnnviz.kiosk import Kiosk
    from rnnviz.lessons.lesson import Lesson
    from rnnviz.lessons.run import LessonRun

VERSION = 1
FILE = "progress.json"
LARGEST = 4_000_000  # bytes; a whole course needs some ten thousand
BRIEFLY = 0.02  # seconds to try for the lock


class _UnreadableError(OSError):
    """The file exists but cannot be read: its content must not be overwritten."""


@dataclass(frozen=True)
class LessonProgress:
    """The progress of one lesson. step: id of the last open step; done of steps: for lists."""

    step: str = ""
    done: int = 0
    steps: int = 0
    finished: bool = False
    seen: tuple[str, ...] = ()
    solved: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    hints: Mapping[str, int] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    starts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    again: Mapping[str, int] = field(default_factory=dict)

    @property
    def tally(self) -> str:
        """The results of its questions and exercises, in words."""
        return tally(self.answers, self.solved, self.hints, self.skipped)

    def standing(self, step: str) -> tuple[str, str]:
        """Mark and words for the result of one step."""
        return standing(
            self.answers.get(step), is_solved=step in self.solved, hints=self.hints.get(step, 0),
            is_skipped=step in self.skipped,
        )  # fmt: skip


def folder() -> Path | None:
    """The data folder; None for a user without a home."""
    return files.user_folder("data")


class Progress:
    """One course's progress. notes: messages for the user (a damaged file, a place that cannot be written), each given
    once."""

    def __init__(self, course: str, place: Path | None = None) -> None:
        self.course = course
        self.follows_links = place is None  # the user's own file may be a link; a learner's among others' may not
        place = place or folder()
        self.path = None if place is None else place / FILE
        self.notes: list[str] = []
        self.is_kept = True
        self.is_late = False  # progress waits for a lock that another program holds
        self._waiting: dict[str, dict[str, Any] | None] = {}  # by slug, in the order of saving
        self._mine = self._course(self._load())
        self._before = dict(_dict(self._mine.get("lessons")))  # what this session found or wrote, without others' work

    # -- reading -------------------------------------------------------------------------------------------

    @property
    def last(self) -> str | None:
        """The slug of the lesson that was open last."""
        last = self._mine.get("last")
        return last if isinstance(last, str) else None

    def of(self, slug: str) -> LessonProgress:
        entry = _dict(_dict(self._mine.get("lessons")).get(slug))
        with contextlib.suppress(TypeError, ValueError, OverflowError, AttributeError):
            return LessonProgress(
                step=str(entry.get("step", "")),
                done=int(entry.get("done", 0)),
                steps=int(entry.get("steps", 0)),
                finished=entry.get("finished") is True,
                seen=_texts(entry.get("seen")),
                solved=_texts(entry.get("solved")),
                skipped=_texts(entry.get("skipped")),
                hints=_counts(entry.get("hints")),
                again=_counts(entry.get("again")),
                answers={
                    str(k): answer for k, v in _dict(entry.get("answers")).items() if (answer := _answer(_dict(v)))
                },
                starts={str(k): _values(v) for k, v in _dict(entry.get("starts")).items()},
            )
        return LessonProgress()

    def resume(self, lesson: Lesson) -> LessonRun:
        """A run of the lesson at the last open step. Progress of steps that no longer exist is dropped."""
        from rnnviz.lessons.run import LessonRun

        kept = self.of(lesson.slug)
        ids = [step.id for step in lesson.steps]
        answers = {
            step.id: answer
            for step in lesson.steps
            if (answer := kept.answers.get(step.id)) and _fits(step.task, answer.given)
        }
        again = {k: v for k, v in kept.again.items() if k in answers or (k in ids and k in kept.solved)}
        at = ids.index(kept.step) if kept.step in ids else 0
        return LessonRun(
            lesson,
            at=at,
            is_retry=ids[at] in again,
            again=again,
            answers=answers,
            hints={k: v for k, v in kept.hints.items() if k in ids},
            starts={k: v for k, v in kept.starts.items() if k in ids},
            solved=frozenset(kept.solved) & frozenset(ids),
            skipped=frozenset(kept.skipped) & frozenset(ids),
            seen=frozenset(kept.seen) & frozenset(ids),
            finished=kept.finished,
        )

    # -- writing -------------------------------------------------------------------------------------------

    def keep(self, run: LessonRun) -> None:
        """Save a lesson's progress. Never raises; `notes` says what went wrong."""
        entry = {
            "step": run.step.id,
            "done": sum(_done(run, i) for i in range(len(run.lesson.steps))),
            "steps": len(run.lesson.steps),
            "finished": run.finished,
            "seen": sorted(run.seen),
            "solved": sorted(run.solved),
            "skipped": sorted(run.skipped),
            "hints": dict(run.hints),
            "answers": {
                step: {
                    "said": a.given,
                    "right": a.is_right,
                    "answer": a.right,
                    "tries": a.tries,
                    "first": a.first_right,
                    **({} if a.mistake is None else {"mistake": vars(a.mistake)}),
                }
                for step, a in run.answers.items()
            },
            "starts": {step: dict(values) for step, values in run.starts.items() if values},
            **({"again": dict(run.again)} if run.again else {}),
        }
        self._write(run.lesson.slug, entry)

    def forget(self, slug: str) -> None:
        """Clear the progress of a lesson."""
        self._write(slug, None)

    def _write(self, slug: str, entry: dict[str, Any] | None) -> None:
        self._waiting.pop(slug, None)
        self._waiting[slug] = entry
        self._add_waiting(self._mine)
        self.flush()

    def flush(self, seconds: float = BRIEFLY) -> None:
        """Save what could not be saved yet, trying for the lock this long. Never raises."""
        if not self._waiting:
            return
        try:
            self.is_late = not self._flushed(seconds)
        except OSError as error:
            if self.is_kept:
                self.is_kept = False
                reason, where = error.strerror or str(error), ""
                if self.path is not None:
                    is_this = isinstance(error, _UnreadableError | files.OddFileError)
                    where = f": {_at_home(Path(error.filename) if is_this else self.path.parent)}"
                self._note(f"Progress cannot be saved: {reason}{where}")

    def _flushed(self, seconds: float) -> bool:
        """False if another program holds the lock. Raises OSError if it cannot be written."""
        if self.path is None:
            raise FileNotFoundError(errno.ENOENT, "this user has no home folder")
        files.make_folder(self.path.parent)
        with files.locked(self.path.with_name(".lock"), seconds) as had:
            if not had:
                self._note("Progress is not saved yet: another program holds its lock.")
                return False
            everything = self._load(to_write=True)
            mine = self._course(everything)
            self._add_waiting(mine, merges=True)
            everything["courses"] = {**_dict(everything.get("courses")), self.course: mine}
            # in ASCII: a folder's name may be any bytes
            files.replace(self.path, json.dumps(everything, indent=1).encode())
        if self.is_late:
            self._note("Progress is saved again.")
        self._before.update(self._waiting)
        self._waiting.clear()
        self._mine = mine
        return True

    def _add_waiting(self, mine: dict[str, Any], *, merges: bool = False) -> None:
        lessons = mine["lessons"] = dict(_dict(mine.get("lessons")))
        for slug, entry in self._waiting.items():
            theirs = lessons.pop(slug, None)
            if entry is not None:
                lessons[slug] = merged(self._before.get(slug), entry, theirs) if merges else entry
            mine["last"] = slug

    # -- the file ------------------------------------------------------------------------------------------

    def _load(self, *, to_write: bool = False) -> dict[str, Any]:
        """Read the file. to_write: it will be overwritten, so an unreadable file is an error."""
        nothing = {"version": VERSION, "courses": {}}
        if self.path is None:
            return nothing
        found: Any = None
        try:
            content = files.read(self.path, LARGEST, follow=self.follows_links)
            found = json.loads(content.decode("utf-8-sig"))
        except FileNotFoundError:
            return nothing
        except OSError as error:
            if error.errno != errno.EFBIG:
                if to_write:
                    raise _UnreadableError(error.errno, error.strerror, str(self.path)) from error
                self._note(f"Progress cannot be read: {error.strerror or error}: {_at_home(self.path)}")
                return nothing
        except (ValueError, RecursionError):
            pass
        if isinstance(found, dict) and found.get("version") == VERSION and isinstance(found.get("courses"), dict):
            return found
        newer = isinstance(found, dict) and isinstance(found.get("version"), int) and found["version"] > VERSION
        self._set_aside(self.path, "is from a newer rnnviz" if newer else "is damaged")
        return nothing

    def _set_aside(self, path: Path, why: str) -> None:
        for n in range(1, 1000):
            aside = path.with_name(f"{FILE}.{n}.aside")
            if not aside.exists():
                break
        try:
            os.replace(path, aside)
        except OSError:
            self._note(f"Progress {why} and cannot be set aside: {_at_home(path)}")
        else:
            self._note(f"Progress {why}: set aside as {aside.name}.")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _course(self, everything: dict[str, Any]) -> dict[str, Any]:
        return dict(_dict(_dict(everything.get("courses")).get(self.course)))


class InMemory(Progress):
    """Progress that lasts as long as the session: no file is read or written."""

    def _load(self, *, to_write: bool = False) -> dict[str, Any]:
        return {"version": VERSION, "courses": {}}

    def flush(self, seconds: float = BRIEFLY) -> None:
        self._waiting.clear()


class OthersProgress(Progress):
    """The progress in another learner's file, to be read and never written. Raises InputError for a file that cannot be
    read or is damaged."""

    def __init__(self, course: str, file: Path) -> None:
        self._file = file
        super().__init__(course, file.parent)

    def _load(self, *, to_write: bool = False) -> dict[str, Any]:
        try:
            found = json.loads(files.read(self._file, LARGEST, follow=False).decode("utf-8-sig"))
        except OSError as error:
            raise InputError(f"{self._file}: {error.strerror or error}") from None
        except (ValueError, RecursionError):
            raise InputError(f"{self._file}: is damaged; this is no file of progress") from None
        if not isinstance(found, dict) or found.get("version") != VERSION or not isinstance(found.get("courses"), dict):
            raise InputError(f"{self._file}: is damaged, or from a newer rnnviz")
        return found

    def flush(self, seconds: float = BRIEFLY) -> None:
        self._waiting.clear()


def progress_of(course: str, kiosk: Kiosk | None) -> Progress:
    """The learner's progress in a course: in the user's data folder; in a kiosk in the learner's own, or in memory."""
    if kiosk is None:
        return Progress(course)
    return InMemory(course) if kiosk.folder is None else Progress(course, kiosk.folder)


def _done(run: LessonRun, at: int) -> bool:
    step = run.lesson.steps[at]
    return step.id in run.seen and (step.task is None or step.id in run.answers or step.id in run.solved)


def _answer(entry: dict[str, Any]) -> Answer | None:
    """A saved answer; one from an older rnnviz, which saved one try only, counts as the first."""
    if not {"said", "right"} <= set(entry):
        return None
    is_right, tries = entry["right"] is True, entry.get("tries", 1)
    tries = tries if isinstance(tries, int) and not isinstance(tries, bool) and 0 < tries < 10**6 else 1
    first = entry["first"] is True if "first" in entry else is_right
    return Answer(str(entry["said"]), is_right, str(entry.get("answer", "")), tries, first, _mistake(entry))


def _mistake(entry: dict[str, Any]) -> Mistake | None:
    found = _dict(entry.get("mistake"))
    texts = [found.get(name) for name in ("question", "given", "right", "why")]
    return Mistake(*map(str, texts)) if all(isinstance(text, str) for text in texts) else None


def _fits(task: object, given: str) -> bool:
    """Whether a saved answer still fits the present question."""
    from rnnviz.lessons.lesson import Prediction

    if not isinstance(task, Prediction):
        return False
    return not task.choices or given in map(str, range(1, len(task.choices) + 1))


def _at_home(path: Path) -> str:
    """A path shortened with ~, to fit after the reason in one line of a small terminal."""
    home = os.path.expanduser("~")
    return f"~{str(path)[len(home) :]}" if str(path).startswith(home + os.sep) else str(path)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _values(value: Any) -> dict[str, Any]:
    """Saved metrics: numbers, words, or None where undefined."""
    known = {name: float(v) if isinstance(v, int) else v for name, v in _dict(value).items()}
    return {name: v for name, v in known.items() if v is None or isinstance(v, float | str)}


def _counts(value: Any) -> dict[str, int]:
    return {str(k): max(0, int(v)) for k, v in _dict(value).items()}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
