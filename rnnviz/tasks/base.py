"""Task: a data set of sequences that can also describe them in words.

Arrays are sample-major here, as data sets are: x[n] is one sequence. T steps, N sequences, I inputs,
O outputs. Step t (1-based) is at index t - 1.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rnnviz.errors import InputError, short_repr
from rnnviz.glyphs import cells
from rnnviz.nn import checks
from rnnviz.nn.types import ReadOnly, frozen
from rnnviz.tasks.catalog import PAD, info

Array = NDArray[Any]
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
LossAt = str | Sequence[int]  # "auto", "every", "last", or steps counted from 1


@dataclass(frozen=True)
class Typed:
    """A sequence that was typed in place of one of a task's (see typed.py).

    sample  in whose place it is. about: what it is, in words. text: as it was typed
    is_own_answer  the right answer is not known, and the network's own stands for it
    """

    sample: int
    text: str
    about: str
    is_own_answer: bool = False


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Task(ReadOnly):
    """The sequences of one task and their meaning.

    x            (N, T, I) inputs, zeros after a sequence's end
    targets      (N, T, O) for "mse", or (N, T) class numbers for "cross_entropy"
    loss_mask    (N, T) bool: the steps that carry loss
    lengths      (N,) steps of each sequence, with those that are padding
    own_steps    (N, 2) the first and the last step (from 1) of each sequence that is not padding; None: no step is
    mask         what the network does at a padded step, "copy" or "none"; "packed": there are none. See padding.py
    n_train      the first n_train sequences are for training, the rest for validation
    lag          steps back to the farthest input an answer needs, or None
    baseline     loss of the best answer that ignores the input, or None
    vocab        the symbol of each input, when inputs are symbols (one-hot)
    labels       the class of each output, when outputs are classes
    typed        what was typed in place of one of the sequences, or None; original: the task without it
    notes        the data that is left out or merged, with its amount; one line each
    previous     (N,) with carried state: the sequence that each one continues, -1 if none; None: no state is carried
    """

    #: Whether each input is the target of the step before, so that a network can read its own output.
    continues: ClassVar[bool] = False
    #: Whether the sequences are shuffled before the first `samples` of them are taken: the others are a test set.
    is_shuffled: ClassVar[bool] = False
    #: Whether the network's readout and the targets are known. Without them y is the state h.
    has_readout: ClassVar[bool] = True
    #: Whether a sequence can be described in words that say more than its curve.
    has_words: ClassVar[bool] = True
    #: Whether a person gave the sequences, in a file.
    has_own_data: ClassVar[bool] = False
    #: Whether the targets are known.
    has_targets: ClassVar[bool] = True

    name: str
    title: str
    shape: str
    loss: str
    x: Array
    targets: Array
    loss_mask: Array
    lengths: Array
    n_train: int
    lag: int | None = None
    baseline: float | None = None
    vocab: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    series: Array | None = field(default=None)  # (points,) as the network sees it; nan where a value is missing
    clean: Array | None = field(default=None)  # (points,) of the sine without its noise
    ends: Array | None = None  # (N,) the point of the series that each sequence predicts last
    history: Array | None = None  # (points, O): the series of each target, where it is not the series alone
    groups: Array | None = None  # (points,): the group of each point; a window never reaches into another
    fed_from: int = 0  # a self-fed prediction begins with this sequence's last target
    own_steps: Array | None = None
    mask: str = "packed"
    previous: Array | None = None
    fed: int = 0  # its number of points, at most; 0: the network does not read what it predicts
    typed: Typed | None = None
    original: Task | None = None

    def __post_init__(self) -> None:
        for array in (
            self.x,
            self.targets,
            self.loss_mask,
            self.lengths,
            self.own_steps,
            self.series,
            self.clean,
            self.ends,
            self.history,
            self.groups,
            self.previous,
        ):
            if array is not None:
                frozen(array)

    def __repr__(self) -> str:
        sizes = f"{len(self)} sequences of {self.seq_len} steps, {self.n_train} to train on"
        return f"<{self.name}: {sizes}, {self.input_size} inputs, {self.output_size} outputs, {self.loss}>"

    def __len__(self) -> int:
        return len(self.x)

    @property
    def seq_len(self) -> int:
        return int(self.x.shape[1])

    @property
    def input_size(self) -> int:
        return int(self.x.shape[2])

    @property
    def output_size(self) -> int:
        return len(self.labels) if self.loss == "cross_entropy" else int(self.targets.shape[2])

    def tokens(self, i: int) -> tuple[str, ...]:
        """The label of each of the T columns of sequence i; "" after its end."""
        n = int(self.lengths[i])
        if self.vocab:
            labels = [self.vocab[k] for k in self.x[i, :n].argmax(axis=1)]
        else:
            labels = [f"{value:+.2f}" for value in self.x[i, :n, 0]]
        return self.with_padding(i, tuple(labels + [""] * (self.seq_len - n)))

    def span(self, i: int) -> tuple[int, int]:
        """The first and the last step (from 1) of sequence i that is not padding."""
        return (
            (1, int(self.lengths[i]))
            if self.own_steps is None
            else (int(self.own_steps[i, 0]), int(self.own_steps[i, 1]))
        )

    def is_padding(self, i: int, t: int) -> bool:
        """Whether step t (from 1) of sequence i is padding that the network goes through."""
        first, last = self.span(i)
        return self.own_steps is not None and not first <= t <= last

    def with_padding(self, i: int, tokens: tuple[str, ...]) -> tuple[str, ...]:
        """The labels of the T columns with PAD where a step is padding."""
        if self.own_steps is None:
            return tokens
        blank = ~self.x[i].any(axis=1)  # a person can type an input even there
        return tuple(
            PAD if blank[t - 1] and self.is_padding(i, t) else token for t, token in enumerate(tokens, start=1)
        )

    def answer_at(self, i: int) -> int:
        """The entry (from 0) of sequence i's outputs that is its answer: the last, or that of its last own step where
        the loss is there and padding follows."""
        end = int(self.lengths[i]) - 1
        return end if self.own_steps is None or self.loss_mask[i, end] else int(self.own_steps[i, 1]) - 1

    def read_steps(self, which: slice | int) -> Array | None:
        """(n, T) bool: the steps that are read where the state is copied through the others; None: every one is."""
        if self.mask != "copy" or self.own_steps is None:
            return None
        t, own = np.arange(1, self.seq_len + 1), np.atleast_2d(self.own_steps[which])
        return np.asarray((t >= own[:, :1]) & (t <= own[:, 1:]))

    def spare_steps(self, i: int) -> Array:
        """The steps (from 0) of sequence i that no answer needs, in the order in which they can be left out."""
        return np.arange(self.seq_len - 1)

    def constant_loss(self, targets: Array, loss_mask: Array) -> float | None:
        """The baseline for other targets or another loss_mask of the same task."""
        return self.baseline

    def past(self, which: slice, lag: int) -> Array | None:
        """(n, T, O): the value that each target had `lag` steps before; nan where it is missing, in another group, or
        before the first point. None for a task without a series."""
        if self.series is None or self.ends is None:
            return None
        history = self.series[:, None] if self.history is None else self.history
        last = self.lengths[which] if self.own_steps is None else self.own_steps[which, 1]
        now = self.ends[which][:, None] + np.minimum(np.arange(1, self.seq_len + 1) - last[:, None], 0)
        now, then = np.maximum(now, 0), np.maximum(now - lag, 0)
        known = now >= lag
        if self.groups is not None:
            known &= self.groups[now] == self.groups[then]
        return np.where(known[:, :, None], history[then], np.nan)

    @property
    def predictions(self) -> tuple[Array, Array]:
        """(points, places): the points of the series that are predicted, from the first that a sequence predicts last,
        and the (sequence, step - 1) of each: its answer; with carried state each step with loss."""
        assert self.ends is not None
        at = np.zeros((len(self), self.seq_len), bool)
        at[np.arange(len(self)), [self.answer_at(i) for i in range(len(self))]] = True
        points = np.broadcast_to(self.ends[:, None], at.shape)
        if self.previous is not None:
            points = points + np.arange(1 - self.seq_len, 1)
            at |= self.loss_mask & (points >= self.ends[0])
        return points[at], np.argwhere(at)

    @property
    def predicted_points(self) -> frozenset[int] | None:
        """The points of the series that are predicted, where some after the first have none; else None."""
        if self.series is None or self.ends is None:
            return None
        points = self.ends if self.previous is None else self.predictions[0]
        return None if len(points) == len(self.series) - int(self.ends[0]) else frozenset(points.tolist())

    @property
    def has_marker(self) -> bool:
        """Whether an input is a number and a mark beside it."""
        return self.input_size == 2

    @property
    def has_right_answers(self) -> bool:
        """Whether an answer is right or wrong, and not only near or far."""
        return self.loss == "cross_entropy"

    @property
    def has_features(self) -> bool:
        """Whether each step is several numbers, drawn as such: neither a symbol nor a number with its mark."""
        return self.input_size > 1 and not self.vocab and not self.has_marker

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the numbers of a step; () if they have none."""
        return ()

    def curve(self, x: Array) -> Array | None:
        """(T,): the inputs x (T, I) as one number a step; None where they are symbols, or many numbers."""
        return None if self.vocab or self.input_size > 2 else x[:, 0]

    def in_words(self, i: int, y: Array | None = None) -> str:
        """`describe`, and of a typed sequence what was typed."""
        if self.typed is None or self.typed.sample != i:
            return self.describe(i, y)
        text = self.typed.about
        if y is None or not self.has_readout:
            return text
        k = int(self.lengths[i]) - 1
        return f"{text}; " + (f"prediction: {self.answers(y)[k]}" if self.labels else self.in_numbers(y[k]))

    def in_numbers(self, y: Array) -> str:
        """Outputs (O,) without names: the one there is, or the largest."""
        if len(y) == 1:
            return f"prediction: {y[0]:+.3f}"
        largest = int(np.nan_to_num(y).argmax())
        return f"the largest output is ŷ[{largest}], {y[largest]:+.3f}"

    def describe(self, i: int, y: Array | None = None) -> str:
        """Sequence i in one line of words; with the network's outputs y (T, O) also its prediction."""
        raise NotImplementedError

    def needs(self, i: int, k: int) -> tuple[int, ...]:
        """The steps whose input determines the answer of sequence i at step k; () if the task cannot name them."""
        return ()

    def picture(self, i: int) -> Array | None:
        """The picture (rows, columns) of sequence i; None if it has none."""
        return None

    def amount(self, i: int, t: int) -> float | None:
        """The number in 0..1 that the answer needs from step t of sequence i; None if it needs no number."""
        return None

    def class_mark(self, i: int, t: int) -> str:
        """The class of sequence i at step t (0: before the first) in one letter or digit; "" where it has none."""
        if not self.labels or not self.has_targets or self.loss_mask[i].sum() != 1:
            return ""
        number = int(self.targets[i, self.answer_at(i)])
        if max(map(cells, self.labels)) == 1:
            return self.labels[number]
        return _LETTERS[number % 26]

    @property
    def about_marks(self) -> tuple[str, ...]:
        """What each `class_mark` means: `a Arabic`; () where it is the label itself."""
        if not self.labels or max(map(cells, self.labels)) == 1:
            return ()
        return tuple(f"{mark} {label}" for mark, label in zip(_LETTERS, self.labels, strict=False))

    def right(self, y: Array, targets: Array) -> Array:
        """bool: whether each answer in y (n, O) is right, where `has_right_answers`; not where y is not a number."""
        return np.asarray((y.argmax(axis=1) == targets) & np.isfinite(y).all(axis=1))

    def answers(self, y: Array) -> tuple[str, ...]:
        """The label of the largest output at each step of y (T, O); "?" where y is not a number."""
        return tuple(self.labels[int(row.argmax())] if np.isfinite(row).all() else "?" for row in y)


def rng_of(name: str, seed: int) -> np.random.Generator:
    """The random generator of a task's data, independent of the weights and the batch order of the same seed."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def split(n: int, validation_split: float, remedy: str) -> int:
    """The number of training sequences: floor(n · (1 - split)), as in Keras; the rest are for validation.

    Raises InputError, with the `remedy`, if no sequence is left for training.
    """
    if not 0.0 <= validation_split < 1.0:
        raise InputError(f"validation_split: {validation_split:g} must be at least 0 and less than 1")
    n_train = math.floor(n * (1.0 - validation_split))
    if n_train < 1:
        raise InputError(f"validation_split: {validation_split:g} of {n} leaves no sequence to train on; {remedy}")
    return n_train


def mask(lengths: Array, T: int, loss_at: LossAt) -> Array:
    """(N, T) bool: the steps that carry loss, never beyond a sequence's length.

    lengths = [2, 3], T = 3, "last"  ->  [[0 1 0], [0 0 1]]
    """
    t = np.arange(1, T + 1)
    inside = t <= lengths[:, None]
    if isinstance(loss_at, str):
        if loss_at == "every":
            return inside
        if loss_at == "last":
            return np.asarray(t == lengths[:, None])
        raise InputError(f"loss_at: {loss_at!r} is not every, last, or step numbers")
    whole = isinstance(loss_at, Sequence) and all(isinstance(step, int) for step in loss_at)
    steps = sorted(set(loss_at)) if whole else []
    if not steps or steps[0] < 1 or steps[-1] > T:
        raise InputError(f"loss_at: steps {short_repr(loss_at)} must lie in 1..{T}, the steps of one sequence")
    chosen = inside & np.isin(t, steps)
    if not chosen.any(axis=1).all():
        shortest = int(lengths.min())
        raise InputError(
            f"loss_at: sequences of {shortest} steps never reach step {steps[0]}; "
            f"add a step up to {shortest}, or use last"
        )
    return np.asarray(chosen)


def common_fields(name: str, lengths: Array, T: int, loss_at: LossAt = "auto") -> dict[str, Any]:
    """The fields that every Task has: name, title, shape and loss from the catalog, the lengths, and the mask of the
    steps that carry loss."""
    task = info(name)
    return {
        "name": name,
        "title": task.title,
        "shape": shape_of(task.shape, loss_at),
        "loss": task.loss,
        "lengths": lengths,
        "loss_mask": mask(lengths, T, task.loss_at if loss_at == "auto" else loss_at),
    }


def shape_of(own: str, loss_at: LossAt) -> str:
    """The task's shape after a change of the loss steps: many-to-many with loss at the end only is many-to-one."""
    if loss_at == "auto" or own == "one-to-many":
        return own
    return "many-to-one" if loss_at == "last" else "many-to-many"


def constant_mse(targets: Array, loss_mask: Array) -> float:
    """Mean squared error of the best constant: the variance of the targets that carry loss."""
    return float(targets[loss_mask].var(axis=0).mean())


def constant_cross_entropy(targets: Array, loss_mask: Array) -> float:
    """Cross-entropy of the best constant distribution: the entropy, in nats, of the classes that carry loss."""
    _, counts = np.unique(targets[loss_mask], return_counts=True)
    p = counts / counts.sum()
    return float(-(p * np.log(p)).sum())


def one_hot(classes: Array, size: int) -> Array:
    """(…,) whole numbers -> (…, size) float64 with a single 1 each."""
    return np.eye(size)[classes]


def fit_memory(n: int, T: int, width: int) -> None:
    """Raises InputError if n sequences of T steps with `width` numbers per step take too much memory."""
    checks.memory("data", 8 * n * T * width, f"{n} sequences of {T} steps, {width} numbers a step")


def sample_count(samples: int | None, default: int) -> int:
    """The number of sequences to make. Raises InputError for fewer than 2."""
    n = default if samples is None else samples
    if n < 2:
        raise InputError(f"samples: {n} is too few; use at least 2")
    return n
