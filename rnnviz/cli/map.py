"""`rnnviz map`: compute a map, go on with one, show one, put parts together."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from rnnviz.cli import map_face
from rnnviz.cli.command import Options
from rnnviz.cli.map_commands import MERGE, SHOW
from rnnviz.cli.map_report import as_json, report
from rnnviz.cli.output import Output, Progress, print_json
from rnnviz.cli.session_flags import colors, session
from rnnviz.errors import InputError
from rnnviz.maps.grid import GridSpec
from rnnviz.maps.make import fill, opened
from rnnviz.maps.point import Point
from rnnviz.maps.result import MapResult
from rnnviz.maps.run import shard_of
from rnnviz.maps.store import Store, merged
from rnnviz.numbers import counted


def run(options: Options) -> int:
    if options["json"] and options["csv"]:
        raise InputError("csv: and json are two forms; choose one")
    action, folders = options["action"], options["folders"] or []
    map_face.check_file(options)
    if action is None and folders:
        raise InputError(f"{folders[0]}: is an unexpected argument; rnnviz map show DIR shows a map, -o DIR makes one")
    if action is not None:
        _check_reading(options)
        store = _merged(folders) if action == MERGE else _read(folders)
        if action == SHOW and map_face.wants_screen(options):
            return map_face.watch(store, None, options)
    else:
        store = _opened(options)
        if map_face.wants_screen(options):
            return _watched(store, options)
        _compute(store, options)
    map_face.write_file(store, options)
    _print(store, options)
    return 0


def _print(store: Store, options: Options) -> None:
    found, out = MapResult.of(store), Output(colors(options))
    out.ascii = bool(session(options).ascii or out.ascii)
    if options["json"]:
        print_json(as_json(found))
    elif options["csv"]:
        print(found.to_csv(), end="", flush=True)
    elif options["plain"]:
        map_face.print_lines(out, store, options)
    else:
        report(out, found, lambda: map_face.print_picture(out, store, options))


def _check_reading(options: Options) -> None:
    """Raises InputError for what only the computing of a map has."""
    for name in ("x", "y", "o", "workers", "on", "shard"):
        if options[name] is not None:
            raise InputError(f"{name}: is of a map that is computed; {options['action']} reads what is there")
    if options["seeds"] != 1:
        raise InputError(f"seeds: is of a map that is computed; {options['action']} reads what is there")


def _read(folders: list[str]) -> Store:
    if len(folders) != 1:
        raise InputError("show: name one folder of a map: rnnviz map show DIR")
    return Store.read(folders[0])


def _merged(folders: list[str]) -> Store:
    if len(folders) < 2:
        raise InputError("merge: name the new folder and those that are put together: rnnviz map merge OUT IN…")
    store = merged(folders[0], folders[1:])
    store.close()
    return store


def _opened(options: Options) -> Store:
    """The map that is to be computed. Raises InputError."""
    base, *others = options.experiments
    if options["x"] is None:
        raise InputError("x: name a setting and its values, such as --x gain=0.25:2:8")
    cells = tuple(one.cell for one in (base, *others))
    spec = GridSpec(base, options["x"], options["y"], cells, options["seeds"])
    return opened(spec, options["o"], on=options["on"], say=_say)


def _watched(store: Store, options: Options) -> int:
    """Compute it behind the screen."""

    def work(on_point: Callable[[Point], None], is_cancelled: Callable[[], bool], say: Callable[[str], None]) -> None:
        fill(
            store, workers=options["workers"], on=options["on"], on_point=on_point, cancelled=is_cancelled, say=say
        )  # fmt: skip

    try:
        return map_face.watch(store, work, options)
    finally:
        store.close()


def _compute(store: Store, options: Options) -> None:
    """Compute what is missing, with a line on how far it is."""
    shard = options["shard"]
    wanted = list(store.spec.jobs()) if shard is None else shard_of(store.spec.jobs(), shard)
    progress = _Counted(store, len(wanted), len(wanted) - len(store.missing(wanted)))
    try:
        fill(store, workers=options["workers"], on=options["on"], shard=shard, on_point=progress, say=progress.say)
    except KeyboardInterrupt:
        progress.clear()
        where = "nothing is kept without -o DIR" if options["o"] is None else "the same command continues from here"
        raise KeyboardInterrupt(
            f"stopped: {progress.done:,} of {counted(len(wanted), 'point')} are done; {where}"
        ) from None
    finally:
        progress.clear()
        store.close()


def _say(text: str) -> None:
    print(f"rnnviz map: {text}", file=sys.stderr, flush=True)


class _Counted:
    """The progress line: how many points are done, how many learnt, and how long the rest takes."""

    def __init__(self, store: Store, total: int, done: int, now: Callable[[], float] = time.monotonic) -> None:
        self.done, self._before, self._total, self._now = done, done, total, now
        self._start = now()
        self._progress = Progress("map", total)
        self._learnt = sum(point.learnt for point in store)

    def __call__(self, point: Point) -> None:
        self.done += 1
        self._learnt += point.learnt
        left = (self._now() - self._start) / (self.done - self._before) * (self._total - self.done)
        self._progress(self.done, f"{self._learnt:,} learnt, {duration(left)} left")

    def say(self, text: str) -> None:
        """A line on standard error, where the progress line was."""
        self.clear()
        _say(text)

    def clear(self) -> None:
        self._progress.clear()


def duration(seconds: float) -> str:
    """A time in one or two units: 8 s, 3 min, 2 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


__all__: list[Any] = ["duration", "run"]
