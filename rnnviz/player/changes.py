"""Change, cut, undo and redo: the work of these commands (see present.py), and what is kept of the run before."""

from __future__ import annotations

from dataclasses import replace

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import OF_TASK, Experiment
from rnnviz.nn import engine
from rnnviz.nn.cell_table import CELLS
from rnnviz.player.history import Moment
from rnnviz.player.jobs import Show
from rnnviz.player.present import Present
from rnnviz.player.session import Session
from rnnviz.scene.frame import Frame
from rnnviz.scene.ghost import Ghost
from rnnviz.views.prepare import read


def change(now: Present, settings: tuple[tuple[str, object], ...]) -> Show:
    before, requested = now.session, changed(now.session.requested, settings)
    what = describe_change(before.requested, requested)
    if not what:
        return lambda: now.hint("Already set to this value.")
    only_epochs = before.requested.with_(epochs=requested.epochs) == requested
    session = before.lasting(requested) if only_epochs else Session(requested, cut=before.cut and before.requested.loop)
    same_data = requested.task == before.requested.task
    sample = min(now.frame.scene.sample, len(session.task) - 1) if same_data else 0
    picture = (now.frame.scene, now.frame.beside) if only_epochs else now.picture(session, sample)
    lost = before.timeline.place > (0, 0) and not only_epochs
    hint = "Restarted untrained. [all] trains, [undo] restores the trained network." if lost else ""
    hint = next((note for note in session.task.notes if note not in before.task.notes), hint)

    def show() -> None:
        ghost = now.frame.ghost or ghost_of(now.frame)
        now.leave(what)
        now.session = session
        now.show(picture, hint=hint, ghost=ghost)

    return show


def cut(now: Present) -> Show:
    cell = CELLS[now.session.requested.cell]
    if not cell.recurrent:
        return lambda: now.hint(f"There is no loop to cut: {cell.noun} has no recurrent weights W_hh.")
    if not now.session.requested.loop:
        return lambda: now.hint("This network has no loop to close: the setting loop is off.")
    session = now.session.with_loop_turned()
    picture = now.picture(session, now.frame.scene.sample)

    def show() -> None:
        now.leave("the loop cut" if session.cut else "the loop closed")
        now.session = session
        now.show(picture, ghost=now.frame.ghost)

    return show


def restore(now: Present, *, back: bool) -> Show:
    present = Moment(now.session, replace(now.frame, hint=""))
    moment = now.history.back(present) if back else now.history.forward(present)
    if moment is None:
        nothing = "Nothing to undo." if back else "Nothing was undone."
        return lambda: now.hint(nothing)
    moment.session.timeline.goto((moment.frame.cursor.epoch, moment.frame.cursor.batch))
    hint = f"Undone: {moment.what}. [redo] repeats it." if back and moment.what and now.history.undos else ""

    def show() -> None:
        now.session = moment.session
        now.frame = replace(moment.frame, job=None, hint=hint, engine=engine.current().name)

    return show


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
