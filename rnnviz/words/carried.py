"""Where h₀ comes from in a training that carries state from batch to batch, and where its gradient ends."""

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


def origin(frame: Frame, voice: Voice) -> str:
    """Where the present h₀ comes from; "" if no state is carried."""
    scene = frame.scene
    if scene.task.previous is None:
        return ""
    n = before(scene)
    if n is None:
        what = "a row" if scene.sample < scene.task.n_train else "validation"
        return f"h₀ is all zeros: {what} begins with this sequence."
    if scene.in_next_batch:
        return f"h₀ is carried: the batch before left sequence {n} in this state."
    return voice.longest(
        f"h₀ is carried: the state after sequence {n}, read with the present weights.",
        f"h₀ is carried: the state after sequence {n}.",
    )


def border(frame: Frame) -> str:
    """What becomes of ∂L/∂h₀, once the way back has reached it; "" if nothing is carried."""
    if before(frame.scene) is None or frame.cursor.t > 0:
        return ""
    return "∂L/∂h₀ is computed but goes no further: h₀ was carried as plain numbers."
