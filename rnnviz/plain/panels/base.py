"""The record of a panel of the plain face, and the lines that are no sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame


class Verbatim(str):
    """A line that is to be copied: a program, not a sentence."""

    __slots__ = ()


class Paragraph(str):
    """A line of a lesson, which ends as its author wrote it."""

    __slots__ = ()


@dataclass(frozen=True)
class Open:
    """The open panel: its page, its chosen knob, the settings that an open exercise locks."""

    panel: str = ""
    page: int = 0
    knob: str = "gain"
    locked: tuple[str, ...] = ()


Say = Callable[["Frame", Open], list[str]]


@dataclass(frozen=True)
class Panel:
    """say: its sentences. about: what it is for. shows: the figures it tells (see lessons/masking.py).
    why_not: why there is nothing here. needs: commands that work out what it tells.
    here: one sentence about this moment, after each step while it is open. acts: what an action does while it is open.
    on_close: a command to send when it closes."""

    say: Say
    about: str
    shows: frozenset[str] = frozenset()
    why_not: Callable[[Frame], str | None] = lambda frame: None
    needs: Callable[[Frame], list[Command]] = lambda frame: []
    here: Callable[[Frame], str] = lambda frame: ""
    acts: Mapping[str, Callable[[Frame], Command]] = field(default_factory=dict)
    on_close: Command | None = None


POINTS = 8  # of a curve


def spread(places: list[int], always: set[int] | None = None) -> list[int]:
    """At most some of the places, evenly spaced, the first and the last among them."""
    if len(places) <= POINTS:
        return places
    at = {round(i * (len(places) - 1) / (POINTS - 1)) for i in range(POINTS)}
    return sorted({places[i] for i in at} | (always or set()))
