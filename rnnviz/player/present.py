"""The present: the run that is open, the frame that shows it, and how the result of a job becomes it.

The work of a job (training.py, changes.py, looking.py) runs on the job's thread: it reads the present and may train
its run, but what is shown changes only in the function it returns, which `Player.finish` calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from rnnviz.nn import engine
from rnnviz.player.history import History, Moment
from rnnviz.player.kinds.run import Run
from rnnviz.scene.commands import Measure
from rnnviz.scene.cursor import Cursor, Phase
from rnnviz.scene.frame import Frame, Seen
from rnnviz.scene.ghost import Ghost, difference
from rnnviz.scene.scene import Companion, Scene
from rnnviz.views.prepare import is_light, likewise, prepare, with_known

NOTHING: Mapping[str, str] = MappingProxyType({})
#: A scene, and the runs beside it.
Picture = tuple[Scene, tuple[Companion, ...] | None]


class Present:
    """run: what is stepped through. frame: what is shown of it. history: the moments before changes. refused: what this
    session does not do, whatever the run can (see Frame.cannot)."""

    def __init__(self, run: Run, *, live: bool, refused: Mapping[str, str] = NOTHING) -> None:
        self.run, self.refused = run, refused
        scene = run.scene(0)
        if scene.task.lag is not None and is_light(scene, Measure("outcome")):
            scene = prepare(scene, Measure("outcome"))  # the answers are shown below the score
        self.frame = Frame(
            experiment=run.experiment,
            scene=scene,
            cursor=Cursor(*run.place),
            loss_step=scene.last_loss_step,
            learning=run.learning(),
            hint=next(iter(run.task.notes), ""),
            engine=engine.current().name,
            requested=run.requested,
            live=live,
            source=run.source,
            settings=run.settings,
            cannot={**run.cannot, **refused},
        )
        self.settle()

    def settle(self) -> None:
        """Forget that changes led here."""
        self.history = History(Moment(self.run, self.frame))

    def hint(self, text: str) -> None:
        self.frame = replace(self.frame, hint=text)

    def leave(self, what: str) -> None:
        """Store the present as a moment for undo."""
        self.history.keep(Moment(self.run, replace(self.frame, hint=""), what))

    def learn(self, made: list[Scene]) -> None:
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

    def picture(self, run: Run, sample: int, loss_step: int | None = None) -> Picture:
        """A run's scene, with what is known of the present one where that takes but a moment, and beside it those
        it is compared with. loss_step: whose gradient is to be known, where not that of the frame's."""
        frame = self.frame
        scene = run.scene(sample, frame.loss_step if loss_step is None else loss_step)
        scene = prepare(scene, Measure("outcome"), *likewise(scene, frame.scene.known, frame.cursor.t))
        if not frame.comparing:
            return scene, None
        return scene, run.beside(frame.pinned, sample, frame.loss_step, lambda: True, lambda progress: None)

    def show(self, picture: Picture, *, hint: str = "", ghost: Ghost | None = None, onward: bool = False) -> None:
        """Show a new scene: at the same phase and step if it has them; with `onward`, after an update, at its
        beginning."""
        old, cursor, run = self.frame, self.frame.cursor, self.run
        scene, beside = picture
        epoch, batch = run.place
        ghost = ghost or old.ghost
        if ghost is not None and run.requested is not None and not ghost.is_other_sequence:
            ghost = replace(ghost, name=difference(ghost, run.requested, epoch, batch, run.cut))
        cursor = Cursor() if onward else _after_update(cursor)
        t = scene.T if cursor.phase is Phase.LOSS else min(cursor.t, scene.T)
        self.frame = replace(
            old,
            experiment=run.experiment,
            scene=scene,
            beside=beside,
            cursor=Cursor(epoch, batch, cursor.phase, t, min(old.cursor.unit, scene.H - 1)),
            loss_step=_loss_step_in(scene, old),
            learning=run.learning(),
            update=None,
            hint=hint,
            requested=run.requested,
            ghost=ghost,
            cut=run.cut,
            source=run.source,
            settings=run.settings,
            cannot={**run.cannot, **self.refused},
            horizons=run.horizons(scene.sample),
        )

    def show_without_ghost(self, picture: Picture) -> None:
        self.frame = replace(self.frame, ghost=None)
        self.show(picture)

    def see(self, seen: Seen) -> None:
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

    def with_history(self) -> None:
        """What is known of other places; the scene stays."""
        frame, (epoch, batch) = self.frame, self.run.place
        self.frame = replace(
            frame, learning=self.run.learning(), cursor=replace(frame.cursor, epoch=epoch, batch=batch),
            horizons=self.run.horizons(frame.scene.sample) if frame.horizons is not None else None,
        )  # fmt: skip

    def with_horizons(self, sample: int) -> None:
        self.frame = replace(self.frame, horizons=self.run.horizons(sample))


def _after_update(cursor: Cursor) -> Cursor:
    """The cursor for weights after an update: at the end of the way back that led to it."""
    return replace(cursor, phase=Phase.BACKWARD, t=0) if cursor.phase is Phase.UPDATE else cursor


def _loss_step_in(scene: Scene, old: Frame) -> int | None:
    """Whose gradient is shown of a new scene: the same as before, where it has that; the last where it was the last."""
    was_last = old.loss_step == old.scene.last_loss_step
    keeps = old.loss_step is None or (not was_last and old.loss_step in scene.loss_steps)
    return old.loss_step if keeps and scene.has_gradient(old.loss_step) else scene.last_loss_step
