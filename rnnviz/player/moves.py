"""Moves: the quick commands, which stay in one scene. They turn a frame and a command into a frame without a pass."""

from __future__ import annotations

from dataclasses import replace

from rnnviz.numbers import subscript
from rnnviz.scene.commands import (
    Alone,
    Command,
    DismissGhost,
    Go,
    Left,
    Next,
    Previous,
    Right,
    Seek,
    SelectUnit,
    ShowGradient,
)
from rnnviz.scene.cursor import Phase, phase_and_step
from rnnviz.scene.frame import Frame
from rnnviz.scene.scene import Scene


def moved(frame: Frame, command: Command) -> Frame:
    """The frame after a quick command. Raises TypeError for a slow one."""
    match command:
        case Right() | Left():  # where time is drawn from right to left, the arrows go with it
            return _stepped(frame, forward=isinstance(command, Right) != frame.scene.reads_back)
        case Next():
            return _placed(frame, frame.cursor.place(frame.T) + 1)
        case Previous():
            return _placed(frame, max(0, frame.cursor.place(frame.T) - 1))
        case Seek(t):
            t = min(max(t, 0), frame.T)
            phase = Phase.BACKWARD if frame.going_back else Phase.FORWARD
            return replace(frame, cursor=replace(frame.cursor, phase=phase, t=t))
        case Go(phase, t):
            t = frame.T if phase == Phase.LOSS else min(max(t, 0), frame.T)
            return replace(frame, cursor=replace(frame.cursor, phase=Phase(phase), t=t))
        case ShowGradient("switch") if not frame.scene.has_loss:
            return replace(frame, frobenius=not frame.frobenius)
        case ShowGradient(loss_step):
            chosen = chosen_loss_step(frame, loss_step)
            if chosen in frame.scene.loss_steps or chosen is None:
                return replace(frame, loss_step=chosen)
            where = ", ".join(str(frame.scene.time(k)) for k in frame.scene.loss_steps)
            return replace(frame, hint=f"Step {frame.scene.time(chosen)} carries no loss; these steps do: {where}.")
        case SelectUnit(by):
            unit = min(max(frame.cursor.unit + by, 0), frame.scene.H - 1)
            return replace(frame, cursor=replace(frame.cursor, unit=unit))
        case DismissGhost() if frame.ghost is None:
            return replace(frame, hint="There is no ghost; the next change of a knob makes one.")
        case DismissGhost():
            return replace(frame, ghost=None)
        case Alone():
            return replace(frame, comparing=False, beside=None)
    raise TypeError(f"not a quick command: {command!r}")


def chosen_loss_step(frame: Frame, loss_step: int | str) -> int | None:
    """The loss step of a ShowGradient; a step without a loss is returned unchanged."""
    last = frame.scene.last_loss_step
    if not frame.scene.has_loss and loss_step in ("total", "switch"):  # no loss, no total
        return frame.loss_step
    match loss_step:
        case "total":
            return None
        case "switch":
            return None if frame.loss_step is not None else last
        case int(k):
            return k
    return last


def lacking(frame: Frame, loss_step: int | None) -> bool:
    """Whether a gradient row that this loss step is shown by, of the frame, its ghost or the runs beside it, has not
    been prepared."""
    return any(not scene.has_gradient(loss_step) for scene in scenes_with(frame, loss_step))


def scenes_with(frame: Frame, loss_step: int | None) -> list[Scene]:
    """The scenes on the screen that have this loss step (None: all have a total)."""
    others = [] if frame.ghost is None else [frame.ghost.scene]
    others += [companion.scene for companion in frame.beside or ()]
    return [scene for scene in (frame.scene, *others) if loss_step is None or loss_step in scene.loss_steps]


def _stepped(frame: Frame, forward: bool) -> Frame:
    """Move by one event. The arrows follow the picture: on the way back, left moves further and right undoes a step."""
    place, T = frame.cursor.place(frame.T), frame.T
    if place <= T:
        if not forward and place == 0:
            is_zero = not frame.scene.trace.h[0].any()
            zeros = f": h{subscript(frame.scene.time(0))} is all zeros" if is_zero else ""
            return replace(frame, hint=f"This is the beginning{zeros}.")
        return _placed(frame, place + (1 if forward else -1))
    if forward and place == T + 1:
        if frame.scene.reads_back:
            return replace(frame, hint="The beginning of the sequence; [right] now continues forward in time.")
        return replace(frame, hint="End of the sequence; [left] now goes back in time.")
    if not forward and place >= 2 * T + 2:  # at t = 0, or past it
        onward = "" if "update" in frame.cannot else " The update comes next;"
        here, other = f"h{subscript(frame.scene.time(0))}", "left" if frame.scene.reads_back else "right"
        return replace(frame, hint=f"Back at {here}.{onward} [{other}] returns along the steps.")
    return _placed(frame, place + (-1 if forward else 1))


def _placed(frame: Frame, place: int) -> Frame:
    """Go to a place in the scene's sequence of events: read, loss, way back; the update is a job."""
    phase, t = phase_and_step(place, frame.T)
    return replace(frame, cursor=replace(frame.cursor, phase=phase, t=t))
