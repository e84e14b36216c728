"""Updates: from gradients that were never set to 0, clipped in most steps, too large or too small for their weights,
and two biases with one gradient."""

from __future__ import annotations

import math

import numpy as np

from rnnviz import numbers
from rnnviz.diagnosis.evidence import Evidence, Layer, Updates
from rnnviz.diagnosis.finding import Finding, Remedy, Rule
from rnnviz.nn.types import Array
from rnnviz.numbers import percent

#: Share of the updates that are clipped, or that begin with a gradient of earlier steps.
MOSTLY = 0.5
#: ‖what the gradient held before‖ / ‖the step's own‖, above which something was left over.
LEFT = 0.01
#: ‖update‖ / ‖weights‖: a finding above LARGE, in the median update; below SMALL, in the median of the first EARLY.
LARGE, SMALL, EARLY = 0.1, 1e-6, 0.2
#: Updates that are measured at least.
ENOUGH = 5
#: Share of the change of the sums that comes from the two biases alone.
BIASES = 0.95
#: Two gradients are equal if they differ by less than this part of the largest.
EQUAL = 1e-5


def _left_over(evidence: Evidence) -> Finding | None:
    updates = evidence.updates
    if updates is None or updates.left_over is None:
        return None
    known = updates.left_over[np.isfinite(updates.left_over)]
    share = float((known > LEFT).mean()) if len(known) >= ENOUGH else 0.0
    if share <= MOSTLY:
        return None
    ratio = float(np.median(known[known > LEFT]))
    return Finding(
        f"In {numbers.percent(share, 0)} of {len(known)} steps the gradient held that of earlier steps when backward "
        f"began, {ratio:.2g} times the step's own.",
        {"share": share, "measured": len(known), "ratio": ratio},
        "The gradient is not set to 0 after an update (zero_grad), so each update repeats all the earlier ones.",
        Remedy("Set the gradient to 0 once for each update, before backward.", {}, "optimizer.zero_grad()"),
    )


def _clipped(evidence: Evidence) -> Finding | None:
    updates = evidence.updates
    if updates is None or updates.is_clipped is None or len(updates.is_clipped) < ENOUGH:
        return None
    share = float(updates.is_clipped.mean())
    if share <= MOSTLY:
        return None
    norm = None if updates.norm is None else float(np.median(updates.norm))
    typical = "" if norm is None or not math.isfinite(norm) else f"; the median norm of a gradient is {norm:.2g}"
    return Finding(
        f"{numbers.percent(share, 0)} of {len(updates.step)} updates were clipped ({updates.limit}){typical}.",
        {"share": share, "measured": len(updates.step), "median_norm": norm, "limit": updates.limit},
        "The limit is below the usual norm of the gradient, so that it sets the length of most steps and the learning "
        "rate only scales it.",
        Remedy(
            "Raise the limit above the usual norm, and lower the learning rate instead.",
            {} if norm is None else {"clip_norm": float(f"{2 * norm:.1g}")},
            "torch.nn.utils.clip_grad_norm_(model.parameters(), "
            + ("…)" if norm is None else f"{2 * norm:.1g})"),
            "keras.optimizers.Adam(global_clipnorm=" + ("…)" if norm is None else f"{2 * norm:.1g})"),
        ),
    )  # fmt: skip


def _weights(updates: Updates) -> dict[str, Array]:
    """Of the matrices: biases often start at 0, where no ratio is defined."""
    return {name: ratio for name, ratio in updates.ratio.items() if "weight" in name and np.isfinite(ratio).all()}


def _large(evidence: Evidence) -> Finding | None:
    updates = evidence.updates
    if updates is None or len(updates.step) < ENOUGH:
        return None
    medians = {name: float(np.median(ratio)) for name, ratio in _weights(updates).items()}
    name = max(medians, key=medians.__getitem__, default="")
    if not name or medians[name] <= LARGE:
        return None
    least = "at least " if updates.is_least else ""
    return Finding(
        f"The median update changes {name} by {least}{numbers.percent(medians[name])} (‖update‖ / ‖weights‖).",
        {"parameter": name, "ratio": medians[name], "measured": len(updates.step)},
        "The learning rate is large for these weights: a few updates replace what they were.",
        _rate("Use a learning rate ten times smaller.", 0.1, evidence),
    )


def _small(evidence: Evidence) -> Finding | None:
    updates = evidence.updates
    if updates is None or updates.is_least or len(updates.step) < ENOUGH:
        return None
    early = max(1, math.ceil(EARLY * len(updates.step)))
    medians = {name: float(np.median(ratio[:early])) for name, ratio in _weights(updates).items()}
    recurrent = {name: value for name, value in medians.items() if "readout" not in name}
    if not recurrent or max(recurrent.values()) >= SMALL:
        return None
    name = max(recurrent, key=recurrent.__getitem__)
    return Finding(
        f"The first updates change {name} by {numbers.scientific(recurrent[name])} of its norm, and no recurrent "
        f"layer by more.",
        {"parameter": name, "ratio": recurrent[name], "measured": early},
        "The learning rate is small, or hardly any gradient arrives at these weights.",
        _rate("Use a learning rate ten times larger.", 10.0, evidence),
    )


def _rate(about: str, times: float, evidence: Evidence) -> Remedy:
    rate = evidence.learning_rate
    if rate is None:
        return Remedy(about, {}, f"for g in optimizer.param_groups: g['lr'] *= {times:g}",
                      f"model.optimizer.learning_rate.assign(model.optimizer.learning_rate * {times:g})")  # fmt: skip
    new = f"{rate * times:.1g}"
    return Remedy(about, {"learning_rate": float(new)}, f"for g in optimizer.param_groups: g['lr'] = {new}",
                  f"model.optimizer.learning_rate.assign({new})")  # fmt: skip


def _two_biases(evidence: Evidence) -> Finding | None:
    """Δ(b_ih + b_hh) = 2 δ and Δ(W_ih x + W_hh h) = δ (‖x‖² + ‖h‖²), for a step δ along the gradient of the sum."""
    if evidence.now is None:
        return None
    for layer in evidence.now.layers:
        equal = _equal_blocks(layer)
        if not equal:
            continue
        share, single = 2 / (2 + layer.x_squared), 1 / (1 + layer.x_squared)
        if share >= BIASES:
            return Finding(
                f"The two biases of each gate have the same gradient and make {numbers.percent(share, 0)} of what a "
                f"step along the gradient changes in the sums; one bias would make {numbers.percent(single, 0)}.",
                {"share": share, "share_of_one_bias": single, "mean_square_read": layer.x_squared, "blocks": equal},
                "Inputs and states are small, and two biases together learn twice as fast as one, so the biases "
                "change the sums more than the weights do.",
                Remedy(
                    "Scale the inputs to mean 0 and deviation 1, or train one bias of the two.", {"biases": 1},
                    f"{layer.in_torch('bias_hh')}.requires_grad_(False)", "x = (x - x.mean((0, 1))) / x.std((0, 1))",
                ),
                layer.name,
            )  # fmt: skip
    return None


def _equal_blocks(layer: Layer) -> list[str]:
    """The blocks whose two biases have the same gradient, other than 0."""
    first, second = (layer.grads.get(name) for name in ("bias_ih", "bias_hh"))
    if first is None or second is None:
        return []
    H, names = layer.H, layer.about_cell.block_names
    found = []
    for n, name in enumerate(names):
        a, b = first[n * H : (n + 1) * H], second[n * H : (n + 1) * H]
        size = float(np.abs(a).max())
        if 0 < size < math.inf and float(np.abs(a - b).max()) <= EQUAL * size:
            found.append(name)
    return found


def _not_measured(evidence: Evidence) -> str:
    if evidence.updates is None:
        return "the updates were not measured"
    return "" if len(evidence.updates.step) >= ENOUGH else f"fewer than {ENOUGH} updates were measured"


def _nothing_clips(evidence: Evidence) -> str:
    missing = _not_measured(evidence)
    return missing or (
        "" if evidence.updates and evidence.updates.is_clipped is not None else "clipping was not measured"
    )


def _nothing_before(evidence: Evidence) -> str:
    missing = _no_first_updates(evidence)
    is_known = evidence.updates is not None and evidence.updates.left_over is not None
    return missing or ("" if is_known else "what the gradient held before a step was not recorded")


def _no_first_updates(evidence: Evidence) -> str:
    missing = _not_measured(evidence)
    return missing or (
        "only several updates together were measured" if evidence.updates and evidence.updates.is_least else ""
    )


def _one_bias(evidence: Evidence) -> str:
    layers = evidence.now.layers if evidence.now else ()
    return "" if any("bias_hh" in layer.params for layer in layers) else "the cell has one bias"


RULES = (
    Rule(
        "accumulated-gradients",
        "the gradient still holds that of earlier steps",
        f"In more than {percent(MOSTLY, 0)} of the measured steps ({ENOUGH} or more) .grad was not 0 when backward "
        f"began, although an update had used it, and held more than {LEFT:g} times the step's own gradient.",
        "Gradients that are accumulated on purpose are set to 0 after each update, so that nothing is left over.",
        "training-the-sine",
        _left_over,
        _nothing_before,
    ),
    Rule(
        "mostly-clipped",
        "most updates are clipped",
        f"More than {percent(MOSTLY, 0)} of the measured updates ({ENOUGH} or more) were clipped.",
        "Clipping is for the rare step that is too long (Pascanu, Mikolov and Bengio 2013, section 3.2). Beyond half, "
        "the limit, not the gradient, sets the length of the usual step.",
        "the-first-bad-step",
        _clipped,
        _nothing_clips,
    ),
    Rule(
        "large-updates",
        "updates are large for their weights",
        f"The median of ‖update‖ / ‖weights‖ is above {LARGE:g} for some weight matrix ({ENOUGH} updates or more).",
        "About 0.001 is usual, and a few times 0.01 for small networks with Adam. At 0.1, ten updates in one "
        "direction are as long as the weights themselves.",
        "training-the-sine",
        _large,
        _not_measured,
    ),
    Rule(
        "small-updates",
        "updates are small for their weights",
        f"In the first {percent(EARLY, 0)} of the measured updates the median of ‖update‖ / ‖weights‖ is below "
        f"{SMALL:g} for every weight matrix of the recurrent layers.",
        "At that pace a change by 1 % takes 10,000 updates or more. Late updates are small in every training that "
        "ends, so only the first ones count.",
        "training-the-sine",
        _small,
        _no_first_updates,
    ),
    Rule(
        "two-biases",
        "two biases learn twice as fast",
        f"The two biases of a gate have the same gradient (to {EQUAL:g}), and 2 / (2 + mean of ‖x‖² + ‖h‖²) is "
        f"{BIASES:g} or more: that share of the change of a gate's sum, in a step along the gradient, comes from the "
        f"biases.",
        "Every layer with two biases has this in principle, and it does no harm while the inputs and states are large "
        "enough: an upper layer of a stack that starts as in PyTorch has 0.83 to 0.92. At 0.95 the biases outweigh "
        "the weights 19 to 1.",
        "two-frameworks",
        _two_biases,
        _one_bias,
    ),
)
