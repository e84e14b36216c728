"""Recording: the records of a user's training, read from a folder.

    >>> recording = Recording.open("runs/lstm")
    >>> record = recording[-1]
    >>> record.step, record.loss, record.layers
    (1200, 0.25, ('encoder.lstm',))
    >>> record.trace("encoder.lstm", sample=0).grad_h          # (T+1, 1, H): the total dL/dh_t

Only names are read at first, so a folder of thousands of records opens at once; a record is read when it is asked for,
and not kept by the recording. The folder may grow meanwhile: refresh() sees what is new.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, overload

from rnnviz.errors import InputError, short_repr
from rnnviz.nn.trace import Trace
from rnnviz.recordings import marker, passes, store
from rnnviz.recordings.layer_record import LayerRecord

Read = TypeVar("Read")


class Record:
    """The layers of a network at one step of its training. Reads its file when something of it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        step = store.step_of(path.name)
        assert step is not None
        self.step: int = step  #: the number of the training step
        self._last: dict[int, LayerRecord] = {}  # the layer read last, by its number
        self._agreements: dict[int, float | None] = {}

    def __repr__(self) -> str:
        return f"<Record: step {self.step}, {self.path}>"

    @cached_property
    def _header(self) -> store.Header:
        return _read(self.path, lambda: store.read_header(self.path))

    @property
    def loss(self) -> float | None:
        """The loss of the step; None if it was not recorded."""
        return self._header.loss

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers."""
        return tuple(layer["name"] for layer in self._header.layers)

    @property
    def extra(self) -> Mapping[str, Any]:
        """What else was recorded: learning rate, norm of the gradient, and so on."""
        return self._header.extra

    def layer(self, name: str | None = None) -> LayerRecord:
        """Read a layer; None: the first. Raises InputError for an unknown name or a broken file."""
        return self._layer(self._number(name))

    def agreement(self, name: str | None = None) -> float | None:
        """The largest relative difference between our weight gradients and the framework's: as measured when it was
        recorded, or else from the record. None if neither is possible. See passes.agreement."""
        number = self._number(name)
        measured: float | None = self._header.layers[number]["agreement"]
        return self._measured(number) if measured is None else measured

    def is_proved(self, name: str | None = None) -> bool:
        """Whether the agreement is within rounding errors (passes.PROVED). A record that is not proved may be wrong."""
        prefix = f"{self._number(name)}.weights."
        dtypes = {store.dtype_of(entry).name for key, entry in self._header.entries.items() if key.startswith(prefix)}
        return passes.proves(self.agreement(name), dtypes)

    def notes(self, name: str | None = None) -> tuple[str, ...]:
        """Why the record may differ from what the framework computed."""
        notes: tuple[str, ...] = self._header.layers[self._number(name)]["notes"]
        return notes

    def trace(self, name: str | None = None, sample: int = 0, level: int = -1, direction: str = "forward") -> Trace:
        """The trace of one sequence at one level in one direction; see passes.trace_of."""
        return passes.trace_of(self.layer(name), sample, level, direction)

    # -- inside --------------------------------------------------------------------------------------

    def _number(self, name: str | None) -> int:
        names = self.layers
        if name is None and names:
            return 0
        if name not in names:
            raise InputError(
                f"layer: {short_repr(name)} is not in {self.path}; choose from {', '.join(names) or 'none'}"
            )
        return names.index(name)

    def _layer(self, number: int) -> LayerRecord:
        if number not in self._last:
            layer = _read(self.path, lambda: store.read_layer(self.path, number))
            self._last.clear()
            self._last[number] = layer
        return self._last[number]

    def _measured(self, number: int) -> float | None:
        if number not in self._agreements:
            self._agreements[number] = passes.agreement(self._layer(number))
        return self._agreements[number]


class Recording(Sequence[Record]):
    """The records of a folder, by step.

    path   the folder
    about  what the recorder was given about the training
    note   why the recording ended early, for instance a full disk; "" if it did not
    """

    def __init__(self, path: Path, names: tuple[str, ...], known: marker.Marker) -> None:
        self.path = path
        self._names, self._marker = names, known

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Recording:
        """Raises InputError if the folder is not a recording, is from a newer rnnviz, or cannot be read."""
        folder = Path(path)
        names, known = _listing(folder)
        if known is None:
            if not names:
                raise InputError(
                    f"{folder}: is no recording; rnnviz.watch and rnnviz.Recorder make one; --data reads your own data"
                )
            known = marker.Marker()
        return cls(folder, names, known)

    def refresh(self) -> bool:
        """Look at the folder again. Returns whether records or notes have come or gone; those that have gone made room
        for others, or were deleted by hand. Raises InputError as `open` does."""
        names, known = _listing(self.path)
        before = self._names, self._marker
        self._names, self._marker = names, known or marker.Marker()
        return before != (self._names, self._marker)

    @property
    def steps(self) -> tuple[int, ...]:
        """The step of each record. Reads no file."""
        return tuple(step for name in self._names if (step := store.step_of(name)) is not None)

    @property
    def about(self) -> Mapping[str, Any]:
        return self._marker.about

    @property
    def note(self) -> str:
        return self._marker.note

    def __repr__(self) -> str:
        return f"<Recording: {len(self)} records, {self.path}>"

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Record, ...]: ...
    def __getitem__(self, index: int | slice) -> Record | tuple[Record, ...]:
        if isinstance(index, slice):
            return tuple(Record(self.path / name) for name in self._names[index])
        return Record(self.path / self._names[index])


def _listing(folder: Path) -> tuple[tuple[str, ...], marker.Marker | None]:
    """The names of the records' files by step, and the marker if there is one."""
    try:
        found = [(step, name) for name in os.listdir(folder) if (step := store.step_of(name)) is not None]
        known = marker.read(folder)
    except (OSError, ValueError) as error:  # a zero byte in the path
        if isinstance(error, InputError):
            raise
        raise InputError(f"{folder}: {getattr(error, 'strerror', None) or error}") from None
    return tuple(name for _, name in sorted(found)), known


def _read(path: Path, read: Callable[[], Read]) -> Read:
    try:
        return read()
    except FileNotFoundError:
        raise InputError(
            f"{path}: is gone; a recording that is full drops every second record; call refresh()"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
