"""Who may come in: the token of an address, the names this server answers to, and the pages that may open a websocket.

A token in the path keeps out everyone who was not given the address. A page of another site cannot read the token, but
it can have a visitor's browser connect to this server, also by a name that its owner lets point here (DNS rebinding).
So a request has to name this server as its Host, and a websocket has to come from its own page (Origin).
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rnnviz import files
from rnnviz.errors import InputError, short_repr

TOKEN_BYTES = 24
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,200}")  # of 64 characters, so at least 128 bits if it is random
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?")


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_of(path: str) -> str:
    """The token in a file, which only this user or root can have written. Raises InputError."""
    try:
        text = files.read_trusted(Path(path), 1000).decode("ascii", "replace").strip()
    except OSError as error:
        raise InputError(f"token_file: {path} cannot be read: {error.strerror}") from None
    if not _TOKEN.fullmatch(text):
        raise InputError(f"token_file: {path} holds no token; write 22 to 200 random letters, digits, - or _ to it")
    return text


@dataclass(frozen=True)
class Address:
    """An address under which people reach this server, as its owner gave it: https://example.org/rnnviz"""

    origin: str
    host: str
    path: str

    @classmethod
    def read(cls, text: str) -> Address:
        """Raises InputError if it is not the address of a website."""
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        is_odd = not text.isprintable() or any(one in text for one in " \"'<>;\\")  # urlsplit leaves line ends out
        if (
            host is None
            or is_odd
            or parts.scheme not in ("http", "https")
            or parts.query
            or parts.fragment
            or parts.username
        ):
            raise InputError(f"public_url: {short_repr(text)} is not an address such as https://example.org/rnnviz")
        place = f"[{host}]" if ":" in host else host
        usual = port is None or port == {"http": 80, "https": 443}[parts.scheme]
        return cls(f"{parts.scheme}://{place}{'' if usual else f':{port}'}", host, parts.path.rstrip("/"))


class Guard:
    """names: those that this server answers to, beside addresses in numbers; public: where a proxy takes requests."""

    def __init__(self, token: str, names: Iterable[str], public: Address | None = None) -> None:
        self.token = token
        self._names = {"localhost", *(name.lower() for name in names)}
        self._origins = set()
        if public is not None:
            self._names.add(public.host.lower())
            self._origins.add(public.origin.lower())

    def knows(self, token: str) -> bool:
        """Whether this is the token. Takes the same time for each wrong one."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())

    def answers_to(self, host: str) -> bool:
        """Whether a request with this Host header is meant for this server. A name that someone else owns can be made
        to point here; a number cannot."""
        found = _HOST.fullmatch(host)
        name = found.group(1).strip("[]").lower() if found else ""
        return name in self._names or _is_number(name)

    def lets(self, origin: str, host: str) -> bool:
        """Whether a page of this Origin, asking for this Host, may open a websocket: it is a page of this server."""
        return origin.lower() in self._own(host)

    def sockets(self, host: str) -> list[str]:
        """The addresses of websockets that the page with this Host may open, for its policy. Not every browser takes
        them for those of the page itself."""
        return sorted(origin.replace("http", "ws", 1) for origin in self._own(host))

    def _own(self, host: str) -> set[str]:
        """The origins of our pages: this Host, and what a proxy makes of it."""
        return {f"{scheme}://{host.lower()}" for scheme in ("http", "https")} | self._origins


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def own_names() -> set[str]:
    """The names of this machine."""
    name = socket.gethostname()
    return {name, f"{name}.local", socket.getfqdn()}
