"""Evidence from a recording: a few of its records are traced, the losses of all are read, and the first record with a
nan or inf is looked for.

    >>> evidence = examine(Recording.open("runs/lstm"))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from rnnviz.diagnosis.evidence import Evidence, Layer, Moment, NotFinite, Updates, layer_of, repetition
from rnnviz.errors import InputError
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.layer_layout import BACKWARD, SUFFIX
from rnnviz.nn.types import Array, frozen
from rnnviz.numbers import counted
from rnnviz.recordings import passes
from rnnviz.recordings.layer_record import LayerRecord
from rnnviz.recordings.recording import Record, Recording

#: (records looked at, of how many); may raise an exception to stop.
Report = Callable[[int, int], None]

#: Sequences that are traced in the last record, and in the earlier ones; records that are traced; pairs of records
#: whose weights are compared where updates were not recorded.
SEQUENCES, EARLIER, MOMENTS, PAIRS = 8, 2, 5, 10
#: Multiplications of the traces of one record; beyond, fewer sequences are traced.
WORK = 2e10


def examine(recording: Recording, report: Report = lambda done, total: None) -> Evidence:
    """Read `recording` and return the evidence. Raises InputError if it has no records, or none that can be read."""
    if not len(recording):
        raise InputError(f"{recording.path}: this recording has no records yet; start it when the training has run")
    records = list(recording)
    picked = sorted({int(n) for n in np.linspace(0, len(records) - 1, MOMENTS).round()})
    pairs = sorted({int(n) for n in np.linspace(0, len(records) - 2, PAIRS).round()}) if len(records) > 1 else []
    total = len(records) + len(picked) + len(pairs)
    losses = []
    for number, record in enumerate(records):
        losses.append(math.nan if record.loss is None else record.loss)
        report(number + 1, total)
    moments = []
    for number, index in enumerate(picked):
        is_last = index == len(records) - 1
        moments.append(moment_of(records[index], SEQUENCES if is_last else EARLIER))
        report(len(records) + number + 1, total)
    last = records[-1]
    known = [loss for record, loss in zip(records, losses, strict=True) if record.loss is not None]
    rate = last.extra.get("learning_rate")
    return Evidence(
        kind="recording",
        title=_title(recording, last),
        moments=tuple(moments),
        losses=frozen(np.array(known, np.float64)),
        loss_unit="record",
        repeats=_repeats(last),
        updates=_updates(records) or _from_weights(records, pairs),
        not_finite=first_not_finite(records, losses),
        learning_rate=float(rate) if isinstance(rate, int | float) and rate > 0 else None,
        notes=_notes(recording, last),
    )


def _title(recording: Recording, last: Record) -> str:
    layers = []
    for name in last.layers:
        layer = last.layer(name)
        levels = f" × {counted(layer.levels, 'level')}" if layer.levels > 1 else ""
        both = ", both directions" if len(layer.directions) > 1 else ""
        about = f"{CELLS[layer.cell].described(layer.activation)}, {counted(layer.H, 'unit')}{levels}{both}"
        layers.append(f"{name}: {about}, {counted(layer.T, 'step')}")
    steps = recording.steps
    span = f"step {steps[0]:,}" if len(steps) == 1 else f"steps {steps[0]:,} to {steps[-1]:,}"
    return f"{recording.path}: {counted(len(recording), 'record')}, {span}; {'; '.join(layers)}"


def _notes(recording: Recording, last: Record) -> tuple[str, ...]:
    """What the recorder noted, and whether the last record's figures are checked against the framework's."""
    notes = [recording.note] if recording.note else []
    for name in last.layers:
        figure = last.agreement(name)
        if figure is None:
            notes.append(
                "Not checked: "
                f"the weight gradients of {name} were not compared with the framework's in the last record."
            )
        elif not last.is_proved(name):
            notes.append(
                f"Not proved: in the last record of {name} the weight gradients differ from the framework's by "
                f"{figure:.1e}, so the gradients below may be wrong."
            )
        notes += last.notes(name)
    return tuple(dict.fromkeys(notes))


def _parts(layer: LayerRecord, name: str) -> Iterator[tuple[str, int, str]]:
    """(what a person calls it, level, direction)"""
    for level in range(layer.levels):
        for direction in layer.directions:
            of = f", level {level + 1}" if layer.levels > 1 else ""
            yield name + of + (", backward" if direction == BACKWARD else ""), level, direction


def moment_of(record: Record, sequences: int) -> Moment:
    """The layers of one record, each level and direction of its own, with up to `sequences` sequences."""
    layers: list[Layer] = []
    for name in record.layers:
        whole = record.layer(name)
        parts = list(_parts(whole, name))
        work = whole.T * whole.H**2 * len(CELLS[whole.cell].blocks) * 4 * len(parts) ** 2
        count = max(1, min(sequences, whole.B, int(WORK // max(1, work))))
        samples = [int(n) for n in np.linspace(0, whole.B - 1, count).round()]
        for title, level, direction in parts:
            with np.errstate(all="ignore"):
                traces = [passes.trace_of(whole, sample, level, direction) for sample in samples]
                found = layer_of(title, traces)
            suffix = f"_l{level}{SUFFIX[direction]}"
            there = [
                kind for kind in found.params if kind + suffix in whole.weights
            ]  # a trace has zeros for the others
            layers.append(
                replace(
                    found,
                    params={kind: found.params[kind] for kind in there},
                    grads={kind: found.grads[kind] for kind in there},
                    torch=f"model.{name}.{{}}{suffix}" if name.replace(".", "").isidentifier() else f"rnn.{{}}{suffix}",
                )
            )
    return Moment(f"step {record.step:,}", record.step, tuple(layers), record.loss)


def _repeats(record: Record) -> tuple[int, float] | None:
    """Of the inputs of the first layer."""
    layer = record.layer()
    return repetition([layer.x[: layer.steps[n], n] for n in range(layer.B)])


# -- updates -------------------------------------------------------------------------------------------


def _updates(records: list[Record]) -> Updates | None:
    """As the recorder noted them; None if it did not."""
    rows = [(record.step, record.extra) for record in records]
    rows = [(step, extra) for step, extra in rows if any(key.startswith("update_ratio: ") for key in extra)]
    if not rows:
        return None
    names = sorted({key for _, extra in rows for key in extra if key.startswith("update_ratio: ")})
    factors = [extra.get("clip_factor") for _, extra in rows]
    left = _numbers([extra.get("left_over") for step, extra in rows])
    is_known = all(isinstance(factor, int | float) for factor in factors)
    return Updates(
        step=frozen(np.array([step for step, _ in rows])),
        ratio={
            f"the weights of {name.removeprefix('update_ratio: ')}": _numbers([extra.get(name) for _, extra in rows])
            for name in names
        },
        is_clipped=frozen(_numbers(factors) < 1) if is_known else None,
        left_over=frozen(left) if np.isfinite(left).any() else None,
        limit="by the factor that was recorded" if is_known else "",
    )


def _numbers(values: list[object]) -> Array:
    return np.array([float(v) if isinstance(v, int | float) else math.nan for v in values])


def _from_weights(records: list[Record], pairs: list[int]) -> Updates | None:
    """From one record to the next: the mean change of a step is at most that of its longest update, so the ratios are
    lower bounds."""
    steps, rows = [], []
    for n in pairs:
        between = records[n + 1].step - records[n].step
        ratios = {}
        for name in set(records[n].layers) & set(records[n + 1].layers):
            before, after = records[n].layer(name).weights, records[n + 1].layer(name).weights
            for weight in before:
                if weight in after and before[weight].shape == after[weight].shape:
                    with np.errstate(invalid="ignore"):  # weights that are nan or inf
                        change = float(np.linalg.norm(after[weight].astype(float) - before[weight]))
                    size = float(np.linalg.norm(before[weight].astype(float)))
                    ratios[f"{name}.{weight}"] = change / size / between if size else math.nan
        steps.append(records[n + 1].step)
        rows.append(ratios)
    shared = set.intersection(*map(set, rows)) if rows else set()
    if not shared:
        return None
    ratio = {name: frozen(np.array([row[name] for row in rows])) for name in sorted(shared)}
    return Updates(frozen(np.array(steps)), ratio, is_least=True)


# -- the first nan or inf ------------------------------------------------------------------------------


def first_not_finite(records: list[Record], losses: list[float]) -> NotFinite | None:
    """The first record that holds a nan or inf, and which quantity: by its loss, or found by halving where the last
    record has one. One that has gone by the last record, with finite losses throughout, is not found."""
    has_loss = [record.loss is not None for record in records]
    bad = [n for n, loss in enumerate(losses) if has_loss[n] and not math.isfinite(loss)]
    high = bad[0] if bad else len(records) - 1
    if _in_record(records[high]) is None:
        return None
    low = -1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _in_record(records[middle]) else (middle, high)
    return _in_record(records[high])


def _in_record(record: Record) -> NotFinite | None:
    where, before = f"in the record of step {record.step:,}", "the weights"
    whole = {name: record.layer(name) for name in record.layers}

    def found(quantity: str, array: Array, *fine: str) -> NotFinite:
        text = " and ".join(filter(None, [", ".join(fine[:-1]), fine[-1] if fine else ""]))
        return NotFinite(where, record.step, quantity, "nan" if np.isnan(array).any() else "inf", text)

    for name, layer in whole.items():
        for weight, array in layer.weights.items():
            if not np.isfinite(array).all():
                return found(f"the weights {weight} of {name}", array)
    for name, layer in whole.items():
        if not np.isfinite(_within(layer, layer.x)).all():
            return found(f"the input x of {name}", _within(layer, layer.x), before)
    runs = {name: passes.passes(layer) for name, layer in whole.items()}
    for name, layer in whole.items():
        for title, level, direction in _parts(layer, name):
            states = runs[name][level, direction].forward.h
            steps = np.flatnonzero(~np.isfinite(states).all(axis=(1, 2)))
            if len(steps):
                return found(f"the state h of {title} at t = {steps[0]}", states[steps[0]], before, "the inputs")
    if record.loss is not None and not math.isfinite(record.loss):
        return found("the loss", np.array(record.loss), before, "the states")
    for name, layer in whole.items():
        if not np.isfinite(_within(layer, layer.direct)).all():
            return found(f"the gradient on the outputs of {name}", _within(layer, layer.direct), before, "the states")
        for title, level, direction in reversed(list(_parts(layer, name))):
            grad = runs[name][level, direction].backward.grad_h
            steps = np.flatnonzero(~np.isfinite(grad).all(axis=(1, 2)))
            if len(steps):
                return found(f"the gradient ∂L/∂h of {title} at t = {steps[-1]}", grad[steps[-1]], before, "the states")
        for weight, array in layer.grads.items():
            if not np.isfinite(array).all():
                return found(f"the gradient of {weight} of {name}", array, before, "the states")
    return None


def _within(layer: LayerRecord, array: Array) -> Array:
    """(T, B, N) with zeros behind the end of each sequence."""
    if layer.lengths is None:
        return array
    return np.where((np.arange(layer.T)[:, None] >= layer.steps)[..., None], 0.0, array)
