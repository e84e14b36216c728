"""A lesson whose file is saved while it is open: its new version at the same step, or the old one with the problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnviz.lessons.lesson import Lesson
    from rnnviz.lessons.progress import Progress
    from rnnviz.lessons.run import LessonRun

MOST = 2  # problems beside the text


def renewed(run: LessonRun, lesson: Lesson, progress: Progress) -> LessonRun:
    """The run of a lesson's new version, at the step with the same heading; at the same place if it has gone."""
    fresh = progress.resume(lesson)
    ids = [step.id for step in lesson.steps]
    return fresh.jump(ids.index(run.step.id) if run.step.id in ids else run.at)


def with_problems(run: LessonRun, problems: Sequence[str]) -> LessonRun:
    """The run, with what is wrong with its file: `line 34: unknown key 'questoin'; did you mean question?`"""
    more = len(problems) - MOST
    faults = list(problems[:MOST])
    if more > 0:
        faults.append(f"and {more} more: rnnviz lessons check {run.lesson.path.name}")
    return replace(run, faults=tuple(faults))
