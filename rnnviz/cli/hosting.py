"""The process that has imported what every session needs, and forks one for each client (attach.py): `rnnviz host`.

A session then takes no time for imports, and shares the memory of what is imported with all others. The host reads
nothing of what a client sends: it asks the kernel who has connected and forks; the child gives up every right that is
not that user's (hosted.py), and only then reads. The host has one thread, because a fork copies no other.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import pkgutil
import selectors
import signal
import socket
import stat
import sys
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import rnnviz
from rnnviz import attach, files
from rnnviz.cli.surroundings import THREADS
from rnnviz.errors import InputError

BACKLOG = 1024  # clients that may wait while one is being served
FIRST_PASSED = 3  # systemd passes its sockets from this descriptor on

#: What sessions import before or behind their first picture.
PRELOADED = (
    *(f"rnnviz.{room}." for room in ("tasks", "views", "words", "player", "lessons", "charts", "tui")),
    *(f"rnnviz.cli.{command}" for command in ("app", "lessons", "main", "hosted")),
)
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
OF_ALL, OF_OWNER = (0o755, 0o666), (0o700, 0o600)  # rights of the folder and of the socket


def serve(place: str | None, most: int, each: int | None) -> None:
    """Serve until SIGTERM or ctrl+c. The sessions that run then go on: each belongs to its client."""
    if os.geteuid() == 0:
        _require_trusted_code()
    with _listener(place) as listener:
        preload()  # clients that connect meanwhile wait
        flags = "" if place is None else f" --socket {os.path.abspath(place)}"
        print(f"a session: {sys.executable} -IS {attach.__file__}{flags} [flags of rnnviz]", flush=True)
        Host(listener, most, each).serve()


def _require_trusted_code() -> None:
    """Raises InputError if another user could change what root is about to run for everybody."""
    for module in (rnnviz, os):
        folder = Path(str(module.__file__)).parent
        try:
            files.trusted(folder)
        except OSError as error:
            raise InputError(f"root can start a host only of code that root alone can write: {error.filename}: "
                             f"{error.strerror}") from None  # fmt: skip


# -- what is shared --------------------------------------------------------------------------------------


def preload() -> None:
    """Import what a session needs up to its first steps, and load the compiled kernels."""
    os.environ[THREADS[0]] = "1"  # a fork would have none of the others
    import numpy.fft
    import numpy.random  # noqa: F401
    from rich.cells import cell_len

    for module in pkgutil.walk_packages(rnnviz.__path__, "rnnviz."):
        if module.name.startswith(PRELOADED):
            import_module(module.name)
    from rnnviz.charts import plotext_private
    from rnnviz.nn import compiler, compiler_errors, kernel_cache, loading
    from rnnviz.nn.spec import CELLS

    plotext_private.load()
    cell_len("∂")  # loads the table of widths
    kernels = [(cell, "float64") for cell in CELLS]
    try:
        if any(kernel_cache.cached(*kernel) is None for kernel in kernels):
            print("compiling the kernels, once for all sessions …", flush=True)
        loading.load(kernels)
    except compiler.CompilerError as error:  # NumPy computes; a session tries again
        compiler_errors.keep(error)
        print(compiler_errors.UNAVAILABLE, file=sys.stderr, flush=True)
    kernel_cache.cache_directory.cache_clear()  # each session has its own
    gc.collect()
    gc.freeze()  # a session's collector does not write to the objects of the host, so that they stay shared


# -- the socket ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _listener(place: str | None) -> Iterator[socket.socket]:
    """The socket that clients connect to: systemd's, or one at `place`. Raises InputError."""
    if os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1":
        with socket.socket(fileno=FIRST_PASSED) as passed:
            yield passed
        return
    path = Path(place or _default())
    of_folder, of_socket = OF_ALL if os.geteuid() == 0 else OF_OWNER
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            if not path.parent.is_dir():
                above = next(place for place in path.parent.parents if place.is_dir())
                files.make_folder(files.trusted(above, above=True) / path.parent.relative_to(above), of_folder)
            # where others can write, they could put a socket of theirs in its place, or turn a link on the way
            path = files.trusted(path.parent) / path.name
            _remove_stale(path)
            listener.bind(str(path))
            os.chmod(path, of_socket)
        except OSError as error:
            raise InputError(f"--socket: {error.filename or path}: {error.strerror or error}") from None
        listener.listen(BACKLOG)
        made = os.stat(path).st_ino
        try:
            yield listener
        finally:
            with contextlib.suppress(OSError):
                if os.stat(path).st_ino == made:
                    os.unlink(path)


def _default() -> str:
    places = attach.places(os.geteuid())
    if os.geteuid() == 0:
        return places[0]
    if len(places) == 1:
        raise InputError("--socket: XDG_RUNTIME_DIR is not set; name a path in a folder that only you can write")
    return places[1]


def _remove_stale(path: Path) -> None:
    """Remove the socket of a host that has ended without doing so. Raises OSError if one still listens."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise OSError(errno.EEXIST, "it is a file, not a socket", str(path))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
            if trial.connect_ex(str(path)) == 0:
                raise OSError(errno.EADDRINUSE, "another host listens there", str(path))
        os.unlink(path)


# -- serving ---------------------------------------------------------------------------------------------


class Host:
    """most  sessions at once; each: of one account"""

    def __init__(self, listener: socket.socket, most: int, each: int | None) -> None:
        self._listener, self._most, self._each = listener, most, each
        self._sessions: dict[int, int] = {}  # process: user
        self._reader, self._writer = socket.socketpair()
        self._waiting = selectors.DefaultSelector()

    def serve(self) -> None:
        for end in (self._reader, self._writer, self._listener):
            end.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, *ENDING):
            signal.signal(number, lambda *_: None)
        for end in (self._reader, self._listener):
            self._waiting.register(end, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in self._waiting.select()}
            if self._reader in ready and set(self._reader.recv(4096)) & set(ENDING):
                return
            self._forget_the_ended()
            if self._listener in ready:
                with contextlib.suppress(OSError):  # it has gone again, or there are too many descriptors or processes
                    self._accept()

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            _, uid, gid = attach.credentials(connection)
            reason = self._refusal(uid)
            if reason:
                connection.setblocking(False)
                connection.send(attach.packed(attach.REFUSED, reason.encode()))
                return
            pid = os.fork()
            if pid == 0:
                self._be_session(connection, uid, gid)
            self._sessions[pid] = uid

    def _be_session(self, connection: socket.socket, uid: int, gid: int) -> None:
        """In the child; does not return."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            self._waiting.close()
            for end in (self._reader, self._writer, self._listener):
                end.close()
            connection.setblocking(True)
            from rnnviz.cli import hosted  # it imports the app's main, which imports this

            code = hosted.run(connection, uid, gid)
        except OSError as error:
            print(f"rnnviz host: a session of user {uid}: {error}", file=sys.stderr, flush=True)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def _refusal(self, uid: int) -> str:
        """Why this user gets no session now; "" if he does."""
        if os.geteuid() not in (0, uid):
            return "this host belongs to another user"
        if len(self._sessions) >= self._most:
            return f"all sessions of this host are in use ({self._most} of {self._most}); try again later"
        if self._each is not None and sum(one == uid for one in self._sessions.values()) >= self._each:
            return f"all your sessions are in use ({self._each} of {self._each}); end one of them first"
        return ""

    def _forget_the_ended(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                self._sessions.pop(pid, None)
