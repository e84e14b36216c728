"""Report an unexpected error: one line for the person, and a file with the traceback; in a kiosk the system log."""

from __future__ import annotations

import platform
import sys
import traceback
from pathlib import Path

FILE = "traceback.txt"
LONGEST = 200  # characters of the error's own message in the line


def report(error: BaseException, then: str = "", *, to_log: bool = False) -> str:
    """One line: what happened, what to do (`then`), and where the traceback is. Never raises.

    Only the last traceback is saved, in a file that only its owner can read. to_log: it is sent to the system log
    instead, and no file is written.
    """
    what = " ".join(f"{type(error).__name__}: {error}".split())
    if len(what) > LONGEST:
        what = what[: LONGEST - 1] + "…"
    if to_log:
        _log_traceback(error)
        return f"stopped by an error in rnnviz itself: {what.rstrip('.')}; {then}its report is in the system log"
    try:
        rest = f"to report this, send {_save_traceback(error)}"
    except Exception:  # no home, a full disk
        frames = traceback.extract_tb(error.__traceback__)
        where = f" in line {frames[-1].lineno} of {Path(frames[-1].filename).name}" if frames else ""
        rest = f"please report this: it happened{where}"
    return f"stopped by an error in rnnviz itself: {what.rstrip('.')}; {then}{rest}"


def _log_traceback(error: BaseException) -> None:
    """Send the traceback to the system log, line by line; lost on a system without one."""
    try:
        import syslog
    except ImportError:  # Windows
        return
    syslog.openlog("rnnviz", syslog.LOG_PID)
    for part in traceback.format_exception(error):
        for line in part.splitlines():
            syslog.syslog(syslog.LOG_ERR, line.encode("ascii", "backslashreplace").decode().replace("\0", ""))


def _save_traceback(error: BaseException) -> Path:
    """Write the traceback to a file and return its path. Raises OSError if it cannot be written."""
    import rnnviz
    from rnnviz import files

    folder = files.user_folder("state")
    if folder is None:
        raise FileNotFoundError("no home")
    files.make_folder(folder)
    about = f"rnnviz {rnnviz.__version__}, Python {platform.python_version()}, {platform.platform()}\n{sys.argv}\n\n"
    text = about + "".join(traceback.format_exception(error))
    files.replace(folder / FILE, text.encode(errors="backslashreplace"))
    return folder / FILE
