"""The progress of one lesson when two sessions of the same learner had it open.

    merged(before, mine, theirs)     before: what this session last wrote; theirs: what the file holds now

Nothing that either session reached is lost; what this session took back (an answer, to be asked again) is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LISTS = ("seen", "solved", "skipped")
_BY_STEP = ("hints", "answers", "starts")


def merged(before: Mapping[str, Any] | None, mine: dict[str, Any], theirs: object) -> dict[str, Any]:
    """The entry to write. The last step that is open, and an answer that both sessions have, are this session's."""
    before = before or {}
    if not isinstance(theirs, dict) or theirs == before:
        return mine
    both = dict(mine)
    for name in _LISTS:
        taken_back = _texts(before.get(name)) - _texts(mine[name])
        both[name] = sorted((_texts(theirs.get(name)) - taken_back) | _texts(mine[name]))
    for name in _BY_STEP:
        taken_back = set(_by_step(before.get(name))) - set(mine[name])
        others = {step: value for step, value in _by_step(theirs.get(name)).items() if step not in taken_back}
        both[name] = {**others, **mine[name]}
    done = theirs.get("done")
    if isinstance(done, int) and not isinstance(done, bool):
        both["done"] = min(max(mine["done"], done), mine["steps"])
    both["finished"] = mine["finished"] or theirs.get("finished") is True
    return both


def _texts(value: object) -> set[str]:
    return {text for text in value if isinstance(text, str)} if isinstance(value, list) else set()


def _by_step(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
