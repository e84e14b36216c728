"""Timeline: a training run that can be scrubbed back and forth, exactly.

Every batch leaves a snapshot as long as they fit in the budget; the start of each epoch always does (thinned
out when even those do not fit). What was dropped is found again by replaying from the snapshot before it:
the batch order of an epoch depends on the seed and the epoch alone.
"""

from __future__ import annotations

from collections.abc import Callable

from rnnviz.nn import Snapshot, Training

Place = tuple[int, int]  # (epoch, batch): completed epochs, completed batches of this epoch
KeepGoing = Callable[[], bool]


class Timeline:
    """`budget` is in bytes of snapshots."""

    def __init__(self, training: Training, budget: int = 32_000_000) -> None:
        self.training = training
        self._size = max(1, sum(w.nbytes for w in training.model.params.values())) * 3
        self._room = max(8, budget // self._size)
        self._snapshots: dict[Place, Snapshot] = {}
        self.losses: list[float] = []
        self.val_losses: list[float] = []
        self._keep()

    @property
    def place(self) -> Place:
        return self.training.epoch, self.training.batch

    def advance(self, batches: int, keep_going: KeepGoing) -> float | None:
        """Run up to this many batches (those known already are taken from their snapshots); the loss of
        the last one, as it was before its update."""
        loss = None
        for _ in range(batches):
            loss = self.training.run_batch()
            if self.training.batch == 0:
                self._note_epoch()
            self._keep()
            if not keep_going():
                break
        return loss

    def holds(self, place: Place) -> bool:
        """Whether this place can be had without replay."""
        return place in self._snapshots or place == self.place

    def goto(self, place: Place, keep_going: KeepGoing = lambda: True) -> None:
        """To this place, which must have been visited: by its snapshot, else by replay."""
        if place == self.place:
            return
        if place in self._snapshots:
            self.training.restore(self._snapshots[place])
            return
        start = max(known for known in self._snapshots if known <= place)
        self.training.restore(self._snapshots[start])
        per_epoch = self.training.batches_per_epoch
        self.advance((place[0] - start[0]) * per_epoch + place[1] - start[1], keep_going)

    def _note_epoch(self) -> None:
        for known, history in ((self.losses, "loss"), (self.val_losses, "val_loss")):
            known.extend(self.training.history[history][len(known) :])

    def _keep(self) -> None:
        self._snapshots[self.place] = self.training.snapshot()
        if len(self._snapshots) > self._room:
            epochs = [p for p in self._snapshots if p[1] == 0]
            dropped = [p for p in self._snapshots if p[1] and p != self.place] or epochs[1:-1:2]
            for place in dropped:
                del self._snapshots[place]
