"""Characters: read a text; predict the next character at every step.

    text "the rain", T = 4   ->   x "the "   targets "he r"

Karpathy's char-rnn, small. The built-in text is short enough to be learnt in a minute; any UTF-8 file can
replace it (`source`). Sequences are cut one after the other, from the beginning to the end of the text.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz import files
from rnnviz.errors import InputError, short_repr
from rnnviz.glyphs import visible
from rnnviz.tasks.base import (
    Array,
    LossAt,
    Task,
    common_fields,
    constant_cross_entropy,
    one_hot,
    sample_count,
    split,
)
from rnnviz.tasks.catalog import MOST_CHARACTERS
from rnnviz.tasks.rows import in_rows

COUNTED = 50_000_000  # bytes of the largest file whose characters are counted; a longer one is given in bytes
MOST_SYMBOLS = 128  # different characters; the rarer ones become OTHER
MOST_NUMBERS = 50_000_000  # in x (N, T, I): 400 MB
OTHER = "�"

TEXT = """\
The river does not know the sea, it only knows the next small stone. It touches it and turns aside,
and what it touched is left alone. And yet the river finds the sea. It has no map, it has no plan,
it only keeps from bend to bend the little that a river can.

Who reads a line, a word at a time, must carry what was read before. The first word opens up a room,
the second one comes through the door. By the end of the line the room is full, and somebody near the
window says the name that was said at the very start, when all of this was still ahead.

So the reader walks from sign to sign with a small bag and a short pen. She writes down what she thinks
will come, looks up, and then she writes again. When she was wrong she walks back home along the same
long road of signs, and asks at each of them in turn how much it had misled her mind.

But the road is long and the wind is strong, and what was said is said less loud at every step of the
long way back, until it is no more a sound. The nearest signs hear all of it. The far ones hear a
breath of air. They stand in the dark at the start of the line and never learn that they were there.

Then somebody builds a little gate, and a lane that runs along the road. What goes into the lane goes
on unchanged, a light and quiet load. The gate may open, the gate may close. It lets things in, it lets
them stay, it lets them go when they are old, and it opens again on another day.

And now the far signs hear the call. The first word and the last can meet. The river, told where the
sea must lie, can turn a little towards the west. It is still only a stone at a time, it is still only
the next small bend, but something of the start of it is there, and is heard, at the end.
"""


class Characters(Task):
    continues = True

    def describe(self, i: int, y: Array | None = None) -> str:
        first, last = self.span(i)
        window, next_one = visible("".join(self.tokens(i)[first - 1 : last])), self.labels[self.targets[i, -1]]
        text = f"“{window}” is followed by {quoted(next_one)}"
        return text if y is None else f"{text}; prediction: {quoted(self.answers(y)[self.answer_at(i)])}"

    def constant_loss(self, targets: Array, loss_mask: Array) -> float | None:
        return constant_cross_entropy(targets, loss_mask)


def build(
    *,
    seq_len: int,
    samples: int | None,
    source: str | None,
    seed: int,
    validation_split: float,
    loss_at: LossAt = "auto",
    rows: int | None = None,
) -> Characters:
    """x (N, T, I) one-hot; targets (N, T): the next character. I = O: the characters of the text, sorted.

    N is the number of windows that the text holds end to end, or `samples`, evenly spread (they overlap if
    the text is too short for that many). With `rows`, for carried state, they are end to end in any case, in so many
    rows (rows.py). The seed has no effect.
    """
    text, whole = TEXT.replace("\n\n", "\n").replace("\n", " "), ""
    if source is not None:
        text, whole = read(source)
    last_start = len(text) - seq_len - 1
    if last_start < 1:
        raise InputError(
            f"{source or 'seq_len'}: a text of {len(text)} characters is too short for {seq_len} steps; "
            f"{f'use at most {len(text) - 2} steps' if len(text) > 2 else 'use a longer text'}"
        )
    vocab, codes = encode(text)
    end_to_end = last_start // seq_len + 1
    n = sample_count(samples, max(end_to_end, 2))
    if n > last_start + 1:
        raise InputError(f"samples: the text has only {last_start + 1} windows of {seq_len}; use at most that")
    if n * seq_len * len(vocab) > MOST_NUMBERS:
        fits = MOST_NUMBERS // (seq_len * len(vocab))
        if samples is not None or fits < 2:
            raise InputError(f"samples: {n} windows of {seq_len} are too much for memory; use at most {fits}")
        n = fits
    n_train = split(n, validation_split, "use a longer text, fewer steps or a smaller validation split")
    consecutive = (samples is None or rows is not None) and n <= end_to_end
    starts = np.arange(n) * seq_len if consecutive else np.linspace(0, last_start, n).astype(int)
    facts: dict[str, Any] = {}
    if rows is not None:
        if not consecutive:
            raise InputError(f"samples: {n} sequences of {seq_len} do not follow one another; use at most {end_to_end}")
        found = in_rows(starts, seq_len, n_train, rows)
        starts, n_train, n = found.starts, found.n_train, len(found.starts)
        facts = {"previous": found.previous}
    windows = codes[starts[:, None] + np.arange(seq_len + 1)]
    lengths = np.full(n, seq_len)
    notes = [f"Only the first {len(text):,} characters are read, of {whole}."] if whole else []
    notes += _merged(text, vocab)
    if rows is None or source is not None:  # of the built-in text nobody misses the end of a row
        notes += [*([] if rows is None else found.notes), *_left_out(text, starts, seq_len, source is None)]
    targets = windows[:, 1:].copy()
    facts |= common_fields("characters", lengths, seq_len, loss_at)
    return Characters(
        **facts | ({} if source is None else {"title": f"characters of {Path(source).name}"}),
        x=one_hot(windows[:, :-1], len(vocab)),
        targets=targets,
        n_train=n_train,
        baseline=constant_cross_entropy(targets, facts["loss_mask"]),
        vocab=vocab,
        labels=vocab,
        notes=tuple(notes),
    )


def _merged(text: str, vocab: tuple[str, ...]) -> list[str]:
    """A line for the characters that are merged into OTHER, or none."""
    counts = Counter(text)
    rare = [count for c, count in counts.items() if c not in vocab]
    if not rare:
        return []
    note = f"The {len(rare):,} rarest of {len(counts):,} different characters are all read as {OTHER}"
    return [f"{note}: {sum(rare):,} of {len(text):,}."]


def _left_out(text: str, starts: Array, seq_len: int, is_ours: bool) -> list[str]:
    """A line for the characters that are in no sequence, or none. An incomplete sequence at the end of the built-in
    text needs no line."""
    used = np.zeros(len(text) + 1, int)
    np.add.at(used, starts, 1)
    np.add.at(used, np.minimum(starts + seq_len + 1, len(text)), -1)
    unused = int((np.cumsum(used)[:-1] == 0).sum())
    if not unused or (is_ours and unused < seq_len):
        return []
    used_of_all = f"{len(text) - unused:,} of {len(text):,} characters"
    return [f"{used_of_all} are used, in {len(starts):,} sequences of {seq_len} steps."]


def read(source: str) -> tuple[str, str]:
    """(text, whole): the first MOST_CHARACTERS characters of a UTF-8 file, with line ends "\\n"; and the length of a
    longer file, `277,408` (characters), or `3.2 GB` if it is very long; else "".

    Raises InputError for a file that is missing, unreadable, empty, or not text.
    """
    try:
        with TextIOWrapper(files.open_regular(Path(source).expanduser()), encoding="utf-8-sig") as file:
            text, whole = file.read(MOST_CHARACTERS), ""
            if "\0" not in text and file.read(1):
                whole = _size_of(file)
    except UnicodeDecodeError:
        raise InputError(f"source: {source} is not UTF-8 text; save it as UTF-8") from None
    except FileNotFoundError:
        raise InputError(f"source: {source} does not exist; give the path of a text file") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: ~ of an unknown user
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"source: {short_repr(source)} cannot be read: {reason}; give the path of a text file"
        ) from None
    if "\0" in text:
        raise InputError(f"source: {source} is a binary file; give a text file")
    if not text.strip():
        raise InputError(f"source: {source} has no text; give a file that is not empty")
    return text, whole


def _size_of(file: TextIOWrapper) -> str:
    """The full length of a text file of which MOST_CHARACTERS + 1 characters have been read."""
    size, count = os.fstat(file.fileno()).st_size, MOST_CHARACTERS + 1
    if size <= COUNTED:
        with suppress(UnicodeDecodeError):  # the rest of the file need not be text
            while count <= COUNTED and (part := file.read(1 << 20)):
                count += len(part)
            return f"{count:,}" if count <= COUNTED else f"more than {COUNTED:,}"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def encode(text: str) -> tuple[tuple[str, ...], Array]:
    """The characters of `text`, sorted (beyond MOST_SYMBOLS the rarest are OTHER), and `text` as numbers."""
    counts = Counter(text)
    common = {c for c, _ in counts.most_common(MOST_SYMBOLS - (len(counts) > MOST_SYMBOLS))}
    vocab = tuple(sorted(common | ({OTHER} if len(common) < len(counts) else set())))
    number = {c: k for k, c in enumerate(vocab)}
    other = number.get(OTHER, 0)
    return vocab, np.array([number.get(c, other) for c in text])


def quoted(character: str) -> str:
    return "a space" if character == " " else f"“{visible(character)}”"
