"""Commands: everything that a key, a lesson, a test or a command line can request of the player.

Quick ones move the cursor and are done at once. Slow ones (`SLOW`) train or build, and can be run as a job.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rnnviz.experiment.experiment import Experiment


@dataclass(frozen=True)
class Plain:
    """A command without settings; two of the same class are equal. (They are many, and making a dataclass of each
    would cost the first paint some milliseconds.)"""


class Right(Plain):
    """One column to the right: read the next step, or undo one step of the way back in time."""


class Left(Plain):
    """One column to the left: undo the last step read, or go one step back in time."""


class Next(Plain):
    """The next event: read a step, then the loss, then back in time, then the update."""


class Previous(Plain):
    """The previous event."""


@dataclass(frozen=True)
class Seek:
    """Go to time step t in the present direction; a step beyond the ends is clamped."""

    t: int


@dataclass(frozen=True)
class Go:
    """Go to a place: phase forward or backward and a time step, or the loss."""

    phase: str
    t: int = 0


@dataclass(frozen=True)
class ShowGradient:
    """Show the gradient of one step's loss (its number), of all of them ("total"), or the other of the two."""

    loss_step: int | Literal["total", "last", "switch"]


@dataclass(frozen=True)
class SelectUnit:
    """Select another unit of the hidden state."""

    by: int


@dataclass(frozen=True)
class Train:
    """Train by a number of batches, by whole epochs, or to the experiment's last epoch."""

    amount: Literal["batch", "epoch", "all"]
    count: int = 1


@dataclass(frozen=True)
class Back:
    """Undo training: by a batch, by an epoch, or to the untrained network."""

    amount: Literal["batch", "epoch", "all"]


@dataclass(frozen=True)
class ShowSample:
    """Show another sequence of the data set."""

    by: int


@dataclass(frozen=True)
class Measure:
    """Work out something about the sequence in view that takes more than a moment; the scene then knows it (see
    views/prepare.py). Whatever a person asks for goes first.

    gradient, ledger  of loss step t (None: of the total)
    inputs     the gradient on the inputs, of loss step t (None: of the total)
    outcome    what the network makes of the whole task
    sent       what each step sends to the weights' gradient of the last loss step
    triangle   how far each loss step's error reaches back
    gain       the most any gradient could keep in each step
    perturbed  what becomes of the state of step t, moved by some parts of the way (per cent) to another sequence's
    checked    the gradients of this very sequence against central differences
    weights    singular value and spectral radius of W_hh
    spectrum   eigenvalues of ∂s_t/∂s_start, start the one part; t None: of W_hh (views/spectrum.py)
    lyapunov   the Lyapunov exponents of the sequence
    evidence   that a recorded gradient is the training's own
    own_step   the backward pass of a person's own cell, beside the exact gradients
    diagnosis  what is measured to be wrong, with the settings of this experiment (diagnosis/of_scene.py)
    space      where the states of several sequences lie in a plane (views/state_space.py)
    fixed_points  the states that the network stays in without input
    map        which networks like that of this experiment learn, with smaller gains and shorter lags (maps/of_scene.py)
    left_out   the share of right answers to what the task of this experiment leaves out, where it leaves something out
    """

    what: Literal[
        "gradient",
        "ledger",
        "inputs",
        "outcome",
        "sent",
        "triangle",
        "gain",
        "perturbed",
        "checked",
        "weights",
        "spectrum",
        "lyapunov",
        "evidence",
        "own_step",
        "left_out",
        "diagnosis",
        "space",
        "fixed_points",
        "map",
    ]
    t: int | None = 0
    parts: tuple[int, ...] = ()
    experiment: Experiment | None = None

    @property
    def is_of_ghost(self) -> bool:
        """Whether the ghost's is drawn beside it, so that it is worked out, too."""
        return self.what in ("spectrum", "lyapunov")

    def outdates(self, other: object) -> bool:
        """Whether who asks for this no longer waits for that: the same of another step."""
        return isinstance(other, Measure) and other.what == self.what and other != self


class Follow(Plain):
    """Look at what has come since: new records, and losses that have not been read yet. Nobody presses a key for it."""


class Survey(Plain):
    """Work out how far the gradient of this sequence reaches after each epoch trained so far."""


@dataclass(frozen=True)
class Open:
    """Open another run in place of this one: an experiment, trained for so many epochs, or a recording (an Opening of
    player/kinds/opening.py). Nothing of this one stays, neither a ghost nor an undo."""

    source: Any
    epochs: int = 0


class Check(Plain):
    """Run a gradient check: compare the gradients of this sequence with central differences."""


@dataclass(frozen=True)
class Change:
    """Restart with changed settings of the experiment: (("seed", 3), …). None lets the task decide.

    The run before stays behind as a ghost. A new task chooses its own steps, lag, samples, source and loss
    position, where the same command does not set them.
    """

    settings: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class TypeSequence:
    """Read a typed sequence in place of the present one (see tasks/typed.py); "" restores that of the data."""

    text: str


@dataclass(frozen=True)
class SaveModel:
    """Save the network's weights to a file (.safetensors or .npz); an existing one only with `overwrites`."""

    path: str
    overwrites: bool = False


class Undo(Plain):
    """Go back to the moment before the last change: the same weights, training and cursor."""


class Redo(Plain):
    """Redo the change last undone."""


class DismissGhost(Plain):
    """Remove the ghost; the next change makes a new one."""


class Cut(Plain):
    """Cut the loop, or restore it: show the network with W_hh = 0. Training is not affected."""


class Compare(Plain):
    """Show other runs beside the present one: what is pinned, or else the same settings with other cells."""


class Alone(Plain):
    """Show the present run alone again."""


class Pin(Plain):
    """Pin the present settings as the baseline of the comparison; pin again to unpin."""


Command = (
    Right
    | Left
    | Next
    | Previous
    | Seek
    | Go
    | ShowGradient
    | SelectUnit
    | Train
    | Back
    | ShowSample
    | Change
    | Open
    | TypeSequence
    | SaveModel
    | Undo
    | Redo
    | DismissGhost
    | Cut
    | Measure
    | Follow
    | Survey
    | Check
    | Compare
    | Alone
    | Pin
)
#: The action or panel that a command belongs to, by the name that sentences use for it.
_ACTIONS: dict[type[Any], str] = {Cut: "cut", Change: "knobs", Undo: "undo", Redo: "redo", DismissGhost: "ghost",
                                    TypeSequence: "type", SaveModel: "save"}  # fmt: skip


def action_of(command: Command) -> str:
    """`cut`, `knobs`; "" for a command that every run can do."""
    match command:
        case Train(amount):
            return amount
        case Back(amount):
            return f"{amount}_back"
    return _ACTIONS.get(type(command), "")


SLOW = (
    Train,
    Back,
    ShowSample,
    Change,
    Open,
    TypeSequence,
    SaveModel,
    Undo,
    Redo,
    Cut,
    Measure,
    Follow,
    Survey,
    Check,
    Compare,
    Pin,
)
