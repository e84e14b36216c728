"""Names: read a surname letter by letter; name its language at the last letter.

    s a t o     ->  at the o: Japanese

The character classifier of PyTorch's tutorial ("NLP From Scratch: Classifying Names with a Character-Level
RNN"), on a small list of its own. Names differ in length: shorter ones are padded on the right with zeros,
and steps after a name's last letter carry no loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_lowercase

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
from rnnviz.tasks.surnames import SURNAMES

VOCAB = tuple(ascii_lowercase)
LANGUAGES = tuple(SURNAMES)


class Names(Task):
    is_shuffled = True

    def describe(self, i: int, y: Array | None = None) -> str:
        first, last = self.span(i)
        name = "".join(self.tokens(i)[first - 1 : last]).capitalize()
        text = f"{name} is {self.labels[self.targets[i, 0]]}"
        return text if y is None else f"{text}; prediction: {self.answers(y)[self.answer_at(i)]}"


def build(*, seq_len: int, samples: int | None, seed: int, validation_split: float, loss_at: LossAt = "auto") -> Names:
    """x (N, T, 26) one-hot letters, zeros after the name; targets (N, T): its language, at every step.

    The names are shuffled by the seed, then the first `samples` are taken. Names of more than seq_len letters
    are left out.
    """
    known = [
        (name, language)
        for language, names in enumerate(SURNAMES.values())
        for name in names.split()
        if len(name) <= seq_len
    ]
    every = sum(len(names.split()) for names in SURNAMES.values())
    if len(known) < 2:
        shortest = sorted(len(name) for names in SURNAMES.values() for name in names.split())[1]
        raise InputError(f"seq_len: no names of {seq_len} letters or fewer; use at least {shortest} steps")
    n = sample_count(samples, len(known))
    if n > len(known):
        raise InputError(f"samples: only {len(known)} names have up to {seq_len} letters; use at most that")
    n_train = split(n, validation_split, "use more samples or a smaller validation split")
    fit_memory(n, seq_len, len(VOCAB) + 1)
    chosen = [known[k] for k in rng_of("names", seed).permutation(len(known))[:n]]

    x = np.zeros((n, seq_len, len(VOCAB)))
    for row, (name, _) in zip(x, chosen, strict=True):
        for t, letter in enumerate(name):
            row[t, VOCAB.index(letter)] = 1.0
    lengths = np.array([len(name) for name, _ in chosen])
    targets = np.repeat(np.array([language for _, language in chosen])[:, None], seq_len, axis=1)
    facts = common_fields("names", lengths, seq_len, loss_at)
    return Names(
        **facts,
        x=x,
        targets=targets,
        n_train=n_train,
        baseline=constant_cross_entropy(targets, facts["loss_mask"]),
        vocab=VOCAB,
        labels=LANGUAGES,
        notes=tuple(_notes(n, len(known), every, seq_len)),
    )


def _notes(used: int, known: int, every: int, seq_len: int) -> Iterator[str]:
    if known < every:
        yield f"{every - known} of {every} names have more than {seq_len} letters and are left out."
    if used < known:
        yield f"{used} of {known} names are used: samples = {used}."
