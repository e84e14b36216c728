"""Setup: the state that a step's commands describe, and the way to bring a player there.

A step's [do] blocks are not run one after the other on the learner's network; they add up to one Setup, which can be
reached from any state. So a step forward, a step back, a jump, the return from free play and tomorrow's start all end
in the same picture, by the fewest commands.

    >>> setup = Setup(Experiment()).after((("train", "all"), ("phase", "backward"), ("seek", 3)))
    >>> arrive(player, setup)                   # tests and the checker: all at once
    >>> toward(player.frame, setup)             # an app: the next command, until None is left
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import OF_TASK, SETTINGS, Experiment
from rnnviz.experiment.experiment_file import without_own_cell
from rnnviz.experiment.setting import meant
from rnnviz.lessons.lesson import Do
from rnnviz.player.kinds.opening import NetworkOpening, Opening
from rnnviz.player.player import Player
from rnnviz.scene.commands import (
    Back,
    Change,
    Command,
    Cut,
    DismissGhost,
    Go,
    Next,
    Open,
    SelectUnit,
    ShowGradient,
    ShowSample,
    Train,
)
from rnnviz.scene.cursor import Phase
from rnnviz.scene.frame import Frame

END = 10**9  # larger than every time step: the last one


@dataclass(frozen=True)
class Setup:
    """epochs, batches: amount of training, in whole epochs and then batches. opened: a recording that is shown instead
    of the experiment, at this record (from 1), or a file of weights. panel: the open panel, "" for none. beside: the
    panels that a large screen shows below the text, the first that can be shown first."""

    experiment: Experiment
    epochs: int = 0
    batches: int = 0
    cut: bool = False
    sample: int = 0
    unit: int = 0
    phase: Phase = Phase.FORWARD
    t: int = 0
    loss_step: int | str = "last"
    panel: str = ""
    beside: tuple[str, ...] = ()
    opened: Opening | NetworkOpening | None = None
    record: int = END

    def after(self, do: Do) -> Setup:
        """The setup after these commands. Raises InputError for an unknown command or a bad argument."""
        setup = self
        for name, argument in do:
            if name not in COMMANDS:
                close = get_close_matches(name, COMMANDS, n=1)
                hint = f"did you mean {close[0]}?" if close else f"commands: {', '.join(COMMANDS)}"
                raise InputError(f"unknown command {name!r}; {hint}")
            setup = COMMANDS[name](setup, argument)
        return setup

    @property
    def source(self) -> Experiment | Opening | NetworkOpening:
        """What is opened to be shown."""
        return self.opened or self.experiment

    @property
    def has_recording(self) -> bool:
        return isinstance(self.opened, Opening)

    @property
    def weights(self) -> tuple[object, ...]:
        """The identity of a network's weights: its settings, amount of training, and whether its loop is cut; or
        what is opened, and the record."""
        if self.opened is not None:
            return self.opened, self.record
        return self.experiment, self.epochs, self.batches, self.cut

    def has_weights_of(self, frame: Frame) -> bool:
        """Whether the frame shows this network, equally trained, on any sequence."""
        return replace(self, sample=frame.scene.sample).same_network(frame)

    def same_network(self, frame: Frame) -> bool:
        """Whether the frame shows this network, equally trained, on this sequence."""
        return (
            frame.source == self.source
            and frame.cut == self._cut
            and _batches(frame) == self._batches(frame)
            and frame.scene.sample == self.sample
        )

    @property
    def _cut(self) -> bool:
        return self.opened is None and (self.cut or not self.experiment.loop)

    def _batches(self, frame: Frame) -> int:
        if self.opened is not None:  # a record is what an epoch is; a file of weights is one moment
            return min(self.record, frame.learning.places) - 1
        return self.epochs * frame.learning.batches_per_epoch + self.batches


# -- the commands of [do] ------------------------------------------------------------------------------


def _settings(setup: Setup, given: Any) -> Setup:
    if not isinstance(given, Mapping) or not given:
        raise InputError(f"settings: {given!r} is not a table of settings; write {{ seq_len = 40, gain = 0.7 }}")
    new = {name: (None if value == "auto" else value) for name, value in given.items()}
    known = SETTINGS
    old = setup.experiment.to_dict()
    left_open = OF_TASK if new.get("task", old["task"]) != old["task"] else {}
    unknown = [name for name in new if name not in known]
    if unknown:
        close = meant(unknown[0], known)
        hint = f"did you mean {close}?" if close else f"settings: {', '.join(sorted(known))}"
        raise InputError(f"unknown setting {unknown[0]!r}; {hint}")
    experiment = Experiment(**{**old, **left_open, **without_own_cell(new)})
    only_epochs = setup.experiment.with_(epochs=experiment.epochs) == experiment
    trained = {} if only_epochs else dict(epochs=0, batches=0)
    if setup.opened is not None:
        setup = replace(setup, opened=None, sample=0, unit=0)
        trained = dict(epochs=0, batches=0)
    return replace(setup, experiment=experiment, loss_step="last", **trained)  # type: ignore[arg-type]


def _recording(setup: Setup, opening: Any) -> Setup:
    if not isinstance(opening, Opening):  # steps.py makes one of what a lesson writes
        raise InputError(f'recording: {opening!r} is not the folder of a recording; write recording = "my-training"')
    return _opened(setup, opening)


def _weights(setup: Setup, opening: Any) -> Setup:
    if not isinstance(opening, NetworkOpening):  # as above
        raise InputError(f'weights: {opening!r} is not a file of weights; write weights = "model.safetensors"')
    return _opened(setup, opening)


def _opened(setup: Setup, opening: Opening | NetworkOpening) -> Setup:
    return replace(setup, opened=opening, record=END, loss_step="last", sample=0, unit=0, cut=False)


def _record(setup: Setup, record: Any) -> Setup:
    if not setup.has_recording:
        raise InputError('record: no recording is shown here; write recording = "my-training" first')
    return replace(
        setup, record=END if record == "last" else _whole("record", record, 'a record from 1 up, or "last"', 1)
    )


def _train(setup: Setup, amount: Any) -> Setup:
    _of_experiment("train", setup)
    match amount:
        case "all":
            return replace(setup, epochs=max(setup.epochs, setup.experiment.epochs), batches=0)
        case "epoch":
            return replace(setup, epochs=setup.epochs + 1, batches=0)
        case "batch":
            return replace(setup, batches=setup.batches + 1)
        case int() if not isinstance(amount, bool) and amount > 0:
            return replace(setup, epochs=setup.epochs + amount, batches=0)
    raise InputError(f'train: {amount!r} is not an amount; use "all", "epoch", "batch" or a number of epochs')


def _untrain(setup: Setup, yes: Any) -> Setup:
    _of_experiment("untrain", setup)
    _true("untrain", yes)
    return replace(setup, epochs=0, batches=0)


def _phase(setup: Setup, name: Any) -> Setup:
    try:
        phase = Phase(name)
    except ValueError:
        raise InputError(f"phase: {name!r} is not a phase; use forward, loss, backward or update") from None
    return replace(setup, phase=phase, t=END if phase in (Phase.LOSS, Phase.BACKWARD) else 0)


def _seek(setup: Setup, t: Any) -> Setup:
    if setup.phase in (Phase.LOSS, Phase.UPDATE):
        raise InputError(f"seek: the {setup.phase} has no time steps; set phase = 'forward' or 'backward' first")
    steps = {"start": 0, "end": END}
    if isinstance(t, str) and t in steps:
        return replace(setup, t=steps[t])
    return replace(setup, t=_whole("seek", t, 'a time step from 0 up, "start" or "end"'))


def _unit(setup: Setup, unit: Any) -> Setup:
    return replace(setup, unit=_whole("unit", unit, "a unit from 0 up"))


def _sample(setup: Setup, sample: Any) -> Setup:
    return replace(setup, sample=_whole("sample", sample, "a sequence from 0 up"))


def _loss_step(setup: Setup, k: Any) -> Setup:
    if k in ("last", "total"):
        return replace(setup, loss_step=k)
    return replace(setup, loss_step=_whole("loss_step", k, 'a step that carries loss, "last" or "total"', 1))


def _panel(setup: Setup, name: Any) -> Setup:
    if not isinstance(name, str):
        raise InputError(f'panel: {name!r} is not a string; write panel = "loss", or "" to close it')
    return replace(setup, panel=name)


def _beside(setup: Setup, names: Any) -> Setup:
    found = [names] if isinstance(names, str) else names
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise InputError(f'beside: {names!r} names no panels; write beside = "ledger" or ["ledger", "weights"]')
    return replace(setup, beside=tuple(found))


def _cut(setup: Setup, yes: Any) -> Setup:
    _of_experiment("cut", setup)
    if not isinstance(yes, bool):
        raise InputError(f"cut: {yes!r} is not true or false; write true (W_hh = 0) or false")
    return replace(setup, cut=yes)


def _of_experiment(name: str, setup: Setup) -> None:
    if setup.opened is not None:
        what = "a recording stays as it is" if setup.has_recording else "weights from a file stay as they are"
        raise InputError(f"{name}: {what}; settings = {{ … }} goes back to a network of this lesson")


def _true(name: str, yes: Any) -> None:
    if yes is not True:
        raise InputError(f"{name}: {yes!r} is not true; write {name} = true")


def _whole(name: str, number: Any, what: str, least: int = 0) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise InputError(f"{name}: {number!r} is not allowed; use {what}")
    return number


COMMANDS: dict[str, Callable[[Setup, Any], Setup]] = {
    "settings": _settings,
    "recording": _recording,
    "weights": _weights,
    "record": _record,
    "train": _train,
    "untrain": _untrain,
    "phase": _phase,
    "seek": _seek,
    "unit": _unit,
    "sample": _sample,
    "loss_step": _loss_step,
    "panel": _panel,
    "beside": _beside,
    "cut": _cut,
}
CURSOR = ("phase", "seek", "unit", "loss_step")  # the commands that only move within the picture


# -- reaching a setup ------------------------------------------------------------------------------------


def toward(frame: Frame, setup: Setup, *, cursor: bool = True) -> Command | None:
    """The next command on the way from this frame to the setup; None when it is reached. Without `cursor`
    time step, phase, unit and gradient stay where the learner has them."""
    if frame.source != setup.source:
        if frame.ghost is not None:
            return DismissGhost()
        if isinstance(setup.opened, Opening):
            return Open(replace(setup.opened, record=None if setup.record == END else setup.record))
        if setup.opened is not None:
            return Open(setup.opened)
        if frame.requested is None:
            return Open(setup.experiment)
        return Change(_difference(frame.requested, setup.experiment))
    done, wanted = _batches(frame), setup._batches(frame)
    if done > wanted:
        return Back("all")
    if done < wanted:
        return Train("epoch" if setup.has_recording else "batch", wanted - done)
    if frame.cut != setup._cut:
        return Cut()
    if frame.scene.sample != setup.sample:
        return ShowSample(setup.sample - frame.scene.sample)
    return _moving(frame, setup) if cursor else None


def _moving(frame: Frame, setup: Setup) -> Command | None:
    unit = min(setup.unit, frame.scene.H - 1)
    if frame.cursor.unit != unit:
        return SelectUnit(unit - frame.cursor.unit)
    if frame.loss_step != _visible_loss_step(frame, setup):
        return ShowGradient(setup.loss_step)  # type: ignore[arg-type]
    if setup.phase is Phase.UPDATE:
        if frame.cursor.phase is Phase.UPDATE:
            return None
        start = frame.cursor.phase is Phase.BACKWARD and frame.cursor.t == 0
        return Next() if start else Go(Phase.BACKWARD, 0)
    t = frame.T if setup.phase is Phase.LOSS else min(setup.t, frame.T)
    if (frame.cursor.phase, frame.cursor.t) != (setup.phase, t):
        return Go(setup.phase, t)
    return None


def _visible_loss_step(frame: Frame, setup: Setup) -> int | None:
    if setup.loss_step == "total":
        return None
    if isinstance(setup.loss_step, int) and setup.loss_step in frame.scene.loss_steps:
        return setup.loss_step
    return frame.scene.last_loss_step


def _batches(frame: Frame) -> int:
    return frame.cursor.epoch * frame.learning.batches_per_epoch + frame.cursor.batch


def _difference(old: Experiment, new: Experiment) -> tuple[tuple[str, Any], ...]:
    then, now = old.to_dict(), new.to_dict()
    names = [name for name in now if then[name] != now[name]]
    if "task" in names:
        names += [name for name in OF_TASK if name not in names]
    return tuple((name, now[name]) for name in names)


def arrive(player: Player, setup: Setup, *, cursor: bool = True) -> Frame:
    """Bring a player to the setup, waiting for slow commands. Raises InputError if it cannot be reached."""
    for _ in range(50):
        command = toward(player.frame, setup, cursor=cursor)
        if command is None:
            return player.frame
        if isinstance(command, ShowSample) and setup.sample >= len(player.frame.scene.task):
            n = len(player.frame.scene.task)
            raise InputError(f"sample: there is no sequence {setup.sample}; use 0 to {n - 1}")
        player.do(command)
    raise InputError(f"these commands do not reach their target; {command} is left to do")
