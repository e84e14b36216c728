"""The sequences that a layer has read or is to read: a task of which neither the readout nor the targets are known."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from rnnviz.glyphs import visible
from rnnviz.recordings.layer_record import LayerRecord
from rnnviz.tasks.base import Array, Task


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Recorded(Task):
    """names: what a person calls each sequence, or (). words: of each sequence the symbol of every step, or ()."""

    has_readout: ClassVar[bool] = False
    has_targets: ClassVar[bool] = False

    names: tuple[str, ...] = ()
    words: tuple[tuple[str, ...], ...] = ()

    @property
    def has_marker(self) -> bool:
        return False

    def curve(self, x: Array) -> Array | None:
        """The input itself, or the norm of several."""
        with np.errstate(all="ignore"):
            return x[:, 0] if x.shape[1] == 1 else np.sqrt((x * x).sum(axis=1))

    def tokens(self, i: int) -> tuple[str, ...]:
        own = self.words[i] if self.words else ()
        return own + ("",) * (self.seq_len - len(own))

    def describe(self, i: int, y: Array | None = None) -> str:
        name = f": {visible(self.names[i])}" if self.names else ""
        many = "1 input" if self.input_size == 1 else f"{self.input_size} inputs"
        return f"sequence {i + 1} of {len(self)}{name}, {many} a step"

    def answers(self, y: Array) -> tuple[str, ...]:
        return ("",) * len(y)


class Answered(Recorded):
    """The same where the readout is known, and so the answers, but not what they should be."""

    has_readout: ClassVar[bool] = True

    def describe(self, i: int, y: Array | None = None) -> str:
        text = super().describe(i)
        return text if y is None else f"{text}; {self.in_numbers(y[int(self.lengths[i]) - 1])}"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Part(Recorded):
    """The sequences of a task as a part of a network reads them, which has no outputs of its own. of: the task."""

    of: Task

    def tokens(self, i: int) -> tuple[str, ...]:
        return self.of.tokens(i) if self.of.vocab else super().tokens(i)

    def describe(self, i: int, y: Array | None = None) -> str:
        return self.of.in_words(i)


def part_of(task: Task, title: str, loss: str) -> Part:
    """The same sequences without targets; loss: of its traces."""
    N, T = task.x.shape[:2]
    return Part(
        name="network",
        title=title,
        shape="",
        loss=loss,
        x=task.x,
        targets=np.broadcast_to(0.0, (N, T, 1)),
        loss_mask=np.broadcast_to(False, (N, T)),
        lengths=task.lengths,
        own_steps=task.own_steps,
        mask=task.mask,
        n_train=task.n_train,
        notes=task.notes,
        typed=task.typed,
        of=task,
    )


def recorded(layer: LayerRecord, title: str, input_size: int) -> Recorded:
    """The task of a layer's kept sequences, by the layer's name. input_size: of the level that is looked at."""
    T, B = layer.T, layer.B
    return Recorded(
        name="recording",
        title=title,
        shape="",
        loss="direct",
        x=np.broadcast_to(0.0, (B, T, input_size)),  # what a level reads is in its trace
        targets=np.broadcast_to(0.0, (B, T, 1)),
        loss_mask=np.broadcast_to(False, (B, T)),
        lengths=layer.steps.copy(),
        n_train=B,
        names=layer.names,
    )


def read_by(
    x: Array,
    lengths: Array,
    title: str,
    names: tuple[str, ...],
    words: tuple[tuple[str, ...], ...] = (),
    *,
    has_readout: bool = False,
) -> Recorded:
    """The task of sequences x (N, T, I) that a network is to read, without targets."""
    N, T = x.shape[:2]
    return (Answered if has_readout else Recorded)(
        name="network",
        title=title,
        shape="",
        loss="none",
        x=x,
        targets=np.broadcast_to(0.0, (N, T, 1)),
        loss_mask=np.broadcast_to(False, (N, T)),
        lengths=lengths,
        n_train=N,
        names=names,
        words=words,
    )


def without_readout(task: Task) -> Task:
    """The same sequences of a part whose outputs are not the network's."""
    if not isinstance(task, Answered):
        return task
    return Recorded(**{one.name: getattr(task, one.name) for one in fields(task)})
