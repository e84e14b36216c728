"""What to say when something goes wrong that nobody foresaw: one line, and a file with the rest."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import traceback
from pathlib import Path

FILE = "traceback.txt"
LONGEST = 200  # characters of an error's own words in the line


def folder() -> Path:
    from platformdirs import user_state_dir

    return Path(user_state_dir("rnnviz", appauthor=False))


def report(error: BaseException, then: str = "") -> str:
    """One line: what happened, `then` what to do, where the traceback is. Never raises.

    Only the last traceback is kept, for its owner alone.
    """
    what = "".join(c if c.isprintable() else "·" for c in " ".join(f"{type(error).__name__}: {error}".split()))
    if len(what) > LONGEST:
        what = what[: LONGEST - 1] + "…"
    try:
        path = folder() / FILE
        _keep(path, error)
        rest = f"to report this, send {path}"
    except Exception:  # no home, a full disk
        frames = traceback.extract_tb(error.__traceback__)
        where = f" in line {frames[-1].lineno} of {Path(frames[-1].filename).name}" if frames else ""
        rest = f"please report this: it happened{where}"
    return f"stopped by an error in rnnviz itself: {what.rstrip('.')}; {then}{rest}"


def _keep(path: Path, error: BaseException) -> None:
    import rnnviz

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = traceback.format_exception(error)
    about = f"rnnviz {rnnviz.__version__}, Python {platform.python_version()}, {platform.platform()}"
    with contextlib.suppress(FileNotFoundError):
        path.unlink()  # a link or another's file is not written through
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{about}\n{sys.argv}\n\n{''.join(lines)}")
