"""Metrics: the numbers of a frame, by name. Lessons quote them, ask for them and check exercises with them.

    >>> value(frame, "horizon"), value(frame, "grad_norm[1]"), value(frame, "h[3, 0]")
    (4.7, 0.0021, -0.31)

A metric may have an index: a time step t (from 1, or from 0 for states; -1 is the last), a unit (from 0), and so
on. Without one it speaks of the cursor's. In place of a number stand also the words t, T, K (the last step
that carries loss) and unit. A metric that is not defined here (the horizon of a gradient that never fades, the
forget gate of a simple RNN) is None.

Unless it says otherwise, a gradient is that of the last loss step K alone, whichever one is on the screen: the
total of many loss steps need not shrink.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import SETTINGS
from rnnviz.nn.cell import Block
from rnnviz.nn.cell_table import CELLS
from rnnviz.numbers import percent, scientific, unsigned_zero

if TYPE_CHECKING:
    from rnnviz.scene.commands import Measure
    from rnnviz.scene.frame import Frame
    from rnnviz.scene.scene import Scene

Value = float | str | None
Axes = tuple[str, ...]

#: What an index may count: its first and last value in a frame.
AXES: dict[str, Callable[[Frame], tuple[int, int]]] = {
    "state": lambda frame: (0, frame.T),
    "step": lambda frame: (1, frame.T),
    "unit": lambda frame: (0, frame.scene.H - 1),
    "from": lambda frame: (0, frame.scene.H - 1),
    "input": lambda frame: (0, frame.scene.trace.I - 1),
    "output": lambda frame: (0, frame.scene.trace.O - 1),
    "percent": lambda frame: (1, 100),
}
_WORDS: dict[str, Callable[[Frame], int]] = {
    "t": lambda frame: frame.cursor.t,
    "T": lambda frame: frame.T,
    "K": lambda frame: frame.scene.last_loss_step,
    "unit": lambda frame: frame.cursor.unit,
}
_DEFAULTS: dict[str, int | str] = {"state": "t", "step": "t", "unit": "unit", "percent": 1}


@dataclass(frozen=True)
class Metric:
    """name, about: one line. format: how prose writes it. axes: what its index counts, () for none.
    low, high: limits it can never pass. setting: it is that setting of the experiment, and never changes
    unless the setting does. is_text: its value is a word. needs: the command that works it out where that takes
    long, None where it does not or is done."""

    name: str
    about: str
    format: str
    read: Callable[..., Any]
    axes: Axes = ()
    low: float = -math.inf
    high: float = math.inf
    setting: str | None = None
    is_text: bool = False
    needs: Callable[..., Measure | None] | None = None


@dataclass(frozen=True)
class Reference:
    """A metric as it is written: `grad_norm[1]`, `horizon`, `start.loss`. at_start: its value when the question
    or exercise was opened, not now."""

    name: str
    index: tuple[int | str, ...] = ()
    at_start: bool = False

    @property
    def now(self) -> Reference:
        return Reference(self.name, self.index)

    def __str__(self) -> str:
        index = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        return f"{'start.' if self.at_start else ''}{self.name}{index}"


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
        hint = f"did you mean {close[0]}?" if close else "`rnnviz lessons metrics` lists them"
        raise InputError(f"unknown metric {name!r}; {hint}")
    index = tuple(_index(part, text) for part in match[3].split(",")) if match[3] is not None else ()
    axes = METRICS[name].axes
    if len(index) > len(axes):
        what = f"takes {len(axes)}: {', '.join(axes)}" if axes else "takes none"
        raise InputError(f"{text.strip()}: {len(index)} index numbers, and {name} {what}")
    return Reference(name, index, at_start=match[1] is not None)


def _index(part: str, text: str) -> int | str:
    part = part.strip()
    if part in _WORDS:
        return part
    try:
        return int(part)
    except ValueError:
        raise InputError(
            f"{text.strip()}: {part!r} is not an index; use a whole number (-1: the last), t, T, K or unit"
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
        given = reference.index[i] if i < len(reference.index) else _DEFAULTS.get(axis, 0)
        at = _WORDS[given](frame) if isinstance(given, str) else given
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
    "half_life": "half-life",
    "h_size": "mean |h|",
    "mean_factor": "kept per step",
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


# -- the registry ------------------------------------------------------------------------------------

METRICS: dict[str, Metric] = {}


def _metric(name: str, about: str, format: str = ".3g", *axes: str, **limits: Any) -> Callable[[Any], Any]:
    def add(read: Callable[..., Any]) -> Callable[..., Any]:
        METRICS[name] = Metric(name, about, format, read, axes, **limits)
        return read

    return add


def _known(what: str) -> Callable[[Frame, *tuple[int, ...]], Measure | None]:
    """What makes it known, where it is not; index or not."""

    def missing(frame: Frame, *index: int) -> Measure | None:
        command = _measure(frame, what)
        return None if command in frame.scene.known else command

    return missing


def _measure(frame: Frame, what: Any) -> Measure:
    from rnnviz.scene.commands import Measure  # not above: checking a lesson needs only the names

    if what == "ledger":
        return Measure("ledger", frame.scene.last_loss_step)
    return Measure(what, experiment=frame.experiment if what == "left_out" else None)


def _of(frame: Frame, what: str) -> Any:
    """What was prepared of that kind; None while it is not known."""
    return frame.scene.known.get(_measure(frame, what))


def _outcome(frame: Frame, what: str) -> Any:
    return None if frame.scene.outcome is None else getattr(frame.scene.outcome, what)


def _left_out_needs(frame: Frame) -> Measure | None:
    return _known("left_out")(frame) if frame.scene.task.is_shuffled else None


# where we are
_metric("t", "time step of the cursor", "d", low=0)(lambda f: f.cursor.t)
_metric("unit", "unit of the cursor, from 0", "d", low=0)(lambda f: f.cursor.unit)
_metric("phase", "forward, loss, backward or update", "s", is_text=True)(lambda f: str(f.cursor.phase))
_metric("read", "number of steps read so far", "d", low=0)(lambda f: f.read)
_metric("reached", "the earliest step reached on the way back in time", "d", low=0)(lambda f: f.reached)
_metric("epoch", "completed epochs", "d", low=0)(lambda f: f.cursor.epoch)
_metric("batch", "completed batches of this epoch", "d", low=0)(lambda f: f.cursor.batch)
_metric("batches", "batches in one epoch", "d", low=1)(lambda f: f.learning.batches_per_epoch)
_metric("sample", "the sequence in view, from 0", "d", low=0)(lambda f: f.scene.sample)
_metric("sequences", "sequences in the data set", "d", low=1)(lambda f: len(f.scene.task))
_metric("T", "steps of the sequence in view", "d", low=1)(lambda f: f.T)
_metric("K", "the last step that carries loss", "d", low=1)(lambda f: f.scene.last_loss_step)
_metric("loss_steps", "number of steps that carry loss", "d", low=0)(lambda f: len(f.scene.loss_steps))
_metric("loss_step", "loss step whose gradient is on the screen; none for the total", "d")(lambda f: f.loss_step)

# the loss
_metric("loss", "loss of the sequence in view", ".4f", low=0)(lambda f: f.scene.trace.loss)
_metric("step_loss", "what step t adds to the loss", ".4f", "step", low=0)(lambda f, t: f.scene.trace.step_loss[t - 1])
_metric("train_loss", "training loss of the last completed epoch", ".4f", low=0)(
    lambda f: _of_epoch(f, f.learning.loss)
)
_metric("val_loss", "validation loss after the last completed epoch", ".4f", low=0)(
    lambda f: _of_epoch(f, f.learning.val_loss)
)
_metric("first_loss", "training loss of the first epoch", ".4f", low=0)(
    lambda f: f.learning.loss[0] if f.learning.loss else None
)
_metric("best_val_loss", "lowest validation loss of all epochs trained so far", ".4f", low=0)(
    lambda f: min(f.learning.val_loss, default=None)
)
_metric("best_epoch", "the epoch with that lowest validation loss", "d", low=1)(
    lambda f: 1 + f.learning.val_loss.index(min(f.learning.val_loss)) if f.learning.val_loss else None
)
_metric("baseline", "loss of the best answer that ignores the input", ".4f", low=0)(lambda f: f.scene.task.baseline)
_metric("is_finite", "1 while loss and hidden state are finite, 0 once they are inf or nan", "d", low=0, high=1)(
    lambda f: f.scene.is_finite
)


def _of_epoch(frame: Frame, losses: tuple[float, ...]) -> float | None:
    return losses[frame.cursor.epoch - 1] if 1 <= frame.cursor.epoch <= len(losses) else None


# input, state, output
_metric("x", "input at step t (its first number, or number i)", "+.3f", "step", "input")(
    lambda f, t, i: f.scene.trace.x[t - 1, 0, i]
)
_metric("h", "hidden state of a unit after step t", "+.3f", "state", "unit")(
    lambda f, t, unit: f.scene.trace.h[t, 0, unit]
)
_metric("c", "cell state of a unit after step t (LSTM)", "+.3f", "state", "unit")(
    lambda f, t, unit: None if f.scene.trace.c is None else f.scene.trace.c[t, 0, unit]
)
_metric("pre", "sum of a unit at step t, before its activation (simple RNN)", "+.3f", "step", "unit")(
    lambda f, t, unit: None if f.scene.trace.gates else f.scene.trace.pre[t - 1, 0, unit]
)
_metric("y", "output at step t", "+.3f", "step", "output")(lambda f, t, o: f.scene.trace.y[t - 1, 0, o])
_metric("target", "target of the output at step t; none where step t has no loss", "+.3f", "step", "output")(
    lambda f, t, o: f.scene.target_values[t - 1, o] if t in f.scene.loss_steps else None
)
_metric("error", "output minus target at step t", "+.3f", "step", "output")(
    lambda f, t, o: (
        f.scene.trace.y[t - 1, 0, o] - f.scene.target_values[t - 1, o]
        if t in f.scene.loss_steps and f.scene.task.loss == "mse"
        else None
    )
)
_metric("token", "input of step t, as a letter or word", "s", "step", is_text=True)(
    lambda f, t: f.scene.task.tokens(f.scene.sample)[t - 1]
)
_metric("answer", "answer of the network at step K, as a word", "s", is_text=True)(lambda f: _answer(f))
_metric("right_answer", "right answer at step K, as a word", "s", is_text=True)(
    lambda f: _right(f) if f.scene.task.loss == "cross_entropy" else None
)
_metric("confidence", "probability of the right answer at step K", ".2f", low=0, high=1)(lambda f: _confidence(f))
_metric("h_size", "mean |h| over all steps and units", ".3f", low=0)(lambda f: abs(f.scene.trace.h[1:]).mean())


def _answer(frame: Frame) -> str | None:
    scene = frame.scene
    if scene.task.loss != "cross_entropy":
        return None
    k = scene.last_loss_step
    return scene.task.answers(scene.trace.y[k - 1 : k, 0])[0]


def _right(frame: Frame) -> str:
    scene = frame.scene
    return scene.task.labels[int(scene.target_values[scene.last_loss_step - 1].argmax())]


def _confidence(frame: Frame) -> float | None:
    scene = frame.scene
    if scene.task.loss != "cross_entropy":
        return None
    logits = [float(v) for v in scene.trace.y[scene.last_loss_step - 1, 0]]
    right = int(scene.target_values[scene.last_loss_step - 1].argmax())
    if not all(map(math.isfinite, logits)):
        return None
    highest = max(logits)
    return math.exp(logits[right] - highest) / sum(math.exp(v - highest) for v in logits)


# how good it is
_metric("accuracy", "share of right answers on the validation sequences", ".0%", needs=_known("outcome"),
        low=0, high=1)(
    lambda f: _outcome(f, "accuracy")
)  # fmt: skip
_metric("judged", "number of validation sequences that accuracy counts", "d", low=1)(lambda f: _judged(f.scene))
_metric("accuracy_error", "standard error of accuracy, √(p(1 − p)/judged); one answer per sequence only", ".0%",
        needs=_known("outcome"), low=0, high=0.5)(
    lambda f: _accuracy_error(f)
)  # fmt: skip


def _accuracy_error(frame: Frame) -> float | None:
    right = _outcome(frame, "accuracy")
    if right is None or len(frame.scene.loss_steps) > 1:  # the answers to one sequence are not independent
        return None
    return _standard_error(right, _judged(frame.scene))


def _standard_error(share: float, count: int) -> float:
    return math.sqrt(share * (1 - share) / count)


_metric("tested", "number of test names: those that the setting samples leaves out", "d",
        needs=_left_out_needs, low=1)(
    lambda f: None if (found := _of(f, "left_out")) is None else found.count
)  # fmt: skip
_metric("test_accuracy", "share of right answers on the test names", ".0%", needs=_left_out_needs, low=0, high=1)(
    lambda f: None if (found := _of(f, "left_out")) is None else found.right
)
_metric("test_accuracy_percent", "test_accuracy in percent", ".0f", needs=_left_out_needs, low=0, high=100)(
    lambda f: None if (found := _of(f, "left_out")) is None else 100 * found.right
)
_metric("test_error", "standard error of test_accuracy", ".0%", needs=_left_out_needs, low=0, high=0.5)(
    lambda f: None if (found := _of(f, "left_out")) is None else _standard_error(found.right, found.count)
)


def _judged(scene: Scene) -> int:
    from rnnviz.views.reach import how_many  # not above: it needs NumPy, and the first paint none of it

    return how_many(scene.task)


_metric("fit_error", "root mean square error of the sine, one step ahead", ".3f", needs=_known("outcome"), low=0)(
    lambda f: _rms(_outcome(f, "fit"), f.scene.task.series)
)
_metric("self_fed_error", "root mean square error of the sine fed by itself", ".3f", needs=_known("outcome"), low=0)(
    lambda f: _rms(_outcome(f, "prediction"), f.scene.task.series)
)


def _rms(said: Any, series: Any) -> float | None:
    if said is None or series is None or not len(said):
        return None
    square = (said - series[len(series) - len(said) :]) ** 2
    return float(square.mean()) ** 0.5 if bool((square == square).all()) else math.inf


# the gradient of the last loss step
_metric("grad_norm", "‖∂L_K/∂h_t‖: the last loss step's gradient at step t", ".1e", "state", low=0)(
    lambda f, t: _last(f).norms[t]
)
_metric("total_norm", "‖∂L/∂h_t‖: the total over all loss steps, at step t", ".1e", "state", low=0)(
    lambda f, t: f.scene.gradient(None).norms[t]
)
_metric("shown_norm", "the gradient on the screen, at step t", ".1e", "state", low=0)(lambda f, t: f.gradient.norms[t])
_metric("kept", "part of the gradient left at step t: ‖∂L_K/∂h_t‖ / ‖∂L_K/∂h_K‖; above 1 it has grown",
        ".1e", "state", low=0)(
    lambda f, t: _kept(f, t)
)  # fmt: skip
_metric("grad_ratio", "part that arrives at step 1: ‖∂L_K/∂h₁‖ / ‖∂L_K/∂h_K‖; above 1 it has grown", ".1e",
        low=0)(lambda f: _kept(f, 1))  # fmt: skip
_metric("half_life", "steps back after which half of it is gone; none if it does not fade evenly", ".1f", low=0)(
    lambda f: _last(f).half_life
)
_metric("horizon", "steps back after which 99 % of the gradient is gone; none if more is always left", ".1f", low=0)(
    lambda f: _last(f).horizon
)
_metric("reach", "the horizon, or all K steps if more than 1 % is always left", ".1f", low=0)(lambda f: _reach(f))
_metric("needed_lag", "steps back to the farthest input an answer depends on", "d", low=1)(lambda f: f.scene.task.lag)
_metric("reach_lag", "steps back from step K to the earliest input that this sequence's answer depends on", "d", low=0)(
    lambda f: _reached(f, "lag")
)
_metric("reach_arrives", "part of step K's gradient that arrives at that input; above 1 it has grown",
        ".1e", low=0)(
    lambda f: _there(_reached(f, "arrives"))
)  # fmt: skip
_metric("reach_share", "share of the weights' gradient that comes from that step", ".1e", low=0, high=1)(
    lambda f: _reached(f, "share")
)
_metric("reach_near", "share of the weights' gradient that comes from the last loss step itself", ".0%", low=0, high=1)(
    lambda f: _reached(f, "near")
)
_metric("first_used", "the first step that the weight update uses: later than 1 if truncated", "d", low=1)(
    lambda f: _reached(f, "first_used")
)
_metric("learnt", "1 if the answers show that the task is learnt, else 0; none with fewer than 10", "d",
        needs=_known("outcome"), low=0, high=1)(
    lambda f: _reached(f, "learnt")
)  # fmt: skip
_metric("factor", "part of the gradient that the step from t+1 back to t keeps", ".2f", "state", low=0)(
    lambda f, t: _last(f).factors[t] if t < f.scene.last_loss_step else None
)
_metric("mean_factor", "part that a step back keeps on average, from step K to step 1", ".2f", low=0)(
    lambda f: _mean_factor(f)
)
_metric("cell_factor", "part of c's gradient that the step from t+1 back to t keeps (LSTM)", ".2f", "state", low=0)(
    lambda f, t: _along_c(f, t, "all")
)
_metric("forget_share", "part of the gradient on c that f alone keeps, from t+1 back to t (LSTM)", ".2f", "state",
        low=0, high=1)(
    lambda f, t: _along_c(f, t, "carried")
)  # fmt: skip


def _along_c(frame: Frame, t: int, which: str) -> float | None:
    from rnnviz.nn.metrics import norm

    trace, k, lane = frame.scene.trace, frame.scene.last_loss_step, _last(frame).highway
    if lane is None or lane.along != "c" or t >= k:
        return None
    grad_c = lane.states
    start = float(norm(grad_c[t + 1]))
    carry = trace.spec.about_cell.carry
    assert carry is not None
    there = float(norm(grad_c[t] if which == "all" else carry.share(trace.gates[carry.gate][t]) * grad_c[t + 1]))
    return there / start if start > 0 and math.isfinite(start) else None


_metric("underflows", "steps whose gradient is exactly 0", "d", low=0)(
    lambda f: int((_last(f).norms[: f.scene.last_loss_step + 1] == 0).sum())
)
_metric("state_gain", "largest singular value of ∂h_t/∂h_(t-1): the most that step can keep", ".2f", "step",
        needs=_known("gain"), low=0)(
    lambda f, t: None if (gain := _of(f, "gain")) is None else gain[t - 1]
)  # fmt: skip
_metric("gain_max", "the largest state_gain of all steps", ".2f", needs=_known("gain"), low=0)(
    lambda f: None if (gain := _of(f, "gain")) is None else gain.max()
)
_metric("gain_mean", "the mean state_gain of all steps", ".2f", needs=_known("gain"), low=0)(
    lambda f: None if (gain := _of(f, "gain")) is None else gain.mean()
)
_metric("slope", "mean slope of the activation at step t", ".2f", "step", needs=_known("ledger"), low=0)(
    lambda f, t: _figure(f, "slope", t)
)
_metric("slope_mean", "mean slope of the activation over steps 1..K", ".2f", needs=_known("ledger"), low=0)(
    lambda f: None if (table := _of(f, "ledger")) is None else table.figures.slope[: f.scene.last_loss_step].mean()
)
_metric("slope_share", "part of the gradient that the slope keeps at step t (simple RNN)", ".2f", "step",
        needs=_known("ledger"), low=0)(
    lambda f, t: _figure(f, "slope_share", t)
)  # fmt: skip
_metric("weight_share", "factor of W_hh after the slope at step t (simple RNN)", ".2f", "step",
        needs=_known("ledger"), low=0)(
    lambda f, t: _figure(f, "weight_share", t)
)  # fmt: skip


def _figure(frame: Frame, name: str, t: int) -> float | None:
    table = _of(frame, "ledger")
    return None if table is None else _there(getattr(table.figures, name)[t - 1])


def _there(entry: float | None) -> float | None:
    """An entry of the ledger: nan says that it has none for this cell or step."""
    return None if entry is None or math.isnan(entry) else entry


def _reached(frame: Frame, what: str) -> Any:
    from rnnviz.views.reach import of_frame

    found = of_frame(frame)
    return None if found is None else getattr(found, what)


def _last(frame: Frame) -> Any:
    return frame.scene.gradient(frame.scene.last_loss_step)


def _kept(frame: Frame, t: int) -> float | None:
    k, norms = frame.scene.last_loss_step, _last(frame).norms
    start, here = float(norms[k]), float(norms[t])
    return here / start if t <= k and start > 0 and math.isfinite(start) else None


def _reach(frame: Frame) -> float | None:
    k, gradient = frame.scene.last_loss_step, _last(frame)
    if gradient.horizon is not None:
        return float(gradient.horizon)
    norms = [float(v) for v in gradient.norms[: k + 1]]
    return float(k) if all(map(math.isfinite, norms)) and norms[-1] > 0 else None


def _mean_factor(frame: Frame) -> float | None:
    kept, steps = _kept(frame, 1), frame.scene.last_loss_step - 1
    return None if kept is None or steps < 1 else kept ** (1 / steps)


# the state moved at step t, by per cent of the way to the state of a sequence with another answer
def _perturb(name: str, about: str, form: str, read: Callable[[Any, int], Any], **limits: Any) -> None:
    def found(frame: Frame, t: int, percent: int) -> Any:
        from rnnviz.views import perturbation

        parts = perturbation.parts_with(percent)
        known = perturbation.known(frame.scene, t, parts)
        return None if known is None else read(known, known.at(percent))

    def missing(frame: Frame, t: int, percent: int) -> Measure | None:
        from rnnviz.views import perturbation

        return perturbation.needs(frame.scene, t, perturbation.parts_with(percent))

    _metric(name, about, form, "step", "percent", needs=missing, **limits)(found)


_perturb(
    "perturb_left", "what is left at step K of moving h_t by p % of the way to another answer's state", ".1e",
    lambda found, p: _there(float(found.left[p])), low=0,
)  # fmt: skip
_perturb(
    "perturb_way", "how far off h_K then is, against what the whole way makes of it", ".0%",
    lambda found, p: _there(float(found.way[p, found.last])), low=0,
)  # fmt: skip
_perturb(
    "perturb_flips", "1 if the answer at step K is then another, else 0", "d",
    lambda found, p: found.answers[p] != found.answer, low=0, high=1,
)  # fmt: skip
_perturb(
    "perturb_answer", "what the network then answers at step K, as a word", "s",
    lambda found, p: found.answers[p], is_text=True,
)  # fmt: skip


_metric("attention", "weight of h_t in Σ α_t h_t, α_t = softmax(h_K·h_t/√H)", ".2g", "step", low=0, high=1)(
    lambda f, t: _attention(f, t)
)


def _attention(frame: Frame, t: int) -> float | None:
    from rnnviz.views.attention import attention

    k = frame.scene.last_loss_step
    return float(attention(frame.scene.trace.h[1 : k + 1, 0])[t - 1]) if t <= k else None


# the weights
_metric("parameters", "number of trainable parameters", "d", low=1)(
    lambda f: sum(w.size for w in f.scene.trace.params.values())
)
_metric("parameter_sum", "the parameters by matrix and vector: 20 + 400 + 20 + 20 + 1", "s", is_text=True)(
    lambda f: " + ".join(str(w.size) for w in f.scene.trace.params.values())
)
_metric("w_in", "weight from an input to a unit (simple RNN)", "+.3f", "unit", "input")(
    lambda f, unit, i: _weight(f, "weight_ih", unit, i)
)
_metric("w_rec", "weight from a unit (second number) to a unit (first): W_hh (simple RNN)", "+.3f", "unit", "from")(
    lambda f, unit, source: _weight(f, "weight_hh", unit, source)
)
_metric("bias", "bias of a unit (simple RNN)", "+.3f", "unit")(lambda f, unit: _bias(f, unit))
_metric("w_out", "weight from a unit to an output", "+.3f", "output", "unit")(
    lambda f, o, unit: f.scene.trace.params["readout.weight"][o, unit]
)
_metric("sigma_max", "largest singular value of W_hh (simple RNN)", ".2f", needs=_known("weights"), low=0)(
    lambda f: None if (found := _of(f, "weights")) is None else found.sigma_max
)
_metric("spectral_radius", "largest |eigenvalue| of W_hh (simple RNN)", ".2f", needs=_known("weights"), low=0)(
    lambda f: None if (found := _of(f, "weights")) is None else found.spectral_radius
)
_metric("weights_norm", "Frobenius norm of W_hh: the square root of the sum of its squares", ".2f", low=0)(
    lambda f: math.sqrt(float((_named(f, "weight_hh") ** 2).sum())) if f.scene.trace.spec.about_cell.recurrent else None
)


def _named(frame: Frame, name: str) -> Any:
    trace = frame.scene.trace
    return trace.params[f"rnn.{name}_l{trace.L - 1}"]


def _weight(frame: Frame, name: str, unit: int, source: int) -> float | None:
    trace = frame.scene.trace
    if trace.gates:
        return None
    matrix = _named(frame, name) if name == "weight_hh" else trace.params["rnn.weight_ih_l0"]
    return float(matrix[unit, source])


def _bias(frame: Frame, unit: int) -> float | None:
    trace = frame.scene.trace
    if trace.gates:
        return None
    names = (f"rnn.bias_ih_l{trace.L - 1}", f"rnn.bias_hh_l{trace.L - 1}")
    return sum(float(trace.params[name][unit]) for name in names if name in trace.params)


# the gates
def _gate(name: str, blocks: dict[str, Block]) -> None:
    """The metrics of the gates of this name, of whichever cells have one."""

    def own(frame: Frame) -> Any:
        trace = frame.scene.trace
        return trace.gates[blocks[trace.spec.cell].name] if trace.spec.cell in blocks else None

    def read(frame: Frame, t: int, unit: int) -> float | None:
        gate = own(frame)
        return None if gate is None else float(gate[t - 1, 0, unit])

    def mean(frame: Frame) -> float | None:
        gate = own(frame)
        return None if gate is None else float(gate.mean())

    symbol = next(iter(blocks.values())).name
    cells = "; ".join(
        CELLS[cell].title + (f": {block.meaning}" if block.meaning else "") for cell, block in blocks.items()
    )
    _metric(
        f"{name}_gate", f"{name} gate {symbol} of a unit at step t ({cells})", ".2f", "step", "unit", low=0, high=1
    )(read)
    _metric(f"{name}_mean", f"{name} gate {symbol}, mean over all steps and units ({cells})", ".2f", low=0, high=1)(
        mean
    )


for _name in dict.fromkeys(block.metric for cell in CELLS.values() for block in cell.blocks if block.metric):
    _gate(_name, {cell.name: block for cell in CELLS.values() for block in cell.blocks if block.metric == _name})

# the update
_metric("weight_grad", "norm of the gradient on all weights, from the sequence in view", ".2g", low=0)(
    lambda f: _weight_grad(f.scene)
)
_metric("clipped", "1 if clip_norm shortens weight_grad, else 0", "d", low=0, high=1)(
    lambda f: f.experiment.clip_norm is not None and (value(f, "weight_grad") or 0.0) > f.experiment.clip_norm
)


def _weight_grad(scene: Scene) -> float:
    from rnnviz.nn.metrics import norm

    return math.hypot(*(float(norm(g)) for g in scene.trace.grads.values()))


# the settings, under their own names
def _setting(name: str) -> Callable[[Frame], Any]:
    return lambda frame: getattr(frame.experiment, name)


for _name, _one in SETTINGS.items():
    if _name not in METRICS:
        _form = {int: "d", float: "g", bool: "d", str: "s"}[_one.kind]
        METRICS[_name] = Metric(
            _name,
            f"setting: {_one.help}",
            _form,
            _setting(_name),
            setting=_name,
            is_text=_one.kind is str,
        )
