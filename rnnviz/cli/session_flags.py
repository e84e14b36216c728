"""The flags that say how a session of the app behaves, and the session they make: the one place where flags, the
environment and the user's configuration meet.
"""

from __future__ import annotations

from rnnviz.cli.command import Argument, Options
from rnnviz.session import Session

#: Of every command that opens the app.
OF_SESSION: tuple[Argument, ...] = ()


def session(options: Options) -> Session:
    """The session that a command line asks for. Raises InputError."""
    return Session()
