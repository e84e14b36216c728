"""A sequence that a person types, in place of one of a task's.

    rossi            symbols, one a step           rossi = Italian   with the right answer
    0.2 0.4 0.1      numbers, one a step           1 2; 3 4          steps of several numbers each
    7 = 0.5          step 7 of the present one moved     7[1] = 0.5    its x[1]

Where a task predicts the next symbol or number, what was typed is its own target. Moved steps leave the targets as they
are; one move follows another. A classifier without a right answer is judged by its own; numbers without targets of
their own need as many steps as the sequence had, whose targets stay.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.glyphs import cut, visible
from rnnviz.tasks.base import Array, Task, Typed

#: Steps of a typed sequence, at most.
LONGEST = 2000
_MOVE = re.compile(r"\s*x?(\d{1,6})(?:\[(\d{1,6})\])?\s*=(.+)\Z", re.IGNORECASE | re.DOTALL)


def with_typed(task: Task, i: int, text: str) -> Task:
    """The task with its sequence i as it was typed. Raises InputError in a line that says what is wrong, and what to
    type. Where `typed.is_own_answer` the targets are still open: see `answered_by_itself`."""
    move = _MOVE.match(text)
    if move is None:
        task = task.original or task
    steps = int(task.lengths[i])
    if move is not None:
        step, feature, value = int(move[1]), int(move[2] or 0), move[3].strip()
        if not 1 <= step <= steps:
            raise InputError(f"step {step}: this sequence has the steps 1 to {steps}")
        x = np.array(task.x[i, :steps])
        if task.vocab:
            x[step - 1] = np.eye(len(task.vocab))[_symbols(task, value, single=True)[0]]
        elif feature >= task.input_size:
            raise InputError(f"x[{feature}]: a step has {task.input_size} numbers, x[0] to x[{task.input_size - 1}]")
        else:
            x[step - 1, feature] = _number(value)
        where = f"step {step}" + (f", x[{feature}]" if task.input_size > 1 and not task.vocab else "")
        about = f"{where} moved to {visible(value)}"
        typed = Typed(i, text, about)
        return _replaced(task, i, x, task.targets[i, :steps], task.loss_mask[i, :steps], typed, task.own_steps)
    answer: int | None = None
    body = text
    if task.labels and not _predicts_next(task, i) and "=" in text:
        body, _, name = text.rpartition("=")
        answer = _label(task, name.strip())
    if task.vocab:
        tokens = _symbols(task, body)
        rows = np.eye(len(task.vocab))[tokens]
    else:
        tokens, rows = [], numbers(body, task.input_size)
    return _judged(task, i, text, rows, tokens, answer)


def answered_by_itself(task: Task, y: Array) -> Task:
    """The typed sequence with the network's own answers y (n, O) as the right ones."""
    assert task.typed is not None
    targets = np.array(task.targets)
    targets[task.typed.sample, : len(y)] = np.nan_to_num(y).argmax(axis=1)
    return replace(task, targets=targets)


def _judged(task: Task, i: int, text: str, rows: Array, tokens: list[int], answer: int | None) -> Task:
    """With the targets that the rules above give it."""
    steps, about = int(task.lengths[i]), f"typed: {cut(visible(text.strip()), 40)}"
    every = bool(task.loss_mask[i, :steps].all())
    if not task.has_targets:
        return replaced(task, i, rows, text)
    if _predicts_next(task, i):
        if len(rows) < 2:
            raise InputError("one step is too few: the last is only predicted, so type at least two")
        targets = np.array(tokens[1:]) if task.vocab else rows[1:, : task.output_size]
        return _replaced(task, i, rows[:-1], targets, _mask(len(rows) - 1, every), Typed(i, text, about))
    if answer is not None:
        targets = np.full(len(rows), answer)
        return _replaced(task, i, rows, targets, _mask(len(rows), every), Typed(i, text, about))
    if task.labels:
        targets, about = np.zeros(len(rows), int), f"{about}, without a right answer"
        typed = Typed(i, text, about, is_own_answer=True)
        return _replaced(task, i, rows, targets, _mask(len(rows), every), typed)
    if len(rows) != steps:
        raise InputError(
            f"{len(rows)} steps were typed; type {steps}, as many as this sequence has, since its targets stay"
        )
    about = f"{about}; its targets stay"
    return _replaced(task, i, rows, task.targets[i, :steps], task.loss_mask[i, :steps], Typed(i, text, about))


def replaced(task: Task, i: int, x: Array, text: str) -> Task:
    """Without targets: sequence i is x (n, I)."""
    about = f"typed: {cut(visible(text.strip()), 40)}"
    return _replaced(task, i, x, np.zeros((len(x), 1)), np.zeros(len(x), bool), Typed(i, text, about))


def _replaced(
    task: Task, i: int, x: Array, targets: Array, mask: Array, typed: Typed, own_steps: Array | None = None
) -> Task:
    """own_steps: which are padding; None: none of this sequence."""
    n = len(x)
    if own_steps is None and task.own_steps is not None:
        own_steps = np.array(task.own_steps)
        own_steps[i] = 1, n
    more = max(0, n - task.seq_len)

    def of(whole: Array, own: Array) -> Array:
        out = np.pad(whole, ((0, 0), (0, more), *((0, 0),) * (whole.ndim - 2)))
        out[i] = 0
        out[i, :n] = own
        return out

    lengths = np.array(task.lengths)
    lengths[i] = n
    return replace(
        task,
        x=of(task.x, x),
        targets=of(task.targets, targets),
        loss_mask=of(task.loss_mask, mask),
        lengths=lengths,
        own_steps=own_steps,
        typed=typed,
        original=task.original or task,
    )


def _mask(n: int, every: bool) -> Array:
    mask = np.full(n, every)
    mask[-1] = True
    return mask


def _predicts_next(task: Task, i: int) -> bool:
    """Whether the target of each step is the input of the next."""
    n = int(task.lengths[i])
    if n < 2 or not task.has_targets:
        return False
    x, targets = task.x[i, 1:n], task.targets[i, : n - 1]
    if targets.ndim == 1:
        return task.vocab == task.labels and bool((x.argmax(axis=1) == targets).all())
    return x.shape == targets.shape and bool(np.array_equal(x, targets))


# -- reading text ------------------------------------------------------------------------------------------


def _symbols(task: Task, text: str, *, single: bool = False) -> list[int]:
    """The numbers of its symbols: characters; where a symbol is longer, words."""
    number = {symbol: k for k, symbol in enumerate(task.vocab)}
    is_text = " " in number
    parts = list(text if is_text else "".join(text.split())) if max(map(len, task.vocab)) == 1 else text.split()
    if is_text and not single:
        parts = list(text)
    if not parts:
        raise InputError("nothing was typed; type at least one symbol")
    if len(parts) > (1 if single else LONGEST):
        most = "one symbol" if single else f"at most {LONGEST}"
        raise InputError(f"{len(parts)} symbols were typed; type {most}")
    found = []
    for part in parts:
        known = next((one for one in (part, part.lower(), part.upper()) if one in number), None)
        if known is None:
            every = " ".join(visible(one) for one in task.vocab)
            raise InputError(f"{short_repr(part)} is not a symbol that this network reads: {cut(every, 60)}")
        found.append(number[known])
    return found


def _label(task: Task, name: str) -> int:
    names = [label.lower() for label in task.labels]
    if name.lower() not in names:
        raise InputError(f"{short_repr(name)} is not a class; choose from {cut(', '.join(task.labels), 70)}")
    return names.index(name.lower())


def numbers(text: str, width: int) -> Array:
    """(n, width): one step after the other. A step of several numbers ends in a semicolon. Raises InputError."""
    if not text.strip():
        raise InputError("nothing was typed; type a number for each step")
    steps = text.split(";") if ";" in text or width > 1 else text.replace(",", " ").split()
    rows = []
    for n, step in enumerate(steps, start=1):
        values = [_number(value) for value in step.replace(",", " ").split()]
        if len(values) != width:
            many = "one number" if width == 1 else f"{width} numbers, and a semicolon between steps"
            raise InputError(f"step {n} has {len(values)} numbers; this network reads {many}")
        rows.append(values)
    if len(rows) > LONGEST:
        raise InputError(f"{len(rows)} steps were typed; type at most {LONGEST}")
    return np.array(rows)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > 1e100:
        raise InputError(f"{short_repr(text)} is not a number")
    return value
