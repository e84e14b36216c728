"""Time travel and the update: the work of these commands (see present.py)."""

from __future__ import annotations

from dataclasses import replace

from rnnviz.player.jobs import Job, Show
from rnnviz.player.kinds.run import Report
from rnnviz.player.present import Present
from rnnviz.player.training_frames import Album
from rnnviz.scene.cursor import Phase
from rnnviz.scene.frame import Seen


def train(now: Present, amount: str, count: int, job: Job, report: Report, *, onward: bool = False) -> Show:
    run, sample, album = now.run, now.frame.scene.sample, Album(job.pictures)

    def look(done: int, total: int) -> Seen | None:
        if now.frame.comparing:
            run.follow(now.frame.pinned)
        return album.picture(done, total, lambda: _seen(now, sample))

    moved, hint = run.forward(amount, count, lambda: not job.is_cancelled, look, report)
    if not moved:
        return lambda: now.hint(hint)
    picture = now.picture(run, sample)
    return lambda: now.show(picture, hint=hint, onward=onward)


def back(now: Present, amount: str) -> Show:
    reason = now.run.back(amount)
    if reason:
        return lambda: now.hint(reason)
    picture = now.picture(now.run, now.frame.scene.sample)
    return lambda: now.show(picture)


def update(now: Present) -> Show:
    """Compute the next batch's step to show its effect; the weights stay until the next event."""
    effect = now.run.update(now.frame.scene)

    def show() -> None:
        cursor = replace(now.frame.cursor, phase=Phase.UPDATE, t=0)
        now.frame = replace(now.frame, cursor=cursor, update=effect, hint="")

    return show


def _seen(now: Present, sample: int) -> Seen:
    return Seen(*now.picture(now.run, sample), now.run.learning(), now.run.place[0])
