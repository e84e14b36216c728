"""The flip-flop: three bits, each set by rare pulses of +1 or -1; give the last pulse of each bit at every step.

    x       + 0 0    0 0 -    0 0 0    - 0 0        a pulse sets its bit, 0 leaves it
    target  + 0 0    + 0 -    + 0 -    - 0 -        0 before the first pulse of a bit

Sussillo & Barak 2013 (10.1162/NECO_a_00409): a network that holds three bits has 2³ = 8 states to keep,
and what keeps them are fixed points. The baseline is the error of the best constant, about 0.7.
With the recipe of the catalog a tanh RNN of 20 units learns it in a second or two (seeds 0 to 9: every sign right,
validation error at most 0.020).
"""

from __future__ import annotations

import numpy as np

from rnnviz.tasks.base import Array, LossAt, Task, common_fields, constant_mse, fit_memory, rng_of, sample_count, split
from rnnviz.tasks.catalog import FLIPFLOP_BITS, info

#: The probability of a pulse, of each bit at each step.
PULSE = 0.15
_SIGNS = {1: "+", 0: "·", -1: "-"}


def signs(values: Array) -> str:
    """`+·-`: the sign of each number."""
    return "".join(_SIGNS[int(sign)] for sign in np.sign(np.nan_to_num(values)))


class FlipFlop(Task):
    has_right_answers = True

    def tokens(self, i: int) -> tuple[str, ...]:
        """The pulses of each step: `+·-`."""
        n = int(self.lengths[i])
        return (*(signs(x) for x in self.x[i, :n]), *([""] * (self.seq_len - n)))

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(f"bit {k}" for k in range(1, self.input_size + 1))

    def describe(self, i: int, y: Array | None = None) -> str:
        k = self.answer_at(i)
        text = f"the last pulses are {signs(self.targets[i, k])}"
        if y is None:
            return text
        values = ", ".join(f"{value:+.2f}" for value in y[k])
        return f"{text}; prediction: {values}"

    def needs(self, i: int, k: int) -> tuple[int, ...]:
        """The step of each bit's last pulse up to step k."""
        pulsed = self.x[i, :k] != 0
        last = k - pulsed[::-1].argmax(axis=0)
        return tuple(sorted({int(t) for t in last[pulsed.any(axis=0)]}))

    def right(self, y: Array, targets: Array) -> Array:
        """Whether each output has the sign of its bit; a bit without a pulse so far is not asked for."""
        return np.asarray((np.sign(y) == np.sign(targets))[targets != 0])

    def class_mark(self, i: int, t: int) -> str:
        """The bits as one digit, 0 to 7; "?" while one of them has had no pulse."""
        bits = self.targets[i, t - 1] if t else np.zeros(self.output_size)
        return str(int((bits > 0) @ (4, 2, 1))) if bits.all() else "?"

    @property
    def about_marks(self) -> tuple[str, ...]:
        return "0 ---", "5 +-+", "7 +++"

    def constant_loss(self, targets: Array, loss_mask: Array) -> float:
        return constant_mse(targets, loss_mask)


def build(
    *,
    seq_len: int,
    samples: int | None,
    seed: int,
    validation_split: float,
    loss_at: LossAt = "auto",
) -> FlipFlop:
    """x (N, T, 3): +1, -1 or 0; targets (N, T, 3): the last of each that was not 0."""
    n = sample_count(samples, info("flipflop").samples or 0)
    n_train = split(n, validation_split, "use more samples or a smaller validation split")
    fit_memory(n, seq_len, 4 * FLIPFLOP_BITS)  # pulses, the step of the last one, inputs, targets
    rng = rng_of("flipflop", seed)
    shape = (n, seq_len, FLIPFLOP_BITS)
    x = np.where(rng.random(shape) < PULSE, rng.choice((-1.0, 1.0), size=shape), 0.0)
    last = np.maximum.accumulate(np.where(x != 0, np.arange(seq_len)[:, None], 0), axis=1)
    targets = np.take_along_axis(x, last, axis=1)
    facts = common_fields("flipflop", np.full(n, seq_len), seq_len, loss_at)
    return FlipFlop(
        **facts,
        x=x,
        targets=targets,
        n_train=n_train,
        lag=seq_len - 1,
        baseline=constant_mse(targets, facts["loss_mask"]),
    )
