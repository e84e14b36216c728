"""The state space in sentences: the plane, where the state is, and each fixed point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.numbers import counted, fixed, percent
from rnnviz.plain.panels.base import Open
from rnnviz.plain.words import VOICE
from rnnviz.scene.commands import Command, Measure
from rnnviz.words import state_space as words

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

MOST = 12  # points that are read out


def needs(frame: Frame) -> list[Command]:
    """The fixed points as well, where they take but a moment."""
    from rnnviz.views.prepare import is_light

    points = Measure("fixed_points")
    return [Measure("space"), *([points] if is_light(frame.scene, points) else [])]


def here(frame: Frame) -> str:
    """Where the state is after this step."""
    from rnnviz.views import state_space

    space = state_space.space(frame.scene)
    at = None if space is None else space.at(0, frame.cursor.t)
    if space is None or at is None or not frame.scene.is_finite:
        return ""
    if space.is_map:
        return f"The state goes from {fixed(at[0], 2)} to {fixed(at[1], 2)}."
    names = space.numbers or ("component 1", "component 2")
    return f"The state lies at {', '.join(f'{name} {fixed(v, 2)}' for name, v in zip(names, at, strict=False))}."


def space(frame: Frame, open: Open) -> list[str]:
    from rnnviz.views import state_space

    space, points = state_space.space(frame.scene), state_space.points(frame.scene)
    if space is None:
        return ["The other sequences are not read."]
    if not frame.scene.is_finite:
        return [words.NOT_FINITE]
    lines = []
    if frame.scene.H > 1:
        shares = [percent(space.plane.share(k), 0) for k in (0, 1)]
        lines.append(
            f"The first principal component of the states of {counted(len(space.samples), 'sequence')} holds "
            f"{shares[0]} of their variance, the second {shares[1]}."
        )
    lines += [line for line in [here(frame)] if line]
    if points is None:
        return [*lines, state_space.why_no_points(frame.scene) or VOICE.say(words.SEARCH)]
    if not len(points):
        return [*lines, words.NONE]
    lines.append(f"Where the network stays: {words.kinds(points)}.")
    lines += [words.in_words(frame.scene, points, p) for p in range(min(MOST, len(points)))]
    return lines + ([f"{len(points) - MOST} more are not read out."] if len(points) > MOST else [])
