"""Sequences of unequal lengths, as steps of one array: which steps are padding, and what the network does there.

    packed        s  a  t  o            the sequence ends at its own end: nothing is padding
    copy, after   s  a  t  o  ▫  ▫  ▫   a padded step is masked: the state is copied through it, and not read from it
    copy, before  ▫  ▫  ▫  s  a  t  o
    none, after   s  a  t  o  0  0  0   a padded step is read like any other: its input is zeros

packed is `pack_padded_sequence` in PyTorch, copy is a mask in Keras (Masking, or Embedding with mask_zero). They give
the same losses and weights' gradients, so a network is trained on the packed sequences either way. none is what either
library does with a padded batch and nothing else; it trains another network.

A loss at the last step is at the sequence's own end where it is packed, and at step T where it is padded, as
`output[:, -1]` reads it. A loss at every step, or at numbered steps, which count from the sequence's own first, is
never at a padded one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn.spec import one_of
from rnnviz.numbers import counted
from rnnviz.tasks import base
from rnnviz.tasks.base import Array, Task, rng_of
from rnnviz.tasks.catalog import MASKS, PADDINGS


def arranged(task: Task, shortest: int | None, padding: str, mask: str, seed: int) -> Task:
    """The task with sequences of `shortest` to T steps (None: as long as they are), and padded as `mask` says: see
    above. padding: "after" the sequence's own steps or "before" them. The task itself where nothing changes.

    Raises InputError for an unknown name, and for a shortest length that is too short or too long.
    """
    one_of("mask", mask, MASKS)
    one_of("padding", padding, PADDINGS)
    if shortest is not None:
        task = shortened(task, shortest, seed)
    return task if mask == "packed" or (task.lengths == task.seq_len).all() else padded(task, padding, mask)


def shortened(task: Task, shortest: int, seed: int) -> Task:
    """Each sequence with a length drawn from `shortest` to T. The steps that no answer needs are left out, the farthest
    first, so that the answers are the same."""
    N, T = len(task), task.seq_len
    spare = [task.spare_steps(i) for i in range(N)]
    least = max(T - len(steps) for steps in spare)
    if not least <= shortest <= T:
        why = f"its longest sequences have {T}" if shortest > T else f"its answers need {least}"
        found = f"sequences of {counted(shortest, 'step')} do not fit the task {task.name!r}"
        raise InputError(f"shortest: {found}: {why}; use {least} to {T}")
    lengths = rng_of("lengths", seed).integers(shortest, T + 1, size=N)
    x, targets = np.zeros_like(task.x), np.zeros_like(task.targets)
    for i, n in enumerate(lengths):
        kept = np.delete(np.arange(T), spare[i][: T - n])
        x[i, :n], targets[i, :n] = task.x[i, kept], task.targets[i, kept]
        targets[i, n:] = targets[i, n - 1]
    every = task.loss_mask.all(axis=1).all()
    steps = tuple(int(k) + 1 for k in np.flatnonzero(task.loss_mask[0]))
    judged = base.mask(lengths, T, "every" if every else "last" if steps == (T,) else steps)
    return replace(
        task,
        x=x,
        targets=targets,
        loss_mask=judged,
        lengths=lengths,
        baseline=task.constant_loss(targets, judged),
    )


def padded(task: Task, padding: str, mask: str) -> Task:
    """The packed sequences of a task, each in T steps, with zeros after or before."""
    T, own = task.seq_len, task.lengths
    first = np.ones_like(own) if padding == "after" else T - own + 1
    own_steps = np.stack([first, first + own - 1], axis=1)
    at = np.arange(T) - (first[:, None] - 1)  # the packed step of each padded one
    inside = (at >= 0) & (at < own[:, None])
    rows, at = np.arange(len(own))[:, None], np.clip(at, 0, own[:, None] - 1)
    judged = task.loss_mask[rows, at] & inside
    at_end = task.loss_mask.sum(axis=1) == 1
    if (at_end & task.loss_mask[np.arange(len(own)), own - 1]).all():
        judged = np.broadcast_to(np.arange(T) == T - 1, judged.shape)
    return replace(
        task,
        x=np.where(inside[:, :, None], task.x[rows, at], 0.0),
        targets=task.targets[rows, at],
        loss_mask=judged.copy(),
        lengths=np.full_like(own, T),
        own_steps=own_steps,
        mask=mask,
    )


def packed_steps(task: Task) -> Array | None:
    """(N, T) bool: the steps of packed sequences, for a network that also reads from their ends; None: each step."""
    n = task.lengths
    return None if (n == task.seq_len).all() else np.arange(task.seq_len) < n[:, None]


def packed_data(task: Task) -> tuple[Array, Array, Array]:
    """x, targets and loss_mask of a task to train on. Masked sequences are packed again: their own steps come first,
    and a loss on a copy of the last state is one on that state."""
    if task.mask != "copy" or task.own_steps is None:
        return task.x, task.targets, task.loss_mask
    N, T = task.loss_mask.shape
    first, last = task.own_steps.T - 1
    n = last - first + 1
    rows, at = np.arange(N)[:, None], np.minimum(first[:, None] + np.arange(T), T - 1)
    inside = np.arange(T) < n[:, None]
    judged = task.loss_mask[rows, at] & inside
    judged[np.arange(N), n - 1] |= (task.loss_mask & (np.arange(T) >= last[:, None])).any(axis=1)
    x = np.where(inside[:, :, None], task.x[rows, at], 0.0)
    targets = task.targets[rows, np.minimum(at, last[:, None])]
    return x, targets, judged
