"""The flags that say how a session of the app behaves, and the session they make: the one place where flags, the
environment and the user's configuration meet.
"""

from __future__ import annotations

from rnnviz.cli import kiosk
from rnnviz.cli.command import Argument, Options
from rnnviz.errors import InputError, short_repr
from rnnviz.session import Session


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes <= 10_000:
        raise InputError(f"idle: {short_repr(text)} is not a number of minutes from 0 to 10,000")
    return minutes


#: Of every command that opens the app.
OF_SESSION: tuple[Argument, ...] = (
    Argument(
        "--kiosk", "for a stranger: reads and writes no file of their choice, starts no program (docs/classroom.md)",
        default=False, more={"action": "store_true"},
    ),
    Argument("--learner", "of a kiosk: whose progress is kept; letters, digits, - _ .", metavar="NAME"),
    Argument("--progress", "of a kiosk: the folder with a folder for each learner", metavar="DIR"),
    Argument("--idle", "of a kiosk: end after N minutes without a key (default 30; 0: never)", metavar="N",
             read=_minutes),
)  # fmt: skip


def session(options: Options) -> Session:
    """The session that a command line asks for. Raises InputError."""
    return Session(kiosk=kiosk.current())
