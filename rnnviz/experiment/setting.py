"""Setting: everything about one field of the Experiment, in one record.

Flags, knobs, the experiment file's reader, lessons, their checker and every message read it; no other file describes
a setting.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from numbers import Number
from typing import Any

from rnnviz.errors import InputError, short_repr

#: The groups, in the order in which the knobs show them.
GROUPS = ("network", "weights", "task", "data", "training")

_KIND_NAMES = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


@dataclass(frozen=True)
class Setting:
    """One setting of the Experiment.

    label       its name on the screen; name: the name of the field, in files and in `Experiment(...)`
    help        its meaning, in a few words without a full stop
    default     the value if it is not set; None: optional, the task or the initialiser chooses
    choices     the possible values, for a choice by name
    low, high   the smallest and largest allowed number; above, below: limits that are not allowed themselves
    format      an example of the text format: `k1,k2`
    steps       the values of its knob, in order; for a choice by name, the choices
    open        the word for None; "" for a setting that needs a value
    flag        its flag, if that is not `--` and the name
    is_list     whether a list of whole numbers is stored as the text "3,7"
    of_task     whether the task chooses it, so that its value is meaningless for another task
    redraws     whether a change draws new random weights
    metavar     what --help calls its value, if that is not clear from its kind
    why_not     the reason why it has no effect on a resolved experiment, or None if it has one
    """

    label: str
    group: str
    help: str
    kind: type
    default: Any = None
    name: str = ""
    choices: Sequence[str] = ()
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    format: str | None = None
    steps: tuple[Any, ...] = ()
    open: str = ""
    flag: str = ""
    is_list: bool = False
    of_task: bool = False
    redraws: bool = False
    metavar: str = ""
    why_not: Callable[[Any], str | None] = lambda experiment: None

    @property
    def option(self) -> str:
        """Its flag on the command line."""
        return self.flag or "--" + self.name.replace("_", "-")

    @property
    def is_optional(self) -> bool:
        return self.default is None

    def checked(self, value: Any) -> Any:
        """`value` in the form that the Experiment stores. Raises InputError, in a line that begins with the setting's
        name, for a wrong value."""
        if value is None:
            if self.is_optional:
                return None
            raise InputError(f"{self.name}: needs a value")
        if self.is_list and isinstance(value, list | tuple):
            value = ",".join(map(short_repr, value))
        if isinstance(value, Number) and hasattr(value, "item"):  # NumPy's numbers as Python's
            value = value.item()
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value) if abs(value) <= sys.float_info.max else math.inf
        if not isinstance(value, self.kind) or (self.kind is int and isinstance(value, bool)):
            quoted = isinstance(value, str) and self.kind in (int, float) and _is_number(value)
            remedy = f"; write it without quotes: {str(value).strip()}" if quoted else ""
            raise InputError(f"{self.name}: {short_repr(value)} is not {_KIND_NAMES[self.kind]}{remedy}")
        if self.choices and value not in self.choices:
            raise InputError(f"{self.name}: {short_repr(value)} is unknown; choose from {', '.join(self.choices)}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            self._check_range(value)
        return value

    def _check_range(self, value: float) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{self.name}: {value} is not a finite number")
        wrong = (
            (self.low is not None and value < self.low)
            or (self.high is not None and value > self.high)
            or (self.above is not None and value <= self.above)
            or (self.below is not None and value >= self.below)
        )
        if wrong:
            number = f"{value:g}" if isinstance(value, float) else short_repr(value)
            raise InputError(f"{self.name}: {number} is out of range; it must be {self.limits}")

    @property
    def limits(self) -> str:
        """The range of a number in words, such as `at least 1 and at most 2048`."""
        ends = (("at least", self.low), ("more than", self.above), ("at most", self.high), ("less than", self.below))
        return " and ".join(
            f"{words} {end if isinstance(end, int) else f'{end:g}'}" for words, end in ends if end is not None
        )

    def parse(self, text: str) -> Any:
        """The value of a typed text; an empty text or the word for None leaves the setting open. Raises InputError."""
        text = text.strip()
        if self.is_optional and text.lower() in ("", "auto", "none", "off", self.open):
            return None
        if self.kind is bool:
            if text.lower() not in ("on", "off", "true", "false"):
                raise InputError(f"{self.name}: {text!r} is neither on nor off")
            return text.lower() in ("on", "true")
        if self.kind is str:
            return text
        try:
            return self.kind(text)
        except ValueError:
            raise InputError(f"{self.name}: {text!r} is not {_KIND_NAMES[self.kind]}") from None

    def show(self, value: Any) -> str:
        """The text of a value: 1.0, 20, lstm, on; for None the word for an open setting."""
        if value is None:
            return self.open or "auto"
        if isinstance(value, bool):
            return "on" if value else "off"
        return f"{value!r}" if isinstance(value, float) else str(value)


def setting(default: Any, help: str, *, kind: type, label: str, group: str, **facts: Any) -> Any:
    """A field of the Experiment, with its Setting in the metadata."""
    record = Setting(label=label, group=group, help=help, kind=kind, default=default, **facts)
    return field(default=default, metadata={"setting": record})


def meant(text: str, settings: Mapping[str, Setting]) -> str | None:
    """The name of the setting that a text seems to mean: one nearly like it, its label or its flag.

    >>> meant("units", SETTINGS), meant("hidden-sise", SETTINGS)
    ('hidden_size', 'hidden_size')
    """
    spellings = {plain: one.name for one in settings.values() for plain in map(_plain, (one.flag, one.label, one.name))}
    close = get_close_matches(_plain(text), spellings, n=1)
    return spellings[close[0]] if close else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return len(text) <= 20


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("-", " ").replace("_", " ").split())
