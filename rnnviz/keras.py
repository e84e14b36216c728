"""Watch a training in Keras 3: a callback that records its recurrent layers, with the gradients of a fixed batch.

    model.fit(x, y, epochs=20, callbacks=[rnnviz.keras.Watch("runs/sine", x[:8], y[:8])])

    rnnviz runs/sine        # in another terminal, while it trains

Before the training and at the end of every n-th epoch the model computes its loss on the fixed batch once more, without
dropout, and the gradients of that loss are recorded. The training stays as it is: weights, metrics, optimizer, random
numbers, and so its losses. SimpleRNN, LSTM, GRU, RNN with their cells and Bidirectional are recorded, wherever they are
in the model, on the backends PyTorch, JAX and TensorFlow.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn.spec import whole_number
from rnnviz.recordings import passes
from rnnviz.recordings.layer_record import LayerRecord
from rnnviz.recordings.recorder import Recorder
from rnnviz.recordings.recording import Recording
from rnnviz.watching.keras_layers import Watched, cut, found_in
from rnnviz.watching.keras_probe import BACKENDS, Probe

__all__ = ["Watch"]


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Records the recurrent layers of the model that `fit` trains.

    path    the folder of the recording; see rnnviz.Recorder, which also explains limit and append
    x, y    the fixed batch, as `fit` takes it: arrays, or lists or dicts of arrays. The gradients belong to its loss
            alone, without weights of classes or samples and without the penalties on these layers' weights
    every   record at the end of every n-th epoch; the step of a record is the number of epochs that came before it
    keep    sequences of the batch that are written; the weight gradients are compared on the whole batch
    layers  names of layers; None: all that can be recorded

    `fit` raises InputError before its first step if the folder cannot be used, if the model does not run on the batch,
    or if it has no layer that can be recorded, with the reason. After that nothing is raised: what cannot be recorded
    is noted in the recording and once on stderr.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        x: Any,
        y: Any,
        every: int = 1,
        keep: int = 8,
        layers: Sequence[str] | None = None,
        limit: str | int = "1 GB",
        append: bool = False,
    ) -> None:
        super().__init__()
        if keras.backend.backend() not in BACKENDS:
            raise InputError(f"Keras runs on {keras.backend.backend()}; it can be watched on {', '.join(BACKENDS)}")
        self._x, self._y = (keras.tree.map_structure(_as_fit_does, data) for data in (x, y))
        self._every, self._keep = whole_number("every", every, low=1), whole_number("keep", keep, low=1)
        self._names = None if layers is None else tuple([layers] if isinstance(layers, str) else layers)
        self._path, self._limit, self._append = path, limit, append
        self._recorder: Recorder | None = None
        self._seen = 0  # epochs, of earlier calls of fit too
        self._offset = 0
        self._latest = -1  # the step of the latest record
        self._is_on = False
        self._probe: Probe | None = None
        self._layers: list[Watched] = []
        self._refused: dict[str, str] = {}
        self._warned: set[str] = set()

    # -- what fit calls --------------------------------------------------------------------------------

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._is_on = False

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self._is_on:
            return
        self._is_on, self._probe = True, None
        try:
            self._check()
        except InputError as error:
            if self._recorder is None:  # the first check
                raise
            self._warn(str(error))
        self._offset = max(0, self._seen - epoch)  # another fit that counts from 0 again
        self._record(epoch + self._offset, {})

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        step = epoch + 1 + self._offset
        self._seen = max(self._seen, step)
        if (epoch + 1) % self._every == 0:
            self._record(step, logs or {})

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._probe = None  # the next fit may be of another model, or compiled anew
        if self._recorder is not None:
            self._recorder.close()

    # -- inside ----------------------------------------------------------------------------------------

    def _check(self) -> None:
        """Which layers can be recorded. Raises InputError if there are none, or one of those asked for cannot be."""
        model = self.model
        found = {watched.name: watched for watched in found_in(model)}
        if not found:
            raise InputError("the model has no recurrent layer: no SimpleRNN, LSTM, GRU or RNN")
        for name in self._names or ():
            if name not in found:
                raise InputError(f"layers: {short_repr(name)} is none of the recurrent layers: {', '.join(found)}")
        chosen = [found[name] for name in self._names or found]
        refused = {watched.name: watched.refusal() for watched in chosen}
        able = [watched for watched in chosen if not refused[watched.name]]
        if able:
            probe = Probe(model, [layer for watched in able for layer in watched.layers], self._x, self._y)
            for watched in able:
                refused[watched.name] = watched.refusal_of(probe.called)
        self._layers = [watched for watched in chosen if not refused[watched.name]]
        self._refused = {name: reason for name, reason in refused.items() if reason}
        for name, reason in self._refused.items():
            if self._names or not self._layers:
                raise InputError(f"layers: {name} cannot be recorded: {reason}")
        about = {
            "framework": f"Keras {keras.__version__} on {keras.backend.backend()}",
            "every": self._every,
            "keep": self._keep,
            "layers": {watched.name: type(watched.layers[0]).__name__ for watched in self._layers},
        }
        again = self._recorder is not None
        recorder = Recorder(self._path, limit=self._limit, append=self._append or again, about=about)
        if not again:
            self._seen = max(Recording.open(self._path).steps, default=0)
        self._recorder, self._probe = recorder, probe
        for name, reason in self._refused.items():
            self._warn(f"{name}: not recorded: {reason}")

    def _record(self, step: int, logs: Mapping[str, Any]) -> None:
        if self._probe is None or self._recorder is None or self._recorder.stopped or step == self._latest:
            return
        self._latest = step
        try:
            model = self.model  # with JAX this brings the weights back into the model
            if not self._recorder.next_is_kept():
                self._recorder.add(step=step)
                return
            extra: dict[str, Any] = {f"fit: {name}": value for name, value in logs.items() if _is_number(value)}
            rate = getattr(model.optimizer, "learning_rate", None)
            if rate is not None:
                extra["learning_rate"] = float(keras.ops.convert_to_numpy(rate))
            loss, layers, refused = None, {}, dict(self._refused)
            try:
                found = self._probe.measure()
                loss = found.loss
            except Exception as error:
                refused |= {watched.name: _reason(error) for watched in self._layers}
            else:
                for watched in self._layers:
                    try:
                        layers[watched.name] = self._compared(watched.name, watched.record(found))
                    except Exception as error:
                        refused[watched.name] = _reason(error)
            for name in refused.keys() - self._refused.keys():
                self._warn(f"{name}: not recorded at step {step}: {refused[name]}")
            if refused:
                extra["not_recorded"] = [f"{name}: {reason}" for name, reason in refused.items()]
            self._recorder.add(step=step, loss=loss, layers=layers, extra=extra)
        except Exception as error:
            self._warn(f"step {step} is not recorded: {_reason(error)}")

    def _compared(self, name: str, record: LayerRecord) -> LayerRecord:
        """With the figure by which its weight gradients differ from Keras', and its first sequences only."""
        figure = passes.agreement(record)
        notes = record.notes
        if figure is not None and not passes.is_proved(record, figure) and not notes:
            notes = (
                f"The weight gradients differ from Keras' by {figure:.0e}: besides this layer something else acts on "
                "its weights or gradients (another layer with the same weights, a class of your own).",
            )
            self._warn(f"{name}: {notes[0][0].lower()}{notes[0][1:]}")
        return cut(record, self._keep, agreement=figure, notes=notes)

    def _warn(self, text: str) -> None:
        """One line on stderr, once for each layer and reason."""
        kind = "".join(c for c in text if not c.isdigit())[:100]
        if kind not in self._warned:
            self._warned.add(kind)
            with contextlib.suppress(OSError, ValueError):
                print(f"rnnviz.keras.Watch: {text}", file=sys.stderr)


def _as_fit_does(leaf: Any) -> Any:
    """A copy, with real numbers in the precision in which `fit` computes."""
    array = np.array(keras.ops.convert_to_numpy(leaf) if keras.ops.is_tensor(leaf) else leaf)
    return array.astype(keras.config.floatx()) if array.dtype.kind == "f" else array


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:200]
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}"
