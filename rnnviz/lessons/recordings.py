"""A recording as a lesson's picture: a folder beside the lesson, or below that. Nothing in it is run.

>>> opening(Path("course"), "recordings/forgets")
>>> opening(Path("course"), {"folder": "mine", "layer": "encoder.lstm", "level": 0})
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.player.kinds.opening import BACKWARD, FORWARD, Opening

LARGEST = 50_000_000  # bytes of a record: one is in memory at a time
MOST_RECORDS = 1_000
OTHER_FILES = 10  # recording.json, and what an editor or a file browser leaves
_KEYS = ("folder", "layer", "level", "direction")
_WRITE = 'write recording = "my-training", or { folder = "my-training", layer = "encoder.lstm" }'


def opening(course: Path, given: Any) -> Opening:
    """What a lesson of this folder writes after `recording =`. Raises InputError for anything else than a recording of
    a lesson's size inside the folder."""
    table = {"folder": given} if isinstance(given, str) else given
    if not isinstance(table, Mapping) or not isinstance(table.get("folder"), str) or not table["folder"].strip():
        raise InputError(f"recording: {short_repr(given)} does not name a folder; {_WRITE}")
    for key in table:
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"keys: {', '.join(_KEYS)}"
            raise InputError(f"recording: unknown key {short_repr(key)}; {hint}")
    layer, level, direction = table.get("layer"), table.get("level"), table.get("direction", FORWARD)
    if layer is not None and not isinstance(layer, str):
        raise InputError(f'layer: {short_repr(layer)} is not a name; write layer = "encoder.lstm"')
    if level is not None and (isinstance(level, bool) or not isinstance(level, int) or level < 0):
        raise InputError(f"level: {short_repr(level)} is not a level; the bottom one is 0")
    if direction not in (FORWARD, BACKWARD):
        raise InputError(f'direction: {short_repr(direction)} is not a direction; use "{FORWARD}" or "{BACKWARD}"')
    return Opening(_inside(course, table["folder"]), layer, level, direction, is_of_lesson=True)


def _inside(course: Path, name: str) -> str:
    """The folder, if it is one of the course's own and of a lesson's size. Links are followed first."""
    here = short_repr(name)
    try:
        root = course.resolve()
        folder = (root / name).resolve()
        if root not in folder.parents:
            raise InputError(f"recording: {here} is not inside this lesson's folder; copy the recording there")
        if not folder.is_dir():
            raise InputError(f"recording: there is no folder {here} beside this lesson; check its name")
        files = list(islice(folder.iterdir(), MOST_RECORDS + OTHER_FILES + 1))
        for file in files:
            if folder not in file.resolve().parents:
                what = f"recording: {short_repr(file.name)} in {here} is a link out of that folder"
                raise InputError(f"{what}; copy the file there")
        largest = max((file.stat().st_size for file in files), default=0)
    except (OSError, ValueError, RuntimeError) as error:  # ValueError: a zero byte; RuntimeError: links in a circle
        if isinstance(error, InputError):
            raise
        raise InputError(f"recording: {here} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(files) > MOST_RECORDS + OTHER_FILES:
        raise InputError(f"recording: {here} has more than {MOST_RECORDS:,} records; delete some of its files")
    if largest > LARGEST:
        what = f"recording: a record of {here} takes {largest / 1e6:,.0f} MB; the limit for a lesson is"
        raise InputError(f"{what} {LARGEST / 1e6:.0f}; record fewer sequences, or a smaller network")
    return str(folder)
