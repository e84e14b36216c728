"""The code behind a moment: the engine's own lines, and the same model as a program in PyTorch and in Keras."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnviz.experiment.experiment import Experiment
    from rnnviz.scene.frame import Frame
    from rnnviz.tasks import Task

PAGES = ("NumPy", "PyTorch", "Keras")
COPIES = " ([copy] copies it)"


def text(frame: Frame, page: int) -> tuple[str, tuple[str, ...], int]:
    """(description, lines, first line to show)."""
    if PAGES[page] == "NumPy":
        from rnnviz.export import excerpts

        excerpt = excerpts.excerpt(frame.cell, frame.cursor.phase, *_optimizer(frame))
        return excerpt.where, excerpt.lines, excerpt.start
    if frame.experiment is None:
        return f"in {PAGES[page]}: the program is your own", (), 0
    from rnnviz.export import programs
    from rnnviz.tasks.reversed import FromTheEnd

    task = frame.scene.task.of if isinstance(frame.scene.task, FromTheEnd) else frame.scene.task
    reason = programs.cannot(task, frame.experiment)
    if reason is not None:
        return f"in {PAGES[page]}: there is no program", (f"# {reason}",), 0
    lines = _program(frame.experiment, task, PAGES[page])
    return f"the same model in {PAGES[page]}, ready to run{COPIES}", lines, 0


def _optimizer(frame: Frame) -> tuple[str, ...]:
    return () if frame.experiment is None else (frame.experiment.optimizer,)


@lru_cache(maxsize=8)
def _program(experiment: Experiment, task: Task, framework: str) -> tuple[str, ...]:
    from rnnviz.export import programs

    write = programs.pytorch if framework == "PyTorch" else programs.keras
    return tuple(write(experiment, task).splitlines())
