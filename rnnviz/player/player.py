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

from dataclasses import replace
from time import perf_counter

import numpy as np

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import engine
from rnnviz.nn.cell_table import CELLS
from rnnviz.player.changes import changed, describe_change, ghost_of, reading
from rnnviz.player.companions import Companions, Stopped
from rnnviz.player.history import History, Moment
from rnnviz.player.jobs import Job, Show
from rnnviz.player.moves import chosen_loss_step, lacking, moved, scenes_with
from rnnviz.player.session import Report, Session
from rnnviz.player.timeline import Place
from rnnviz.player.training_frames import Album
from rnnviz.scene.commands import (
    SLOW,
    Back,
    Change,
    Check,
    Command,
    Compare,
    Cut,
    Measure,
    Next,
    Pin,
    Redo,
    ShowGradient,
    ShowSample,
    Survey,
    Train,
    Undo,
)
from rnnviz.scene.cursor import Cursor, Phase
from rnnviz.scene.frame import Frame, Progress, Seen, Update
from rnnviz.scene.ghost import Ghost, difference
from rnnviz.scene.scene import Companion, Scene, Settings
from rnnviz.views.prepare import is_light, likewise, prepare, with_known
from rnnviz.words.gradient_check import verdict

#: A scene, and the runs beside it.
Picture = tuple[Scene, tuple[Companion, ...] | None]

#: Seconds between two reports of an epoch under way.
BETWEEN_REPORTS = 0.2


class Player:
    def __init__(self, experiment: Experiment | None = None, *, live: bool = False) -> None:
        """live: an app draws its frames, and must not wait (see Frame)."""
        self._session = Session(experiment or Experiment())
        scene = self._session.scene(0)
        if scene.task.lag is not None and is_light(scene, Measure("outcome")):
            scene = prepare(scene, Measure("outcome"))  # the answers are shown below the score
        self.job: Job | None = None
        self.frame = Frame(
            experiment=self._session.experiment,
            scene=scene,
            cursor=Cursor(),
            loss_step=scene.last_loss_step,
            learning=self._session.learning(),
            hint=next(iter(self._session.task.notes), ""),
            engine=engine.current().name,
            requested=self._session.requested,
            live=live,
        )
        self._history = History(Moment(self._session, self.frame))
        self._companions = Companions()

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
        if self.is_slow(command):
            if self.job is not None and not self._gives_way(command):
                return None
            self.job = Job(command, self._work)
            return self.job
        self.frame = moved(replace(self.frame, hint=""), command)
        return None

    def is_slow(self, command: Command) -> bool:
        """Whether a command trains, builds or passes through the network, and so is a job."""
        if isinstance(command, ShowGradient):
            return lacking(self.frame, chosen_loss_step(self.frame, command.loss_step))
        return isinstance(command, SLOW) or self._leads_to_update(command)

    def note(self, progress: Progress) -> Frame:
        """The frame after a job's progress report; if it shows the network during training, the cursor stays."""
        if self.job is not None:
            self.frame = replace(self.frame, job=replace(progress, seen=None))
            if progress.seen is not None:
                self._see(progress.seen)
        return self.frame

    def _see(self, seen: Seen) -> None:
        frame = self.frame
        self.frame = replace(
            frame,
            scene=seen.scene,
            beside=seen.beside,
            cursor=replace(_after_update(frame.cursor), epoch=seen.epoch, batch=0),
            loss_step=_loss_step_in(seen.scene, frame),
            learning=seen.learning,
            update=None,
        )

    def refresh(self) -> Frame:
        """The same frame with the engine in use now."""
        name = engine.current().name
        if name != self.frame.engine:
            self.frame = replace(self.frame, engine=name)
        return self.frame

    def finish(self, job: Job) -> Frame:
        """Make a job's result the present; the result of a job that gave way to another is dropped."""
        if self.job is not None and job is not self.job:
            return self.frame
        self.job = None
        if self.frame.job is not None:
            self.frame = replace(self.frame, job=None)
        self.refresh()
        if job.result is not None:
            job.result()
        return self.frame

    def _gives_way(self, command: Command) -> bool:
        """Whether the job under way makes room for a command: what nobody asked for does, to what someone did."""
        assert self.job is not None
        if isinstance(command, Measure) and not command.outdates(self.job.command):
            return False
        if isinstance(self.job.command, Measure):
            self.job.cancel()
            self.job = None
            self.frame = replace(self.frame, job=None)
            return True
        self._hint("One job at a time: [cancel] stops the one that runs.")
        return False

    def _hint(self, text: str) -> None:
        self.frame = replace(self.frame, hint=text)

    def _leads_to_update(self, command: Command) -> bool:
        """Whether a step leads into the update or beyond it, which trains a batch."""
        return isinstance(command, Next) and self.frame.cursor.place(self.frame.T) >= 2 * self.frame.T + 2

    def _work(self, command: Command, job: Job, report: Report) -> Show:
        match command:
            case Survey():
                sample = self.frame.scene.sample
                self._session.survey(sample, report, lambda: not job.is_cancelled)
                return lambda: self._with_field(sample)
            case Train(amount, count):
                return self._train(amount, count, job, report)
            case Back(amount):
                return self._back(amount)
            case ShowSample(by):
                return self._show_sample((self.frame.scene.sample + by) % len(self._session.task))
            case ShowGradient(loss_step):
                return self._show_gradient(chosen_loss_step(self.frame, loss_step))
            case Change(settings):
                return self._change(settings)
            case Cut():
                return self._cut()
            case Measure():
                made = prepare(self.frame.scene, command, report=report, is_cancelled=lambda: job.is_cancelled)
                return lambda: self._learn([made])
            case Check():
                return self._check(report)
            case Undo() | Redo():
                return self._restore(back=isinstance(command, Undo))
            case Compare():
                return self._compare(self.frame.pinned, job, report)
            case Pin():
                return self._pin(job, report)
            case Next() if self.frame.cursor.phase is not Phase.UPDATE:
                return self._update()
            case Next():
                return self._train("batch", 1, job, report, onward=True)
        raise TypeError(f"not a slow command: {command!r}")

    # -- what is known of a scene --------------------------------------------------------------------------

    def _learn(self, made: list[Scene]) -> None:
        """What was prepared of the scenes that are on the screen, if they still are."""
        known = {scene.trace: scene.known for scene in made}

        def with_more(scene: Scene) -> Scene:
            return with_known(scene, known.get(scene.trace, {}))

        frame = self.frame
        self.frame = replace(
            frame,
            scene=with_more(frame.scene),
            ghost=frame.ghost and replace(frame.ghost, scene=with_more(frame.ghost.scene)),
            beside=frame.beside and tuple(replace(c, scene=with_more(c.scene)) for c in frame.beside),
        )

    def _show_gradient(self, loss_step: int | None) -> Show:
        frame, wanted = self.frame, [Measure("gradient", loss_step)]
        if Measure("ledger", frame.loss_step) in frame.scene.known:  # where that was looked at
            wanted.append(Measure("ledger", loss_step))
        made = [prepare(scene, *(wanted if scene is frame.scene else wanted[:1]))
                for scene in scenes_with(frame, loss_step)]  # fmt: skip

        def show() -> None:
            self._learn(made)
            if self.frame.scene.has_gradient(loss_step):
                self.frame = replace(self.frame, loss_step=loss_step, hint="")

        return show

    def _check(self, report: Report) -> Show:
        made = prepare(self.frame.scene, Measure("checked"), report=report)

        def show() -> None:
            self._learn([made])
            self._hint(verdict(made.known[Measure("checked")]))

        return show

    # -- training --------------------------------------------------------------------------------------------

    def _train(self, amount: str, count: int, job: Job, report: Report, *, onward: bool = False) -> Show:
        timeline, per_epoch = self._session.timeline, self._session.timeline.training.batches_per_epoch
        epoch, batch = timeline.place
        all_epochs = self._session.experiment.epochs - epoch
        total = count if amount == "batch" else (count if amount == "epoch" else all_epochs) * per_epoch - batch
        if total <= 0:
            over = f"All {self._session.experiment.epochs} epochs are done; [epoch] trains one more."
            return lambda: self._hint(over)
        done: int = 0
        loss: float | None = None
        sample, album = self.frame.scene.sample, Album(job.pictures)
        while done < total and not job.is_cancelled:
            chunk = min(total - done, per_epoch)
            before = timeline.place

            reported = perf_counter()

            def within(begun: int = done, whole: int = done + chunk, before: Place = before) -> bool:
                """Report progress within a long epoch."""
                nonlocal reported
                here = begun + self._batches_between(before, timeline.place)
                if here < whole and perf_counter() - reported > BETWEEN_REPORTS:
                    report(Progress("training", here, total, timeline.loss))
                    reported = perf_counter()
                return not job.is_cancelled

            loss = timeline.advance(chunk, within)
            done += self._batches_between(before, timeline.place)
            if self.frame.comparing:
                self._companions.follow(self._session.settings, self.frame.pinned, timeline.place)
            seen = album.picture(done, total, lambda: self._seen(sample))
            report(Progress("training", done, total, loss, seen=seen))
        picture = self._picture(self._session, sample)
        hint = "" if done == total else f"Stopped after {done} of {total} batches; nothing is lost."
        return lambda: self._present(picture, hint=hint, onward=onward)

    def _seen(self, sample: int) -> Seen:
        return Seen(*self._picture(self._session, sample), self._session.learning(), self._session.timeline.place[0])

    def _batches_between(self, a: Place, b: Place) -> int:
        per_epoch = self._session.timeline.training.batches_per_epoch
        return (b[0] - a[0]) * per_epoch + b[1] - a[1]

    def _back(self, amount: str) -> Show:
        timeline = self._session.timeline
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
        picture = self._picture(self._session, self.frame.scene.sample)
        return lambda: self._present(picture)

    def _update(self) -> Show:
        """Compute the next batch's step to show its effect; the weights stay until the next event."""
        timeline = self._session.timeline
        here, model = timeline.training.snapshot(), timeline.training.model
        old = {name: w.copy() for name, w in model.params.items()}
        loss = timeline.advance(1, lambda: True)
        new = {name: w.copy() for name, w in timeline.training.model.params.items()}
        after = self._session.scene(self.frame.scene.sample).trace.loss
        timeline.training.restore(here)
        with np.errstate(all="ignore"):
            rows = tuple(
                (name, float(np.linalg.norm(w)), float(np.linalg.norm(new[name] - w))) for name, w in old.items()
            )
        update = Update(rows, float("nan") if loss is None else loss, self.frame.scene.trace.loss, after)

        def show() -> None:
            cursor = replace(self.frame.cursor, phase=Phase.UPDATE, t=0)
            self.frame = replace(self.frame, cursor=cursor, update=update, hint="")

        return show

    # -- changing the cause, and going back on it --------------------------------------------------------

    def _change(self, settings: tuple[tuple[str, object], ...]) -> Show:
        before, requested = self._session, changed(self._session.requested, settings)
        what = describe_change(before.requested, requested)
        if not what:
            return lambda: self._hint("Already set to this value.")
        only_epochs = before.requested.with_(epochs=requested.epochs) == requested
        session = (
            before.lasting(requested) if only_epochs else Session(requested, cut=before.cut and before.requested.loop)
        )
        same_data = requested.task == before.requested.task
        sample = min(self.frame.scene.sample, len(session.task) - 1) if same_data else 0
        picture = (self.frame.scene, self.frame.beside) if only_epochs else self._picture(session, sample)
        lost = before.timeline.place > (0, 0) and not only_epochs
        hint = "Restarted untrained. [all] trains, [undo] restores the trained network." if lost else ""
        hint = next((note for note in session.task.notes if note not in before.task.notes), hint)

        def show() -> None:
            ghost = self.frame.ghost or ghost_of(self.frame)
            self._leave(what)
            self._session = session
            self._present(picture, hint=hint, ghost=ghost)

        return show

    def _cut(self) -> Show:
        cell = CELLS[self._session.requested.cell]
        if not cell.recurrent:
            return lambda: self._hint(f"There is no loop to cut: {cell.noun} has no recurrent weights W_hh.")
        if not self._session.requested.loop:
            return lambda: self._hint("This network has no loop to close: the setting loop is off.")
        session = self._session.with_loop_turned()
        picture = self._picture(session, self.frame.scene.sample)

        def show() -> None:
            self._leave("the loop cut" if session.cut else "the loop closed")
            self._session = session
            self._present(picture, ghost=self.frame.ghost)

        return show

    def settle(self, *, ghost: bool) -> Frame:
        """Forget that commands led here, since the user did not send them: no hint, no undo, and without `ghost` no
        ghost."""
        self.frame = replace(self.frame, hint="", ghost=self.frame.ghost if ghost else None)
        self._history = History(Moment(self._session, self.frame))
        return self.frame

    def _leave(self, what: str) -> None:
        """Store the present as a moment for undo."""
        self._history.keep(Moment(self._session, replace(self.frame, hint=""), what))

    def _restore(self, *, back: bool) -> Show:
        present = Moment(self._session, replace(self.frame, hint=""))
        moment = self._history.back(present) if back else self._history.forward(present)
        if moment is None:
            nothing = "Nothing to undo." if back else "Nothing was undone."
            return lambda: self._hint(nothing)
        moment.session.timeline.goto((moment.frame.cursor.epoch, moment.frame.cursor.batch))
        hint = f"Undone: {moment.what}. [redo] repeats it." if back and moment.what and self._history.undos else ""

        def show() -> None:
            self._session = moment.session
            self.frame = replace(moment.frame, job=None, hint=hint, engine=engine.current().name)

        return show

    # -- what is shown -------------------------------------------------------------------------------------

    def _picture(self, session: Session, sample: int) -> Picture:
        """A session's scene, with what is known of the present one where that takes but a moment, and beside it those
        it is compared with."""
        frame = self.frame
        scene = session.scene(sample, frame.loss_step)
        scene = prepare(scene, Measure("outcome"), *likewise(scene, frame.scene.known, frame.cursor.t))
        if not frame.comparing:
            return scene, None
        place = session.timeline.place
        return scene, self._companions.beside(session.settings, frame.pinned, place, sample, frame.loss_step)

    def _compare(self, pinned: Settings | None, job: Job, report: Report) -> Show:
        settings, place, frame = self._session.settings, self._session.timeline.place, self.frame
        try:
            beside = self._companions.beside(
                settings, pinned, place, frame.scene.sample, frame.loss_step, job, report
            )  # fmt: skip
        except Stopped:
            return lambda: self._hint("Stopped: the other cells are not trained to this epoch.")

        def show() -> None:
            self.frame = replace(self.frame, comparing=True, pinned=pinned, beside=beside, hint="")

        return show

    def _pin(self, job: Job, report: Report) -> Show:
        frame, settings = self.frame, self._session.settings
        pinned = None if frame.pinned == settings else settings
        if frame.comparing:
            return self._compare(pinned, job, report)
        hint = "Pinned: change a setting, then [compare] shows both." if pinned else "Unpinned."

        def show() -> None:
            self.frame = replace(self.frame, pinned=pinned, hint=hint)

        return show

    def _show_sample(self, sample: int) -> Show:
        picture, ghost = self._picture(self._session, sample), self.frame.ghost
        read = ghost and reading(ghost, sample, self.frame.loss_step)
        return lambda: self._present(picture, ghost=read)

    def _present(
        self, picture: Picture, *, hint: str = "", ghost: Ghost | None = None, onward: bool = False
    ) -> None:  # fmt: skip
        """Show a new scene: at the same phase and step if it has them; with `onward`, after an update, at its
        beginning."""
        old, cursor, session = self.frame, self.frame.cursor, self._session
        scene, beside = picture
        epoch, batch = session.timeline.place
        ghost = ghost or old.ghost
        if ghost is not None:
            ghost = replace(ghost, name=difference(ghost, session.requested, epoch, batch, session.cut))
        cursor = Cursor() if onward else _after_update(cursor)
        t = scene.T if cursor.phase is Phase.LOSS else min(cursor.t, scene.T)
        self.frame = replace(
            old,
            experiment=session.experiment,
            scene=scene,
            beside=beside,
            cursor=Cursor(epoch, batch, cursor.phase, t, min(old.cursor.unit, scene.H - 1)),
            loss_step=_loss_step_in(scene, old),
            learning=session.learning(),
            update=None,
            hint=hint,
            requested=session.requested,
            ghost=ghost,
            cut=session.cut,
            field=session.field(scene.sample),
        )

    def _with_field(self, sample: int) -> None:
        self.frame = replace(self.frame, field=self._session.field(sample))


def _after_update(cursor: Cursor) -> Cursor:
    """The cursor for weights after an update: at the end of the way back that led to it."""
    return replace(cursor, phase=Phase.BACKWARD, t=0) if cursor.phase is Phase.UPDATE else cursor


def _loss_step_in(scene: Scene, old: Frame) -> int | None:
    """Whose gradient is shown of a new scene: the same as before, where it has that; the last where it was the last."""
    was_last = old.loss_step == old.scene.last_loss_step
    keeps = old.loss_step is None or (not was_last and old.loss_step in scene.loss_steps)
    return old.loss_step if keeps and scene.has_gradient(old.loss_step) else scene.last_loss_step


def open_player(experiment: Experiment | None = None, *, live: bool = False) -> Player:
    """Raises InputError in one line for an experiment that cannot run."""
    try:
        return Player(experiment, live=live)
    except MemoryError:
        raise InputError("this experiment does not fit in memory; use fewer steps, units or sequences") from None
