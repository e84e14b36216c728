"""The keys in use: those of the registry (keys.py, panels), changed by the user's configuration.

`use` changes the tables that everything looks into when it shows or hears a key: `keys.BY_KEY`, `keys.ACTION_KEYS`,
`panels.BY_KEY`, and those of the voice. One session at a time uses them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.tui import keys, panels, voice

#: By the id of each action and each panel that has a key.
DEFAULTS: dict[str, tuple[str, ...]] = {
    **{action.id: action.keys for action in keys.ACTIONS},
    **{panel.id: (panel.key,) for panel in panels.ALL if panel.key},
}
IN_USE = dict(DEFAULTS)
ALWAYS = ("ctrl+q", "ctrl+c")  # quit, whatever is rebound
MOST = 8  # keys of one action

_NAMED = frozenset((
    "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "tab", "enter", "escape",
    "space", "backspace", *(f"f{number}" for number in range(1, 25)),
))  # fmt: skip
_BY_FACE = {face.lower(): name for name, face in keys.FACES.items()}
# Textual's names of characters where they are not Unicode's.
_CHARACTERS = {
    "/": "slash", "\\": "backslash", "@": "at", "-": "minus", "+": "plus", "_": "underscore", "=": "equals_sign",
}  # fmt: skip
_SAME = ("ctrl+i", "ctrl+m", "ctrl+j", "ctrl+h")  # most terminals send tab, enter and backspace for these


class KeyMistakeError(InputError):
    """A mistake in the keys of an action."""

    def __init__(self, action: str, what: str) -> None:
        super().__init__(what)
        self.action = action


def key_name(text: str) -> str | None:
    """Textual's name of a key as people write it: x, ?, F5, PgDn, ctrl+b, →; None if there is no such key."""
    *held, last = text.split("+") if len(text) > 1 and not text.endswith("++") else [text]
    if any(one not in ("ctrl", "alt", "shift") for one in held) or len(set(held)) < len(held):
        return None
    if text in _SAME:
        return None
    held = [one for one in ("alt", "ctrl", "shift") if one in held]
    name = _BY_FACE.get(last.lower(), last.lower() if last.lower() in _NAMED else last)
    if name not in _NAMED:
        name = _character(last) or (last if last in keys.FACES else "")
        if not name or "shift" in held or (held and not (last.isascii() and last.isalpha() and last.islower())):
            return None
    return "+".join((*held, name))


def _character(char: str) -> str:
    if len(char) != 1 or not char.isprintable() or char == " ":
        return ""
    if char.isalnum():
        return char
    return _CHARACTERS.get(char) or unicodedata.name(char, "").lower().replace("-", "_").replace(" ", "_")


def checked(own: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """A user's keys by the id of their action or panel, as Textual names them. Raises KeyMistakeError."""
    found: dict[str, tuple[str, ...]] = {}
    for action, given in own.items():
        if action not in DEFAULTS:
            close = get_close_matches(action, DEFAULTS, n=1)
            there = f"did you mean {close[0]}?" if close else "rnnviz config lists them"
            raise KeyMistakeError(action, f"no action has this name; {there}")
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not texts or len(texts) > MOST or not all(isinstance(t, str) for t in texts):
            raise KeyMistakeError(action, f'{short_repr(given)} is not a key, as in "x", nor a list of keys')
        names = [key_name(text) for text in texts]
        for text, name in zip(texts, names, strict=True):
            if name is None:
                raise KeyMistakeError(action, f"{short_repr(text)} is no key; write x, ?, F5, PgDn, space or ctrl+b")
            if name.isdecimal():
                raise KeyMistakeError(action, f"{short_repr(text)} types a number; choose another key")
            if name in ALWAYS and action != "quit":
                raise KeyMistakeError(action, f"{short_repr(text)} always quits; choose another key")
        found[action] = tuple(dict.fromkeys(name for name in names if name))
    if "quit" in found:
        found["quit"] = tuple(dict.fromkeys((*found["quit"], *ALWAYS)))
    owners: dict[str, str] = {}
    for action in sorted(DEFAULTS, key=lambda action: action in found):  # the user's own last: a mistake is theirs
        for name in found.get(action, DEFAULTS[action]):
            if name in owners:
                what = f"{keys.face(name)} is the key of {owners[name]}, too; give one of them another key"
                raise KeyMistakeError(action if action in found else owners[name], what)
            owners[name] = action
    return found


def use(own: Mapping[str, tuple[str, ...]]) -> None:
    """From now on the keys are the defaults, changed by these."""
    IN_USE.clear()
    IN_USE.update({**DEFAULTS, **own})
    faces = {name: keys.face(having[0]) for name, having in IN_USE.items()}
    _set(keys.BY_KEY, {key: name for name in keys.BY_ID for key in IN_USE[name]})
    _set(keys.ACTION_KEYS, {name: faces[name] for name in keys.BY_ID})
    _set(panels.BY_KEY, {key: name for name in panels.BY_ID if name in IN_USE for key in IN_USE[name]})
    _set(voice.KEYS, faces)
    before = {name: keys.face(having[0]) for name, having in DEFAULTS.items()}
    _set(voice.PRINTED, {before[name]: faces[name] for name in own if before[name] != faces[name]})


def _set(table: dict[str, str], entries: dict[str, str]) -> None:
    table.clear()
    table.update(entries)


def faces_of(name: str) -> str:
    """All keys of an action or panel, as the help lists them."""
    return "  ".join(map(keys.face, IN_USE.get(name, ())))
