"""The commands that show rnnviz to others: in a class, in a browser, in a talk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from rnnviz.cli.command import Argument, Command, number
from rnnviz.errors import InputError, short_repr

LAST_PORT = 65535
LONGEST_IDLE = 100_000


def _within(name: str, low: int, high: int) -> Callable[[str], int]:
    """A reader for a whole number from low to high."""

    def read(text: str) -> int:
        if not low <= number(text) <= high:
            raise InputError(f"{name}: {short_repr(text)} is not a whole number from {low} to {high}")
        return number(text)

    return read


def _minutes(text: str) -> float:
    with suppress(ValueError):
        if 0 <= float(text) <= LONGEST_IDLE:
            return float(text)
    raise InputError(f"idle: {short_repr(text)} is not a number of minutes from 0 to {LONGEST_IDLE}")


_SERVE = Command(
    "serve",
    "serve the app to browsers",
    "rnnviz serve [--port N] [--sessions N] [--idle MIN] [flags of the app]",
    "Serve the app to browsers: each page has a session of its own, which ends with the page. Only this machine\n"
    "reaches it unless --host says otherwise, and only people with the address, which holds a token, open it.\n"
    "All other flags are the app's (rnnviz --help). It needs the extra serve: pip install 'rnnviz[serve]'.",
    "rnnviz.cli.serve:run",
    (
        Argument(
            "--port", "which port (default 8080); 0: any that is free", metavar="N", default=8080,
            read=_within("port", 0, LAST_PORT),
        ),
        Argument("--host", "which address of this machine (default 127.0.0.1)", metavar="ADDRESS", default="127.0.0.1"),
        Argument(
            "--public-url", "behind a proxy: the address that browsers open, such as https://example.org/rnnviz",
            metavar="URL",
        ),
        Argument(
            "--token-file", "a file with the token of the address (default: a new one at each start)", metavar="FILE",
        ),
        Argument(
            "--sessions", "how many may run at once (default 30)", metavar="N", default=30,
            read=_within("sessions", 1, 10_000),
        ),
        Argument(
            "--socket", "of a rnnviz host, which starts sessions faster and in less memory (default: one of root's, or "
            "of yours, if it runs)", metavar="PATH",
        ),
        Argument(
            "--idle", "end a session after so many minutes without a key (default 30); 0: never", metavar="MIN",
            default=30.0, read=_minutes,
        ),
    ),
    has_experiment=False,
    passes_on=True,
)  # fmt: skip

_HOST = Command(
    "host",
    "start the sessions of a class quickly, and in less memory",
    "rnnviz host [--socket PATH] [--sessions N] [--per-account N]",
    "Import everything once, wait at a socket, and fork a session of the app for each client. The line that\n"
    "it prints is a client's command, for ForceCommand of sshd for example; flags of rnnviz may follow it.\n"
    "A host of root's serves every account, each session with the rights of its client and no other; a host\n"
    "of yours serves you. docs/classroom.md has the units for systemd, and figures.",
    "rnnviz.cli.host:run",
    (
        Argument(
            "--socket", "where to wait (default: /run/rnnviz/host for root, else a folder of the login's)",
            metavar="PATH",
        ),
        Argument(
            "--sessions", "how many may run at once (default 200)", metavar="N", default=200,
            read=_within("sessions", 1, 10_000),
        ),
        Argument(
            "--per-account", "how many may run of one account (default: no other limit)", metavar="N",
            read=_within("per_account", 1, 10_000),
        ),
    ),
    has_experiment=False,
)  # fmt: skip

SHARING: tuple[Command, ...] = (_SERVE, _HOST)
