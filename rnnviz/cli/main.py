"""The command `rnnviz`. Every way out of it is an exit code and, if something was wrong, one line on stderr.

0  done          2  a wrong flag, file or setting, no terminal to open the app in, or a full disk
1  an error of rnnviz' own; the line says where its traceback is          141  the reader of a pipe has gone
128 + n  ended by signal n: 130 SIGINT (Ctrl-C in a command; in the app ctrl+c is a key that leaves it, as q does,
and no signal: 0), 143 SIGTERM, 129 SIGHUP or the terminal is gone
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TextIO

from rnnviz.cli.command import Command
from rnnviz.cli.commands import APP, COMMANDS
from rnnviz.cli.flags import in_flags, read
from rnnviz.cli.surroundings import archive_around
from rnnviz.errors import InputError
from rnnviz.glyphs import one_line

#: What a disk that is full, or gone, says to a write.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main(argv: list[str] | None = None) -> int:
    """Run one command line (without the program's name) and return its exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed before Python began: nobody wants to read it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        with contextlib.suppress(AttributeError, ValueError):  # a stand-in for a stream, or a closed one
            getattr(sys, name).reconfigure(errors="replace")
    command = COMMANDS.get(argv[0], APP) if argv else APP
    try:
        try:
            code = _run(command, argv if command is APP else argv[1:])
        except SystemExit as end:  # --help and --version
            code = end.code if isinstance(end.code, int) else 0
        sys.stdout.flush()
        return code
    except InputError as error:
        return _say(command, in_flags(str(error)), 2)
    except MemoryError:
        return _say(command, "not enough memory for this; use fewer steps, sequences or units", 2)
    except KeyboardInterrupt as stop:
        return _say(command, str(stop) or "stopped", 130)
    except BrokenPipeError:
        _give_up(sys.stdout)
        return 141
    except Exception as error:
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            _give_up(sys.stdout)
            return _say(command, f"the output cannot be written: {error.strerror}", 2)
        from rnnviz.crash import report

        return _say(command, report(error, "" if command.name else "lesson progress is kept, start it again; "), 1)


def _give_up(stream: TextIO) -> None:
    """So that Python's last flush of it finds nothing wrong."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(command: Command, argv: list[str]) -> int:
    archive = archive_around()
    if archive and not {"-h", "--help", "--version"} & set(argv):
        raise InputError(f"it cannot run inside an archive; install it: python -m pip install {archive}")
    return command(read(argv, command))


def _say(command: Command, message: str, code: int) -> int:
    line = one_line(message)
    try:
        print(f"{f'rnnviz {command.name}'.strip()}: {line}", file=sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):
        _give_up(sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
