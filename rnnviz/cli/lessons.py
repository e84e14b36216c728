"""`rnnviz lessons`, `rnnviz lesson SLUG`, `rnnviz play SLUG`: the course as a shell sees it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rnnviz.cli.command import Options
from rnnviz.cli.surroundings import require_terminal
from rnnviz.errors import InputError, short_repr
from rnnviz.glyphs import cells, cut, lines_at_most, ljust, one_line
from rnnviz.lessons.course import Course, Start, find, head

WIDEST_SLUG = 24


def run(options: Options) -> int:
    """`rnnviz lessons`: its exit code. Raises InputError."""
    what, paths = options["what"], options["paths"] or []
    if what == "check":
        return check(paths, options["lessons"])
    if paths:
        raise InputError(f"{short_repr(paths[0])} is an unexpected argument; rnnviz lessons check PATH checks files")
    if what == "metrics":
        return metrics()
    if what is not None:
        raise InputError(f"{short_repr(what)} is neither check nor metrics; rnnviz lesson SLUG opens a lesson")
    return show(find(options["lessons"]))


def open_one(options: Options) -> int:
    """`rnnviz lesson SLUG` and `rnnviz play SLUG`."""
    find(options["lessons"]).file(options["slug"])
    require_terminal("rnnviz lessons lists them, and they are Markdown to read")
    from rnnviz.tui.app import run as run_app

    return run_app(start=Start(options["lessons"], options["slug"], options.values.get("speed"))) or 0


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
        out.print("You have reached the end: in rnnviz, L and c show the closing page, with what to try again.")
    for note in progress.notes:
        print(one_line(note), file=sys.stderr)
    return 0


# -- checking --------------------------------------------------------------------------------------------


def check(paths: list[str], folder: str | None) -> int:
    """0 if all is well, 1 if something is wrong: one line each, file:line: what; what to do."""
    from rnnviz.lessons.check import check as check_files
    from rnnviz.tui import panels
    from rnnviz.tui.voice import MEASURE

    files = [file for path in paths for file in _files(Path(path))] if paths else list(find(folder).files)
    problems = check_files(files, tuple(panels.BY_ID), MEASURE)
    for problem in problems:
        print(one_line(_near(problem.path) + str(problem).removeprefix(str(problem.path))))
    if not problems:
        print(f"{len(files)} lesson{'s' * (len(files) != 1)}: nothing wrong")
    return 1 if problems else 0


def _files(path: Path) -> list[Path]:
    try:
        if path.is_dir():
            return list(find(path).files)
        path.stat()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a lesson file, or a folder of them") from None
    return [path]


def _near(path: Path) -> str:
    """As seen from here, where that is shorter."""
    try:
        near = os.path.relpath(path)
    except ValueError:
        return str(path)
    return near if len(near) < len(str(path)) else str(path)


def metrics() -> int:
    from rnnviz.cli.output import Output
    from rnnviz.views.metrics import METRICS

    out = Output()
    shown = {m.name: f"{m.name}[{', '.join(_AXES[a] for a in m.axes)}]" if m.axes else m.name for m in METRICS.values()}
    widest = max(map(len, shown.values()))
    for metric in METRICS.values():
        out.print(f"{shown[metric.name]:<{widest}}  {metric.about}")
    out.print()
    out.print("t and step count time steps (-1: the last), unit and from units from 0. Without an index a metric")
    out.print("speaks of the cursor's. t, T, K and unit may stand for their numbers: grad_norm[K].")
    return 0


_AXES = {
    "state": "t", "step": "step", "unit": "unit", "from": "from", "input": "i", "output": "i", "percent": "percent",
}  # fmt: skip
