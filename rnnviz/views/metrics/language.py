"""The small language of metrics: a reference such as `grad_norm[1]` is parsed, its value read and written."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from rnnviz.errors import InputError
from rnnviz.numbers import percent, scientific, unsigned_zero
from rnnviz.views.metrics.registry import AXES, INDEX_DEFAULTS, INDEX_WORDS, METRICS, Reference, Value

if TYPE_CHECKING:
    from rnnviz.scene.commands import Measure
    from rnnviz.scene.frame import Frame
    from rnnviz.scene.scene import Scene

_WRITTEN = re.compile(r"\s*(start\.)?([A-Za-z_][A-Za-z0-9_]*)\s*(?:\[([^\]]*)\])?\s*")


@cache
def parse(text: str) -> Reference:
    """Raises InputError, with what to write instead, if `text` names no metric."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is not a metric; write a name such as horizon or grad_norm[1]")
    name = match[2]
    if name not in METRICS:
        close = get_close_matches(name, METRICS, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        hint += "`rnnviz lessons metrics` lists them"
        if name == "start":
            hint = "write start. and a metric: start.horizon is the horizon before the reveal"
        raise InputError(f"unknown metric {name!r}; {hint}")
    index = tuple(_index(part, text) for part in match[3].split(",")) if match[3] is not None else ()
    axes = METRICS[name].axes
    if len(index) > len(axes):
        what = f"takes {len(axes)}: {', '.join(axes)}" if axes else "takes none"
        raise InputError(f"{text.strip()}: {len(index)} index numbers, and {name} {what}")
    return Reference(name, index, at_start=match[1] is not None)


def _index(part: str, text: str) -> int | str:
    part = part.strip()
    if part in INDEX_WORDS:
        return part
    try:
        return int(part)
    except ValueError:
        raise InputError(
            f"{text.strip()}: {part!r} is not an index; use a whole number (-1: the last), t, T, K, first, last or unit"
        ) from None


def value(frame: Frame, what: str | Reference) -> Value:
    """The metric in this frame: a number, a word, or None where it is not defined or its index out of range.

    Raises InputError for a name that is no metric. (`start.` is ignored: it is for who remembers the start.)
    """
    reference = parse(what) if isinstance(what, str) else what
    metric = METRICS[reference.name]
    index = resolve(frame, reference)
    if index is None:
        return None
    import numpy as np  # not above: checking a lesson needs only the names

    command = None if frame.live or metric.needs is None else metric.needs(frame, *index)
    if command is not None:
        frame = replace(frame, scene=_prepared(frame.scene, command))
    with np.errstate(all="ignore"):  # what overflows says so by its value; a warning would be written on the screen
        found = metric.read(frame, *index)
    if found is None or isinstance(found, str):
        return found
    return float(found)


@lru_cache(maxsize=16)
def _prepared(scene: Scene, command: Measure) -> Scene:
    """For who has time: what several metrics need is worked out once."""
    from rnnviz.views.prepare import prepare

    return prepare(scene, command)


def needs(frame: Frame, references: Iterable[Reference]) -> Measure | None:
    """What has to be worked out, one thing at a time, before each of these can be read from a live frame."""
    for reference in references:
        metric, index = METRICS[reference.name], resolve(frame, reference)
        command = metric.needs(frame, *index) if metric.needs is not None and index is not None else None
        if command is not None:
            return command
    return None


def resolve(frame: Frame, reference: Reference) -> tuple[int, ...] | None:
    """Its index in numbers; None where it lies outside this frame."""
    index: list[int] = []
    for i, axis in enumerate(METRICS[reference.name].axes):
        first, last = AXES[axis](frame)
        given = reference.index[i] if i < len(reference.index) else INDEX_DEFAULTS.get(axis, 0)
        at = INDEX_WORDS[given](frame) if isinstance(given, str) else given
        if isinstance(given, int) and given < 0:
            at = last + 1 + given
        if not first <= at <= last:
            return None
        index.append(at)
    return tuple(index)


def written(frame: Frame, what: str | Reference, spec: str | None = None) -> str:
    """The metric as text, in its own format or in `spec` (Python's: ".2f", ".1e", ".0%")."""
    reference = parse(what) if isinstance(what, str) else what
    return say(reference.name, value(frame, reference), spec)


def say(name: str, found: Value, spec: str | None = None) -> str:
    """A value of metric `name` as text; `–` where there is none, and what is not finite as what it is."""
    if found is None:
        return "–"
    if isinstance(found, str):
        return found
    if math.isnan(found):
        return "nan"
    if math.isinf(found):
        return "∞" if found > 0 else "-∞"
    form = spec or METRICS[name].format
    if form in ("d", ",d", "+d"):
        return format(round(found), form)
    power = _POWER.fullmatch(form)
    if power is not None:
        is_plain = spec is None and 0.01 <= abs(found) < 1000
        return f"{found:.3g}" if is_plain else scientific(found, int(power[1]))
    share = _SHARE.fullmatch(form)
    if share is not None:
        return percent(found, int(share[1]))
    text = format(found + 0.0, form).replace("%", " %")
    return unsigned_zero(text) if form.startswith("+") else text.removeprefix("-") if not text.strip("-0.") else text


_SHARE = re.compile(r"\.(\d+)%")

_LONG = re.compile(r"\d{3}")  # cells or digits: hundreds fit nowhere, and millions take minutes

_POWER = re.compile(r"\.(\d+)e")  # written as the score writes it, so that text and picture agree


def check_format(name: str, spec: str) -> None:
    """Raises InputError if `spec` cannot write this metric, or not in a few characters."""
    try:
        if _LONG.search(spec):
            raise ValueError
        say(name, "word" if METRICS[name].is_text else 1.0, spec)
        if METRICS[name].is_text:
            format("word", spec)
    except ValueError:
        raise InputError(f"{{{name}:{spec}}}: {spec!r} is not a format; use .2f, .1e, .0% or d") from None


#: What a learner reads where a metric is named; the rest go by their own name.
WORDS = {
    "accuracy": "right answers",
    "fit_error": "error one step ahead",
    "forget_mean": "mean forget gate",
    "grad_norm": "gradient",
    "grad_ratio": "arrives at h₁",
    "border_lost": "lost at the border",
    "half_life": "half-life",
    "h_size": "mean |h|",
    "mean_factor": "kept per step",
    "kept": "gradient kept",
    "learnt": "learnt",
    "needed_lag": "needed lag",
    "reach_arrives": "gradient that arrives",
    "reach_lag": "lag of the answer",
    "reach_near": "share of the last step",
    "reach_share": "share of the weights' gradient",
    "perturb_left": "left of the move",
    "perturb_way": "distance left",
    "slope_share": "factor of the slope",
    "weight_share": "factor of the weights",
    "reach": "horizon",
    "self_fed_error": "error feeding on itself",
    "sigma_max": "σ_max",
    "slope_mean": "mean slope",
    "train_loss": "loss of the epoch",
    "total_norm": "total gradient",
    "update_mean": "mean update gate",
    "val_loss": "validation loss",
}


def called(reference: Reference) -> str:
    """A metric in words: `arrives at h₁`, `spectral radius`, `gradient[3]`."""
    name = WORDS.get(reference.name, reference.name.replace("_", " "))
    return str(Reference(name, reference.index, reference.at_start))
