"""Training: batches and epochs with a cursor that can be stopped, saved and put back exactly.

>>> training = Training(model, Data(x, targets), optimizer=Optimizer("sgd", learning_rate=0.01))
>>> training.run_epoch()
>>> training.history["loss"]        # as Keras' fit: the mean of the batch losses during the epoch
[0.83]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from sys import getsizeof
from typing import Any

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn import carry, checks, losses, numpy_engine, readout
from rnnviz.nn import engine as engines
from rnnviz.nn.carry import Carried
from rnnviz.nn.data import Data as Data
from rnnviz.nn.model import Model
from rnnviz.nn.optimizer import Optimizer as Optimizer
from rnnviz.nn.optimizer import OptimizerState
from rnnviz.nn.spec import whole_number
from rnnviz.nn.types import Array, ParamsLike


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All that Training needs to go on from here, copied: restoring it gives the same numbers again.

    The order of the sequences follows from the seed and the epoch alone, so there is no state of a generator. The
    history is the beginning of a record that all snapshots share, and that only ever grows.
    """

    params: ParamsLike
    state: OptimizerState
    epoch: int
    batch: int
    loss_sum: float
    record: dict[str, list[float]]
    carried: Carried | None = None

    @property
    def history(self) -> dict[str, tuple[float, ...]]:
        return {name: tuple(values[: self.epoch]) for name, values in self.record.items()}

    @property
    def nbytes(self) -> int:
        """The memory it takes, without the record, that it shares."""
        groups = (self.params, self.state.first, self.state.second)
        records = (self, vars(self), self.state, vars(self.state), self.epoch, self.batch, self.loss_sum)
        arrays = [array for group in groups for array in group.values()]
        if self.carried is not None:
            arrays += [states for states in (self.carried.h, self.carried.c) if states is not None]
        return sum(map(getsizeof, (*records, *groups, *arrays)))


class Training:
    """Trains a model on `train`, one batch, or one epoch, at a time.

    optimizer    an Optimizer; SGD with learning rate 0.01 if not given
    batch_size   sequences per update; the last batch of an epoch may be smaller
    shuffle      new order each epoch, from np.random.default_rng([seed, epoch]) alone
    truncate     (k1, k2) for truncated BPTT, None for full; see numpy_engine.truncated_backward
    loop         False: after each update the recurrent weights are put back to 0, so a model that begins without
                 them is trained without them (clip_norm still counts their gradients)
    order        instead of shuffling: (N,) or (epochs, N), the order of the sequences in each epoch
    engine       "numpy", "numba" or None: whichever is current at each call

    Where `train` says which sequence each one continues (Data.previous), state is carried from batch to batch: the
    sequences stand in rows of equal length, one row after the other, and row j of a batch continues row j of the batch
    before, from its last state. At the start of each epoch, and of `validation`, states are 0 again.

    epoch is the number of epochs completed, batch the number of batches done in the one under way.
    history["loss"] has each epoch's mean of the batch losses, weighted by their number of sequences (as
    Keras); history["val_loss"] the loss on `validation` at the end of each epoch (empty without one).
    record is the history as far as it was ever known: after a restore it continues beyond `epoch`.
    A loss of inf or nan is kept like any other. Raises InputError if data and model do not fit.
    """

    def __init__(
        self,
        model: Model,
        train: Data,
        validation: Data | None = None,
        optimizer: Optimizer | None = None,
        *,
        batch_size: int = 8,
        shuffle: bool = True,
        seed: int = 0,
        truncate: tuple[int, int] | None = None,
        loop: bool = True,
        order: Any = None,
        engine: str | engines.Engine | None = None,
    ) -> None:
        self.spec = model.spec
        self.train = train.fitted(model.spec, "train")
        self.validation = None if validation is None or not len(validation) else validation.fitted(model.spec)
        self.optimizer = optimizer or Optimizer()
        self.batch_size = whole_number("batch_size", batch_size, low=1)
        self.shuffle = shuffle
        self.seed = whole_number("seed", seed, low=0)
        self.truncate = None if truncate is None else truncation(truncate)
        if self.truncate is not None and model.spec.bidirectional:
            raise InputError("truncate: a bidirectional layer reads each sequence whole, from both ends; leave it out")
        if self.truncate is not None and model.spec.readout != "linear":
            raise InputError("truncate: attention sends each error straight to all earlier steps; leave it out")
        self.loop = loop
        self.order = None if order is None else _orders(order, len(train))
        self._carried: Carried | None = None
        if self.train.previous is not None:
            rows = min(self.batch_size, len(train))
            if model.spec.bidirectional:
                raise InputError(
                    "previous: the backward direction begins at the end of each sequence, and carries nothing"
                )
            if model.spec.readout != "linear":
                raise InputError("previous: attention sees the states of one sequence, not of those that it continues")
            if order is not None:
                raise InputError("order: sequences that continue one another have their own; leave it out")
            self.batch_size, self.shuffle = rows, False
            self.order = carry.row_order(self.train.previous, rows)[None]
            self._carried = Carried.zeros(self.spec, rows)
        self.engine = engine
        self.epoch = 0
        self.batch = 0
        self.history: dict[str, list[float]] = {"loss": [], "val_loss": []}
        self.record: dict[str, list[float]] = {"loss": [], "val_loss": []}
        self._loss_sum = 0.0
        self._shuffled: tuple[int, Array] | None = None  # an epoch and its order
        self._params = model.copy_params()
        self._state = OptimizerState.start(self.optimizer, self._params)
        longest = min(self.batch_size, len(train))
        width = 4 * len(model.spec.gates) * model.spec.hidden_size * len(model.spec.suffixes)
        T = self.train.x.shape[1]
        needed = 8 * longest * (T * width + readout.numbers(self.spec, T))
        checks.memory("training", needed, f"T={T}, batch {longest}, {width} numbers a step")

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and copy: an engine is a module, and goes by its name."""
        return {**self.__dict__, "engine": engines.name_of(self.engine)}

    @property
    def batches_per_epoch(self) -> int:
        return -(-len(self.train) // self.batch_size)

    @property
    def model(self) -> Model:
        """The model with the weights of this moment, copied."""
        return Model(self.spec, self._params)

    def run_batch(self) -> float:
        """One update; returns the loss of that batch before it."""
        return float(self._run(1)[0])

    def run_batches(self, count: int) -> Array:
        """Up to `count` updates, in one call of the engine; at the end of the epoch under way it stops. Returns the
        loss of each batch before its update. The numbers are those of as many calls of run_batch."""
        return self._run(min(count, self.batches_per_epoch - self.batch))

    def run_epoch(self, on_batch: Callable[[Training], bool | None] | None = None) -> bool:
        """Runs to the end of the epoch under way. `on_batch(training)` is called after each batch and may
        return False to stop there. Returns whether the epoch was completed."""
        target = self.epoch + 1
        while self.epoch < target:
            self._run(self.batches_per_epoch - self.batch if on_batch is None else 1)
            if on_batch is not None and on_batch(self) is False:
                return self.epoch == target
        return True

    def evaluate(self, data: Data) -> float:
        """The loss on `data` with the weights of this moment."""
        return evaluate(self.model, data, self.engine)

    def batch_indices(self, epoch: int, batch: int) -> Array:
        """Which sequences make up a batch of an epoch (both from 0)."""
        return self._order(epoch)[batch * self.batch_size : (batch + 1) * self.batch_size]

    def start_of_batch(self) -> tuple[Array | None, Array | None]:
        """(h0, c0) of the next batch, each (L, B, H), or None for zeros: the carried states."""
        carried = None if self._carried is None else self._carried.copy()
        return numpy_engine.start_of(self.train, self.batch_indices(self.epoch, self.batch), carried)

    def start_of_sequence(self, sequence: int) -> Carried | None:
        """The states (L, 1, H) in float64 from which the next batch will read this sequence; None if they are not
        carried, or if it is not in that batch."""
        row = np.flatnonzero(self.batch_indices(self.epoch, self.batch) == sequence)
        h, c = self.start_of_batch()
        if h is None or not len(row):
            return None
        return Carried(h[:, row].astype(float), None if c is None else c[:, row].astype(float))

    def snapshot(self) -> Snapshot:
        params = {name: a.copy() for name, a in self._params.items()}
        carried = None if self._carried is None else self._carried.copy()
        return Snapshot(params, self._state.copy(), self.epoch, self.batch, self._loss_sum, self.record, carried)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back (or on) to where the snapshot was taken. The snapshot stays good for another time."""
        self._params = {name: a.copy() for name, a in snapshot.params.items()}
        self._state = snapshot.state.copy()
        self.epoch, self.batch, self._loss_sum = snapshot.epoch, snapshot.batch, snapshot.loss_sum
        self._carried = None if snapshot.carried is None else snapshot.carried.copy()
        self.record = snapshot.record
        self.history = {name: values[: self.epoch] for name, values in self.record.items()}

    # -- inside --------------------------------------------------------------------------------------

    def _run(self, count: int) -> Array:
        """The next `count` batches of this epoch; those of equal size in one call of the engine, without the loop one
        call a batch."""
        B = self.batch_size
        sequences = self._order(self.epoch)[self.batch * B : (self.batch + count) * B]
        whole = len(sequences) // B
        parts = [sequences[: whole * B].reshape(whole, B), sequences[None, whole * B :]]
        if not self.loop:
            parts = [batch[None] for batch in parts[0]] + parts[1:]
        out = []
        for batches in parts:
            if batches.size:
                losses = self._updates(batches)
                sizes = np.float64(batches.shape[1])
                # one after the other, so that the sum is the same however many batches a call has
                self._loss_sum = float(np.add.accumulate(np.append(self._loss_sum, losses * sizes))[-1])
                out.append(losses)
        self.batch += count
        if self.batch == self.batches_per_epoch:
            self._end_epoch()
        return out[0] if len(out) == 1 else np.concatenate(out)

    def _updates(self, batches: Array) -> Array:
        losses: Array = engines.resolve(self.engine).train_batches(
            self.spec, self._params, self.optimizer, self._state, self.train, batches, self.truncate, self._carried
        )
        if not self.loop:
            for name, w in self._params.items():
                if "weight_hh" in name:
                    w[...] = 0.0
        return losses

    def _end_epoch(self) -> None:
        self._note("loss", self._loss_sum / len(self.train))
        if self.validation is not None:
            self._note("val_loss", self.evaluate(self.validation))
        self.epoch, self.batch, self._loss_sum = self.epoch + 1, 0, 0.0

    def _note(self, name: str, value: float) -> None:
        """Into the history, and into the record if it ends here. A record that holds another value is of a training
        that went another way, and stays as it is for its snapshots."""
        self.history[name].append(value)
        known = self.record[name][self.epoch : self.epoch + 1]
        if known and not np.array_equal(known, [value], equal_nan=True):
            self.record = {name: values[: self.epoch] for name, values in self.record.items()}
            known = []
        if not known:
            self.record[name].append(value)

    def _order(self, epoch: int) -> Array:
        if self.order is not None:
            given: Array = self.order[min(epoch, len(self.order) - 1)]
            return given
        if self.shuffle:
            if self._shuffled is None or self._shuffled[0] != epoch:
                self._shuffled = epoch, np.random.default_rng([self.seed, epoch]).permutation(len(self.train))
            return self._shuffled[1]
        return np.arange(len(self.train))


@np.errstate(all="ignore")
def evaluate(model: Model, data: Data, engine: str | engines.Engine | None = None) -> float:
    """The mean loss of `model` on all of `data`."""
    data = data.fitted(model.spec)
    chosen = engines.resolve(engine)
    total, positions = 0.0, 0
    for which, run in carry.in_order(model.spec, model.params, data.x, data.previous, chosen, read=data.read):
        targets, mask = (np.ascontiguousarray(a[which].swapaxes(0, 1)) for a in (data.targets, data.mask))
        here = int(np.count_nonzero(mask))
        total += losses.evaluate(data.loss, run.y, targets, mask).loss * here
        positions += here
    return total / positions


def truncation(truncate: Sequence[int]) -> tuple[int, int]:
    """(k1, k2) checked: 1 ≤ k1 ≤ k2."""
    if not isinstance(truncate, Sequence) or len(truncate) != 2:
        raise InputError(f"truncate: {short_repr(truncate)} is not a pair (k1, k2)")
    k1 = whole_number("truncate k1", truncate[0], low=1)
    return k1, whole_number("truncate k2", truncate[1], low=k1)


def _orders(order: Any, N: int) -> Array:
    wanted = "whole numbers of shape (N,) or (epochs, N)"
    orders = np.atleast_2d(checks.as_array("order", order, wanted, kinds="iu"))
    if orders.ndim != 2 or not len(orders):
        raise InputError(f"order: is not an array of {wanted}")
    if orders.shape[1] != N or (np.sort(orders, axis=1) != np.arange(N)).any():
        raise InputError(f"order: each epoch's order must hold every sequence 0..{N - 1} once")
    return orders.astype(np.int64)
