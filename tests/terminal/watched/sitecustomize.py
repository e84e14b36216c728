"""For a program under test: every file that it opens, changes or removes, and every program that it starts, is written
into the file that RNNVIZ_TEST_EVENTS names. Python imports this before anything else, from PYTHONPATH."""

import os
import sys

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod")
_PROGRAMS = ("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn",
             "subprocess.Popen", "webbrowser.open", "socket.connect", "socket.bind")  # fmt: skip
_events = os.open(os.environ["RNNVIZ_TEST_EVENTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _watch(event: str, arguments: tuple) -> None:
    if event == "open":
        path, mode, flags = arguments
        writes = any(letter in mode for letter in "wax+") if mode else flags & _WRITES
        if not isinstance(path, int):
            os.write(_events, f"{'write' if writes else 'read'} {os.path.abspath(os.fsdecode(path))}\n".encode())
    elif event in _CHANGES and not (event == "os.mkdir" and os.path.isdir(arguments[0])):  # it only asks
        os.write(_events, f"write {os.path.abspath(os.fsdecode(arguments[0]))}\n".encode())
    elif event in _PROGRAMS:
        os.write(_events, f"program {event} {arguments[:2]!r}\n".encode())


sys.addaudithook(_watch)
