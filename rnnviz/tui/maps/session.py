"""A map while its points come in: they are computed on a thread (by processes, mostly), and taken from there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Event, Thread

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.maps.chart import Chart
from rnnviz.maps.grid import Site
from rnnviz.maps.point import Point
from rnnviz.maps.store import Store
from rnnviz.maps.tally import Tally
from rnnviz.tui.maps.arrangement import Place

#: Computes what is missing: work(on_point, is_cancelled, say); say takes a line for a person. Raises InputError.
Work = Callable[[Callable[[Point], None], Callable[[], bool], Callable[[str], None]], None]


class MapSession:
    """store: the points that are there already. work: computes the others; None: the map is only looked at.
    name: what it is called, such as its folder. value: what its tiles show at first.

    All methods are for one thread, that of the screen."""

    def __init__(self, store: Store, work: Work | None = None, name: str = "", value: str = "share") -> None:
        self.spec, self.name, self.value = store.spec, name, value
        self.tally = Tally(store.spec)
        for point in store:
            self.tally.add(point)
        self.chart: Chart = self.tally.chart()
        self.error = ""  # why the work ended early
        self.note = ""  # what the work says meanwhile, such as of a cluster that is away
        self._work = work
        self._news: deque[Point] = deque()
        self._failure: BaseException | None = None
        self._stop = Event()
        self._thread: Thread | None = None
        self._since, self._done_then = 0.0, 0

    @property
    def total(self) -> int:
        return len(self.spec)

    @property
    def done(self) -> int:
        return self.tally.done

    @property
    def is_on(self) -> bool:
        return self._thread is not None

    @property
    def can_go_on(self) -> bool:
        return self._work is not None and not self.is_on and self.done < self.total

    @property
    def is_stopping(self) -> bool:
        return self.is_on and self._stop.is_set()

    @property
    def seconds_left(self) -> float | None:
        """None while it is unknown."""
        new = self.done - self._done_then
        return (time.monotonic() - self._since) / new * (self.total - self.done) if new else None

    def start(self) -> None:
        """Go on with what is missing."""
        if self.can_go_on:
            self.error, self.note, self._since, self._done_then = "", "", time.monotonic(), self.done
            self._stop.clear()
            self._thread = Thread(target=self._run, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ask the work to end; `poll` tells when it has."""
        self._stop.set()

    def finish(self, seconds: float) -> None:
        """Stop, wait for the processes to end, and take what they did."""
        self.stop()
        if self._thread is not None:
            self._thread.join(seconds)
        self.poll()

    def poll(self) -> bool:
        """Take the points that have come; whether anything has changed."""
        thread = self._thread
        is_over = thread is not None and not thread.is_alive()
        new = len(self._news)
        for _ in range(new):
            self.tally.add(self._news.popleft())
        if new:
            self.chart, self.note = self.tally.chart(), ""
        if is_over:
            self._thread = None
            if isinstance(self._failure, InputError):
                self.error = str(self._failure)
            elif self._failure is not None:
                raise self._failure
        return bool(new) or is_over

    def _run(self) -> None:
        """On a thread."""
        assert self._work is not None
        self._failure = None
        try:
            self._work(self._news.append, self._stop.is_set, self._say)
        except BaseException as error:
            self._failure = error

    def _say(self, text: str) -> None:
        """On a thread."""
        self.note = text

    # -- a place -------------------------------------------------------------------------------------------

    def site(self, place: Place, seed: int) -> Site:
        spec = self.spec
        return Site(spec.cells[place.plane], spec.base.seed + seed, spec.xs[place.x], spec.ys[place.y])

    def points(self, place: Place) -> dict[int, Point]:
        """Those of a place, by their place among the seeds, from 0 on."""
        return {point.seed - self.spec.base.seed: point for point in self.tally.points(*place)}

    def experiment(self, place: Place, seed: int) -> Experiment:
        """What runs there. Raises InputError if its settings conflict."""
        return self.spec.experiment(self.site(place, seed))
