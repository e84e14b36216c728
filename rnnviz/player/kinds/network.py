"""The kind of run that is a network from a file: one moment, no training.

    >>> run = NetworkRun(NetworkOpening("model.pt", layer="encoder.lstm"))
    >>> run.scene(0).trace.grad_norm(40)          # ‖∂h_40/∂h_t‖: with weights alone there is no loss

What it reads is what was typed, a person's data (or a task of ours), or else sequences that are generated here; their
description names that. With a readout and targets that fit, what goes back is the gradient of the loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rnnviz.errors import InputError
from rnnviz.experiment.build import build_task, resolved, trace_of
from rnnviz.glyphs import cut, visible
from rnnviz.nn import Model, Trace, losses
from rnnviz.nn.layer_layout import FORWARD
from rnnviz.nn.losses import LossValue
from rnnviz.nn.types import Array
from rnnviz.player.kinds.network_inputs import STEPS, fitted, generated, record_of
from rnnviz.player.kinds.opening import NETWORK_CANNOT, OF_A_PART, WITHOUT_TARGETS, NetworkOpening
from rnnviz.player.kinds.run import Changed, KeepGoing, Look, Place, Report, Stopped
from rnnviz.recordings import passes
from rnnviz.recordings.layer_record import LayerRecord
from rnnviz.scene.commands import Measure
from rnnviz.scene.frame import Update
from rnnviz.scene.horizon_history import HorizonHistory
from rnnviz.scene.learning import Learning, OneMoment, WithoutLoss
from rnnviz.scene.scene import Companion, Compared, Scene
from rnnviz.tasks import Task
from rnnviz.tasks.recorded import Recorded, part_of, without_readout
from rnnviz.tasks.typed import answered_by_itself, numbers, replaced, with_typed
from rnnviz.views.prepare import first_rows, prepare, read
from rnnviz.weights.contents import Layer, WeightFile
from rnnviz.weights.models import model_of
from rnnviz.weights.reading import read as read_weights

MOST_BESIDE = 3  # other layers beside the present one


@dataclass(frozen=True)
class Part:
    """One level of a layer of a file in one direction."""

    path: str
    layer: str
    level: int
    direction: str
    order: tuple[int, int, bool]
    title: str

    def difference(self, other: Part) -> str:
        parts = [self.title] if self.title != other.title else []
        if self.path != other.path:
            parts.append(Path(self.path).name)
        return " · ".join(parts) or "the same layer"


class NetworkRun:
    """Raises InputError for a file that cannot be read, a layer, level or direction that it does not have, and data
    that the layer cannot read."""

    experiment = None
    requested = None
    cut = False
    grows = False
    place: Place = (0, 0)

    def __init__(self, opening: NetworkOpening, file: WeightFile | None = None) -> None:
        """file: where it has been read already."""
        self.source = opening
        self._file = file or read_weights(opening.path, opening.activation)
        layer = self._file.layer(opening.layer)
        if opening.level is not None and opening.level >= layer.levels:
            raise InputError(f"level: {opening.level} is not one of this layer's; choose 0 to {layer.levels - 1}")
        if opening.direction not in layer.directions:
            raise InputError(f"direction: this layer reads {FORWARD} only")
        level = layer.levels - 1 if opening.level is None else opening.level
        self._part = self._part_of(layer, level, opening.direction)
        self._readout = self._file.readout_of(layer, opening.readout)
        self._embedding = self._file.embedding_of(layer)
        notes = [f"{one.what} Taken: {one.taken}; {one.flag} decides otherwise." for one in layer.doubts]
        self._has_data = opening.data is not None
        if opening.data is None:
            self._data = generated(layer, self._embedding, self._part.title, has_readout=self._readout is not None,
                                   steps=opening.steps or STEPS)  # fmt: skip
        else:
            if opening.data.mask == "copy":
                raise InputError("mask: a network from a file reads the data packed or without a mask; leave copy out")
            self._data = build_task(resolved(opening.data))
            layer, more = fitted(layer, self._embedding, self._data)
            notes += more
            if self._readout is None:
                notes.append(f"No loss: {self._file.why_no_readout(layer) or 'no readout was wanted.'}")
            elif self._readout.outputs != self._data.output_size:
                notes.append(
                    f"No loss: {self._readout.name} gives {self._readout.outputs} numbers, and the data has "
                    f"{self._data.output_size} {'classes' if self._data.labels else 'targets'}."
                )
            elif self._data.labels and self._data.labels != self._data.vocab:
                notes.append(f"Output k is taken for class k of the data: {cut(', '.join(self._data.labels), 34)}")
        self._layer = layer
        self._beside = self._other(opening) if opening.beside is not None else None
        self._data = replace(self._data, notes=(*notes, *self._data.notes))

    # -- what it is ----------------------------------------------------------------------------------------

    @property
    def task(self) -> Task:
        return self._task_of(self._layer, self._part)

    @property
    def file(self) -> WeightFile:
        return self._file

    @property
    def layer(self) -> Layer:
        return self._layer

    @property
    def settings(self) -> Part:
        return self._part

    @property
    def cannot(self) -> Mapping[str, str]:
        own = {
            name: why for name, why in NETWORK_CANNOT.items() if not (self.source.is_of_lesson and name == "contents")
        }
        if not self.has_loss:
            return {**own, **WITHOUT_TARGETS}
        return {**own, **({} if self._is_whole(self._layer, self._part) else OF_A_PART)}

    def learning(self) -> Learning:
        kind = OneMoment if self.has_loss else WithoutLoss
        return kind(epochs=0, batches_per_epoch=1, batch_size=1, loss=(), val_loss=())

    @property
    def readout(self) -> str | None:
        """The name of the linear layer that reads its states, if it is known which."""
        return None if self._readout is None else self._readout.name

    @property
    def has_loss(self) -> bool:
        """Whether the readout and the targets are known, and fit."""
        return self._judges(self._layer)

    def _judges(self, layer: Layer) -> bool:
        readout = self._readout
        fits = readout is not None and readout.outputs == self._data.output_size
        return layer is self._layer and self._data.has_targets and fits

    def _answers(self, layer: Layer, part: Part) -> bool:
        """Whether its outputs are known, though not what they should be."""
        is_own = layer is self._layer and self._readout is not None
        return is_own and not self._has_data and self._is_whole(layer, part)

    def _is_whole(self, layer: Layer, part: Part) -> bool:
        """Whether the readout reads the states of this part alone."""
        return layer.directions == (FORWARD,) and part.level == layer.levels - 1

    def _task_of(self, layer: Layer, part: Part) -> Task:
        if not self._has_data:
            data = replace(self._data, title=part.title)
            return data if self._answers(layer, part) else without_readout(data)
        if self._judges(layer) and self._is_whole(layer, part):
            return replace(self._data, title=part.title)
        return part_of(self._data, part.title, "direct" if self._judges(layer) else "none")

    # -- what it reads ---------------------------------------------------------------------------------------

    def scene(self, sample: int, loss_step: int | None = None) -> Scene:
        return self._scene(self._layer, self._part, sample, loss_step)

    def _scene(self, layer: Layer, part: Part, sample: int, loss_step: int | None) -> Scene:
        task = self._task_of(layer, part)
        sample = min(sample, len(task) - 1)
        if self._judges(layer) and self._is_whole(layer, part):
            return read(task, sample, self._model(), loss_step=loss_step)
        trace = self.trace(layer, part, sample)
        loss = self._loss_of(sample).loss if trace.has_loss else None
        scene = Scene(task, sample, Model(trace.spec, dict(trace.params)), trace, loss=loss)
        return prepare(scene, *first_rows(scene, loss_step))

    def trace(self, layer: Layer, part: Part, sample: int) -> Trace:
        """Of one sequence, at one level in one direction."""
        if self._answers(layer, part):
            return self._model().trace(self._data.x[sample, : self._data.lengths[sample], None])
        if not self._judges(layer):
            return passes.trace_of(self._record(layer, sample), 0, part.level, part.direction, has_loss=False)
        if self._is_whole(layer, part):
            return trace_of(self._model(), self._data, sample)
        assert self._readout is not None
        direct = self._loss_of(sample).grad_y @ np.asarray(self._readout.weight, np.float64)
        return passes.trace_of(self._record(layer, sample, direct), 0, part.level, part.direction)

    def _model(self) -> Model:
        return model_of(self._layer, self._readout, self._file.path).in_float64

    def _record(self, layer: Layer, sample: int, direct: Array | None = None) -> LayerRecord:
        return record_of(layer, self._data.x[sample, : self._data.lengths[sample], None], direct)

    def _outputs(self, sample: int) -> Array:
        """(T, 1, O): of the readout."""
        assert self._readout is not None
        weight, bias = np.asarray(self._readout.weight, np.float64), self._readout.bias
        y = passes.outputs(self._record(self._layer, sample)) @ weight.T
        return y if bias is None else y + bias

    def _loss_of(self, sample: int) -> LossValue:
        data, steps = self._data, int(self._data.lengths[sample])
        targets, mask = data.targets[sample, :steps, None], data.loss_mask[sample, :steps, None]
        return losses.evaluate(data.loss, self._outputs(sample), targets, mask)

    def _part_of(self, layer: Layer, level: int, direction: str) -> Part:
        title = visible(layer.name or Path(self._file.path).name) + (f" level {level}" if layer.levels > 1 else "")
        title += f" {direction}" if len(layer.directions) > 1 else ""
        order = [one.name for one in self._file.layers].index(layer.name), level, direction != FORWARD
        return Part(self._file.path, layer.name, level, direction, order, title)

    # -- one moment ------------------------------------------------------------------------------------------

    def goto(self, place: Place) -> None:
        """There is one place."""

    def forward(self, amount: str, count: int, keep_going: KeepGoing, look: Look, report: Report) -> tuple[bool, str]:
        return False, NETWORK_CANNOT["all"]

    def back(self, amount: str) -> str:
        return NETWORK_CANNOT["all_back"]

    def update(self, scene: Scene) -> Update:
        raise InputError(NETWORK_CANNOT["update"])

    def survey(self, sample: int, report: Report, keep_going: KeepGoing) -> None:
        """There is no history."""

    def horizons(self, sample: int) -> HorizonHistory | None:
        return None

    def has_news(self) -> bool:
        return False

    def refresh(self, keep_going: KeepGoing) -> bool:
        return False

    def changed(self, settings: tuple[tuple[str, object], ...]) -> Changed | None:
        raise InputError(NETWORK_CANNOT["knobs"])

    def save(self, path: str, *, overwrites: bool) -> str:
        raise InputError(NETWORK_CANNOT["save"])

    def with_typed(self, text: str, sample: int) -> NetworkRun:
        run, data = copy(self), self._data.original or self._data
        if text.strip():
            is_rows = self._embedding is not None and not self._has_data
            data = self._with_rows(sample, text) if is_rows else with_typed(self._data, sample, text)
        run._data = data
        if self._beside is not None:
            run._beside = self._beside.with_typed(text, sample)
        if data.typed is not None and data.typed.is_own_answer and run.has_loss:
            run._data = answered_by_itself(data, run._outputs(sample)[:, 0])
        return run

    def _with_rows(self, sample: int, text: str) -> Task:
        """The typed numbers are rows of the embedding. Raises InputError for another."""
        embedding, data = self._embedding, self._data
        assert embedding is not None
        assert isinstance(data, Recorded)
        tokens = numbers(text, 1)[:, 0]
        if not ((tokens >= 0) & (tokens < embedding.words) & (tokens == tokens.round())).all():
            raise InputError(f"type whole numbers from 0 to {embedding.words - 1}: rows of {embedding.name}")
        rows = [int(token) for token in tokens]
        words = list(data.words)
        words[sample] = tuple(map(str, rows))
        typed = replaced(data, sample, np.asarray(embedding.rows(rows), np.float64), text)
        assert isinstance(typed, Recorded)
        return replace(typed, words=tuple(words))

    def with_loop_turned(self) -> NetworkRun:
        raise InputError(NETWORK_CANNOT["cut"])

    # -- others beside it ------------------------------------------------------------------------------------

    def beside(
        self, pinned: Compared | None, sample: int, loss_step: int | None, keep_going: KeepGoing, report: Report
    ) -> tuple[Companion, ...]:
        """What was pinned, or the other levels, directions and layers of the file that can read the same sequence."""
        if self._beside is not None and not isinstance(pinned, Part):
            scene = self._beside.scene(sample, loss_step)
            part = self._beside.settings
            name = f"{Path(part.path).name} {part.title}"
            return (Companion(replace(part, title=name), _with_row(scene, loss_step, keep_going, report)),)
        parts = self._parts()
        wanted = [part for part in parts if part == pinned] if isinstance(pinned, Part) else list(parts)[:MOST_BESIDE]
        found = []
        for part in wanted:
            if not keep_going():
                raise Stopped
            scene = self._scene(parts[part], part, sample, loss_step)
            found.append(Companion(part, _with_row(scene, loss_step, keep_going, report)))
        return tuple(found)

    def follow(self, pinned: Compared | None) -> None:
        """They are where this one is."""

    def _other(self, opening: NetworkOpening) -> NetworkRun:
        """The network of the other file, with the layer of the same name, or its only one. Raises InputError if it
        reads other inputs, or has no loss where this one has."""
        assert opening.beside is not None
        names = [layer.name for layer in read_weights(opening.beside, opening.activation).layers]
        own = self._part.layer if self._part.layer in names else None
        try:
            other = NetworkRun(replace(opening, path=opening.beside, layer=own, readout=None, beside=None))
        except InputError as error:
            raise InputError(f"beside: {error}") from None
        if other.layer.input_size != self._layer.input_size:
            raise InputError(
                f"beside: {opening.beside}: {other.layer.name} reads {other.layer.input_size} inputs a step"
            )
        if other.has_loss != self.has_loss:
            raise InputError(f"beside: {opening.beside}: only one of the two networks has a readout that fits the data")
        return other

    def parts_of_layer(self) -> list[Part]:
        """Every level and direction of its layer."""
        layer = self._layer
        return [self._part_of(layer, level, d) for level in range(layer.levels) for d in layer.directions]

    def _parts(self) -> dict[Part, Layer]:
        """All that can be looked at beside the present part."""
        found = {}
        for one in self._file.layers:
            layer = self._layer if one.name == self._layer.name else one
            if layer.input_size != self._layer.input_size or (self.has_loss and layer is not self._layer):
                continue  # another layer has no loss of its own
            for level in range(layer.levels):
                for direction in layer.directions:
                    found[self._part_of(layer, level, direction)] = layer
        del found[self._part]
        return found


def _with_row(scene: Scene, loss_step: int | None, keep_going: KeepGoing, report: Report) -> Scene:
    """The scene with its gradient row, however long that takes. Raises Stopped if it may not keep going."""
    step = loss_step if loss_step in scene.loss_steps else scene.last_loss_step
    scene = prepare(scene, Measure("gradient", step), report=report, is_cancelled=lambda: not keep_going())
    if not keep_going():
        raise Stopped
    return scene
