"""Axis: the values that one setting takes along a map.

    Axis.parse("gain=0.25:2:24")       24 values from 0.25 to 2, evenly spaced
    Axis.parse("lag=log:5:100:20")     20 values from 5 to 100, evenly spaced on a logarithmic scale
    Axis.parse("gain=0.5,1,2")         these

Does not import numpy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.experiment.experiment import SETTINGS
from rnnviz.experiment.setting import Setting, meant

MOST_VALUES = 1000
#: Digits that a computed value keeps: those of a grid twice as fine are then exactly the same where they coincide.
_DIGITS = 10
LINEAR, LOG, LIST = "linear", "log", "list"
_FORM = "such as gain=0.25:2:24, lag=log:5:100:20 or gain=0.5,1,2"
#: Settings that are no axis, and what to use instead.
_OTHERWISE = {
    "cell": "cells stand side by side; name them with --cell rnn,lstm",
    "seed": "seeds are the repeats of each point; say how many with --seeds",
}


@dataclass(frozen=True)
class Axis:
    """setting  the name of the setting
    values   what it is at each place, as the Experiment stores it; numbers ascend
    scale    how they are spaced: "linear", "log", or "list", one by one
    """

    setting: str
    values: tuple[Any, ...]
    scale: str = LIST

    def __post_init__(self) -> None:
        about = of_name(self.setting)
        values = _without_repeats(about.checked(value) for value in self.values)
        if None in values:
            raise InputError(f"{about.name}: an axis needs values, and {short_repr(None)} is none")
        if not values:
            raise InputError(f"{about.name}: the axis is empty; give values, {_FORM}")
        if len(values) > MOST_VALUES:
            raise InputError(f"{about.name}: the axis has {len(values):,} values; at most {MOST_VALUES:,} are possible")
        if self.scale not in (LINEAR, LOG, LIST):
            raise InputError(f"scale: {short_repr(self.scale)} is unknown; choose from {LINEAR}, {LOG}, {LIST}")
        is_number = about.kind in (int, float)
        object.__setattr__(self, "values", tuple(sorted(values) if is_number else values))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def about(self) -> Setting:
        return SETTINGS[self.setting]

    @property
    def label(self) -> str:
        """Its name on the screen: `recurrent gain`."""
        return self.about.label

    def show(self, value: Any) -> str:
        """A value as text, short: 0.326, 20, lstm, on."""
        return f"{value:.4g}" if isinstance(value, float) else self.about.show(value)

    @classmethod
    def parse(cls, text: str) -> Axis:
        """Read `SETTING=LOW:HIGH:COUNT`, `SETTING=log:LOW:HIGH:COUNT` or `SETTING=A,B,C`. The setting goes by its name
        or its flag. Raises InputError."""
        name, equals, rest = text.partition("=")
        if not equals or not name.strip():
            raise InputError(f"{short_repr(text)} is no axis; write a setting and its values, {_FORM}")
        about = of_name(name.strip().removeprefix("--"))
        parts = [part.strip() for part in rest.split(":")]
        if len(parts) > 1:
            scale = LOG if parts[0].lower() == LOG else LINEAR
            return cls(about.name, _spaced(about, scale, parts[scale == LOG :]), scale)
        entries = [entry.strip() for entry in rest.split(",")]
        if not all(entries):
            raise InputError(f"{about.name}: {short_repr(rest)} has an empty value; write {_FORM}")
        return cls(about.name, tuple(about.parse(entry) for entry in entries))

    @classmethod
    def over(cls, setting: str, values: Iterable[Any]) -> Axis:
        """The axis of these values, from Python: a NumPy array or a list."""
        return cls(of_name(setting).name, tuple(values))


def of_name(name: str) -> Setting:
    """The setting that an axis names, by its name or its flag. Raises InputError where it can be none."""
    plain = name.replace("-", "_")
    about = SETTINGS.get(plain) or next((one for one in SETTINGS.values() if one.option == f"--{name}"), None)
    if about is None:
        close = meant(name, SETTINGS)
        known = ", ".join(one.name for one in SETTINGS.values() if _can_be(one))
        raise InputError(f"unknown setting {short_repr(name)}; " + (f"did you mean {close}?" if close else known))
    if about.name in _OTHERWISE:
        raise InputError(f"{about.name}: {_OTHERWISE[about.name]}")
    if not _can_be(about):
        raise InputError(f"{about.name}: {about.label} is neither a number nor a choice, so it can be no axis")
    return about


def _can_be(about: Setting) -> bool:
    return (about.kind is not str or bool(about.choices)) and about.name not in _OTHERWISE


def _spaced(about: Setting, scale: str, parts: Sequence[str]) -> tuple[Any, ...]:
    if about.kind not in (int, float):
        raise InputError(f"{about.name}: has no range; list its values, such as {about.name}={_example(about)}")
    if len(parts) != 3:
        raise InputError(f"{about.name}: a range is LOW:HIGH:COUNT, {_FORM}")
    low, high = (_number(about, part) for part in parts[:2])
    if not (parts[2].isdecimal() and int(parts[2][:9]) >= 2 and len(parts[2]) < 9):
        raise InputError(f"{about.name}: {short_repr(parts[2])} is not how many values; use 2 to {MOST_VALUES:,}")
    count = int(parts[2])
    if count > MOST_VALUES:
        raise InputError(f"{about.name}: the axis has {count:,} values; at most {MOST_VALUES:,} are possible")
    if not low < high:
        raise InputError(f"{about.name}: {parts[0]}:{parts[1]} is no range; the first number is the smaller one")
    if scale == LOG and low <= 0:
        raise InputError(f"{about.name}: a logarithmic axis begins above 0, not at {parts[0]}")
    shares = [k / (count - 1) for k in range(count)]
    if scale == LOG:
        numbers = [math.exp((1 - s) * math.log(low) + s * math.log(high)) for s in shares]
    else:
        numbers = [(1 - s) * low + s * high for s in shares]
    numbers[0], numbers[-1] = low, high
    return tuple(round(n) if about.kind is int else float(f"{n:.{_DIGITS}g}") for n in numbers)


def _number(about: Setting, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{about.name}: {short_repr(text)} is not a number")
    about.checked(round(number) if about.kind is int else number)
    return number


def _example(about: Setting) -> str:
    return ",".join(about.choices[:2]) or "on,off"


def _without_repeats(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))
