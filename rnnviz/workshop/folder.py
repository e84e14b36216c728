"""The learner's folder: where it is, what is in it, and how it gets the files. Imports no NumPy until it needs one.

Nothing is stored in it but the files: an exercise is solved if its file passes.
"""

from __future__ import annotations

import os
from pathlib import Path

from rnnviz.errors import InputError, short_repr
from rnnviz.workshop.exercise import Exercise
from rnnviz.workshop.exercises import EXERCISES

NAME = "workshop"


def init(where: str | None) -> tuple[Path, list[str], list[str]]:
    """Write the files that are missing. Returns the folder, and the names of the files that were written and of those
    that were there; none of these is touched. Raises InputError."""
    folder = Path(where if where is not None else "." if _has_files(Path()) else NAME)
    written, kept = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for exercise in EXERCISES:
            try:
                with open(folder / exercise.file, "x", encoding="utf-8", newline="\n") as file:
                    file.write(exercise.template())
            except FileExistsError:
                kept.append(exercise.file)
            else:
                written.append(exercise.file)
    except FileExistsError:
        raise InputError(f"{folder}: is a file; name a folder for the workshop") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: the files cannot be written: {getattr(error, 'strerror', '') or error}") from None
    return folder, written, kept


def find(where: str | None) -> Path:
    """The folder of the workshop: the one that is named, or this one, or `workshop` in it. Raises InputError."""
    places = [Path(where)] if where is not None else [Path(), Path(NAME)]
    for place in places:
        if _has_files(place):
            return place
    if where is None:
        raise InputError("there is no workshop here; rnnviz workshop init writes its files into the folder workshop")
    if not os.path.isdir(where):
        raise InputError(f"{short_repr(where)} is not a folder; rnnviz workshop init {where} makes it, with the files")
    raise InputError(f"{where}: has no file of the workshop; rnnviz workshop init {where} writes them")


def _has_files(folder: Path) -> bool:
    try:
        return any(os.path.lexists(folder / one.file) for one in EXERCISES)
    except (OSError, ValueError):
        return False


def exercise_of(word: str) -> Exercise:
    """The exercise that a word of the command line names: a path, a file's name, or its number. Raises InputError."""
    name = Path(word).name
    for exercise in EXERCISES:
        if name in (exercise.file, exercise.stem) or (word.isdecimal() and word.rjust(2, "0") == exercise.number):
            return exercise
    raise InputError(
        f"{short_repr(word)} is not a file of the workshop: {EXERCISES[0].file} to {EXERCISES[-1].file}, or a number, "
        f"1 to {len(EXERCISES)}"
    )


def file_of(word: str) -> tuple[Exercise, Path]:
    """The exercise and the file that a word names: a path; or a name or a number, of a file in the folder that `find`
    finds. Raises InputError."""
    exercise = exercise_of(word)
    named = Path(word).with_name(exercise.file)
    is_bare = Path(word).name == word and not os.path.lexists(named)
    return exercise, find(None) / exercise.file if is_bare else named
