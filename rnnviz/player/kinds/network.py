"""The kind of run that is a network from a file: one moment, no training.

    >>> run = NetworkRun(NetworkOpening("model.pt", layer="encoder.lstm"))
    >>> run.scene(0).trace.grad_norm(40)          # ‖∂h_40/∂h_t‖: with weights alone there is no loss

What it reads is what was typed, or else sequences that are generated here; their description names that.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rnnviz.errors import InputError
from rnnviz.glyphs import visible
from rnnviz.nn import Model, Trace
from rnnviz.nn.layer_layout import FORWARD
from rnnviz.nn.types import Array
from rnnviz.player.kinds.opening import NETWORK_CANNOT, WITHOUT_TARGETS, NetworkOpening
from rnnviz.player.kinds.run import Changed, KeepGoing, Look, Place, Report, Stopped
from rnnviz.recordings import passes
from rnnviz.recordings.layer_record import LayerRecord
from rnnviz.scene.commands import Measure
from rnnviz.scene.frame import Update
from rnnviz.scene.horizon_history import HorizonHistory
from rnnviz.scene.learning import Learning, OneMoment, WithoutLoss
from rnnviz.scene.scene import Companion, Compared, Scene
from rnnviz.tasks import Task
from rnnviz.tasks.recorded import Recorded, read_by
from rnnviz.tasks.typed import numbers, replaced, with_typed
from rnnviz.views.prepare import first_rows, prepare
from rnnviz.weights.contents import Embedding, Layer, WeightFile
from rnnviz.weights.reading import read as read_weights

MOST_BESIDE = 3  # other layers beside the present one
#: The generated sequences: so many of so many steps, from this seed.
SEQUENCES, STEPS, SEED = 8, 40, 0


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
    """Raises InputError for a file that cannot be read, and for a layer, level or direction that it does not have."""

    experiment = None
    requested = None
    cut = False
    grows = False
    place: Place = (0, 0)

    def __init__(self, opening: NetworkOpening, file: WeightFile | None = None) -> None:
        """file: where it has been read already."""
        self.source = opening
        self._file = file or read_weights(opening.path, opening.activation)
        self._layer = layer = self._file.layer(opening.layer)
        if opening.level is not None and opening.level >= layer.levels:
            raise InputError(f"level: {opening.level} is not one of this layer's; choose 0 to {layer.levels - 1}")
        if opening.direction not in layer.directions:
            raise InputError(f"direction: this layer reads {FORWARD} only")
        level = layer.levels - 1 if opening.level is None else opening.level
        self._part = self._part_of(layer, level, opening.direction)
        self._task = generated(layer, self._file.embedding_of(layer), self._part.title)
        doubts = tuple(f"{one.what} Taken: {one.taken}; {one.flag} decides otherwise." for one in layer.doubts)
        self._task = replace(self._task, notes=doubts)

    # -- what it is ----------------------------------------------------------------------------------------

    @property
    def task(self) -> Task:
        return self._task

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
        return {**NETWORK_CANNOT, **WITHOUT_TARGETS}

    def learning(self) -> Learning:
        nothing = {"loss": (), "val_loss": ()}
        return (OneMoment if self._has_loss else WithoutLoss)(epochs=0, batches_per_epoch=1, batch_size=1, **nothing)

    @property
    def _has_loss(self) -> bool:
        return False

    def scene(self, sample: int, loss_step: int | None = None) -> Scene:
        return self._scene(self._layer, self._part, sample, loss_step)

    def _scene(self, layer: Layer, part: Part, sample: int, loss_step: int | None) -> Scene:
        sample = min(sample, len(self._task) - 1)
        trace = self.trace(layer, part, sample)
        task = self._task
        if part is not self._part:
            task = replace(task, title=part.title)
        scene = Scene(task, sample, Model(trace.spec, dict(trace.params)), trace)
        return prepare(scene, *first_rows(scene, loss_step))

    def trace(self, layer: Layer, part: Part, sample: int) -> Trace:
        """Of one sequence, at one level in one direction."""
        x = self._task.x[sample, : self._task.lengths[sample], None]
        return passes.trace_of(record_of(layer, x), 0, part.level, part.direction, has_loss=False)

    def _part_of(self, layer: Layer, level: int, direction: str) -> Part:
        title = visible(layer.name or Path(self._file.path).name) + (f" level {level}" if layer.levels > 1 else "")
        title += f" {direction}" if len(layer.directions) > 1 else ""
        order = self._file.layers.index(layer), level, direction != FORWARD
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

    def with_typed(self, text: str, sample: int) -> NetworkRun:
        run, task = copy(self), self._task.original or self._task
        if text.strip():
            embedding = self._file.embedding_of(self._layer)
            task = (
                with_typed(self._task, sample, text) if embedding is None else _with_rows(task, sample, text, embedding)
            )
        run._task = task
        return run

    def with_loop_turned(self) -> NetworkRun:
        raise InputError(NETWORK_CANNOT["cut"])

    # -- others beside it ------------------------------------------------------------------------------------

    def beside(
        self, pinned: Compared | None, sample: int, loss_step: int | None, keep_going: KeepGoing, report: Report
    ) -> tuple[Companion, ...]:
        """What was pinned, or the other levels, directions and layers of the file that can read the same sequence."""
        parts = self._parts()
        wanted = [part for part in parts if part == pinned] if isinstance(pinned, Part) else list(parts)[:MOST_BESIDE]
        found = []
        for part in wanted:
            if not keep_going():
                raise Stopped
            scene = self._scene(parts[part], part, sample, loss_step)
            row = Measure("gradient", loss_step if loss_step in scene.loss_steps else scene.last_loss_step)
            scene = prepare(scene, row, report=report, is_cancelled=lambda: not keep_going())
            if not keep_going():
                raise Stopped
            found.append(Companion(part, scene))
        return tuple(found)

    def follow(self, pinned: Compared | None) -> None:
        """They are where this one is."""

    def parts_of_layer(self) -> list[Part]:
        """Every level and direction of its layer."""
        layer = self._layer
        return [self._part_of(layer, level, d) for level in range(layer.levels) for d in layer.directions]

    def _parts(self) -> dict[Part, Layer]:
        found = {}
        for layer in self._file.layers:
            if layer.input_size != self._layer.input_size:
                continue
            for level in range(layer.levels):
                for direction in layer.directions:
                    found[self._part_of(layer, level, direction)] = layer
        del found[self._part]
        return found


def record_of(layer: Layer, x: Array, direct: Array | None = None) -> LayerRecord:
    """The layer as it reads x (T, B, I). direct: dL/d(output_t) (T, B, D*H); None: zeros."""
    T, B = x.shape[:2]
    return LayerRecord(
        cell=layer.cell,
        weights=layer.weights,
        x=x,
        direct=np.zeros((T, B, layer.output_size), np.float32) if direct is None else direct,
        activation=layer.activation,
    )


def _with_rows(task: Task, sample: int, text: str, embedding: Embedding) -> Task:
    """The typed numbers are rows of the embedding. Raises InputError for another."""
    tokens = numbers(text, 1)[:, 0]
    if not ((tokens >= 0) & (tokens < embedding.words) & (tokens == tokens.round())).all():
        raise InputError(f"type whole numbers from 0 to {embedding.words - 1}: rows of {embedding.name}")
    rows = [int(token) for token in tokens]
    typed = replaced(task, sample, np.asarray(embedding.weight[rows], np.float64), text)
    assert isinstance(typed, Recorded)
    words = list(typed.words)
    words[sample] = tuple(map(str, rows))
    return replace(typed, words=tuple(words))


def generated(layer: Layer, embedding: Embedding | None, title: str) -> Task:
    """Sequences for a layer of which no data is known: rows of its embedding, drawn at random, or else noise."""
    rng = np.random.default_rng(SEED)
    lengths = np.full(SEQUENCES, STEPS)
    if embedding is not None:
        tokens = rng.integers(0, embedding.words, (SEQUENCES, STEPS))
        words = tuple(tuple(str(token) for token in row) for row in tokens.tolist())
        names = (f"random rows of {visible(embedding.name)} (seed {SEED})",) * SEQUENCES
        return read_by(np.asarray(embedding.weight[tokens], np.float64), lengths, title, names, words)
    x = rng.standard_normal((SEQUENCES, STEPS, layer.input_size))
    return read_by(x, lengths, title, (f"unit noise, made here (seed {SEED})",) * SEQUENCES)
