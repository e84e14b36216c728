"""Voice: what a face lends to the sentences it shows: the room of a line, and the names of its keys.

Sentences name an action in brackets, `[left] goes back in time.`, because only a face knows which key that is.

    >>> Voice(78, {"left": "←"}).say("[left] goes back in time.")
    '← goes back in time.'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_ACTION = re.compile(r"\[([a-z_]{2,})\]")


@dataclass(frozen=True)
class Voice:
    """room: characters of one line. keys: the key for each action; an action without one stays in its brackets."""

    room: int
    keys: Mapping[str, str] = field(default_factory=dict)

    def say(self, text: str) -> str:
        """The text with a key in the place of each action."""
        return _ACTION.sub(lambda action: self.keys.get(action[1], action[0]), text)

    def fits(self, text: str) -> bool:
        return len(self.say(text)) <= self.room

    def longest(self, *texts: str) -> str:
        """The first of these texts for which there is room; the last one if there is none for any."""
        return self.say(next((text for text in texts if self.fits(text)), texts[-1]))

    def cut(self, text: str) -> str:
        said = self.say(text)
        return said if len(said) <= self.room else said[: self.room - 1] + "…"
