"""Voice: what an interface adds to sentences: the room of a line, and the names of its keys.

Sentences name an action in brackets, `[left] goes back in time.`, because only the interface knows its key.

    >>> Voice(78, {"left": "←"}).say("[left] goes back in time.")
    '← goes back in time.'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_ACTION = re.compile(r"\[([a-z_]{2,})\]")
_PRINTED = re.compile(r"`([^`\s]{1,9})`|([→←↑↓])(?= [a-z]{2,})")


@dataclass(frozen=True)
class Voice:
    """room: characters of one line. keys: the key for each action; an action without one stays in its brackets.
    printed: for keys that lessons name as they are by default, `o` or → before a word, the key that replaces them."""

    room: int
    keys: Mapping[str, str] = field(default_factory=dict)
    printed: Mapping[str, str] = field(default_factory=dict)

    def say(self, text: str) -> str:
        """The text with the key of each action in place of its name."""
        if self.printed:
            text = _PRINTED.sub(self._reprinted, text)
        return _ACTION.sub(lambda action: self.keys.get(action[1], action[0]), text)

    def _reprinted(self, key: re.Match[str]) -> str:
        code, arrow = key.groups()
        return f"`{self.printed.get(code, code)}`" if code else self.printed.get(arrow, arrow)

    def fits(self, text: str) -> bool:
        return len(self.say(text)) <= self.room

    def longest(self, *texts: str) -> str:
        """The first of these texts that fits; the last one if none does."""
        return self.say(next((text for text in texts if self.fits(text)), texts[-1]))

    def cut(self, text: str) -> str:
        line = self.say(text)
        return line if len(line) <= self.room else line[: self.room - 1] + "…"
