"""The small program that a learner's terminal runs in a class: it asks `rnnviz host` for a session, waits for its end,
and returns its exit code. Without a host it becomes rnnviz itself.

    python -IS …/rnnviz/attach.py [--socket PATH] [rnnviz's flags]      `rnnviz host` prints the whole line

It imports the standard library's smallest modules alone: with Python's own start it takes 20 ms and 8 MB, where
`import rnnviz.cli` takes 90 ms. It passes on its terminal, its folder, its umask, its limits and the variables of
`passed`; what happens from there on is in cli/hosting.py and cli/hosted.py, which read the same functions.

    client → session   REQUEST, with the descriptors of the terminal and the folder; then the numbers of signals
    session → client   LEAVE, what restores the terminal; at the end EXIT and the code; or REFUSED and why
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import sys
import termios

TYPE_CHECKING = False  # importing typing takes a third of this program's time
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

EXIT, LEAVE, REFUSED = b"=", b"~", b"!"
LARGEST = 1 << 18  # bytes of a request
LONGEST = 1 << 12  # bytes of an answer
DESCRIPTORS = 4  # standard input, output, error; the folder

#: What a signal to the client means for the session. It cannot be suspended: a shell stops programs of its own alone.
PASSED_ON = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH")
IGNORED = ("SIGTSTP", "SIGTTIN", "SIGTTOU")

LIMITS = ("AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "NOFILE", "NPROC", "STACK")

NAMES = (
    *("HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE", "COLUMNS", "LINES"),
    *("TERM", "COLORTERM", "COLORFGBG", "TERM_PROGRAM", "TERM_PROGRAM_VERSION"),
    *("NO_COLOR", "FORCE_COLOR", "TEXTUAL_COLOR_SYSTEM"),
    *("TMUX", "STY", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "NUMBA_CACHE_DIR"),
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"),
)
BEGINNINGS = ("LC_", "RNNVIZ_")


def passed(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a session takes from its client: what describes a person and a terminal, and nothing that
    changes which code is run."""
    return {name: value for name, value in environ.items() if name in NAMES or name.startswith(BEGINNINGS)}


def places(uid: int) -> list[str]:
    """Where a host listens by default: root's, and one of this user's own."""
    found = ["/run/rnnviz/host"]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if uid and runtime.startswith("/"):
        found.append(f"{runtime}/rnnviz/host")
    return found


def credentials(connection: socket.socket) -> tuple[int, int, int]:
    """Process, user and group of the other side when it connected or began to listen: the kernel reports them."""
    import struct

    return struct.unpack("iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))


def limits() -> dict[str, tuple[int, int]]:
    """Soft and hard limit by name."""
    return {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in LIMITS}


def main(argv: list[str]) -> int:
    """Run rnnviz with these arguments in a session of a host, or, without a host, in place of this program."""
    wanted = None
    if argv[:1] == ["--socket"] and len(argv) > 1:
        wanted, argv = argv[1], argv[2:]
    before = claimed()
    for place in places(os.getuid()) if wanted is None else [wanted]:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(place)
        except OSError:
            connection.close()
            continue
        if credentials(connection)[1] in (0, os.getuid()):
            return attached(connection, argv, before)
        return say(f"{place}: it belongs to another user, who would see every key; it is not used")
    try:
        os.execv(sys.executable, [sys.executable, "-P", "-m", "rnnviz", *argv])
    except OSError as error:
        return say(f"{sys.executable} cannot be started: {error.strerror}")


def attached(connection: socket.socket, argv: list[str], before: list[Any] | None) -> int:
    """Give the terminal to a session, and wait for its exit code. before: the terminal's attributes."""
    for name in PASSED_ON:
        number = getattr(signal, name)
        if signal.getsignal(number) is not signal.SIG_IGN or name == "SIGWINCH":
            signal.signal(number, lambda number, _: pass_on(connection, number))
    for name in IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    folder = os.open(".", os.O_RDONLY | os.O_PATH | os.O_CLOEXEC)
    mask = os.umask(0o077)
    request = ascii((argv, passed(os.environ), mask, limits())).encode()
    leave = b""
    whole = len(request).to_bytes(4, "big") + request
    with contextlib.suppress(OSError):  # refused before it was read: the answer says why
        sent = socket.send_fds(connection, [whole], [0, 1, 2, folder])
        connection.sendall(whole[sent:])
    os.close(folder)
    with contextlib.suppress(OSError):
        while True:
            kind, content = answer(connection)
            if kind == LEAVE:
                leave = content
            elif kind == EXIT:
                return content[0]
            elif kind == REFUSED:
                return say(content.decode(errors="replace"))
            else:
                break
    if before is not None:  # the session was killed, and could not restore the terminal itself
        try:
            os.write(1, leave)
            termios.tcsetattr(0, termios.TCSANOW, before)
        except (OSError, termios.error):
            return 128 + signal.SIGHUP
    return say("the session was ended from outside", 1)


def claimed() -> list[Any] | None:
    """The terminal's attributes; None if there is none. A client in the background stops here until it is resumed in
    the foreground, as the app does."""
    try:
        found = termios.tcgetattr(0)
        termios.tcsetattr(0, termios.TCSANOW, found)
    except termios.error:
        return None
    return found


def pass_on(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # the session is ending
        connection.send(bytes([number]), socket.MSG_DONTWAIT)


def answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """One answer: its kind and its content; two empty ones at the end. The head is the kind and the length."""
    head = exactly(connection, 3)
    return head[:1], exactly(connection, int.from_bytes(head[1:], "big"))


def packed(kind: bytes, content: bytes) -> bytes:
    content = content[:LONGEST]
    return kind + len(content).to_bytes(2, "big") + content


def exactly(connection: socket.socket, length: int) -> bytes:
    """So many bytes; fewer only at the end."""
    found = b""
    while len(found) < length and (more := connection.recv(length - len(found))):
        found += more
    return found


def say(text: str, code: int = 2) -> int:
    with contextlib.suppress(OSError):
        os.write(2, f"rnnviz: {text}\n".encode())
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
