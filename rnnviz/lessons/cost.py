"""The cost of a lesson in time and memory, computed before it runs, because the learner waits for a step's picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnnviz.errors import InputError
from rnnviz.experiment.cost import Size, size_of
from rnnviz.lessons.lesson import Do, Exercise, Lesson, Step
from rnnviz.lessons.setup import Setup

MOST_SECONDS = 300  # of a whole lesson in NumPy, its solutions included; the longest that comes with rnnviz takes four
MOST_BYTES = 250_000_000  # of one network with its data


def too_much(lesson: Lesson) -> Iterator[tuple[Step | None, str, str]]:
    """The first step that asks too much (None: the experiment that the lesson begins with), what, and what to do."""
    before = Setup(lesson.experiment)
    wrong = _too_large(_size(before))
    if wrong:
        yield None, *wrong
        return
    seconds = 0.0
    for step in lesson.steps:
        try:
            here = before.after(step.do)
            after = here.after(step.reveal)
            ways = [after, *(here.after(do) for do in _solutions(step))]
        except InputError:  # that step cannot be set up; check.py reports why
            return
        for way in ways:
            size = _size(way)
            wrong = _too_large(size)
            seconds += 0.0 if size is None else _seconds(size, before if way is after else here, way)
            if not wrong and seconds > MOST_SECONDS:
                what = f"the lesson trains for about {seconds:,.0f} s up to here; the limit is {MOST_SECONDS} s"
                wrong = what, "train fewer epochs, or a smaller network"
            if wrong:
                yield step, *wrong
                return
        before = after


def _solutions(step: Step) -> tuple[Do, ...]:
    return step.task.solutions if isinstance(step.task, Exercise) else ()


def _size(setup: Setup) -> Size | None:
    try:
        return size_of(setup.experiment)
    except InputError:
        return None


def _too_large(size: Size | None) -> tuple[str, str] | None:
    if size is None or size.bytes() <= MOST_BYTES:
        return None
    taken, most = size.bytes() / 1e6, MOST_BYTES / 1e6
    what = f"the network and its data take {taken:,.0f} MB; the limit for a lesson is {most:.0f}"
    return what, "use fewer units, layers, steps or sequences"


def _seconds(size: Size, before: Setup, now: Setup) -> float:
    """Seconds to get from `before` to `now`: the missing training, and one pass over a sequence."""
    same = before.experiment == now.experiment.with_(epochs=before.experiment.epochs)
    done = before.epochs if same else 0
    epochs = now.epochs - done if now.epochs >= done else now.epochs
    return size.seconds(epochs + (now.batches > 0)) + replace(size, trained=1, batch=1).seconds(1)
