"""The words that a person types. Each stands for an action or a panel of the app, whose key is its short form, or for
something that the app shows by itself.

    >>> understood("go to 7"), understood("e"), understood("gain 1.5")
    (Word('seek', '7'), Word('epoch', ''), Word('gain', '1.5', is_knob=True))

A word may be followed by a number or by text.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from rnnviz.experiment.experiment import SETTINGS
from rnnviz.tui.keys import ACTIONS, face
from rnnviz.words.voice import Voice

#: The word of each action of the app.
OF_ACTIONS = {
    "right": "right", "left": "left", "next": "enter", "previous": "back", "play": "play", "faster": "faster",
    "slower": "slower", "start": "start", "end": "end", "seek": "go to", "batch": "batch", "epoch": "epoch",
    "all": "train all", "batch_back": "batch back", "epoch_back": "epoch back", "all_back": "untrain", "type": "type",
    "cut": "cut", "undo": "undo", "redo": "redo", "ghost": "forget before", "gradient": "switch gradient",
    "loss_before": "earlier loss", "loss_after": "later loss", "unit_up": "up", "unit_down": "down",
    "inputs": "input gradient", "feature_down": "next number", "feature_up": "number before",
    "sample": "next sequence", "sample_back": "sequence before", "pin": "pin", "check": "check", "find": "find",
    "page_down": "more", "page_up": "again", "group_down": "next group", "group_up": "group before", "save": "save",
    "copy": "copy", "panel": "panel", "panel_back": "panel before", "lesson_next": "next",
    "lesson_previous": "page before", "lesson_hint": "hint", "lesson_return": "return", "lesson_leave": "free play",
    "contents": "lessons", "glossary": "glossary",
    "cancel": "close", "help": "help", "commands": "words", "suspend": "suspend", "quit": "quit",
}  # fmt: skip
#: What is about the screen of the app alone is called as it is there.
OF_THE_SCREEN = frozenset(("faster", "slower", "copy", *(one.id for one in ACTIONS if one.id not in OF_ACTIONS)))
OF_ACTIONS |= {name: name.replace("_", " ") for name in OF_THE_SCREEN - OF_ACTIONS.keys()}
#: The word of each panel, and its key in the app; a name for each figure that its sentences tell is in panels.py.
OF_PANELS = {
    "fit": ("fit", ""), "self-fed": ("feeding on itself", ""), "words": ("in words", ""), "loss": ("loss curve", ""),
    "travel": ("time travel", "m"), "neuron": ("neuron", "f"), "ledger": ("ledger", "y"), "triangle": ("triangle", "v"),
    "eigenvalues": ("eigenvalues", "V"), "space": ("state space", "O"), "perturbed": ("perturbed", "X"),
    "attention": ("attention", ""), "compare": ("compare", "c"), "knobs": ("knobs", "o"), "network": ("network", "d"),
    "summary": ("model summary", "i"), "code": ("code", "s"), "diagnosis": ("diagnosis", "D"),
    "weights": ("weights", ""), "map": ("map", ""),
}  # fmt: skip
#: What the app shows without a key: the rows of the score, and the line above them.
OF_ROWS = {
    "input": "input", "gates": "gates", "cell": "cell state", "hidden": "hidden", "output": "output",
    "attention_row": "alpha", "gradient_row": "gradient", "reach": "reach", "evidence": "evidence", "where": "where",
}  # fmt: skip
#: What needs a word of its own here, since the app has a screen or a list to choose from.
OF_LINES = {
    "lesson": "lesson", "page": "page", "reset": "reset lesson", "closing": "closing page", "unit": "unit",
    "search": "search", "replay": "replay", "lesson_summary": "lesson summary",
    "sequence": "sequence", "everything": "everything",
}  # fmt: skip
_ALSO = {
    "go": "seek", "step": "seek", "seek": "seek", "all": "all", "train": "all", "home": "start", "self-fed": "self-fed",
    "travel": "travel", "summary": "summary", "loss": "loss", "the code": "code", "hidden state": "hidden",
    "exit": "quit", "escape": "cancel", "esc": "cancel", "stop": "cancel", "tab": "panel", "space": "play",
    "page up": "page_up", "page down": "page_down", "backspace": "previous", "previous": "previous", "read": "where",
    "status": "where", "total": "gradient", "continue": "lesson_next", "skip": "lesson_next",
    "restore": "lesson_return", "answer": "answer", "gradient check": "check", "hide ghost": "ghost",
    "define": "glossary", "what is": "glossary",
}  # fmt: skip
#: Of a knob, as people call it.
_SHORTER = {"gain": "gain", "init": "init", "seq_len": "length"}
#: By the word, in small letters.
MEANINGS: dict[str, str] = {
    **_ALSO,
    **{word: name for name, word in (OF_LINES | OF_ROWS | OF_ACTIONS).items()},
    **{word: name for name, (word, _) in OF_PANELS.items()},
}
#: The app's own keys, which are case-sensitive.
SHORT: dict[str, str] = {
    **{face(key): action.id for action in ACTIONS for key in action.keys},
    **{key: name for name, (_, key) in OF_PANELS.items() if key},
}
WORDS: dict[str, str] = OF_LINES | OF_ROWS | {name: word for name, (word, _) in OF_PANELS.items()} | OF_ACTIONS
#: Sentences name an action or a panel in brackets; here it is a word in quotation marks.
VOICE = Voice(100_000, {name: f'"{word}"' for name, word in WORDS.items()})


def quoted(name: str) -> str:
    """The word of an action, a panel or a row, as a sentence names it."""
    return f'"{WORDS[name]}"'


@dataclass(frozen=True)
class Word:
    """name: of an action, a panel or a row; or, with is_knob, of a setting. rest: what follows the word on the line."""

    name: str
    rest: str = ""
    is_knob: bool = False


def understood(line: str) -> Word | None:
    """The longest word or name of a knob that the line begins with; None for neither."""
    text = line.strip()
    if text in SHORT:
        return Word(SHORT[text])
    parts = text.replace("=", " ").split()
    if not parts:
        return Word("next")
    if parts[0] in SHORT and len(parts) == 2 and parts[1].isdecimal():  # l 5
        return Word(SHORT[parts[0]], parts[1])
    for count in range(min(3, len(parts)), 0, -1):
        begins, has_more = " ".join(parts[:count]).lower(), len(parts) > count
        name, knob = MEANINGS.get(begins), _knob(begins)
        if name is not None and not (knob and has_more and name in OF_ROWS):  # hidden 8
            return Word(name, text.split(None, count)[count] if has_more else "")
        if knob is not None:
            return Word(knob, " ".join(parts[count:]), is_knob=True)
    return None


def _knob(name: str) -> str | None:
    """The setting with this label, name or flag: hidden size, units, hidden."""
    name = name.replace("_", " ").removeprefix("--")
    for one in SETTINGS.values():
        if name in (
            one.label,
            one.name.replace("_", " "),
            one.flag.removeprefix("--").replace("-", " "),
            _SHORTER.get(one.name),
        ):
            return one.name
    return None


def nearest(line: str) -> str:
    """One line for what is not understood."""
    known = [*MEANINGS, *(one.label for one in SETTINGS.values()), *(one.name for one in SETTINGS.values())]
    first, text = (line.split() or [""])[0].lower(), " ".join(line.lower().split())
    close = get_close_matches(text, known, 1, 0.7) or get_close_matches(first, known, 1, 0.7)
    shown = line.strip()[:40]
    if close:
        return f'There is no word "{shown}"; did you mean "{close[0]}"?'
    return f'There is no word "{shown}"; "help" lists what can be done here.'
