"""Recall: name the first symbol at the end. The simplest test of memory.

    lag 5, T = 6:   C x x y x ?   ->  at the last step: C

Step T - lag shows one of four symbols, every other step shows noise, and the last step a question mark that
asks for the symbol. A network that does not carry the symbol through every step in between can only guess:
cross-entropy ln 4.
"""

from __future__ import annotations

import math

import numpy as np

from rnnviz.tasks.base import Array, LossAt, Task, common_fields, fit_memory, one_hot, rng_of, sample_count, split
from rnnviz.tasks.catalog import info

SYMBOLS = ("A", "B", "C", "D")
NOISE = ("x", "y")
QUESTION = "?"
VOCAB = (*SYMBOLS, *NOISE, QUESTION)


class Recall(Task):
    def describe(self, i: int, y: Array | None = None) -> str:
        symbol, lag = self.labels[self.targets[i, -1]], self.span(i)[1] - self._symbol_step(i)
        text = f"{symbol} came {lag} step{'s' if lag != 1 else ''} before the question"
        return text if y is None else f"{text}; prediction: {self.answers(y)[self.answer_at(i)]}"

    def needs(self, i: int, k: int) -> tuple[int, ...]:
        """The step of the symbol, if it is not after step k."""
        step = self._symbol_step(i)
        return (step,) if step <= k else ()

    def _symbol_step(self, i: int) -> int:
        """The step that shows the symbol."""
        return int(self.x[i, :, : len(SYMBOLS)].any(axis=1).argmax()) + 1

    def spare_steps(self, i: int) -> Array:
        """The noise."""
        return np.delete(np.arange(self.seq_len - 1), self._symbol_step(i) - 1)


def build(
    *,
    seq_len: int,
    lag: int,
    samples: int | None,
    seed: int,
    validation_split: float,
    loss_at: LossAt = "auto",
) -> Recall:
    """x (N, T, 7) one-hot; targets (N, T): the symbol, at every step, so that any step can carry loss."""
    n = sample_count(samples, info("recall").samples or 0)
    n_train = split(n, validation_split, "use more samples or a smaller validation split")
    fit_memory(n, seq_len, len(VOCAB) + 2)
    rng = rng_of("recall", seed)
    symbols = rng.integers(len(SYMBOLS), size=n)
    tokens = len(SYMBOLS) + rng.integers(len(NOISE), size=(n, seq_len))
    tokens[:, seq_len - 1 - lag] = symbols
    tokens[:, -1] = VOCAB.index(QUESTION)
    lengths = np.full(n, seq_len)
    return Recall(
        **common_fields("recall", lengths, seq_len, loss_at),
        x=one_hot(tokens, len(VOCAB)),
        targets=np.repeat(symbols[:, None], seq_len, axis=1),
        n_train=n_train,
        lag=lag,
        baseline=math.log(len(SYMBOLS)),
        vocab=VOCAB,
        labels=SYMBOLS,
    )
