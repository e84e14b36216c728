"""Words for the two directions of a bidirectional layer: which one is shown, and which way its gradient goes.

>>> made(frame)                     # of the backward direction at t = 3
'Backward: h₃ combines h₄ and x₃: '
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rnnviz.numbers import counted, subscript

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.words.voice import Voice

BACK = "[left] goes further back in time."
ON = "[left] continues forward in time."


def turned(voice: Voice, frame: Frame) -> Voice:
    """The same voice, whose arrows go with the picture: time is drawn from left to right for both directions."""
    if not frame.scene.reads_back:
        return voice
    keys = dict(voice.keys)
    return replace(voice, keys={**keys, "left": keys.get("right", "[right]"), "right": keys.get("left", "[left]")})


def time(frame: Frame, step: int) -> str:
    """The time of a step as a subscript."""
    return subscript(frame.scene.time(step))


def which(frame: Frame) -> str:
    """`Backward: ` or `Forward: `; "" for a network of one direction."""
    whole = frame.scene.trace.whole
    return "" if whole is None else f"{whole.direction.capitalize()}: "


def start(frame: Frame) -> str:
    """What the first state is."""
    h, back = f"h{time(frame, 0)}", frame.scene.reads_back
    if frame.scene.trace.whole is None:
        return f"{h}, the memory before the first input, is all zeros."
    return f"{which(frame)}{h}, the memory before the {'last' if back else 'first'} input, is all zeros."


def watch(frame: Frame) -> str:
    if frame.T == 1:
        return "[right] reads the only step."
    return f"Each [right] reads one of {frame.T} steps{', from the end' if frame.scene.reads_back else ''}."


def other_side(frame: Frame) -> str:
    """What else the output of this step reads; "" for a network of one direction."""
    if frame.scene.trace.whole is None:
        return ""
    t, T = frame.scene.time(frame.cursor.t), frame.T
    own, first, last = ("forward", 1, t) if frame.scene.reads_back else ("backward", t, T)
    steps = f"x{subscript(first)} to x{subscript(last)}" if first < last else f"x{subscript(t)} alone"
    return f"The output also reads the {own} direction's h{subscript(t)}, which knows {steps}."


def far(frame: Frame, lag: int) -> str:
    """`3 steps back`, and of the backward direction `3 steps later`."""
    return f"{counted(lag, 'step')} {'later' if frame.scene.reads_back else 'back'}"


def further(frame: Frame) -> str:
    return ON if frame.scene.reads_back else BACK


def one_step(frame: Frame) -> str:
    where = "forward in time" if frame.scene.reads_back else "back"
    copies = frame.scene.copies(frame.cursor.t)
    way = "a copy: the factor is 1" if copies else frame.cell.step_back
    return f"[left] goes one step {where}, through {way}."


def out_of_reach(frame: Frame, k: int, t: int) -> str:
    """Why the error of step k does not reach step t, which is read later."""
    k, t = frame.scene.time(k), frame.scene.time(t)
    if frame.scene.reads_back:
        return f"The error of step {k} cannot reach step {t}: this direction reads it later."
    return f"The error of step {k} cannot reach step {t}: that step comes later."


def at_the_loss(frame: Frame, k: int) -> str:
    """Where the error of step k comes in."""
    error = f"error of step {frame.scene.time(k)} reaches h{time(frame, k)} through the readout alone."
    return f"{which(frame)}the {error}" if which(frame) else f"The {error}"


def step_of(frame: Frame) -> str:
    """`step 3 of 10`; the start of what reads from the end is `step 11, behind the last of 10`."""
    t, T = frame.scene.time(frame.cursor.t), frame.T
    return f"step {t} of {T}" if t <= T else f"step {t}, behind the last of {T}"
