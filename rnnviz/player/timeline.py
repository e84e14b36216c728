"""Timeline: a training run that can be scrubbed back and forth, exactly.

    >>> line = Timeline(training)
    >>> line.advance(100, lambda: True)        # as many batches in one call of the engine as take a moment
    >>> line.goto((0, 7))                      # from the snapshot before it, by replay

The start of each epoch leaves a snapshot, and within a long epoch every REPLAY seconds do. When they do not fit in
the budget, those within epochs go first, then every second epoch's, again and again. What was dropped is found by
replaying from the snapshot before it, to the last bit: the batch order of an epoch depends on the seed and the epoch
alone, how many batches are run in one call changes nothing, and a replay uses the engine of the first time (NumPy
trains while the kernels are being compiled, and its last bits differ).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from time import perf_counter

from rnnviz.nn import Snapshot, Training, engine

Place = tuple[int, int]  # (epoch, batch): completed epochs, completed batches of this epoch
KeepGoing = Callable[[], bool]

#: Seconds that one call of the engine should take, and so the delay of a stop or a progress report.
MOMENT = 0.05
#: Seconds of training between two snapshots of an epoch, and so about what a replay takes.
REPLAY = 0.2
#: This many snapshots are kept whatever their size.
LEAST = 8
#: Bytes of a number of the loss curve, and of a place and its entry among the snapshots.
PER_LOSS, PER_PLACE = 48, 256


class Timeline:
    """`budget` is in bytes of snapshots and loss curve; eight snapshots are kept even where they take more.

    loss   that of the last batch, as it was before its update; None at the start
    """

    def __init__(self, training: Training, budget: int = 32_000_000) -> None:
        self.training = training
        self.loss: float | None = None
        self._budget = budget
        self._snapshots: dict[Place, Snapshot] = {}
        self._every = 1  # epochs from one snapshot to the next
        self._at_once = 1  # batches that take about a moment
        self._since = 0.0  # seconds of training since the last snapshot
        self._furthest: Place = (0, 0)
        self._engines: list[tuple[Place, str]] = []  # from which place on which engine was used
        first = training.snapshot()
        self._size = first.nbytes + PER_PLACE
        self._keep(first)

    @property
    def place(self) -> Place:
        return self.training.epoch, self.training.batch

    @property
    def losses(self) -> list[float]:
        """The loss of every epoch ever completed, also after going back."""
        return self.training.record["loss"]

    @property
    def val_losses(self) -> list[float]:
        return self.training.record["val_loss"]

    @property
    def bytes(self) -> int:
        """The size of the snapshots and the loss curve."""
        return len(self._snapshots) * self._size + PER_LOSS * (len(self.losses) + len(self.val_losses))

    def advance(self, batches: int, keep_going: KeepGoing) -> float | None:
        """Run up to this many batches; the loss of the last one, as it was before its update. `keep_going` is asked
        several times a second."""
        training, given = self.training, self.training.engine
        loss = None
        try:
            while batches > 0:
                training.engine, until = self._engine() if given is None else (given, batches)
                began = perf_counter()
                losses = training.run_batches(min(batches, self._at_once, until))
                took = perf_counter() - began
                batches -= len(losses)
                loss = self.loss = float(losses[-1])
                self._at_once = max(1, int(MOMENT * len(losses) / max(took, 1e-9)))
                self._furthest = max(self._furthest, self.place)
                self._since += took
                if self.place not in self._snapshots and self._is_due():
                    self._keep(training.snapshot())
                if not keep_going():
                    break
        except MemoryError:  # in the middle of a batch: back to a whole one
            training.restore(self._snapshots[max(place for place in self._snapshots if place <= self.place)])
            raise
        finally:
            training.engine = given
        return loss

    def holds(self, place: Place) -> bool:
        """Whether this place can be had without replay."""
        return place in self._snapshots or place == self.place

    def goto(self, place: Place, keep_going: KeepGoing = lambda: True) -> None:
        """Go to this place: by its snapshot, else by training from the snapshot before it."""
        known = [there for there in self._snapshots if there <= place]
        start = max(known)
        if start <= self.place <= place:
            start = self.place  # nothing is nearer
        else:
            self.training.restore(self._snapshots[start])
        per_epoch = self.training.batches_per_epoch
        self.advance((place[0] - start[0]) * per_epoch + place[1] - start[1], keep_going)

    # -- inside --------------------------------------------------------------------------------------

    def _engine(self) -> tuple[str, int]:
        """The engine for the next batches, and for how many: where it was before, that of the first time."""
        place = self.place
        if place >= self._furthest:
            name = engine.computing(self.training.spec)
            if not self._engines or self._engines[-1][1] != name:
                self._engines.append((place, name))
            return name, self.training.batches_per_epoch
        at = bisect_right(self._engines, place, key=lambda entry: entry[0])
        epoch, batch = self._engines[at][0] if at < len(self._engines) else self._furthest
        until = (epoch - place[0]) * self.training.batches_per_epoch + batch - place[1]
        return self._engines[at - 1][1], until

    def _is_due(self) -> bool:
        epoch, batch = self.place
        return epoch % self._every == 0 if batch == 0 else self._since > REPLAY

    def _keep(self, snapshot: Snapshot) -> None:
        self._snapshots[self.place] = snapshot
        self._since = 0.0
        while self.bytes > self._budget and len(self._snapshots) > LEAST:
            within = [place for place in self._snapshots if place[1] and place != self.place]
            if not within:
                self._every *= 2
            for place in within or [place for place in self._snapshots if place[0] % self._every]:
                del self._snapshots[place]
