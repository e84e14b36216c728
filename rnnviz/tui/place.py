"""A place in a run as text, `t=12,back`: how a command line names a view, and how the app copies one.

    train=20           after 20 epochs          epoch=12     and back to the end of epoch 12
    batch=3            and 3 batches further    sequence=2   the second sequence of the data
    t=12               at this time step        forward, loss, back, update   which of the four moves
    unit=4             the unit looked at       gradient=7, gradient=total    whose gradient is shown
    cut, checked       the loop cut; the gradients checked
    norm=frobenius     without a loss: which norm
    page=1, row=3      of the open panel        feature=2, inputs    the number of an input written out; ∂L/∂x

What is left out is as the app begins: at t = 0 of the first sequence, untrained. Imports nothing slow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from rnnviz.errors import InputError, short_repr
from rnnviz.scene.cursor import Phase

if TYPE_CHECKING:
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame
    from rnnviz.tui.view import View

LONGEST = 200  # characters
MOST_EPOCHS = 100_000
TOTAL, FROBENIUS = "total", "frobenius"
_MOVES = {"forward": Phase.FORWARD, "loss": Phase.LOSS, "back": Phase.BACKWARD, "update": Phase.UPDATE}
_WORDS = {phase: word for word, phase in _MOVES.items()}
_NUMBERS = ("t", "train", "epoch", "batch", "sequence", "unit", "page", "row", "feature")
_FLAGS = ("cut", "checked", "inputs")
ALLOWED = (
    "t=N, forward, loss, back, update, train=N, epoch=N, batch=N, sequence=N, unit=N, gradient=N or total, cut, "
    "checked, inputs, norm=frobenius, feature=N, page=N, row=N"
)


@dataclass(frozen=True)
class Place:
    """See above. None: as the app begins.

    phase  with t None: the beginning of reading, the end of the way back
    """

    train: int | None = None
    epoch: int | None = None
    batch: int | None = None
    sequence: int | None = None
    cut: bool = False
    checked: bool = False
    gradient: int | str | None = None
    norm: str | None = None
    unit: int | None = None
    phase: Phase | None = None
    t: int | None = None
    inputs: bool = False
    feature: int | None = None
    page: int | None = None
    row: int | None = None

    def __str__(self) -> str:
        """The text that `read` reads; "" for where the app begins."""
        parts = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "phase" and value is not None:
                parts.append(_WORDS[value])
            elif value is True:
                parts.append(field.name)
            elif value is not None and value is not False:
                parts.append(f"{field.name}={value}")
        return ",".join(parts)

    @property
    def look(self) -> dict[str, Any]:
        """The changes to the view that are no commands to the player."""
        changes: dict[str, Any] = {"input_gradient": True} if self.inputs else {}
        given = {"feature": self.feature, "page": self.page, "row": self.row}
        return changes | {name: value for name, value in given.items() if value is not None}

    def commands(self, now: Callable[[], Frame]) -> Iterator[Command]:
        """The commands that lead from the beginning of a run to this place, each to be carried out before the next is
        asked for; `now` gives the frame after them. Raises InputError for what this run does not have."""
        from rnnviz.scene.commands import (
            Back,
            Check,
            Cut,
            Go,
            Next,
            SelectUnit,
            ShowGradient,
            ShowSample,
            Train,
        )

        frame = now()
        scene = frame.scene
        trained = self.train or 0
        epoch = trained if self.epoch is None else self.epoch
        for name, wanted in (("train", self.train), ("epoch", self.epoch), ("batch", self.batch)):
            if wanted and frame.cannot.get("train"):
                raise InputError(f"at: {name}: {frame.cannot['train'].removesuffix('.')}")
        if epoch > trained:
            raise InputError(f"at: epoch={epoch} is not one of the {trained} epochs of train={trained}")
        if self.batch and self.batch >= frame.learning.batches_per_epoch:
            raise InputError(f"at: batch={self.batch}: an epoch has {frame.learning.batches_per_epoch:,} batches")
        if self.sequence is not None and not 1 <= self.sequence <= len(scene.task):
            raise InputError(f"at: sequence={self.sequence}: the data has the sequences 1 to {len(scene.task)}")
        if self.unit is not None and self.unit >= scene.H:
            raise InputError(f"at: unit={self.unit}: the state has the units 0 to {scene.H - 1}")
        if self.cut and frame.cannot.get("cut") and not frame.cut:
            raise InputError(f"at: cut: {frame.cannot['cut'].removesuffix('.')}")
        if self.phase is Phase.UPDATE and frame.cannot.get("update"):
            raise InputError(f"at: update: {frame.cannot['update'].removesuffix('.')}")
        if trained:
            yield Train("epoch", trained)
        yield from [Back("epoch")] * (trained - epoch)
        if self.batch:
            yield Train("batch", self.batch)
        if self.sequence is not None and self.sequence - 1 != scene.sample:
            yield ShowSample(self.sequence - 1 - scene.sample)
        if self.cut and not frame.cut:
            yield Cut()
        if self.gradient is not None:
            yield ShowGradient(self.gradient)  # type: ignore[arg-type]
        if self.norm == FROBENIUS and not now().frobenius:
            if scene.has_loss:
                raise InputError("at: norm: the gradient of a loss has one norm")
            yield ShowGradient("switch")
        if self.unit is not None:
            yield SelectUnit(self.unit - now().cursor.unit)
        if self.checked:
            yield Check()
        if self.t is not None and self.t > now().T:
            raise InputError(f"at: t={self.t}: the sequence has the steps 0 to {now().T}")
        if self.phase is not None or self.t is not None:
            phase = self.phase or Phase.FORWARD
            yield Go("backward" if phase is Phase.UPDATE else phase.value, self.t or 0)
            if phase is Phase.UPDATE:
                yield Next()


def read(text: str) -> Place:
    """Raises InputError in a line that begins with "at: " and names what is allowed."""
    if len(text) > LONGEST:
        raise InputError(f"at: a place has at most {LONGEST} characters")
    found: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not equals and name in _MOVES:
            name, known = "phase", _MOVES[name]
        else:
            known = _value(name, equals, value)
        if name in found:
            raise InputError(f"at: {short_repr(part)}: give one {'move' if name == 'phase' else name}")
        found[name] = known
    return Place(**found)


def _value(name: str, equals: str, value: str) -> Any:
    if name in _FLAGS and not equals:
        return True
    if name == "norm" and value == FROBENIUS:
        return FROBENIUS
    if name == "gradient" and value == TOTAL:
        return TOTAL
    if (name in _NUMBERS or name == "gradient") and equals:
        digits = value.removeprefix("-") if name == "row" else value
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 6):
            raise InputError(f"at: {name}={value[:20]}: give a whole number of at most six digits")
        if name in ("train", "epoch") and int(value) > MOST_EPOCHS:
            raise InputError(f"at: {name}={value}: at most {MOST_EPOCHS:,} epochs")
        return int(value)
    part = short_repr(f"{name}{equals}{value}")
    raise InputError(f"at: {part} is unknown; a place has {ALLOWED}")


def of(frame: Frame, view: View, first_row: int = 0, *, in_lesson: bool = False) -> Place:
    """The place on the screen. first_row: the row at which the open panel begins. in_lesson: a step of a lesson has set
    the network up, and the rest is written in full, since where the step begins is not known."""
    cursor, scene = frame.cursor, frame.scene
    own = frame.experiment is not None and frame.requested is not None and not in_lesson
    trained = len(frame.learning.loss) if own else 0
    is_moved = cursor.phase is Phase.BACKWARD or (cursor.phase is Phase.FORWARD and cursor.t > 0)
    shows_last = frame.loss_step == scene.last_loss_step
    is_cut = frame.cut and (frame.requested is None or frame.requested.loop)
    is_open = view.panel is not None
    return Place(
        train=trained or None,
        epoch=cursor.epoch if own and cursor.epoch < trained else None,
        batch=cursor.batch or None if own else None,
        sequence=scene.sample + 1 if scene.sample or in_lesson else None,
        cut=is_cut and not in_lesson,
        checked=_is_checked(frame),
        gradient=None if shows_last and not in_lesson else (TOTAL if frame.loss_step is None else frame.loss_step),
        norm=FROBENIUS if frame.frobenius else None,
        unit=cursor.unit if cursor.unit or in_lesson else None,
        phase=None if cursor.phase is Phase.FORWARD and not in_lesson else cursor.phase,
        t=cursor.t if is_moved else None,
        inputs=view.input_gradient,
        feature=view.feature or None,
        page=view.page or None if is_open else None,
        row=view.row if is_open and view.row != first_row else None,
    )  # fmt: skip


def _is_checked(frame: Frame) -> bool:
    from rnnviz.scene.commands import Measure

    return Measure("checked") in frame.scene.known
