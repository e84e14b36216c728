"""What the app needs around it: a terminal, memory, and files beside its code."""

from __future__ import annotations

import os
import sys

from rnnviz.errors import InputError

APP_NEEDS = 600_000_000  # bytes of address space: 450 MB and some for the numbers


def require_terminal(remedy: str) -> None:
    """Raises InputError, with the remedy, where the app cannot open."""
    missing = terminal_missing(is_tty(sys.stdin), is_tty(sys.stdout)) or memory_missing()
    if missing:
        raise InputError(f"{missing}; {remedy}")


def is_tty(stream: object) -> bool:
    try:
        return stream.isatty()  # type: ignore[attr-defined, no-any-return]
    except (AttributeError, ValueError):  # closed, or none at all
        return False


def terminal_missing(stdin_tty: bool, stdout_tty: bool) -> str | None:
    """Why the app cannot open here, in a few words; None if it can."""
    if not (stdin_tty and stdout_tty):
        return "the app needs a terminal"
    if os.environ.get("TERM", "") in ("", "dumb"):
        return f"the app needs a full-screen terminal, and TERM is {os.environ.get('TERM') or 'not set'}"
    return None


def archive_around() -> str | None:
    """The archive that this is run from (a wheel or a zip on PYTHONPATH): lessons, styles and the kernels' sources are
    read as files, which it has none of. None in a folder."""
    here = os.path.dirname(os.path.abspath(__file__))
    if os.path.isdir(here):
        return None
    while not os.path.isfile(here) and here != os.path.dirname(here):
        here = os.path.dirname(here)
    return here


def memory_missing() -> str | None:
    """Why the app cannot open under this limit of memory (ulimit -v), in a few words; None if it can. NumPy's library
    ends the process where it gets none, whatever the screen looks like by then."""
    try:
        import resource

        allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    except (ImportError, AttributeError, OSError, ValueError):  # Windows; a system without this limit
        return None
    if allowed == resource.RLIM_INFINITY or allowed >= APP_NEEDS:
        return None
    return f"the app needs {APP_NEEDS // 10**6} MB of memory, and the limit here (ulimit -v) is {allowed // 10**6} MB"
