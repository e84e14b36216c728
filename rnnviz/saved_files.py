"""Which files were saved since the last look. A look costs one question to the system for each file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

K = TypeVar("K")

#: What identifies a version of a file: when it was written, its length, and which file it is (an editor may replace
#: it). None: there is none.
Version = tuple[int, int, int] | None


def version(path: Path) -> Version:
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


class Saves(Generic[K]):
    """Finds the files that were saved since the last look. paths: each file, by what it is called here.

    An editor may write a file in several steps, or replace it. So a changed file counts only when a second look finds
    it as it was at the first.
    """

    def __init__(self, paths: Mapping[K, Path]) -> None:
        self._paths = paths
        self._known = {one: version(path) for one, path in paths.items()}
        self._changing: dict[K, Version] = {}

    @property
    def is_settling(self) -> bool:
        """Whether a file has changed, and a second look should follow soon."""
        return bool(self._changing)

    def look(self) -> list[K]:
        """The files that were saved, or have gone, the one saved last at the end."""
        saved = []
        for one, path in self._paths.items():
            now = version(path)
            if now == self._known[one]:
                self._changing.pop(one, None)
            elif one in self._changing and self._changing[one] == now:
                del self._changing[one]
                self._known[one] = now
                saved.append(one)
            else:
                self._changing[one] = now
        return sorted(saved, key=lambda one: self._known[one] or (0, 0, 0))
