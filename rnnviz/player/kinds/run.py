"""Run: what can be stepped through. There is a file here for each kind, and nothing else asks which kind it is.

    experiment  a network of ours: it trains, its knobs turn, time travel goes over its epochs and batches
    recording   moments of a training elsewhere: time travel goes over its records
    network     weights from a file, with data of a person's own or with generated inputs: one moment

A kind says what it cannot do, and why (`cannot`), by the names that sentences use for actions and panels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from rnnviz.experiment.experiment import Experiment
from rnnviz.scene.frame import Progress, Seen, Update
from rnnviz.scene.horizon_history import HorizonHistory
from rnnviz.scene.learning import Learning
from rnnviz.scene.scene import Companion, Compared, Scene
from rnnviz.tasks import Task

Report = Callable[[Progress], None]
#: (epoch, batch): completed epochs, completed batches of this epoch; or (number of the record from 0, 0).
Place = tuple[int, int]
KeepGoing = Callable[[], bool]
#: (done, of how many) -> the network on its way, where someone looks on.
Look = Callable[[int, int], Seen | None]


class Stopped(Exception):  # noqa: N818
    """The job was cancelled before its result was complete."""


@dataclass(frozen=True)
class Changed:
    """run: with changed settings. what: the change in words. same_data: the sequences are the same ones;
    same_picture: and so is everything that is shown of them. same_network: it is the same training, of which the other
    direction is shown."""

    run: Run
    what: str
    same_data: bool
    same_picture: bool
    same_network: bool = False


class Run(Protocol):
    @property
    def task(self) -> Task:
        """The sequences it reads."""

    @property
    def experiment(self) -> Experiment | None:
        """Its settings with the open ones filled in; None where it has none that are known."""

    @property
    def requested(self) -> Experiment | None:
        """The settings as a person left them."""

    @property
    def source(self) -> object:
        """What it was opened from: the settings as a person left them, or an Opening (see opening.py)."""

    @property
    def settings(self) -> Compared:
        """What it is compared with others by."""

    @property
    def cut(self) -> bool:
        """Whether it is shown with its loop cut."""

    @property
    def cannot(self) -> Mapping[str, str]:
        """name of an action or panel -> why there is none here, in a sentence."""

    @property
    def grows(self) -> bool:
        """Whether more of its history may come from elsewhere while it is open."""

    @property
    def place(self) -> Place: ...

    def learning(self) -> Learning: ...

    def scene(self, sample: int, loss_step: int | None = None) -> Scene:
        """Read and walk back sequence `sample` with the weights of this place."""

    # -- time travel -------------------------------------------------------------------------------------

    def goto(self, place: Place) -> None: ...

    def forward(self, amount: str, count: int, keep_going: KeepGoing, look: Look, report: Report) -> tuple[bool, str]:
        """Go forward by so many batches or epochs, or to the end ("all"); whether it moved, and a hint or ""."""

    def back(self, amount: str) -> str:
        """Go back by a batch, by an epoch, or to the beginning; "", or the reason why it did not move."""

    def update(self, scene: Scene) -> Update:
        """What the next batch does to the weights; they stay."""

    def survey(self, sample: int, report: Report, keep_going: KeepGoing) -> None:
        """Work out how far back the gradient reaches at every place of the history."""

    def horizons(self, sample: int) -> HorizonHistory | None:
        """As far as that is known of this sequence."""

    def has_news(self) -> bool:
        """Whether `refresh` may find something. Costs next to nothing, and may be asked from any thread."""

    def refresh(self, keep_going: KeepGoing) -> bool:
        """Look at what has come since; whether it stands at another place now."""

    # -- changes; only where `cannot` has no reason against them ---------------------------------------------

    def changed(self, settings: tuple[tuple[str, object], ...]) -> Changed | None:
        """None if these are its settings. Raises InputError naming the setting that is wrong."""

    def save(self, path: str, *, overwrites: bool) -> str:
        """Save its weights, and return a line that says so. Raises AlreadyThereError for an existing file, unless it
        `overwrites`, and InputError for one that cannot be written."""

    def with_typed(self, text: str, sample: int) -> Run:
        """The same run with a typed sequence in place of this one; "" takes it back. Raises InputError for text that is
        none."""

    def with_loop_turned(self) -> Run:
        """The same run, shown with its loop cut, or closed again."""

    # -- others beside it --------------------------------------------------------------------------------

    def beside(
        self, pinned: Compared | None, sample: int, loss_step: int | None, keep_going: KeepGoing, report: Report
    ) -> tuple[Companion, ...]:
        """The runs to be shown beside this one: what was pinned, or those it is usually compared with. Raises Stopped
        if it may not keep going."""

    def follow(self, pinned: Compared | None) -> None:
        """Bring the runs beside it to its place."""
