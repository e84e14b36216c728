"""Recorder: writes a recording, one file a record.

    >>> with Recorder("runs/lstm", limit="1 GB", about={"model": "names"}) as recorder:
    ...     for step in range(1000):
    ...         ...
    ...         recorder.add(step=step, loss=loss, layers={"lstm": LayerRecord(cell="lstm", …)})

A record is written under a name that no reader looks at, and renamed when it is whole. So a reader or rsync never sees
half of one, whenever the writer is killed. The disk itself has all records but those of the last second, which a power
cut may cost.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from rnnviz import files
from rnnviz.errors import InputError, short_repr
from rnnviz.nn.spec import whole_number
from rnnviz.recordings import marker, store
from rnnviz.recordings.layer_record import LayerRecord

_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*([A-Za-z]+)\s*\Z")
_LOCK = ".lock"
_WRITING = ".writing-"
#: Files that a writer left half written are removed when they are so many seconds old: on this machine, where one sees
#: whether the writer still runs; on another, where one does not.
_OURS_OLD, _OTHERS_OLD = 60, 24 * 3600
#: Waiting for the disk takes as long as a small training step, so it is done once in so many seconds.
_SYNC_SECONDS = 1.0
#: Parts of a file that are given to the system at once; it takes 1,024 at most.
_PARTS = 512
_FOLDER_MODE, _FILE_MODE = 0o777, 0o666


class Recorder:
    """Writes records to a folder.

    path    the folder; made if it is not there
    limit   the most bytes that it may take: "1 GB", "200 MB", or a number. When it is full every second record is
            deleted, and from then on only every second one is written, so that the records still cover the whole
            training
    append  whether to add to a recording that is already there; several processes may do so at once
    about   what to remember about the training: texts and numbers by name

    Raises InputError for a folder that holds a recording, unless `append`; for one that holds something else; for one
    that cannot be written; and for a limit that is no size.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        limit: str | int = "1 GB",
        append: bool = False,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = Path(path)
        self._folder = str(self.path)
        self.limit = size(limit)
        self._about = dict(about or {})
        self._stopped = ""
        self._writer = (
            f"{os.getpid()}.{re.sub(r'[^A-Za-z0-9]', '', os.uname().nodename if hasattr(os, 'uname') else '')}"
        )
        self._added = 0
        self._latest: str | None = None  # the file written last
        self._bytes = self._since = 0
        self._synced = -_SYNC_SECONDS
        self._kept: tuple[tuple[int, ...], int] | None = None  # state of the marker's file, what it says
        try:
            self._enter(append)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be written: {error.strerror or error}") from None
        except ValueError as error:  # a zero byte in the path
            if isinstance(error, InputError):
                raise
            raise InputError(f"{short_repr(str(self.path))}: {error}") from None

    def _enter(self, append: bool) -> None:
        os.makedirs(self.path, _FOLDER_MODE, exist_ok=True)
        names = os.listdir(self.path)
        known = marker.read(self.path)
        records = any(store.step_of(name) is not None for name in names)
        if (known or records) and not append:
            raise InputError(
                f"{self.path}: already holds a recording; choose another folder, or append=True adds to it"
            )
        if not (known or records) and any(not name.startswith(".") for name in names):
            raise InputError(f"{self.path}: holds other files; choose a new folder for the recording")
        if known is None:
            marker.write(self.path, marker.Marker(self._about))
        elif known.note or not self._about.items() <= known.about.items():
            marker.write(self.path, replace(known, about={**known.about, **self._about}, note=""))
        self._remove_leftovers(names)
        self._scan()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write no more. Readers see a record as soon as `add` returns, so nothing is lost without it."""
        self._stopped = self._stopped or "closed"

    @property
    def stopped(self) -> str:
        """Why nothing is written any more: "closed", or what went wrong; "" while recording."""
        return self._stopped

    def next_is_kept(self) -> bool:
        """Whether the next record would be written. If not, `add` needs no layers: it only counts."""
        return not self._stopped and self._added % self._kept_every() == 0

    def add(
        self,
        *,
        step: int,
        loss: float | None = None,
        layers: Mapping[str, LayerRecord] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> bool:
        """Write a record. Returns whether it was written.

        step    the number of the training step, 0 or more; records are read in this order
        loss    nan and inf are allowed
        layers  by name
        extra   other numbers or texts of this step: learning rate, norm of the gradient, …

        Raises InputError for arguments that are none of these, and after `close`. If the disk is full, or cannot be
        written for another reason, recording ends, with one line on stderr and a note for the reader, and the
        training continues.
        """
        if self._stopped == "closed":
            raise InputError("recorder: it is closed")
        step = whole_number("step", step, low=0, high=10**store.DIGITS - 1)
        layers, extra = {} if layers is None else layers, {} if extra is None else extra
        for what, given in (("layers", layers), ("extra", extra)):
            if not isinstance(given, Mapping):
                raise InputError(f"{what}: {short_repr(given)} is not a dict by name")
        for name, layer in layers.items():
            if not isinstance(name, str) or not isinstance(layer, LayerRecord):
                raise InputError(f"layers: {short_repr(name)}: {short_repr(layer)} is not a LayerRecord under a name")
        number, is_kept = self._added, self.next_is_kept()
        self._added += 1
        if not is_kept:
            return False
        content = store.encode(step, loss, layers, extra)
        try:
            return self._write(step, number, content)
        except (OSError, InputError) as error:  # InputError: recording.json has been damaged meanwhile
            self._stop(str(getattr(error, "strerror", None) or error), step)
            return False

    def replace_last(
        self,
        *,
        step: int,
        loss: float | None = None,
        layers: Mapping[str, LayerRecord] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> bool:
        """Write the record that was written last once more, with more known about it: it is replaced as a whole, so
        that a reader sees the one or the other. Returns whether it was; not if it has made room for others."""
        if self._stopped or self._latest is None or store.step_of(self._latest) != step:
            return False
        try:
            if not os.path.exists(os.path.join(self._folder, self._latest)):
                return False
            self._put(self._latest, store.encode(step, loss, layers or {}, extra or {}), is_due=True)
        except (OSError, InputError):  # what was written before is still there
            return False
        return True

    # -- inside --------------------------------------------------------------------------------------

    def _write(self, step: int, count: int, content: list[memoryview]) -> bool:
        size = sum(map(len, content))
        if size > self.limit:
            self._stop(f"a record takes {size:,} bytes, more than the limit of {self.limit:,}", step)
            return False
        if self._since * 4 >= self.limit - self._bytes:  # others may write, too
            self._scan()
        if self._bytes + size > self.limit:
            self._thin(size)
            if count % self._kept_every() or self._bytes + size > self.limit:
                return False
        name = store.file_name(step, secrets.token_hex(4))
        is_due = time.monotonic() - self._synced >= _SYNC_SECONDS
        self._put(name, content, is_due)
        if is_due:
            _sync_folder(self.path)
            self._synced = time.monotonic()
        self._latest = name
        self._bytes += size
        self._since += size
        return True

    def _put(self, name: str, content: list[memoryview], is_due: bool) -> None:
        """Write a file that appears when it is whole. is_due: wait until the disk has it."""
        hidden = os.path.join(self._folder, f"{_WRITING}{self._writer}-{name}")
        try:
            number = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), _FILE_MODE)
            try:
                _write_all(number, content)
                if is_due:
                    os.fsync(number)
            finally:
                os.close(number)
            os.replace(hidden, os.path.join(self._folder, name))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(hidden)
            raise

    def _stop(self, reason: str, step: int) -> None:
        """End recording, not training."""
        self._stopped = reason
        note = f"Recording ended at step {step}: {reason}."
        with contextlib.suppress(OSError, ValueError):  # stderr may be gone
            print(f"rnnviz: {self.path}: {note} The training continues.", file=sys.stderr)
        with contextlib.suppress(OSError, InputError), self._alone():
            known = marker.read(self.path) or marker.Marker(self._about)
            marker.write(self.path, replace(known, note=note))

    def _kept_every(self) -> int:
        """Which part of the records is kept: another process may have changed it."""
        try:
            state = os.stat(os.path.join(self._folder, marker.NAME))
            seen = (state.st_ino, state.st_mtime_ns, state.st_size)
            if self._kept is None or self._kept[0] != seen:
                known = marker.read(self.path)
                self._kept = seen, known.kept_every if known else 1
        except (OSError, InputError):
            return 1
        return self._kept[1]

    def _scan(self) -> None:
        self._bytes, self._since = sum(count for _, count in self._records()), 0

    def _records(self) -> list[tuple[str, int]]:
        """The records' files in order, and their bytes."""
        found = []
        with os.scandir(self.path) as entries:
            for entry in entries:
                step = store.step_of(entry.name)
                if step is not None:
                    with contextlib.suppress(FileNotFoundError):  # another process makes room as well
                        found.append((step, entry.name, entry.stat(follow_symlinks=False).st_size))
        return [(name, count) for _, name, count in sorted(found)]

    def _thin(self, needed: int) -> None:
        """Delete every second record until there is room or one is left; from then on keep as few."""
        with self._alone():
            records, halved = self._records(), 0
            while sum(count for _, count in records) + needed > self.limit:
                halved += 1
                for name, _ in records[1::2]:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(self.path / name)
                if len(records) < 2:
                    break
                records = records[::2]
            if halved:
                known = marker.read(self.path) or marker.Marker(self._about)
                marker.write(self.path, replace(known, kept_every=known.kept_every * 2**halved))
            self._scan()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other recorder changes what is kept."""
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):  # another user's lock
                stack.enter_context(files.locked(self.path / _LOCK, seconds=5))
            yield

    def _remove_leftovers(self, names: list[str]) -> None:
        """Files of writers that were killed."""
        for name in names:
            if name.startswith(_WRITING):
                with contextlib.suppress(OSError, ValueError):
                    pid, _, host = name.removeprefix(_WRITING).partition("-")[0].partition(".")
                    age = time.time() - os.lstat(self.path / name).st_mtime
                    here = host == self._writer.partition(".")[2]
                    if age > _OTHERS_OLD or (here and age > _OURS_OLD and not _runs(int(pid))):
                        os.unlink(self.path / name)


def _write_all(file: int, content: list[memoryview]) -> None:
    """Where the system can, in one call for all parts: another thread runs meanwhile, and nothing is copied."""
    waiting = content[::-1]
    while waiting:
        most = waiting[: -_PARTS - 1 : -1]
        written = os.writev(file, most) if hasattr(os, "writev") else os.write(file, most[0])
        while waiting and written >= len(waiting[-1]):
            written -= len(waiting.pop())
        if written:
            waiting[-1] = waiting[-1][written:]


def size(limit: str | int) -> int:
    """The number of bytes in "1 GB", "500 MB" or a number. Raises InputError."""
    if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0:
        return limit
    match = _SIZE.match(limit) if isinstance(limit, str) else None
    count = int(float(match[1]) * _UNITS.get(match[2].upper(), 0)) if match else 0
    if count < 1:
        raise InputError(f'limit: {short_repr(limit)} is not a size, like "1 GB", "500 MB" or a number of bytes')
    return count


def _runs(pid: int) -> bool:
    """Whether a process of this number is running. On Windows it may be: signal 0 is Ctrl+C there."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _sync_folder(folder: Path) -> None:
    """Let the new name survive a power cut, where the system can do that."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
