"""`rnnviz lessons report`: what one learner or a class did in the course, as Markdown."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rnnviz import ways_out
from rnnviz.cli.command import Options
from rnnviz.errors import InputError
from rnnviz.glyphs import one_line
from rnnviz.lessons.course import Course, find
from rnnviz.lessons.markdown_report import Learner, of_many, of_one
from rnnviz.lessons.progress import FILE, OthersProgress, Progress

MOST_LEARNERS = 1_000


def report(options: Options) -> int:
    """Print or write the report. A learner whose progress cannot be read is one line on standard error; exit code 1 if
    there is one. Raises InputError."""
    course = find(options["lessons"])
    out = options["o"]
    if out is not None:
        ways_out.check(out, overwrites=options["force"])
    broken: list[str] = []
    if options["learners"] is not None:
        if options["paths"]:
            raise InputError(
                f"learners: a report is of {_one(options['paths'])} or of a folder of learners; leave one out"
            )
        lines = list(of_many(course, _class(course, options["learners"], broken)))
    elif options["paths"]:
        lines = list(of_one(course, _other(course, Path(_one(options["paths"])))))
    else:
        own = Progress(course.name)
        broken += own.notes
        lines = list(of_one(course, Learner("Report", own)))
    text = "\n".join(lines) + "\n"
    if out is None:
        sys.stdout.write(text)
    else:
        ways_out.write(out, text, overwrites=options["force"])
    for line in broken:
        print(f"rnnviz lessons: {one_line(line)}", file=sys.stderr)
    return 1 if broken else 0


def _one(paths: list[str]) -> str:
    if len(paths) > 1:
        raise InputError(f"{len(paths)} learners; report one, or a folder of learners with --learners DIR")
    return paths[0]


def _other(course: Course, path: Path) -> Learner:
    """The learner whose folder, or file of progress, this is."""
    file = path / FILE if path.is_dir() else path
    return Learner((file.parent if file.name == FILE else file).name, OthersProgress(course.name, file))


def _class(course: Course, folder: str, broken: list[str]) -> list[Learner]:
    """The learners in a folder: each has a folder with its progress, as a kiosk keeps them (--progress DIR)."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
    except OSError as error:
        raise InputError(f"learners: {folder}: {error.strerror or error}; give a folder of learners") from None
    learners = []
    for name in names[:MOST_LEARNERS]:
        file = Path(folder, name, FILE)
        if not os.path.lexists(file):
            continue
        try:
            learners.append(_other(course, file))
        except InputError as error:
            broken.append(str(error))
    if not learners and not broken:
        raise InputError(f"learners: {folder}: no folder in it holds a {FILE}; give the folder of rnnviz --progress")
    return learners
