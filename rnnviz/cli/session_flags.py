"""The flags that say how a session of the app behaves, and the session they make: the one place where flags, the
environment and the user's configuration meet.
"""

from __future__ import annotations

import argparse

from rnnviz.cli import config_file, kiosk
from rnnviz.cli.command import Argument, Options
from rnnviz.errors import InputError, short_repr
from rnnviz.session import Session
from rnnviz.terminal import CHOICES


def _color(text: str) -> str:
    if text not in CHOICES:
        raise InputError(f"color: {short_repr(text)} is none of {', '.join(CHOICES)}")
    return text


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes <= 10_000:
        raise InputError(f"idle: {short_repr(text)} is not a number of minutes from 0 to 10,000")
    return minutes


def speed(text: str) -> float:
    """Raises InputError."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    low, high = config_file.SPEEDS
    if not low <= number <= high:
        raise InputError(f"speed: {short_repr(text)} is not a number from {low:g} to {high:g}")
    return number


#: Of commands that print in colour, too.
COLOR = Argument(
    "--color", "how many colours: auto, truecolor, 256, 16 or none (default auto: NO_COLOR, FORCE_COLOR, else what the "
    "terminal has)", metavar="N", read=_color,
)  # fmt: skip
#: How the app looks: of the commands that make pictures of it, too.
OF_LOOKS: tuple[Argument, ...] = (
    COLOR,
    Argument(
        "--theme", "dark, light, ansi (your terminal's own palette) or a theme of Textual, nord for example (default: "
        "dark or light, as your terminal is)", metavar="NAME",
    ),
    Argument(
        "--ascii", "draw with ASCII characters alone (default: if the encoding or a Linux console has no others)",
        more={"action": argparse.BooleanOptionalAction},
    ),
    Argument(
        "--present", "the presenter's layout: more space, no keys in the last row", default=False,
        more={"action": "store_true"},
    ),
)  # fmt: skip
MOUSE = Argument(
    "--mouse", "use the mouse; without it the terminal selects text as usual (default: on)",
    more={"action": argparse.BooleanOptionalAction},
)  # fmt: skip
#: Of every command that opens the app.
OF_SESSION: tuple[Argument, ...] = (
    *OF_LOOKS,
    MOUSE,
    Argument("--speed", "of what plays by itself: 1 is the usual pace, 2 twice as fast", metavar="S", read=speed),
    Argument(
        "--kiosk", "for a stranger: reads and writes no file of their choice, starts no program (docs/classroom.md)",
        default=False, more={"action": "store_true"},
    ),
    Argument("--learner", "of a kiosk: whose progress is kept; letters, digits, - _ .", metavar="NAME"),
    Argument("--progress", "of a kiosk: the folder with a folder for each learner", metavar="DIR"),
    Argument("--idle", "of a kiosk: end after N minutes without a key (default 30; 0: never)", metavar="N",
             read=_minutes),
)  # fmt: skip


def session(options: Options, *, has_config: bool = True) -> Session:
    """The session that a command line asks for: a flag, else the user's configuration. A kiosk does not read it, and a
    picture that is to be the same for everyone (has_config=False) does not either. Raises InputError."""
    values, own = options.values, config() if has_config else config_file.Config()
    return Session(
        colors=CHOICES[values.get("color") or own.color or "auto"],
        theme=_theme(values.get("theme"), own),
        ascii=own.ascii if values.get("ascii") is None else values["ascii"],
        mouse=next((value for value in (values.get("mouse"), own.mouse) if value is not None), True),
        keys=own.keys,
        speed=own.speed if values.get("speed") is None else values["speed"],
        presenting=bool(values.get("present")),
        kiosk=kiosk.current(),
    )


def config() -> config_file.Config:
    """The user's configuration; none in a kiosk. Raises InputError."""
    return config_file.read() if kiosk.current() is None else config_file.Config()


def colors(options: Options) -> str | None:
    """How many colours a flag or the configuration asks for; None: find out. Raises InputError."""
    return CHOICES[options.values.get("color") or config().color or "auto"]


def _theme(given: str | None, own: config_file.Config) -> str | None:
    try:
        name = own.theme if given is None else config_file.checked_theme(given)
    except InputError as error:
        raise InputError(f"theme: {error}") from None
    return None if name == "auto" else name
