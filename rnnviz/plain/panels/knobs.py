"""The knobs in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.experiment.experiment import SETTINGS
from rnnviz.glyphs import visible
from rnnviz.plain.panels.base import Open
from rnnviz.plain.words import VOICE

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame


def knobs_here(frame: Frame, locked: tuple[str, ...]) -> list[str]:
    """The names of the settings that do something here, in the order of the app's list."""
    from rnnviz.views.knobs import listed

    return [knob.name for knob in listed(frame, locked)]


def knob_line(frame: Frame, name: str, locked: tuple[str, ...] = ()) -> str:
    """Its value, what it means and what it can be."""
    from rnnviz.views.knobs import range_of, value_of
    from rnnviz.views.knobs import why_not as no_knob

    one = SETTINGS[name]
    label = f"{one.label[:1].upper()}{one.label[1:]}"
    reason = no_knob(frame, name)
    if reason is not None:
        return f"{label} has no effect here: {reason}."
    if name in locked:
        return f"{label} is {visible(value_of(frame, name))}, locked by this exercise."
    return f"{label} is {visible(value_of(frame, name))}: {one.help}. Possible: {range_of(frame, name)}."


def knobs(frame: Frame, open: Open) -> list[str]:
    from rnnviz.views.knobs import value_of

    alive = knobs_here(frame, open.locked)
    parts = [f"{SETTINGS[name].label} {visible(value_of(frame, name))}" for name in alive if name not in open.locked]
    how = VOICE.say(
        "Type a knob and its value, such as gain 1.5; a knob alone describes it. While this is open, [unit_up] and "
        "[unit_down] choose one, [left] and [right] turn it."
    )  # fmt: skip
    locked = ", ".join(SETTINGS[name].label for name in open.locked)
    lines = [how, f"Chosen: {knob_line(frame, open.knob, open.locked)}", *listed_words("Knobs", parts)]
    return [*lines, *([f"Locked by this exercise: {locked}."] if locked else [])]


def listed_words(what: str, parts: list[str]) -> list[str]:
    return [f"{what}: {', '.join(parts[at : at + 8])}." for at in range(0, len(parts), 8)]
