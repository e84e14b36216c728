"""One session of `rnnviz host`, in the process that the host has forked for a client (attach.py).

In this order: it gives up every right that is not the client's; it reads the request; it takes over the client's
terminal, folder, umask, limits and variables; it runs the command line as `rnnviz` does. It ends with its client, and
says with which exit code.
"""

from __future__ import annotations

import ast
import contextlib
import locale
import os
import resource
import signal
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass

from rnnviz import attach

SECONDS = 10  # a client has so long to send its request
LAST = 3.0  # seconds after the end of the client in which the session has to end
PEER_GROUPS = 59  # SO_PEERGROUPS of Linux: the groups of the other side
MOST_GROUPS = 256  # as many fit into the kilobyte that Python asks the kernel for
PATH = "/usr/local/bin:/usr/bin:/bin"
NOT_UNDERSTOOD = b"the host cannot read this request: it runs another version of rnnviz; restart rnnviz host"


class NotUnderstoodError(Exception):
    """The request is not one of attach.py."""


@dataclass(frozen=True)
class Request:
    """What attach.py sends; its fields have the types that are checked in `read`."""

    argv: list[str]
    variables: dict[str, str]
    umask: int
    limits: dict[str, tuple[int, int]]
    descriptors: list[int]


def run(connection: socket.socket, uid: int, gid: int) -> int:
    """Be the session of the client at the other end; returns the exit code."""
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in attach.IGNORED:  # stopped, it could not notice that its client has ended
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.setsid()
    os.chdir("/")
    become(connection, uid, gid)
    signal.alarm(SECONDS)  # which ends the process
    try:
        request = read(connection)
    except NotUnderstoodError:
        connection.sendall(attach.packed(attach.REFUSED, NOT_UNDERSTOOD))
        return 2
    signal.alarm(0)
    take(request)
    from rnnviz.cli.main import main
    from rnnviz.tui import watchdog
    from rnnviz.tui.driver import LEAVE

    watchdog.ends_with_parent = False  # its parent is the host, which may be started anew meanwhile
    connection.sendall(attach.packed(attach.LEAVE, LEAVE.encode()))
    threading.Thread(target=_listen, args=(connection,), name="rnnviz-client", daemon=True).start()
    code = main(request.argv)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    connection.sendall(attach.packed(attach.EXIT, bytes([code & 255])))
    return code


def become(connection: socket.socket, uid: int, gid: int) -> None:
    """Have the user, the group and the groups that the client's process has, and no other. Of a host that is not root's
    there is nothing to give up: it serves its own user alone."""
    if os.geteuid() != 0:
        return
    groups = connection.getsockopt(socket.SOL_SOCKET, PEER_GROUPS, 4 * MOST_GROUPS)
    os.setgroups(struct.unpack(f"{len(groups) // 4}I", groups))
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid):
        raise PermissionError("a right could not be given up")


def read(connection: socket.socket) -> Request:
    """The client's request. Raises NotUnderstoodError for anything else."""
    head, descriptors, _, _ = socket.recv_fds(connection, 4, attach.DESCRIPTORS)
    length = int.from_bytes(head, "big")
    if len(head) < 4 or length > attach.LARGEST or len(descriptors) != attach.DESCRIPTORS:
        raise NotUnderstoodError
    try:
        argv, variables, umask, limits = ast.literal_eval(attach.exactly(connection, length).decode("ascii"))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise NotUnderstoodError from None
    if not (
        _all(argv, str)
        and isinstance(variables, dict)
        and _all([*variables, *variables.values()], str)
        and isinstance(umask, int)
        and isinstance(limits, dict)
        and all(_all(pair, int) and len(pair) == 2 for pair in limits.values())
        and not any("\0" in text for text in (*argv, *variables, *variables.values()))
        and "" not in variables
        and not any("=" in name for name in variables)
    ):
        raise NotUnderstoodError
    return Request(argv, variables, umask & 0o777, limits, descriptors)


def _all(values: object, kind: type) -> bool:
    return isinstance(values, list | tuple) and all(isinstance(value, kind) for value in values)


def take(request: Request) -> None:
    """Make this process one that the client could have started itself."""
    *standard, folder = request.descriptors
    with contextlib.suppress(OSError):  # a folder that this user may not enter; the root folder then
        os.fchdir(folder)
    os.close(folder)
    for number, descriptor in enumerate(standard):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.umask(request.umask)
    for name in attach.LIMITS:
        if name in request.limits:
            _lower(getattr(resource, f"RLIMIT_{name}"), *request.limits[name])
    os.environ.clear()
    os.environ.update(attach.passed(request.variables), PATH=PATH)
    time.tzset()
    encoding = _encoding()
    sys.stdin = sys.__stdin__ = open(0, encoding=encoding, errors="surrogateescape", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", encoding=encoding, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", encoding=encoding, errors="backslashreplace", closefd=False)  # type: ignore[misc]  # noqa: SIM115


def _lower(limit: int, soft: int, hard: int) -> None:
    """Take over a limit of the client's where it is lower than the host's."""
    ours = resource.getrlimit(limit)
    key = lambda value: (value == resource.RLIM_INFINITY, value)  # noqa: E731
    hard = min(hard, ours[1], key=key)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(limit, (min(soft, ours[0], hard, key=key), hard))


def _encoding() -> str:
    """The encoding of the client's locale; as for any Python, UTF-8 where there is none."""
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_CTYPE, "")
    if locale.setlocale(locale.LC_CTYPE) in ("C", "POSIX"):
        return "utf-8"
    return locale.nl_langinfo(locale.CODESET) or "utf-8"


def _listen(connection: socket.socket) -> None:
    """Pass the client's signals on to this process; the end of the client is a hang-up."""
    allowed = {int(getattr(signal, name)) for name in attach.PASSED_ON}
    heard = b"."
    while heard:
        try:
            heard = connection.recv(1)
        except OSError:
            heard = b""
        if heard and heard[0] in allowed:
            os.kill(os.getpid(), heard[0])
    os.kill(os.getpid(), signal.SIGHUP)
    time.sleep(LAST)
    os._exit(128 + signal.SIGHUP)
