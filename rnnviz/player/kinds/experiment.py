"""The kind of run that is ours: an experiment with its data, its network, and its training so far."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from types import MappingProxyType

import numpy as np

from rnnviz import ways_out
from rnnviz.errors import AlreadyThereError, InputError
from rnnviz.experiment import cost
from rnnviz.experiment.ablation import without_loop
from rnnviz.experiment.build import build_model, build_task, build_training, resolved, task_in_view, trace_of
from rnnviz.experiment.experiment import OF_TASK, Experiment
from rnnviz.nn.cell_table import CELLS
from rnnviz.player.kinds.companions import Companions
from rnnviz.player.kinds.opening import BACKWARD, BOTH_WAYS, READS_BACK
from rnnviz.player.kinds.run import Changed, KeepGoing, Look, Place, Report
from rnnviz.player.timeline import Timeline
from rnnviz.scene.frame import Progress, Update
from rnnviz.scene.horizon_history import HorizonHistory, Profile
from rnnviz.scene.learning import Learning
from rnnviz.scene.scene import Companion, Compared, Scene, Settings
from rnnviz.tasks.typed import answered_by_itself, with_typed
from rnnviz.views.horizon_history import profile
from rnnviz.views.prepare import read

#: Seconds between two reports of an epoch under way.
BETWEEN_REPORTS = 0.2


#: What a cell of a person's own cannot do.
OWN_CELL: Mapping[str, str] = MappingProxyType(
    {
        "cut": "Your cell is code: which of its weights are the loop is not known.",
        "network": "Your cell is code: what flows along its edges is not known.",
        "weights": "Your cell is code: which of its arrays are W_ih and W_hh is not known.",
        "neuron": "Your cell is code: its sums cannot be written out with their numbers.",
        "code": "A program in PyTorch or Keras cannot contain your own cell.",
        "save": "The weights of your own cell fit no other program: they are not saved.",
    }
)


def cannot(experiment: Experiment) -> Mapping[str, str]:
    """What a network with these settings cannot do, and why: see Run.cannot."""
    cell = CELLS[experiment.cell]
    if cell.is_own:
        return OWN_CELL
    if cell.fixed_loop:
        return {"cut": f"There is no loop to cut: {cell.fixed_loop}.", **_both_ways(experiment)}
    if not experiment.loop:
        return {"cut": "This network has no loop to close: the setting loop is off.", **_both_ways(experiment)}
    return _both_ways(experiment)


def _both_ways(experiment: Experiment) -> Mapping[str, str]:
    """What is not shown of a bidirectional network, or of its backward direction."""
    if not experiment.bidirectional:
        return {}
    return {**BOTH_WAYS, **(READS_BACK if experiment.view_direction == BACKWARD else {})}


class ExperimentRun:
    """`requested` is the experiment before its task filled in open settings; `cut` shows the network with its loop cut,
    which a network without a loop always is. Raises InputError for an experiment that cannot run."""

    grows = False

    def __init__(self, experiment: Experiment, *, cut: bool = False, companions: Companions | None = None) -> None:
        self.requested = experiment
        self.experiment = resolved(experiment)
        self.cut = (cut or not experiment.loop) and not CELLS[experiment.cell].fixed_loop
        cost.fit(self.experiment)
        self.task = build_task(self.experiment)
        model = build_model(self.experiment, self.task)
        self.timeline = Timeline(build_training(self.experiment, model, self.task))
        self._profiles: dict[Place, Profile] = {}  # by (sequence, epoch)
        self._companions = companions or Companions(_like)

    @property
    def source(self) -> Experiment:
        return self.requested

    @property
    def settings(self) -> Settings:
        return Settings(self.requested, self.cut)

    @property
    def cannot(self) -> Mapping[str, str]:
        return cannot(self.requested)

    @property
    def place(self) -> Place:
        return self.timeline.place

    def learning(self) -> Learning:
        timeline = self.timeline
        return Learning(
            epochs=self.experiment.epochs,
            batches_per_epoch=timeline.training.batches_per_epoch,
            batch_size=self.experiment.batch_size,
            loss=tuple(timeline.losses),
            val_loss=tuple(timeline.val_losses),
        )

    def scene(self, sample: int, loss_step: int | None = None) -> Scene:
        training = self.timeline.training
        model = training.model
        is_other = self.cut and self.experiment.loop  # not the network that is trained
        if is_other:
            model = without_loop(model)
        start = None if is_other else training.start_of_sequence(sample)
        task = task_in_view(self.experiment, self.task)
        scene = read(task, sample, model, trace_of(model, task, sample, start), loss_step)
        return scene if start is None else replace(scene, in_next_batch=True)

    # -- time travel ---------------------------------------------------------------------------------------

    def goto(self, place: Place) -> None:
        self.timeline.goto(place)

    def forward(self, amount: str, count: int, keep_going: KeepGoing, look: Look, report: Report) -> tuple[bool, str]:
        """Train, with a report after each epoch, and within a long one."""
        timeline, per_epoch = self.timeline, self.timeline.training.batches_per_epoch
        epoch, batch = timeline.place
        all_epochs = self.experiment.epochs - epoch
        total = count if amount == "batch" else (count if amount == "epoch" else all_epochs) * per_epoch - batch
        if total <= 0:
            return False, f"All {self.experiment.epochs} epochs are done; [epoch] trains one more."
        done: int = 0
        while done < total and keep_going():
            chunk = min(total - done, per_epoch)
            before = timeline.place

            reported = perf_counter()

            def within(begun: int = done, whole: int = done + chunk, before: Place = before) -> bool:
                """Report progress within a long epoch."""
                nonlocal reported
                here = begun + self._batches_since(before)
                if here < whole and perf_counter() - reported > BETWEEN_REPORTS:
                    report(Progress("training", here, total, timeline.loss))
                    reported = perf_counter()
                return keep_going()

            loss = timeline.advance(chunk, within)
            done += self._batches_since(before)
            report(Progress("training", done, total, loss, seen=look(done, total)))
        return True, "" if done == total else f"Stopped after {done} of {total} batches; nothing is lost."

    def back(self, amount: str) -> str:
        epoch, batch = self.timeline.place
        if (epoch, batch) == (0, 0):
            return "This is the untrained start."
        match amount:
            case "batch":
                per_epoch = self.timeline.training.batches_per_epoch
                place = (epoch, batch - 1) if batch else (epoch - 1, per_epoch - 1)
            case "epoch":
                place = (epoch, 0) if batch else (epoch - 1, 0)
            case _:
                place = (0, 0)
        self.timeline.goto(place)
        return ""

    def update(self, scene: Scene) -> Update:
        timeline = self.timeline
        here, model = timeline.training.snapshot(), timeline.training.model
        old = {name: w.copy() for name, w in model.params.items()}
        loss = timeline.advance(1, lambda: True)
        new = {name: w.copy() for name, w in timeline.training.model.params.items()}
        after = self.scene(scene.sample).trace.loss
        timeline.training.restore(here)
        with np.errstate(all="ignore"):
            rows = tuple(
                (name, float(np.linalg.norm(w)), float(np.linalg.norm(new[name] - w))) for name, w in old.items()
            )
        return Update(rows, float("nan") if loss is None else loss, scene.trace.loss, after)

    def survey(self, sample: int, report: Report, keep_going: KeepGoing) -> None:
        """Compute the missing profiles of all epochs trained so far."""
        here, known = self.timeline.training.snapshot(), len(self.timeline.losses)
        task = task_in_view(self.experiment, self.task)
        for epoch in range(known + 1):
            if not keep_going():
                break
            if (sample, epoch) not in self._profiles:
                self.timeline.goto((epoch, 0), keep_going)
                self._profiles[sample, epoch] = profile(trace_of(self.timeline.training.model, task, sample))
                report(Progress("measuring past epochs", epoch + 1, known + 1, unit="epochs"))
        self.timeline.training.restore(here)

    def horizons(self, sample: int) -> HorizonHistory | None:
        known = {epoch: profile for (n, epoch), profile in self._profiles.items() if n == sample}
        return HorizonHistory(sample, known) if known else None

    def _batches_since(self, before: Place) -> int:
        place, per_epoch = self.timeline.place, self.timeline.training.batches_per_epoch
        return (place[0] - before[0]) * per_epoch + place[1] - before[1]

    def has_news(self) -> bool:
        return False

    def refresh(self, keep_going: KeepGoing) -> bool:
        return False

    # -- changes -------------------------------------------------------------------------------------------

    def changed(self, settings: tuple[tuple[str, object], ...]) -> Changed | None:
        requested = _with(self.requested, settings)
        what = _differences(self.requested, requested)
        if not what:
            return None
        if requested.bidirectional and self.requested.with_(view_direction=requested.view_direction) == requested:
            run = copy(self)
            run.requested, run.experiment, run._profiles = requested, resolved(requested), {}
            return Changed(run, what, same_data=True, same_picture=False, same_network=True)
        if self.requested.with_(epochs=requested.epochs) == requested:
            return Changed(self._lasting(requested), what, same_data=True, same_picture=True)
        run = ExperimentRun(requested, cut=self.cut and self.requested.loop, companions=self._companions)
        return Changed(run, what, same_data=requested.task == self.requested.task, same_picture=False)

    def _lasting(self, experiment: Experiment) -> ExperimentRun:
        """The same training with another number of epochs. Raises InputError for more than may be trained here."""
        run = copy(self)
        run.requested, run.experiment = experiment, resolved(experiment)
        cost.fit(run.experiment)
        return run

    def save(self, path: str, *, overwrites: bool) -> str:
        """The network that is trained: with its loop, though it may be shown without. A file that ends in .toml takes
        the settings, as a person left them."""
        file, model = Path(path).expanduser(), self.timeline.training.model
        if not path.strip():
            raise InputError("name the file, such as model.safetensors")
        if not overwrites and (file.exists() or file.is_symlink()):
            raise AlreadyThereError(f"{path} exists; press enter again to overwrite it")
        if file.suffix.lower() == ".toml":
            ways_out.write(path, self.requested.to_toml(), overwrites=overwrites)
            return f"Saved the experiment: {path}"
        model.save(file)
        return f"Saved {model.parameter_count:,} parameters, epoch {self.place[0]}: {path}"

    def with_typed(self, text: str, sample: int) -> ExperimentRun:
        run, task = copy(self), self.task.original or self.task
        if text.strip():
            task = with_typed(self.task, sample, text)
            if task.typed is not None and task.typed.is_own_answer:
                steps = int(task.lengths[sample])
                model = self.timeline.training.model.in_float64
                task = answered_by_itself(task, model.forward(task.x[sample, :steps, None])[:, 0])
        run.task = task
        return run

    def with_loop_turned(self) -> ExperimentRun:
        run = copy(self)
        run.cut = not run.cut
        return run

    # -- others beside it ----------------------------------------------------------------------------------

    def beside(
        self, pinned: Compared | None, sample: int, loss_step: int | None, keep_going: KeepGoing, report: Report
    ) -> tuple[Companion, ...]:
        """What was pinned, or the other cells, trained equally long."""
        return self._companions.beside(self.settings, pinned, self.place, sample, loss_step, keep_going, report)

    def follow(self, pinned: Compared | None) -> None:
        self._companions.beside(self.settings, pinned, self.place, 0)


def _like(settings: Settings) -> ExperimentRun:
    return ExperimentRun(settings.requested, cut=settings.cut)


def _with(requested: Experiment, settings: tuple[tuple[str, object], ...]) -> Experiment:
    """`requested` with some settings changed. Raises InputError naming the one that is wrong."""
    new = dict(settings)
    left_open = OF_TASK if new.get("task", requested.task) != requested.task else {}
    try:
        return Experiment.from_mapping({**requested.to_dict(), **left_open, **new}, "")
    except InputError as error:  # it names the setting
        raise InputError(str(error).removeprefix(": ")) from None


def _differences(old: Experiment, new: Experiment) -> str:
    """What changed, in words: `recurrent gain 1.0 → 0.7`."""
    return ", ".join(
        f"{one.label} {one.show(getattr(old, one.name))} → {one.show(getattr(new, one.name))}"
        for one in old.differences(new)
    )
