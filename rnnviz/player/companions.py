"""Companions: the runs that are compared with the present one, trained equally long."""

from __future__ import annotations

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.spec import CELLS
from rnnviz.player.jobs import Job
from rnnviz.player.session import Report, Session
from rnnviz.player.timeline import Place
from rnnviz.scene.frame import Progress
from rnnviz.scene.scene import Companion, Settings

MOST_KEPT = 4  # the most companions whose training is kept


class Stopped(Exception):  # noqa: N818
    """The job was cancelled before the companions were trained equally long."""


class Companions:
    """Makes companions, and keeps the training of the last few."""

    def __init__(self) -> None:
        self._sessions: dict[Settings, Session] = {}

    def beside(
        self, present: Settings, pinned: Settings | None, place: Place, sample: int, loss_step: int | None = None,
        job: Job | None = None, report: Report = lambda progress: None,
    ) -> tuple[Companion, ...]:  # fmt: skip
        """Those to be shown beside the present run: the other cells, or what was pinned. A cell these
        settings cannot have (a simple RNN has no gates for chrono) is left out. Each has the gradient row of
        `loss_step`, where it has that. Raises Stopped if `job` was."""
        wanted = (
            [pinned] if pinned else [Settings(requested, present.cut) for requested in _other_cells(present.requested)]
        )
        found = []
        for number, settings in enumerate(wanted):
            try:
                session = self._session(settings)
            except InputError:
                continue
            for epoch in range(session.timeline.place[0] + 1, place[0]):
                session.timeline.goto((epoch, 0), lambda: job is None or not job.is_cancelled)
                if job is not None and job.is_cancelled:
                    raise Stopped
                done = number * place[0] + epoch
                report(Progress("training the other cells", done, len(wanted) * place[0], unit="epochs"))
            session.timeline.goto((place[0], min(place[1], session.timeline.training.batches_per_epoch - 1)))
            scene = session.scene(min(sample, len(session.task) - 1), loss_step)
            found.append(Companion(settings, scene))
        return tuple(found)

    def follow(self, present: Settings, pinned: Settings | None, place: Place) -> None:
        """Train them, or go back, to the place of the present run."""
        self.beside(present, pinned, place, 0)

    def _session(self, settings: Settings) -> Session:
        session = self._sessions.pop(settings, None) or Session(settings.requested, cut=settings.cut)
        self._sessions[settings] = session  # the last used comes last
        while len(self._sessions) > MOST_KEPT:
            del self._sessions[next(iter(self._sessions))]
        return session


def _other_cells(requested: Experiment) -> list[Experiment]:
    return [requested.with_(cell=cell) for cell in CELLS if cell != requested.cell]
