"""Check what the app needs: a terminal, memory, and files beside its code."""

from __future__ import annotations

import os
import sys

from rnnviz.errors import InputError

#: How many threads OpenBLAS, NumPy's library, starts: the first of these that is set decides.
THREADS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
APP_NEEDS = 600_000_000  # bytes of address space: 450 MB and some for the numbers


def one_thread() -> None:
    """Let NumPy, which must not have been imported, compute with one thread, unless the user has set another number.

    Its threads wait for each other in a loop. For the small matrices of the app they gain nothing, and beside other
    work they lose: the singular values of a 128 × 128 matrix take 1 ms of processor with one thread and 54 ms with
    two on a busy machine of two processors. To start them takes 70 ms of processor.
    """
    if not any(os.environ.get(name) for name in THREADS):
        os.environ[THREADS[0]] = "1"


def require_terminal(remedy: str) -> None:
    """Raises InputError, with the remedy, if the app cannot open here."""
    missing = terminal_missing("the app") or memory_missing()
    if missing:
        raise InputError(f"{missing}; {remedy}")


def is_tty(stream: object) -> bool:
    try:
        return stream.isatty()  # type: ignore[attr-defined, no-any-return]
    except (AttributeError, ValueError):  # closed, or no stream
        return False


def terminal_missing(what: str) -> str | None:
    """The reason why what needs a terminal ("the app") cannot open here, in a few words; None if it can."""
    if not (is_tty(sys.stdin) and is_tty(sys.stdout)):
        return f"{what} needs a terminal"
    if os.environ.get("TERM", "") in ("", "dumb"):
        return f"{what} needs a full-screen terminal, but TERM is {os.environ.get('TERM') or 'not set'}"
    return None


def archive_around() -> str | None:
    """The archive (a wheel or a zip on PYTHONPATH) that this module runs from; None if it runs from a folder. Lessons,
    styles and the kernels' sources must be files, which an archive does not have."""
    here = os.path.dirname(os.path.abspath(__file__))
    if os.path.isdir(here):
        return None
    while not os.path.isfile(here) and here != os.path.dirname(here):
        here = os.path.dirname(here)
    return here


def memory_missing() -> str | None:
    """The reason why the app cannot open with this memory limit (ulimit -v), in a few words; None if it can. Without
    memory NumPy's library ends the process, with the terminal still in full-screen mode."""
    try:
        import resource

        allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    except (ImportError, AttributeError, OSError, ValueError):  # Windows; a system without this limit
        return None
    if allowed == resource.RLIM_INFINITY or allowed >= APP_NEEDS:
        return None
    return f"the app needs {APP_NEEDS // 10**6} MB of memory, but the limit (ulimit -v) is {allowed // 10**6} MB"
