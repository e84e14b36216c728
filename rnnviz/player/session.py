"""Session: one experiment with its data, its network, and its training so far."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

from rnnviz.experiment import cost
from rnnviz.experiment.ablation import without_loop
from rnnviz.experiment.build import build_model, build_task, build_training, resolved, trace_of
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.cell_table import CELLS
from rnnviz.player.timeline import Timeline
from rnnviz.scene.frame import Learning, Progress
from rnnviz.scene.horizon_history import HorizonHistory, Profile
from rnnviz.scene.scene import Scene, Settings
from rnnviz.views.horizon_history import profile
from rnnviz.views.prepare import read

Report = Callable[[Progress], None]


class Session:
    """`requested` is the experiment before its task filled in open settings; `cut` shows the network with its loop cut,
    which a network without a loop always is. Raises InputError for an experiment that cannot run."""

    def __init__(self, experiment: Experiment, *, cut: bool = False) -> None:
        self.requested = experiment
        self.experiment = resolved(experiment)
        self.cut = (cut or not experiment.loop) and CELLS[experiment.cell].recurrent
        cost.fit(self.experiment)
        self.task = build_task(self.experiment)
        model = build_model(self.experiment, self.task)
        self.timeline = Timeline(build_training(self.experiment, model, self.task))
        self._profiles: dict[tuple[int, int], Profile] = {}  # by (sequence, epoch)

    @property
    def settings(self) -> Settings:
        return Settings(self.requested, self.cut)

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
        """Read and walk back sequence `sample` with the weights as they are now."""
        model = self.timeline.training.model
        if self.cut:
            model = without_loop(model)
        return read(self.task, sample, model, loss_step=loss_step)

    def lasting(self, experiment: Experiment) -> Session:
        """The same training with another number of epochs."""
        session = copy(self)
        session.requested, session.experiment = experiment, resolved(experiment)
        return session

    def with_loop_turned(self) -> Session:
        """The same training, its network shown with its loop cut, or closed again."""
        session = copy(self)
        session.cut = not session.cut
        return session

    def survey(self, sample: int, report: Report, keep_going: Callable[[], bool]) -> None:
        """Compute the missing profiles of all epochs trained so far."""
        here, known = self.timeline.training.snapshot(), len(self.timeline.losses)
        for epoch in range(known + 1):
            if not keep_going():
                break
            if (sample, epoch) not in self._profiles:
                self.timeline.goto((epoch, 0), keep_going)
                self._profiles[sample, epoch] = profile(trace_of(self.timeline.training.model, self.task, sample))
                report(Progress("measuring past epochs", epoch + 1, known + 1, unit="epochs"))
        self.timeline.training.restore(here)

    def horizons(self, sample: int) -> HorizonHistory | None:
        """The profiles known for this sequence."""
        known = {epoch: profile for (n, epoch), profile in self._profiles.items() if n == sample}
        return HorizonHistory(sample, known) if known else None
