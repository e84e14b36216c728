"""The way back in time: gradients that vanish, explode, or are cut off before the input that the answer depends on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from rnnviz import numbers
from rnnviz.diagnosis.evidence import Evidence, Layer, Way
from rnnviz.diagnosis.finding import Finding, Remedy, Rule
from rnnviz.nn.cell import Carry
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.metrics import fading_lag
from rnnviz.nn.types import Array
from rnnviz.numbers import percent
from rnnviz.views.reach import EXPLODES
from rnnviz.words.reach import part

#: What is left of a gradient at its horizon.
VANISHED = 0.01
#: Without a known lag: the horizon is this part of the sequence at most, of a sequence of LONG steps or more, whose
#: loss lies in its last tenth.
SHORT, LONG, AT_THE_END = 0.1, 20, 0.9


@dataclass(frozen=True)
class _Path:
    """What is left of the gradients at a lag, over the sequences: the median, as medians of factors a step.

    left      along the path (h or c) on which more is left (for "explodes": less)
    is_known  whether an answer is known to depend on the input at this lag
    factors   the mean factor of each step: `factor`, and of a simple RNN `slope` and `weight`, else `kept`
    """

    layer: Layer
    lag: int
    left: float
    along: str
    factors: dict[str, float]
    is_known: bool = True


def _path(layer: Layer, lags: Iterable[int], pick: str = "max") -> _Path | None:
    """None where no sequence has a gradient that is a number there."""
    found = []
    lags = list(lags)
    for way, lag in zip(layer.ways, lags, strict=True):
        t = way.loss_step - lag
        along_h, along_c = way.left(t)
        if not lag or math.isnan(along_h) or math.isnan(along_c):
            continue
        better = along_c > along_h if pick == "max" else along_c < along_h
        found.append((along_c if better else along_h, "c" if better else "h", way, lag))
    if not found:
        return None
    found.sort(key=lambda entry: entry[0])
    left, along, way, lag = found[len(found) // 2]  # the upper median: one sequence's own numbers
    factors = {"factor": left ** (1 / lag) if left > 0 else 0.0}
    window = slice(way.loss_step - lag, way.loss_step)
    for name, values in (("slope", way.slope), ("weight", way.weight), ("kept", way.kept)):
        if values is not None:
            factors[name] = _mean_factor(values[window])
    return _Path(layer, lag, left, along, factors)


def _mean_factor(values: Array) -> float:
    with np.errstate(all="ignore"):
        return float(np.exp(np.log(values).mean()))


def _product(path: _Path) -> str:
    """`0.67 a step: slope 0.71 × weights 0.94`"""
    factors, carry = path.factors, path.layer.about_cell.carry
    text = f"{numbers.factor(factors['factor'])} a step"
    if "slope" in factors and math.isfinite(factors["slope"]) and math.isfinite(factors["weight"]):
        return f"{text}: slope {numbers.factor(factors['slope'])} × weights {numbers.factor(factors['weight'])}"
    if "kept" in factors and carry is not None and math.isfinite(factors["kept"]):
        return f"{text}; the gate {carry.label} keeps {numbers.factor(factors['kept'])} of {carry.state}"
    return text


def _horizon(way: Way) -> float | None:
    """The longer of the horizons along h and along c; None: beyond the sequence."""
    horizons = [fading_lag(norms, VANISHED) for norms in (way.norms, way.cell_norms) if norms is not None]
    return None if None in horizons else max(h for h in horizons if h is not None)


def needed_lags(layer: Layer) -> tuple[list[int], bool]:
    """The lag of each way, and whether it is known. [] where neither the lag is known nor the sequences are long and
    judged at their end alone: then a short way back need not be a fault."""
    if layer.ways and all(way.lag is not None for way in layer.ways):
        return [way.lag or 0 for way in layer.ways], True
    if all(way.loss_step >= LONG and way.first_loss >= AT_THE_END * way.loss_step for way in layer.ways):
        return [max(1, math.floor(SHORT * way.loss_step)) for way in layer.ways], False
    return [], False


def _vanishes(evidence: Evidence) -> Finding | None:
    if evidence.is_learnt or evidence.now is None:
        return None
    worst: _Path | None = None
    known = False
    for layer in evidence.now.layers:
        if any(way.is_attended for way in layer.ways):  # what is small at one step may be large at an earlier one
            continue
        lags, known = needed_lags(layer)
        path = _path(layer, lags) if lags else None
        if path is not None and path.left < VANISHED and (worst is None or path.left < worst.left):
            worst = replace(path, is_known=known)
    if worst is None:
        return None
    known = worst.is_known
    layer = worst.layer
    horizons = [_horizon(way) for way in layer.ways]
    figures = {
        "left": worst.left, "lag": worst.lag, "lag_is_known": known, "along": worst.along, **worst.factors,
        "horizon": None if None in horizons else float(np.median([h for h in horizons if h is not None])),
        "sequences": len(layer.ways),
    }  # fmt: skip
    steps = f"{worst.lag} step{'s' * (worst.lag != 1)}"
    why = "the lag that the answer depends on" if known else f"a tenth of the {layer.ways[0].loss_step} steps"
    through = " in c" if worst.along == "c" else ""
    what = f"{steps} back, {why}, {part(worst.left)} of {evidence.goes_back} is left{through}"
    return Finding(f"{what} ({_product(worst)}).", figures, _why_small(worst), _against_vanishing(worst), layer.name)


def _why_small(path: _Path) -> str:
    factors, layer = path.factors, path.layer
    if "slope" in factors:
        if factors["slope"] <= factors["weight"] or not math.isfinite(factors["weight"]):
            return (
                f"The slope of {layer.activation} is small where the units are: it takes more from the gradient than "
                f"the weights do."
            )
        return "The recurrent weights are small: they take more from the gradient than the slopes do."
    if layer.about_cell.is_own:
        return "The derivative of your step is small: each step back multiplies the gradient by it."
    carry = layer.about_cell.carry
    assert carry is not None
    return f"The gate {carry.label} forgets: of what {carry.state} held, only the product of its values is left."


def _against_vanishing(path: _Path) -> Remedy:
    """For a simple RNN another cell, for a gate that carries a state another bias."""
    layer, carry = path.layer, path.layer.about_cell.carry
    if carry is not None:
        return keep_longer(layer, carry, path.lag if path.is_known else layer.ways[0].loss_step)
    other = next(one for one in CELLS.values() if one.remembers)
    if layer.about_cell.is_own:
        return Remedy(
            "Let your step carry a part of h past the weights, as a leaky unit does with 0.9 h_before; or use a cell "
            "with a gate for this.",
            {"cell": other.name},
        )
    inputs = layer.params["weight_ih"].shape[1]
    return Remedy(
        "Use a cell with a gate that carries its state past the weights.",
        {"cell": other.name},
        f"{other.torch.layer}({inputs}, {layer.H})",
        f"keras.layers.{other.keras.layer}({layer.H})",
    )


def keep_longer(layer: Layer, carry: Carry, lag: int) -> Remedy:
    """The bias with which the gate keeps 1 - 1/lag a step: e⁻¹ of the state is then left at the lag (Tallec & Ollivier
    2018)."""
    cell, H = layer.about_cell, layer.H
    size = round(math.log(max(lag, 3) - 1), 1)
    bias = -size if carry.is_inverted else size
    keeps = f"keeps {numbers.factor(1 / (1 + math.exp(-size)))} of {carry.state} a step"
    at, order = (names.index(carry.gate) * H for names in (cell.block_names, cell.keras.order))
    halves = bias / 2 if cell.biases == 2 else bias  # Keras keeps both biases of such a cell in one array of two rows
    return Remedy(
        f"Start the bias of the gate {carry.gate} at {bias:g}: {carry.label} then {keeps}.",
        {"forget_bias": bias} if cell.remembers == carry.gate else {"init": "chrono"},
        f"{layer.in_torch('bias_ih')}.data[{at}:{at + H}] = {bias:g}",
        f"b = rnn.cell.bias.numpy(); b[..., {order}:{order + H}] = {halves:g}; rnn.cell.bias.assign(b)",
    )


def _explodes(evidence: Evidence) -> Finding | None:
    if evidence.now is None:
        return None
    worst: _Path | None = None
    for layer in evidence.now.layers:
        lags = [way.loss_step - int(np.argmax(_finite(way.norms))) for way in layer.ways]
        path = _path(layer, lags, "min") if layer.ways else None
        if path is not None and path.left >= EXPLODES and (worst is None or path.left > worst.left):
            worst = path
    if worst is None:
        return None
    figures = {"left": worst.left, "lag": worst.lag, "along": worst.along, **worst.factors,
               "sequences": len(worst.layer.ways)}  # fmt: skip
    when = "" if evidence.is_now else f" ({evidence.now.place})"
    begins = "at the last step" if not evidence.has_loss else "at the step of its loss"
    much = f"{part(worst.left)} what it was {begins}"
    what = f"{worst.lag} steps back {evidence.goes_back} is {much}{when}"
    cause = "The recurrent weights are large: each step back multiplies the gradient by more than 1."
    if worst.layer.about_cell.is_own:
        cause = "The derivative of your step is large: each step back multiplies the gradient by more than 1."
    is_clipped = evidence.updates is not None and evidence.updates.limit
    remedy = Remedy(
        "Let parameters() in your file start smaller: clipping limits the update, not the way back.",
    ) if is_clipped and worst.layer.about_cell.is_own else Remedy(
        "Start the recurrent weights smaller: clipping limits the update, not the way back.", {"spectral_radius": 0.9},
        f"torch.nn.init.orthogonal_({worst.layer.in_torch('weight_hh')}, gain=0.9)",
        "recurrent_initializer=keras.initializers.Orthogonal(gain=0.9)",
    ) if is_clipped else Remedy(
        "Limit the norm of the gradient before each update.", {"clip_norm": 1.0},
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)", "keras.optimizers.Adam(global_clipnorm=1.0)",
    )  # fmt: skip
    return Finding(f"{what} ({_product(worst)}).", figures, cause, remedy, worst.layer.name)


def _finite(norms: Array) -> Array:
    """inf counts as the largest, nan as nothing."""
    return np.nan_to_num(norms, nan=0.0, posinf=np.finfo(np.float64).max)


def _cut_off(evidence: Evidence) -> Finding | None:
    if evidence.now is None or evidence.is_learnt:
        return None
    for layer in evidence.now.layers:
        cut = [way for way in layer.ways if way.lag is not None and way.loss_step - way.lag < way.first_used]
        if layer.ways and 2 * len(cut) > len(layer.ways):
            way = cut[0]
            lag, used = way.lag or 0, way.loss_step - way.first_used + 1
            return Finding(
                f"The update uses only the last {used} steps (truncated BPTT), and the answer depends on the input "
                f"{lag} steps back.",
                {"steps_used": used, "lag": lag, "sequences": len(layer.ways)},
                "Truncation ends the way back before the input that matters, so no update counts it.",
                Remedy(
                    "Train through the whole sequence, or let each truncated way be longer than the lag.",
                    {"truncate": f"{lag + 1},{lag + 1}"},
                    "# call h.detach() between sequences, not within one",
                    "# one sequence a sample, stateful=False",
                ),
                layer.name,
            )
    return None


def _no_lag(evidence: Evidence) -> str:
    layers = evidence.now.layers if evidence.now else ()
    if not any(layer.ways for layer in layers):
        return "no gradient of a single loss is known"
    if not any(needed_lags(layer)[0] for layer in layers if layer.ways):
        return f"the lag of the data is not known, and the loss does not lie at the end of {LONG} steps or more"
    return ""


def _no_way(evidence: Evidence) -> str:
    return (
        ""
        if evidence.now and any(layer.ways for layer in evidence.now.layers)
        else "no gradient of a single loss is known"
    )


def _no_known_lag(evidence: Evidence) -> str:
    ways = [way for layer in (evidence.now.layers if evidence.now else ()) for way in layer.ways]
    return "" if any(way.lag is not None for way in ways) else "the lag of the data is not known"


RULES = (
    Rule(
        "vanishing-gradient",
        "the gradient vanishes",
        f"Less than {percent(VANISHED, 0)} of the gradient of the last loss is left at the input that the answer "
        f"depends on, along h and along c, in the median sequence, and the task is not learnt. Where that input is "
        f"not known: less than {percent(VANISHED, 0)} is left after {percent(SHORT, 0)} of a sequence of {LONG} steps "
        f"or more, whose loss lies in its last {percent(1 - AT_THE_END, 0)}.",
        "1 % is the horizon that rnnviz draws. A network that has learnt its task is not reported: a latched state "
        "remembers although its gradient has vanished. With a loss at every step a short way back may be all that the "
        "data needs, so nothing is reported there unless the lag is known.",
        "why-gradients-vanish",
        _vanishes,
        _no_lag,
    ),
    Rule(
        "exploding-gradient",
        "the gradient explodes",
        f"At some time step the gradient of the last loss is {EXPLODES:,.0f} times what it was at the step of the "
        f"loss, along h and along c, in the median sequence.",
        "The app calls a gradient exploded from the same factor on. One step of the usual length along a gradient a "
        "thousand times too long leaves the region where it is right.",
        "exploding-gradients",
        _explodes,
        _no_way,
    ),
    Rule(
        "truncated",
        "truncated before the input that matters",
        "In more than half of the sequences the input that the answer depends on lies before the first step that an "
        "update uses, and the task is not learnt.",
        "It is a count, not an estimate: the gradient of the weights has no part from those steps.",
        "beyond",
        _cut_off,
        _no_known_lag,
    ),
)
