"""The kind of run that was recorded: moments of a training elsewhere. Time travel goes over the records.

    >>> run = RecordingRun(Opening("runs/lstm", layer="encoder.lstm"))
    >>> run.place, run.scene(0).trace.grad_h.shape
    ((11, 0), (41, 1, 64))

One record is in memory. The folder may grow, and lose records, while it is open: a record is known by its step.
"""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import RLock

from rnnviz.errors import InputError
from rnnviz.glyphs import visible
from rnnviz.nn import Model, Trace
from rnnviz.player.kinds.opening import CANNOT, FORWARD, Opening
from rnnviz.player.kinds.run import Changed, KeepGoing, Look, Place, Report, Stopped
from rnnviz.recordings import passes
from rnnviz.recordings.layer_record import LayerRecord
from rnnviz.recordings.recording import Record, Recording
from rnnviz.scene.commands import Measure
from rnnviz.scene.frame import Progress, Update
from rnnviz.scene.horizon_history import HorizonHistory, Profile
from rnnviz.scene.learning import Records
from rnnviz.scene.scene import Companion, Compared, Evidence, Scene
from rnnviz.tasks.recorded import Recorded, recorded
from rnnviz.views.horizon_history import profile
from rnnviz.views.prepare import first_rows, prepare

MOST_BESIDE = 3  # other layers beside the present one
AT_ONCE = 2e9  # multiplications that the comparison of a layer beside the present one may take: about a second
A_MOMENT = 5e8  # multiplications of a sequence's forward pass, from which on a person is told what takes so long
LOOK_BACK = 50  # records that are searched for one that was compared


@dataclass(frozen=True)
class Part:
    """One level of a recorded layer in one direction, at one step of the training."""

    layer: str
    level: int
    direction: str
    step: int
    order: tuple[int, int, bool]
    title: str

    def difference(self, other: Part) -> str:
        parts = [self.title] if self.title != other.title else []
        if self.step != other.step:
            parts.append(f"step {self.step}")
        return " · ".join(parts) or "the same record"


class RecordingRun:
    """Raises InputError for a folder that is no recording or has no record yet, and for a layer, level, direction or
    record that it does not have."""

    experiment = None
    requested = None
    cut = False
    grows = True

    def __init__(self, opening: Opening, say: Callable[[str], None] = lambda text: None) -> None:
        """say: is given a sentence if it will take more than a moment to open."""
        self._recording = Recording.open(opening.path)
        self.source = replace(opening, record=None)
        self._folder = opening.path
        self._cannot = {name: why for name, why in CANNOT.items() if not (opening.is_of_lesson and name == "contents")}
        self._lock = RLock()  # a look at what is new may come from another thread than a command
        self._seen: int | None = _changed_at(opening.path)
        self._losses: dict[int, float] = {}  # by step
        self._profiles: dict[tuple[int, int], Profile] = {}  # by (sequence, step)
        many = len(self._recording)
        if not many:
            raise InputError(f"{opening.path}: has no record yet; start the training that it records, then open it")
        if opening.record is not None and not 1 <= opening.record <= many:
            raise InputError(f"record: {opening.record} is not one of the {many} records; choose 1 to {many}")
        self._at = (many if opening.record is None else opening.record) - 1
        record = self._recording[self._at]
        if not record.layers:
            raise InputError(f"{record.path}: holds no layer{_because(record)}")
        self._name = record.layers[0] if opening.layer is None else opening.layer
        layer = record.layer(self._name)
        if opening.level is not None and opening.level >= layer.levels:
            raise InputError(f"level: {opening.level} is not one of this layer's; choose 0 to {layer.levels - 1}")
        if opening.direction not in layer.directions:
            raise InputError(f"direction: this layer reads {FORWARD} only")
        self._level = layer.levels - 1 if opening.level is None else opening.level
        self._direction = opening.direction
        if layer.T * sum(int(weight.size) for weight in layer.weights.values()) > A_MOMENT:
            levels = f"{layer.levels} levels" if layer.levels > 1 else "a layer"
            say(f"Computing a sequence of {layer.T:,} steps through {levels} of {layer.H:,} units …")
        self._show(record, layer)

    # -- what it is ----------------------------------------------------------------------------------------

    @property
    def task(self) -> Recorded:
        return self._task

    @property
    def settings(self) -> Part:
        return _part(self._record, self._name, self._layer, self._level, self._direction)

    @property
    def cannot(self) -> Mapping[str, str]:
        return self._cannot

    @property
    def record(self) -> Record:
        """The present record."""
        return self._record

    @property
    def place(self) -> Place:
        return self._at, 0

    def learning(self) -> Records:
        with self._lock:
            steps = self._recording.steps
            losses = [self._losses[step] for step in steps if step in self._losses]
            are_known = len(losses) == len(steps) and not all(map(math.isnan, losses))
            return Records(
                epochs=len(steps) - 1,
                batches_per_epoch=1,
                batch_size=self._layer.total or self._layer.B,
                loss=tuple(losses) if are_known else (),
                val_loss=(),
                steps=steps,
            )

    def scene(self, sample: int, loss_step: int | None = None) -> Scene:
        with self._lock:
            return self._scene(self._record, self._layer, self.settings, sample, loss_step)

    def _scene(
        self,
        record: Record,
        layer: LayerRecord,
        part: Part,
        sample: int,
        loss_step: int | None,
        is_beside: bool = False,
    ) -> Scene:
        sample = min(sample, layer.B - 1)
        trace = passes.trace_of(layer, sample, part.level, part.direction)
        framework = str(self._recording.about.get("framework", "")).partition(" ")[0]

        def prove() -> Evidence:
            figure = record.agreement(part.layer)
            notes = (*record.notes(part.layer), *([] if figure is not None else [_unmeasured(layer)]))
            near = self._compared_before(record, part.layer) if figure is None and layer.grads else None
            return Evidence(figure, record.is_proved(part.layer), framework, notes, near)

        scene = Scene(
            recorded(layer, part.title, trace.I),
            sample,
            Model(trace.spec, dict(trace.params)),
            trace,
            loss=record.loss,
            prove=prove,
        )
        is_quick = layer.agreement is not None or not layer.grads or (is_beside and _cost(layer) <= AT_ONCE)
        return prepare(scene, *first_rows(scene, loss_step), *([Measure("evidence")] if is_quick else []))

    def _compared_before(self, record: Record, name: str) -> tuple[int, float] | None:
        """(step, agreement) of the last record before this one that is proved; None if none of some is."""
        with self._lock:
            at = bisect_right(self._recording.steps, record.step) - 1
            for before in reversed(self._recording[max(0, at - LOOK_BACK) : max(0, at)]):
                try:
                    if before.is_proved(name) and (figure := before.agreement(name)) is not None:
                        return before.step, figure
                except InputError:  # it is gone, or holds another layer
                    continue
        return None

    def _show(self, record: Record, layer: LayerRecord) -> None:
        self._record, self._layer = record, layer
        self._losses[record.step] = math.nan if record.loss is None else record.loss
        self._task = recorded(layer, self.settings.title, layer.I)

    # -- time travel ---------------------------------------------------------------------------------------

    def goto(self, place: Place) -> None:
        with self._lock:
            record = self._recording[place[0]]
            layer = record.layer(self._name)
            if self._level >= layer.levels or self._direction not in layer.directions:
                raise InputError(f"{record.path}: its layer {self._name} has no such level or direction")
            self._at = place[0]
            self._show(record, layer)

    def forward(self, amount: str, count: int, keep_going: KeepGoing, look: Look, report: Report) -> tuple[bool, str]:
        last = len(self._recording) - 1
        if self._at == last:
            return False, "This is the last record so far; new ones appear while the training runs."
        passed = self._goto_near(last if amount == "all" else min(self._at + count, last), by=1)
        look(1, 1)
        return True, passed

    def back(self, amount: str) -> str:
        if self._at == 0:
            return "This is the first record."
        self._goto_near(0 if amount == "all" else self._at - 1, by=-1)
        return ""

    def _goto_near(self, at: int, by: int) -> str:
        """To this record, or to the next one in this direction that can be shown; "", or what is wrong with this one.
        Raises InputError if none can be."""
        with self._lock:
            step = self._recording.steps[at]
            if not self._recording[at].path.exists():  # a full recording has dropped it meanwhile
                self.refresh()
                steps = self._recording.steps
                at = min(max(bisect_right(steps, step) - (by < 0), 0), len(steps) - 1)
            first: InputError | None = None
            while 0 <= at < len(self._recording):
                try:
                    self.goto((at, 0))
                    return "" if first is None else f"Passed over: {first}"
                except InputError as error:
                    first, at = first or error, at + by
            assert first is not None
            raise first

    def update(self, scene: Scene) -> Update:
        raise InputError(CANNOT["update"])

    def survey(self, sample: int, report: Report, keep_going: KeepGoing) -> None:
        steps = self._recording.steps
        for number, step in enumerate(steps):
            if not keep_going():
                break
            if (sample, step) not in self._profiles:
                trace = self._trace(number, sample)
                if trace is not None:
                    self._profiles[sample, step] = profile(trace)
                report(Progress("measuring the records", number + 1, len(steps), unit="records"))

    def _trace(self, at: int, sample: int) -> Trace | None:
        """Of another record; None where it cannot be read."""
        try:
            layer = self._recording[at].layer(self._name)
            return passes.trace_of(layer, min(sample, layer.B - 1), self._level, self._direction)
        except (InputError, IndexError):
            return None

    def horizons(self, sample: int) -> HorizonHistory | None:
        numbers = {step: number for number, step in enumerate(self._recording.steps)}
        known = {numbers[s]: p for (n, s), p in self._profiles.items() if n == sample and s in numbers}
        return HorizonHistory(sample, known) if known else None

    # -- what comes while it is open -----------------------------------------------------------------------

    def has_news(self) -> bool:
        """Whether `refresh` may find something; costs one look at the folder, from any thread."""
        return _changed_at(self._folder) != self._seen or len(self._losses) < len(self._recording)

    def refresh(self, keep_going: KeepGoing = lambda: True) -> bool:
        """Look at the folder again, and read the losses that are not known yet. From the last record it moves to the
        new last one. Whether it stands at another record now."""
        with self._lock:
            was_last, present = self._at == len(self._recording) - 1, self._record.step
            self._seen = _changed_at(self._folder)
            self._recording.refresh()
            steps = self._recording.steps
            if not steps:
                return False
            self._at = max(0, bisect_right(steps, present) - 1)
            wanted = len(steps) - 1 if was_last else self._at
            moves = steps[wanted] != present  # there is a new last one; or this one is gone, to make room
            if moves:
                self.goto((wanted, 0))
            for number, step in enumerate(steps):
                if step not in self._losses and keep_going():
                    self._losses[step] = _loss(self._recording[number])
            return moves

    # -- changes: there are none -----------------------------------------------------------------------------

    def changed(self, settings: tuple[tuple[str, object], ...]) -> Changed | None:
        raise InputError(CANNOT["knobs"])

    def save(self, path: str, *, overwrites: bool) -> str:
        raise InputError(CANNOT["save"])

    def with_typed(self, text: str, sample: int) -> RecordingRun:
        raise InputError(CANNOT["type"])

    def with_loop_turned(self) -> RecordingRun:
        raise InputError(CANNOT["cut"])

    # -- others beside it ------------------------------------------------------------------------------------

    def beside(
        self, pinned: Compared | None, sample: int, loss_step: int | None, keep_going: KeepGoing, report: Report
    ) -> tuple[Companion, ...]:
        """What was pinned, or the other layers, levels and directions of this record."""
        with self._lock:
            if isinstance(pinned, Part):
                at = bisect_right(self._recording.steps, pinned.step) - 1
                record = self._recording[max(at, 0)]
                wanted = [pinned]
            else:
                record, wanted = self._record, self._parts(self._record)[:MOST_BESIDE]
            found = []
            for part in wanted:
                if not keep_going():
                    raise Stopped
                layer = self._layer if record is self._record and part.layer == self._name else record.layer(part.layer)
                found.append(Companion(part, self._scene(record, layer, part, sample, loss_step, True)))
            return tuple(found)

    def follow(self, pinned: Compared | None) -> None:
        """They are read where they are looked at."""

    def _parts(self, record: Record) -> list[Part]:
        """All that can be looked at in this record beside the present part."""
        found = []
        for name in record.layers:
            layer = self._layer if name == self._name else record.layer(name)
            for level in range(layer.levels):
                found += [_part(record, name, layer, level, direction) for direction in layer.directions]
        return [part for part in found if part != self.settings]


def _part(record: Record, name: str, layer: LayerRecord, level: int, direction: str) -> Part:
    title = visible(name) + (f" level {level}" if layer.levels > 1 else "")
    title += f" {direction}" if len(layer.directions) > 1 else ""
    order = record.layers.index(name), level, direction != FORWARD
    return Part(name, level, direction, record.step, order, title)


def _because(record: Record) -> str:
    reasons = record.extra.get("not_recorded", ())
    return f" ({'; '.join(map(str, reasons))})" if reasons else ""


def _unmeasured(layer: LayerRecord) -> str:
    if not layer.grads:
        return "The weight gradients were not recorded."
    return "Not all sequences of the batch were kept to compare."


def _cost(layer: LayerRecord) -> float:
    """Multiplications, roughly, of comparing its weight gradients: forward, back, and the gradients themselves."""
    return 3.0 * layer.T * layer.B * sum(int(weight.size) for weight in layer.weights.values())


def _changed_at(folder: str) -> int | None:
    """When something in the folder changed last, in nanoseconds; None while it cannot be looked at."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return None


def _loss(record: Record) -> float:
    """nan where there is none, or it cannot be read."""
    try:
        return math.nan if record.loss is None else record.loss
    except InputError:
        return math.nan
