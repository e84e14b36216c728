"""Where h₀ and c₀ come from in a training that carries state from batch to batch, and where their gradient ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.words.voice import Voice

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.scene.scene import Scene


def before(scene: Scene) -> int | None:
    """The number, from 1, of the sequence that this one continues; None if it begins from zeros."""
    previous = scene.task.previous
    found = -1 if previous is None else int(previous[scene.sample])
    return found + 1 if found >= 0 else None


def _state(frame: Frame) -> str:
    return "h₀ and c₀ are" if frame.cell.has_cell_state else "h₀ is"


def origin(frame: Frame, voice: Voice) -> str:
    """Where the present h₀, and c₀, comes from; "" if no state is carried."""
    scene, state = frame.scene, _state(frame)
    if scene.task.previous is None:
        return ""
    n = before(scene)
    if n is None:
        what = "a row" if scene.sample < scene.task.n_train else "validation"
        return f"{state} all zeros: {what} begins with this sequence."
    if scene.in_next_batch:
        return f"{state} carried: the batch before left sequence {n} in this state."
    return voice.longest(
        f"{state} carried: the state after sequence {n}, with the present weights.",
        f"{state} carried: the state after sequence {n}.",
    )


def border(frame: Frame) -> str:
    """What becomes of the gradient on the first state, once the way back has reached it; "" if nothing is carried."""
    if before(frame.scene) is None or frame.cursor.t > 0:
        return ""
    if frame.cell.has_cell_state:
        return "∂L/∂h₀ and ∂L/∂c₀ go no further: h₀ and c₀ were carried as plain numbers."
    return "∂L/∂h₀ is computed but goes no further: h₀ was carried as plain numbers."
