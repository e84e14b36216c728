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
from copy import copy
from dataclasses import replace
from time import perf_counter

import numpy as np

from rnnviz.errors import InputError
from rnnviz.experiment import cost
from rnnviz.experiment.ablation import without_loop
from rnnviz.experiment.build import build_model, build_task, build_training, resolved, trace_of
from rnnviz.experiment.experiment import OF_TASK, Experiment
from rnnviz.nn import engine
from rnnviz.nn.cells import CELLS
from rnnviz.player.companions import Companions, Stopped
from rnnviz.player.history import History, Moment
from rnnviz.player.timeline import Place, Timeline
from rnnviz.player.training_frames import Album
from rnnviz.scene.commands import (
    SLOW,
    Alone,
    Back,
    Change,
    Check,
    Command,
    Compare,
    Cut,
    DismissGhost,
    Go,
    Left,
    Measure,
    Next,
    Pin,
    Previous,
    Redo,
    Right,
    Seek,
    SelectUnit,
    ShowGradient,
    ShowSample,
    Survey,
    Train,
    Undo,
)
from rnnviz.scene.cursor import Cursor, Phase, phase_and_step
from rnnviz.scene.frame import Frame, Learning, Progress, Scene, Seen, Update
from rnnviz.scene.ghost import Ghost, difference, ghost_of
from rnnviz.views import analysis, perturbation
from rnnviz.views.comparison import Settings
from rnnviz.views.horizon_history import Field, Ray, ray

Report = Callable[[Progress], None]

#: Seconds between two reports of an epoch under way.
BETWEEN_REPORTS = 0.2


class Run:
    """One experiment's data, network and training history. `asked` is the experiment before its task filled in
    what it leaves open; `cut` shows the network with its loop cut, as one that has none always is."""

    def __init__(self, experiment: Experiment, *, cut: bool = False) -> None:
        self.asked = experiment
        self.experiment = resolved(experiment)
        self.cut = (cut or not experiment.loop) and CELLS[experiment.cell].recurrent
        cost.fit(self.experiment)
        self.task = build_task(self.experiment)
        model = build_model(self.experiment, self.task)
        self.timeline = Timeline(build_training(self.experiment, model, self.task))
        self._rays: dict[tuple[int, int], Ray] = {}  # by (sequence, epoch)

    def learning(self) -> Learning:
        timeline = self.timeline
        return Learning(
            epochs=self.experiment.epochs,
            batches_per_epoch=timeline.training.batches_per_epoch,
            batch_size=self.experiment.batch_size,
            loss=tuple(timeline.losses),
            val_loss=tuple(timeline.val_losses),
        )

    def survey(self, sample: int, report: Report, keep_going: Callable[[], bool]) -> None:
        """Work out the rays of every epoch known so far that are not known yet."""
        here, known = self.timeline.training.snapshot(), len(self.timeline.losses)
        for epoch in range(known + 1):
            if not keep_going():
                break
            if (sample, epoch) not in self._rays:
                self.timeline.goto((epoch, 0), keep_going)
                self._rays[sample, epoch] = ray(trace_of(self.timeline.training.model, self.task, sample))
                report(Progress("measuring past epochs", epoch + 1, known + 1, unit="epochs"))
        self.timeline.training.restore(here)

    def field(self, sample: int) -> Field | None:
        """The rays known for this sequence."""
        known = {epoch: ray for (n, epoch), ray in self._rays.items() if n == sample}
        return Field(sample, known) if known else None

    @property
    def settings(self) -> Settings:
        return Settings(self.asked, self.cut)

    def lasting(self, experiment: Experiment) -> Run:
        """The same training with another number of epochs to go."""
        run = copy(self)
        run.asked, run.experiment = experiment, resolved(experiment)
        return run

    def scene(self, sample: int) -> Scene:
        """Read and walk back sequence `sample` with the weights as they are now."""
        model = self.timeline.training.model
        if self.cut:
            model = without_loop(model)
        return Scene(self.task, sample, model, trace_of(model, self.task, sample))


class Job:
    """A slow command under way. `run` does the work and reports; `cancel` keeps what is done so far."""

    def __init__(self, player: Player, command: Command) -> None:
        self.command = command
        self.pictures = 0
        self._player = player
        self._cancelled = threading.Event()
        self.result: Callable[[], None] | None = None

    def cancel(self) -> None:
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    def run(self, report: Report = lambda progress: None, pictures: int = 0) -> None:
        """`pictures`: how many of the reports of a training show the network on its way, at most.
        Raises InputError, with nothing changed, if the command cannot be carried out."""
        self.pictures = pictures
        self.result = self._player._work(self.command, self, report)


class Player:
    def __init__(self, experiment: Experiment | None = None, *, live: bool = False) -> None:
        """live: an app draws its frames, and must not wait (see Frame)."""
        self._run = Run(experiment or Experiment())
        scene = self._run.scene(0)
        self.job: Job | None = None
        self.frame = Frame(
            experiment=self._run.experiment,
            scene=scene,
            cursor=Cursor(),
            loss_step=scene.last_loss_step,
            learning=self._run.learning(),
            hint=next(iter(self._run.task.notes), ""),
            engine=engine.current().name,
            asked=self._run.asked,
            live=live,
        )
        self._history = History(Moment(self._run, self.frame))
        self._companions = Companions(lambda settings: Run(settings.asked, cut=settings.cut))

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
        """Do a quick command now and return None; return a Job to be run for a slow one. Raises InputError,
        with nothing changed, for a quick one that cannot be carried out."""
        if isinstance(command, SLOW) or self._leads_to_update(command):
            if self.job is not None and not self._gives_way(command):
                return None
            job = Job(self, command)
            if self._is_light(command):
                job.run()
                self.finish(job)
                return None
            self.job = job
            return job
        self.frame = self._moved(replace(self.frame, hint=""), command)
        return None

    def note(self, progress: Progress) -> Frame:
        """A job under way reports how far it is; where it shows the network on its way, the cursor stays."""
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
            cursor=replace(_after_update(frame.cursor), epoch=seen.epoch, batch=0),
            learning=seen.learning,
            update=None,
        )

    def refresh(self) -> Frame:
        """The same frame, saying which engine is in use now."""
        self.frame = replace(self.frame, engine=engine.current().name)
        return self.frame

    def finish(self, job: Job) -> Frame:
        """Make what a job has done the present; a job that gave way to another has nothing to say."""
        if self.job is not None and job is not self.job:
            return self.frame
        self.job = None
        self.frame = replace(self.frame, job=None, engine=engine.current().name)
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
            case Go(phase, t):
                t = frame.T if phase == Phase.LOSS else min(max(t, 0), frame.T)
                return replace(frame, cursor=replace(frame.cursor, phase=Phase(phase), t=t))
            case ShowGradient(loss_step):
                return self._showing(frame, loss_step)
            case SelectUnit(by):
                unit = min(max(frame.cursor.unit + by, 0), frame.scene.H - 1)
                return replace(frame, cursor=replace(frame.cursor, unit=unit))
            case DismissGhost() if frame.ghost is None:
                return replace(frame, hint="There is no ghost; the next change of a knob makes one.")
            case DismissGhost():
                return replace(frame, ghost=None)
            case Alone():
                return replace(frame, comparing=False)
        raise TypeError(f"not a quick command: {command!r}")

    def _stepped(self, frame: Frame, forward: bool) -> Frame:
        """The arrows move the way the picture runs: after the turn, left goes on and right takes back."""
        place, T = frame.cursor.place(frame.T), frame.T
        if place <= T:
            if not forward and place == 0:
                return replace(frame, hint="This is the beginning: h₀ is all zeros.")
            return self._placed(frame, place + (1 if forward else -1))
        if forward and place == T + 1:
            return replace(frame, hint="End of the sequence; [left] now goes back in time.")
        if not forward and place >= 2 * T + 2:  # at t = 0, or past it
            return replace(frame, hint="Back at h₀. The update comes next; [right] returns along the steps.")
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
                return replace(frame, hint=f"Step {loss_step} carries no loss; these steps do: {where}.")
        return replace(frame, loss_step=chosen)

    def _hint(self, text: str) -> None:
        self.frame = replace(self.frame, hint=text)

    # -- slow: training, and beginning anew ------------------------------------------------------------

    def _leads_to_update(self, command: Command) -> bool:
        """The step of the story into the update, and the one beyond it, train a batch."""
        return isinstance(command, Next) and self.frame.cursor.place(self.frame.T) >= 2 * self.frame.T + 2

    def _work(self, command: Command, job: Job, report: Report) -> Callable[[], None]:
        match command:
            case Survey():
                sample = self.frame.scene.sample
                self._run.survey(sample, report, lambda: not job.is_cancelled)
                return lambda: self._with_field(sample)
            case Train(amount, count):
                return self._train(amount, count, job, report)
            case Back(amount):
                return self._back(amount)
            case ShowSample(by):
                sample = (self.frame.scene.sample + by) % len(self._run.task)
                scene = self._scene(self._run, sample)
                ghost = self.frame.ghost and self.frame.ghost.showing(sample)
                return lambda: self._present(scene, ghost=ghost)
            case Change(settings):
                return self._change(settings)
            case Cut():
                return self._cut()
            case Measure("perturbed", t, parts):
                perturbation.work(self.frame.scene, t, parts, report, lambda: job.is_cancelled)
                return lambda: None
            case Measure("triangle" | "gain" as what):
                analysis.work(self.frame.scene, what, report, lambda: job.is_cancelled)
                return lambda: None
            case Check():
                said = analysis.check(self.frame.scene, report)
                return lambda: self._hint(said)
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

    def _train(self, amount: str, count: int, job: Job, report: Report, *, onward: bool = False) -> Callable[[], None]:
        timeline, per_epoch = self._run.timeline, self._run.timeline.training.batches_per_epoch
        epoch, batch = timeline.place
        all_epochs = self._run.experiment.epochs - epoch
        total = count if amount == "batch" else (count if amount == "epoch" else all_epochs) * per_epoch - batch
        if total <= 0:
            over = f"All {self._run.experiment.epochs} epochs are done; [epoch] trains one more."
            return lambda: self._hint(over)
        done: int = 0
        loss: float | None = None
        sample, album = self.frame.scene.sample, Album(job.pictures)
        while done < total and not job.is_cancelled:
            chunk = min(total - done, per_epoch)
            before = timeline.place

            reported = perf_counter()

            def within(begun: int = done, whole: int = done + chunk, before: Place = before) -> bool:
                """A long epoch says how far it is."""
                nonlocal reported
                here = begun + self._batches_between(before, timeline.place)
                if here < whole and perf_counter() - reported > BETWEEN_REPORTS:
                    report(Progress("training", here, total, timeline.loss))
                    reported = perf_counter()
                return not job.is_cancelled

            loss = timeline.advance(chunk, within)
            done += self._batches_between(before, timeline.place)
            if self.frame.comparing:
                self._companions.follow(self._run.settings, self.frame.pinned, timeline.place)
            seen = album.picture(done, total, lambda: self._seen(sample))
            report(Progress("training", done, total, loss, seen=seen))
        scene = self._scene(self._run, sample)
        hint = "" if done == total else f"Stopped after {done} of {total} batches; nothing is lost."
        return lambda: self._present(scene, hint=hint, onward=onward)

    def _seen(self, sample: int) -> Seen:
        return Seen(self._scene(self._run, sample), self._run.learning(), self._run.timeline.place[0])

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
        scene = self._scene(self._run, self.frame.scene.sample)
        return lambda: self._present(scene)

    def _update(self) -> Callable[[], None]:
        """Try the next batch's step, to tell what it does; the weights stay until the story goes on."""
        timeline = self._run.timeline
        here, model = timeline.training.snapshot(), timeline.training.model
        old = {name: w.copy() for name, w in model.params.items()}
        loss = timeline.advance(1, lambda: True)
        new = {name: w.copy() for name, w in timeline.training.model.params.items()}
        after = self._run.scene(self.frame.scene.sample).trace.loss
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

    def _is_light(self, command: Command) -> bool:
        """Whether a slow command is done before anyone can see it, and so needs no job."""
        match command:
            case Change(settings):
                try:
                    return not self.frame.comparing and is_small(resolved(changed(self._run.asked, settings)))
                except InputError:
                    return True  # it is told at once
            case Cut():
                return is_small(self._run.experiment) and not self.frame.comparing
            case Pin():
                return not self.frame.comparing
            case Undo() | Redo():
                moment = self._history.next(back=isinstance(command, Undo))
                place = moment.frame.cursor.epoch, moment.frame.cursor.batch
                return moment.run.timeline.holds(place)
        return False

    def _change(self, settings: tuple[tuple[str, object], ...]) -> Callable[[], None]:
        before, asked = self._run, changed(self._run.asked, settings)
        what = told(before.asked, asked)
        if not what:
            return lambda: self._hint("Already set to this value.")
        only_epochs = before.asked.with_(epochs=asked.epochs) == asked
        run = before.lasting(asked) if only_epochs else Run(asked, cut=before.cut and before.asked.loop)
        same_data = asked.task == before.asked.task
        sample = min(self.frame.scene.sample, len(run.task) - 1) if same_data else 0
        scene = self.frame.scene if only_epochs else self._scene(run, sample, plots=not is_small(run.experiment))
        lost = before.timeline.place > (0, 0) and not only_epochs
        hint = "Restarted untrained. [all] trains, [undo] restores the trained network." if lost else ""
        hint = next((note for note in run.task.notes if note not in before.task.notes), hint)

        def show() -> None:
            ghost = self.frame.ghost or ghost_of(self.frame)
            self._leave(what)
            self._run = run
            self._present(scene, hint=hint, ghost=ghost)

        return show

    def _cut(self) -> Callable[[], None]:
        cell = CELLS[self._run.asked.cell]
        if not cell.recurrent:
            return lambda: self._hint(f"There is no loop to cut: {cell.noun} has no recurrent weights W_hh.")
        if not self._run.asked.loop:
            return lambda: self._hint("This network has no loop to close: the setting loop is off.")
        run = copy(self._run)
        run.cut = not run.cut
        scene = self._scene(run, self.frame.scene.sample, plots=not is_small(run.experiment))

        def show() -> None:
            self._leave("the loop cut" if run.cut else "the loop closed")
            self._run = run
            self._present(scene, ghost=self.frame.ghost)

        return show

    def settle(self, *, ghost: bool) -> Frame:
        """What led here was not a person's doing: no hint of it and nothing to undo, and without `ghost` no run
        before to compare with either."""
        self.frame = replace(self.frame, hint="", ghost=self.frame.ghost if ghost else None)
        self._history = History(Moment(self._run, self.frame))
        return self.frame

    def _leave(self, what: str) -> None:
        """The present becomes a moment that undo comes back to."""
        self._history.keep(Moment(self._run, replace(self.frame, hint=""), what))

    def _restore(self, *, back: bool) -> Callable[[], None]:
        present = Moment(self._run, replace(self.frame, hint=""))
        moment = self._history.back(present) if back else self._history.forward(present)
        if moment is None:
            nothing = "Nothing to undo." if back else "Nothing was undone."
            return lambda: self._hint(nothing)
        moment.run.timeline.goto((moment.frame.cursor.epoch, moment.frame.cursor.batch))
        hint = f"Undone: {moment.what}. [redo] repeats it." if back and moment.what and self._history.undos else ""

        def show() -> None:
            self._run = moment.run
            self.frame = replace(moment.frame, job=None, hint=hint, engine=engine.current().name)

        return show

    # -- beside others ---------------------------------------------------------------------------------

    def _scene(self, run: Run, sample: int, *, plots: bool = True) -> Scene:
        """A run's scene, and beside it those it is compared with. Without `plots` what the plots need is worked
        out when someone looks at them."""
        scene, frame = run.scene(sample), self.frame
        if plots:
            scene.complete()
        if frame.comparing:
            scene.beside[frame.pinned] = self._companions.beside(run.settings, frame.pinned, run.timeline.place, sample)
        return scene

    def _compare(self, pinned: Settings | None, job: Job, report: Report) -> Callable[[], None]:
        run, scene = self._run, self.frame.scene
        try:
            beside = self._companions.beside(run.settings, pinned, run.timeline.place, scene.sample, job, report)
        except Stopped:
            return lambda: self._hint("Stopped: the other cells are not trained to this epoch.")

        def show() -> None:
            scene.beside[pinned] = beside
            self.frame = replace(self.frame, comparing=True, pinned=pinned, hint="")

        return show

    def _pin(self, job: Job, report: Report) -> Callable[[], None]:
        frame, settings = self.frame, self._run.settings
        pinned = None if frame.pinned == settings else settings
        if frame.comparing:
            return self._compare(pinned, job, report)
        hint = "Pinned: change a setting, then [compare] shows both." if pinned else "Unpinned."

        def show() -> None:
            self.frame = replace(self.frame, pinned=pinned, hint=hint)

        return show

    def _present(self, scene: Scene, *, hint: str = "", ghost: Ghost | None = None, onward: bool = False) -> None:
        """A new scene under the cursor: same phase and step where it has them; with `onward`, where the story goes on
        after an update, at its beginning."""
        old, cursor, run = self.frame, self.frame.cursor, self._run
        epoch, batch = run.timeline.place
        ghost = ghost or old.ghost
        if ghost is not None:
            ghost = replace(ghost, name=difference(ghost, run.asked, epoch, batch, run.cut))
        cursor = Cursor() if onward else _after_update(cursor)
        t = scene.T if cursor.phase is Phase.LOSS else min(cursor.t, scene.T)
        was_last = old.loss_step == old.scene.last_loss_step
        keeps = old.loss_step is None or (not was_last and old.loss_step in scene.loss_steps)
        self.frame = replace(
            old,
            experiment=self._run.experiment,
            scene=scene,
            cursor=Cursor(epoch, batch, cursor.phase, t, min(old.cursor.unit, scene.H - 1)),
            loss_step=old.loss_step if keeps else scene.last_loss_step,
            learning=self._run.learning(),
            update=None,
            hint=hint,
            asked=run.asked,
            ghost=ghost,
            cut=run.cut,
            field=run.field(scene.sample),
        )

    def _with_field(self, sample: int) -> None:
        self.frame = replace(self.frame, field=self._run.field(sample))


def _after_update(cursor: Cursor) -> Cursor:
    """An update is of the weights before: what is left of it is the walk that led to it, at its end."""
    return replace(cursor, phase=Phase.BACKWARD, t=0) if cursor.phase is Phase.UPDATE else cursor


def changed(asked: Experiment, settings: tuple[tuple[str, object], ...]) -> Experiment:
    """`asked` with some settings changed. Raises InputError naming the one that is wrong."""
    new = dict(settings)
    left_open = dict.fromkeys(OF_TASK) if new.get("task", asked.task) != asked.task else {}
    try:
        return Experiment.from_mapping({**asked.to_dict(), **left_open, **new}, "")
    except InputError as error:  # it names the setting
        raise InputError(str(error).removeprefix(": ")) from None


def told(old: Experiment, new: Experiment) -> str:
    """What changed, in words: `gain 1.0 → 0.7`."""
    return ", ".join(
        f"{one.label} {one.show(getattr(old, one.name))} → {one.show(getattr(new, one.name))}"
        for one in old.differences(new)
    )


def is_small(experiment: Experiment) -> bool:
    """Whether data, network and scene of an experiment as resolved() leaves it are made in a few milliseconds."""
    gates = len(CELLS[experiment.cell].blocks)
    points = experiment.points if experiment.task == "sine" else 0
    return (
        experiment.task not in ("names", "characters")
        and experiment.hidden_size * experiment.num_layers * gates <= 128
        and (experiment.seq_len or 0) <= 60
        and (experiment.samples or 0) <= 1000
        and points <= 100
    )


def open_player(experiment: Experiment | None = None, *, live: bool = False) -> Player:
    """Raises InputError in one line for an experiment that cannot run."""
    try:
        return Player(experiment, live=live)
    except MemoryError:
        raise InputError("this experiment does not fit in memory; use fewer steps, units or sequences") from None
