"""`rnnviz serve`: the app in a browser."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import rnnviz
from rnnviz.cli.command import Options
from rnnviz.errors import InputError, short_repr
from rnnviz.serving.guard import Address, Guard, new_token, own_names, token_of

#: Variables that the app gets of the server's, by their names or the beginnings of their names.
KEPT = ("HOME", "USER", "LOGNAME", "PATH", "TMPDIR", "TZ", "LD_LIBRARY_PATH")
KEPT_BEGINNINGS = ("XDG_", "RNNVIZ_", "NUMBA_", "OPENBLAS_", "OMP_")

#: What the terminal of the page is.
TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "PYTHONUTF8": "1"}

OPEN_TO_ALL = (
    "rnnviz serve: --host {host}: every machine that can reach this one can connect, and the address with its token "
    "crosses the network unencrypted. {who} Put a proxy with TLS before it and leave --host out (docs/classroom.md)."
)
NO_ADDRESS = "host: {} is not an address of this machine"
WHOLE_APP = "Everyone with the address can read and write files of this account: add --kiosk."
KIOSK = "It is a kiosk, so nobody with the address reaches a file of this account."


def run(options: Options) -> int:
    if not hasattr(os, "openpty"):
        raise InputError("rnnviz serve needs Linux or macOS: it opens a terminal (pty) for each page")
    _check_opens(options["app"])
    from rnnviz.serving import xterm_page

    xterm_page.page_files()  # textual-serve, and aiohttp with it, are there
    return asyncio.run(_serve(options))


def _check_opens(app: Options) -> None:
    """Refuse what is not there now, and not in each page. Raises InputError."""
    if app["lessons"] is not None:
        from rnnviz.lessons.course import find

        find(app["lessons"])
    for opened in (app.network, app.recording):
        if opened is not None:
            try:
                os.stat(opened.path)
            except OSError as error:
                raise InputError(f"{opened.path}: {error.strerror}") from None


async def _serve(options: Options) -> int:
    """Serve until a signal comes; 128 and its number."""
    from rnnviz.serving.server import Limits, Sessions, listen
    from rnnviz.serving.terminal import Terminal

    host, port = options["host"], options["port"]
    public = None if options["public_url"] is None else Address.read(options["public_url"])
    token = new_token() if options["token_file"] is None else token_of(options["token_file"])
    is_local = await _is_local(host)
    guard = Guard(token, {host} if is_local else {host, *own_names()}, public)
    idle = options["idle"] * 60 if options["idle"] else None
    limits = Limits(options["sessions"], idle)
    is_kiosk = options["app"]["kiosk"]
    words = [*options["words"], *(("--idle", "0") if is_kiosk else ())]  # it is this server that looks at the time
    start = partial(Terminal.start, command(words, options["socket"]), environment(os.environ))
    ended = _signal_to_end()
    try:
        server = await listen(Sessions(start, guard, limits), host, port)
    except OSError as error:
        raise InputError(_cannot_listen(error, host, port)) from None
    try:
        here = f"http://{_name(host)}:{server.addresses[0][1]}"
        print(f"rnnviz is at {here if public is None else public.origin + public.path}/{token}/")
        if public is not None:
            print(f"The proxy finds it at {here}/")
        print("Everyone with this address can open it. ctrl+c ends the server and all its sessions.", flush=True)
        if not is_local:
            who = KIOSK if is_kiosk else WHOLE_APP
            print(OPEN_TO_ALL.format(host=host, who=who), file=sys.stderr, flush=True)
        return 128 + await ended
    finally:
        await server.cleanup()


def command(words: list[str], socket: str | None = None) -> list[str]:
    """The app with these arguments, as a list for exec; socket: of a `rnnviz host`."""
    host = [] if socket is None else ["--socket", socket]
    return [sys.executable, "-P", "-m", "rnnviz.cli.in_terminal", *host, *words]


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """The variables of the app: those of the server that it may need, and those of its terminal."""
    kept = {name: value for name, value in ours.items() if name in KEPT or name.startswith(KEPT_BEGINNINGS)}
    package = str(Path(rnnviz.__file__).parents[1])
    return {**kept, **TERMINAL, "PYTHONPATH": package}


def _signal_to_end() -> asyncio.Future[int]:
    """The number of the first signal to end, once it has come. One that is ignored (nohup) stays ignored."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[int] = loop.create_future()

    def hear(number: int) -> None:
        if not came.done():
            came.set_result(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, hear, number)
    return came


async def _is_local(host: str) -> bool:
    """Whether only this machine reaches the host. Raises InputError if there is no such host."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except (OSError, UnicodeError):
        raise InputError(NO_ADDRESS.format(short_repr(host))) from None
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)


def _name(host: str) -> str:
    """The host as a part of an address that another machine can open."""
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            return os.uname().nodename
        return f"[{host}]" if address.version == 6 else host
    return host


def _cannot_listen(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port: {port} is in use by another program; choose another, or 0 for any that is free"
    if error.errno == errno.EACCES:
        return f"port: {port} is kept for root; choose one from 1024 on"
    if error.errno == errno.EADDRNOTAVAIL:
        return NO_ADDRESS.format(short_repr(host))
    return f"host: {short_repr(host)} cannot be listened on: {os.strerror(error.errno or 0)}"
