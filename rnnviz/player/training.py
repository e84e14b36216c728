"""Train, go back in training, and the update: the work of these commands (see present.py)."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import numpy as np

from rnnviz.player.jobs import Job, Show
from rnnviz.player.present import Present
from rnnviz.player.session import Report
from rnnviz.player.timeline import Place
from rnnviz.player.training_frames import Album
from rnnviz.scene.cursor import Phase
from rnnviz.scene.frame import Progress, Seen, Update

#: Seconds between two reports of an epoch under way.
BETWEEN_REPORTS = 0.2


def train(now: Present, amount: str, count: int, job: Job, report: Report, *, onward: bool = False) -> Show:
    timeline, per_epoch = now.session.timeline, now.session.timeline.training.batches_per_epoch
    epoch, batch = timeline.place
    all_epochs = now.session.experiment.epochs - epoch
    total = count if amount == "batch" else (count if amount == "epoch" else all_epochs) * per_epoch - batch
    if total <= 0:
        over = f"All {now.session.experiment.epochs} epochs are done; [epoch] trains one more."
        return lambda: now.hint(over)
    done: int = 0
    loss: float | None = None
    sample, album = now.frame.scene.sample, Album(job.pictures)
    while done < total and not job.is_cancelled:
        chunk = min(total - done, per_epoch)
        before = timeline.place

        reported = perf_counter()

        def within(begun: int = done, whole: int = done + chunk, before: Place = before) -> bool:
            """Report progress within a long epoch."""
            nonlocal reported
            here = begun + _batches_between(now, before, timeline.place)
            if here < whole and perf_counter() - reported > BETWEEN_REPORTS:
                report(Progress("training", here, total, timeline.loss))
                reported = perf_counter()
            return not job.is_cancelled

        loss = timeline.advance(chunk, within)
        done += _batches_between(now, before, timeline.place)
        if now.frame.comparing:
            now.companions.follow(now.session.settings, now.frame.pinned, timeline.place)
        seen = album.picture(done, total, lambda: _seen(now, sample))
        report(Progress("training", done, total, loss, seen=seen))
    picture = now.picture(now.session, sample)
    hint = "" if done == total else f"Stopped after {done} of {total} batches; nothing is lost."
    return lambda: now.show(picture, hint=hint, onward=onward)


def back(now: Present, amount: str) -> Show:
    timeline = now.session.timeline
    epoch, batch = timeline.place
    if (epoch, batch) == (0, 0):
        return lambda: now.hint("This is the untrained start.")
    match amount:
        case "batch":
            per_epoch = timeline.training.batches_per_epoch
            place = (epoch, batch - 1) if batch else (epoch - 1, per_epoch - 1)
        case "epoch":
            place = (epoch, 0) if batch else (epoch - 1, 0)
        case _:
            place = (0, 0)
    timeline.goto(place)
    picture = now.picture(now.session, now.frame.scene.sample)
    return lambda: now.show(picture)


def update(now: Present) -> Show:
    """Compute the next batch's step to show its effect; the weights stay until the next event."""
    timeline = now.session.timeline
    here, model = timeline.training.snapshot(), timeline.training.model
    old = {name: w.copy() for name, w in model.params.items()}
    loss = timeline.advance(1, lambda: True)
    new = {name: w.copy() for name, w in timeline.training.model.params.items()}
    after = now.session.scene(now.frame.scene.sample).trace.loss
    timeline.training.restore(here)
    with np.errstate(all="ignore"):
        rows = tuple((name, float(np.linalg.norm(w)), float(np.linalg.norm(new[name] - w))) for name, w in old.items())
    effect = Update(rows, float("nan") if loss is None else loss, now.frame.scene.trace.loss, after)

    def show() -> None:
        cursor = replace(now.frame.cursor, phase=Phase.UPDATE, t=0)
        now.frame = replace(now.frame, cursor=cursor, update=effect, hint="")

    return show


def _seen(now: Present, sample: int) -> Seen:
    return Seen(*now.picture(now.session, sample), now.session.learning(), now.session.timeline.place[0])


def _batches_between(now: Present, a: Place, b: Place) -> int:
    per_epoch = now.session.timeline.training.batches_per_epoch
    return (b[0] - a[0]) * per_epoch + b[1] - a[1]
