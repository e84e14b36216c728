"""Why there is nothing to show of a panel's subject here, in a sentence; None if there is something."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame


def no_series(frame: Frame) -> str | None:
    if frame.scene.task.series is None:
        return f"Only the sine and your own series have a plot; this task is {frame.scene.task.title}."
    return None


def no_self_fed(frame: Frame) -> str | None:
    reason = no_series(frame)
    if reason is None and not frame.scene.task.fed:
        return "The network does not predict everything that it reads, so it cannot read its own output."
    return reason


def no_words(frame: Frame) -> str | None:
    if not frame.scene.task.has_words:
        return "The sine is shown as a curve. Choose another task for answers in words."
    return None


def no_triangle(frame: Frame) -> str | None:
    from rnnviz.views import analysis  # not above: the first paint needs the names of the panels alone

    if frame.T > analysis.LONGEST:
        return f"The triangle is limited to {analysis.LONGEST} steps; this sequence has {frame.T}."
    if analysis.cost(frame.scene.trace, "triangle") > analysis.MOST:
        return "The triangle is left out: its singular values would take too long for so many units and steps."
    return None


def no_perturbation(frame: Frame) -> str | None:
    from rnnviz.views import perturbation

    t, k = frame.cursor.t, frame.scene.last_loss_step
    if perturbation.another(frame.scene, max(1, min(t, k))) is None:
        return "No other sequence of this task has a different answer here."
    if not 0 < t < k:
        return f"Go to a step from 1 to {k - 1}: this panel moves its state and follows it to step {k}." if k > 1 else (
            "No step comes before the loss, so there is no state to move."
        )  # fmt: skip
    return None


def no_eigenvalues(frame: Frame) -> str | None:
    from rnnviz.views import spectrum  # not above: the first paint needs the names of the panels alone

    size = spectrum.state_size(frame.scene.trace)
    if size > spectrum.LARGEST:
        return f"The eigenvalues of a state of {size:,} numbers would take too long; {spectrum.LARGEST:,} are the most."
    if not spectrum.matrices(frame):
        cell = frame.cell.noun
        return f"Read a step: {cell} has no single W_hh, and the first Jacobian is that of step 1."
    return None


def no_map(frame: Frame) -> str | None:
    if frame.requested is None or frame.scene.task.lag is None:
        return "The map varies the lag of a network that trains here; choose a task that has one, such as recall."
    from rnnviz.maps import of_scene  # not above: the first paint needs the names of the panels alone

    return of_scene.why_not(frame.requested)
