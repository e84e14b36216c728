"""Player: an experiment, its network and its history, and a cursor in them. Commands in, frames out.

    >>> player = Player(Experiment())
    >>> player.do(Right()).cursor.t
    1
    >>> player.do(Train("epoch")).cursor.epoch
    1

`do` runs any command to its end. An app that must never wait uses `begin`: quick commands are done at once,
slow ones come back as a Job, whose `run` may be called on another thread; `finish` then makes its result the
present. While a job runs the present stays as it was, and quick commands still move through it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn import engine
from rnnviz.player.commands import (
    SLOW,
    Back,
    Change,
    Command,
    Left,
    Next,
    Previous,
    Right,
    Seek,
    SelectUnit,
    ShowGradient,
    ShowSample,
    Train,
)
from rnnviz.player.cursor import Cursor, Phase, phase_and_step
from rnnviz.player.experiment import Experiment
from rnnviz.player.frame import Frame, Learning, Progress, Scene, Update
from rnnviz.player.run import build_model, build_task, build_training, resolved, trace_of
from rnnviz.player.timeline import Place, Timeline

Report = Callable[[Progress], None]


class Run:
    """One experiment's data, network and training history."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = resolved(experiment)
        self.task = build_task(self.experiment)
        model = build_model(self.experiment, self.task)
        self.timeline = Timeline(build_training(self.experiment, model, self.task))

    def learning(self) -> Learning:
        timeline = self.timeline
        return Learning(
            epochs=self.experiment.epochs,
            batches_per_epoch=timeline.training.batches_per_epoch,
            batch_size=self.experiment.batch_size,
            loss=tuple(timeline.losses),
            val_loss=tuple(timeline.val_losses),
        )

    def scene(self, sample: int) -> Scene:
        """Read and walk back sequence `sample` with the weights as they are now."""
        model = self.timeline.training.model
        return Scene(self.task, sample, model, trace_of(model, self.task, sample))


class Job:
    """A slow command under way. `run` does the work and reports; `cancel` keeps what is done so far."""

    def __init__(self, player: Player, command: Command) -> None:
        self.command = command
        self._player = player
        self._cancelled = threading.Event()
        self.result: Callable[[], None] | None = None

    def cancel(self) -> None:
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    def run(self, report: Report = lambda progress: None) -> None:
        """Raises InputError, with nothing changed, if the command cannot be carried out."""
        self.result = self._player._work(self.command, self, report)


class Player:
    def __init__(self, experiment: Experiment | None = None) -> None:
        self._run = Run(experiment or Experiment())
        scene = self._run.scene(0)
        self.job: Job | None = None
        self.frame = Frame(
            experiment=self._run.experiment,
            scene=scene,
            cursor=Cursor(),
            loss_step=scene.last_loss_step,
            learning=self._run.learning(),
            engine=engine.current().name,
        )

    # -- commands ------------------------------------------------------------------------------------

    def do(self, command: Command) -> Frame:
        """Carry out a command to its end. Raises InputError, with nothing changed, if it cannot be."""
        job = self.begin(command)
        if job is not None:
            try:
                job.run()
            finally:
                self.finish(job)
        return self.frame

    def begin(self, command: Command) -> Job | None:
        """Do a quick command now and return None; return a Job to be run for a slow one."""
        if isinstance(command, SLOW) or self._leads_to_update(command):
            if self.job is not None:
                self._hint("One thing at a time: esc stops what is running.")
                return None
            self.job = Job(self, command)
            return self.job
        self.frame = self._moved(replace(self.frame, hint=""), command)
        return None

    def note(self, progress: Progress) -> Frame:
        """A job under way tells how far it is."""
        if self.job is not None:
            self.frame = replace(self.frame, job=progress)
        return self.frame

    def refresh(self) -> Frame:
        """The same frame, saying which engine is in use now."""
        self.frame = replace(self.frame, engine=engine.current().name)
        return self.frame

    def finish(self, job: Job) -> Frame:
        """Make what a job has done the present."""
        self.job = None
        self.frame = replace(self.frame, job=None, engine=engine.current().name)
        if job.result is not None:
            job.result()
        return self.frame

    # -- quick: moving about in one scene --------------------------------------------------------------

    def _moved(self, frame: Frame, command: Command) -> Frame:
        match command:
            case Right() | Left():
                return self._stepped(frame, forward=isinstance(command, Right))
            case Next():
                return self._placed(frame, frame.cursor.place(frame.T) + 1)
            case Previous():
                return self._placed(frame, max(0, frame.cursor.place(frame.T) - 1))
            case Seek(t):
                t = min(max(t, 0), frame.T)
                phase = Phase.BACKWARD if frame.going_back else Phase.FORWARD
                return replace(frame, cursor=replace(frame.cursor, phase=phase, t=t))
            case ShowGradient(loss_step):
                return self._showing(frame, loss_step)
            case SelectUnit(by):
                unit = min(max(frame.cursor.unit + by, 0), frame.scene.H - 1)
                return replace(frame, cursor=replace(frame.cursor, unit=unit))
        raise TypeError(f"not a quick command: {command!r}")

    def _stepped(self, frame: Frame, forward: bool) -> Frame:
        """The arrows move the way the picture runs: after the turn, left goes on and right takes back."""
        place, T = frame.cursor.place(frame.T), frame.T
        if place <= T:
            if not forward and place == 0:
                return replace(frame, hint="This is the beginning: h₀ is all zeros.")
            return self._placed(frame, place + (1 if forward else -1))
        if forward and place == T + 1:
            return replace(frame, hint="The end is reached and the walk has turned: ← goes back in time.")
        if not forward and place >= 2 * T + 2:  # at t = 0, or past it
            return replace(frame, hint="Back at the beginning. enter makes the update; → takes steps back.")
        return self._placed(frame, place + (-1 if forward else 1))

    def _placed(self, frame: Frame, place: int) -> Frame:
        """To a place in the story of this scene, up to the loss and back; the update is a job of its own."""
        phase, t = phase_and_step(place, frame.T)
        return replace(frame, cursor=replace(frame.cursor, phase=phase, t=t))

    def _showing(self, frame: Frame, loss_step: int | str) -> Frame:
        last = frame.scene.last_loss_step
        match loss_step:
            case "total":
                chosen = None
            case "last":
                chosen = last
            case "switch":
                chosen = None if frame.loss_step is not None else last
            case int(k) if k in frame.scene.loss_steps:
                chosen = k
            case _:
                where = ", ".join(map(str, frame.scene.loss_steps))
                return replace(frame, hint=f"Step {loss_step} has no loss of its own; these have: {where}.")
        return replace(frame, loss_step=chosen)

    def _hint(self, text: str) -> None:
        self.frame = replace(self.frame, hint=text)

    # -- slow: training, and beginning anew ------------------------------------------------------------

    def _leads_to_update(self, command: Command) -> bool:
        """The step of the story into the update, and the one beyond it, train a batch."""
        return isinstance(command, Next) and self.frame.cursor.place(self.frame.T) >= 2 * self.frame.T + 2

    def _work(self, command: Command, job: Job, report: Report) -> Callable[[], None]:
        match command:
            case Train(amount, count):
                return self._train(amount, count, job, report)
            case Back(amount):
                return self._back(amount)
            case ShowSample(by):
                sample = (self.frame.scene.sample + by) % len(self._run.task)
                scene = self._run.scene(sample).complete()
                return lambda: self._present(scene, keep_gradient=True)
            case Change(settings):
                return self._change(settings)
            case Next() if self.frame.cursor.phase is not Phase.UPDATE:
                return self._update()
            case Next():
                return self._train("batch", 1, job, report)
        raise TypeError(f"not a slow command: {command!r}")

    def _train(self, amount: str, count: int, job: Job, report: Report) -> Callable[[], None]:
        timeline, per_epoch = self._run.timeline, self._run.timeline.training.batches_per_epoch
        epoch, batch = timeline.place
        all_epochs = self._run.experiment.epochs - epoch
        total = count if amount == "batch" else (count if amount == "epoch" else all_epochs) * per_epoch - batch
        if total <= 0:
            over = f"All {self._run.experiment.epochs} epochs are done; e trains one more."
            return lambda: self._hint(over)
        done: int = 0
        loss: float | None = None
        while done < total and not job.is_cancelled:
            chunk = min(total - done, per_epoch)
            before = timeline.place
            loss = timeline.advance(chunk, lambda: not job.is_cancelled)
            done += self._batches_between(before, timeline.place)
            report(Progress("training", done, total, loss))
        sample = self.frame.scene.sample
        scene = self._run.scene(sample).complete()
        hint = "" if done == total else f"Stopped after {done} of {total} batches; nothing is lost."
        return lambda: self._present(scene, hint=hint)

    def _batches_between(self, a: Place, b: Place) -> int:
        per_epoch = self._run.timeline.training.batches_per_epoch
        return (b[0] - a[0]) * per_epoch + b[1] - a[1]

    def _back(self, amount: str) -> Callable[[], None]:
        timeline = self._run.timeline
        epoch, batch = timeline.place
        if (epoch, batch) == (0, 0):
            return lambda: self._hint("This is the untrained start.")
        match amount:
            case "batch":
                per_epoch = timeline.training.batches_per_epoch
                place = (epoch, batch - 1) if batch else (epoch - 1, per_epoch - 1)
            case "epoch":
                place = (epoch, 0) if batch else (epoch - 1, 0)
            case _:
                place = (0, 0)
        timeline.goto(place)
        scene = self._run.scene(self.frame.scene.sample).complete()
        return lambda: self._present(scene)

    def _update(self) -> Callable[[], None]:
        """Try the next batch's step, to tell what it does; the weights stay until the story goes on."""
        timeline = self._run.timeline
        place, model = timeline.place, timeline.training.model
        old = {name: w.copy() for name, w in model.params.items()}
        loss = timeline.advance(1, lambda: True)
        new = {name: w.copy() for name, w in timeline.training.model.params.items()}
        after = self._run.scene(self.frame.scene.sample).trace.loss
        timeline.goto(place)
        with np.errstate(all="ignore"):
            rows = tuple(
                (name, float(np.linalg.norm(w)), float(np.linalg.norm(new[name] - w)))
                for name, w in old.items()
            )
        update = Update(rows, float("nan") if loss is None else loss, self.frame.scene.trace.loss, after)

        def show() -> None:
            cursor = replace(self.frame.cursor, phase=Phase.UPDATE, t=0)
            self.frame = replace(self.frame, cursor=cursor, update=update, hint="")

        return show

    def _change(self, settings: tuple[tuple[str, object], ...]) -> Callable[[], None]:
        names = [name for name, _ in settings]
        run = Run(Experiment.from_mapping({**self._run.experiment.to_dict(), **dict(settings)}, ", ".join(names)))
        scene = run.scene(0).complete()

        def show() -> None:
            self._run = run
            self._present(scene)

        return show

    def _present(self, scene: Scene, *, keep_gradient: bool = False, hint: str = "") -> None:
        """A new scene under the cursor: same phase and step where it has them, else its beginning."""
        old, cursor = self.frame, self.frame.cursor
        epoch, batch = self._run.timeline.place
        at_update = cursor.phase is Phase.UPDATE
        phase = Phase.FORWARD if at_update else cursor.phase
        t = 0 if at_update else min(cursor.t, scene.T)
        if phase is Phase.LOSS:
            t = scene.T
        was_last = old.loss_step == old.scene.last_loss_step
        keeps = old.loss_step is None or (not was_last and old.loss_step in scene.loss_steps)
        self.frame = replace(
            old,
            experiment=self._run.experiment,
            scene=scene,
            cursor=Cursor(epoch, batch, phase, t, min(cursor.unit, scene.H - 1)),
            loss_step=old.loss_step if keeps else scene.last_loss_step,
            learning=self._run.learning(),
            update=None,
            hint=hint,
        )


def open_player(experiment: Experiment | None = None) -> Player:
    """Raises InputError in one line for an experiment that cannot run."""
    try:
        return Player(experiment)
    except MemoryError:
        raise InputError("this experiment does not fit in memory; use fewer steps, units or sequences") from None
