"""The command line that shows the view on the screen again: `rnnviz show …`; without `show` it opens the app there.

Everything that a flag can say is in it. What no flag can say (a ghost, what was pinned) is named beside it.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.player.kinds.opening import FORWARD, NetworkOpening, Opening
from rnnviz.tui import panels, place

if TYPE_CHECKING:
    from rnnviz.lessons.run import LessonRun
    from rnnviz.scene.frame import Frame
    from rnnviz.tui.view import View


def command_line(
    frame: Frame, view: View, size: tuple[int, int], theme: str, ascii: bool, run: LessonRun | None = None,
    lessons: str | None = None,
) -> tuple[str, str]:  # fmt: skip
    """The command, and what it leaves out, in words ("" for nothing). run: the lesson that leads through this view;
    lessons: its folder, unless it is one of rnnviz's own."""
    steps = None if run is None else _lesson(run, frame, lessons)
    words = ["rnnviz", "show", *(_source(frame) if steps is None else steps)]
    panel = panels.BY_ID.get(view.panel or "")
    first_row = -1 if panel is not None and panel.keeps_row else 0
    here = str(place.of(frame, view, first_row, in_lesson=steps is not None))
    words += ["--at", here] if here else []
    words += ["--panel", panel.id] if panel is not None else []
    words += ["--size", f"{size[0]}x{size[1]}"]
    words += ["--theme", theme] if theme != "dark" else []
    words += ["--ascii"] if ascii else []
    words += ["--present"] if view.presenting else []
    return shlex.join(words), ", ".join(_left_out(frame, steps is not None, run is not None))


def _left_out(frame: Frame, steps: bool, is_lesson: bool) -> Iterable[str]:
    """steps: a step of a lesson brings its network, and the ghost of its answer."""
    if is_lesson and not steps:
        yield "the lesson, whose network you have changed"
    if frame.ghost is not None and not steps:
        yield "the ghost"
    if frame.pinned is not None:
        yield "what is pinned"
    task = frame.scene.task
    if task.typed is not None and task.original is not None and "=" in task.typed.text:
        i = task.typed.sample
        old, new = task.original.x[i], task.x[i]
        if old.shape == new.shape and int((old != new).any(axis=-1).sum()) > 1:
            yield "the steps moved before the last"


# -- what is opened ---------------------------------------------------------------------------------------


def _source(frame: Frame) -> list[str]:
    source: Any = frame.source
    if isinstance(source, Opening):
        words = [_full(source.path), *_part(source)]
        record = frame.cursor.epoch + 1
        return [*words, "--record", str(record), *_typed(frame)]
    if isinstance(source, NetworkOpening):
        words = [_full(source.path), *_part(source)]
        words += ["--readout", source.readout] if source.readout is not None else []
        words += ["--activation", source.activation] if source.activation is not None else []
        words += ["--beside", _full(source.beside)] if source.beside is not None else []
        words += ["--steps", str(source.steps)] if source.steps is not None else []
        return [*words, *(settings(source.data) if source.data is not None else []), *_typed(frame)]
    assert frame.requested is not None
    return [*settings(frame.requested), *_typed(frame)]


def _part(source: Opening | NetworkOpening) -> list[str]:
    """Which layer, level and direction."""
    words = ["--layer", source.layer] if source.layer is not None else []
    words += ["--level", str(source.level)] if source.level is not None else []
    return words + (["--direction", source.direction] if source.direction != FORWARD else [])


def settings(experiment: Experiment) -> list[str]:
    """The flags of the settings that differ from the defaults; a path is written in full."""
    words: list[str] = []
    for name, value in experiment.beside(os.getcwd()).changes().items():
        option = SETTINGS[name].option
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option.removeprefix('--')}")
        elif str(value).startswith("-"):
            words.append(f"{option}={value}")
        else:
            words += [option, str(value)]
    return words


def _typed(frame: Frame) -> list[str]:
    typed = frame.scene.task.typed
    if typed is None or typed.sample != frame.scene.sample:
        return []
    return [f"--input={typed.text}"]


def _full(path: str) -> str:
    return path if path.startswith("~") else os.path.abspath(path)


# -- a lesson ---------------------------------------------------------------------------------------------


def _lesson(run: LessonRun, frame: Frame, lessons: str | None) -> list[str] | None:
    """The step of a lesson that stands on the screen; None if its network is another by now."""
    if run.is_free_play or not replace(run.target, sample=frame.scene.sample).same_network(frame):
        return None
    words = ["--lesson", run.lesson.slug, "--step", str(run.at + 1)]
    words += ["--lessons", _full(lessons)] if lessons is not None else []
    if run.answer is not None:
        words.append(f"--answer={run.answer.given}")
    shown = len(run.hints_given)
    return [*words, *(["--hints", str(shown)] if shown else [])]
