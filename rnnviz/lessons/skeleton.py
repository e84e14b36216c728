"""A lesson to begin with: a file that runs and passes the checker, with comments on each of its parts."""

from __future__ import annotations

import re
from pathlib import Path

from rnnviz import ways_out
from rnnviz.errors import AlreadyThereError, InputError, short_repr
from rnnviz.lessons.course import is_lesson

FOLDER = "lessons"  # where a new lesson goes, unless a folder is named
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST = 60  # characters of a slug


def write(slug: str, folder: str | None) -> Path:
    """Write the file, with the number after the last one of the folder, which is made if it is missing. Raises
    InputError for a name that is no slug, a lesson that is there, and a folder that cannot be written."""
    if not _SLUG.fullmatch(slug) or len(slug) > LONGEST:
        close = re.sub(r"[^a-z0-9]+", "-", slug.lower()).strip("-")[:LONGEST] or "half-is-gone"
        raise InputError(f"{short_repr(slug)} is not the name of a lesson; write small letters and -: {close}")
    where = Path(folder or FOLDER)
    try:
        where.mkdir(parents=True, exist_ok=True)
        files = [file for file in where.iterdir() if is_lesson(file)]
    except OSError as error:
        raise InputError(f"{where}: {error.strerror or error}; choose another folder with --lessons") from None
    for file in files:
        if file.stem.partition("-")[2] == slug:
            raise AlreadyThereError(f"{file}: this lesson exists; choose another name, or edit it")
    number = max((int(file.stem.partition("-")[0]) for file in files), default=0) + 1
    text = Path(__file__).with_name("skeleton.md").read_text(encoding="utf-8")
    path = where / f"{number:02}-{slug}.md"
    ways_out.write(path, text.replace("TITLE", slug.replace("-", " ").capitalize(), 1))
    return path
