"""How one session of the app behaves, whatever it shows: a frozen record, made once from the flags, the environment and
the user's configuration (`cli/session_flags.py`), and passed to the app. Imports nothing slow.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.kiosk import Kiosk


@dataclass(frozen=True)
class Session:
    """ascii  draw with ASCII alone; None: if the encoding has no other glyphs
    kiosk  the limits of a session for a stranger; None: the user's own session"""

    ascii: bool | None = None
    kiosk: Kiosk | None = None


#: A session without any flag.
USUAL = Session()
