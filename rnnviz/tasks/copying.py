"""Copying: read a few symbols, wait for a signal, then repeat them in order.

    lag 6, 3 symbols:   x       d a f - - : - - -
                        target  - - - - - - d a f

Hochreiter & Schmidhuber 1997; in the form of Arjovsky, Shah & Bengio 2016 (arXiv:1511.06464, section 4.1):
eight symbols, a blank, and a delimiter one step before the first answer. Every step carries loss. A
network without memory predicts blanks and then guesses: m · ln 8 / T for m symbols in T steps.
"""

from __future__ import annotations

import math

import numpy as np

from rnnviz.tasks.base import Array, LossAt, Task, common_fields, fit_memory, one_hot, rng_of, sample_count, split
from rnnviz.tasks.catalog import COPY_SYMBOLS, info

SYMBOLS = tuple("abcdefgh")
BLANK, DELIMITER = "-", ":"
LABELS = (*SYMBOLS, BLANK)
VOCAB = (*LABELS, DELIMITER)
assert len(SYMBOLS) == COPY_SYMBOLS


class Copying(Task):
    def _word(self, i: int) -> str:
        return "".join(self.labels[k] for k in self.targets[i, self._repeats(i)])

    def _repeats(self, i: int) -> slice:
        """The steps (from 0) that repeat the symbols."""
        assert self.lag is not None
        last = self.span(i)[1]
        return slice(last - (self.seq_len - self.lag), last)

    def _lag(self, i: int) -> int:
        """Steps from a symbol to its repetition, which are fewer where the wait is shorter."""
        return int(self._repeats(i).start) + 1 - self.span(i)[0]

    def describe(self, i: int, y: Array | None = None) -> str:
        text = f"copy {self._word(i)} {self._lag(i)} steps later"
        return text if y is None else f"{text}; prediction: {''.join(self.answers(y[self._repeats(i)]))}"

    def needs(self, i: int, k: int) -> tuple[int, ...]:
        """The step of the symbol that is repeated at step k; () while the target is a blank."""
        repeats = self._repeats(i)
        return (min(k, repeats.stop) - self._lag(i),) if k > repeats.start else ()

    def spare_steps(self, i: int) -> Array:
        """The wait before the signal."""
        assert self.lag is not None
        return np.arange(self.seq_len - self.lag, self.lag - 1)

    def constant_loss(self, targets: Array, loss_mask: Array) -> float | None:
        judged = targets[loss_mask] != LABELS.index(BLANK)
        return math.log(COPY_SYMBOLS) * float(judged.sum() / judged.size)


def build(
    *,
    seq_len: int,
    lag: int,
    samples: int | None,
    seed: int,
    validation_split: float,
    loss_at: LossAt = "auto",
) -> Copying:
    """x (N, T, 10) one-hot; targets (N, T): blanks, then the first T - lag symbols again."""
    n = sample_count(samples, info("copying").samples or 0)
    n_train = split(n, validation_split, "use more samples or a smaller validation split")
    fit_memory(n, seq_len, len(VOCAB) + 2)
    width = seq_len - lag
    symbols = rng_of("copying", seed).integers(COPY_SYMBOLS, size=(n, width))
    blank = LABELS.index(BLANK)
    tokens = np.full((n, seq_len), blank)
    tokens[:, :width] = symbols
    tokens[:, lag - 1] = VOCAB.index(DELIMITER)
    targets = np.full((n, seq_len), blank)
    targets[:, lag:] = symbols
    lengths = np.full(n, seq_len)
    facts = common_fields("copying", lengths, seq_len, loss_at)
    return Copying(
        **facts,
        x=one_hot(tokens, len(VOCAB)),
        targets=targets,
        n_train=n_train,
        lag=lag,
        baseline=math.log(COPY_SYMBOLS) * float(facts["loss_mask"][:, lag:].sum() / facts["loss_mask"].sum()),
        vocab=VOCAB,
        labels=LABELS,
    )
