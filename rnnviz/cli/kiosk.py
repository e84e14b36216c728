"""`rnnviz --kiosk`: what its command line may ask for, and the wall around its process.

    rnnviz --kiosk            the command line is the teacher's (ForceCommand, a unit): it may name lessons, an
                              experiment file, and where progress goes
    RNNVIZ_KIOSK=1 rnnviz     the command line may be anyone's (a container's arguments, a menu): it names no file

The wall holds whatever is behind it, to the end of the process: the environment is cleaned, no program is started, no
connection is made, and no file is written outside the learner's folder. It is an audit hook (PEP 578): Python asks it
before each of these, and it cannot be taken away.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.kiosk import Kiosk, learner_folder
from rnnviz.nn.spec import READOUTS

VARIABLE = "RNNVIZ_KIOSK"
LARGEST_FILE = 16_000_000  # bytes that a kiosk may write into one file: progress is smaller
#: The commands that a kiosk has, by their names; "" is the app.
COMMANDS = ("", "lesson", "play", "read")
#: Arguments that open a file of someone's own.
_OWN_FILES = ("data", "source", "beside", "record", "layer", "level", "direction", "readout")
#: Arguments that name a file, a folder or a person, which is for the teacher to do.
_TEACHERS = ("file", "experiment", "lessons", "progress", "learner")

#: The environment that stays; everything else goes. HOME comes from the account, not from the environment.
KEPT = (
    "TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "LANG", "LC_ALL", "LC_CTYPE", "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION", "LC_TERMINAL", "COLORFGBG", "TMUX", "STY", "SSH_CONNECTION", "SSH_TTY", "NUMBA_CACHE_DIR",
)  # fmt: skip
#: One thread for each product of NumPy's: the processors are for all learners.
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

_kiosk: Kiosk | None = None


def current() -> Kiosk | None:
    """The kiosk that this process has become; None if it has not."""
    return _kiosk


def is_forced(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment makes this a kiosk, whatever the command line says."""
    return environ.get(VARIABLE, "") not in ("", "0")


def check(command: str, given: Mapping[str, Any]) -> None:
    """Refuse what a kiosk does not do, before any file is read. given: the parsed arguments, by their keys. Raises
    InputError."""
    forced = is_forced()
    if command not in COMMANDS:
        if forced:
            raise InputError("this is a kiosk (RNNVIZ_KIOSK is set): it opens the app alone")
        return
    if not (forced or given.get("kiosk")):
        for name in ("learner", "progress", "idle"):
            if given.get(name) is not None:
                raise InputError(f"{name}: only a kiosk has this; add --kiosk")
        return
    if ".py" in (given.get("cell") or ""):
        raise InputError("cell: a kiosk runs no file; choose one of its cells")
    if given.get("watch"):
        raise InputError("watch: a kiosk does not read a lesson again; leave --watch out")
    for name in _OWN_FILES:
        if given.get(name) is not None and not (name == "readout" and given[name] in READOUTS):
            raise InputError(f"{name}: a kiosk opens lessons and experiments, no data, recordings or weights")
    word = given.get("file")
    if word is not None and not word.endswith(".toml"):
        raise InputError(f"{short_repr(word)}: a kiosk opens lessons and experiments, no data, recordings or weights")
    for name in _TEACHERS:
        if forced and given.get(name) is not None:
            what = short_repr(given[name]) if name in ("file", "experiment") else name
            raise InputError(f"{what}: not with RNNVIZ_KIOSK in the environment; use rnnviz --kiosk for this")
    if given.get("progress") is not None and given.get("learner") is None:
        raise InputError("progress: needs a learner; add --learner NAME")


def enter(command: str, values: Mapping[str, Any]) -> None:
    """Make this process a kiosk if the command line or the environment asks for one. There is no way back. Raises
    InputError for a learner's folder that cannot be used."""
    global _kiosk
    if _kiosk is not None or command not in COMMANDS or not (values["kiosk"] or is_forced()):
        return
    _clean(os.environ)
    name, idle = values["learner"], values["idle"]
    folder = None if name is None else learner_folder(name, values["progress"])
    _kiosk = Kiosk(folder) if idle is None else Kiosk(folder, idle=60 * idle)
    sys.dont_write_bytecode = True
    if hasattr(signal, "SIGTSTP"):
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # ctrl+z in lines of text; the app reads it as a key
    _limit(_kiosk)
    sys.addaudithook(_Wall(folder))


def _clean(environ: Any) -> None:
    """Drop what is not KEPT: a client or a profile may have set anything."""
    kept = {name: environ[name] for name in KEPT if name in environ}
    home = _home() or environ.get("HOME")
    environ.clear()
    environ.update(kept)
    environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    environ["PATH"] = os.defpath
    if home:
        environ["HOME"] = home


def _home() -> str | None:
    """The home folder of the account."""
    with contextlib.suppress(ImportError, KeyError, AttributeError):  # Windows; a container's nameless user
        import pwd

        return pwd.getpwuid(os.getuid()).pw_dir
    return None


def _limit(kiosk: Kiosk) -> None:
    """What the kernel sees to: memory of its own, no core dump, no large file."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, most in (("RLIMIT_DATA", kiosk.memory), ("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", LARGEST_FILE)):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # a system without it, or a lower limit already
            resource.setrlimit(getattr(resource, name), (most, most))


def _terminals() -> list[str]:
    """The names of this session's terminal."""
    found = []
    for number in range(3):
        with contextlib.suppress(OSError, AttributeError):
            found.append(os.ttyname(number))
    return found


class _Wall:
    """The audit hook. folder: the only one in which files may be written."""

    _NEVER = frozenset(
        {
            "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "pty.spawn",
            "subprocess.Popen", "webbrowser.open", "socket.bind", "socket.connect", "socket.sendto", "ftplib.connect",
        }
    )  # fmt: skip
    _WITH_PATHS: Mapping[str, int] = {  # how many of the first arguments are paths that would change
        "os.chmod": 1, "os.chown": 1, "os.link": 2, "os.mkdir": 1, "os.remove": 1, "os.removexattr": 1, "os.rename": 2,
        "os.rmdir": 1, "os.setxattr": 1, "os.symlink": 2, "os.truncate": 1, "os.utime": 1,
    }  # fmt: skip
    _WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else os.path.realpath(folder)
        self._devices = {os.devnull, "/dev/tty", *_terminals()}

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = any(letter in mode for letter in "wax+") if mode else bool(flags & self._WRITES)
            if writes:
                self._check(path)
        elif event in self._WITH_PATHS:
            for path in arguments[: self._WITH_PATHS[event]]:
                self._check(path)
        elif event in self._NEVER:
            raise PermissionError(errno.EPERM, "a kiosk starts no program and makes no connection", event)

    def _check(self, path: Any) -> None:
        if isinstance(path, int):  # open already
            return
        name = os.path.abspath(os.fsdecode(path))
        if name in self._devices:
            return
        real = os.path.join(os.path.realpath(os.path.dirname(name)), os.path.basename(name))
        if self._folder is None or os.path.commonpath([real, self._folder]) != self._folder:
            raise PermissionError(errno.EPERM, "a kiosk writes no file here", name)
