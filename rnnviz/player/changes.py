"""Changes: other settings of an experiment, and what is kept of the run before."""

from __future__ import annotations

from dataclasses import replace

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import OF_TASK, Experiment
from rnnviz.scene.frame import Frame
from rnnviz.scene.ghost import Ghost
from rnnviz.views.prepare import read


def changed(requested: Experiment, settings: tuple[tuple[str, object], ...]) -> Experiment:
    """`requested` with some settings changed. Raises InputError naming the one that is wrong."""
    new = dict(settings)
    left_open = dict.fromkeys(OF_TASK) if new.get("task", requested.task) != requested.task else {}
    try:
        return Experiment.from_mapping({**requested.to_dict(), **left_open, **new}, "")
    except InputError as error:  # it names the setting
        raise InputError(str(error).removeprefix(": ")) from None


def describe_change(old: Experiment, new: Experiment) -> str:
    """What changed, in words: `recurrent gain 1.0 → 0.7`."""
    return ", ".join(
        f"{one.label} {one.show(getattr(old, one.name))} → {one.show(getattr(new, one.name))}"
        for one in old.differences(new)
    )


def ghost_of(frame: Frame) -> Ghost:
    """The frame's run as a ghost, without a name yet."""
    assert frame.requested is not None
    return Ghost(frame.scene, frame.requested, frame.cursor.epoch, frame.cursor.batch, frame.cut)


def reading(ghost: Ghost, sample: int, loss_step: int | None) -> Ghost:
    """The same run reading another sequence, where it has it. Slow: a pass."""
    task, model = ghost.scene.task, ghost.scene.model
    if sample >= len(task):
        return ghost
    return replace(ghost, scene=read(task, sample, model, loss_step=loss_step))
