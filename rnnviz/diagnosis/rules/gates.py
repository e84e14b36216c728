"""Gates: a forget gate that never left its start value, and gates that stay shut."""

from __future__ import annotations

import numpy as np

from rnnviz import numbers
from rnnviz.diagnosis.evidence import Evidence, Layer, Moment
from rnnviz.diagnosis.finding import Finding, Remedy, Rule
from rnnviz.diagnosis.rules.gradients import keep_longer, needed_lags
from rnnviz.nn.cell_table import CELLS
from rnnviz.numbers import percent

#: The lesson about gates goes by the name of the cell whose gate remembers.
LESSON = next(cell.name for cell in CELLS.values() if cell.remembers)
#: A gate is shut where less than this passes, and stays shut if it is in this part of the steps.
SHUT, MOST_STEPS = 0.02, 0.95
#: A finding from this part of the units on.
MANY = 0.5
#: A unit whose old state stays, this much or more, may keep its input gate nearly shut: it counts long lags.
STAYS = 0.9
#: The gate's mean has moved less than this from its start, after at least FEW updates, and keeps less than LITTLE of
#: the state at the lag.
MOVED, FEW, LITTLE = 0.05, 100, 0.01


def _shut(evidence: Evidence) -> Finding | None:
    if evidence.now is None:
        return None
    worst: tuple[float, Layer, str] | None = None
    for layer in evidence.now.layers:
        carry = layer.about_cell.carry
        for block in layer.about_cell.blocks:
            if block.name not in layer.gates or block.is_signed:
                continue
            gate = layer.gates[block.name]
            is_carry = carry is not None and carry.gate == block.name
            passes = carry.share(gate) if carry is not None and is_carry else gate
            shut = (passes < SHUT).mean(axis=0) >= MOST_STEPS
            if carry is not None and not is_carry:
                kept = carry.share(layer.gates[carry.gate]).mean(axis=0)
                shut &= kept < STAYS
            share = float(shut.mean())
            if share >= MANY and (worst is None or share > worst[0]):
                worst = share, layer, block.name
    if worst is None:
        return None
    share, layer, name = worst
    cell = layer.about_cell
    label = cell.carry.label if cell.carry is not None and cell.carry.gate == name else name
    bias = layer.bias(name)
    about = next(block.about for block in cell.blocks if block.name == name)
    settings = {"forget_bias": 1.0} if cell.remembers == name else {}
    H, at = layer.H, cell.block_names.index(name) * layer.H
    order = cell.keras.order.index(name) * H
    return Finding(
        f"{label} stays below {SHUT:g} in {numbers.percent(share, 0)} of the units: hardly anything passes there.",
        {"gate": label, "share": share, "mean": float(layer.gates[name].mean()),
         "bias": None if bias is None else float(bias.mean())},
        f"Its bias or its weights are far from 0, where the slope of σ is near 0 as well ({name}: {about}).",
        Remedy(
            f"Start the bias of the gate {name} at 0, and scale the inputs to mean 0 and deviation 1.", settings,
            f"{layer.in_torch('bias_ih')}.data[{at}:{at + H}] = 0.0",
            f"b = rnn.cell.bias.numpy(); b[..., {order}:{order + H}] = 0.0; rnn.cell.bias.assign(b)",
        ),
        layer.name,
    )  # fmt: skip


def _kept(layer: Layer) -> float | None:
    """Mean share of the old state that the carrying gate keeps."""
    carry = layer.about_cell.carry
    return None if carry is None else float(carry.share(layer.gates[carry.gate]).mean())


def _at_start(evidence: Evidence) -> Finding | None:
    if evidence.is_learnt or evidence.now is None or _too_early(evidence):
        return None
    start = evidence.moments[0]
    for layer, first in zip(evidence.now.layers, start.layers, strict=True):
        carry = layer.about_cell.carry
        lags, is_known = needed_lags(layer)
        now, before = _kept(layer), _kept(first)
        if carry is None or not lags or now is None or before is None:
            continue
        lag = int(np.median(lags))
        left = float((carry.share(layer.gates[carry.gate]).mean(axis=0) ** lag).mean())
        if abs(now - before) >= MOVED or left >= LITTLE:
            continue
        return Finding(
            f"{carry.label} still keeps {numbers.factor(now)} of {carry.state} a step ({start.place}: "
            f"{numbers.factor(before)}), which leaves {numbers.scientific(left)} of it after {lag} steps.",
            {"gate": carry.label, "kept": now, "kept_at_first": before, "lag": lag, "left": left,
             "updates": evidence.now.step - start.step},
            "So little of the gradient arrives that the bias of the gate hardly depends on the early steps.",
            keep_longer(layer, carry, lag if is_known else layer.ways[0].loss_step),
            layer.name,
        )  # fmt: skip
    return None


def _too_early(evidence: Evidence) -> str:
    if evidence.now is None or len(evidence.moments) < 2 or _steps(evidence.moments[0], evidence.now) < FEW:
        return f"fewer than {FEW} updates lie between the first moment and the last"
    return ""


def _steps(first: Moment, last: Moment) -> int:
    return last.step - first.step


def _no_gates(evidence: Evidence) -> str:
    if evidence.now is None:
        return "no moment has finite states"
    return "" if any(layer.gates for layer in evidence.now.layers) else "the cell has no gates"


def _nothing_to_forget(evidence: Evidence) -> str:
    missing = _no_gates(evidence) or _too_early(evidence)
    if missing or evidence.now is None:
        return missing
    if not any(needed_lags(layer)[0] for layer in evidence.now.layers):
        return "the lag of the data is not known"
    return ""


RULES = (
    Rule(
        "gate-at-start",
        "the gate that keeps the state is at its start value",
        f"After {FEW} updates or more, the mean of the gate that carries the state (f of an LSTM, z of a GRU) is "
        f"within {MOVED:g} of its first value, less than {percent(LITTLE, 0)} of a state is left at the lag that the "
        f"data needs (see vanishing-gradient), and the task is not learnt.",
        "A gate may well stay where it was if that is long enough, so the finding asks for all three: not moved, too "
        "short, and not learnt. 0.05 is a change of 0.2 in a bias of 0.",
        LESSON,
        _at_start,
        _nothing_to_forget,
    ),
    Rule(
        "gate-shut",
        "a gate stays shut",
        f"In {percent(MANY, 0)} of the units or more, less than {SHUT:g} passes a gate in {percent(MOST_STEPS, 0)} of "
        f"the steps. Of a gate that carries the old state, what stays of it counts. Other gates are not counted in a "
        f"unit whose old state stays by {percent(STAYS, 0)}.",
        "The slope of σ is then at most a twelfth of its largest, so that an update hardly opens the gate. Single "
        "shut units are usual; a cell that starts with long memories (chrono) has nearly shut input gates on purpose, "
        "beside open forget gates.",
        LESSON,
        _shut,
        _no_gates,
    ),
)
