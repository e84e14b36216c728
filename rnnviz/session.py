"""How one session of the app behaves, whatever it shows: a frozen record, made once from the flags, the environment and
the user's configuration (`cli/session_flags.py`), and passed to the app. Imports nothing slow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rnnviz.kiosk import Kiosk


@dataclass(frozen=True)
class Session:
    """What is None is found out.

    colors  how many: "truecolor", "256", "standard" (16) or "none" (terminal.colors)
    theme   "dark", "light", "ansi" (the terminal's own palette) or the name of one of Textual's; None: dark or light,
            as the terminal's background is
    ascii   draw with ASCII alone; None: if the encoding or the terminal has no other glyphs
    mouse   whether the terminal reports the mouse
    keys    keys of the user's own, as Textual names them, by the id of an action or a panel (tui/keymap.py)
    speed   of what plays by itself: 1 is the usual pace, 2 twice as fast; None: 1
    presenting  begin with the presenter's layout
    kiosk   the limits of a session for a stranger; None: the user's own session
    """

    colors: str | None = None
    theme: str | None = None
    ascii: bool | None = None
    mouse: bool = True
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    speed: float | None = None
    presenting: bool = False
    kiosk: Kiosk | None = None


#: A session without any flag.
USUAL = Session()
