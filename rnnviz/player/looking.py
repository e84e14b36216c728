"""The work of commands that change nothing: another sequence or gradient, a check, other runs beside this one."""

from __future__ import annotations

from dataclasses import replace

from rnnviz.player.changes import reading
from rnnviz.player.jobs import Job, Show
from rnnviz.player.kinds.run import Report, Stopped
from rnnviz.player.moves import scenes_with
from rnnviz.player.present import Present
from rnnviz.scene.commands import Measure
from rnnviz.scene.scene import Compared
from rnnviz.views.prepare import prepare
from rnnviz.words.gradient_check import verdict


def follow(now: Present, job: Job) -> Show:
    if not now.run.refresh(lambda: not job.is_cancelled):
        return now.with_history
    picture, hint = now.picture(now.run, now.frame.scene.sample), now.frame.hint
    return lambda: now.show(picture, hint=hint)


def survey(now: Present, job: Job, report: Report) -> Show:
    sample = now.frame.scene.sample
    now.run.survey(sample, report, lambda: not job.is_cancelled)
    return lambda: now.with_horizons(sample)


def show_sample(now: Present, sample: int) -> Show:
    picture, ghost = now.picture(now.run, sample), now.frame.ghost
    if ghost is not None and ghost.is_other_sequence:  # it belongs to the typed sequence alone
        return lambda: now.show_without_ghost(picture)
    read = ghost and reading(ghost, sample, now.frame.loss_step)
    return lambda: now.show(picture, ghost=read)


def show_gradient(now: Present, loss_step: int | None, job: Job, report: Report) -> Show:
    frame, wanted = now.frame, [Measure("gradient", loss_step)]
    if Measure("ledger", frame.loss_step) in frame.scene.known:  # where that was looked at
        wanted.append(Measure("ledger", loss_step))
    made = [prepare(scene, *(wanted if scene is frame.scene else wanted[:1]), report=report,
                    is_cancelled=lambda: job.is_cancelled) for scene in scenes_with(frame, loss_step)]  # fmt: skip

    def show() -> None:
        now.learn(made)
        if now.frame.scene.has_gradient(loss_step):
            now.frame = replace(now.frame, loss_step=loss_step, hint="")

    return show


def check(now: Present, report: Report) -> Show:
    made = prepare(now.frame.scene, Measure("checked"), report=report)

    def show() -> None:
        now.learn([made])
        now.hint(verdict(made.known[Measure("checked")]))

    return show


def compare(now: Present, pinned: Compared | None, job: Job, report: Report) -> Show:
    frame = now.frame
    try:
        beside = now.run.beside(pinned, frame.scene.sample, frame.loss_step, lambda: not job.is_cancelled, report)
    except Stopped:
        return lambda: now.hint("Stopped: other cells are not trained to this epoch.")

    def show() -> None:
        now.frame = replace(now.frame, comparing=True, pinned=pinned, beside=beside, hint="")

    return show


def pin(now: Present, job: Job, report: Report) -> Show:
    frame, settings = now.frame, now.run.settings
    pinned = None if frame.pinned == settings else settings
    if frame.comparing:
        return compare(now, pinned, job, report)
    hint = "Pinned: change a setting, then [compare] shows both." if pinned else "Unpinned."

    def show() -> None:
        now.frame = replace(now.frame, pinned=pinned, hint=hint)

    return show
