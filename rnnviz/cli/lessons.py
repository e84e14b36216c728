"""`rnnviz lessons`, `rnnviz lesson SLUG`, `rnnviz play SLUG`: the course on the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rnnviz.cli import kiosk
from rnnviz.cli.command import Options
from rnnviz.cli.session_flags import session
from rnnviz.cli.surroundings import require_terminal
from rnnviz.errors import InputError, short_repr
from rnnviz.glyphs import cells, cut, lines_at_most, ljust, one_line
from rnnviz.lessons.course import Course, Start, find, head, is_lesson

WIDEST_SLUG = 24


def run(options: Options) -> int:
    """Run `rnnviz lessons` and return its exit code. Raises InputError."""
    what, paths = options["what"], options["paths"] or []
    for name in ("learners", "o", "force"):
        if options[name] and what != "report":
            raise InputError(f"{name}: only rnnviz lessons report has this")
    if what == "check":
        return check(paths, options["lessons"])
    if what == "report":
        from rnnviz.cli.lesson_report import report

        return report(options)
    if what == "new":
        return new(paths, options["lessons"])
    if paths:
        raise InputError(f"{short_repr(paths[0])} is an unexpected argument; rnnviz lessons check PATH checks files")
    if what == "metrics":
        return metrics()
    if what is not None:
        actions = "new, check, report or metrics"
        raise InputError(f"{short_repr(what)} is not {actions}; rnnviz lesson SLUG opens a lesson")
    return show(find(options["lessons"]))


def new(words: list[str], folder: str | None) -> int:
    """Write a lesson to begin with, and say what to do with it."""
    from rnnviz.lessons.skeleton import write

    if len(words) != 1:
        raise InputError("new: needs one name; rnnviz lessons new half-is-gone writes such a lesson")
    path = write(words[0], folder)
    print(f"{path}: written. It runs as it is; the comments in it explain each part.")
    print(f"Next: open it in your editor, and run rnnviz lesson {path} --watch beside it.")
    print(f"rnnviz lessons check {path} lists what is wrong.")
    return 0


def open_one(options: Options) -> int:
    """Run `rnnviz lesson SLUG` and return the exit code. Raises InputError."""
    return _open(options, plays=False)


def play_one(options: Options) -> int:
    """Run `rnnviz play SLUG` and return the exit code. Raises InputError."""
    return _open(options, plays=True)


def _open(options: Options, *, plays: bool) -> int:
    folder, slug = options["lessons"], options["slug"]
    if folder is None and _is_file(slug):
        folder, slug = str(Path(slug).parent), Path(slug).name
    find(folder).file(slug)
    require_terminal(f"rnnviz read {options['slug']} is the same in lines of text")
    from rnnviz.tui.app import run as run_app

    asked = session(options)
    speed = (asked.speed or 1.0) if plays else None
    return run_app(start=Start(folder, slug, speed, watches=not plays and options["watch"]), session=asked) or 0


def _is_file(word: str) -> bool:
    """Whether a lesson is named by its file, which a kiosk does not open."""
    return kiosk.current() is None and is_lesson(Path(word)) and Path(word).is_file()


# -- the list ------------------------------------------------------------------------------------------


def show(course: Course) -> int:
    from rnnviz.cli.output import Output
    from rnnviz.lessons.progress import Progress

    out = Output()
    progress = Progress(course.name)
    tick, dot = ("x", "-") if out.ascii else ("✓", "·")
    slugs = [course.slug(file) for file in course.files]
    widest = min(max(map(cells, slugs)), WIDEST_SLUG)
    for file, slug in zip(course.files, slugs, strict=True):
        title, summary = head(file)
        kept = progress.of(slug)
        far = f"{kept.done}/{kept.steps}" if kept.steps else ""
        all_done = kept.finished and kept.done == kept.steps
        mark = tick if all_done else (">" if slug == progress.last else dot if far else " ")
        number = file.stem.partition("-")[0].lstrip("0") or "0"
        start = f"{mark} {number:>2}  {ljust(cut(slug, widest), widest)}  {far:>5}  "
        about = lines_at_most(kept.tally or f"{title}: {summary}", max(20, out.width - cells(start)), 1)
        out.print(start + "".join(about))
    out.print()
    out.print("rnnviz resumes where you left off; rnnviz lesson SLUG opens one.")
    if progress.of(slugs[-1]).finished:
        out.print("You have finished the course. In rnnviz, L and c open the closing page, with what to try again.")
    for note in progress.notes:
        print(one_line(note), file=sys.stderr)
    return 0


# -- checking --------------------------------------------------------------------------------------------


def check(paths: list[str], folder: str | None) -> int:
    """Print a line for each problem, `file:line: what is wrong; what to do`. Returns 1 if there is one, else 0."""
    from rnnviz.lessons.check import check as check_files
    from rnnviz.tui import panels
    from rnnviz.tui.voice import MEASURE

    files = [file for path in paths for file in _files(Path(path))] if paths else list(find(folder).files)
    problems = check_files(files, tuple(panels.BY_ID), MEASURE)
    for problem in problems:
        print(one_line(_near(problem.path) + str(problem).removeprefix(str(problem.path))))
    if not problems:
        print(f"{len(files)} lesson{'s' * (len(files) != 1)}: no problems found")
    return 1 if problems else 0


def _files(path: Path) -> list[Path]:
    try:
        if path.is_dir():
            return list(find(path).files)
        path.stat()
    except FileNotFoundError:
        raise InputError(f"{path}: does not exist; give a lesson file, or a folder of them") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a lesson file, or a folder of them") from None
    return [path]


def _near(path: Path) -> str:
    """The path relative to the current folder, if that is shorter."""
    try:
        near = os.path.relpath(path)
    except ValueError:
        return str(path)
    return near if len(near) < len(str(path)) else str(path)


def metrics() -> int:
    from rnnviz.cli.output import Output
    from rnnviz.views.metrics import METRICS

    out = Output()
    labels = {
        m.name: f"{m.name}[{', '.join(_AXES[a] for a in m.axes)}]" if m.axes else m.name for m in METRICS.values()
    }
    widest = max(map(len, labels.values()))
    for metric in METRICS.values():
        out.print(f"{labels[metric.name]:<{widest}}  {metric.about}")
    out.print()
    out.print("t and step are time steps (-1: the last), unit and from are units from 0. Without an index")
    out.print("a metric uses the cursor's. t, T, K, first and last (of the steps that are no padding) and unit may be")
    out.print("indexes themselves: grad_norm[K].")
    return 0


_AXES = {
    "state": "t", "step": "step", "unit": "unit", "from": "from", "input": "i", "output": "i", "percent": "percent",
}  # fmt: skip
