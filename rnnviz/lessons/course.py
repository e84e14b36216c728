"""Courses: folders of lessons. Does not import NumPy until a lesson is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnviz.errors import InputError, short_repr

_FILE = re.compile(r"\d+-.*\.md")
OWN = "rnnviz"  # the name of rnnviz's own course


@dataclass(frozen=True)
class Course:
    """A folder of lessons. name: the key of its progress. files: in order."""

    name: str
    folder: Path
    files: tuple[Path, ...]

    def slug(self, file: Path) -> str:
        return file.stem.partition("-")[2]

    def file(self, slug: str) -> Path:
        """The file of a lesson, by slug or number. Raises InputError with a suggestion."""
        for file in self.files:
            if slug in (self.slug(file), file.stem, file.name):
                return file
            number = int(file.stem.partition("-")[0])
            if slug.isdecimal() and len(slug) < 20 and int(slug) == number:
                return file
        from difflib import get_close_matches

        slugs = [self.slug(file) for file in self.files]
        close = get_close_matches(slug, slugs, n=1)
        hint = f"did you mean {close[0]}?" if close else "rnnviz lessons lists them"
        raise InputError(f"there is no lesson {short_repr(slug)}; {hint}")


def own_folder() -> Path:
    """/lessons in a checkout, the copy inside the package in an installed wheel."""
    packed = Path(__file__).parent / "course"
    checkout = Path(__file__).parents[2] / "lessons"
    return packed if packed.is_dir() or not checkout.is_dir() else checkout


def find(folder: str | Path | None = None) -> Course:
    """The course in a folder, or rnnviz's own. Raises InputError for a folder without lessons."""
    where = Path(folder) if folder is not None else own_folder()
    if not _is_folder(where):
        raise InputError(f"{where}: is not a folder; --lessons needs a folder of lesson files")
    files = sorted((f for f in where.iterdir() if is_lesson(f)), key=_order)
    if not files:
        raise InputError(f"{where}: this folder has no lessons; name them like 01-first-steps.md")
    return Course(OWN if folder is None else str(where.resolve()), where, tuple(files))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # the name is too long, or the folder may not be read
        return False


def is_lesson(file: Path) -> bool:
    """Whether a file has the name of a lesson."""
    return _FILE.fullmatch(file.name) is not None


def _order(file: Path) -> tuple[int, str]:
    return int(file.stem.partition("-")[0]), file.name


@dataclass(frozen=True)
class Start:
    """What the app opens with: a folder of lessons (None: rnnviz's own), a lesson in it (None: where the learner
    left off), and the speed of an autoplay (None: no autoplay). step: which step of the lesson, without the learner's
    progress and without any being kept; None: where the learner left it. watches: read the open lesson again whenever
    its file is saved."""

    folder: str | Path | None = None
    slug: str | None = None
    speed: float | None = None
    step: int | None = None
    watches: bool = False


#: The summary of a lesson that cannot be read.
BROKEN = "cannot be read; rnnviz lessons check says why"


def head(file: Path) -> tuple[str, str]:
    """Title and summary of a lesson, without reading its steps; its file name and BROKEN if they cannot be read."""
    found = _front(file)
    title, summary = found.get("title"), found.get("summary")
    return (title, summary) if isinstance(title, str) and isinstance(summary, str) else (file.stem, BROKEN)


def explained(file: Path) -> tuple[str, ...]:
    """What a learner can explain after a lesson, without reading its steps; () if it does not say."""
    found = _front(file).get("explains")
    return tuple(map(str, found)) if isinstance(found, list) and found else ()


def introduced(files: Sequence[Path], upto: Path) -> frozenset[str] | None:
    """The names that the lessons of a course introduce up to and including one of them (see introductions.py); None
    if no lesson introduces anything: then everything is shown from the beginning."""
    lists = {file: _front(file).get("introduces") for file in files}
    if not any(isinstance(names, list) for names in lists.values()):
        return None
    until = _order(upto)
    known = [names for file, names in lists.items() if isinstance(names, list) and _order(file) <= until]
    return frozenset(str(name) for names in known for name in names)


def _front(file: Path) -> dict[str, Any]:
    """The front matter of a lesson; empty if it cannot be read."""
    from rnnviz.lessons.lesson_file import SourceError, source_lines, toml

    try:
        lines = [line.strip() for line in source_lines(file)]
        end = lines.index("+++", lines.index("+++") + 1)
        return toml(lines[lines.index("+++") + 1 : end])
    except (SourceError, ValueError):  # ValueError: no +++
        return {}
