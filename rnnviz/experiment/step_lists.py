"""Settings whose text is a list of steps: the steps that carry loss, and where back-propagation is truncated."""

from __future__ import annotations

from rnnviz.errors import InputError, short_repr


def loss_steps(text: str | None, seq_len: int | None) -> str | tuple[int, ...] | None:
    """`loss_at` as "every", "last", a tuple of 1-based steps, or None. Raises InputError."""
    if text is None or text in ("every", "last"):
        return text
    steps = _whole_numbers(text)
    if not steps or min(steps) < 1 or (seq_len and max(steps) > seq_len):
        limit = f"1..{seq_len}" if seq_len else "1 and up"
        raise InputError(f"loss_at: {short_repr(text)} is not every, last, or step numbers {limit} such as 3,7")
    return tuple(sorted(set(steps)))


def truncation(text: str | None) -> tuple[int, int] | None:
    """`truncate` as (k1, k2), or None. Raises InputError."""
    if text is None:
        return None
    numbers = _whole_numbers(text)
    if len(numbers) != 2 or min(numbers) < 1 or numbers[1] < numbers[0]:
        raise InputError(f"truncate: {short_repr(text)} is not k1,k2 with 1 ≤ k1 ≤ k2, such as 5,10")
    return numbers[0], numbers[1]


def _whole_numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        return []
