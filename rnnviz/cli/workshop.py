"""`rnnviz workshop`: exercises as files of the learner's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rnnviz.cli.command import Options, number
from rnnviz.errors import InputError, short_repr


def run(options: Options) -> int:
    """Run `rnnviz workshop` and return its exit code. Raises InputError."""
    action, words, in_json = options["action"], options["words"] or [], options["json"]
    if action == "check":
        return check(words, in_json)
    if action == "list":
        return show(_one(words), in_json)
    if in_json:
        raise InputError("json: only check and list have it")
    if action == "init":
        return init(_one(words))
    if action == "hint":
        return hint(words)
    if words:
        raise InputError(f"{short_repr(words[0])} is an unexpected argument; rnnviz workshop DIR watches one folder")
    from rnnviz.workshop.folder import find

    folder = find(action)
    from rnnviz.cli.session_flags import session
    from rnnviz.cli.workshop_screen import watch

    code: int = watch(folder, session(options))
    return code


def _one(words: list[str]) -> str | None:
    if len(words) > 1:
        raise InputError(f"{short_repr(words[1])} is an unexpected argument; give one folder")
    return words[0] if words else None


def init(where: str | None) -> int:
    """Write the files that are missing, and print which."""
    from rnnviz.cli.output import Output
    from rnnviz.workshop.exercises import EXERCISES
    from rnnviz.workshop.folder import NAME, init

    folder, written, kept = init(where)
    out = Output()
    if written and kept:
        out.print(f"{folder}: {', '.join(written)} {'was' if len(written) == 1 else 'were'} missing and written.")
        out.print(f"The other {len(kept)} files are as they were.")
    elif written:
        out.print(f"{folder}: {len(written)} files written, {EXERCISES[0].file} to {EXERCISES[-1].file}.")
    else:
        out.print(f"{folder}: all {len(kept)} files are there; nothing was written.")
    name = "" if os.path.normpath(folder) in (".", NAME) else f" {folder}"
    out.print(f"Next: open {folder / EXERCISES[0].file} in your editor, and run rnnviz workshop{name} beside it.")
    return 0


def check(words: list[str], in_json: bool) -> int:
    """Check files once. Returns 0 if all are solved, else 1."""
    from rnnviz.workshop.check import check
    from rnnviz.workshop.exercises import EXERCISES
    from rnnviz.workshop.folder import file_of, find

    chosen = []
    for word in words or (None,):
        if word is None or os.path.isdir(word):
            folder = find(word)
            chosen += [(exercise, folder / exercise.file) for exercise in EXERCISES]
        else:
            chosen.append(file_of(word))
    results = [(path, check(exercise, path)) for exercise, path in chosen]
    if in_json:
        _print_json(results)
    else:
        _print(results)
    return 0 if all(result.is_solved for _, result in results) else 1


def show(where: str | None, in_json: bool) -> int:
    """List the exercises with their state."""
    from rnnviz.cli.output import Output
    from rnnviz.workshop.check import check
    from rnnviz.workshop.exercises import EXERCISES
    from rnnviz.workshop.folder import find
    from rnnviz.workshop.report import row

    folder = find(where)
    results = []
    out = Output()
    for exercise in EXERCISES:
        result = check(exercise, folder / exercise.file)
        results.append((folder / exercise.file, result))
        if not in_json:
            out.print(row(exercise, result.status, out.width))
    if in_json:
        _print_json(results)
        return 0
    solved = sum(result.is_solved for _, result in results)
    out.print()
    out.print(f"{solved} of {len(results)} solved, in {folder.absolute()}.")
    return 0


def hint(words: list[str]) -> int:
    """Print one hint of an exercise."""
    from rnnviz.cli.output import Output, paragraph
    from rnnviz.workshop.folder import exercise_of

    if not words:
        raise InputError("which file? rnnviz workshop hint FILE prints its first hint")
    exercise = exercise_of(words[0])
    if len(words) > 2:
        raise InputError(f"{short_repr(words[2])} is an unexpected argument; give a file and the number of a hint")
    count = len(exercise.hints)
    which = number(words[1]) if len(words) > 1 else 1
    if not 1 <= which <= count:
        raise InputError(f"{short_repr(words[1])}: {exercise.file} has the hints 1 to {count}")
    out = Output()
    for line in paragraph(exercise.hints[which - 1], out.width):
        out.print(line)
    if which < count:
        out.print(f"(Hint {which} of {count}. rnnviz workshop hint {words[0]} {which + 1} says more.)")
    return 0


def _print(results: list[tuple[Path, Any]]) -> None:
    from rnnviz.cli.output import Output
    from rnnviz.workshop.report import lines

    out = Output()
    for n, (path, result) in enumerate(results):
        if n:
            out.print()
        out.print(str(path))
        for line in lines(result, out.width - 2):
            out.print(f"  {line.text}".rstrip())


def _print_json(results: list[tuple[Path, Any]]) -> None:
    from rnnviz.cli.output import print_json

    names = ("status", "headline", "details", "place", "step", "as_if", "line", "printed")
    print_json([{"file": str(path), **{name: getattr(result, name) for name in names}} for path, result in results])
