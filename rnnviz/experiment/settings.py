"""Knobs: every setting of the experiment as something to turn, step by sensible step.

    >>> turned(frame, "learning_rate", +1)          # 0.01 -> 0.02, in steps of 1, 2, 5 per power of ten
    Change(settings=(('learning_rate', 0.02),))
    >>> why_not(frame, "forget_bias")
    'only an LSTM has a forget gate'

What a knob means, its choices and its limits come from the Experiment; here is only how it is turned.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import Field, dataclass, fields
from typing import TYPE_CHECKING, Any

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.scene.commands import Change
from rnnviz.scene.ghost import words
from rnnviz.tasks import catalog

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame


@dataclass(frozen=True)
class Knob:
    """steps: the values ← and → lead through, in order (for a choice they are its choices).
    open: the word for None, to which ← leads from the lowest value; "" for a setting that needs one.
    redraws: whether the network gets other random weights with it, so that not all that changes is its doing."""

    name: str
    group: str
    label: str
    steps: tuple[Any, ...] = ()
    open: str = ""
    redraws: bool = False


def _per_decade(low: int, high: int) -> tuple[float, ...]:
    return tuple(float(f"{digit}e{power}") for power in range(low, high + 1) for digit in (1, 2, 5))


_SMALL = (1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256)
_LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300, 500)
_COUNTS = (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_TENTHS = tuple(round(0.1 * n, 1) for n in range(21))
_GAINS = (*_TENTHS, 2.5, 3.0, 4.0, 5.0, 10.0)

KNOBS: tuple[Knob, ...] = (
    Knob("cell", "network", "cell", redraws=True),
    Knob("hidden_size", "network", "units", _SMALL, redraws=True),
    Knob("num_layers", "network", "layers", tuple(range(1, 9)), redraws=True),
    Knob("activation", "network", "activation"),
    Knob("loop", "network", "loop", (False, True)),
    Knob("init", "weights", "initialiser", redraws=True),
    Knob("gain", "weights", "recurrent gain", _GAINS),
    Knob("spectral_radius", "weights", "spectral radius", _GAINS[1:], "as drawn"),
    Knob("forget_bias", "weights", "forget bias", tuple(float(n) for n in range(-5, 11)), "auto"),
    Knob("biases", "weights", "bias vectors", (1, 2)),
    Knob("seed", "weights", "seed", tuple(range(1000)), redraws=True),
    Knob("task", "task", "task"),
    Knob("seq_len", "task", "sequence length", _LENGTHS, "auto"),
    Knob("lag", "task", "lag", _LENGTHS, "auto"),
    Knob("loss_at", "task", "loss position", ("every", "last"), "auto"),
    Knob("noise", "task", "noise", (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)),
    Knob("points", "task", "points", (12, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000)),
    Knob("samples", "task", "sequences", _COUNTS, "auto"),
    Knob("source", "task", "text file", (), "built in"),
    Knob("optimizer", "training", "optimizer"),
    Knob("learning_rate", "training", "learning rate", _per_decade(-5, 2)),
    Knob("momentum", "training", "momentum", (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)),
    Knob("convention", "training", "convention"),
    Knob("epsilon", "training", "epsilon", _per_decade(-10, -1), "auto"),
    Knob("clip_norm", "training", "clip norm", _per_decade(-3, 2), "off"),
    Knob("clip_each", "training", "clip each", _per_decade(-3, 2), "off"),
    Knob("clip_value", "training", "clip value", _per_decade(-3, 2), "off"),
    Knob("truncate", "training", "truncation", ("1,1", "1,5", "5,5", "5,10", "10,10", "10,20", "20,20"), "off"),
    Knob("batch_size", "training", "batch size", tuple(2**n for n in range(11))),
    Knob("epochs", "training", "epochs", (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)),
    Knob("validation_split", "training", "validation", (0.0, 0.1, 0.2, 0.3, 0.5)),
    Knob("shuffle", "training", "shuffle", (False, True)),
    Knob("dtype", "training", "precision"),
)
BY_NAME = {knob.name: knob for knob in KNOBS}
FIELDS: dict[str, Field[Any]] = {f.name: f for f in fields(Experiment)}


def asked(frame: Frame) -> Experiment:
    return frame.asked or frame.experiment


def value_of(frame: Frame, name: str) -> str:
    """How it is set: `20`, `lstm`, and for what is left open its word and what came of it: `auto 10`."""
    value = getattr(asked(frame), name)
    if value is not None:
        return words(value)
    filled = getattr(frame.experiment, name)
    return BY_NAME[name].open + ("" if filled is None else f" {words(filled)}")


def choices(frame: Frame, name: str) -> tuple[Any, ...]:
    """The values ← and → lead through here."""
    if name == "init" and frame.experiment.cell == "rnn":  # chrono is about gates
        return tuple(choice for choice in FIELDS[name].metadata["choices"] if choice != "chrono")
    return BY_NAME[name].steps or FIELDS[name].metadata["choices"] or ()


def range_of(frame: Frame, name: str) -> str:
    """What it can be, in a few words: `rnn, lstm, gru`, `1 to 2048`, `more than 0`."""
    m = FIELDS[name].metadata
    if name == "seed":
        return "0 and up"
    if m["kind"] is bool:
        return "off, on"
    if m["choices"] or m["kind"] is str:
        return {"truncate": "k1,k2", "loss_at": "every, last, 3,7", "source": ""}.get(
            name, ", ".join(map(str, choices(frame, name)))
        )
    low, high, above, below = (
        None if m[key] is None else f"{m[key]:,.12g}" for key in ("low", "high", "above", "below")
    )
    if above is not None:
        return f"more than {above}"
    return f"{low} to {high}" if high is not None else f"{low} to below {below}"


def why_not(frame: Frame, name: str) -> str | None:
    """Why this knob has no effect here; None where it has one."""
    e = frame.experiment
    uses = catalog.info(e.task).uses
    match name:
        case "activation" if e.cell != "rnn":
            return f"the gates of {'an LSTM' if e.cell == 'lstm' else 'a GRU'} come with theirs"
        case "forget_bias" if e.cell != "lstm":
            return "only an LSTM has a forget gate"
        case "biases" if e.cell == "gru":
            return "a GRU always has 2"
        case "momentum" if e.optimizer != "sgd":
            return f"only sgd has one, not {e.optimizer}"
        case "epsilon" if e.optimizer == "sgd":
            return "only adam and rmsprop have one, not sgd"
        case "convention" if e.optimizer == "sgd" and e.clip_norm is None and e.clip_each is None:
            return "sgd is the same in both"
        case "lag" | "samples" | "source" if name not in uses:
            return {
                "lag": "this task has none to set",
                "samples": "counted from the data of this task",
                "source": "only for the task characters",
            }[name]
        case "points" if e.task != "sine":
            return "only the sine has points"
        case "noise" if e.task not in ("sine", "captions"):
            return "this task has no noise"
    return None


def called(text: str) -> tuple[Knob, ...]:
    """The knobs a few letters may mean, the likeliest first: by the label's beginning, then by what else is in it, in
    the name of its flag, or in what it is about."""
    text = " ".join(text.lower().replace("_", " ").replace("-", " ").split())

    def rank(knob: Knob) -> int:
        label, name = knob.label, knob.name.replace("_", " ")
        words = f" {label} {name}"
        tests = (label == text, label.startswith(text), f" {text}" in words, text in words)
        return next((at for at, is_so in enumerate(tests) if is_so), len(tests))

    ranked = sorted(KNOBS, key=rank)
    return tuple(knob for knob in ranked if rank(knob) < 4) if text else ()


def turned(frame: Frame, name: str, by: int) -> Change | str:
    """One step up (+1) or down (-1): the change to ask for, or why there is none."""
    reason = why_not(frame, name)
    if reason is not None:
        return f"{BY_NAME[name].label}: {reason}."
    now = getattr(asked(frame), name)
    filled = getattr(frame.experiment, name)
    if name == "spectral_radius" and filled is None:
        filled = frame.experiment.gain  # what an orthogonal W_hh was drawn with: more is more, less is less
    new = _next(choices(frame, name), now, filled, by, FIELDS[name].default is None)
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
    label = BY_NAME[name].label
    if not choices(frame, name):
        return f"{label}: enter types a file name."
    which = ("the last" if by > 0 else "the first") if FIELDS[name].metadata["choices"] else \
        ("the highest" if by > 0 else "the lowest")  # fmt: skip
    typed = "" if FIELDS[name].metadata["choices"] else " here; enter types any other"
    return f"{label}: {value_of(frame, name)} is {which}{typed}."


def in_labels(message: str) -> str:
    """An error that begins with a setting's name, beginning with what the setting is called on the screen."""
    name, colon, rest = message.partition(": ")
    return f"{BY_NAME[name].label}: {rest}" if colon and name in BY_NAME else message


def typed(frame: Frame, name: str, text: str) -> Change | str:
    """A value as a person types it. Raises InputError, in one line, for what it cannot be."""
    reason = why_not(frame, name)
    if reason is not None:
        return f"{BY_NAME[name].label}: {reason}."
    return Change(((name, parse(name, text)),))


def parse(name: str, text: str) -> Any:
    """`text` as a value of setting `name`; what is empty, or its word for it, leaves it open."""
    f, text = FIELDS[name], text.strip()
    if f.default is None and text.lower() in ("", "auto", "none", "off", BY_NAME[name].open):
        return None
    kind = f.metadata["kind"]
    if kind is bool:
        if text.lower() not in ("on", "off", "true", "false"):
            raise InputError(f"{name}: {text!r} is neither on nor off")
        return text.lower() in ("on", "true")
    if kind is str:
        return text
    try:
        return kind(text)
    except ValueError:
        raise InputError(f"{name}: {text!r} is not {'a whole number' if kind is int else 'a number'}") from None
