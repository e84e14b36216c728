"""Companions: the experiments that are compared with the present one, trained equally long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.spec import CELLS
from rnnviz.player.kinds.run import KeepGoing, Place, Report, Stopped
from rnnviz.player.timeline import Timeline
from rnnviz.scene.frame import Progress
from rnnviz.scene.scene import Companion, Compared, Scene, Settings
from rnnviz.tasks import Task

MOST_KEPT = 4  # the most companions whose training is kept
MOST_CELLS = 3  # beside the present one: the rows of more would not fit a small screen; any other can be pinned


class Trained(Protocol):
    """A run as far as it is needed here (experiment.py has it)."""

    timeline: Timeline
    task: Task

    def scene(self, sample: int, loss_step: int | None = None) -> Scene: ...


class Companions:
    """Makes companions, and keeps the training of the last few. `make` raises InputError for settings that cannot
    be."""

    def __init__(self, make: Callable[[Settings], Trained]) -> None:
        self._make = make
        self._runs: dict[Settings, Trained] = {}

    def beside(
        self, present: Settings, pinned: Compared | None, place: Place, sample: int, loss_step: int | None = None,
        keep_going: KeepGoing = lambda: True, report: Report = lambda progress: None,
    ) -> tuple[Companion, ...]:  # fmt: skip
        """Those to be shown beside the present run: the first of the other cells, or what was pinned. One these
        settings cannot have (a simple RNN has no gates for chrono) is left out. Each has the gradient row of
        `loss_step`, where it has that. Raises Stopped if it may not keep going."""
        wanted = [Settings(requested, present.cut) for requested in _other_cells(present.requested)]
        if isinstance(pinned, Settings):
            wanted = [pinned]
        found: list[Companion] = []
        for settings in wanted:
            if len(found) == MOST_CELLS:
                break
            try:
                run = self._run(settings)
            except InputError:
                continue
            for epoch in range(run.timeline.place[0] + 1, place[0]):
                run.timeline.goto((epoch, 0), keep_going)
                if not keep_going():
                    raise Stopped
                done, most = len(found) * place[0] + epoch, min(len(wanted), MOST_CELLS)
                report(Progress("training other cells", done, most * place[0], unit="epochs"))
            run.timeline.goto((place[0], min(place[1], run.timeline.training.batches_per_epoch - 1)))
            scene = run.scene(min(sample, len(run.task) - 1), loss_step)
            found.append(Companion(settings, scene))
        return tuple(found)

    def _run(self, settings: Settings) -> Trained:
        run = self._runs.pop(settings, None) or self._make(settings)
        self._runs[settings] = run  # the last used comes last
        while len(self._runs) > MOST_KEPT:
            del self._runs[next(iter(self._runs))]
        return run


def _other_cells(requested: Experiment) -> list[Experiment]:
    return [requested.with_(cell=cell) for cell in CELLS if cell != requested.cell]
