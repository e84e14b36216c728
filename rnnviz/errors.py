"""The one error a person may see: what is wrong, where, and what to do."""

from typing import Any

LONGEST_REPR = 60


class InputError(ValueError):
    """Bad input (a flag, a file, a weight, a setting), described in one line.

    The command line prints the line unchanged and exits with 2; the app shows it and carries on.
    """


def short_repr(value: Any) -> str:
    """The repr of a value for a message: one line, and only the beginning of a long value.

    >>> short_repr(0.5), short_repr("a" * 200)[-3:]
    ('0.5', 'aa…')
    """
    if isinstance(value, int) and abs(value) >= 10**LONGEST_REPR:
        return "a number this long"
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python writes at most 4,300 digits
        return "a value with a number this long in it"
    return text if len(text) <= LONGEST_REPR else text[: LONGEST_REPR - 1] + "…"


class AlreadyThereError(InputError):
    """A file that would be written exists; it is overwritten only when asked."""
