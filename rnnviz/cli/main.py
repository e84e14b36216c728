"""The command `rnnviz`. It always ends with an exit code and, after an error, one line on stderr.

0  success       2  a wrong flag, file or setting, no terminal for the app, or a full disk
1  an error in rnnviz itself; the line names the file of the traceback    141  the reader of a pipe has closed it
128 + n  ended by signal n: 130 SIGINT (Ctrl-C in a command; in the app ctrl+c is a key that quits, as q does, and not
a signal: 0), 143 SIGTERM, 129 SIGHUP or a closed terminal
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TextIO

from rnnviz.cli import kiosk
from rnnviz.cli.command import Command
from rnnviz.cli.commands import APP, COMMANDS, READ
from rnnviz.cli.flags import in_flags, read
from rnnviz.cli.surroundings import archive_around, one_thread
from rnnviz.errors import InputError
from rnnviz.glyphs import one_line

#: The errors of a write to a full or missing disk.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main(argv: list[str] | None = None) -> int:
    """Run one command line (without the program's name; None: that of this process) and return its exit code.

    A kiosk that is this process's own program ends here: with PYTHONINSPECT set, Python would show its prompt next."""
    code = _main(list(sys.argv[1:] if argv is None else argv))
    if argv is None and kiosk.current() is not None:
        os._exit(code)
    return code


def _main(argv: list[str]) -> int:
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed before Python began: there is no reader
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        with contextlib.suppress(AttributeError, ValueError):  # a stand-in for a stream, or a closed one
            getattr(sys, name).reconfigure(errors="replace")
    command = COMMANDS.get(argv[0], APP) if argv else APP
    if command is APP and "--plain" in argv:
        argv.remove("--plain")
        command, argv = READ, [READ.name, *argv]
    try:
        try:
            code = _run(command, argv if command is APP else argv[1:])
        except SystemExit as end:  # --help and --version
            code = end.code if isinstance(end.code, int) else 0
        sys.stdout.flush()
        return code
    except InputError as error:
        return _say(command, in_flags(str(error), argv), 2)
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

        then = "" if command.name else "lesson progress is saved; start rnnviz again; "
        return _say(command, report(error, then, to_log=kiosk.current() is not None), 1)


def _give_up(stream: TextIO) -> None:
    """Redirect the stream to /dev/null, so that Python's last flush of it does not fail."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(command: Command, argv: list[str]) -> int:
    archive = archive_around()
    if archive and not {"-h", "--help", "--version"} & set(argv):
        raise InputError(f"rnnviz cannot run inside an archive; install it: python -m pip install {archive}")
    if command.name in (*kiosk.COMMANDS, "map"):  # those that open the app
        one_thread()
    options = read(argv, command)
    kiosk.enter(command.name, options.values)
    return command(options)


def _say(command: Command, message: str, code: int) -> int:
    line = one_line(message)
    try:
        print(f"{f'rnnviz {command.name}'.strip()}: {line}", file=sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):
        _give_up(sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
