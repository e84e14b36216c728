"""Courses: where lessons are, and which there are. Free of numpy as long as nothing is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnviz.errors import InputError, short_repr

_FILE = re.compile(r"\d+-.*\.md")
OWN = "rnnviz"  # the name of the course that comes with rnnviz


@dataclass(frozen=True)
class Course:
    """A folder of lessons. name: what progress is kept under. files: in their order."""

    name: str
    folder: Path
    files: tuple[Path, ...]

    def slug(self, file: Path) -> str:
        return file.stem.partition("-")[2]

    def file(self, slug: str) -> Path:
        """By slug or by number. Raises InputError, naming what there is."""
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
    """In a checkout /lessons, in an installed wheel the copy inside the package."""
    packed = Path(__file__).parent / "course"
    checkout = Path(__file__).parents[2] / "lessons"
    return packed if packed.is_dir() or not checkout.is_dir() else checkout


def find(folder: str | Path | None = None) -> Course:
    """The course in a folder, or rnnviz' own. Raises InputError for a folder without lessons."""
    where = Path(folder) if folder is not None else own_folder()
    if not _is_folder(where):
        raise InputError(f"{where}: not a folder; --lessons takes a folder of lesson files")
    files = sorted((f for f in where.iterdir() if is_lesson(f)), key=_order)
    if not files:
        raise InputError(f"{where}: this folder has no lessons; name them like 01-first-steps.md")
    return Course(OWN if folder is None else str(where.resolve()), where, tuple(files))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long, a folder nobody may look into
        return False


def is_lesson(file: Path) -> bool:
    """Whether a file is named like a lesson."""
    return _FILE.fullmatch(file.name) is not None


def _order(file: Path) -> tuple[int, str]:
    return int(file.stem.partition("-")[0]), file.name


@dataclass(frozen=True)
class Start:
    """What the app opens with: a folder of lessons (None: rnnviz' own), a lesson in it (None: where the learner
    left), and at what speed it performs by itself (None: it does not)."""

    folder: str | Path | None = None
    slug: str | None = None
    speed: float | None = None


#: The summary of a lesson that cannot be read.
BROKEN = "cannot be read; rnnviz lessons check says why"


def head(file: Path) -> tuple[str, str]:
    """Title and summary of a lesson, without reading its steps; its file name and BROKEN where they cannot be made
    out."""
    found = _front(file)
    title, summary = found.get("title"), found.get("summary")
    return (title, summary) if isinstance(title, str) and isinstance(summary, str) else (file.stem, BROKEN)


def introduced(files: Sequence[Path], upto: Path) -> frozenset[str] | None:
    """What the lessons of a course have introduced up to one of them, that one included (see introductions.py); None
    where none of them introduces anything: then everything is known from the beginning."""
    lists = {file: _front(file).get("introduces") for file in files}
    if not any(isinstance(names, list) for names in lists.values()):
        return None
    until = _order(upto)
    known = [names for file, names in lists.items() if isinstance(names, list) and _order(file) <= until]
    return frozenset(str(name) for names in known for name in names)


def _front(file: Path) -> dict[str, Any]:
    """The front matter of a lesson; empty where it cannot be made out."""
    from rnnviz.lessons.lesson_file import SourceError, source_lines, toml

    try:
        lines = [line.strip() for line in source_lines(file)]
        end = lines.index("+++", lines.index("+++") + 1)
        return toml(lines[lines.index("+++") + 1 : end])
    except (SourceError, ValueError):  # ValueError: no +++
        return {}
