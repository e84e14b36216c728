"""View: what the app itself remembers beside the frame. Immutable, like the frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """panel, page, row: which panel is open, which of its pages, and which row is chosen or scrolled to.
    prompt: the number being typed. typing: what is being typed into the panel, None while nothing is.
    locked: settings that an open exercise keeps as they are.
    playing, speed: whether the story plays by itself, and at how many steps a second. message: a warning."""

    panel: str | None = None
    page: int = 0
    row: int = 0
    prompt: str | None = None
    playing: bool = False
    speed: float = 4.0
    message: str = ""
    typing: str | None = None
    locked: tuple[str, ...] = ()
    plots: bool = False  # plotext has been loaded
