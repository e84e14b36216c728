"""Frame: everything that is on the screen now, immutable. Widgets, plain text, JSON and lessons draw from it.

A Scene is what does not move with the cursor: one sequence read and walked back with one set of weights.
A Frame is a Scene, a Cursor in it, and where the training stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.cell import Cell
from rnnviz.scene.cursor import Cursor, Phase
from rnnviz.scene.ghost import Ghost
from rnnviz.scene.gradient import Gradient
from rnnviz.scene.horizon_history import HorizonHistory
from rnnviz.scene.learning import Learning
from rnnviz.scene.scene import Companion, Compared, Scene


@dataclass(frozen=True)
class Update:
    """The fourth move: one batch's step. rows: (parameter, ‖W‖ before, ‖ΔW‖)."""

    rows: tuple[tuple[str, float, float], ...]
    batch_loss: float
    loss_before: float
    loss_after: float


@dataclass(frozen=True, eq=False)
class Seen:
    """The network after so many epochs of a running training: its outputs for the sequence, the runs beside it,
    and the losses."""

    scene: Scene
    beside: tuple[Companion, ...] | None
    learning: Learning
    epoch: int


@dataclass(frozen=True)
class Progress:
    """A job under way: `done` of `total` units. seen: the network on its way, where someone looks on."""

    what: str
    done: int
    total: int
    loss: float | None = None
    unit: str = "batches"
    seen: Seen | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """What the screen needs at this cursor.

    experiment  the settings of a network of ours; None of another
    requested  the same as a person left them; in `experiment` what they leave open is filled in
    source     what the run was opened from (see player/kinds/run.py)
    settings   what it is compared with other runs by
    cannot     what the kind of run on the screen cannot do, or this session does not, and why: name of an action, a
               panel or a setting -> a sentence
    ghost  the run before a change, until it is dismissed
    cut    W_hh is 0 in what is shown; training knows nothing of it, unless the experiment has no loop at all
    pinned     settings to compare with; None: with the other cells
    comparing  whether other runs are to be seen beside this one (see views/comparison.py)
    beside     those runs, on this sequence and at this place in training; None while they are not known
    horizons  how far back the error reaches after each epoch, as far as it is known; None until asked for
    frobenius  without a loss: the gradient row shows Frobenius norms, and not the largest singular values
    live   who draws it must not wait: a metric that takes long is None until a Measure command has worked it out
    """

    experiment: Experiment | None
    scene: Scene
    cursor: Cursor
    loss_step: int | None
    learning: Learning
    update: Update | None = None
    job: Progress | None = None
    hint: str = ""
    engine: str = "numpy"
    requested: Experiment | None = None
    ghost: Ghost | None = None
    cut: bool = False
    pinned: Compared | None = None
    comparing: bool = False
    beside: tuple[Companion, ...] | None = None
    horizons: HorizonHistory | None = None
    frobenius: bool = False
    live: bool = False
    source: object = None
    settings: Compared | None = None
    cannot: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def cell(self) -> Cell:
        return self.scene.trace.spec.about_cell

    @property
    def truncation(self) -> tuple[int, int] | None:
        """(k1, k2) of the training, where that is known and truncated; see Experiment.truncation."""
        return None if self.experiment is None else self.experiment.truncation()

    @property
    def T(self) -> int:
        return self.scene.T

    @property
    def gradient(self) -> Gradient:
        row = self.scene.gradient(self.loss_step)
        return row.frobenius if self.frobenius and row.frobenius is not None else row

    @property
    def read(self) -> int:
        """Steps that have been read: columns 0..read of input, hidden state and output are filled in."""
        return self.cursor.t if self.cursor.phase is Phase.FORWARD else self.T

    @property
    def reached(self) -> int | None:
        """The earliest step the walk back has reached; None before it began."""
        match self.cursor.phase:
            case Phase.BACKWARD:
                return self.cursor.t
            case Phase.UPDATE:
                return 0
            case _:
                return None

    @property
    def going_back(self) -> bool:
        return self.cursor.phase in (Phase.LOSS, Phase.BACKWARD, Phase.UPDATE)
