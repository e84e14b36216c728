"""What rnnviz uses of textual-serve: the terminal of its page (xterm.js, with what joins it to a websocket), its styles
and its font. Seen with textual-serve 1.1.3; nothing else in rnnviz names any of it.

| what | where it is used |
|---|---|
| three files of its folder static | THEIRS, below |
| `.textual-terminal`, its data-font-size and data-session-websocket-url | index.html, page.js |
| the websocket is asked for with ?width=…&height=… | server.py |
| the page sends ["stdin", text], ["resize", {width, height}] and ["ping", time], the server bytes to draw | server.py |
| the body's classes -first-byte and -closed | page.css |

Its server and its AppService are not used: the command goes through a shell with all of the server's environment, the
app's output is not bounded, no Origin or Host is looked at, and the page asks another host for its font. Its driver
(`TEXTUAL_DRIVER`) is not needed: in a pty the app works as in any terminal, with its own driver.
"""

from __future__ import annotations

import gzip
import importlib.util
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from rnnviz.errors import InputError

INSTALL = "python -m pip install 'rnnviz[serve]'"
MISSING = f"textual-serve is not installed; install it: {INSTALL}"
CHANGED = f"this release of textual-serve has another page; install one that fits: {INSTALL}"

THEIRS = {
    "textual.js": ("static/js/textual.js", "text/javascript"),
    "xterm.css": ("static/css/xterm.css", "text/css"),
    "mono.ttf": ("static/fonts/RobotoMono-VariableFont_wght.ttf", "font/ttf"),
}
OURS = {"page.js": "text/javascript", "page.css": "text/css"}
PAGE, NOTICE = "index.html", "notice.html"
NAMES = (b"textual-terminal", b"sessionWebsocketUrl", b'"?width="', b'"stdin"', b'"resize"', b"-first-byte", b"-closed")


@dataclass(frozen=True)
class File:
    content: bytes
    kind: str
    packed: bytes  # by gzip


def ours(name: str) -> str:
    """A file of our page."""
    return resources.files("rnnviz.serving").joinpath("page", name).read_text(encoding="utf-8")


@cache
def page_files() -> dict[str, File]:
    """Every file that the page asks for. Raises InputError if textual-serve is not installed, or has changed."""
    spec = importlib.util.find_spec("textual_serve")
    if spec is None or spec.origin is None or importlib.util.find_spec("aiohttp") is None:
        raise InputError(MISSING)
    folder = Path(spec.origin).parent
    try:
        found = {name: (folder.joinpath(place).read_bytes(), kind) for name, (place, kind) in THEIRS.items()}
    except OSError:
        raise InputError(CHANGED) from None
    if any(name not in found["textual.js"][0] for name in NAMES):
        raise InputError(CHANGED)
    found |= {name: (ours(name).encode(), kind) for name, kind in OURS.items()}
    return {name: File(content, kind, gzip.compress(content, mtime=0)) for name, (content, kind) in found.items()}
