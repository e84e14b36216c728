"""Change, cut, open, undo and redo: the work of these commands (see present.py), and what is kept of the run before."""

from __future__ import annotations

from dataclasses import replace

from rnnviz.nn import engine
from rnnviz.player.history import Moment
from rnnviz.player.jobs import Job, Show
from rnnviz.player.kinds.run import Report, Run
from rnnviz.player.present import Present
from rnnviz.scene.cursor import Phase
from rnnviz.scene.frame import Frame
from rnnviz.scene.ghost import Ghost
from rnnviz.views.prepare import read


def change(now: Present, settings: tuple[tuple[str, object], ...]) -> Show:
    before, changed = now.run, now.run.changed(settings)
    if changed is None:
        return lambda: now.hint("Already set to this value.")
    run, frame = changed.run, now.frame
    sample = min(frame.scene.sample, len(run.task) - 1) if changed.same_data else 0
    loss_step = frame.loss_step
    if changed.same_network and loss_step is not None:  # the loss stays at its time, which the other direction counts
        loss_step = frame.scene.T + 1 - loss_step
    picture = (frame.scene, frame.beside) if changed.same_picture else now.picture(run, sample, loss_step)
    lost = before.place > (0, 0) and not (changed.same_picture or changed.same_network)
    hint = "Restarted untrained. [all] trains, [undo] restores the trained network." if lost else ""
    hint = next((note for note in run.task.notes if note not in before.task.notes), hint)

    def show() -> None:
        ghost = None if changed.same_network else now.frame.ghost or ghost_of(now.frame)
        now.leave(changed.what)
        now.run = run
        if changed.same_network:
            now.frame = replace(now.frame, ghost=None, loss_step=loss_step)
        now.show(picture, hint=hint, ghost=ghost)

    return show


def typed(now: Present, text: str) -> Show:
    """A sequence in place of the present one, with the picture before as its ghost. Raises InputError in a line."""
    frame, before = now.frame, now.run
    sample = frame.scene.sample
    run = before.with_typed(text, sample)
    picture = now.picture(run, sample)
    typed = run.task.typed
    hint = "This is the sequence of the data again." if typed is None else ""
    if typed is not None and typed.is_own_answer:
        scene = picture[0]
        own = f": {scene.answer(scene.last_loss_step)}" if scene.task.labels else ""
        hint = f"No right answer was typed, so the loss is that of the network's own{own}."

    def show() -> None:
        now.leave(f"the typed sequence {typed.text.strip()}" if typed else "the sequence of the data")
        now.run = run
        ghost = None if typed is None else _ghost_of_sequence(frame)
        if now.frame.cursor.phase is Phase.FORWARD:  # all of it is read
            now.frame = replace(now.frame, cursor=replace(now.frame.cursor, t=picture[0].T))
        now.frame = replace(now.frame, ghost=ghost)
        now.show(picture, hint=hint, ghost=ghost)

    return show


def _ghost_of_sequence(frame: Frame) -> Ghost:
    scene = frame.scene
    typed = scene.task.typed if scene.is_typed else None
    name = f"sequence {scene.sample + 1}" if typed is None else typed.text.strip()
    return Ghost(
        scene, frame.requested, frame.cursor.epoch, frame.cursor.batch, frame.cut, name=name, is_other_sequence=True
    )


def opened(now: Present, run: Run, job: Job, report: Report, epochs: int = 0) -> Show:
    run.refresh(lambda: not job.is_cancelled)  # the losses of a recording, too
    if epochs:
        run.forward("epoch", epochs, lambda: not job.is_cancelled, lambda done, total: None, report)
    fresh = Present(run, live=now.frame.live, refused=now.refused)

    def show() -> None:
        now.run, now.frame = run, fresh.frame
        now.settle()

    return show


def cut(now: Present) -> Show:
    run = now.run.with_loop_turned()
    picture = now.picture(run, now.frame.scene.sample)

    def show() -> None:
        now.leave("the loop cut" if run.cut else "the loop closed")
        now.run = run
        now.show(picture, ghost=now.frame.ghost)

    return show


def restore(now: Present, *, back: bool) -> Show:
    present = Moment(now.run, replace(now.frame, hint=""))
    moment = now.history.back(present) if back else now.history.forward(present)
    if moment is None:
        nothing = "Nothing to undo." if back else "Nothing was undone."
        return lambda: now.hint(nothing)
    moment.run.goto((moment.frame.cursor.epoch, moment.frame.cursor.batch))
    hint = f"Undone: {moment.what}. [redo] repeats it." if back and moment.what and now.history.undos else ""

    def show() -> None:
        now.run = moment.run
        now.frame = replace(moment.frame, job=None, hint=hint, engine=engine.current().name)

    return show


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
