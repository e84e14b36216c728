"""Companions: the runs that are compared with the present one, trained to where it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.spec import CELLS
from rnnviz.player.timeline import Place
from rnnviz.scene.frame import Progress
from rnnviz.views.comparison import Companion, Settings

if TYPE_CHECKING:
    from rnnviz.player.player import Job, Report, Run

MOST_KEPT = 4  # companions whose training is kept


class Stopped(Exception):  # noqa: N818
    """Companions were not trained to where they should be: the job was cancelled."""


class Companions:
    """Makes companions, and keeps the training of the last few."""

    def __init__(self, make: Callable[[Settings], Run]) -> None:
        self._make = make
        self._runs: dict[Settings, Run] = {}

    def beside(
        self, present: Settings, pinned: Settings | None, place: Place, sample: int,
        job: Job | None = None, report: Report = lambda progress: None,
    ) -> tuple[Companion, ...]:  # fmt: skip
        """Those to be shown beside the present run: the other cells, or what was pinned. A cell these
        settings cannot have (a simple RNN has no gates for chrono) is left out. Raises Stopped if `job` was."""
        wanted = [pinned] if pinned else [Settings(asked, present.cut) for asked in _other_cells(present.asked)]
        found = []
        for number, settings in enumerate(wanted):
            try:
                run = self._run(settings)
            except InputError:
                continue
            for epoch in range(run.timeline.place[0] + 1, place[0]):
                run.timeline.goto((epoch, 0), lambda: job is None or not job.is_cancelled)
                if job is not None and job.is_cancelled:
                    raise Stopped
                done = number * place[0] + epoch
                report(Progress("training the other cells", done, len(wanted) * place[0], unit="epochs"))
            run.timeline.goto((place[0], min(place[1], run.timeline.training.batches_per_epoch - 1)))
            scene = run.scene(min(sample, len(run.task) - 1))
            scene.gradient(scene.last_loss_step)  # what is drawn first, computed here and not while drawing
            found.append(Companion(settings, scene))
        return tuple(found)

    def follow(self, present: Settings, pinned: Settings | None, place: Place) -> None:
        """Train them on, or back, to where the present run is."""
        self.beside(present, pinned, place, 0)

    def _run(self, settings: Settings) -> Run:
        run = self._runs.pop(settings, None) or self._make(settings)
        self._runs[settings] = run  # the last used stands last
        while len(self._runs) > MOST_KEPT:
            del self._runs[next(iter(self._runs))]
        return run


def _other_cells(asked: Experiment) -> list[Experiment]:
    return [asked.with_(cell=cell) for cell in CELLS if cell != asked.cell]
