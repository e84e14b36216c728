"""What a lesson shows that is in a file: a recording, a file of weights, data. The file is beside the lesson, or below
that. Nothing in it is run.

>>> recording(Path("course"), "recordings/forgets")
>>> recording(Path("course"), {"folder": "mine", "layer": "encoder.lstm", "level": 0})
>>> weights(Path("course"), {"file": "networks/mine.safetensors", "data": {"task": "recall", "lag": 20}})
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.experiment.experiment_file import PATHS, in_folder, without_own_cell
from rnnviz.experiment.setting import meant
from rnnviz.player.kinds.opening import BACKWARD, FORWARD, NetworkOpening, Opening

LARGEST = 50_000_000  # bytes of a record, or of a file of weights: one is in memory at a time
MOST_RECORDS = 1_000
OTHER_FILES = 10  # recording.json, and what an editor or a file browser leaves
_RECORDING = 'write recording = "my-training", or { folder = "my-training", layer = "encoder.lstm" }'
_WEIGHTS = 'write weights = "model.safetensors", or { file = "model.safetensors", layer = "encoder.lstm" }'


def recording(course: Path, given: Any) -> Opening:
    """What a lesson of this folder writes after `recording =`. Raises InputError for anything else than a recording of
    a lesson's size inside the folder."""
    table = _table("recording", given, "folder", ("layer", "level", "direction"), _RECORDING)
    return Opening(str(_folder(course, table["folder"])), **_part(table), is_of_lesson=True)


def weights(course: Path, given: Any) -> NetworkOpening:
    """What a lesson of this folder writes after `weights =`. Raises InputError for anything else than a file of a
    lesson's size inside the folder; what it contains is read when it is shown."""
    more = ("layer", "level", "direction", "readout", "activation", "data")
    table = _table("weights", given, "file", more, _WEIGHTS)
    return NetworkOpening(
        str(_file(course, table["file"])), **_part(table), readout=_text(table, "readout"),
        activation=_text(table, "activation"), data=_data(course, table.get("data")), is_of_lesson=True,
    )  # fmt: skip


#: name of a command -> what it opens
OPENINGS: Mapping[str, Callable[[Path, Any], Opening | NetworkOpening]] = {"recording": recording, "weights": weights}


def _table(name: str, given: Any, path: str, more: tuple[str, ...], remedy: str) -> Mapping[str, Any]:
    """A path alone, or a table with a path and more."""
    table = {path: given} if isinstance(given, str) else given
    if not isinstance(table, Mapping) or not isinstance(table.get(path), str) or not table[path].strip():
        raise InputError(f"{name}: {short_repr(given)} does not name a {path}; {remedy}")
    keys = (path, *more)
    for key in table:
        if key not in keys:
            close = get_close_matches(key, keys, n=1)
            raise InputError(
                f"{name}: unknown key {short_repr(key)}; "
                + (f"did you mean {close[0]}?" if close else f"keys: {', '.join(keys)}")
            )
    return table


def _text(table: Mapping[str, Any], name: str) -> str | None:
    value = table.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f'{name}: {short_repr(value)} is not a name; write {name} = "…"')
    return value


def _part(table: Mapping[str, Any]) -> dict[str, Any]:
    layer, level, direction = table.get("layer"), table.get("level"), table.get("direction", FORWARD)
    if layer is not None and not isinstance(layer, str):
        raise InputError(f'layer: {short_repr(layer)} is not a name; write layer = "encoder.lstm"')
    if level is not None and (isinstance(level, bool) or not isinstance(level, int) or level < 0):
        raise InputError(f"level: {short_repr(level)} is not a level; the bottom one is 0")
    if direction not in (FORWARD, BACKWARD):
        raise InputError(f'direction: {short_repr(direction)} is not a direction; use "{FORWARD}" or "{BACKWARD}"')
    return dict(layer=layer, level=level, direction=direction)


def _data(course: Path, given: Any) -> Experiment | None:
    """The settings of the sequences that a network reads."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise InputError(f'data: {short_repr(given)} is not a table of settings; write data = {{ task = "names" }}')
    for key in given:
        if key not in SETTINGS:
            close = meant(key, SETTINGS)
            hint = f"did you mean {close}?" if close else "rnnviz --help lists them"
            raise InputError(f"data: unknown setting {short_repr(key)}; {hint}")
    return Experiment(**with_own_files(course, without_own_cell(given)))


def with_own_files(course: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a lesson in this folder, with the full paths of files. Raises InputError for a file outside."""
    for name in PATHS:
        path = settings.get(name)
        if isinstance(path, str):
            if path.startswith("~"):
                raise InputError(f"{name}: {short_repr(path)} is not inside this lesson's folder; copy it there")
            with _reading(name, path):
                _resolved(course, path, name)
    return in_folder(course, settings)


@contextmanager
def _reading(what: str, name: str) -> Iterator[None]:
    """Say in one line what is wrong with a name of a file or folder, or with the place that it leads to."""
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError) as error:  # ValueError: a zero byte; RuntimeError: links in a circle
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{what}: {short_repr(name)} cannot be read: {reason}") from None


def _resolved(course: Path, name: str, what: str) -> Path:
    root = course.resolve()
    place = (root / name).resolve()
    if root not in place.parents:
        raise InputError(f"{what}: {short_repr(name)} is not inside this lesson's folder; copy it there")
    return place


def _file(course: Path, name: str) -> Path:
    """The file of weights, if it is one of the course's own and of a lesson's size. Links are followed first."""
    here = short_repr(name)
    with _reading("weights", name):
        file = _resolved(course, name, "weights")
        if not file.is_file():
            raise InputError(f"weights: there is no file {here} beside this lesson; check its name")
        size = file.stat().st_size
    if size > LARGEST:
        what = f"weights: {here} takes {size / 1e6:,.0f} MB; the limit for a lesson is"
        raise InputError(f"{what} {LARGEST / 1e6:.0f}; save a smaller network")
    return file


def _folder(course: Path, name: str) -> Path:
    """The folder, if it is one of the course's own and of a lesson's size. Links are followed first."""
    here = short_repr(name)
    with _reading("recording", name):
        folder = _resolved(course, name, "recording")
        if not folder.is_dir():
            raise InputError(f"recording: there is no folder {here} beside this lesson; check its name")
        files = list(islice(folder.iterdir(), MOST_RECORDS + OTHER_FILES + 1))
        for file in files:
            if folder not in file.resolve().parents:
                what = f"recording: {short_repr(file.name)} in {here} is a link out of that folder"
                raise InputError(f"{what}; copy the file there")
        largest = max((file.stat().st_size for file in files), default=0)
    if len(files) > MOST_RECORDS + OTHER_FILES:
        raise InputError(f"recording: {here} has more than {MOST_RECORDS:,} records; delete some of its files")
    if largest > LARGEST:
        what = f"recording: a record of {here} takes {largest / 1e6:,.0f} MB; the limit for a lesson is"
        raise InputError(f"{what} {LARGEST / 1e6:.0f}; record fewer sequences, or a smaller network")
    return folder
