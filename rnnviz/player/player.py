"""Player: a run (an experiment of ours, say) with its history, and a cursor in it. Commands in, frames out.

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

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import engine
from rnnviz.player.changes import change, cut, opened, restore, typed
from rnnviz.player.jobs import Job, Show
from rnnviz.player.kinds.experiment import ExperimentRun
from rnnviz.player.kinds.opening import NetworkOpening, Opening
from rnnviz.player.kinds.run import Report, Run
from rnnviz.player.looking import check, compare, follow, pin, show_gradient, show_sample, survey
from rnnviz.player.moves import chosen_loss_step, lacking, moved
from rnnviz.player.present import NOTHING, Present
from rnnviz.player.training import back, train, update
from rnnviz.scene.commands import (
    SLOW,
    Back,
    Change,
    Check,
    Command,
    Compare,
    Cut,
    Follow,
    Measure,
    Next,
    Open,
    Pin,
    Redo,
    SaveModel,
    ShowGradient,
    ShowSample,
    Survey,
    Train,
    TypeSequence,
    Undo,
    action_of,
)
from rnnviz.scene.cursor import Phase
from rnnviz.scene.frame import Frame, Progress
from rnnviz.views.prepare import prepare


class Player:
    def __init__(
        self, source: Experiment | Run | None = None, *, live: bool = False, refused: Mapping[str, str] = NOTHING
    ) -> None:
        """source: an experiment, or a run of any kind. live: an app draws its frames, and must not wait (see
        Frame). refused: actions and settings that are not for this session, each with the reason."""
        self.job: Job | None = None
        run = run_of(source or Experiment()) if source is None or isinstance(source, Experiment) else source
        self._now = Present(run, live=live, refused=refused)

    @property
    def frame(self) -> Frame:
        """What is shown now."""
        return self._now.frame

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
        """Do a quick command now and return None; return a Job to be run for a slow one. What this run cannot do is not
        done: the frame's hint says why."""
        name = "update" if self._leads_to_update(command) else action_of(command)
        reason = self.frame.cannot.get(name)
        if reason is not None:
            self._now.hint(reason)
            return None
        for name, _ in command.settings if isinstance(command, Change) else ():
            if name in self.frame.cannot:
                raise InputError(f"{name}: {self.frame.cannot[name]}")
        if self.is_slow(command):
            if self.job is not None and not self._gives_way(command):
                return None
            self.job = Job(command, self._work)
            return self.job
        self._now.frame = moved(replace(self.frame, hint=""), command)
        return None

    def is_slow(self, command: Command) -> bool:
        """Whether a command trains, builds or passes through the network, and so is a job."""
        if isinstance(command, ShowGradient):
            if not self.frame.scene.has_loss and command.loss_step == "switch":
                return False  # each row has both norms
            return lacking(self.frame, chosen_loss_step(self.frame, command.loss_step))
        return isinstance(command, SLOW) or self._leads_to_update(command)

    def note(self, progress: Progress) -> Frame:
        """The frame after a job's progress report; if it shows the network during training, the cursor stays."""
        if self.job is not None:
            self._now.frame = replace(self.frame, job=replace(progress, seen=None))
            if progress.seen is not None:
                self._now.see(progress.seen)
        return self.frame

    def refresh(self) -> Frame:
        """The same frame with the engine in use now."""
        name = engine.current().name
        if name != self.frame.engine:
            self._now.frame = replace(self.frame, engine=name)
        return self.frame

    def finish(self, job: Job) -> Frame:
        """Make a job's result the present; the result of a job that gave way to another is dropped."""
        if self.job is not None and job is not self.job:
            return self.frame
        self.job = None
        if self.frame.job is not None:
            self._now.frame = replace(self.frame, job=None)
        self.refresh()
        if job.result is not None:
            job.result()
        return self.frame

    def _gives_way(self, command: Command) -> bool:
        """Whether the job under way makes room for a command: what nobody asked for does, to what someone did."""
        assert self.job is not None
        if isinstance(command, Follow) or (isinstance(command, Measure) and not command.outdates(self.job.command)):
            return False
        if isinstance(self.job.command, Measure | Follow):
            self.job.cancel()
            self.job = None
            self._now.frame = replace(self.frame, job=None)
            return True
        self._now.hint("One job at a time: [cancel] stops the one that runs.")
        return False

    def _leads_to_update(self, command: Command) -> bool:
        """Whether a step leads into the update or beyond it, which trains a batch."""
        return isinstance(command, Next) and self.frame.cursor.place(self.frame.T) >= 2 * self.frame.T + 2

    def _work(self, command: Command, job: Job, report: Report) -> Show:
        now = self._now
        match command:
            case Follow():
                return follow(now, job)
            case Survey():
                return survey(now, job, report)
            case Train(amount, count):
                return train(now, amount, count, job, report)
            case Back(amount):
                return back(now, amount)
            case ShowSample(by):
                return show_sample(now, (self.frame.scene.sample + by) % len(now.run.task))
            case ShowGradient(loss_step):
                return show_gradient(now, chosen_loss_step(self.frame, loss_step), job, report)
            case Change(settings):
                return change(now, settings)
            case Cut():
                return cut(now)
            case Open(source, epochs):
                return opened(now, run_of(source), job, report, epochs)
            case SaveModel(path, overwrites):
                text = now.run.save(path, overwrites=overwrites)
                return lambda: now.hint(text)
            case TypeSequence(text):
                return typed(now, text)
            case Measure():
                scenes, ghost = [self.frame.scene], self.frame.ghost
                if command.is_of_ghost and ghost is not None and ghost.is_like(self.frame.experiment):
                    scenes.append(ghost.scene)
                made = [prepare(s, command, report=report, is_cancelled=lambda: job.is_cancelled) for s in scenes]
                return lambda: now.learn(made)
            case Check():
                return check(now, report)
            case Undo() | Redo():
                return restore(now, back=isinstance(command, Undo))
            case Compare():
                return compare(now, self.frame.pinned, job, report)
            case Pin():
                return pin(now, job, report)
            case Next() if self.frame.cursor.phase is not Phase.UPDATE:
                return update(now)
            case Next():
                return train(now, "batch", 1, job, report, onward=True)
        raise TypeError(f"not a slow command: {command!r}")

    @property
    def grows(self) -> bool:
        """Whether there may be news."""
        return self._now.run.grows

    def has_news(self) -> bool:
        """Whether Follow may find something new. May be asked from any thread."""
        return self._now.run.has_news()

    def out_of_memory(self) -> Frame:
        """Give back the memory of earlier changes, and of what is compared. The frame of where the run is now."""
        now = self._now
        now.settle()
        now.frame = replace(now.frame, ghost=None, beside=None, comparing=False, job=None)
        with suppress(MemoryError):
            now.show(now.picture(now.run, now.frame.scene.sample))
        now.settle()
        return self.frame

    def settle(self, *, ghost: bool) -> Frame:
        """Forget that commands led here, since the user did not send them: no hint, no undo, and without `ghost` no
        ghost."""
        self._now.frame = replace(self.frame, hint="", ghost=self.frame.ghost if ghost else None)
        self._now.settle()
        return self.frame


def run_of(source: Experiment | Opening | NetworkOpening, say: Callable[[str], None] = lambda text: None) -> Run:
    """Raises InputError as open_player does."""
    if isinstance(source, NetworkOpening):
        from rnnviz.player.kinds.network import NetworkRun  # not above: an experiment does not need it

        return NetworkRun(source)
    if isinstance(source, Opening):
        from rnnviz.player.kinds.recording import RecordingRun  # not above: an experiment does not need it

        return RecordingRun(source, say)
    return ExperimentRun(source)


def open_player(
    source: Experiment | Opening | NetworkOpening | None = None, *, live: bool = False, typed: str | None = None,
    into: int = 1, say: Callable[[str], None] = lambda text: None, refused: Mapping[str, str] = NOTHING,
) -> Player:  # fmt: skip
    """typed: a sequence to read in place of number `into`, counted from 1. say: is given what takes more than a moment.
    refused: see Player.

    Raises InputError in one line for an experiment that cannot run, a recording or a file of weights that cannot be
    opened, and text that is no sequence."""
    try:
        run = run_of(source or Experiment(), say)
        return Player(run if typed is None else typed_into(run, typed, into), live=live, refused=refused)
    except MemoryError:
        raise InputError("this does not fit in memory; use fewer steps, units or sequences") from None


def typed_into(run: Run, text: str, number: int = 1) -> Run:
    """The run with a typed sequence in place of one of its own. Raises InputError that begins with "input: "."""
    try:
        if not 1 <= number <= len(run.task):
            raise InputError(f"the data has the sequences 1 to {len(run.task)}")
        return run.with_typed(text, number - 1)
    except InputError as error:
        raise InputError(f"input: {error}") from None
