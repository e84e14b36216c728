"""Captions in miniature: one picture at the first step, then no input; predict its word letter by letter.

    step     1        2  3  4  5
    x        picture  0  0  0  0
    target   r        i  n  g  ∎

One-to-many, as an image captioner is (Vinyals et al. 2015, arXiv:1411.4555, where the picture is shown once,
at the start). A picture has 3 × 3 pixels, 0 or 1, with noise on them. ∎ ends the word; steps after it
carry no loss.
"""

from __future__ import annotations

import math

import numpy as np

from rnnviz.errors import InputError
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
from rnnviz.tasks.catalog import LONGEST_CAPTION, info

END = "∎"
PICTURES = {
    "cross": "# #/ # /# #",
    "plus": " # /###/ # ",
    "ring": "###/# #/###",
    "dot": "   / # /   ",
    "row": "   /###/   ",
    "column": " # / # / # ",
    "corner": "#  /#  /###",
    "slash": "  #/ # /#  ",
}
WORDS = tuple(PICTURES)
LABELS = (*sorted(set("".join(WORDS))), END)
PIXELS = np.array([[float(c == "#") for c in rows if c != "/"] for rows in PICTURES.values()])  # (8, 9)


class Captions(Task):
    def _word(self, i: int) -> str:
        first, last = self.span(i)
        return "".join(self.labels[k] for k in self.targets[i, first - 1 : last - 1])

    def tokens(self, i: int) -> tuple[str, ...]:
        """The picture at step 1, then dots for the steps without input."""
        n, (first, _) = int(self.lengths[i]), self.span(i)
        tokens = ("▣" if t == first else "·" if t <= n else "" for t in range(1, self.seq_len + 1))
        return self.with_padding(i, tuple(tokens))

    def describe(self, i: int, y: Array | None = None) -> str:
        text = f"a picture of a {self._word(i)}"
        if y is None:
            return text
        word = "".join(self.answers(y[self.span(i)[0] - 1 :])).partition(END)[0]
        return f"{text}; prediction: {word or 'no letters'}"

    @property
    def has_features(self) -> bool:
        return False  # the picture is its one input

    def picture(self, i: int) -> Array:
        return np.asarray(self.x[i, self.span(i)[0] - 1].reshape(3, 3))

    def needs(self, i: int, k: int) -> tuple[int, ...]:
        """The picture, at the first step."""
        return (self.span(i)[0],)


def build(
    *,
    seq_len: int,
    samples: int | None,
    noise: float,
    seed: int,
    validation_split: float,
    loss_at: LossAt = "auto",
) -> Captions:
    """x (N, T, 9): the pixels at step 1, zeros after; targets (N, T): letters, then END."""
    if not (math.isfinite(noise) and noise >= 0):
        raise InputError(f"noise: {noise} must be a number of at least 0")
    n = sample_count(samples, info("captions").samples or 0)
    n_train = split(n, validation_split, "use more samples or a smaller validation split")
    fit_memory(n, seq_len, PIXELS.shape[1] + 1)
    rng = rng_of("captions", seed)
    which = rng.integers(len(WORDS), size=n)
    x = np.zeros((n, seq_len, PIXELS.shape[1]))
    x[:, 0] = PIXELS[which] + noise * rng.standard_normal((n, PIXELS.shape[1]))
    spelled = np.full((len(WORDS), seq_len), LABELS.index(END))
    for row, word in zip(spelled, WORDS, strict=True):
        row[: len(word)] = [LABELS.index(letter) for letter in word]
    lengths = np.array([len(word) + 1 for word in WORDS])[which]
    targets = spelled[which]
    facts = common_fields("captions", lengths, seq_len, loss_at)
    return Captions(
        **facts,
        x=x,
        targets=targets,
        n_train=n_train,
        lag=LONGEST_CAPTION - 1,
        baseline=constant_cross_entropy(targets, facts["loss_mask"]),
        labels=LABELS,
    )
