"""Learning: the history of a training, and where it can be gone to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Learning:
    """The training of an experiment. Its places are the ends of epochs, 0 being the untrained network; batches lie
    between them.

    loss, val_loss  per epoch that was ever completed with these settings; `epoch` of the cursor tells
                    how many of them lie in the past
    """

    #: Whether the way forward is trained here, which is shown as a film.
    trains: ClassVar[bool] = True
    #: What a place is called.
    unit: ClassVar[str] = "epoch"
    #: id of an action or a panel -> its label and its description, where it is another than in an experiment.
    renamed: ClassVar[Mapping[str, tuple[str, str]]] = {}

    epochs: int
    batches_per_epoch: int
    batch_size: int
    loss: tuple[float, ...]
    val_loss: tuple[float, ...]

    @property
    def places(self) -> int:
        """How many places the history has."""
        return len(self.loss) + 1

    def loss_at(self, place: int) -> float | None:
        return self.loss[place - 1] if place else None

    def mark(self, place: int) -> str:
        """The name of a place on an axis."""
        return str(place)

    def where(self, epoch: int, batch: int) -> str:
        """`epoch 12/20 batch  3/33`"""
        epochs, batches = str(self.epochs), str(self.batches_per_epoch)
        return f"epoch {epoch:>{len(epochs)}}/{epochs} batch {batch:>{len(batches)}}/{batches}"

    def ways(self, place: int) -> tuple[tuple[str, str], ...]:
        """The actions that lead on from here, the most useful first, with their labels."""
        through = ("all", f"all {self.epochs}") if place < self.epochs else ("all_back", "untrain")
        return (("batch", "batch"), ("epoch", "epoch"), through)


@dataclass(frozen=True)
class Records(Learning):
    """The history of a recording. Its places are the records; `loss` is that of each, () while they are not known.

    steps  the number of the training step of each record
    """

    trains: ClassVar[bool] = False
    unit: ClassVar[str] = "record"
    renamed: ClassVar[Mapping[str, tuple[str, str]]] = {
        "epoch": ("next record", "go to the next record"),
        "epoch_back": ("record before", "go to the record before"),
        "all": ("last record", "go to the last record"),
        "all_back": ("first record", "go to the first record"),
        "compare": ("compare", "the other layers of this record, or a pinned record"),
        "travel": ("time travel", "how far back the gradient reached, by record"),
        "loss": ("loss curve", "the recorded loss"),
        "code": ("the code", "behind this moment"),
    }

    steps: tuple[int, ...] = ()

    @property
    def places(self) -> int:
        return len(self.steps)

    def loss_at(self, place: int) -> float | None:
        return self.loss[place] if self.loss else None

    def mark(self, place: int) -> str:
        return str(place + 1)

    def where(self, epoch: int, batch: int) -> str:
        """`record 12/40 · step 1200`"""
        return f"record {epoch + 1}/{len(self.steps)} · step {self.steps[epoch]}"

    def ways(self, place: int) -> tuple[tuple[str, str], ...]:
        ahead = [("epoch", "next record"), ("all", "last")] if place < self.places - 1 else []
        behind = [("epoch_back", "record before"), ("all_back", "first")] if place else []
        return (*ahead[:1], *behind[:1], *ahead[1:], *behind[1:])


@dataclass(frozen=True)
class OneMoment(Learning):
    """Weights from a file: no history, and one place. has_loss: whether targets are known."""

    trains: ClassVar[bool] = False
    unit: ClassVar[str] = "place"
    renamed: ClassVar[Mapping[str, tuple[str, str]]] = {
        "compare": ("compare", "the other layers of this file"),
        "code": ("the code", "behind this moment"),
    }

    def where(self, epoch: int, batch: int) -> str:
        return ""

    def ways(self, place: int) -> tuple[tuple[str, str], ...]:
        return ()


@dataclass(frozen=True)
class WithoutLoss(OneMoment):
    """The same where no targets are known: what goes back is a state."""

    renamed: ClassVar[Mapping[str, tuple[str, str]]] = {
        **OneMoment.renamed,
        "gradient": ("norm", "show the largest singular value of each Jacobian, or its Frobenius norm"),
        "loss_before": ("", "show what an earlier step's state depends on"),
        "loss_after": ("", "show what a later step's state depends on"),
        "triangle": ("triangle", "how far back each state depends on earlier ones"),
        "ledger": ("ledger", "why a state forgets, step by step"),
        "check": ("check", "gradient check: compare the way back with finite differences"),
    }
