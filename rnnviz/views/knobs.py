"""Knobs: every setting of the experiment as a knob with sensible steps.

    >>> turned(frame, "learning_rate", +1)          # 0.01 -> 0.02, in steps of 1, 2, 5 per power of ten
    Change(settings=(('learning_rate', 0.02),))
    >>> why_not(frame, "forget_bias")
    'only an LSTM has a forget gate'

What a knob means, its choices, steps and limits are its Setting; here is only how it is turned.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from rnnviz.experiment.experiment import BY_GROUP, SETTINGS, Experiment
from rnnviz.experiment.experiment_file import PATHS
from rnnviz.experiment.setting import Setting
from rnnviz.scene.commands import Change

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame


def requested(frame: Frame) -> Experiment:
    return frame.requested or _filled(frame)


def _filled(frame: Frame) -> Experiment:
    assert frame.experiment is not None  # a run without settings has no knobs: see `why_not` of their panel
    return frame.experiment


def value_of(frame: Frame, name: str) -> str:
    """The value as text: `20`, `lstm`; for an open setting its word and the resulting value: `auto 10`."""
    value = getattr(requested(frame), name)
    shown = SETTINGS[name].show(value)
    filled = getattr(_filled(frame), name)
    return shown if value is not None or filled is None else f"{shown} {SETTINGS[name].show(filled)}"


def choices(frame: Frame, name: str) -> tuple[Any, ...]:
    """The values ← and → lead through here."""
    if name == "init" and not frame.cell.chrono:  # which is about gates
        return tuple(choice for choice in SETTINGS[name].choices if choice != "chrono")
    return SETTINGS[name].steps or tuple(SETTINGS[name].choices)


def range_of(frame: Frame, name: str) -> str:
    """The allowed values in a few words: `rnn, lstm, gru`, `1 to 2048`, `more than 0`."""
    m = SETTINGS[name]
    if m.format is not None:
        return m.format
    if m.kind is bool:
        return "off, on"
    if m.choices:
        return ", ".join(map(str, choices(frame, name)))
    low, high, above, below = ("" if end is None else f"{end:,.12g}" for end in (m.low, m.high, m.above, m.below))
    if above:
        return f"more than {above}"
    return f"{low} to {high}" if high else f"{low} to below {below}"


def why_not(frame: Frame, name: str) -> str | None:
    """Why this knob has no effect here; None if it has one."""
    return frame.cannot.get(name) or SETTINGS[name].why_not(_filled(frame))


def listed(frame: Frame, locked: Collection[str]) -> tuple[Setting, ...]:
    """The knobs that do something here, those that an open exercise locks at the end."""
    alive = [knob for knob in BY_GROUP if why_not(frame, knob.name) is None]
    return tuple(sorted(alive, key=lambda knob: knob.name in locked))


def group_of(knob: Setting, locked: Collection[str]) -> str:
    return "locked" if knob.name in locked else knob.group


def beside_group(knobs: Sequence[Setting], at: int, by: int, locked: Collection[str]) -> int:
    """The place of the first knob of the next group (+1), or of the one before (-1): of this one, if `at` is further
    on. `at` itself at the end."""
    groups = [group_of(knob, locked) for knob in knobs]
    firsts = [i for i, group in enumerate(groups) if i == 0 or group != groups[i - 1]]
    others = [i for i in firsts if (i > at if by > 0 else i < at)]
    return others[0 if by > 0 else -1] if others else at


def called(text: str) -> tuple[Setting, ...]:
    """The knobs a few letters may mean, the likeliest first: by the label's beginning, then by what else is in it, in
    the name of its flag, or in what it is about."""
    text = " ".join(text.lower().replace("_", " ").replace("-", " ").split())

    def rank(knob: Setting) -> int:
        label, name = knob.label, knob.name.replace("_", " ")
        words = f" {label} {name}"
        tests = (label == text, label.startswith(text), f" {text}" in words, text in words)
        return next((at for at, is_so in enumerate(tests) if is_so), len(tests))

    ranked = sorted(BY_GROUP, key=rank)
    return tuple(knob for knob in ranked if rank(knob) < 4) if text else ()


def turned(frame: Frame, name: str, by: int) -> Change | str:
    """One step up (+1) or down (-1): the change to request, or the reason why there is none."""
    reason = why_not(frame, name)
    if reason is not None:
        return f"{SETTINGS[name].label}: {reason}."
    now = getattr(requested(frame), name)
    filled = getattr(_filled(frame), name)
    if name == "spectral_radius" and filled is None:
        filled = _filled(frame).gain  # what an orthogonal W_hh was drawn with: more is more, less is less
    new = _next(choices(frame, name), now, filled, by, SETTINGS[name].is_optional)
    if new == now:
        return _at_the_end(frame, name, by)
    return Change(((name, new),))


def _next(steps: Sequence[Any], now: Any, filled: Any, by: int, can_be_open: bool) -> Any:
    """The value one step on; `now` itself at the end. What is left open stands below the lowest, but where the
    task filled it in, the first step leads on from there."""
    if not steps:
        return now
    if not isinstance(steps[0], str):
        here = filled if now is None else now
        at = -1 if here is None else (bisect_right(steps, here) - 1 if by > 0 else bisect_left(steps, here))
    elif now is None:
        at = -1
    else:
        at = steps.index(now) if now in steps else -1
    at += by
    if at < 0:
        return None if can_be_open else now
    return steps[at] if at < len(steps) else now


def _at_the_end(frame: Frame, name: str, by: int) -> str:
    label = SETTINGS[name].label
    if not choices(frame, name):
        return f"{label}: [next] lets you type {'a file name' if name in PATHS else 'a value'}."
    which = ("the last" if by > 0 else "the first") if SETTINGS[name].choices else \
        ("the highest" if by > 0 else "the lowest")  # fmt: skip
    typed = "" if SETTINGS[name].choices else " step; [next] lets you type a value"
    return f"{label}: {value_of(frame, name)} is {which}{typed}."


def typed(frame: Frame, name: str, text: str) -> Change | str:
    """The change for a typed value. Raises InputError, in one line, for a value that is not allowed."""
    reason = why_not(frame, name)
    if reason is not None:
        return f"{SETTINGS[name].label}: {reason}."
    return Change(((name, SETTINGS[name].parse(text)),))
