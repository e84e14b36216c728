"""The adding problem: random numbers, two of them marked; predict the sum of the two at the end.

    number  .38  .91  .07  .55          marker  0  1  0  1     ->  at the last step: 1.46

Hochreiter & Schmidhuber 1997, section 5.4; in the form of Le, Jaitly & Hinton 2015 (arXiv:1504.00941,
section 4.1): numbers from U[0, 1], the sum unscaled. The sum of two such numbers has variance 2 · 1/12, so
always predicting 1, the mean, scores exactly 1/6. As in Arjovsky et al. 2016 one mark lies in the first half,
one in the second.
"""

from __future__ import annotations

import numpy as np

from rnnviz.tasks.base import Array, LossAt, Task, common_fields, fit_memory, rng_of, sample_count, split
from rnnviz.tasks.catalog import info


class Adding(Task):
    def tokens(self, i: int) -> tuple[str, ...]:
        """The marked numbers; a dot for the others."""
        n = int(self.lengths[i])
        labels = [f"{number:.2f}" if marked else "·" for number, marked in self.x[i, :n]]
        return self.with_padding(i, (*labels, *([""] * (self.seq_len - n))))

    def describe(self, i: int, y: Array | None = None) -> str:
        steps = np.flatnonzero(self.x[i, :, 1])
        a, b = (float(self.x[i, t, 0]) for t in steps)
        text = f"{a:.2f} at step {steps[0] + 1} + {b:.2f} at step {steps[1] + 1} = {a + b:.2f}"
        return text if y is None else f"{text}; prediction: {y[self.answer_at(i), 0]:.2f}"

    def amount(self, i: int, t: int) -> float | None:
        number, marked = self.x[i, t - 1]
        return float(number) if marked else None

    def needs(self, i: int, k: int) -> tuple[int, ...]:
        """The marked steps up to step k."""
        return tuple(int(t) + 1 for t in np.flatnonzero(self.x[i, :k, 1]))

    def spare_steps(self, i: int) -> Array:
        """The numbers without a mark."""
        return np.flatnonzero(self.x[i, :, 1] == 0)


def build(
    *,
    seq_len: int,
    lag: int,
    samples: int | None,
    seed: int,
    validation_split: float,
    loss_at: LossAt = "auto",
) -> Adding:
    """x (N, T, 2): number and marker; targets (N, T, 1): the sum, at every step.

    The marks lie in the last lag + 1 steps, so that no answer needs an input farther back than lag.
    """
    n = sample_count(samples, info("adding").samples or 0)
    n_train = split(n, validation_split, "use more samples or a smaller validation split")
    fit_memory(n, seq_len, 5)  # numbers, markers, both again in x, the targets
    rng = rng_of("adding", seed)
    numbers = rng.random((n, seq_len))
    start, middle = seq_len - lag - 1, seq_len - (lag + 1) // 2
    first = rng.integers(start, middle, size=n)
    second = rng.integers(middle, seq_len, size=n)
    rows = np.arange(n)
    markers = np.zeros((n, seq_len))
    markers[rows, first] = markers[rows, second] = 1.0
    sums = numbers[rows, first] + numbers[rows, second]
    lengths = np.full(n, seq_len)
    return Adding(
        **common_fields("adding", lengths, seq_len, loss_at),
        x=np.stack([numbers, markers], axis=2),
        targets=np.repeat(sums[:, None, None], seq_len, axis=1),
        n_train=n_train,
        lag=lag,
        baseline=1.0 / 6.0,
    )
