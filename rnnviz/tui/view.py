"""View: what the app itself remembers beside the frame. Immutable, like the frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """panel, row: which panel is open and which of its rows is chosen. prompt: the number being typed.
    playing, speed: whether the story plays by itself, and at how many steps a second. message: a warning."""

    panel: str | None = None
    row: int = 0
    prompt: str | None = None
    playing: bool = False
    speed: float = 4.0
    message: str = ""
    plots: bool = False  # plotext has been loaded
