"""A notice: one line of text for the user; its kind decides its style."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rich.style import Style

from rnnviz.tui.palette import Palette


class Kind(Enum):
    PROMPT = "a number that is being typed"
    PROGRESS = "a job on its way"
    NEWS = "what a key did"
    WARNING = "what went wrong or cannot be done"
    HINT = "what the player has to say about the last command"


@dataclass(frozen=True)
class Notice:
    text: str
    kind: Kind = Kind.NEWS

    @property
    def line(self) -> str:
        """The text to draw; a warning has a mark, not only a colour."""
        return f"! {self.text}" if self.kind is Kind.WARNING else self.text

    def style(self, palette: Palette) -> Style:
        return palette.warn if self.kind is Kind.WARNING else palette.text
