"""Labelled: read a sequence of a person's own; name its class at the end.

    s a t o     ->  at the o: Japanese

Texts (lines of text<TAB>label, or a folder with a file for each class) are read character by character; sequences of
numbers (a table with a group and a label, or arrays) step by step. Shorter ones are padded on the right with zeros,
and steps after a sequence's end carry no loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnviz.errors import InputError
from rnnviz.glyphs import visible
from rnnviz.numbers import counted
from rnnviz.tasks.base import (
    Array,
    LossAt,
    Task,
    common_fields,
    constant_cross_entropy,
    fit_memory,
    rng_of,
    sample_count,
    split,
)
from rnnviz.tasks.catalog import MOST_LABELLED
from rnnviz.tasks.characters import MOST_SYMBOLS, OTHER, encode
from rnnviz.tasks.own import Decisions, read
from rnnviz.tasks.own.content import SequencesContent
from rnnviz.tasks.own.scale import padded, scale_note
from rnnviz.tasks.own.understood import Understood

CLASS = 40  # characters of a class's name


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Labelled(Task):
    """sequences: names of the sequences of numbers, or ()"""

    is_shuffled: ClassVar[bool] = True
    has_own_data: ClassVar[bool] = True

    sequences: tuple[str, ...] = ()

    @property
    def has_marker(self) -> bool:
        return False

    def describe(self, i: int, y: Array | None = None) -> str:
        k = int(np.flatnonzero(self.loss_mask[i])[-1])
        if self.vocab:
            first, last = self.span(i)
            what = f"“{visible(''.join(self.tokens(i)[first - 1 : last]))}”"
        else:
            what = f"sequence {visible(self.sequences[i]) if self.sequences else i + 1}"
        text = f"{what} is {self.labels[self.targets[i, k]]}"
        return text if y is None else f"{text}; prediction: {self.answers(y)[k]}"


def build(
    *,
    data: str,
    decisions: Decisions,
    seq_len: int | None,
    samples: int | None,
    seed: int,
    validation_split: float,
    loss_at: LossAt = "auto",
) -> Labelled:
    """The sequences, shuffled by the seed, of which the first `samples` are taken (MOST_LABELLED unless another number
    is asked for). Raises InputError."""
    understood = read(data, decisions)
    content = understood.content
    if not isinstance(content, SequencesContent) or understood.task != "labelled":
        hint = "name the column of classes with --label, or leave --task out"
        raise InputError(f"task: {understood.name} is for the task {understood.task!r}, not 'labelled'; {hint}")
    if content.x is None:
        return _texts(understood, content, seq_len, samples, seed, validation_split, loss_at)
    found = padded(content, seq_len, understood.decisions.missing)
    every, T = found.x.shape[:2]
    n = _count(samples, every)
    n_train = split(n, validation_split, "use more sequences or a smaller validation split")
    order = rng_of("labelled", seed).permutation(every)[:n]
    lengths, y = found.lengths[order], content.y[found.kept][order]
    x, scales = found.scaled(found.x[order], lengths, n_train, content.names, understood.standardizes)
    targets, auto = (y[:, :T], "every") if y.ndim == 2 else (np.repeat(y[:, None], T, axis=1), "last")
    if targets.shape[1] < T:
        targets = np.concatenate([targets, np.zeros((n, T - targets.shape[1]), int)], axis=1)
    notes = [*understood.notes, *found.notes, *_used(n, every)]
    if understood.standardizes:
        notes.append(scale_note(scales))
    facts = common_fields("labelled", lengths, T, auto if loss_at == "auto" else loss_at)
    names = tuple(content.sequences[k] for k in found.kept[order]) if content.sequences else ()
    return _made(understood, content, facts, x, targets, n_train, notes, sequences=names)


def _texts(
    understood: Understood,
    content: SequencesContent,
    seq_len: int | None,
    samples: int | None,
    seed: int,
    validation_split: float,
    loss_at: LossAt,
) -> Labelled:
    T = content.steps() if seq_len is None else seq_len
    every = len(content.texts)
    n = _count(samples, every)
    n_train = split(n, validation_split, "use more texts or a smaller validation split")
    order = rng_of("labelled", seed).permutation(every)[:n]
    texts = [content.texts[k][:T] for k in order]
    vocab, codes = encode("".join(texts))
    fit_memory(n, T, len(vocab) + 1)
    lengths = np.array([len(text) for text in texts])
    x = np.zeros((n, T, len(vocab)))
    rows = np.repeat(np.arange(n), lengths)
    steps = np.arange(len(codes)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    x[rows, steps, codes] = 1.0
    targets = np.repeat(content.y[order][:, None], T, axis=1)
    notes = [*understood.notes, *_used(n, every)]
    longer = sum(len(content.texts[k]) > T for k in order)
    if longer:
        notes.append(f"{longer:,} of {n:,} texts have more than {T} characters and are cut there (--steps).")
    if OTHER in vocab and len(vocab) == MOST_SYMBOLS:
        notes.append(f"Characters that are not among the {MOST_SYMBOLS - 1} most frequent are all read as {OTHER}.")
    return _made(understood, content, common_fields("labelled", lengths, T, loss_at), x, targets, n_train, notes, vocab)


def _made(
    understood: Understood,
    content: SequencesContent,
    facts: dict[str, object],
    x: Array,
    targets: Array,
    n_train: int,
    notes: list[str],
    vocab: tuple[str, ...] = (),
    sequences: tuple[str, ...] = (),
) -> Labelled:
    return Labelled(
        **facts | {"title": f"classes of {understood.name}"},  # type: ignore[arg-type]
        x=x,
        targets=np.ascontiguousarray(targets),
        n_train=n_train,
        baseline=constant_cross_entropy(targets, facts["loss_mask"]),  # type: ignore[arg-type]
        vocab=vocab,
        labels=tuple(visible(name)[:CLASS] for name in content.classes),
        notes=tuple(notes),
        sequences=sequences,
    )


def _count(samples: int | None, every: int) -> int:
    n = sample_count(samples, min(every, MOST_LABELLED))
    if n > every:
        raise InputError(f"samples: the data has only {counted(every, 'sequence')}; use at most that")
    return n


def _used(n: int, every: int) -> list[str]:
    return [f"{n:,} of {every:,} sequences are used, drawn at random (--samples)."] if n < every else []
